"""Keeps, while a record is put together, where each value came from and why another is missing."""

from collections.abc import Iterable
from typing import TypeVar

from labkit.model.base import Text
from labkit.model.machine import PerformanceLevel

T = TypeVar("T")


class Notes:
    """Sources and reasons by the field's name."""

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}
        self.missing: dict[str, Text] = {}

    def first(self, field: str, candidates: Iterable[tuple[T | None, str]], why: Text) -> T | None:
        """Return the first value that was obtained, and note its source; else note why there is none."""
        for value, source in candidates:
            if value is not None:
                self.sources[field] = source
                return value
        self.missing[field] = why
        return None

    def sure(self, field: str, value: T, source: str) -> T:
        """Return a value that is always there, and note its source."""
        self.sources[field] = source
        return value

    def levels(self, levels: tuple[PerformanceLevel, ...], source: str, why: Text, inside: Text) -> None:
        """Note where performance levels came from, or why there are none, and the reason of each None inside."""
        if not levels:
            self.missing["performance_levels"] = why
            return
        self.sources["performance_levels"] = source
        for position, level in enumerate(levels):
            for field in level.__struct_fields__:
                if getattr(level, field) is None:
                    self.missing.setdefault(f"performance_levels[{position}].{field}", inside)


def because(name: str, **values: str | float) -> Text:
    """Return a reason by its name in ``machine.why`` of the catalogue."""
    return Text(id=f"machine.why.{name}", values=values)
