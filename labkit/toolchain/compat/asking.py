"""Asks the solver for a go.mod and a machine, and says which of labkit's sets fit: what `labkit setup --for` answers.

Reads the go.mod through the set's own Go; builds and installs nothing.
"""

from collections.abc import Mapping
from pathlib import Path

from labkit import machine as machines
from labkit import toolchain
from labkit.binary.machines import target
from labkit.errors import UsageError
from labkit.model.base import Record
from labkit.model.machine import Machine, System
from labkit.toolchain import pins
from labkit.toolchain.compat.bounds import CHOSEN, STATED, catalogue
from labkit.toolchain.compat.gomod import GoMod, read
from labkit.toolchain.compat.solver import Conflict, Origin, Solution, Wish, solve
from labkit.toolchain.compat.versions import key, within

#: The set that is named when several fit equally well.
_PREFERRED = "current"
#: Without a go line Go reads a module as one of Go 1.16 (https://go.dev/ref/mod#go-mod-file-go).
_NO_GO_LINE = "1.16"
_THREE_PARTS = 3


class SetFit(Record, frozen=True, kw_only=True):
    """One of labkit's sets against the wish: bounds that exclude it, and promises that it would break."""

    name: str
    excluded_by: tuple[str, ...]
    given_up: tuple[str, ...]


class Answer(Record, frozen=True, kw_only=True):
    """What fits a go.mod and a machine. ``chosen_set`` is None where none of labkit's sets does."""

    go_mod: str
    module: str
    machine: str
    wish: Wish
    result: Solution | Conflict
    sets: tuple[SetFit, ...]
    chosen_set: str | None
    replaced: Mapping[str, str]  # axis: by what, where a go.mod replaces a runtime by something without its versions
    unexamined: tuple[str, ...]  # what the wish leaves open: macos, for one


def setup_for(
    go_mod: Path,
    *,
    machine: Machine | str,
    go: Path | None = None,
    features: Mapping[str, str] | None = None,
    versions: Mapping[str, str] | None = None,
) -> Answer:
    """Return which versions fit a go.mod and a machine, what decided each, and which of labkit's sets has them.

    Args:
        go_mod: The file.
        machine: This machine, or the name of one that is not here, such as m3-macos26.
        go: The Go that reads the file; the current set's, provisioned when it is not there, when None.
        features: What the protos need, by axis: ``{"edition": "2023"}``.
        versions: Versions that are asked for, by axis: ``{"protoc": "24.3"}``.

    Raises:
        UsageError: The file is no go.mod, or an axis, version or machine is none.

    """
    reader = go or toolchain.program(toolchain.provision(_PREFERRED, toolchain.host_platform(machines.read())), "go")
    said = read(go_mod, go=reader)
    wish = wish_of(said, machine=machine, features=features or {}, versions=versions or {})
    fits = tuple(_fit(name, wish) for name in pins.names())
    return Answer(
        go_mod=str(go_mod),
        module=said.module,
        machine=machine if isinstance(machine, str) else machine.id,
        wish=wish,
        result=solve(wish, catalogue()),
        sets=fits,
        chosen_set=_choose(fits),
        replaced=said.replaced,
        unexamined=tuple(axis for axis in ("macos",) if wish.values["system"] == "macos" and axis not in wish.values),
    )


def wish_of(said: GoMod, *, machine: Machine | str, features: Mapping[str, str], versions: Mapping[str, str]) -> Wish:
    """Return the wish of a go.mod on a machine.

    Raises:
        UsageError: An axis, version or machine is none.

    """
    line = said.go or _NO_GO_LINE
    stated = {
        "go-directive": line,
        "go-directive-form": "three-part" if line.count(".") + 1 >= _THREE_PARTS or "rc" in line else "two-part",
        "toolchain-line": _yes(bool(said.toolchain)),
        "tool-line": _yes(bool(said.tools)),
        "godebug-line": _yes(said.godebug),
        "ignore-line": _yes(said.ignore),
        **said.requires,
    }
    here = _machine_values(machine)
    asked = dict(features)
    for axis, version in versions.items():
        if axis not in CHOSEN or key(version) is None:
            raise UsageError(
                f"{axis} {version!r} is no version of anything that is chosen",
                remedy=f"name one of {', '.join(CHOSEN)}",
            )
        asked[axis] = normalised(axis, version)
    for axis in features:
        if axis not in STATED:
            raise UsageError(f"{axis!r} is nothing that a wish knows", remedy=f"name one of {', '.join(STATED)}")
    origins = (
        dict.fromkeys(stated, Origin.GO_MOD) | dict.fromkeys(here, Origin.MACHINE) | dict.fromkeys(asked, Origin.ASKED)
    )
    return Wish(values=stated | here | asked, origins=origins)


def normalised(axis: str, version: str) -> str:
    """Return a version as the catalogue writes it: no leading v or go, and protoc 3.24.3 and 4.24.3 as 24.3."""
    plain = version.removeprefix("go").removeprefix("v")
    if axis == "protoc" and within(plain, ">=3.21, <6"):
        return plain.split(".", 1)[1]
    return plain


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _machine_values(machine: Machine | str) -> dict[str, str]:
    if isinstance(machine, str):
        named = target(machine)
        found = {"system": named.system, "architecture": named.architecture}
        macos = named.macos
        return found | ({"macos": str(macos)} if macos else {})
    found = {"system": machine.system.value, "architecture": machine.architecture.value}
    if machine.system is System.MACOS and machine.system_version:
        found["macos"] = machine.system_version
    return found


def _fit(name: str, wish: Wish) -> SetFit:
    pinned = pins.named(name)
    tools = {"go": pinned.go.version, "protoc": pinned.protoc.version}
    tools |= {plugin.name: plugin.version for plugin in pinned.plugins if plugin.name in CHOSEN}
    asked = {axis: version for axis, version in wish.values.items() if wish.origins[axis] is Origin.ASKED}
    differing = tuple(f"{axis} {version}" for axis, version in asked.items() if tools.get(axis, version) != version)
    if differing:
        return SetFit(name=name, excluded_by=differing, given_up=())
    found = solve(Wish(values={**wish.values, **tools}), catalogue())
    if isinstance(found, Conflict):
        return SetFit(name=name, excluded_by=found.bounds, given_up=())
    return SetFit(name=name, excluded_by=(), given_up=found.given_up)


def _choose(fits: tuple[SetFit, ...]) -> str | None:
    possible = [fit for fit in fits if not fit.excluded_by]
    best = min(possible, key=lambda fit: (len(fit.given_up), fit.name != _PREFERRED, fit.name), default=None)
    return best.name if best else None
