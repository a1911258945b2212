"""Benchmarks taken now, and how they stand against another run's: what ``labkit bench`` prints with ``--json``."""

from enum import StrEnum

from labkit.model.base import Record, Text
from labkit.model.bench import Interval, Sample
from labkit.model.machine import Condition, Machine
from labkit.model.paired import Clock
from labkit.model.paired import Difference as PairedDifference

#: The schema of a bench document; a greater number is refused by name.
SCHEMA = 1


class Verdict(StrEnum):
    """What is shown of one kernel."""

    SLOWER = "slower"
    FASTER = "faster"
    NONE = "none"  # no difference shown; ``could_have_seen_percent`` says how large one might be hidden
    TOO_FEW = "too_few"  # so few processes that no difference could have been shown


class Change(Record, frozen=True, kw_only=True):
    """One kernel, before and after, times in ns per operation, one value a process.

    The change is the Hodges-Lehmann estimate of the ratio of an operation's times, less one, in percent: the median of
    all ratios of a process now to a process then; its interval is Moses's, at 95 %, for this kernel alone.
    """

    kernel: str
    clock: Clock  # CPU time is that of all threads, user and system
    before: Interval
    after: Interval
    change_percent: float
    low_percent: float | None
    high_percent: float | None
    p: float  # Mann-Whitney, two-sided, exact up to 50 processes on either side
    p_adjusted: float  # Holm over the kernels of this comparison
    could_have_seen_percent: float | None  # in 80 % of cases, at Holm's level for the first; None: nothing
    verdict: Verdict


class LeftOut(Record, frozen=True, kw_only=True):
    """A kernel that was not measured, or not compared, and why."""

    kernel: str
    why: Text


class Difference(Record, frozen=True, kw_only=True):
    """Something in which the two runs differ, though they may be compared; None: one of them does not say."""

    field: str
    before: str | None
    after: str | None


class Regression(Record, frozen=True, kw_only=True):
    """This run against a baseline."""

    baseline: str  # the file's name
    baseline_taken_at: str | None  # UTC, ISO 8601; of a Go benchmark file the day that it names
    alpha: float
    threshold_percent: float  # a smaller change is no verdict, however sure
    changes: tuple[Change, ...]
    not_compared: tuple[LeftOut, ...]
    differences: tuple[Difference, ...]

    @property
    def slower(self) -> tuple[str, ...]:
        """The kernels that a slowdown is shown of: where there are any, the gate fails."""
        return tuple(change.kernel for change in self.changes if change.verdict is Verdict.SLOWER)


class Measured(Record, frozen=True, kw_only=True):
    """One kernel's sample, and what a second run like it could tell."""

    sample: Sample
    could_see_percent: float | None  # the smallest change of CPU time, in 80 % of cases; None: none with so few


class BenchOutput(Record, frozen=True, kw_only=True):
    """``labkit bench --json``."""

    schema: int = SCHEMA
    labkit_version: str
    machine: Machine
    condition_before: Condition
    condition_after: Condition
    toolchain: str  # the set's name; its digest is in each sample
    kernels: tuple[Measured, ...]
    not_measured: tuple[LeftOut, ...]  # of those that were asked for
    regression: Regression | None
    translated: tuple[PairedDifference, ...] = ()  # with --translated: native against translated, in place of kernels
