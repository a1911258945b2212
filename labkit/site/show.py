"""Numbers, times, sizes and names as a reader wants them: from values to short texts, in no language."""

from datetime import datetime
from typing import Final

from labkit.model.bench import Interval
from labkit.model.binary import Slice
from labkit.model.machine import Machine

_TIME_UNITS: Final = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
_SIZE_UNITS: Final = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_MINUTE_S: Final = 60
_SHORT_S: Final = 10
_MILLISECOND_S: Final = 1e-3
_HUNDRED: Final = 100


def significant(value: float, digits: int = 3) -> str:
    """Return a number with that many significant digits and no exponent; whole digits are never cut."""
    if value == 0:
        return "0"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    if whole:
        return f"{value:,.{max(0, digits - whole)}f}"
    return f"{value:.{digits}g}"


def size(size_bytes: float) -> str:
    """Return a size in bytes as ``24 GiB``, ``4.21 MiB`` or ``128 bytes``."""
    for factor, unit in _SIZE_UNITS:
        if size_bytes >= factor:
            return f"{significant(size_bytes / factor).removesuffix('.00').removesuffix('.0')} {unit}"
    return f"{size_bytes:.0f} bytes"


def seconds(time_s: float) -> str:
    """Return a time in seconds as ``2 min 5 s``, ``48 s``, ``4.2 s``, ``12 ms`` or ``359 µs``."""
    if (whole := round(time_s)) >= _MINUTE_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S} s"
    if time_s >= _SHORT_S:
        return f"{time_s:.0f} s"
    if time_s >= 1:
        return f"{time_s:.1f} s"
    if time_s >= _MILLISECOND_S:
        return f"{significant(time_s * 1e3)} ms"
    return f"{significant(time_s * 1e6)} µs"


def when(iso: str) -> str:
    """Return an ISO 8601 time as ``2026-11-23 14:55 UTC``; what is none, as it stands."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    zone = f" {moment.tzname()}" if moment.tzinfo else ""
    return f"{moment:%Y-%m-%d %H:%M}{zone}"


def elapsed_s(start: str, end: str) -> float | None:
    """Return the seconds between two ISO 8601 times, or None when they are none."""
    try:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    except (ValueError, TypeError):
        return None


def _scaled(unit: str, value: float) -> tuple[float, str]:
    """Return what to divide by and the unit to name, so that a value in ``unit`` reads well."""
    base, slash, per = unit.partition("/")
    if base != "ns":
        return 1.0, unit
    for factor, name in _TIME_UNITS:
        if abs(value) >= factor:
            return factor, name + slash + per
    return 1.0, unit


def median(interval: Interval, unit: str) -> str:
    """Return an interval's median with its unit, ``1.23 µs/op``."""
    factor, name = _scaled(unit, interval.median)
    return f"{significant(interval.median / factor)} {name}"


def bounds(interval: Interval, unit: str) -> str | None:
    """Return an interval's bounds in the unit that its median is shown in, or None when there is none."""
    if interval.low is None or interval.high is None:
        return None
    factor, name = _scaled(unit, interval.median)
    return f"{significant(interval.low / factor)} \u2013 {significant(interval.high / factor)} {name}"


def percent(share: float | None) -> str | None:
    """Return a share as ``96.9 %``."""
    if share is None:
        return None
    return f"{significant(share * _HUNDRED)} %"


def chip(machine: Machine) -> str:
    """Return what to call a machine in a title: its chip, or its id when the chip is not known."""
    return machine.chip or machine.id


def system(machine: Machine) -> str:
    """Return a machine's system with its version, said once."""
    version = machine.system_version
    if version is None or version in machine.system_name:
        return machine.system_name
    return f"{machine.system_name} {version}"


def minimum_system(one: Slice) -> str | None:
    """Return the least system that a slice runs on, as ``macos 13.0``."""
    if one.minimum_os is None or one.platform is None or one.minimum_os.startswith(one.platform):
        return one.minimum_os
    return f"{one.platform} {one.minimum_os}"
