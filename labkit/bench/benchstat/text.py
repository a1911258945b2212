"""benchstat's tables as text, as ``benchstat`` prints them."""

from collections.abc import Iterator
from typing import Final

from labkit.bench.benchfmt.units import common_scale, is_binary
from labkit.bench.benchstat.layout import Align, Field, lay_out
from labkit.bench.benchstat.tables import Table, Tables

_SUPERSCRIPTS: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_CENTER_COLUMNS: Final = 3  # the centre, its range, footnotes
_DELTA_COLUMNS: Final = 3  # the change, its p-value, footnotes


def headed(tables: Tables) -> Iterator[tuple[list[str], Table]]:
    """Yield each table with the lines above it: a blank one (but for the first), and the changed configuration."""
    before: Table | None = None
    for table in tables.tables:
        lines = [] if before is None else [""]
        for key in tables.keys:
            value = table.config.get(key, "")
            if before is None or value != before.config.get(key, ""):
                lines.append(f"{key}: {value}")
        yield lines, table
        before = table


def as_text(tables: Tables) -> str:
    """Return all tables as text."""
    return "".join("".join(f"{head}\n" for head in heads) + _Text(table).shown() for heads, table in headed(tables))


def _start(column: int) -> int:
    if column == 0:
        return 1
    return 1 + _CENTER_COLUMNS + (column - 1) * (_CENTER_COLUMNS + _DELTA_COLUMNS)


class _Text:
    """One table while it is written: its fields so far, and its footnotes."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._fields: list[Field] = []
        self._notes: dict[str, int] = {}
        self._shrink: list[int] = []

    def shown(self) -> str:
        self._heads()
        for row, name in enumerate(self._table.rows, 2):
            self._body(row, name)
        if len(self._table.rows) > 1:
            self._totals(len(self._table.rows) + 2)
        notes = "".join(f"{str(n).translate(_SUPERSCRIPTS)} {note}\n" for note, n in self._notes.items())
        return lay_out(self._fields, shrink=self._shrink) + notes

    def _put(
        self, row: int, column: int, value: str, align: Align = Align.LEFT, *, span: int = 1, margin: str = ""
    ) -> None:
        default = " " if column and value else ""
        self._fields.append(Field(row, column, span, value, margin or default, align))

    def _heads(self) -> None:
        columns = self._table.columns
        edge = _start(len(columns) + 1)
        # Neighbours of one label share a head; labels are all different here, as each is a column of its own.
        for i, column in enumerate(columns):
            at, width = _start(i), _start(i + 1) - _start(i)
            self._put(0, at, column, Align.CENTER, span=width, margin=" │ ")
            self._put(1, at, self._table.unit, Align.CENTER, span=_CENTER_COLUMNS, margin=" │ ")
            if i:
                self._put(1, at + _CENTER_COLUMNS, "vs base", span=_DELTA_COLUMNS, margin="  ")
            self._shrink += range(at + 1, at + width)
        self._put(0, edge, "", margin=" │")
        self._put(1, edge, "", margin=" │")

    def _body(self, row: int, name: str) -> None:
        table = self._table
        cells = [table.cells.get((name, column)) for column in table.columns]
        scale = common_scale([cell.summary.center for cell in cells if cell], binary=is_binary(table.unit))
        self._put(row, 0, name)
        for i, cell in enumerate(cells):
            if cell is None:
                continue
            at = _start(i)
            self._put(row, at, scale.show(cell.summary.center), Align.RIGHT)
            self._put(row, at + 1, cell.summary.percent(), Align.RIGHT, margin=" ± ")
            self._note(row, at + 2, cell.summary.warnings)
            if cell.base is not None and cell.comparison is not None:
                self._put(row, at + 3, cell.comparison.delta(cell.base.center, cell.summary.center), Align.RIGHT)
                self._put(row, at + 4, f"({cell.comparison})")
                self._note(row, at + 5, cell.comparison.warnings)

    def _totals(self, row: int) -> None:
        table = self._table
        binary = is_binary(table.unit)
        self._put(row, 0, "geomean")
        for i, column in enumerate(table.columns):
            total, at = table.totals[column], _start(i)
            if total.mean is not None:
                self._put(row, at, common_scale([total.mean], binary=binary).show(total.mean), Align.RIGHT)
            if i and total.ratio is None:
                self._put(row, at + _CENTER_COLUMNS, "?")
            elif i and total.ratio is not None:
                self._put(row, at + _CENTER_COLUMNS, f"{(total.ratio - 1) * 100:+.2f}%", Align.RIGHT)
            self._note(row, _start(i + 1) - 1, total.warnings)

    def _note(self, row: int, column: int, warnings: tuple[str, ...]) -> None:
        marks = [str(self._notes.setdefault(each, len(self._notes) + 1)).translate(_SUPERSCRIPTS) for each in warnings]
        self._put(row, column, " ".join(marks))
