"""Reads what macOS's own tools print: pure functions from text to values, tested on published transcripts.

Not here: running the tools, and what the values mean together (:mod:`labkit.machine.macos`). Lines that identify the
owner's computer (serial number, hardware UUID, host name) are never taken up.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from labkit.model.machine import PerformanceLevel

_PAIR: Final = re.compile(r"^([A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_%-]+)+):(?: (.*)|)$")
_UNKNOWN: Final = re.compile(r"^sysctl: (?:unknown oid|.*No such file or directory).*?'([^']+)'")
_LEVEL_KEY: Final = re.compile(r"^hw\.perflevel(\d+)\.")
_PROFILER_LINES: Final = frozenset(
    {"Model Name", "Model Identifier", "Chip", "Processor Name", "Total Number of Cores", "Memory"}
)
_UNIT: Final = {"KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


@dataclass(frozen=True, kw_only=True)
class Sysctl:
    """What sysctl said: values by key, and the keys that it does not know."""

    values: Mapping[str, str]
    unknown: frozenset[str] = frozenset()

    def text(self, key: str) -> str | None:
        """Return a key's text, or None when it is absent or empty."""
        return self.values.get(key, "").strip() or None

    def number(self, key: str) -> int | None:
        """Return a key's integer, or None when it is absent or no integer."""
        text = self.text(key)
        return int(text) if text is not None and re.fullmatch(r"-?\d+", text) else None


def parse_sysctl(stdout: str, stderr: str = "") -> Sysctl:
    """Return what ``sysctl KEY...`` printed: ``key: value`` lines in any order, unknown keys on either stream."""
    values: dict[str, str] = {}
    unknown: set[str] = set()
    for line in (*stdout.splitlines(), *stderr.splitlines()):
        if missing := _UNKNOWN.match(line):
            unknown.add(missing[1])
        elif pair := _PAIR.match(line):
            values[pair[1]] = (pair[2] or "").strip()
    return Sysctl(values=values, unknown=frozenset(unknown))


def parse_sysctl_n(stdout: str, stderr: str, keys: Sequence[str]) -> Sysctl:
    """Return what ``sysctl -n KEY...`` printed: values alone, in the keys' order, unknown keys left out.

    When the number of values is not that of the known keys, which value belongs to which key is not certain: then
    there are none.
    """
    unknown = parse_sysctl("", f"{stdout}\n{stderr}").unknown
    lines = [line for line in stdout.splitlines() if not line.startswith("sysctl:")]
    known = [key for key in keys if key not in unknown]
    values = dict(zip(known, lines, strict=True)) if len(known) == len(lines) else {}
    return Sysctl(values=values, unknown=unknown)


def parse_sw_vers(text: str) -> Mapping[str, str]:
    """Return sw_vers's ``ProductName``, ``ProductVersion`` and ``BuildVersion`` (one or two tabs between)."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs if value.strip()}


def parse_system_profiler(text: str) -> Mapping[str, str]:
    """Return the lines of SPHardwareDataType that say what the machine is; serial number and UUID stay out."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip() in _PROFILER_LINES}


def profiler_cores(profile: Mapping[str, str]) -> int | None:
    """Return the cores of ``10 (8 performance and 2 efficiency)``."""
    found = re.match(r"(\d+)", profile.get("Total Number of Cores", ""))
    return int(found[1]) if found else None


def profiler_memory(profile: Mapping[str, str]) -> int | None:
    """Return the bytes of ``16 GB``, which Apple counts in powers of two."""
    found = re.fullmatch(r"(\d+) ([KMGT]B)", profile.get("Memory", ""))
    return int(found[1]) * _UNIT[found[2]] if found else None


def unsigned(number: int) -> int:
    """Return sysctl's signed 32-bit number (``hw.cpufamily``) as the unsigned one that Apple's headers have."""
    return number & 0xFFFF_FFFF


def performance_levels(sysctl: Sysctl) -> tuple[PerformanceLevel, ...]:
    """Return the levels in sysctl's order, the fastest first.

    Told apart by position alone: their names differ between chips and are absent from macOS 12. The keys without
    ``perflevel`` hold the least performant level's values, so they serve only where there is one level (Intel).
    """
    found = sorted({int(level[1]) for key in sysctl.values if (level := _LEVEL_KEY.match(key))})
    if found:
        return tuple(_level(sysctl, f"hw.perflevel{position}.") for position in found)
    if sysctl.number("hw.optional.arm64") == 1 or (sysctl.number("hw.nperflevels") or 1) > 1:
        return ()
    only = _level(sysctl, "hw.")
    return (only,) if only.physical_core_count is not None else ()


def _level(sysctl: Sysctl, prefix: str) -> PerformanceLevel:
    def number(key: str) -> int | None:
        return sysctl.number(prefix + key)

    physical, logical = number("physicalcpu"), number("logicalcpu")
    sharing = number("cpusperl2")
    if sharing is None and prefix == "hw.":
        # hw.cacheconfig: logical CPUs that share memory, L1, L2, L3
        config = (sysctl.text("hw.cacheconfig") or "").split()
        sharing = int(config[2]) if len(config) > 2 and config[2].isdigit() and int(config[2]) > 0 else None  # noqa: PLR2004
    if sharing is not None and physical and logical and logical > physical:
        sharing = max(1, sharing * physical // logical)
    return PerformanceLevel(
        name=sysctl.text(prefix + "name"),
        physical_core_count=physical,
        logical_core_count=logical,
        l1i_cache_bytes=number("l1icachesize"),
        l1d_cache_bytes=number("l1dcachesize"),
        l2_cache_bytes=number("l2cachesize"),
        cores_per_l2=sharing,
        l3_cache_bytes=number("l3cachesize"),
    )


def parse_power_source(text: str) -> str | None:
    """Return ``ac``, ``battery`` or ``ups`` from ``pmset -g batt``."""
    found = re.search(r"Now drawing from '([^']+) Power'", text)
    return {"AC": "ac", "Battery": "battery", "UPS": "ups"}.get(found[1]) if found else None


def parse_battery_percent(text: str) -> int | None:
    """Return the internal battery's charge from ``pmset -g batt``; None where there is no battery."""
    found = re.search(r"^ ?-?InternalBattery-\d+.*?(\d+)%;", text, re.MULTILINE)
    return int(found[1]) if found else None


def parse_speed_limit(text: str) -> int | None:
    """Return ``CPU_Speed_Limit`` in percent from ``pmset -g therm``; Apple silicon gives none."""
    found = re.search(r"CPU_Speed_Limit\s*=\s*(\d+)", text)
    return int(found[1]) if found else None


def parse_low_power_mode(text: str, *, section: str = "Currently in use") -> bool | None:
    """Return whether low power mode is on, from ``pmset -g`` or (with its section) ``pmset -g custom``.

    The key is ``lowpowermode``, or ``powermode`` on machines that also have a high power mode: 0 automatic, 1 low,
    2 high (https://github.com/alfredapp/low-power-mode-workflow/issues/4).
    """
    here = False
    for line in text.splitlines():
        if re.match(r"\S.*:\s*$", line):
            here = line.strip().rstrip(":") == section
        elif here and (found := re.match(r"\s+(?:low)?powermode\s+(\d+)", line)):
            return found[1] == "1"
    return None
