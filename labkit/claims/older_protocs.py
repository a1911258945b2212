"""protoc of other days for this machine, to be run; those that are only read are in :mod:`labkit.claims.protocs`."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from labkit.claims.facts import ClaimFacts
from labkit.system.store import Store
from labkit.toolchain import pins, wheels
from labkit.toolchain.pins import Wheel, WheelTool

_NAME: Final = "protoc"


class _Protoc(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version in ``older_protocs.toml``."""

    version: str
    wheels: Mapping[str, Wheel]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``older_protocs.toml``."""

    pinned_on: str
    protoc: tuple[_Protoc, ...]


def pinned() -> tuple[WheelTool, ...]:
    """Return the pins, the oldest first: those of ``older_protocs.toml``, then those of labkit's sets."""
    text = resources.files(__package__).joinpath("older_protocs.toml").read_text("utf-8")
    sets = [pins.named(name).protoc for name in pins.names()]
    older = [
        msgspec.structs.replace(sets[0], version=each.version, wheels=each.wheels)
        for each in msgspec.convert(tomllib.loads(text), _File).protoc
    ]
    return tuple(sorted([*older, *sets], key=lambda pin: tuple(map(int, pin.version.split(".")))))


def obtain(facts: ClaimFacts, pin: WheelTool) -> Path:
    """Return the protoc of a pin, or what a test has put in its place under ``run:protoc:<version>``.

    Raises:
        ProvisionError: There is none for this machine, or what came is not what was pinned.
        NetworkError: It is not here and could not be fetched.

    """
    own = facts.replaced_tool(f"run:{_NAME}:{pin.version}")
    if own is not None:
        return own
    return wheels.obtain(Store(), _NAME, pin, facts.lab.toolchain.platform) / pin.executable
