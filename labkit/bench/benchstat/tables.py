"""Benchmark results as benchstat's tables: one a unit and configuration, a row a benchmark, a column a file or key.

This is what ``benchstat [-col KEY] [-ignore KEYS] FILES`` computes; its other projections and its filters are not here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from labkit.bench.benchfmt.units import tidy
from labkit.bench.benchstat.summary import Comparison, Summary, compare, geometric_mean, summarise
from labkit.model.benchfmt import GoFile, GoResult

_OTHER_SET = "benchmark set differs from baseline; geomeans may not be comparable"
_NO_CENTERS = "summaries must be >0 to compute geomean"
_NO_RATIOS = "ratios must be >0 to compute geomean"


class Cell(NamedTuple):
    """A benchmark's sample in one column; ``comparison`` and ``base`` where the first column has the benchmark too."""

    values: tuple[float, ...]  # ascending
    summary: Summary
    base: Summary | None
    comparison: Comparison | None


class Total(NamedTuple):
    """A column's last row: geometric means of its centres and of their ratios to the first; None: there is none."""

    mean: float | None
    ratio: float | None
    warnings: tuple[str, ...]


class Table(NamedTuple):
    """One unit's values under one configuration."""

    config: Mapping[str, str]
    unit: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    totals: Mapping[str, Total]


class Tables(NamedTuple):
    """All tables, in benchstat's order, and the configuration keys that head them."""

    keys: tuple[str, ...]
    tables: tuple[Table, ...]


_Place = tuple[tuple[str, ...], str]  # the configuration's values, the unit


def tables(files: Sequence[tuple[str, GoFile]], *, column: str = ".file", ignore: Iterable[str] = ()) -> Tables:
    """Return the tables of files.

    Args:
        files: Labels (benchstat's are the paths) and what is in the files.
        column: What is compared side by side: ``.file``, or a configuration key such as ``toolchain``.
        ignore: Configuration keys that do not tell tables apart.

    """
    left_out = {*ignore, column}
    keys: dict[str, None] = {}
    found: dict[tuple[tuple[tuple[str, str], ...], str], dict[tuple[str, str], list[float]]] = {}
    units: dict[str, None] = {}
    rows: dict[str, None] = {}
    columns: dict[str, None] = {}
    for label, file in files:
        for result in file.results:
            config = tuple((key, value) for key, value in result.config if key not in left_out)
            keys |= dict.fromkeys(key for key, _value in config)
            place = (result.name, _column(result, label, column))
            rows[place[0]] = columns[place[1]] = None
            for value in result.values:
                units[value.unit] = None
                # Two files may give the same keys in another order; that is the same configuration.
                cells = found.setdefault((tuple(sorted(config)), value.unit), {})
                cells.setdefault(place, []).append(value.value)
    exact = {
        unit.unit for _label, file in files for unit in file.units if (unit.key, unit.value) == ("assume", "exact")
    }
    order = list(units)
    places = sorted(found, key=lambda each: ([dict(each[0]).get(key, "") for key in keys], order.index(each[1])))
    return Tables(
        keys=tuple(keys),
        tables=tuple(
            _table(dict(config), unit, found[config, unit], (list(rows), list(columns)), exact=tidy(unit)[0] in exact)
            for config, unit in places
        ),
    )


def _column(result: GoResult, label: str, column: str) -> str:
    return label if column == ".file" else dict(result.config).get(column, "")


def _table(
    config: Mapping[str, str],
    unit: str,
    values: Mapping[tuple[str, str], list[float]],
    order: tuple[list[str], list[str]],
    *,
    exact: bool,
) -> Table:
    rows = tuple(row for row in order[0] if any(place[0] == row for place in values))
    columns = tuple(column for column in order[1] if any(place[1] == column for place in values))
    samples = {place: tuple(sorted(each, key=lambda x: (not math.isnan(x), x))) for place, each in values.items()}
    summaries = {place: summarise(sample, exact=exact) for place, sample in samples.items()}
    cells = {}
    for (row, column), sample in samples.items():
        base = samples.get((row, columns[0])) if column != columns[0] else None
        cells[row, column] = Cell(
            values=sample,
            summary=summaries[row, column],
            base=None if base is None else summaries[row, columns[0]],
            comparison=None if base is None else compare(base, sample, exact=exact),
        )
    return Table(config, unit, rows, columns, cells, {each: _total(rows, columns, cells, each) for each in columns})


def _total(rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], Cell], column: str) -> Total:
    own = [cells[row, column] for row in rows if (row, column) in cells]
    ratios, computable = [], column != columns[0]
    for cell in own:
        if cell.base is not None:
            old, new = cell.base.center, cell.summary.center
            computable = computable and (old != 0 or new == old)
            ratios.append(1.0 if old == new else new / old if old else 0.0)
    warnings = []
    if column != columns[0] and len(ratios) != sum((row, columns[0]) in cells for row in rows):
        warnings.append(_OTHER_SET)
    mean = geometric_mean([cell.summary.center for cell in own])
    if math.isnan(mean):
        warnings.append(_NO_CENTERS)
    ratio = geometric_mean(ratios) if computable else math.nan
    if computable and math.isnan(ratio):
        warnings.append(_NO_RATIOS)
    return Total(None if math.isnan(mean) else mean, None if math.isnan(ratio) else ratio, tuple(warnings))
