"""From one number a pair to a verdict: levels, Holm's correction, and whether more pairs could help. Measures nothing.

The rule stands in docs/method.md, and was fixed before the data of the proofs there was taken.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from labkit.bench.paired import signed_rank
from labkit.bench.paired.sequential import Schedule, schedule, statistic
from labkit.model.base import Text
from labkit.model.paired import Clock, Judgement, Look, Verdict

#: How often a difference may be shown where there is none, over all looks and all comparisons judged together.
ALPHA: Final = 0.05

#: A difference smaller than this is of no practical use; a log ratio of 1 %.
THRESHOLD: Final = math.log(1.01)

#: The interval's own level. It covers the truth in 94.4 to 96.8 % of experiments that stop early by these rules
#: (benchmarks.bench_simulation), and is told as 95 %.
INTERVAL_LEVEL: Final = 0.04

#: An experiment that could not have seen a difference of this size says nothing: 10 %.
NOISY: Final = 0.10

#: How many standard errors in one's favour the pairs to come are granted before they are called futile.
_FAVOUR: Final = 1.5


@dataclass(frozen=True, kw_only=True)
class Series:
    """One comparison's pairs on one clock: log ratios in the order taken, and how many looks were had."""

    values: Sequence[float]
    looks: int

    @property
    def looked_at(self) -> Sequence[float]:
        """The pairs up to the last look; a test that was planned for these may use no more."""
        return self.values[: schedule().looks[self.looks - 1]] if self.looks else ()


@dataclass(frozen=True, kw_only=True)
class State:
    """What the last look at a series says, before anything is told."""

    overall_p_value: float
    shift: signed_rank.Shift  # with the interval that is told
    repeated: signed_rank.Shift  # with an interval that covers at every look at once, and so may stop the experiment

    @property
    def beyond_threshold(self) -> bool:
        """Whether the estimate is large enough to matter."""
        return abs(self.shift.estimate) >= THRESHOLD

    @property
    def within_threshold(self) -> bool:
        """Whether the whole interval is too small to matter."""
        low, high = self.repeated.low, self.repeated.high
        return low is not None and high is not None and low > -THRESHOLD and high < THRESHOLD


def state(series: Series) -> State:
    """Return what the last look says; the series has had one."""
    plan = schedule()
    return State(
        overall_p_value=plan.p_value(statistic(series.values, series.looks, plan)),
        shift=signed_rank.shift(series.looked_at, INTERVAL_LEVEL),
        repeated=signed_rank.shift(series.looked_at, plan.level(series.looks - 1, ALPHA)),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number (S. Holm, Scand. J. Statist. 6 (1979) 65-70), in their order."""
    corrected, least = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = least
    return corrected


def corrected(family: Sequence[Series]) -> list[float]:
    """Return each series' overall p-value, corrected for the whole family; without a look it is 1."""
    return holm([state(series).overall_p_value if series.looks else 1.0 for series in family])


def is_clear(family: Sequence[Series], index: int) -> bool:
    """Return whether a series shows a difference or excludes one, so that more pairs could add nothing."""
    series = family[index]
    return bool(series.looks) and (shows_difference(family, index) or state(series).within_threshold)


def shows_difference(family: Sequence[Series], index: int) -> bool:
    """Return whether a series, which has had a look, shows a difference large enough to matter."""
    return state(family[index]).beyond_threshold and corrected(family)[index] <= ALPHA


def is_futile(series: Series, level: float) -> bool:
    """Return whether the pairs to come could hardly make a clear answer of what the last look saw.

    The interval is taken to shrink with the root of the number of pairs, and the estimate to move by as much as 1.5
    standard errors of that move in one's favour, towards a difference as towards none. To stop for this reason can
    only take alarms away.
    """
    plan, now = schedule(), state(series)
    if now.shift.low is None or now.shift.high is None:
        return False
    normal, n, last = NormalDist(), plan.looks[series.looks - 1], plan.looks[-1]
    error = (now.shift.high - now.shift.low) / 2 / -normal.inv_cdf(INTERVAL_LEVEL / 2)
    error_then = error * math.sqrt(n / last)
    moves = _FAVOUR * error * math.sqrt(1 - n / last)
    size = abs(now.shift.estimate)
    shown = size + moves >= max(THRESHOLD, -normal.inv_cdf(plan.level(-1, level) / 2) * error_then)
    same = max(0.0, size - moves) - normal.inv_cdf(plan.level(-1, ALPHA) / 2) * error_then < THRESHOLD
    return not shown and not same


def verdict(clock: Clock, family: Sequence[Series], index: int, *, too_busy: Text | None) -> Verdict:
    """Return what one series of a family says.

    Args:
        clock: What its values are ratios of.
        family: All series that are judged together.
        index: Which of them.
        too_busy: Why the machine's condition allows no verdict on this clock; None when it does.

    """
    series, plan = family[index], schedule()
    if not series.looks:
        reason = Text(id="paired.reason.few", values={"pairs": len(series.values), "least": plan.looks[0]})
        return _told(clock, family, index, Judgement.TOO_NOISY, too_busy or reason)
    if too_busy is not None:
        return _told(clock, family, index, Judgement.TOO_NOISY, too_busy)
    now = state(series)
    percent = round(100 * math.expm1(now.shift.estimate), 2)
    if shows_difference(family, index):
        judgement = Judgement.SLOWER if now.shift.estimate > 0 else Judgement.FASTER
        return _told(clock, family, index, judgement, _reason(judgement, percent=abs(percent)))
    threshold = round(100 * math.expm1(THRESHOLD), 2)
    if now.within_threshold:
        return _told(clock, family, index, Judgement.SAME, _reason(Judgement.SAME, threshold=threshold))
    seen = could_have_seen(family, index)
    if seen is None or seen > NOISY:
        limit = round(100 * NOISY)
        return _told(clock, family, index, Judgement.TOO_NOISY, Text(id="paired.reason.blind", values={"limit": limit}))
    judgement = Judgement.NO_DIFFERENCE_SHOWN
    return _told(clock, family, index, judgement, _reason(judgement, percent=round(100 * seen, 1)))


def could_have_seen(family: Sequence[Series], index: int) -> float | None:
    """Return the smallest slowdown, as a share, that these pairs would have shown in 80 % of cases; None: none.

    It is reckoned at the last look alone and at the level that Holm's correction left to it.
    """
    series = family[index]
    if not series.looks:
        return None
    left = sum(p_value > ALPHA for p_value in corrected(family)) or 1
    level = schedule().level(series.looks - 1, ALPHA / left)
    shift = signed_rank.detectable(series.looked_at, level, THRESHOLD)
    return None if math.isinf(shift) else math.expm1(shift)


def _reason(judgement: Judgement, **values: float) -> Text:
    return Text(id=f"paired.reason.{judgement}", values=values)


def _told(clock: Clock, family: Sequence[Series], index: int, judgement: Judgement, reason: Text) -> Verdict:
    series = family[index]
    plan: Schedule = schedule()
    looks = tuple(
        Look(
            pairs=n,
            p_value=signed_rank.p_value(series.values[:n]),
            overall_p_value=plan.p_value(statistic(series.values, upto, plan)),
        )
        for upto, n in enumerate(plan.looks[: series.looks], start=1)
    )
    now = state(series) if series.looks else None
    low, high = (now.shift.low, now.shift.high) if now else (None, None)
    return Verdict(
        clock=clock,
        judgement=judgement,
        reason=reason,
        ratio=math.exp(now.shift.estimate) if now else None,
        low=None if low is None else math.exp(low),
        high=None if high is None else math.exp(high),
        confidence=None if low is None else 1 - ALPHA,
        pairs=len(series.looked_at),
        looks=looks,
        holm_p_value=corrected(family)[index] if series.looks else None,
        compared_with=len(family),
        could_have_seen=could_have_seen(family, index),
    )
