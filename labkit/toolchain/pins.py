"""Named sets of pinned versions, as TOML in ``sets/`` beside this module; a pin without a hash is refused."""

import difflib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Any

import msgspec

from labkit.errors import ProvisionError, UsageError
from labkit.model.toolchain import RuntimeModule

_Version = Annotated[str, msgspec.Meta(pattern=r"^\d+(\.\d+)+$")]
_Date = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
_Sum = Annotated[str, msgspec.Meta(pattern=r"^h1:[A-Za-z0-9+/]{43}=$")]


class _Pin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the pins: strict, frozen."""


class Wheel(_Pin, frozen=True, kw_only=True):
    """One platform's wheel."""

    tag: str
    sha256: _Sha256


class WheelTool(_Pin, frozen=True, kw_only=True):
    """A tool that comes in a wheel."""

    version: _Version
    released: _Date
    project: str
    source: str
    executable: str  # within the wheel
    include: str | None = None  # within the wheel
    wheels: Mapping[str, Wheel]  # darwin-arm64: ...


class PluginTool(_Pin, frozen=True, kw_only=True):
    """A tool that `go install` builds."""

    name: str
    version: _Version
    released: _Date
    module: str
    package: str
    sum: _Sum


class PinnedSet(_Pin, frozen=True, kw_only=True):
    """One named set."""

    name: str
    pinned_on: _Date
    go: WheelTool
    protoc: WheelTool
    plugins: tuple[PluginTool, ...]
    modules: tuple[RuntimeModule, ...]


def parse(text: str, *, name: str) -> PinnedSet:
    """Return the set in some TOML; ``name`` says where it came from.

    Raises:
        ProvisionError: It is no TOML, or a pin lacks its hash or another field.

    """
    try:
        return msgspec.convert(tomllib.loads(text), PinnedSet)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ProvisionError(
            f"the pins of {name} are not usable: {error}",
            remedy="give every pin its version, date, source and hash, as in labkit/toolchain/sets/current.toml",
        ) from error


@cache
def names() -> tuple[str, ...]:
    """Return the names of the sets that labkit ships."""
    folder = resources.files("labkit.toolchain").joinpath("sets")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def named(name: str) -> PinnedSet:
    """Return a set that labkit ships.

    Raises:
        UsageError: There is none of this name.

    """
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        raise UsageError(
            f"there is no toolchain named {name!r}",
            remedy=f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(names())}",
        )
    return parse(resources.files("labkit.toolchain").joinpath("sets", f"{name}.toml").read_text("utf-8"), name=name)


def as_recipe(pin: msgspec.Struct) -> dict[str, Any]:
    """Return a pin as plain values, for the store's digests."""
    plain: dict[str, Any] = msgspec.to_builtins(pin)
    return plain
