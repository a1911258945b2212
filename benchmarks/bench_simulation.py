"""Counts false alarms of the looks, alone and with Holm's correction, on seeded experiments without a difference.

    python -m benchmarks.bench_simulation [EXPERIMENTS]

Two numbers a shape: how often the rule alarms when every planned look is had (the worst case, for stopping early only
leaves out looks), and how often any of five comparisons that are judged together does. The threshold of 1 % is left
out, for it only takes alarms away. Then the interval's coverage where the experiment really stops.
"""

import math
import random
import sys
from collections.abc import Callable
from typing import Final

from labkit.bench.paired import judging
from labkit.bench.paired.sequential import schedule, statistic

EXPERIMENTS: Final = 20_000
FAMILY: Final = 5

#: How a pair's log ratio falls when there is no difference: symmetric about zero, by the roles' being given at random.
SHAPES: Final[dict[str, Callable[[random.Random], float]]] = {
    "normal": lambda draw: draw.gauss(0, 0.03),
    "heavy tails (Cauchy)": lambda draw: 0.01 * math.tan(math.pi * (draw.random() - 0.5)),
    "two heaps": lambda draw: draw.choice([-0.05, 0.05]) + draw.gauss(0, 0.01),
    "coarse clock, ties and zeros": lambda draw: round(draw.gauss(0, 0.02), 2),
}


def alarms(shape: Callable[[random.Random], float], experiments: int, seed: int) -> tuple[int, int]:
    """Return how many experiments alarm alone, and how many families of five hold at least one alarm."""
    draw, plan = random.Random(seed), schedule()
    alone = families = 0
    for _ in range(experiments // FAMILY):
        values = [[shape(draw) for _ in range(plan.looks[-1])] for _ in range(FAMILY)]
        p_values = [plan.p_value(statistic(one, len(plan.looks), plan)) for one in values]
        alone += sum(p <= judging.ALPHA for p in p_values)
        families += min(judging.holm(p_values)) <= judging.ALPHA
    return alone, families


def looked_at(values: list[float]) -> judging.Series:
    """Return the series at the look where the experiment would stop."""
    for looks in range(1, len(schedule().looks)):
        series = judging.Series(values=values, looks=looks)
        if judging.is_clear([series], 0) or judging.is_futile(series, judging.ALPHA):
            return series
    return judging.Series(values=values, looks=len(schedule().looks))


def covered(slowdown: float, scatter: float, draws: int, seed: int) -> tuple[float, float]:
    """Return the share of intervals that hold the true slowdown, and the share of experiments that show it."""
    draw, truth, held, found = random.Random(seed), math.log1p(slowdown), 0, 0
    for _ in range(draws):
        series = looked_at([draw.gauss(truth, scatter) for _ in range(schedule().looks[-1])])
        shift = judging.state(series).shift
        held += shift.low is not None and shift.high is not None and shift.low < truth < shift.high
        found += judging.shows_difference([series], 0)
    return held / draws, found / draws


def main() -> int:
    experiments = int(sys.argv[1]) if len(sys.argv) > 1 else EXPERIMENTS
    worst = 0.0
    for number, (name, shape) in enumerate(SHAPES.items()):
        alone, families = alarms(shape, experiments, 20240229 + number)
        shares = alone / experiments, families / (experiments // FAMILY)
        worst = max(worst, *shares)
        print(f"{name}: {100 * shares[0]:.2f} % alone, {100 * shares[1]:.2f} % of families of {FAMILY}", flush=True)
    for scatter in (0.01, 0.03, 0.06):
        for slowdown in (0.0, 0.01, 0.02, 0.05):
            held, found = covered(slowdown, scatter, max(200, experiments // 10), 7)
            print(
                f"pairs scatter by {scatter:.0%}, {slowdown:.0%} slower: the interval holds it in {100 * held:.1f} %, "
                f"a difference is shown in {100 * found:.1f} %",
                flush=True,
            )
    return int(worst > 0.055)


if __name__ == "__main__":
    raise SystemExit(main())
