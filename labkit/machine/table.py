"""A machine and its condition as rows of text, for the terminal and for frames; every cell says something."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from labkit.model.base import Text
from labkit.model.machine import Condition, Machine, PerformanceLevel
from labkit.words import Language, render, say

_NOT_ROWS: Final = frozenset({"provenance", "sources", "missing", "performance_levels"})
_STEPS: Final = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))
_WORDS: Final = frozenset({"translation", "power_source"})


@dataclass(frozen=True, kw_only=True)
class Row:
    """A property by its label, its value or why there is none, and where the value was read."""

    property: str
    value: str
    source: str  # the word for none where the value was not obtained
    read: bool  # the value was obtained


def size_text(size_bytes: int) -> str:
    """Return a size in binary units: ``128 KiB``, ``23.5 GiB``."""
    for step, unit in _STEPS:
        if size_bytes >= step:
            return f"{size_bytes / step:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size_bytes} B"


def value_text(field: str, value: object, language: Language | None = None) -> str:
    """Return a field's value for a reader, its unit by the field's name."""
    match value:
        case str() if field in _WORDS:
            text = say(f"machine.value.{value}", language)
        case bool():
            text = say("machine.value.yes" if value else "machine.value.no", language)
        case int() if field.endswith("_bytes"):
            text = size_text(value)
        case int() if field.endswith("_hz"):
            text = f"{value / 1e9:.2f} GHz"
        case int() | float() if field.endswith("_percent"):
            text = f"{value:g} %"
        case float():
            text = f"{value:.2f}"
        case _:
            text = str(value)
    return text


def machine_rows(machine: Machine, language: Language | None = None) -> tuple[Row, ...]:
    """Return one row a field, and one a performance level."""
    rows = []
    for field in machine.__struct_fields__:
        if field == "performance_levels":
            rows.extend(_level_rows(machine, language))
        elif field not in _NOT_ROWS:
            rows.append(_row(field, getattr(machine, field), machine.sources, machine.missing, language))
    return tuple(rows)


def condition_rows(condition: Condition, language: Language | None = None) -> tuple[Row, ...]:
    """Return one row a field."""
    return tuple(
        _row(field, getattr(condition, field), condition.sources, condition.missing, language)
        for field in condition.__struct_fields__
        if field not in _NOT_ROWS
    )


def level_cells(machine: Machine, position: int, language: Language | None = None) -> Mapping[str, str]:
    """Return a performance level's fields by name, each with its value or why there is none."""
    level = machine.performance_levels[position]
    return {
        field: _value(
            field,
            getattr(level, field),
            machine.missing.get(f"performance_levels[{position}].{field}"),
            language,
        )
        for field in level.__struct_fields__
    }


def _row(
    field: str,
    value: object,
    sources: Mapping[str, str],
    missing: Mapping[str, Text],
    language: Language | None,
) -> Row:
    return Row(
        property=say(f"machine.field.{field}", language),
        value=_value(field, value, missing.get(field), language),
        source=sources.get(field) or say("machine.no_source", language),
        read=value is not None,
    )


def _value(field: str, value: object, why: Text | None, language: Language | None) -> str:
    if value is None:
        reason = render(why, language) if why else "?"
        return say("machine.not_obtained", language, reason=reason)
    return value_text(field, value, language)


def _level_rows(machine: Machine, language: Language | None) -> list[Row]:
    if not machine.performance_levels:
        return [_row("performance_levels", None, machine.sources, machine.missing, language)]
    return [
        Row(
            property=say("machine.field.performance_level", language, position=position),
            value=_level_text(machine, position, level, language),
            source=machine.sources.get("performance_levels") or say("machine.no_source", language),
            read=True,
        )
        for position, level in enumerate(machine.performance_levels)
    ]


def _level_text(machine: Machine, position: int, level: PerformanceLevel, language: Language | None) -> str:
    """Return a level on one line; what was not obtained stands at its end, once a reason."""
    parts = [level.name] if level.name else []
    if level.physical_core_count is not None:
        same = level.logical_core_count in {None, level.physical_core_count}
        parts.append(
            say(
                "machine.value.cores" if same else "machine.value.cores_threads",
                language,
                physical=level.physical_core_count,
                logical=level.logical_core_count or level.physical_core_count,
            )
        )
    shown: tuple[tuple[str, str, Callable[[int], str]], ...] = (
        ("L1i", "l1i_cache_bytes", size_text),
        ("L1d", "l1d_cache_bytes", size_text),
        ("L2", "l2_cache_bytes", lambda size: _shared(size, level.cores_per_l2, language)),
        ("L3", "l3_cache_bytes", size_text),
    )
    for label, field, form in shown:
        if (size := getattr(level, field)) is not None:
            parts.append(f"{label} {form(size)}")
    reasons: dict[str, list[str]] = {}
    for field in level.__struct_fields__:
        why = machine.missing.get(f"performance_levels[{position}].{field}")
        # The position already names the level.
        if getattr(level, field) is None and why is not None and field != "name":
            reasons.setdefault(render(why, language), []).append(say(f"machine.field.{field}", language))
    parts.extend(
        f"{', '.join(fields)} {say('machine.not_obtained', language, reason=reason)}"
        for reason, fields in reasons.items()
    )
    return "; ".join(parts)


def _shared(size: int, cores: int | None, language: Language | None) -> str:
    if cores is None or cores == 1:
        return size_text(size)
    return say("machine.value.shared", language, size=size_text(size), cores=cores)
