"""One whole collection through the engine, then each folder of it: what that cost, or why it was not measured."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from labkit.codegen.collection.obtaining import obtain, sources
from labkit.codegen.collection.pinned import NONE, named
from labkit.errors import GenerateError, LabError, ProcessError, TimeoutExpiredError
from labkit.model.base import Text
from labkit.model.collection import CollectionResult, CollectionRun, CollectionTask
from labkit.model.generation import Inputs
from labkit.model.toolchain import Toolchain
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import home

_WORKER: Final = "labkit.codegen.collection.worker"
_TIMEOUT_S: Final = 3600.0
_DEPTH: Final = 2  # google/api: how much of a source's folder names a part

Progress = Callable[[str], None]


def measure(
    toolchain: Toolchain, name: str, *, jobs: int | None = None, progress: Progress | None = None
) -> CollectionRun:
    """Generate from a whole collection, then from each of its folders; nothing that is made is kept or used again.

    Args:
        toolchain: The set to generate with.
        name: The collection's, or ``none``.
        jobs: How many batches at once; as many as there are processors when None.
        progress: Called with one line before each run.

    Raises:
        UsageError: There is no such collection.

    """
    if name == NONE:
        return _missing(name, None, Text(id="collection.missing.none"))
    pin = named(name)
    source = f"{pin.project} {pin.version} ({type(pin).__struct_config__.tag})"
    say = progress or (lambda _line: None)
    try:
        say(source)
        root = obtain(name, pin)
        everything = sources(root, pin)

        def run(folder: str, some: Sequence[str]) -> CollectionResult:
            say(f"{folder or name}: {len(some)} .proto")
            inputs = Inputs(sources=tuple(str(root / each) for each in some), proto_path=(str(root),))
            return _in_a_process(CollectionTask(toolchain=toolchain, inputs=inputs, folder=folder, jobs=jobs))

        whole = run("", everything)
        parts = [run(folder, some).cost for folder, some in _by_folder(everything).items()]
    except LabError as error:
        return _missing(
            name, source, Text(id="collection.missing.error", values={"what": error.what, "remedy": error.remedy})
        )
    return CollectionRun(
        collection=name,
        source=source,
        whole=whole.cost,
        parts=tuple(sorted(parts, key=lambda part: -part.wall_time_s)),
        refused=whole.refused,
        missing=None,
    )


def _missing(name: str, source: str | None, why: Text) -> CollectionRun:
    return CollectionRun(collection=name, source=source, whole=None, parts=(), refused=(), missing=why)


def _by_folder(names: Sequence[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault("/".join(PurePosixPath(name).parent.parts[:_DEPTH]), []).append(name)
    return folders


def _in_a_process(task: CollectionTask) -> CollectionResult:
    # A process of its own, so that the memory is the engine's: a notebook's kernel holds pandas and plotly already.
    passed = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    try:
        done = proc.run(
            [Path(sys.executable), "-m", _WORKER],
            env=base(LABKIT_HOME=str(home()), PYTHONUTF8="1", **passed),
            timeout_s=_TIMEOUT_S,
            stdin=msgspec.json.encode(task),
        )
        return msgspec.json.decode(done.stdout_bytes, type=CollectionResult)
    except TimeoutExpiredError:
        raise
    except (ProcessError, msgspec.DecodeError) as error:
        what = error.what if isinstance(error, ProcessError) else str(error)
        raise GenerateError(
            f"generating from {task.folder or 'the collection'} failed: {what}",
            remedy="read the whole output in the log (labkit -v)",
        ) from error
