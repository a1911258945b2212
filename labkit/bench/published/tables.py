"""Tables of benchstat (before and since 2023) and of benchcmp: their heads, and the rows below.

Since 2023 benchstat (golang.org/x/perf/cmd/benchstat) heads its columns between bars, a line of names and a line of
units; before, with ``name  old time/op  new time/op  delta``; benchcmp with ``benchmark  old ns/op  new ns/op  delta``.
A row with fewer values than its table has columns is not taken: which one is lacking cannot be told from the text.
"""

import re
from typing import Final, NamedTuple

from labkit.bench.benchfmt.units import SPACES, tidy
from labkit.bench.published.lines import why
from labkit.model.base import Text
from labkit.model.imported import Form

_BAR: Final = "│"
_UNIT: Final = re.compile(r"([^\s/]+/[^\s]+|[A-Za-z%][\w%-]*)(?:\s+vs base)?")
_PLUS_MINUS: Final = r"(?:±|Â±|\+/-|\+-)"
_SPREAD: Final = re.compile(rf"\s*{_PLUS_MINUS}\s*(\d+(?:\.\d+)?%|∞)")
_NEW_CELL: Final = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]\d+)?)(n|µ|μ|u|m|k|M|G|T|Ki|Mi|Gi|Ti)?(?=[\s±Â+]|$)")
_OLD_CELL: Final = re.compile(
    r"(\d+(?:\.\d+)?)(ns|µs|μs|us|ms|s|kB/s|MB/s|GB/s|TB/s|B/s|kB|MB|GB|TB|B|k|M|G|T)?(?=[\s±Â+]|$)"
)
_BARE_CELL: Final = re.compile(r"(\d+(?:\.\d+)?)(?=\s|$)")
_COUNTS: Final = re.compile(r"n=(\d+)(?:\+(\d+))?\)")
_OLD_HEAD: Final = re.compile(r"(?:(old|new)\s+)?(time/op|alloc/op|allocs/op|speed|[\w%-]+/[\w%-]+)")
_OLD_FILES: Final = re.compile(r"name\s+\\\s+(\S+)\s+(\S.*)")
_OLD_ROW: Final = re.compile(r"\s*\d+(\.\d+)?[a-zA-Zµμ/]*(\s|$)")
_BENCHCMP_ROW: Final = re.compile(r"Benchmark\S*(?:\s+\d+(?:\.\d+)?){1,2}\s+(?:[+-]?(?:\d+(?:\.\d+)?|Inf)[%x]|n/a|~)")
_BENCHCMP: Final = re.compile(r"benchmark\s+old (\S+)\s+new (\S+)\s+(?:delta|speedup)")
_PREFIXES: Final = {
    None: 1.0, "n": 1e-9, "µ": 1e-6, "μ": 1e-6, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}  # fmt: skip
# What the old benchstat prints: times in seconds, everything else in steps of 1000 (cmd/benchstat/scaler.go then).
_OLD_UNITS: Final = {"time/op": "sec/op", "alloc/op": "B/op", "speed": "B/s"}
_OLD_SECONDS: Final = {"ns": 1e-9, "µs": 1e-6, "μs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_SUMMARIES: Final = ("geomean", "[Geo mean]", "[Geo")


class Column(NamedTuple):
    """A table's column of values."""

    name: str | None
    unit: str  # in base units
    factor: float  # of its bare numbers


class Table(NamedTuple):
    """The columns that rows below a head have."""

    form: Form
    old: bool  # benchstat's form before 2023
    columns: tuple[Column, ...]


class Cell(NamedTuple):
    """One column's value in a row."""

    column: Column
    value: float  # in base units
    original: str
    spread_percent: float | None
    n: int | None


def bars(line: str) -> tuple[str, ...] | None:
    """Return the cells of a head line between bars; None for a line without."""
    if _BAR not in line:
        return None
    before, *cells = line.split(_BAR)
    if before.strip(SPACES + " /*#>|-"):
        return None
    return tuple(cell.strip() for cell in cells if cell.strip())


def of_bars(units: tuple[str, ...], names: tuple[str, ...] | None) -> Table | None:
    """Return the table of a line of units between bars; None when it is the line of names."""
    found = [_UNIT.fullmatch(" ".join(cell.split())) for cell in units]
    if not found or not all(match and ("/" in match[1] or "vs base" in match[0]) for match in found):
        return None
    texts = tuple(match[1] for match in found if match)
    if names == texts:
        return None
    heads: tuple[str | None, ...] = names if names is not None and len(names) == len(texts) else (None,) * len(texts)
    columns = tuple(Column(name, *tidy(unit)) for name, unit in zip(heads, texts, strict=True))
    return Table(Form.BENCHSTAT, old=False, columns=columns)


def of_head(body: str) -> Table | None:
    """Return the table that a bare line heads in benchstat's old form or benchcmp's; None for another line."""
    if (match := _BENCHCMP.match(body)) is not None:
        if match[1] != match[2]:
            return None
        unit, factor = tidy(match[1])
        return Table(Form.BENCHCMP, old=True, columns=(Column("old", unit, factor), Column("new", unit, factor)))
    if (match := _OLD_FILES.match(body)) is not None:
        unit = _OLD_UNITS.get(match[1], match[1])
        names = [name for name in match[2].split() if name != "delta"]
        return Table(Form.BENCHSTAT, old=True, columns=tuple(Column(name, unit, 1.0) for name in names))
    if not re.match(r"name\s", body):
        return None
    found = [*_OLD_HEAD.finditer(body.removeprefix("name"))]
    columns = tuple(Column(match[1], _OLD_UNITS.get(match[2], match[2]), 1.0) for match in found)
    return Table(Form.BENCHSTAT, old=True, columns=columns) if columns else None


def is_summary(body: str) -> bool:
    """Return whether a row is a table's geometric mean, which is no benchmark."""
    return body.startswith(_SUMMARIES)


def looks_like_row(table: Table, body: str) -> bool:
    """Return whether a bare line below a head is meant as a row."""
    name = body.split(maxsplit=1)[0]
    rest = body[len(name) :]
    if table.form is Form.BENCHCMP:
        return _BENCHCMP_ROW.fullmatch(body) is not None
    if name.startswith("Benchmark"):
        return False  # benchstat takes the word off: this is a line of go test's own
    marked = re.search(_PLUS_MINUS, rest) is not None or "(p=" in rest
    return marked or (table.old and _OLD_ROW.match(rest) is not None)


def read_row(table: Table, body: str) -> tuple[str, tuple[Cell, ...]] | Text:
    """Return a row's name and its cells, or why it cannot be read."""
    name, *_ = body.split()
    rest = body[len(name) :]
    cells = _bare_cells(rest, len(table.columns)) if table.form is Form.BENCHCMP else _marked_cells(table, rest)
    if isinstance(cells, Text):
        return cells
    if len(cells) != len(table.columns):
        return why("cells", cells=len(cells), columns=len(table.columns))
    counts = _counts(rest, len(cells))
    read = []
    for column, (number, suffix, spread), n in zip(table.columns, cells, counts, strict=True):
        factor = _factor(table, column, suffix)
        if factor is None and float(number) != 0:  # nothing is nothing in any unit
            return why("cell_unit", text=f"{number}{suffix or ''}", unit=column.unit)
        shown = f"{number}{suffix or ''}" + (f" ± {spread}" if spread else "")
        percent = float(spread[:-1]) if spread and spread != "∞" else None
        read.append(Cell(column, float(number) * (factor or 0), shown, percent, n))
    return name.removeprefix("Benchmark"), tuple(read)


_Cell = tuple[str, str | None, str | None]  # number, prefix or unit, spread


def _bare_cells(rest: str, most: int) -> list[_Cell]:
    cells: list[_Cell] = []
    at = len(rest) - len(rest.lstrip())
    while len(cells) < most and (match := _BARE_CELL.match(rest, at)):
        cells.append((match[1], None, None))
        at = match.end() + len(rest[match.end() :]) - len(rest[match.end() :].lstrip())
    return cells


def _marked_cells(table: Table, rest: str) -> list[_Cell] | Text:
    pattern = _OLD_CELL if table.old else _NEW_CELL
    cells: list[_Cell] = []
    at = 0
    for match in pattern.finditer(rest):
        if match.start() < at or (match.start() and not rest[match.start() - 1].isspace()):
            continue  # within a delta, a p or a spread
        spread = _SPREAD.match(rest, match.end())
        if spread is None and not table.old:
            continue  # a number that is no value: since 2023 each has its spread
        if spread is None and re.search(r"~|\(|%", rest[: match.start()].rpartition("±")[2].partition("%")[2]):
            break  # behind the delta
        cells.append((match[1], match[2], spread[1] if spread else None))
        at = spread.end() if spread else match.end()
    return cells


def _counts(rest: str, columns: int) -> list[int | None]:
    """Return how many values are behind each cell: a comparison names its own and, where they differ, the base's."""
    found = [(int(match[1]), int(match[2] or match[1])) for match in _COUNTS.finditer(rest)]
    if len(found) != columns - 1 or not found:
        return [None] * columns
    return [count or None for count in (found[0][0], *(own for _base, own in found))]


def _factor(table: Table, column: Column, suffix: str | None) -> float | None:
    if table.form is Form.BENCHCMP or not table.old:
        return column.factor * _PREFIXES[suffix]
    if suffix in _OLD_SECONDS:
        return _OLD_SECONDS[suffix] if column.unit == "sec/op" else None
    if column.unit == "sec/op":
        return None  # 12.3 of what is not said
    return _PREFIXES.get((suffix or "").removesuffix("/s").removesuffix("B") or None)
