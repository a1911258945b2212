"""The condition that this Mac is in: load, power and heat, as pmset and this process's own view say.

No Mac has run this yet: it is tested on published transcripts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labkit.machine import macos_text as text
from labkit.machine.here import THERMAL_LEVELS, Here
from labkit.machine.macos_tools import Output, run_tool
from labkit.machine.notes import Notes, because
from labkit.model.machine import Condition


@dataclass(frozen=True, kw_only=True)
class PowerTexts:
    """The texts that a machine's condition is made from."""

    battery: Output
    thermal: Output
    settings: Output


def read(here: Here, *, tools: Path = Path("/")) -> Condition:
    """Return the condition that this Mac is in."""
    pmset = tools / "usr/bin/pmset"
    texts = PowerTexts(
        battery=run_tool(pmset, "-g", "batt"), thermal=run_tool(pmset, "-g", "therm"), settings=run_tool(pmset, "-g")
    )
    return compose_condition(texts, here, taken_at=datetime.now(UTC).isoformat(timespec="seconds"))


def compose_condition(texts: PowerTexts, here: Here, *, taken_at: str) -> Condition:
    """Return the condition that the texts and this process's view describe."""
    notes = Notes()
    loads = here.load or (None, None, None)
    load = [
        notes.first(f"load_{minutes}min", ((value, "getloadavg"),), because("no_load"))
        for minutes, value in zip((1, 5, 15), loads, strict=True)
    ]
    level = here.thermal_level
    level_name = THERMAL_LEVELS[level] if level is not None and 0 <= level < len(THERMAL_LEVELS) else None
    no_battery = because("no_battery") if text.parse_power_source(texts.battery.stdout) else because("pmset_silent")
    return Condition(
        taken_at=notes.sure("taken_at", taken_at, "clock"),
        load_1min=load[0],
        load_5min=load[1],
        load_15min=load[2],
        logical_core_count=notes.first(
            "logical_core_count", ((here.cpu_count, "os.cpu_count"),), because("no_cpu_count")
        ),
        cpu_pressure_percent=notes.first("cpu_pressure_percent", (), because("linux_only")),
        power_source=notes.first(
            "power_source",
            ((text.parse_power_source(texts.battery.stdout), texts.battery.command),),
            texts.battery.failure or because("pmset_silent"),
        ),
        battery_percent=notes.first(
            "battery_percent",
            ((text.parse_battery_percent(texts.battery.stdout), texts.battery.command),),
            texts.battery.failure or no_battery,
        ),
        low_power_mode=notes.first(
            "low_power_mode",
            ((text.parse_low_power_mode(texts.settings.stdout), texts.settings.command),),
            texts.settings.failure or because("no_low_power_mode"),
        ),
        thermal_pressure=notes.first(
            "thermal_pressure", ((level_name, "notify com.apple.system.thermalpressurelevel"),), because("no_thermal")
        ),
        throttle_count=notes.first("throttle_count", (), because("linux_only")),
        cpu_speed_limit_percent=notes.first(
            "cpu_speed_limit_percent",
            ((text.parse_speed_limit(texts.thermal.stdout), texts.thermal.command),),
            texts.thermal.failure or because("no_speed_limit"),
        ),
        cpu_frequency_hz=notes.first("cpu_frequency_hz", (), because("frequency_needs_root")),
        sources=notes.sources,
        missing=notes.missing,
    )
