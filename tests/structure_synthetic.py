"""Seeded synthetic curves of latency over size, with known capacities. Every number here is made up."""

import itertools
import random
from dataclasses import dataclass

from labkit.bench.structure.knees import point

KIB, MIB = 1024, 1024 * 1024
SIZES = sorted([(4 * KIB) << i for i in range(15)] + [(6 * KIB) << i for i in range(14)])


@dataclass(frozen=True)
class Synthetic:
    """How one curve is made."""

    name: str
    capacities: tuple[float, ...]  # bytes
    latencies_ns: tuple[float, ...]  # one more than capacities
    sharpness: float = 4.0  # 1: a random replacement's slow change; 8: a step
    noise: float = 0.02  # standard deviation of the logarithm, per process
    sag: float = 0.0  # doublings of time per doubling of size, everywhere
    contaminated_from: float = float("inf")  # bytes: from here on a neighbour's work is in each process's time
    outliers: float = 0.0  # the share of processes that a neighbour doubles or worse
    processes: int = 6
    octaves_only: bool = False
    scattered_at: tuple[int, ...] = ()  # bytes: here a process takes the time of twice the size as often as its own


def made(kind: Synthetic, seed: int):
    """Return the curve's points; the same seed gives the same."""
    rng = random.Random(f"{kind.name} {seed}")
    sizes = SIZES[::2] if kind.octaves_only else SIZES
    return tuple(point(size, [_time(kind, size, rng) for _ in range(kind.processes)]) for size in sizes)


def _time(kind, size, rng):
    if size in kind.scattered_at and rng.random() < 0.5:
        size *= 2
    time = kind.latencies_ns[0]
    for capacity, step in zip(kind.capacities, _steps(kind.latencies_ns), strict=True):
        if size > capacity:
            time += step * (1 - (capacity / size) ** kind.sharpness)
    time *= (size / SIZES[0]) ** kind.sag
    time *= rng.lognormvariate(0, kind.noise)
    if size >= kind.contaminated_from:
        time *= rng.lognormvariate(0.7, 0.7)
    if rng.random() < kind.outliers:
        time *= rng.uniform(1.8, 6)
    return time


def _steps(latencies):
    return [after - before for before, after in itertools.pairwise(latencies)]
