"""Looking at the pairs several times without more false alarms than one look has.

At each look the exact p-value of the pairs so far is divided by the look's weight; the least quotient so far is the
statistic. Its distribution when there is no difference (the looks share their first pairs) was reckoned by Monte Carlo
and lies in ``levels.toml``, which ``python -m benchmarks.bench_levels`` makes; what is kept is the upper end of its
sampling error. The p-value over all looks is the chance of so small a statistic in *all* planned looks. So it holds
whatever the reason to stop early: stopping only leaves out looks that could have made it smaller.

The method is that of group-sequential tests (C. Jennison, B. W. Turnbull, Group Sequential Methods with Applications to
Clinical Trials, 2000), the interval their repeated confidence interval (chapter 9): it covers at every look at once.
"""

import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from labkit.bench.paired.signed_rank import p_value

#: Two quotients of the same two numbers may differ by their rounding.
_ROUNDING: Final = 1e-12


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """After how many pairs to look, with which weights, and the statistic's distribution without a difference."""

    looks: tuple[int, ...]
    weights: tuple[float, ...]
    draws: int
    seed: int
    statistic: tuple[float, ...]  # every value that it can have, rising, as far as the next is at most 0.5
    probability: tuple[float, ...]  # of at most that value

    def p_value(self, statistic: float) -> float:
        """Return the probability of a statistic at most this, 1 beyond the table."""
        place = bisect_left(self.statistic, statistic - _ROUNDING)
        return self.probability[place] if place < len(self.probability) else 1.0

    def level(self, look: int, overall: float) -> float:
        """Return the greatest p-value of the ``look``-th look (from 0) that is clear at this level over all looks."""
        place = bisect_right(self.probability, overall)
        return 0.0 if place == 0 else self.statistic[place - 1] * self.weights[look] + _ROUNDING


class _Levels(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schedule: Schedule


@cache
def schedule() -> Schedule:
    """Return labkit's schedule of looks."""
    text = resources.files(__package__ or "labkit.bench.paired").joinpath("levels.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Levels).schedule


def statistic(values: Sequence[float], upto: int, plan: Schedule) -> float:
    """Return the least weighted p-value of the first ``upto`` looks; one number a pair, in the order taken."""
    pairs = list(zip(plan.looks, plan.weights, strict=True))[:upto]
    return min(p_value(values[:n]) / weight for n, weight in pairs)
