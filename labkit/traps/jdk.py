"""The JDK that traps use: one folder's java, javac, jstack and jstat, and how its processes end. Installs none."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from labkit.errors import ImpossibleHereError, ProcessError
from labkit.system import environment, proc
from labkit.system.proc import Interactive
from labkit.traps.parts import Part, find
from labkit.traps.rig import PATIENCE_S

#: Where Homebrew keeps its JDKs, which it puts on no PATH: ``brew info openjdk``.
HOMEBREW: Final = (Path("/opt/homebrew/opt"), Path("/usr/local/opt"))
_TOOLS: Final = ("java", "javac", "jstack", "jstat")
#: For JVMs that nobody looks at: without it a killed one leaves a file in the system's temporary folder.
UNWATCHED: Final = "-XX:-UsePerfData"


def tool(name: str) -> Path:
    """Return the path of one of the JDK's programs; they are of one JDK, for jstack refuses another's process.

    Raises:
        ImpossibleHereError: There is no JDK.

    """
    found = folder()
    if found is None:
        raise ImpossibleHereError("there is no JDK", remedy="install a JDK, or name one with JAVA_HOME")
    return found / name


def folder() -> Path | None:
    """Return the ``bin`` folder of the first whole JDK: JAVA_HOME's, PATH's, Homebrew's; None when there is none."""
    return next((place for place in _places() if all((place / name).is_file() for name in _TOOLS)), None)


def watching(name: str) -> list[str | Path]:
    """Return the command of one of the JDK's tools, itself a JVM that nobody looks at."""
    return [tool(name), f"-J{UNWATCHED}"]


@contextlib.contextmanager
def ended_in_order(child: Interactive) -> Iterator[None]:
    """Let a JVM that reads lines end with its input, and remove what it leaves when it was killed instead."""
    try:
        yield
    finally:
        if child.alive():
            child.close_input()
            proc.wait_until(lambda: not child.alive(), timeout_s=PATIENCE_S, what="the JVM's end")
        for path in left_behind(child.pid):
            path.unlink(missing_ok=True)


def left_behind(pid: int) -> list[Path]:
    """Return what a JVM of this process id has in the system's temporary folder: jstat's file, jstack's socket."""
    folders = [Path("/tmp"), Path(tempfile.gettempdir())]  # noqa: S108 - HotSpot's own choice on Linux; TMPDIR on macOS
    names = (f"hsperfdata_*/{pid}", f".java_pid{pid}", f".attach_pid{pid}")
    return sorted({path for folder in folders for name in names for path in folder.glob(name)})


def version() -> str:
    """Return the version as ``java -version`` says it."""
    said = proc.run([tool("java"), UNWATCHED, "-version"], env=environment.base(), timeout_s=60)
    return (said.stderr or said.stdout).splitlines()[0]


def part() -> Part:
    """Return the JDK as what a trap needs."""
    return Part(name="JDK", present=lambda: folder() is not None, apt="default-jdk-headless", brew="openjdk")


def _places() -> Iterator[Path]:
    named = os.environ.get("JAVA_HOME")
    if named:
        yield Path(named) / "bin"
    compiler = find("javac")
    if compiler is not None:
        if sys.platform != "darwin" or compiler.parent != Path("/usr/bin"):
            yield compiler.resolve().parent  # /usr/bin/javac is a link into the JDK
        elif (home := _of_macos()) is not None:
            yield home / "bin"
    for prefix in HOMEBREW:
        for formula in sorted(prefix.glob("openjdk*"), reverse=True):
            yield formula / "bin"


def _of_macos() -> Path | None:
    # /usr/bin/javac of macOS is there without a JDK too, and opens a window then; java_home fails instead.
    try:
        said = proc.run(["/usr/libexec/java_home"], env=environment.base(), timeout_s=60)
    except ProcessError:
        return None
    return Path(said.stdout.strip())
