"""What traps are made of, and how to get what is missing: programs, Python packages, Java libraries, a right."""

import importlib.util
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labkit.errors import ImpossibleHereError
from labkit.model.base import Text
from labkit.model.traps import ReasonKind

#: Where daemons lie that a user's PATH does not name.
_MORE_PLACES = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/opt/homebrew/bin", "/opt/homebrew/sbin", "/usr/local/bin")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing that a trap cannot do without."""

    name: str
    present: Callable[[], bool]
    kind: ReasonKind = ReasonKind.MISSING
    apt: str | None = None  # the Debian package
    brew: str | None = None  # the Homebrew formula
    other: str | None = None  # the command where neither is the way
    prepared: bool = False  # whether the trap's prepare brings it

    def reason(self) -> Text:
        """Return what to say when it is not there."""
        if self.kind is ReasonKind.IMPOSSIBLE:
            return Text(id=f"traps.impossible.{self.name}")
        ways = [f"apt-get install {self.apt}"] if self.apt else []
        ways += [f"brew install {self.brew}"] if self.brew else []
        ways += [self.other] if self.other else []
        return Text(id="traps.missing", values={"name": self.name, "commands": " | ".join(ways)})


def find(program: str) -> Path | None:
    """Return a program's absolute path, daemons' folders included; None when there is none."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_MORE_PLACES])
    found = shutil.which(program, path=path)
    return Path(found).absolute() if found else None


def program(name: str, *, apt: str | None, brew: str | None = None, other: str | None = None) -> Part:
    """Return a part that is a program on PATH."""
    return Part(name=name, present=lambda: find(name) is not None, apt=apt, brew=brew, other=other)


def package(name: str, module: str) -> Part:
    """Return a part that is a Python package of labkit's extra ``traps``."""
    there = lambda: importlib.util.find_spec(module) is not None  # noqa: E731
    return Part(name=name, present=there, other="pip install 'labkit[traps]'")


def right(name: str, present: Callable[[], bool]) -> Part:
    """Return what this system or user can do or cannot; its sentence is ``traps.impossible.<name>``."""
    return Part(name=name, present=present, kind=ReasonKind.IMPOSSIBLE)


def path_of(name: str) -> Path:
    """Return the path of a program that a trap's needs name.

    Raises:
        ImpossibleHereError: It is gone since the needs were looked at.

    """
    found = find(name)
    if found is None:
        raise ImpossibleHereError(f"{name} is not on PATH", remedy=f"install {name}")
    return found
