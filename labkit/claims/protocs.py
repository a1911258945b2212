"""protoc for Apple silicon over versions: published builds, fetched to be read."""

import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from labkit.system.store import Store
from labkit.toolchain import pins, wheels
from labkit.toolchain.pins import Wheel, WheelTool

PLATFORM: Final = "darwin/arm64"


class _Protoc(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version in ``protocs.toml``."""

    version: str
    sha256: str


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``protocs.toml``."""

    pinned_on: str
    protoc: tuple[_Protoc, ...]


@cache
def published() -> tuple[WheelTool, ...]:
    """Return the pins of the versions that are read: those of ``protocs.toml``, then those of labkit's sets."""
    read = tomllib.loads(resources.files(__package__).joinpath("protocs.toml").read_text("utf-8"))
    sets = [pins.named(name).protoc for name in pins.names()]
    known = next(pin for pin in sets if PLATFORM.replace("/", "-") in pin.wheels)
    tag = known.wheels[PLATFORM.replace("/", "-")].tag
    older = [
        msgspec.structs.replace(
            known,
            version=each.version,
            wheels={PLATFORM.replace("/", "-"): Wheel(tag=tag, sha256=each.sha256)},
        )
        for each in msgspec.convert(read, _File).protoc
    ]
    return tuple(sorted((*older, *sets), key=lambda pin: tuple(map(int, pin.version.split(".")))))


def obtain(pin: WheelTool) -> Path:
    """Return the protoc of a pin, for Apple silicon.

    Raises:
        ProvisionError: What came is not what was pinned.
        NetworkError: It is not here and could not be fetched.

    """
    return wheels.obtain(Store(), "protoc", pin, PLATFORM) / pin.executable
