"""The condition that this Linux machine is in: load, power and heat, from /proc and /sys below a root folder."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from labkit.machine.here import Here
from labkit.machine.notes import Notes, because
from labkit.machine.tree import Tree, parse_cpuinfo
from labkit.model.machine import Condition

_SUPPLIES: Final = "/sys/class/power_supply"
_CPU: Final = "/sys/devices/system/cpu"
_COOLING: Final = "/sys/class/thermal"
_PROFILE: Final = "/sys/firmware/acpi/platform_profile"


def read(here: Here, *, root: Path = Path("/")) -> Condition:
    """Return the condition that this machine is in.

    Args:
        here: This process's own view.
        root: The folder below which /proc and /sys lie.

    """
    tree, notes = Tree(root), Notes()
    cpus = tree.online()
    loads = _loads(tree)
    load = [
        notes.first(f"load_{minutes}min", ((value, "/proc/loadavg"),), because("absent", path="/proc/loadavg"))
        for minutes, value in zip((1, 5, 15), loads, strict=True)
    ]
    supplies = _supplies(tree)
    profile = tree.text(_PROFILE)
    throttles = _throttles(tree, cpus)
    no_supply = because("no_supply") if not supplies else because("supply_unsaid")
    no_frequency = because("absent", path=f"{_CPU}/cpu*/cpufreq")
    return Condition(
        taken_at=notes.sure("taken_at", datetime.now(UTC).isoformat(timespec="seconds"), "clock"),
        load_1min=load[0],
        load_5min=load[1],
        load_15min=load[2],
        logical_core_count=notes.first(
            "logical_core_count",
            ((len(cpus) or None, f"{_CPU}/online"), (here.cpu_count, "os.cpu_count")),
            because("no_cpu_count"),
        ),
        cpu_pressure_percent=notes.first(
            "cpu_pressure_percent",
            ((_pressure(tree), "/proc/pressure/cpu some avg10"),),
            because("absent", path="/proc/pressure/cpu"),
        ),
        power_source=notes.first("power_source", ((_power_source(supplies), _SUPPLIES),), no_supply),
        battery_percent=notes.first(
            "battery_percent",
            ((_charge(supplies), f"{_SUPPLIES}/*/capacity"),),
            because("no_battery") if supplies else no_supply,
        ),
        low_power_mode=notes.first(
            "low_power_mode",
            ((None if profile is None else profile == "low-power", _PROFILE),),
            because("absent", path=_PROFILE),
        ),
        thermal_pressure=notes.first(
            "thermal_pressure", ((_cooling(tree), f"{_COOLING}/cooling_device*"),), because("no_cooling", path=_COOLING)
        ),
        throttle_count=notes.first(
            "throttle_count",
            ((throttles, f"{_CPU}/cpu*/thermal_throttle/core_throttle_count"),),
            because("absent", path=f"{_CPU}/cpu*/thermal_throttle"),
        ),
        cpu_speed_limit_percent=notes.first(
            "cpu_speed_limit_percent",
            ((_speed_limit(tree, cpus), f"{_CPU}/cpu*/cpufreq/scaling_max_freq, cpuinfo_max_freq"),),
            no_frequency,
        ),
        cpu_frequency_hz=notes.first(
            "cpu_frequency_hz",
            (
                (_frequency(tree, cpus), f"{_CPU}/cpu*/cpufreq/scaling_cur_freq"),
                (_cpuinfo_frequency(tree), "/proc/cpuinfo cpu MHz"),
            ),
            no_frequency,
        ),
        sources=notes.sources,
        missing=notes.missing,
    )


def _loads(tree: Tree) -> tuple[float | None, ...]:
    words = (tree.text("/proc/loadavg") or "").split()[:3]
    if len(words) == 3 and all(re.fullmatch(r"\d+\.\d+", word) for word in words):  # noqa: PLR2004
        return tuple(float(word) for word in words)
    return (None, None, None)


def _pressure(tree: Tree) -> float | None:
    found = re.search(r"^some .*?avg10=(\d+(?:\.\d+)?)", tree.text("/proc/pressure/cpu") or "", re.MULTILINE)
    return float(found[1]) if found else None


def _supplies(tree: Tree) -> tuple[dict[str, str], ...]:
    """Return each supply of the machine itself: a mouse's battery has the scope Device."""
    found = []
    for name in tree.names(_SUPPLIES):
        supply = {
            key: value
            for key in ("type", "scope", "online", "status", "capacity")
            if (value := tree.text(f"{_SUPPLIES}/{name}/{key}")) is not None
        }
        if supply.get("scope") != "Device" and supply:
            found.append(supply)
    return tuple(found)


def _power_source(supplies: tuple[dict[str, str], ...]) -> str | None:
    outside = [supply["online"] for supply in supplies if supply.get("type") != "Battery" and "online" in supply]
    if any(online != "0" for online in outside):
        return "ac"
    states = {supply.get("status") for supply in supplies if supply.get("type") == "Battery"}
    if "Discharging" in states:
        return "battery"
    return "ac" if states & {"Charging", "Full", "Not charging"} else None


def _charge(supplies: tuple[dict[str, str], ...]) -> int | None:
    """Return the charge of the emptiest battery."""
    batteries = (supply.get("capacity", "") for supply in supplies if supply.get("type") == "Battery")
    return min((int(charge) for charge in batteries if charge.isdigit()), default=None)


def _cooling(tree: Tree) -> str | None:
    """Return how far the processor is held back: its cooling devices' greatest state, ``0 of 10``."""
    states = []
    for name in tree.names(_COOLING):
        folder = f"{_COOLING}/{name}"
        kind = tree.text(f"{folder}/type") or ""
        if name.startswith("cooling_device") and re.match(r"Processor|cpufreq|thermal-cpufreq", kind):
            current, greatest = tree.number(f"{folder}/cur_state"), tree.number(f"{folder}/max_state")
            if current is not None and greatest:
                states.append((current / greatest, current, greatest))
    return "{1} of {2}".format(*max(states)) if states else None


def _throttles(tree: Tree, cpus: tuple[int, ...]) -> int | None:
    counts = [tree.number(f"{_CPU}/cpu{cpu}/thermal_throttle/core_throttle_count") for cpu in cpus]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _speed_limit(tree: Tree, cpus: tuple[int, ...]) -> int | None:
    """Return the least share of its top frequency that a core is allowed."""
    shares = []
    for cpu in cpus:
        folder = f"{_CPU}/cpu{cpu}/cpufreq"
        allowed, top = tree.number(f"{folder}/scaling_max_freq"), tree.number(f"{folder}/cpuinfo_max_freq")
        if allowed is not None and top:
            shares.append(round(100 * allowed / top))
    return min(shares, default=None)


def _frequency(tree: Tree, cpus: tuple[int, ...]) -> int | None:
    current = (tree.number(f"{_CPU}/cpu{cpu}/cpufreq/scaling_cur_freq") for cpu in cpus)
    highest = max((frequency for frequency in current if frequency is not None), default=None)
    return None if highest is None else highest * 1000


def _cpuinfo_frequency(tree: Tree) -> int | None:
    rates = [block.get("cpu MHz", "") for block in parse_cpuinfo(tree.text("/proc/cpuinfo") or "")]
    return max((round(float(rate) * 1e6) for rate in rates if re.fullmatch(r"\d+(\.\d+)?", rate)), default=None)
