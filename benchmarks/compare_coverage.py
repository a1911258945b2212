"""How often the bootstrap's interval of a ratio holds the true one: the table in docs/compare.md.

Synthetic times: lognormal, a standard deviation of 5 % within a run and, where there are several, between them.
"""

import math
import random

from labkit.compare.bootstrap import ratio_bounds

COMPARISONS = 600
SCATTER = 0.05
SHAPES = ((6, 1), (10, 1), (20, 1), (6, 3), (6, 5), (6, 10), (6, 25))


def side(draw: random.Random, processes: int, runs: int) -> list[list[float]]:
    between = [draw.gauss(0, SCATTER) if runs > 1 else 0.0 for _ in range(runs)]
    return [[math.exp(run + draw.gauss(0, SCATTER)) for _ in range(processes)] for run in between]


def held(processes: int, runs: int) -> float:
    hits = 0
    for seed in range(COMPARISONS):
        draw = random.Random(seed)
        bounds = ratio_bounds(side(draw, processes, runs), side(draw, processes, runs), seed=seed % 20)
        assert bounds is not None
        hits += bounds.low <= 1 <= bounds.high
    return hits / COMPARISONS


if __name__ == "__main__":
    print("| processes a run | runs a side | held |\n|---|---|---|")
    for processes, runs in SHAPES:
        print(f"| {processes} | {runs} | {held(processes, runs):.1%} |")
