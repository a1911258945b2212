"""The zone, the instant and the command that all parts of the trap ask with."""

import sys
from pathlib import Path
from typing import Final

from labkit.traps.parts import path_of

#: The zone of the handbook's container.
ZONE: Final = "Asia/Shanghai"
SYSTEM_DATA: Final = Path("/usr/share/zoneinfo")
#: 2026-01-01 00:00:00 UTC, which is 08:00 in Shanghai; China has no summer time.
INSTANT_S: Final = 1767225600
_FORMAT: Final = "+%H:%M %Z %z"


def zone_file() -> Path:
    """Return the zone's own file of this system's data."""
    return SYSTEM_DATA / ZONE


def date_command() -> list[str]:
    """Return the command that prints the instant: hours and minutes, the zone's label, its offset."""
    if sys.platform == "darwin":
        return [str(path_of("date")), "-r", str(INSTANT_S), _FORMAT]
    return [str(path_of("date")), "-d", f"@{INSTANT_S}", _FORMAT]
