"""Which programs are built how for what, as data: ``cells.toml``. Builds nothing."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec

from labkit.errors import UsageError
from labkit.gobuild.options import Options

#: The folder of this room's own Go modules.
FOLDER = Path(__file__).parent


class Selection(StrEnum):
    """How much of the matrix."""

    NONE = "none"
    QUICK = "quick"
    FULL = "full"


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what is read from the file: strict, frozen."""


class Program(_Data, frozen=True, kw_only=True):
    """One program: a package of this room's module, a version of protoc-gen-go, or (neither) one that is given."""

    package: str | None = None
    plugin: str | None = None
    arguments: tuple[str, ...] = ()


class Variant(_Data, frozen=True, kw_only=True):
    """One way to build."""

    cgo: bool = False
    ldflags: str = ""
    tags: str = ""
    buildmode: str = ""
    trimpath: bool = False
    rebuild: bool = False
    libc: str | None = None  # musl: a C compiler for that C library

    @property
    def links_outside(self) -> bool:
        """Whether the C compiler links, whatever the program is made of."""
        return "-linkmode=external" in self.ldflags

    def options(self, compiler: Path | None) -> Options:
        """Return the options of a build with a C compiler, if it has one."""
        return Options(
            cgo=self.cgo,
            compiler=compiler,
            trimpath=self.trimpath,
            ldflags=self.ldflags,
            tags=self.tags,
            buildmode=self.buildmode,
            rebuild=self.rebuild,
        )


@dataclass(frozen=True, kw_only=True)
class CellId:
    """Which cell: a program, a platform and a variant by their names."""

    program: str
    platform: str
    variant: str


class Plan(_Data, frozen=True, kw_only=True):
    """The whole file."""

    platforms: tuple[str, ...]
    program: Mapping[str, Program]
    variant: Mapping[str, Variant]
    quick: Mapping[str, Mapping[str, tuple[str, ...]]]

    def cells(self, selection: Selection) -> tuple[CellId, ...]:
        """Return the cells of a selection, in the file's order."""
        if selection is Selection.NONE:
            return ()
        return tuple(
            CellId(program=program, platform=platform, variant=variant)
            for platform in self.platforms
            for program in self.program
            for variant in self.variant
            if selection is Selection.FULL or variant in self.quick.get(platform, {}).get(program, ())
        )


@cache
def plan() -> Plan:
    """Return the matrix as its file says it."""
    return msgspec.convert(tomllib.loads(resources.files(__package__).joinpath("cells.toml").read_text("utf-8")), Plan)


def selection(name: str) -> Selection:
    """Return a selection by its name.

    Raises:
        UsageError: There is none of this name.

    """
    try:
        return Selection(name)
    except ValueError as error:
        raise UsageError(
            f"{name!r} is no part of the build matrix", remedy=f"choose one of: {', '.join(Selection)}"
        ) from error
