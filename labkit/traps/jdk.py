"""The JDK that traps use: one folder's java, javac, jstack and jstat. Installs none."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from labkit.errors import ImpossibleHereError, ProcessError
from labkit.system import environment, proc
from labkit.traps.parts import Part, find

#: Where Homebrew keeps its JDKs, which it puts on no PATH: ``brew info openjdk``.
HOMEBREW: Final = (Path("/opt/homebrew/opt"), Path("/usr/local/opt"))
_TOOLS: Final = ("java", "javac", "jstack", "jstat")


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


def version() -> str:
    """Return the version as ``java -version`` says it."""
    said = proc.run([tool("java"), "-version"], env=environment.base(), timeout_s=60)
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
