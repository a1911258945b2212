"""A comparison as rows of text, for a terminal and a notebook; the first row has the heads."""

from typing import Final

from msgspec.structs import replace

from labkit.bench.benchfmt.units import common_scale, tidy
from labkit.bench.regression.shown import Rows
from labkit.bench.regression.shown import verdict as verdict_text
from labkit.model.base import Provenance
from labkit.model.check import Status
from labkit.model.comparison import (
    BinaryCell,
    Column,
    Comparison,
    Differing,
    FindingCell,
    FindingRow,
    Ratio,
    Refusal,
    Row,
    Value,
)
from labkit.model.regression import Change, Regression, Verdict
from labkit.model.structure import Point
from labkit.words import Language, render, say

_DASH: Final = "-"


def column_rows(comparison: Comparison, language: Language | None = None) -> Rows:
    """Return a row a column: where its numbers are from, and what is behind them."""
    heads = _heads(("column", "provenance", "chip", "toolchain", "behind"), language)
    return (
        heads,
        *(
            (
                each.name,
                say(f"compare.provenance.{each.provenance}", language) + (f" ({each.source})" if each.source else ""),
                each.chip or _DASH,
                each.toolchain or _DASH,
                _behind(each, language),
            )
            for each in comparison.columns
        ),
    )


def time_rows(comparison: Comparison, language: Language | None = None) -> Rows:
    """Return a row a kernel and column that has times: time, ratio with its interval, ratio to the control, verdict."""
    heads = _heads(("kernel", "column", "value", "behind", "ratio", "interval", "control", "verdict"), language)
    return (
        heads,
        *(
            (
                _kernel(row, language),
                column.name,
                *_value_cells(value, language),
                *_ratio_cells(ratio, column, comparison, language),
            )
            for row in comparison.rows
            for column, value, ratio in zip(comparison.columns, row.values, row.ratios, strict=True)
            if _has_line(row, column, value)
        ),
    )


def _has_line(row: Row, column: Column, value: Value) -> bool:
    """Return whether a column has a line of a row.

    Why a whole column has no times is said once. A publication and a run meet by chance: where one has what the other
    lacks, the one that has it says so.
    """
    if column.why is not None or value.value is not None:
        return column.why is None
    published = all(each.provenance is Provenance.IMPORTED for each in row.values if each.value is not None)
    return column.provenance is not Provenance.IMPORTED and not published


def examined(comparison: Comparison) -> tuple[int, ...]:
    """Return the places of the columns that can have findings and programs: not those of publications."""
    return tuple(at for at, each in enumerate(comparison.columns) if each.provenance is not Provenance.IMPORTED)


def finding_rows(comparison: Comparison, language: Language | None = None, *, changed: bool = False) -> Rows:
    """Return a row a check, a cell a column; with ``changed`` only those that failed, or that columns differ in."""
    places = examined(comparison)
    heads = (*_heads(("check",), language), *(comparison.columns[at].name for at in places))
    kept = open_findings(comparison) if changed else comparison.findings
    return (
        heads,
        *((render(each.title, language), *(finding_text(each.cells[at], language) for at in places)) for each in kept),
    )


def open_findings(comparison: Comparison) -> tuple[FindingRow, ...]:
    """Return the findings that failed somewhere, or that columns differ in."""
    return tuple(each for each in comparison.findings if _matters([cell.status for cell in each.cells]))


def binary_rows(comparison: Comparison, language: Language | None = None) -> Rows:
    """Return a row a program, a cell a column: whether it would run there, as judged from its bytes."""
    places = examined(comparison)
    heads = (*_heads(("binary", "record"), language), *(comparison.columns[at].name for at in places))
    return (
        heads,
        *(
            (each.name, each.made_on or _DASH, *(binary_text(each.cells[at], language) for at in places))
            for each in comparison.binaries
        ),
    )


def curve_rows(comparison: Comparison, probe: str, language: Language | None = None) -> Rows:
    """Return a row a size or number of pages, a cell a column: a load's time and interval, and whether it is stable."""
    curves = [each for each in comparison.curves if each.curve.probe == probe and each.curve.points]
    found = [{point.at: point for point in each.curve.points} for each in curves]
    unit = curves[0].curve.unit if curves else ""
    return (
        (say(f"compare.curve.{unit}", language) if unit else _DASH, *(each.column for each in curves)),
        *(
            (_size(at, unit), *(_load(points.get(at), language) for points in found))
            for at in sorted({at for points in found for at in points})
        ),
    )


def _size(at: int, unit: str) -> str:
    if unit != "bytes":
        return f"{at:,}"
    return common_scale([at], binary=True).show(at) + "B"


def _load(point: Point | None, language: Language | None) -> str:
    if point is None:
        return say("compare.why.no_point", language)
    time = point.time_ns
    interval = "" if time.low is None or time.high is None else f" ({time.low:.2f} .. {time.high:.2f})"
    doubt = "" if point.stable else f" {say('compare.curve.unstable', language)}"
    return f"{time.median:.2f} ns{interval}{doubt}"


def difference_lines(comparison: Comparison, language: Language | None = None) -> tuple[str, ...]:
    """Return what differs though the columns may be compared, a line a field."""
    return tuple(
        say("compare.text.differs_line", language, field=each.field, values=_by_value(each))
        for each in comparison.differs
    )


def _by_value(differing: Differing) -> str:
    """Return the columns of each value: many columns have few."""
    names: dict[str, list[str]] = {}
    for name, values in differing.values.items():
        names.setdefault(", ".join(values), []).append(name)
    return "; ".join(f"{value} ({', '.join(those)})" for value, those in names.items())


def refusal_lines(comparison: Comparison, language: Language | None = None) -> tuple[str, ...]:
    """Return what is not compared, and the field by which, a line for all that say the same."""
    told: dict[Refusal, list[str]] = {}
    for each in comparison.refused:
        names = told.setdefault(replace(each, name="", column=None), [])
        if each.name not in names:  # a run that had both arms side by side is two
            names.append(each.name)
    return tuple(_refusal(replace(each, name=", ".join(names)), language) for each, names in told.items())


def missing_lines(comparison: Comparison, language: Language | None = None) -> tuple[str, ...]:
    """Return why columns have no times, and how they could have some; a line for all that say the same."""
    told: dict[tuple[str, str], list[str]] = {}
    for each in comparison.columns:
        if each.why is not None:
            how = render(each.how, language) if each.how is not None else ""
            told.setdefault((render(each.why, language), how), []).append(each.name)
    return tuple(f"{', '.join(names)}: {why}. {how}".rstrip() for (why, how), names in told.items())


def finding_text(cell: FindingCell, language: Language | None = None) -> str:
    """Return a check's outcome as sign and word, with counts where runs differ."""
    if cell.status is None:
        return say("compare.sign.none", language, why=render(cell.why, language) if cell.why else _DASH)
    sign = say(f"compare.sign.{cell.status}", language)
    if len(cell.counts) < 2:  # noqa: PLR2004 - one status only
        return sign
    counts = ", ".join(f"{say(f'compare.sign.{status}', language)} {n}" for status, n in cell.counts.items())
    return say("compare.sign.mixed", language, sign=sign, counts=counts)


def binary_text(cell: BinaryCell, language: Language | None = None) -> str:
    """Return whether a program would run, and whether hardware has confirmed that rule."""
    if cell.runs is None:
        return say("compare.sign.none", language, why=render(cell.why, language) if cell.why else _DASH)
    told = say(f"compare.runs.{cell.runs}", language)
    known = "confirmed" if cell.confirmed_on_hardware else "unconfirmed"
    return f"{told} ({say(f'compare.text.{known}', language)})"


def is_time(unit: str) -> bool:
    """Return whether values of a unit are times, not bytes or allocations."""
    return tidy(unit)[0].startswith("sec")


def amount(value: float, unit: str) -> str:
    """Return a number with four digits and its unit, base units for Go's."""
    base, factor = tidy(unit)
    if base.startswith("sec"):
        return common_scale([value * factor], binary=False).show(value * factor) + base.replace("sec", "s", 1)
    return f"{value:,.4g} {unit}"


def bounds(low: float | None, high: float | None) -> str:
    """Return a ratio's interval, a dash where there is none."""
    return _DASH if low is None or high is None else f"{low:.3g} .. {high:.3g}"


def _heads(ids: tuple[str, ...], language: Language | None) -> tuple[str, ...]:
    return tuple(say(f"compare.head.{each}", language) for each in ids)


def _behind(column: Column, language: Language | None) -> str:
    if column.why is not None:
        return render(column.why, language)
    if column.provenance is Provenance.IMPORTED:
        return _published(column.n, language)
    return say("compare.text.behind", language, n=column.n or 0, runs=column.runs, days=len(column.days))


def _published(n: int | None, language: Language | None) -> str:
    if n is None:
        return say("compare.text.unknown_n", language)
    return say("compare.text.behind_imported", language, n=n)


def _kernel(row: Row, language: Language | None) -> str:
    if not is_time(row.unit):
        return row.name
    clock = say(f"benchcli.clock.{row.clock}", language)
    return f"{render(row.title, language)} ({row.name}, {clock})" if row.title else f"{row.name} ({clock})"


def _value_cells(value: Value, language: Language | None) -> tuple[str, str]:
    if value.value is None or value.unit is None:
        return (render(value.why, language) if value.why else _DASH), _DASH
    if value.provenance is Provenance.IMPORTED:
        return amount(value.value, value.unit), _published(value.n, language)
    told = say("compare.text.behind", language, n=value.n or 0, runs=value.runs, days=value.days)
    return amount(value.value, value.unit), told


def _ratio_cells(
    ratio: Ratio, column: Column, comparison: Comparison, language: Language | None
) -> tuple[str, str, str, str]:
    if column.name == comparison.baseline and ratio.ratio is not None:
        return say("compare.text.is_baseline", language), _DASH, _DASH, _DASH
    if ratio.ratio is None:
        return (render(ratio.why, language) if ratio.why else _DASH), _DASH, _DASH, _DASH
    interval = bounds(ratio.low, ratio.high)
    if ratio.low is None and ratio.why is not None:
        interval = render(ratio.why, language)
    control = _DASH
    if ratio.to_control is not None:
        control = f"{ratio.to_control:.3g} ({bounds(ratio.to_control_low, ratio.to_control_high)})"
    return (
        f"{ratio.ratio:.3g}" + (f" ({say('compare.text.paired', language)})" if ratio.paired else ""),
        interval,
        control,
        _DASH if ratio.change is None else _changed(ratio.change, column, comparison, language),
    )


def _changed(change: Change, column: Column, comparison: Comparison, language: Language | None) -> str:
    at = comparison.columns.index(column)
    family = tuple(row.ratios[at].change for row in comparison.rows)
    whole = Regression(
        baseline=comparison.baseline,
        baseline_taken_at=None,
        alpha=0.05,
        threshold_percent=0,
        changes=tuple(each for each in family if each is not None),
        not_compared=(),
        differences=(),
    )
    several = any(row.values[at].runs > 1 for row in comparison.rows)
    told = verdict_text(change, whole, language)
    if several and change.verdict is Verdict.TOO_FEW:
        told = say("compare.text.few_runs", language)
    return say("compare.text.changed", language, verdict=told, change=f"{change.change_percent:+.1f} %")


def _refusal(refusal: Refusal, language: Language | None) -> str:
    unsaid = say("compare.text.unsaid", language)
    values = {
        "name": refusal.name,
        "field": refusal.field,
        "wanted": refusal.wanted or unsaid,
        "found": refusal.found or unsaid,
    }
    if refusal.kernel is not None:
        return say("compare.text.refused_kernel", language, kernel=refusal.kernel, **values)
    return say("compare.text.refused_line", language, **values)


def _matters(statuses: list[Status | None]) -> bool:
    said = {each for each in statuses if each is not None}
    return Status.FAIL in said or len(said) > 1
