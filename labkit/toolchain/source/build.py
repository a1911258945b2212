"""Builds pinned sources into an entry of the store, going on where an interrupted build stopped.

The work lies in ``LABKIT_HOME/work/NAME-source-DIGEST``: ``source/`` (unpacked, renamed whole), ``build/`` (cmake's and
ninja's) and ``state.json``. It is used under the entry's lock, so by one process at a time. An interrupted build leaves
it as it was; the entry appears only when the program is whole, and the work is removed after that.
"""

import resource
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from labkit.errors import ProcessError, ProvisionError
from labkit.model.machine import Machine, System
from labkit.model.source import BuildFacts, BuildTool
from labkit.system import proc
from labkit.system.store import Store, digest, home, saying_why, write_atomically
from labkit.toolchain.pins import WheelTool
from labkit.toolchain.provision import host_platform
from labkit.toolchain.source import fetch, ninja, offline, signing, tools
from labkit.toolchain.source.pins import SourcePin

_CONFIGURE_TIMEOUT_S: Final = 900.0
#: What published builds for macOS ask for (LC_BUILD_VERSION of protoc 3.21.12 to 33.0 for arm64), so that both compare.
_MACOS_TARGET: Final = "11.0"
_FACTS: Final = "build.json"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to build, for whom, and with what."""

    pin: SourcePin
    machine: Machine
    environ: Mapping[str, str]  # the user's: where compilers and cargo are found
    tools: Mapping[str, WheelTool]  # cmake and ninja, where the machine has none
    jobs: int | None = None
    archive: Path | None = None  # the user's own file instead of cargo
    codesign: Path = signing.CODESIGN

    @property
    def platform(self) -> str:
        """Go's name of the platform that is built for: this machine's hardware."""
        return host_platform(self.machine)


class _State(msgspec.Struct, frozen=True, kw_only=True):
    attempts: int = 0
    steps: int | None = None  # of the whole build; None: not configured yet
    configure_time_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Built:
    """An entry of the store."""

    folder: Path
    digest: str
    facts: BuildFacts
    already_there: bool

    @property
    def tree(self) -> Path:
        """The folder of ``bin`` and ``include``."""
        return self.folder / "tree"


def options(pin: SourcePin, machine: Machine) -> dict[str, str]:
    """Return cmake's settings: the pin's, and on a Mac the hardware's architecture and the least system."""
    more = {}
    if machine.system is System.MACOS:
        more = {
            "CMAKE_OSX_ARCHITECTURES": str(machine.architecture),
            "CMAKE_OSX_DEPLOYMENT_TARGET": _MACOS_TARGET,
        }
    return dict(pin.options) | more


def obtain(wish: Wish, say: Callable[[str], None]) -> Built:
    """Return the entry of a program built from sources, building it when the store lacks it.

    Raises:
        ProvisionError: No compiler, an archive that is not what was pinned, or the sources do not build here.
        NetworkError: The archive could not be fetched.
        StoreError: The store could not be written or locked.

    """
    compiler = tools.compiler(wish.machine.system, wish.environ)
    recipe = _recipe(wish, compiler)
    shelf = Store()
    name = f"{wish.pin.name}-{wish.pin.version}-source"
    work = home() / "work" / f"{name}-{digest(recipe)}"
    there = shelf.has(name, recipe)
    folder = shelf.obtain(name, recipe, lambda beside: _make(wish, compiler, work, beside, say), held=True)
    shutil.rmtree(work, ignore_errors=True)
    with saying_why(f"cannot read {folder / _FACTS}"):
        facts = msgspec.json.decode((folder / _FACTS).read_bytes(), type=BuildFacts)
    return Built(folder=folder, digest=digest(recipe), facts=facts, already_there=there)


def _recipe(wish: Wish, compiler: BuildTool) -> dict[str, Any]:
    # cmake and ninja only carry out what the options say: another version of them makes no other program.
    pin = wish.pin
    return {
        "kind": "source",
        "archive": pin.sha256,
        "options": options(pin, wish.machine),
        "include": list(pin.include),
        "target": pin.target,
        "compiler": compiler.version,
        "platform": wish.platform,
    }


def _make(wish: Wish, compiler: BuildTool, work: Path, beside: Path, say: Callable[[str], None]) -> Path:
    pin = wish.pin
    cmake, builder = (
        tools.obtain(
            name,
            wish.tools.get(name),
            machine=wish.machine,
            platform=wish.platform,
            environ=wish.environ,
            say=say,
        )
        for name in ("cmake", "ninja")
    )
    state = _begin(work, pin, say)
    build, sources = work / "build", work / "source" / pin.folder
    if not sources.is_dir():
        say(f"{pin.label}: fetching and verifying")
        fetch.unpack(fetch.obtain(pin, given=wish.archive, environ=wish.environ), pin, work / "source")
    configured_now: float | None = None
    if state.steps is None:
        say(f"{pin.label}: configuring")
        configured_now = _configure(wish, (cmake, builder, compiler), build, sources)
        steps = ninja.remaining(Path(builder.path), build, pin.target, wish.environ)
        state = msgspec.structs.replace(state, steps=steps, configure_time_s=configured_now)
        _keep(work, state)
    nothing_fetched = offline.evidence(build)
    count = tools.jobs(wish.jobs, wish.machine)
    run = ninja.Run(
        ninja=Path(builder.path), build=build, target=pin.target, jobs=count, steps=state.steps or 0, log=work / "log"
    )
    before, took_s = ninja.run(run, wish.environ, say)
    program = _gather(pin, build, sources, beside)
    signed = signing.sign(program, wish.machine.system, codesign=wish.codesign)
    _answers(program, pin, build / pin.product)
    facts = BuildFacts(
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=wish.machine.id,
        tools=(compiler, cmake, builder),
        options=options(pin, wish.machine),
        flags=_flags(Path("$SOURCE")),
        jobs=count,
        steps=state.steps or 0,
        steps_before=before,
        attempts=state.attempts,
        configure_time_s=configured_now,
        build_time_s=took_s,
        largest_process_bytes=_largest_process_bytes(),
        fetched_nothing=nothing_fetched,
        signing=signed,
    )
    write_atomically(beside / _FACTS, msgspec.json.format(msgspec.json.encode(facts), indent=1))
    return program


def _begin(work: Path, pin: SourcePin, say: Callable[[str], None]) -> _State:
    state = _State()
    with saying_why(f"cannot work in {work}"):
        work.mkdir(parents=True, exist_ok=True)
        if (work / "state.json").is_file():
            state = msgspec.json.decode((work / "state.json").read_bytes(), type=_State)
            say(f"{pin.label}: going on with a build that was interrupted (call {state.attempts + 1})")
        for left in work.glob(".unpacking-*"):
            shutil.rmtree(left, ignore_errors=True)
    state = msgspec.structs.replace(state, attempts=state.attempts + 1)
    _keep(work, state)
    return state


def _keep(work: Path, state: _State) -> None:
    write_atomically(work / "state.json", msgspec.json.encode(state))


def _flags(source: Path) -> str:
    # Without it assertions and logs carry the work folder, so the user's home, into the program.
    # CMake and then sh read it: double quotes hold a blank and an apostrophe; for a stranger path it is left out.
    return "" if set(str(source)) & set('"\\`;') or "$" in str(source)[1:] else f'"-ffile-prefix-map={source}=."'


def _configure(wish: Wish, used: tuple[BuildTool, BuildTool, BuildTool], build: Path, sources: Path) -> float:
    cmake, builder, compiler = used
    shutil.rmtree(build, ignore_errors=True)  # what an interrupted configuration left may be half there
    settings = options(wish.pin, wish.machine) | {
        "CMAKE_MAKE_PROGRAM": builder.path,
        "CMAKE_CXX_COMPILER": compiler.path,
        "CMAKE_CXX_FLAGS": _flags(sources),
        "CMAKE_C_FLAGS": _flags(sources),
    }
    command: list[str | Path] = [cmake.path, "-G", "Ninja", "-S", sources, "-B", build]
    command += [f"-D{name}={value}" for name, value in settings.items()]
    done = proc.run(command, env=offline.environment(wish.environ), timeout_s=_CONFIGURE_TIMEOUT_S, check=False)
    if done.returncode != 0:
        shutil.rmtree(build, ignore_errors=True)
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        first = next((at for at, line in enumerate(said) if line.startswith("CMake Error")), 0)
        raise ProvisionError(
            f"cmake could not configure {wish.pin.label} ({proc.describe_exit(done.returncode)}): "
            + " | ".join(said[first : first + 4]),
            remedy="mend what cmake names, then run the same command again; labkit -v shows all that it said",
        )
    return done.wall_time_s


def _gather(pin: SourcePin, build: Path, sources: Path, beside: Path) -> Path:
    product = build / pin.product
    program = beside / "tree/bin" / pin.name
    with saying_why(f"cannot keep {pin.name} in the store"):
        if not product.is_file():
            raise ProvisionError(
                f"the build of {pin.label} ended well but made no {pin.product}", remedy="mend the pin's product"
            )
        program.parent.mkdir(parents=True)
        shutil.copy(product.resolve(), program)
        for name in pin.include:
            target = beside / "tree/include/google/protobuf" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(sources / pin.protos / name, target)
    return program


def _answers(program: Path, pin: SourcePin, product: Path) -> None:
    try:
        done = proc.run([program, "--version"], env=offline.environment({}), timeout_s=60, cwd=Path("/"))
    except ProcessError as error:
        raise ProvisionError(
            f"the {pin.name} that was built does not run: {error.what}",
            remedy=f"look at it with `labkit inspect {shlex.quote(str(product))}`",
        ) from error
    if pin.version not in done.stdout:
        raise ProvisionError(
            f"the {pin.name} that was built answers {done.stdout.strip()!r}, not version {pin.version}",
            remedy="mend the pin's version",
        )


def _largest_process_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # getrusage(2): bytes on macOS, KiB on Linux
