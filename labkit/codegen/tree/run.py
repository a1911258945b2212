"""``generate_tree``: sources in, an output folder that holds exactly what a set makes of them, and a record of it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labkit.codegen.tree import inputs, state
from labkit.codegen.tree.memory import Watch
from labkit.codegen.tree.work import Progress, Work
from labkit.errors import UsageError
from labkit.model.generation import Generation, Inputs
from labkit.model.toolchain import Toolchain
from labkit.system.store import Store

__all__ = ["Progress", "generate_tree"]


def generate_tree(
    toolchain: Toolchain,
    given: Inputs,
    out: Path,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    anew: bool = False,
    remember: bool = True,
) -> Generation:
    """Generate Go from a tree of .proto files; only what has changed since the last run into the same folder.

    Files that stand in ``out`` and are not labkit's are left alone, unless a source becomes just that file. A source
    that is bad costs itself and its importers (``refused``); code of it that an earlier run made stays.

    Args:
        toolchain: The set whose protoc and plugins do it.
        given: The sources, import paths and options.
        out: The folder of the generated code.
        jobs: Batches at a time; as many as this process has processors when None.
        progress: Called with (done, all, what now), counted in sources that are made anew.
        anew: Whether all is made, changed or not.
        remember: Whether the next run into ``out`` is to make only what changed; False makes all, and keeps no state.

    Raises:
        UsageError: The inputs name nothing, or contradict each other.
        GenerateError: protoc or a plugin cannot be run.
        StoreError: A file cannot be read or written, or another run into ``out`` does not end.

    """
    started = time.monotonic()
    roots = _roots(given, toolchain)
    sources = inputs.find_sources(given, roots)
    place = os.path.abspath(out)  # noqa: PTH100 - keeps links as they are
    folder = state.folder_of(place)
    with _locked(folder), Watch() as watch:
        before = state.read(folder / "state", place) if remember else state.empty(place)
        run = Work(toolchain, given.options, sources=sources, roots=roots, out=place, before=before)
        stale = run.good if anew else run.stale()
        show = progress or (lambda _done, _all, _what: None)
        outcomes, how = run.make(stale, folder, jobs or _processors(), show)
        removed = run.remove_orphans()
        if remember:
            run.save(folder / "state")
        return Generation(
            out=str(out),
            toolchain=toolchain.name,
            source_count=len(sources),
            files=run.files(how),
            refused=tuple(run.graph.refused[name] for name in sorted(run.graph.refused)),
            removed=removed,
            batches=outcomes,
            jobs=jobs or _processors(),
            wall_time_s=time.monotonic() - started,
            peak_memory_bytes=watch.peak_bytes(),
        )


def _roots(given: Inputs, toolchain: Toolchain) -> tuple[str, ...]:
    roots = (*inputs.import_roots(given), toolchain.protoc_include)
    for root in roots:
        if ":" in root:
            raise UsageError(
                f"the import path {root} holds a colon, which protoc takes for the end of a path",
                remedy="rename that folder, or reach it by a link whose name has none",
            )
    return tuple(dict.fromkeys(roots))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with Store().lock(f"generate-{folder.name}"):
        yield
