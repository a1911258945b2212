"""Records side by side: what ``labkit compare --json`` prints. Values of a row stand in the order of the columns."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record, Text
from labkit.model.binary import Runs
from labkit.model.check import Status
from labkit.model.claims import ClaimVerdict
from labkit.model.paired import Clock
from labkit.model.regression import Change
from labkit.model.structure import Curve

#: The schema of a comparison; a greater number is refused by name.
SCHEMA = 1


class Axis(StrEnum):
    """What is compared; everything else must be equal or is named."""

    MACHINE = "machine"
    TOOLCHAIN = "toolchain"
    DAY = "day"
    TRANSLATION = "translation"  # native against translated


class Column(Record, frozen=True, kw_only=True):
    """One machine, set, day or way of running, and what is behind its numbers."""

    name: str
    provenance: Provenance
    n: int | None  # processes behind the kernel that has most of them; 0: no times; None: the source does not say
    runs: int  # that the times rest on
    days: tuple[str, ...]  # UTC, ISO 8601, of those runs
    identity: Mapping[str, str | None]  # of the machine: the keys that were asked for
    chip: str | None
    platform: str | None  # linux/arm64, as Go names it
    toolchain: str | None  # versions of the set
    translated: bool | None
    records: tuple[str, ...]  # run ids, or names of files
    source: str | None = None  # URL of what is imported
    why: Text | None = None  # why there is no number at all
    how: Text | None = None  # how there could be some


class Value(Record, frozen=True, kw_only=True):
    """One number: a median over runs of medians over processes (of one run: over processes)."""

    value: float | None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    n: int | None = 0  # processes, or published values; None: the source does not say
    runs: int = 0
    days: int = 0
    unit: str | None = None
    package: str | None = None  # the Go package of the benchmark
    provenance: Provenance | None = None
    why: Text | None = None  # why there is no value


class Ratio(Record, frozen=True, kw_only=True):
    """A column against the baseline's, time over time: 1.2 takes 20 % longer. The interval is a bootstrap's."""

    ratio: float | None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    paired: bool = False  # both sides ran side by side: the ratio is taken pair by pair
    to_control: float | None = None  # the same, each side first divided by its own run's control kernel
    to_control_low: float | None = None
    to_control_high: float | None = None
    change: Change | None = None  # of the same chip: whether a regression is shown
    why: Text | None = None  # why there is no ratio, or no interval


class Row(Record, frozen=True, kw_only=True):
    """One kernel or benchmark over all columns."""

    name: str
    title: Text | None  # of labkit's own kernels
    clock: Clock
    unit: str
    values: tuple[Value, ...]
    ratios: tuple[Ratio, ...]  # the baseline's own has the ratio 1


class FindingCell(Record, frozen=True, kw_only=True):
    """What one check found in a column's runs: the gravest status, and how often each was found."""

    status: Status | None
    counts: Mapping[Status, int] = {}
    why: Text | None = None


class FindingRow(Record, frozen=True, kw_only=True):
    """One check over all columns."""

    id: str
    title: Text
    section: str  # install, host, codegen, binaries
    cells: tuple[FindingCell, ...]


class BinaryCell(Record, frozen=True, kw_only=True):
    """Whether a program would run on a column's machine, as judged from its bytes."""

    runs: Runs | None
    machine: str | None = None  # that it was judged for: m1-macos14
    rule: str | None = None
    reasons: tuple[Text, ...] = ()
    confirmed_on_hardware: bool | None = None
    why: Text | None = None


class BinaryRow(Record, frozen=True, kw_only=True):
    """One program over all columns."""

    name: str
    made_on: str | None  # the column whose record has it; None: each column has its own
    cells: tuple[BinaryCell, ...]


class ClaimStanding(StrEnum):
    """How the columns that have judged a ledger stand to each other over a statement; in the order of the rows."""

    DIFFERS = "differs"  # a part has two verdicts
    PARTLY = "partly"  # a part was judged by some of them, and not by others
    ALIKE = "alike"
    UNTESTED = "untested"  # nobody has judged any of it


class ClaimCell(Record, frozen=True, kw_only=True):
    """What became of a statement in the latest of a column's runs that has it."""

    verdict: ClaimVerdict | None
    parts: Mapping[str, ClaimVerdict] = {}
    date: str | None = None  # UTC, ISO 8601: of the judgement
    toolchain: str | None = None  # the tools that were asked, with their versions; None: none was
    run: str | None = None  # the record, or the file
    why: Text | None = None  # why there is no verdict


class ClaimRow(Record, frozen=True, kw_only=True):
    """One statement over all columns."""

    ledger: str
    id: str
    chapter: str
    wording: str | None  # as the document has it; a record has ids alone
    standing: ClaimStanding
    cells: tuple[ClaimCell, ...]


class ColumnCurve(Record, frozen=True, kw_only=True):
    """One probe's curve of one column."""

    column: str
    curve: Curve


class Refusal(Record, frozen=True, kw_only=True):
    """A record, or a kernel of it, that is not compared: the field, and its value on both sides."""

    name: str  # run id, or name of the file
    column: str | None
    field: str
    wanted: str | None  # the baseline's
    found: str | None
    kernel: str | None = None  # None: all of its times


class Differing(Record, frozen=True, kw_only=True):
    """Something in which the columns differ though they may be compared; a column that does not say is left out."""

    field: str
    values: Mapping[str, tuple[str, ...]]  # column: what its runs had


class Comparison(Record, frozen=True, kw_only=True):
    """``labkit compare --json``."""

    schema: int = SCHEMA
    labkit_version: str
    axis: Axis
    baseline: str  # a column's name
    identity: tuple[str, ...]  # the keys by which machines are told apart
    control: str | None  # the kernel that times are divided by for ``to_control``
    seed: int  # of the bootstrap
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    findings: tuple[FindingRow, ...] = ()
    binaries: tuple[BinaryRow, ...] = ()
    curves: tuple[ColumnCurve, ...] = ()
    claims: tuple[ClaimRow, ...] = ()  # those that differ first
    refused: tuple[Refusal, ...] = ()
    differs: tuple[Differing, ...] = ()


class Fault(Record, frozen=True, kw_only=True):
    """One thing that is wrong with a record that came from outside."""

    field: str  # a path into the record: performance.samples[2].processes[0]
    what: Text


class Checked(Record, frozen=True, kw_only=True):
    """``labkit compare --check --json``: one file, and what is wrong with it; no fault: it may be compared."""

    file: str
    kind: str  # record, bench, imported, unknown
    faults: tuple[Fault, ...]


class CheckOutput(Record, frozen=True, kw_only=True):
    """All files that were checked."""

    files: tuple[Checked, ...]
