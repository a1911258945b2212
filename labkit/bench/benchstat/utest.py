"""The Mann-Whitney U-test, with benchstat's choices of exact distribution, approximation and rounding.

Two independent samples; whether one tends to be larger (H. B. Mann, D. R. Whitney, "On a Test of Whether one of Two
Random Variables is Stochastically Larger than the Other", Annals of Mathematical Statistics 18 (1947), 50-60). As
github.com/aclements/go-moremath's ``stats.MannWhitneyUTest`` has it: the exact distribution up to 50 values a sample
(25 where values tie), beyond it the normal approximation with corrections for ties and for continuity.

Two oddities of it are kept, for its p-values are to be reproduced. Where values tie, the distribution need not be
symmetric; the smaller of the two U is looked up in the distribution of the first sample's, whichever it is of, so that
a p-value may even exceed 1. And with only two different values an integer division rounds towards zero
(:func:`_with_ties`).
"""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Final

#: The largest sample whose exact distribution is used, without ties and with.
EXACT_LIMIT: Final = 50
TIES_EXACT_LIMIT: Final = 25

# A count of permutations of two samples of at most 25 values fits: C(50, 25) is 1.3e14.
_SLOT_BITS: Final = 64


class NoTestError(Exception):
    """The test means nothing for these samples; the message says why, in benchstat's words."""


def p_value(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the two-sided p-value.

    Raises:
        NoTestError: A sample is empty, all values are equal, or one is not a number.

    """
    n1, n2 = len(first), len(second)
    if not (n1 and n2):
        raise NoTestError("sample is too small")
    if any(map(math.isnan, (*first, *second))):
        raise NoTestError("a value is not a number")
    ties, ranks = _ranked(first, second)
    u1 = ranks - n1 * (n1 + 1) / 2
    u2 = n1 * n2 - u1
    tied = len(ties) < n1 + n2
    if max(n1, n2) > (TIES_EXACT_LIMIT if tied else EXACT_LIMIT):
        return _approximate(u1, n1, n2, ties)
    if len(ties) == 1:
        raise NoTestError("all samples are equal")
    if u1 == u2:
        return 1.0
    least = min(u1, u2)
    return 2 * (_with_ties(int(2 * least), n1, ties) if tied else _without_ties(int(least), n1, n2))


def _ranked(first: Sequence[float], second: Sequence[float]) -> tuple[list[int], float]:
    """Return how many values stand at each rank, and the sum of the first sample's (ties share a mean rank)."""
    labelled = sorted([(value, 1) for value in first] + [(value, 0) for value in second])
    ties, ranks, before = [], 0.0, 0
    for _value, group in groupby(labelled, key=lambda each: each[0]):
        of_first = [label for _same, label in group]
        ties.append(len(of_first))
        ranks += (2 * before + 1 + len(of_first)) / 2 * sum(of_first)
        before += len(of_first)
    return ties, ranks


def _approximate(u1: float, n1: int, n2: int, ties: Sequence[int]) -> float:
    n = n1 + n2
    correction = sum(tie**3 - tie for tie in ties)
    deviation = math.sqrt(float(n1 * n2) * ((n + 1.0) - correction / (n * (n - 1.0))) / 12)
    if deviation == 0:
        raise NoTestError("all samples are equal")
    distance = u1 - n1 * n2 / 2
    distance -= math.copysign(0.5, distance) if distance else 0
    below = math.erfc(-(distance / deviation) / math.sqrt(2)) / 2
    return 2 * min(below, 1 - below)


def _without_ties(u: int, n1: int, n2: int) -> float:
    """Return the probability of at most ``u``, by Mann and Whitney's recurrence in doubles, as benchstat sums it.

    The order of the additions is kept: 1 value against 39 others can reach exactly 0.05 in exact arithmetic, and which
    side of the level the rounded one falls on is what benchstat prints.
    """
    small, large = min(n1, n2), max(n1, n2)
    table = [[0.0] * (u + 1) for _ in range(small + 1)]
    for m in range(large + 1):
        table[0][0] = 1.0
        for n in range(1, min(small, m) + 1):
            left = table[n - 1]
            right = table[n] if n <= m - 1 else table[m - 1]
            top = min(u, n * m)
            shifted = [0.0] * m + left[: max(0, top + 1 - m)]
            table[n][: top + 1] = [
                (n * shifted[i] + m * right[i]) / (n + m) if i >= m else m * right[i] / (n + m) for i in range(top + 1)
            ]
    total = 0.0
    for probability in table[small]:
        total += probability
    return total


def _with_ties(twice_u: int, n1: int, ties: Sequence[int]) -> float:
    """Return the probability that twice the first sample's U is at most ``twice_u``, counted exactly.

    ``ways[n]`` counts, for each sum of twice the ranks, the choices of n of the values so far as the first sample's: a
    polynomial whose coefficients lie side by side in one integer.
    """
    if len(ties) == 2:  # noqa: PLR2004 - two different values
        # makeUmemo's base case divides with Go's rounding towards zero, and so may count choices of a larger U.
        least = twice_u - n1 * (ties[0] - n1)
        if -sum(ties) < least < 0 and n1 <= ties[0]:
            return math.comb(ties[0], n1) / math.comb(sum(ties), n1)
    ways = [1] + [0] * n1
    before = 0
    for tie in ties:
        weight = (2 * before + tie) * _SLOT_BITS  # of one value of this rank, less the first sample's own share
        for n in range(n1, 0, -1):
            for taken in range(1, min(tie, n) + 1):
                if ways[n - taken]:
                    ways[n] += math.comb(tie, taken) * (ways[n - taken] << (taken * weight))
        before += tie
    coefficients = ways[n1] & ((1 << ((twice_u + n1 * n1 + 1) * _SLOT_BITS)) - 1)
    data = coefficients.to_bytes((coefficients.bit_length() + 7) // 8, "little")
    size = _SLOT_BITS // 8
    count = sum(int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size))
    return count / math.comb(before, n1)
