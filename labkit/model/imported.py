"""Published benchmark output, imported: whose machine, which values, which lines could not be read, and from where.

A value stands here as its publisher printed it, in base units; nothing was measured by labkit, converted between
machines or filled in. What the text does not say is None.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from labkit.model.base import Provenance, Record, Text

#: The schema that this labkit writes. A greater number is refused by name, every smaller one stays readable.
SCHEMA = 1


class Form(StrEnum):
    """How a value was published."""

    LINES = "lines"  # what `go test -bench` prints, one line a run
    BENCHSTAT = "benchstat"  # a table of medians (or, before 2023, means) with their spread
    BENCHCMP = "benchcmp"  # a table of bare numbers, old beside new


class StatedMachine(Record, frozen=True, kw_only=True):
    """A machine as far as the text tells of it."""

    chip: str | None = None  # Apple M1 Pro; None where no cpu line (nor the importer) names it
    translated: bool | None = None  # Rosetta 2; None where the text does not tell
    virtual: bool | None = None  # True where the cpu line says so
    cpu: str | None = None  # the cpu line as published
    goos: str | None = None
    goarch: str | None = None
    chip_stated_by: Literal["text", "importer"] | None = None


class PublishedSample(Record, frozen=True, kw_only=True):
    """The values of one benchmark in one unit, as one run of one machine printed them."""

    name: str  # without the word Benchmark and without the number of processors
    package: str | None
    unit: str  # base units: sec/op, B/op, B/s
    value: float  # the median of the lines' values; the one number of a table
    n: int | None  # values behind it; None where a table does not say
    values: tuple[float, ...]  # each line's; the one number of a table
    original: tuple[str, ...]  # the same as published: 35.10 ns/op; 583.3n ± 2%
    processors: int | None  # GOMAXPROCS, the -8 of a name
    machine: int  # position in the record's machines
    block: int  # from 1; lines of one block stand together, equal names in two blocks are two samples
    column: str | None = None  # of a table, by its head
    spread_percent: float | None = None  # what a benchstat table prints behind ±
    form: Form = Form.LINES
    lines: tuple[int, ...]  # from 1


class UnreadableLine(Record, frozen=True, kw_only=True):
    """A line that looks like a benchmark's and was not taken, and why."""

    line: int
    text: str  # at most 200 characters
    why: Text


class ImportedRecord(Record, frozen=True, kw_only=True):
    """Everything that one published text holds."""

    schema: int = SCHEMA
    kind: Literal["imported"] = "imported"
    provenance: Provenance = Provenance.IMPORTED
    source: str  # the URL
    imported_at: str  # UTC, ISO 8601
    file: str  # its name, without folders
    sha256: str  # of its bytes
    labkit_version: str
    stated_by_importer: Mapping[str, str] = {}  # chip, package: of samples whose text does not name them
    machine: StatedMachine  # the one machine of all samples; where there are several, what all of them share
    machines: tuple[StatedMachine, ...]
    samples: tuple[PublishedSample, ...]
    unreadable: tuple[UnreadableLine, ...]
