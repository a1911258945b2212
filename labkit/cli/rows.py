"""Rows of text in columns, for a terminal; what the cells say is made elsewhere."""

import unicodedata
from collections.abc import Iterator, Sequence

import typer


def print_rows(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns."""
    for line in lines(rows):
        typer.echo(line)


def lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a line a row, all with as many cells, each column as wide as its widest cell."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()


def width(text: str) -> int:
    """Return how many columns a terminal uses: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
