"""What to measure and how often, and the order of the processes."""

import random
from collections.abc import Sequence
from typing import Final

from labkit.errors import UsageError
from labkit.model.base import Record

#: The least and the greatest value of each number of a plan.
LIMITS: Final = {"processes": (5, 200), "slices": (3, 200), "slice_time_ms": (2, 1000), "seed": (0, 2**63 - 1)}


class Plan(Record, frozen=True, kw_only=True):
    """A measurement: each kernel in so many fresh processes, each with so many slices of about so long.

    Raises:
        UsageError: A number is out of its range, or a kernel is named twice.

    """

    kernels: tuple[str, ...] = ()  # none named: the suite quick
    processes: int = 6  # the least that has a 95 % interval
    slices: int = 5
    slice_time_ms: int = 20
    seed: int = 1  # of the order; a kernel's input has a fixed seed of its own

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name, (least, most) in LIMITS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise UsageError(
                    f"{name} is {value}; a benchmark plan takes {least} to {most}", remedy=f"choose another {name}"
                )
        twice = sorted({kernel for kernel in self.kernels if self.kernels.count(kernel) > 1})
        if twice:
            raise UsageError(
                f"kernels named twice: {', '.join(twice)}", remedy="name each kernel once, or none for all"
            )


def schedule(kernels: Sequence[str], processes: int, seed: int) -> tuple[str, ...]:
    """Return which kernel each process runs: every round has each kernel once, in a new random order.

    So drift of the machine, and whatever one kernel leaves behind for the next, hits all kernels alike.
    """
    order = random.Random(seed)  # noqa: S311 - an order of work, not a secret
    rounds = (order.sample(list(kernels), k=len(kernels)) for _ in range(processes))
    return tuple(kernel for round_ in rounds for kernel in round_)
