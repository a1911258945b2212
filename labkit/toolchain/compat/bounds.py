"""The bounds and the catalogue as data: what excludes what, why it is believed, and which versions there are.

A bound reads: when all of ``when`` hold, all of ``needs`` must. Both map an axis to a condition
(:func:`labkit.toolchain.compat.versions.within`); ``$axis`` in a condition stands for that axis's own value. A bound
says nothing while one of its axes has no value. Nothing is decided here.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Annotated, Final

import msgspec

from labkit.model.base import Record

#: What the solver chooses, in the order in which it does: a later choice gives way to an earlier one.
CHOSEN: Final = ("go", "protobuf", "grpc", "protoc-gen-go", "protoc-gen-go-grpc", "protoc")
#: What a go.mod, a machine or whoever asks states.
STATED: Final = (
    "go-directive", "go-directive-form", "toolchain-line", "tool-line", "godebug-line", "ignore-line",
    "system", "architecture", "macos",
    "proto3-optional", "edition", "streams", "api", "protoc-from",
)  # fmt: skip


class Kind(StrEnum):
    """What happens on the wrong side of a bound."""

    BREAKS = "breaks"  # it does not parse, generate, compile or run
    PROMISE = "promise"  # it may work, but its makers promise nothing: given up when there is no other way


class Bound(Record, frozen=True, kw_only=True):
    """One bound. ``proved`` says how both sides of it were seen, empty when they were not."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    when: Mapping[str, str] = {}
    needs: Mapping[str, str]
    kind: Kind = Kind.BREAKS
    symptom: str  # verbatim where a tool says it
    failure_mode: str | None = None
    source: Annotated[str, msgspec.Meta(pattern=r"^https://")]
    proved: str = ""
    confirmed_on_hardware: bool | None = None  # None: it is not about a particular machine

    @property
    def axes(self) -> frozenset[str]:
        """Every axis that the bound looks at."""
        named = {*self.when, *self.needs}
        return frozenset(
            named | {term.split("$", 1)[1] for term in (*self.when.values(), *self.needs.values()) if "$" in term}
        )


class Catalogue(Record, frozen=True, kw_only=True):
    """The bounds, and the versions of each chosen axis, newest first."""

    as_of: str  # the date of the lists, ISO 8601
    versions: Mapping[str, tuple[str, ...]]
    bounds: tuple[Bound, ...]

    def bound(self, id_: str) -> Bound:
        """Return the bound of an id; KeyError when there is none."""
        return {bound.id: bound for bound in self.bounds}[id_]


class _Versions(Record, frozen=True, kw_only=True):
    as_of: str
    versions: Mapping[str, tuple[str, ...]]


class _Bounds(Record, frozen=True, kw_only=True):
    bound: tuple[Bound, ...]


@cache
def catalogue() -> Catalogue:
    """Return the catalogue that labkit ships: bounds.toml and versions.toml."""
    folder = resources.files("labkit.toolchain.compat")
    listed = msgspec.convert(tomllib.loads(folder.joinpath("versions.toml").read_text("utf-8")), _Versions)
    bounds = msgspec.convert(tomllib.loads(folder.joinpath("bounds.toml").read_text("utf-8")), _Bounds)
    return Catalogue(as_of=listed.as_of, versions=listed.versions, bounds=bounds.bound)
