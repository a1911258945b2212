"""What a build needs of the machine: a C++ compiler of its own; cmake and ninja of its own, or from pinned wheels.

Ninja, not make: it logs a step only once its command ended, so that an object that a killed compiler left half
written is made again. Make takes such an object for finished, for it is newer than its source.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from labkit.errors import LabError, ProcessError, ProvisionError
from labkit.model.machine import Machine, System
from labkit.model.source import BuildTool
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import Store
from labkit.toolchain import wheels
from labkit.toolchain.pins import WheelTool

_COMPILERS: Final = ("c++", "g++", "clang++")
_LEAST: Final[Mapping[str, tuple[int, ...]]] = {"cmake": (3, 16), "ninja": (1, 10)}
_VERSION: Final = re.compile(r"(\d+(?:\.\d+)+)")
_INSTALL: Final[Mapping[System, Mapping[str, str]]] = {
    System.MACOS: {
        "c++": "xcode-select --install",
        "cmake": "brew install cmake, or pip install cmake",
        "ninja": "brew install ninja, or pip install ninja",
    },
    System.LINUX: {
        "c++": "on Debian: apt-get install g++",
        "cmake": "on Debian: apt-get install cmake, or pip install cmake",
        "ninja": "on Debian: apt-get install ninja-build, or pip install ninja",
    },
}
#: What one compiler is given room for; ``BuildFacts.largest_process_bytes`` says what the greatest really took.
_BYTES_A_JOB: Final = 1 << 30


def compiler(system: System, environ: Mapping[str, str]) -> BuildTool:
    """Return the C++ compiler: ``CXX`` when it is set, else the first of c++, g++ and clang++ on PATH that answers.

    Raises:
        ProvisionError: There is none.

    """
    named = environ.get("CXX")
    for name in (named,) if named else _COMPILERS:
        path = shutil.which(name, path=environ.get("PATH"))
        if path is None:
            continue
        try:
            # On a Mac without the command line tools /usr/bin/c++ is there and fails: it only offers to install them.
            answer = proc.run([Path(path).absolute(), "--version"], env=search(environ), timeout_s=60)
        except ProcessError:
            continue
        return BuildTool(name="c++", path=str(Path(path).absolute()), version=_first_line(answer), origin="host")
    raise ProvisionError(
        f"no C++ compiler: {named or ', '.join(_COMPILERS)} on PATH is absent or does not answer --version",
        remedy=_INSTALL[system]["c++"],
    )


def obtain(
    name: str,
    pin: WheelTool | None,
    *,
    machine: Machine,
    platform: str,
    environ: Mapping[str, str],
    say: Callable[[str], None],
) -> BuildTool:
    """Return cmake or ninja: this machine's own when it is recent enough, else the pinned wheel's.

    Raises:
        ProvisionError: Neither can be had.

    """
    own = shutil.which(name, path=environ.get("PATH"))
    if own is not None:
        version = _asked(Path(own).absolute(), environ)
        if version is not None and _numbers(version) >= _LEAST[name]:
            return BuildTool(name=name, path=str(Path(own).absolute()), version=version, origin="host")
    why = "is not on PATH" if own is None else f"on PATH ({own}) is older than {'.'.join(map(str, _LEAST[name]))}"
    try:
        if pin is None:
            raise ProvisionError(f"no wheel of {name} is pinned", remedy=_INSTALL[machine.system][name])
        path = wheels.obtain(Store(), name, pin, platform, begin=lambda: say(f"{name} {pin.version}")) / pin.executable
    except LabError as error:
        raise ProvisionError(
            f"{name} {why}, and its wheel could not be had: {error.what}", remedy=_INSTALL[machine.system][name]
        ) from error
    return BuildTool(name=name, path=str(path), version=pin.version, origin="wheel")


def jobs(asked: int | None, machine: Machine) -> int:
    """Return how many compilers to run at once: as asked, else one a core; never more than memory holds."""
    wanted = asked or machine.logical_core_count or 1
    room = max(1, (machine.memory_bytes or _BYTES_A_JOB) // _BYTES_A_JOB)
    return max(1, min(wanted, room))


def search(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a compiler: PATH, where compilers look for their parts, and a chosen SDK."""
    kept = {name: environ[name] for name in ("SDKROOT", "DEVELOPER_DIR") if name in environ}
    return base(path=environ.get("PATH", "/usr/bin:/bin"), **kept)


def _asked(path: Path, environ: Mapping[str, str]) -> str | None:
    try:
        answer = proc.run([path, "--version"], env=search(environ), timeout_s=60)
    except ProcessError:
        return None
    match = _VERSION.search(_first_line(answer))
    return match.group(1) if match else None


def _first_line(done: proc.Completed) -> str:
    return (done.stdout or done.stderr).strip().split("\n")[0]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
