"""Benchmarks and their comparison as rows of text, for a terminal and for Markdown."""

from collections.abc import Sequence
from typing import Final

from labkit.bench.benchfmt.units import common_scale
from labkit.bench.regression.unpaired import least_processes
from labkit.model.bench import Interval
from labkit.model.paired import Difference as PairedDifference
from labkit.model.regression import BenchOutput, Change, Difference, Measured, Regression, Verdict
from labkit.words import Language, render, say

Rows = tuple[tuple[str, ...], ...]  # the first has the heads

_SAMPLE_HEADS: Final = ("kernel", "cpu", "interval", "wall", "interval", "share", "n", "could_see", "doubts")
_PAIRED_HEADS: Final = ("kernel", "ratio", "interval", "pairs", "by", "verdict")
_CHANGE_HEADS: Final = ("kernel", "before", "after", "change", "interval", "p", "verdict")


def sample_rows(output: BenchOutput, language: Language | None = None) -> Rows:
    """Return a row a kernel: times of an operation with their intervals, and what a second run could tell."""
    return (_heads(_SAMPLE_HEADS, language), *(_sample(each, language) for each in output.kernels))


def translated_rows(found: Sequence[PairedDifference], language: Language | None = None) -> Rows:
    """Return a row a kernel of native against translated: how many times the native time, with its interval."""
    return (_heads(_PAIRED_HEADS, language), *(_paired(each, language) for each in found))


def change_rows(regression: Regression, language: Language | None = None) -> Rows:
    """Return a row a kernel that was compared."""
    return (_heads(_CHANGE_HEADS, language), *(_change(each, regression, language) for each in regression.changes))


def summary(regression: Regression, language: Language | None = None) -> str:
    """Return in a sentence or two whether a slowdown is shown."""
    slower, n = regression.slower, len(regression.changes)
    blind = sum(change.verdict is Verdict.TOO_FEW for change in regression.changes)
    if slower:
        told = say("benchcli.regression.failed", language, n=len(slower), all=n, kernels=", ".join(slower))
    else:
        told = say("benchcli.regression.passed", language, all=n)
    return told + (" " + say("benchcli.regression.blind", language, n=blind) if blind else "")


def notes(regression: Regression, language: Language | None = None) -> tuple[str, ...]:
    """Return what is to be known beside the rows: the baseline's time, the rule, what differs, what was left out."""
    rule = say(
        "benchcli.regression.rule",
        language,
        alpha=f"{100 * regression.alpha:g}",
        threshold=f"{regression.threshold_percent:g}",
        all=len(regression.changes),
    )
    taken = regression.baseline_taken_at
    return (
        *((say("benchcli.regression.taken", language, taken_at=taken),) if taken else ()),
        rule,
        *(_difference(each, language) for each in regression.differences),
        *(
            say("benchcli.regression.not_compared", language, kernel=each.kernel, why=render(each.why, language))
            for each in regression.not_compared
        ),
    )


def verdict(change: Change, regression: Regression, language: Language | None = None) -> str:
    """Return a change's verdict, with what could have been seen where none is shown."""
    seen = change.could_have_seen_percent
    least = least_processes(regression.alpha / len(regression.changes))
    return say(
        f"benchcli.verdict.{change.verdict}", language, percent="-" if seen is None else f"{seen:.1f}", least=least
    )


def time(ns: float) -> str:
    """Return a time with four digits and its unit."""
    return common_scale([ns * 1e-9], binary=False).show(ns * 1e-9) + "s"


def bounds(interval: Interval, language: Language | None = None) -> str:
    """Return an interval's two ends."""
    if interval.low is None or interval.high is None:
        return say("benchcli.table.no_interval", language)
    return f"{time(interval.low)} .. {time(interval.high)}"


def _heads(ids: tuple[str, ...], language: Language | None) -> tuple[str, ...]:
    return tuple(say(f"benchcli.head.{each}", language) for each in ids)


def _sample(measured: Measured, language: Language | None) -> tuple[str, ...]:
    sample, seen = measured.sample, measured.could_see_percent
    return (
        sample.kernel,
        time(sample.cpu.median),
        bounds(sample.cpu, language),
        time(sample.wall.median),
        bounds(sample.wall, language),
        f"{sample.cpu_share.median:.0%}",
        str(sample.cpu.n),
        say("benchcli.table.nothing", language) if seen is None else f"{seen:.1f} %",
        ", ".join(
            say(each.id.replace("bench.warning.", "bench.short."), language, **each.values) for each in sample.warnings
        )
        or "-",
    )


def _paired(found: PairedDifference, language: Language | None) -> tuple[str, ...]:
    told = found.verdict
    return (
        f"{found.kernel} ({say(f'benchcli.clock.{told.clock}', language)})",
        "-" if told.ratio is None else f"{told.ratio:.3g}x",
        say("benchcli.table.no_interval", language)
        if told.low is None or told.high is None
        else f"{told.low:.3g}x .. {told.high:.3g}x",
        str(told.pairs),
        str(found.changed.translator or "-"),
        say(f"paired.judgement.{told.judgement}", language),
    )


def _change(change: Change, regression: Regression, language: Language | None) -> tuple[str, ...]:
    interval = say("benchcli.table.no_interval", language)
    if change.low_percent is not None and change.high_percent is not None:
        interval = f"{change.low_percent:+.1f} .. {change.high_percent:+.1f} %"
    clock = say(f"benchcli.clock.{change.clock}", language)
    return (
        f"{change.kernel} ({clock})",
        time(change.before.median),
        time(change.after.median),
        f"{change.change_percent:+.1f} %",
        interval,
        f"{change.p_adjusted:.2g}",
        verdict(change, regression, language),
    )


def _difference(difference: Difference, language: Language | None) -> str:
    unsaid = say("benchcli.regression.unsaid", language)
    return say(
        "benchcli.regression.differs",
        language,
        field=difference.field,
        before=difference.before or unsaid,
        after=difference.after or unsaid,
    )
