"""Named sets of pinned versions, as TOML; a pin without a hash is refused.

labkit's own sets lie in ``sets/`` beside this module; a user's set is named by its file, and by its name once it has
been provisioned (:func:`remember`).
"""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec

from labkit.errors import ProvisionError, UsageError
from labkit.model.toolchain import RuntimeModule
from labkit.system.store import home, write_atomically

_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
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
    """A tool that comes in a wheel; Go may come as Go's own toolchain module instead."""

    version: _Version
    released: _Date
    project: str
    source: str
    executable: str  # within the wheel
    include: str | None = None  # within the wheel
    wheels: Mapping[str, Wheel] = {}  # darwin-arm64: ...
    toolchain_sums: Mapping[str, _Sum] = {}  # Go alone: darwin-arm64: h1:... of golang.org/toolchain


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

    name: _Name
    pinned_on: _Date
    go: WheelTool
    protoc: WheelTool
    plugins: tuple[PluginTool, ...]
    optional: tuple[PluginTool, ...] = ()  # obtained only when they are asked for by name
    modules: tuple[RuntimeModule, ...]


def parse(text: str, *, name: str) -> PinnedSet:
    """Return the set in some TOML; ``name`` says where it came from.

    Raises:
        ProvisionError: It is no TOML, or a pin lacks its hash or another field.

    """
    try:
        wanted = msgspec.convert(tomllib.loads(text), PinnedSet)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _not_usable(name, str(error)) from error
    for tool, hashes in (("go", wanted.go.wheels or wanted.go.toolchain_sums), ("protoc", wanted.protoc.wheels)):
        if not hashes:
            raise _not_usable(name, f"{tool} has no hash for any platform: `{tool}.wheels` is empty")
    return wanted


def _not_usable(name: str, why: str) -> ProvisionError:
    return ProvisionError(
        f"the pins of {name} are not usable: {why}",
        remedy="give every pin its version, date, source and hash, as in labkit/toolchain/sets/current.toml",
    )


@cache
def names() -> tuple[str, ...]:
    """Return the names of the sets that labkit ships."""
    folder = resources.files("labkit.toolchain").joinpath("sets")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def remembered() -> tuple[str, ...]:
    """Return the names of the user's own sets that were provisioned on this machine."""
    return tuple(sorted(file.stem for file in _remembered_folder().glob("*.json") if file.stem not in names()))


def named(name: str) -> PinnedSet:
    """Return a set: one that labkit ships, a user's by its name, or by the path of its file (``.../my.toml``).

    Raises:
        UsageError: There is none of this name, or the file cannot be read or has the name of a set of labkit.
        ProvisionError: The file's pins are not usable.

    """
    if name in names():
        return _shipped(name)
    if name.endswith(".toml"):
        return _from_file(Path(name).expanduser())
    if name in remembered():
        return _kept(name)
    known = (*names(), *remembered())
    near = difflib.get_close_matches(name, known, n=1)
    raise UsageError(
        f"there is no toolchain named {name!r}",
        remedy=f"did you mean {near[0]!r}?"
        if near
        else f"choose one of: {', '.join(known)}; or give the path of a TOML file of your own",
    )


def remember(wanted: PinnedSet) -> None:
    """Keep a user's set under its name, so that it can be named without its file from now on.

    Raises:
        StoreError: It could not be written.

    """
    if wanted.name in names():
        return
    content = msgspec.json.format(msgspec.json.encode(wanted), indent=1)
    path = _remembered_folder() / f"{wanted.name}.json"
    if not (path.is_file() and path.read_bytes() == content):
        write_atomically(path, content)


def forget(name: str) -> bool:
    """Forget a user's set; return whether it was known."""
    known = name in remembered()
    if known:
        (_remembered_folder() / f"{name}.json").unlink(missing_ok=True)
    return known


def choose_optional(wanted: PinnedSet, names_: Iterable[str]) -> tuple[PluginTool, ...]:
    """Return a set's optional tools of some names, in the set's order.

    Raises:
        UsageError: The set has no optional tool of such a name.

    """
    asked = frozenset(names_)
    offered = {pin.name for pin in wanted.optional}
    if asked - offered:
        raise UsageError(
            f"the set {wanted.name} has no optional tool named {min(asked - offered)!r}",
            remedy=f"choose among: {', '.join(sorted(offered)) or 'none'}",
        )
    return tuple(pin for pin in wanted.optional if pin.name in asked)


def as_recipe(pin: msgspec.Struct) -> dict[str, Any]:
    """Return a pin as plain values, for the store's digests."""
    plain: dict[str, Any] = msgspec.to_builtins(pin)
    return plain


def set_recipe(wanted: PinnedSet, optional: Iterable[PluginTool] = ()) -> dict[str, Any]:
    """Return a set as plain values: its pins, and of the optional ones those that are asked for."""
    plain = as_recipe(wanted)
    chosen = [as_recipe(pin) for pin in optional]
    plain.pop("optional")
    if chosen:
        plain["optional"] = chosen
    for tool in ("go", "protoc"):
        if not plain[tool]["toolchain_sums"]:
            del plain[tool]["toolchain_sums"]
    return plain


@cache
def _shipped(name: str) -> PinnedSet:
    return parse(resources.files("labkit.toolchain").joinpath("sets", f"{name}.toml").read_text("utf-8"), name=name)


def _kept(name: str) -> PinnedSet:
    path = _remembered_folder() / f"{name}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=PinnedSet)
    except msgspec.DecodeError as error:
        raise ProvisionError(
            f"what was kept of the set {name} in {path} is not usable: {error}",
            remedy=f"delete it and provision the set from its own file again: labkit setup --toolchain {name}.toml",
        ) from error


def _from_file(path: Path) -> PinnedSet:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the set's file {path} cannot be read: {error}", remedy="name a TOML file") from error
    wanted = parse(text, name=str(path))
    if wanted.name in names():
        raise UsageError(f"{path} calls itself {wanted.name!r}, which is a set of labkit's own", remedy="rename it")
    return wanted


def _remembered_folder() -> Path:
    return home() / "sets"
