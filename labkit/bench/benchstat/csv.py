"""benchstat's tables as CSV, as ``benchstat -format csv`` prints them on standard output, without its warnings."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from labkit.bench.benchfmt.units import shortest
from labkit.bench.benchstat.tables import Table, Tables
from labkit.bench.benchstat.text import headed

_QUOTED: Final = re.compile(r'[,"\r\n]|^\s|^\\\.$')


def as_csv(tables: Tables) -> str:
    """Return all tables as CSV; lines end with a line feed."""
    lines: list[str] = []
    for heads, table in headed(tables):
        lines += [_row([head]) for head in heads]
        lines += [_row(row) for row in _rows(table)]
    return "".join(f"{line}\n" for line in lines)


def _start(column: int) -> int:
    return 1 if column == 0 else 3 + 4 * (column - 1)


def _padded(row: list[str], width: int) -> list[str]:
    return row + [""] * (width - len(row))


def _rows(table: Table) -> Iterator[list[str]]:
    names: list[str] = []
    units: list[str] = []
    for i, column in enumerate(table.columns):
        names = [*_padded(names, _start(i)), column]
        units = [*_padded(units, _start(i)), table.unit, "CI", *(["vs base", "P"] if i else [])]
    yield _padded(names, _start(len(table.columns)))
    yield units
    for name in table.rows:
        row = [name]
        for i, column in enumerate(table.columns):
            cell = table.cells.get((name, column))
            if cell is None:
                continue
            row = [*_padded(row, _start(i)), shortest(cell.summary.center), cell.summary.percent()]
            if cell.base is not None and cell.comparison is not None:
                row += [cell.comparison.delta(cell.base.center, cell.summary.center), str(cell.comparison)]
        yield row
    row = ["geomean"]
    for i, column in enumerate(table.columns):
        total = table.totals[column]
        row = _padded(row, _start(i)) + ([] if total.mean is None else [shortest(total.mean)])
        if i:
            row = [*_padded(row, _start(i) + 2), "?" if total.ratio is None else f"{(total.ratio - 1) * 100:+.2f}%"]
    yield _padded(row, _start(len(table.columns)))


def _row(fields: Sequence[str]) -> str:
    return ",".join('"' + field.replace('"', '""') + '"' if _QUOTED.search(field) else field for field in fields)
