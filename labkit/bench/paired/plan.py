"""How a comparison is taken: how many slices, how long, in which order. The looks are :mod:`.sequential`'s."""

import random
from collections.abc import Sequence
from typing import Final

from labkit.errors import UsageError
from labkit.model.base import Record

_LIMITS: Final = {
    "couples": (4, 256),
    "slice_time_us": (100, 1_000_000),
    "time_limit_s": (0.1, 3600),
    "seed": (0, 2**63 - 1),
}


class PairedPlan(Record, frozen=True, kw_only=True):
    """How pairs are taken; the defaults are what docs/method.md proves.

    Raises:
        UsageError: A number is out of its range, or the couples are odd (each arm goes first in half of them).

    """

    couples: int = 64  # of alternating slices in a pair
    slice_time_us: int = 500  # CPU time
    time_limit_s: float = 10.0  # for each comparison, start-up included
    seed: int = 1  # of every order

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name, (least, most) in _LIMITS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise UsageError(
                    f"{name} is {value}; a comparison takes {least} to {most}", remedy=f"choose another {name}"
                )
        if self.couples % 2:
            raise UsageError(f"couples is {self.couples}, which is odd", remedy="choose an even number")


class Roles:
    """Who is first, drawn from a seed: each arm in half of the cases, in an order that nobody can foresee.

    Every two pairs have each arm started first once; in every pair each arm goes first in half of the couples.
    """

    def __init__(self, seed: int, couples: int) -> None:
        self._coin = random.Random(seed)  # noqa: S311 - an order of work, not a secret
        self._couples = couples
        self._next: list[bool] = []

    def changed_starts_first(self) -> bool:
        """Return whether the changed arm is started first in the next pair."""
        if not self._next:
            self._next = self._coin.sample([False, True], k=2)
        return self._next.pop()

    def changed_goes_first(self) -> tuple[bool, ...]:
        """Return for each couple of the next pair whether the changed arm's slice is the first."""
        half = self._couples // 2
        return tuple(self._coin.sample([False] * half + [True] * half, k=self._couples))

    def core(self, cores: Sequence[int]) -> int | None:
        """Return which of these cores the next pair is held to; None when there are none to choose from."""
        return self._coin.choice(cores) if cores else None

    def shuffled(self, count: int) -> list[int]:
        """Return the numbers below ``count`` in a new order."""
        return self._coin.sample(range(count), k=count)
