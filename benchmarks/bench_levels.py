"""Makes labkit/bench/paired/levels.toml: how the least weighted p-value over all looks falls without a difference.

    python -m benchmarks.bench_levels [DRAWS]

Each draw is an experiment of independent values, symmetric about zero; ranks and signs are all that counts, so that
their distribution's shape does not. The kept probability is the Monte Carlo share plus two of its standard errors.
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np

from labkit.bench.paired.signed_rank import attainable
from labkit.system import store

OUT: Final = Path(__file__).parents[1] / "labkit" / "bench" / "paired" / "levels.toml"

#: The first look is the least at which a clear difference can be told (2/256); the last has almost the whole level,
#: because a small difference is told by many pairs. Fixed before any of the proofs' data was taken.
LOOKS: Final = (8, 12, 18, 24)
WEIGHTS: Final = (0.25, 0.3, 0.5, 1.0)
DRAWS: Final = 4_000_000
SEED: Final = 20240229
_CHUNK: Final = 100_000


def tail(n: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return the two-sided p-value of each lesser sum of ranks of n values."""
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1
    for rank in range(1, n + 1):
        ways[rank:] = ways[rank:] + ways[:-rank].copy()
    return np.minimum(1, 2 * np.cumsum(ways) / 2**n)


def least(draws: int, seed: int = SEED) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return the statistic of so many experiments without a difference."""
    coin = np.random.default_rng(seed)
    found = []
    for start in range(0, draws, _CHUNK):
        values = coin.standard_normal((min(_CHUNK, draws - start), LOOKS[-1]))
        quotients = []
        for n, weight in zip(LOOKS, WEIGHTS, strict=True):
            seen = values[:, :n]
            ranks = np.argsort(np.argsort(np.abs(seen), axis=1), axis=1) + 1
            above = (ranks * (seen > 0)).sum(axis=1)
            quotients.append(tail(n)[np.minimum(above, n * (n + 1) // 2 - above)] / weight)
        found.append(np.min(quotients, axis=0))
    return np.concatenate(found)


def possible() -> list[float]:
    """Return every value that the statistic can have, rising; what differs by rounding alone is one."""
    pairs = zip(LOOKS, WEIGHTS, strict=True)
    values = sorted(p / weight for n, weight in pairs for p in attainable(n))
    return [value for value, before in zip(values, [-1.0, *values], strict=False) if value - before > 1e-12]


def main() -> int:
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    drawn = np.sort(least(draws))
    lines = []
    for value in possible():
        share = np.searchsorted(drawn, value + 1e-12, side="right") / draws
        upper = share + 2 * np.sqrt(max(share * (1 - share), 1 / draws) / draws)
        if upper > 0.5:
            break
        lines.append((value, upper))
    text = (
        "# Made by benchmarks/bench_levels.py; do not edit.\n[schedule]\n"
        f"looks = {list(LOOKS)}\nweights = {list(WEIGHTS)}\ndraws = {draws}\nseed = {SEED}\n"
         "statistic = [\n" + "".join(f"    {value!r},\n" for value, _ in lines) + "]\n"
        + "probability = [\n" + "".join(f"    {float(upper):.7f},\n" for _, upper in lines) + "]\n"
    )  # fmt: skip
    store.write_atomically(OUT, text)
    print(f"{len(lines)} values from {draws} draws: {OUT}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
