"""Columns of text with cells that span several of them, laid out as benchstat's ``internal/texttab`` does."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple


class Align(Enum):
    """Where a value stands in its cell."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


class Field(NamedTuple):
    """One cell: its place, how many columns it spans, its text, and what stands between it and the cell before."""

    row: int
    column: int
    span: int
    value: str
    margin: str
    align: Align = Align.LEFT


def lay_out(fields: Sequence[Field], *, shrink: Iterable[int]) -> str:
    """Return the table's lines; columns in ``shrink`` stay as narrow as their own cells allow."""
    count = max(field.column + field.span for field in fields)
    margins = [max((len(f.margin) for f in fields if f.column == column), default=0) for column in range(count)]
    widths = _widths(fields, margins, frozenset(shrink))
    offsets = [sum(widths[:column]) for column in range(count + 1)]
    lines: dict[int, str] = {}
    ends: dict[int, int] = {}  # where benchstat thinks that each line ends
    for field in sorted(fields, key=lambda each: each[:2]):
        if not field.value.strip() and not field.margin.strip():
            continue  # so that no line ends in blanks
        # A head that is wider than its columns has come too far; Go's %*s takes the negative distance for one to the
        # right, and so does this.
        distance = offsets[field.column] - ends.get(field.row, 0)
        width = offsets[field.column + field.span] - offsets[field.column] - margins[field.column]
        text = field.margin.rjust(margins[field.column]) + _placed(field, width)
        lines[field.row] = lines.get(field.row, "") + " " * abs(distance) + text
        ends[field.row] = offsets[field.column] + len(text)
    return "".join(f"{lines.get(row, '')}\n" for row in range(max(lines) + 1))


def _placed(field: Field, width: int) -> str:
    match field.align:
        case Align.LEFT:
            return field.value
        case Align.CENTER:
            return " " * int((width - len(field.value)) / 2) + field.value
        case Align.RIGHT:
            return field.value.rjust(width)


def _widths(fields: Sequence[Field], margins: Sequence[int], shrink: frozenset[int]) -> list[int]:
    widths = [0] * len(margins)
    for field in sorted(fields, key=lambda each: each.span):
        wanted = len(field.value) + margins[field.column]
        spanned = range(field.column, field.column + field.span)
        if field.span == 1:
            widths[field.column] = max(widths[field.column], wanted)
        elif sum(widths[column] for column in spanned) < wanted:
            _widen(widths, wanted, spanned, shrink)
    return widths


def _widen(widths: list[int], wanted: int, spanned: Iterable[int], shrink: frozenset[int]) -> None:
    """Share out the missing width among the columns that may grow, the widest first, which may need nothing."""
    wanted -= sum(widths[column] for column in spanned if column in shrink)
    growing = sorted((column for column in spanned if column not in shrink), key=lambda column: -widths[column])
    for left, column in zip(range(len(growing), 0, -1), growing, strict=True):
        widths[column] = max(widths[column], int((wanted + left - 1) / left))
        wanted -= widths[column]
