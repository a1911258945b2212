"""A run against the record of another: is a slowdown shown? Two runs cannot be paired: the test is an unpaired one.

The rule: a kernel is slower when Mann-Whitney's p-value, adjusted by Holm over the kernels that are compared, is below
5 % and the estimated ratio of times exceeds the threshold. CPU time is compared where both sides have it: what a
neighbour takes is not in it. Where the machine, the suite or the translation is another, nothing is compared.
"""

import math
from collections.abc import Iterable
from typing import Final

from labkit.bench.paired.judging import holm
from labkit.bench.regression.baseline import HARD, Baseline, Series, load, of_samples
from labkit.bench.regression.unpaired import ALPHA, detectable, least_processes, p_value, percent, shift
from labkit.bench.statistics import summarise
from labkit.bench.summary import QUIET_CPU_SHARE
from labkit.errors import UsageError, VacuousError
from labkit.model.base import Text
from labkit.model.paired import Clock
from labkit.model.regression import Change, Difference, LeftOut, Regression, Verdict

__all__ = [
    "THRESHOLD_PERCENT",
    "Baseline",
    "comparable",
    "compare",
    "could_see_percent",
    "in_common",
    "load",
    "of_samples",
]

#: The smallest change that is a verdict. Two runs lie hours or weeks apart, and what changed of the machine between
#: them is in no interval of either; the paired method, which runs both sides together, has 1 %.
THRESHOLD_PERCENT: Final = 5.0


def compare(before: Baseline, after: Baseline, *, threshold_percent: float = THRESHOLD_PERCENT) -> Regression:
    """Return how a run stands against a baseline.

    Raises:
        UsageError: They are of different machines, suites or translations; the message names the field.
        VacuousError: They have no kernel in common.

    """
    comparable(before, after)
    pairs: dict[str, tuple[Clock, tuple[float, ...], tuple[float, ...]]] = {}
    left_out: list[LeftOut] = []
    for kernel in dict.fromkeys((*after.series, *before.series)):
        old, new = before.series.get(kernel), after.series.get(kernel)
        if old is None or new is None:
            which = "no_baseline" if old is None else "not_run"
            left_out.append(LeftOut(kernel=kernel, why=Text(id=f"benchcli.why.{which}")))
            continue
        chosen = _chosen(old, new)
        if isinstance(chosen, Text):
            left_out.append(LeftOut(kernel=kernel, why=chosen))
        else:
            pairs[kernel] = chosen
    if not pairs:
        raise _vacuous(before, after.series)
    p_values = [p_value(old, new) for _clock, old, new in pairs.values()]
    changes = [
        _change(kernel, pair, (p, adjusted), family=len(pairs), threshold_percent=threshold_percent)
        for (kernel, pair), p, adjusted in zip(pairs.items(), p_values, holm(p_values), strict=True)
    ]
    return Regression(
        baseline=before.name,
        baseline_taken_at=before.taken_at,
        alpha=ALPHA,
        threshold_percent=threshold_percent,
        changes=tuple(changes),
        not_compared=tuple(left_out),
        differences=_differences(before, after),
    )


def in_common(before: Baseline, kernels: Iterable[str]) -> None:
    """Refuse a comparison that would look at nothing.

    Raises:
        VacuousError: The baseline has none of these kernels.

    """
    if before.series.keys().isdisjoint(kernels):
        raise _vacuous(before, kernels)


def _vacuous(before: Baseline, kernels: Iterable[str]) -> VacuousError:
    return VacuousError(
        f"{before.name} and this run have no kernel that can be compared: "
        f"{', '.join(sorted(before.series))} there, {', '.join(sorted(kernels))} here",
        remedy="run the same kernels (--kernel, --suite), or take a baseline of these with `labkit bench --out`",
    )


def could_see_percent(times: Iterable[float]) -> float | None:
    """Return which change a second sample like this one would show in 80 % of cases, in percent; None: none.

    From the interval of the ratio between the sample and itself: another run as long, and as noisy, has one as wide.
    """
    values = tuple(times)
    seen = detectable(shift(values, values), alpha=ALPHA)
    return None if seen is None else percent(seen)


_IDENTITY: Final = frozenset({*HARD, "machine", "toolchain"} - {"translated"})


def comparable(before: Baseline, after: Baseline) -> None:
    """Refuse to compare what is of another machine, suite or translation; what a side does not say is not held to it.

    Raises:
        UsageError: The message names the field, and both values.

    """
    for field in HARD:
        was, now = before.facts.get(field), after.facts.get(field)
        if was is not None and now is not None and not _same(field, was, now):
            raise UsageError(
                f"{before.name} cannot be compared with this run: {field} is {was} there and {now} here",
                remedy="compare with a baseline of this machine and suite: `labkit bench --out base.json` takes one",
            )


def _same(field: str, was: str, now: str) -> bool:
    # `go test` cuts and squeezes the name that /proc/cpuinfo has.
    return was == now or (field == "chip" and " ".join(was.split()).lower() == " ".join(now.split()).lower())


def _differences(before: Baseline, after: Baseline) -> tuple[Difference, ...]:
    found = []
    for field in after.facts:
        was, now = before.facts.get(field), after.facts[field]
        both = was is not None and now is not None
        # That a file does not say how hot the machine was is no news; that it does not say which machine, is.
        if was != now and (field not in HARD if both else field in _IDENTITY):
            found.append(Difference(field=field, before=was, after=now))
    return tuple(found)


def _chosen(old: Series, new: Series) -> tuple[Clock, tuple[float, ...], tuple[float, ...]] | Text:
    if old.cpu and new.cpu:
        return Clock.CPU, old.cpu, new.cpu
    share = new.cpu_share
    if new.single_threaded and share is not None and share < QUIET_CPU_SHARE:
        return Text(id="benchcli.why.busy", values={"percent": round(100 * share)})
    return Clock.WALL, old.wall, new.wall


def _change(
    kernel: str,
    pair: tuple[Clock, tuple[float, ...], tuple[float, ...]],
    p_values: tuple[float, float],
    *,
    family: int,
    threshold_percent: float,
) -> Change:
    clock, old, new = pair
    p, adjusted = p_values
    seen, level = shift(old, new), ALPHA / family
    change = percent(seen.estimate)
    hidden = detectable(shift(old, new, alpha=level), alpha=level, threshold=math.log1p(threshold_percent / 100))
    if adjusted < ALPHA and abs(change) >= threshold_percent:
        verdict = Verdict.SLOWER if change > 0 else Verdict.FASTER
    else:
        verdict = Verdict.TOO_FEW if min(len(old), len(new)) < least_processes(level) else Verdict.NONE
    return Change(
        kernel=kernel,
        clock=clock,
        before=summarise(old),
        after=summarise(new),
        change_percent=change,
        low_percent=None if seen.low is None else percent(seen.low),
        high_percent=None if seen.high is None else percent(seen.high),
        p=p,
        p_adjusted=adjusted,
        could_have_seen_percent=None if hidden is None else percent(hidden),
        verdict=verdict,
    )
