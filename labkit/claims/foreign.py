"""C programs for this and another processor, built by the pinned zig, and how they are started here. It judges nothing.

A Mac's libraries come from zig's own list of what macOS exports, so that such programs need no SDK to be linked; they
run on a Mac only. On Linux ``-gnu`` runs with this system's own C library, ``-musl`` holds zig's own.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from labkit.claims.base import ClaimCheck
from labkit.claims.facts import ClaimFacts
from labkit.errors import LabError, ProcessError
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import Store, home
from labkit.toolchain import wheels
from labkit.toolchain.pins import WheelTool

_TIMEOUT_S: Final = 300.0
#: What starts a Linux program of an architecture on another processor.
TRANSLATORS: Final = {
    "x86_64": ("qemu-x86_64", "qemu-x86_64-static"),
    "arm64": ("qemu-aarch64", "qemu-aarch64-static"),
}
_MACHINES: Final = {"x86_64": "x86_64", "arm64": "aarch64"}
#: The architectures by Go's names of them.
_BY_GO: Final = {"amd64": "x86_64", "arm64": "arm64"}


@cache
def pin() -> WheelTool:
    """Return the pinned zig, the one that the build matrix has."""
    text = resources.files("labkit.gobuild.matrix").joinpath("zig.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), WheelTool)


@dataclass(frozen=True, kw_only=True)
class Target:
    """What to build for, and the words that start such a program here."""

    name: str  # zig's: aarch64-linux-musl
    architecture: str  # x86_64 or arm64
    launcher: tuple[str, ...] = ()  # before the program; empty where it starts by itself
    native: bool = True


def own_architecture(facts: ClaimFacts) -> str:
    """Return this machine's architecture, x86_64 or arm64."""
    return _BY_GO[facts.lab.toolchain.platform.partition("/")[2]]


def on_macos(facts: ClaimFacts) -> bool:
    """Return whether the programs built for this machine are Mach-O files."""
    return facts.lab.toolchain.platform.startswith("darwin/")


def target(facts: ClaimFacts, architecture: str, *, libc: str = "musl") -> Target | None:
    """Return the target of an architecture on this system; None where nothing here can run such programs.

    Args:
        facts: The checks' facts.
        architecture: x86_64 or arm64.
        libc: On Linux, gnu for the system's own library (natively only) or musl for zig's.

    """
    own = own_architecture(facts)
    machine, native = _MACHINES[architecture], architecture == own
    if on_macos(facts):  # Rosetta translates by itself, and only from Intel's
        possible = native or own == "arm64"
        return Target(name=f"{machine}-macos", architecture=architecture, native=native) if possible else None
    if native:
        return Target(name=f"{machine}-linux-{libc}", architecture=architecture)
    found = next((path for path in map(facts.has_tool, TRANSLATORS[architecture]) if path is not None), None)
    if found is None or libc == "gnu":
        return None
    return Target(name=f"{machine}-linux-musl", architecture=architecture, launcher=(str(found),), native=False)


def zig(facts: ClaimFacts) -> Path:
    """Return zig; a test's own under ``zig``.

    Raises:
        NetworkError: It is not here and could not be fetched.

    """
    own = facts.replaced_tool("zig")
    return own or wheels.obtain(Store(), "zig", pin(), facts.lab.toolchain.platform) / pin().executable


def cc(facts: ClaimFacts, name: str, words: Sequence[str | Path], folder: Path) -> proc.Completed:
    """Run zig's C compiler for a target; a failure is an answer."""
    cache_ = str(home() / "zig")
    env = base(ZIG_GLOBAL_CACHE_DIR=cache_, ZIG_LOCAL_CACHE_DIR=cache_)
    argv = [zig(facts), "cc", "-target", name, *words]
    return proc.run(argv, env=env, timeout_s=_TIMEOUT_S, cwd=folder, check=False)


def build(facts: ClaimFacts, name: str, text: str, folder: Path, *words: str) -> Path:
    """Build C source into a program, or with ``-shared`` or ``-c`` into what those make.

    Raises:
        ProcessError: The compiler refused.

    """
    source = folder / f"{name}.c"
    source.write_text(text, "utf-8")
    made = folder / f"{name}.out"
    done = cc(facts, name, ["-O2", *words, "-o", made, source, "-lm"], folder)
    if done.returncode != 0 or not made.is_file():
        raise ProcessError(
            f"zig cc for {name} ended with {proc.describe_exit(done.returncode)}: {done.last_words()}",
            remedy="this is a fault in labkit: please report it",
        )
    return made


def started(chosen: Target, program: Path, *words: str) -> proc.Completed | None:
    """Run a program that :func:`build` made; None where this machine refuses to start it (a Mac without Rosetta)."""
    try:
        return proc.run([*chosen.launcher, program, *words], env=base(), timeout_s=120, cwd=program.parent, check=False)
    except (LabError, OSError):
        if chosen.native:
            raise
        return None


class ForeignCheck(ClaimCheck):
    """Base of the checks whose probes build such programs."""

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch zig."""
        zig(facts)
