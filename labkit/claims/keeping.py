"""A shared fact as a file: its value, its date, and what was asked to gather it; gathers nothing itself."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec


class Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds; the value is decoded by the probe's own type.

    Attributes:
        name: The probe's.
        date: When it was gathered, ISO 8601 in UTC.
        gathered_in_s: How long that took, in seconds.
        tools: Versions of the tools that were used, by name.
        asked: What could have been replaced and was asked for: ``go 1.20.14``, ``tool file``, ``fact go-uninstall``.
        value: As JSON.

    """

    name: str
    date: str
    gathered_in_s: float
    tools: Mapping[str, str]
    asked: frozenset[str]
    value: msgspec.Raw


def read(file: Path) -> Kept | None:
    """Return what is kept there, None where there is nothing or it is of another labkit: it is gathered anew."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return None


def too_old(kept: Kept, fresh_for_s: float | None) -> bool:
    """Return whether a fact is older than it may get, in seconds; None: it never gets stale by age."""
    if fresh_for_s is None:
        return False
    return (datetime.now(UTC) - datetime.fromisoformat(kept.date)).total_seconds() > fresh_for_s
