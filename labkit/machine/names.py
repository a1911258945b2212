"""Chips, cores and hypervisors by the numbers and texts that name them (a table beside), and a machine's id."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final

import msgspec


class _CpuFamily(msgspec.Struct, frozen=True):
    number: int
    name: str
    source: str


class _Midr(msgspec.Struct, frozen=True):
    source: str
    implementers: dict[str, str]
    parts: dict[str, dict[str, str]]
    apple_chips: dict[str, str]


class _Hypervisor(msgspec.Struct, frozen=True):
    source: str
    dmi: dict[str, str]
    clocksource: dict[str, str]


class Names(msgspec.Struct, frozen=True):
    """The whole table."""

    cpufamily: tuple[_CpuFamily, ...]
    soc: dict[str, str]
    midr: _Midr
    hypervisor: _Hypervisor


@cache
def names() -> Names:
    """Return the table, validated."""
    text = resources.files("labkit.machine").joinpath("names.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Names)


def apple_family(number: int) -> str | None:
    """Return which chips have this ``hw.cpufamily`` (unsigned), such as ``M3 Pro``; None for one not in the table."""
    return next((entry.name for entry in names().cpufamily if entry.number == number), None)


def apple_soc(compatible: Sequence[str]) -> str | None:
    """Return the chip that a device tree's ``compatible`` entries name, such as ``Apple M1 Pro``."""
    return next((chip for entry in compatible if (chip := names().soc.get(entry)) and entry != "source"), None)


def arm_vendor(implementer: str) -> str | None:
    """Return who made an Arm core, by /proc/cpuinfo's ``CPU implementer``."""
    return names().midr.implementers.get(implementer.lower())


def arm_core(implementer: str, part: str) -> str | None:
    """Return an Arm core's name, such as ``Cortex-A76`` or ``Firestorm``."""
    return names().midr.parts.get(implementer.lower(), {}).get(part.lower())


def apple_chip(part: str) -> str | None:
    """Return the chip whose cores have this Apple part number."""
    return names().midr.apple_chips.get(part.lower())


def hypervisor_in_dmi(texts: Sequence[str]) -> str | None:
    """Return the hypervisor that one of the DMI texts names."""
    table = names().hypervisor.dmi
    return next((name for text in texts for start, name in table.items() if text.startswith(start)), None)


def hypervisor_of_clock(clocksources: Sequence[str]) -> str | None:
    """Return the hypervisor whose clock the kernel offers."""
    table: Mapping[str, str] = names().hypervisor.clocksource
    return next((table[clock] for clock in clocksources if clock in table), None)


_GIB: Final = 1024**3
_MAX_ID: Final = 64
# What a brand string says beside the name: marks, a clock rate, a core count, the graphics, a generation.
_NOISE: Final = re.compile(
    r"\((?:r|tm|c)\)|\bcpu\b|\bprocessor\b|@.*|\b\d+-core\b|\bwith\b.*|\b\d+(?:st|nd|rd|th) gen\b", re.IGNORECASE
)


def slug(text: str) -> str:
    """Return a text in ``[a-z0-9-]``."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def identify(*, chip: str | None, cores: int | None, memory_bytes: int | None, system: str) -> str:
    """Return a machine's id: ``apple-m2-8c-24g-macos14``; equal machines have equal ids.

    Args:
        chip: The chip's name; marks and clock rates are left out.
        cores: Physical cores.
        memory_bytes: Rounded to GiB, for Linux shows a little less than what is installed.
        system: System and major version, such as ``debian12``.

    """
    tail = "-".join(
        part
        for part in (
            f"{cores}c" if cores is not None else "",
            f"{max(1, round(memory_bytes / _GIB))}g" if memory_bytes is not None else "",
            slug(system),
        )
        if part
    )[: _MAX_ID - 8]
    name = slug(_NOISE.sub(" ", chip or "")) or slug(chip or "") or "unknown"
    return f"{name[: _MAX_ID - 1 - len(tail)].rstrip('-')}-{tail}".strip("-")
