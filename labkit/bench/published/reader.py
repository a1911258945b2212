"""Reads Go benchmark output as people publish it: Markdown, comments, prose around it, tables; no line raises.

Every line that looks like a benchmark's becomes values or is listed as unreadable. Lines that stand together form a
block: a new configuration line, a fence, a table's head, PASS or prose ends it, for what follows may be another run or
another state of the code. A configuration holds until it changes; one inside a Markdown fence with benchmarks does not
hold beyond that fence, for the next may be another machine's.
"""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import defaultdict
from collections.abc import Mapping
from statistics import median
from typing import Final, NamedTuple

from labkit.bench.benchfmt.units import SPACES
from labkit.bench.published import lines, machines, tables
from labkit.bench.published.lines import why
from labkit.bench.published.text import MOST_LINE, bare, configuration, fence
from labkit.model.base import Text
from labkit.model.imported import Form, PublishedSample, StatedMachine, UnreadableLine

_MOST_SHOWN: Final = 200
_MOST_PROCESSORS: Final = 1024
_SUFFIX: Final = re.compile(r"(.+)-([1-9]\d{0,3})")
# What a test run prints between the lines of one run.
_WITHIN_A_RUN: Final = re.compile(r"--- BENCH|\S+_test\.go:\d+:")


class Published(NamedTuple):
    """What is in a text."""

    machines: tuple[StatedMachine, ...]
    samples: tuple[PublishedSample, ...]
    unreadable: tuple[UnreadableLine, ...]


class _Measured(NamedTuple):
    """One value with everything that tells it from others."""

    block: int
    machine: StatedMachine
    package: str | None
    name: str
    unit: str
    form: Form
    column: str | None
    value: float
    original: str
    n: int | None
    spread_percent: float | None
    line: int


def parse(data: bytes, *, chip: str | None = None, package: str | None = None) -> Published:
    """Return what is in a text.

    Args:
        data: The text: UTF-8, or UTF-16 with its mark.
        chip: Whose numbers those without a cpu line are, as the importer says.
        package: The package of those without a pkg line, as the importer says.

    """
    utf16 = data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    text = data.decode("utf-16", "replace") if utf16 else data.decode("utf-8-sig", "replace")
    reader = _Reader(chip, package)
    # Not splitlines(): it would also split at control characters that may stand within a line.
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        reader.line(number, line)
    return reader.published()


class _Reader:
    """The state between lines."""

    def __init__(self, chip: str | None, package: str | None) -> None:
        self._chip = chip
        self._package = package
        self._config: dict[str, str] = {}
        self._outside: dict[str, str] | None = None  # the configuration before the fence that is open
        self._fence_has_values = False
        self._block = 0
        self._fresh = True  # the next value opens a block
        self._pending: str | None = None  # a name that stood alone
        self._table: tables.Table | None = None
        self._names: tuple[str, ...] | None = None  # of columns, until the line of units
        self._measured: list[_Measured] = []
        self._unreadable: list[UnreadableLine] = []

    def line(self, number: int, line: str) -> None:
        """Take one line."""
        behind = fence(line[:MOST_LINE])
        if behind is not None:
            self._at_fence()
            self._configure(configuration(behind))  # where the line's end between the two was lost
            return
        body = bare(line) if line else ""
        if not body:
            self._table, self._names = None, None  # each table has a head of its own
            return
        if len(line) > MOST_LINE:
            self._too_long(number, line, body)
        elif config := configuration(body):
            self._configure(config)
        elif not (self._is_head(line, body) or self._row(number, line, body) or self._benchmark(number, line, body)):
            self._prose(body)

    def _at_fence(self) -> None:
        if self._outside is None:
            self._outside = dict(self._config)
        else:
            if self._fence_has_values:
                self._config = self._outside
            self._outside = None
        self._fence_has_values = False
        self._end()

    def _configure(self, config: Mapping[str, str]) -> None:
        if not self._fresh and "goos" in config:
            self._config = {}  # go test prints all four anew
        self._end()
        self._config |= config
        self._config = {key: value for key, value in self._config.items() if value}

    def _end(self) -> None:
        self._fresh, self._pending, self._table, self._names = True, None, None, None

    def _prose(self, body: str) -> None:
        if _WITHIN_A_RUN.match(body) is None and not tables.is_summary(body):
            names = self._names
            self._end()
            self._names = names if "│" in body else None

    def _too_long(self, number: int, line: str, body: str) -> None:
        if lines.looks_like_benchmark(body) or (self._table is not None and tables.looks_like_row(self._table, body)):
            self._refuse(number, line, why("too_long", length=len(line), most=MOST_LINE))

    def _is_head(self, line: str, body: str) -> bool:
        cells = tables.bars(line)
        if cells is not None:
            table = tables.of_bars(cells, self._names)
            self._end()
            self._table, self._names = table, cells if table is None else None
            return True
        table = tables.of_head(body)
        if table is None:
            return False
        self._end()
        self._table = table
        return True

    def _row(self, number: int, line: str, body: str) -> bool:
        if self._table is None or tables.is_summary(body) or not tables.looks_like_row(self._table, body):
            return False
        row = tables.read_row(self._table, body)
        if isinstance(row, Text):
            self._refuse(number, line, row)
            return True
        name, cells = row
        for cell in cells:
            self._take(
                number,
                name,
                lines.Value(cell.value, cell.column.unit, cell.original),
                form=self._table.form,
                column=cell.column.name,
                n=cell.n,
                spread_percent=cell.spread_percent,
            )
        return True

    def _benchmark(self, number: int, line: str, body: str) -> bool:
        alone = lines.announced(body)
        if alone is not None:
            self._pending = alone
            return True
        if lines.looks_like_benchmark(body):
            self._pending = None
            self._read(number, line, body)
            return True
        if not lines.looks_like_values(body):
            return False
        name, self._pending = self._pending, None
        if name is None:
            self._refuse(number, line, why("no_name"))
        else:
            self._read(number, line, f"{name} {body}")
        return True

    def _read(self, number: int, line: str, body: str) -> None:
        row = lines.read(body)
        if isinstance(row, Text):
            self._refuse(number, line, row)
            return
        units = [value.unit for value in row.values]
        if len(set(units)) < len(units):
            self._refuse(number, line, why("unit_twice", unit=next(unit for unit in units if units.count(unit) > 1)))
            return
        for value in row.values:
            self._take(number, row.name, value, form=Form.LINES)

    def _take(
        self,
        number: int,
        name: str,
        value: lines.Value,
        *,
        form: Form,
        column: str | None = None,
        n: int | None = None,
        spread_percent: float | None = None,
    ) -> None:
        self._opened()
        machine = machines.stated(self._config, chip=self._chip)
        package = self._config.get("pkg", self._package)
        self._measured.append(
            _Measured(
                self._block, machine, package, name, value.unit, form, column, value.value,
                value.original, n, spread_percent, number,
            )
        )  # fmt: skip

    def _refuse(self, number: int, line: str, reason: Text) -> None:
        self._opened()
        shown = line.strip(SPACES + " ")[:_MOST_SHOWN]
        self._unreadable.append(UnreadableLine(line=number, text=shown, why=reason))

    def _opened(self) -> None:
        if self._fresh:
            self._block, self._fresh = self._block + 1, False
        self._fence_has_values = True

    def published(self) -> Published:
        """Return what the lines taken so far make."""
        order = {machine: at for at, machine in enumerate(dict.fromkeys(each.machine for each in self._measured))}
        processors = _processors(self._measured)
        groups: defaultdict[tuple[object, ...], list[_Measured]] = defaultdict(list)
        for each in self._measured:
            # A table's row stands for itself: a second one of the same name is not its second value.
            apart = each.line if each.form is not Form.LINES else 0
            groups[each.block, each.name, each.unit, each.column, apart].append(each)
        samples = tuple(_sample(group, order, processors[group[0].block]) for group in groups.values())
        return Published(tuple(order), samples, tuple(self._unreadable))


def _processors(measured: list[_Measured]) -> dict[int, int | None]:
    """Return each block's number of processors: the -8 at the end of every name in it, or None.

    Go leaves it out for one processor, and then a name may end in a number of its own (``fft-4096``): only what all
    names of a block share is taken for it.
    """
    suffixes: defaultdict[int, set[int | None]] = defaultdict(set)
    for each in measured:
        match = _SUFFIX.fullmatch(each.name)
        suffixes[each.block].add(int(match[2]) if match else None)
    return {
        block: one if one is not None and 1 < one <= _MOST_PROCESSORS else None
        for block, (one, *more) in ((block, tuple(found)) for block, found in suffixes.items())
        if not more
    } | {block: None for block, found in suffixes.items() if len(found) > 1}


def _sample(group: list[_Measured], order: Mapping[StatedMachine, int], processors: int | None) -> PublishedSample:
    first = group[0]
    values = tuple(each.value for each in group)
    return PublishedSample(
        name=first.name.removesuffix(f"-{processors}") if processors else first.name,
        package=first.package,
        unit=first.unit,
        value=median(values),
        n=len(values) if first.form is Form.LINES else first.n,
        values=values,
        original=tuple(each.original for each in group),
        processors=processors,
        machine=order[first.machine],
        block=first.block,
        column=first.column,
        spread_percent=first.spread_percent,
        form=first.form,
        lines=tuple(each.line for each in group),
    )
