"""Runs the probes' points in fresh processes, interleaved in a random order; judges nothing.

A process's time of a probe is its least slice: disturbance only adds, and a structure's own latency is what is left.
The times of layouts are the process's median, as for every other kernel.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.bench.plan import Plan, schedule
from labkit.bench.statistics import median
from labkit.bench.structure.knees import point
from labkit.bench.summary import cpu_ns_per_op, cpu_share, wall_ns_per_op
from labkit.bench.worker import Document, Kernel, run_once
from labkit.model.paired import Clock
from labkit.model.structure import Point

#: The curves, and the kernels whose points are compared with each other.
CURVES: Final = ("chase", "tlb", "tlb-dense", "line-stride")
LAYOUTS: Final = ("payload-encode", "false-sharing")

#: Of the few points: beyond this a chase takes long, and where the last cache is shared it tells of the neighbours.
FEW_CHASE_BYTES: Final = 16 << 20
_FEW_STRIDES: Final = (8, 32, 64, 128, 256)


@dataclass(frozen=True)
class Taken:
    """One process: which kernel at which point, and what it printed."""

    kernel: str
    at: int
    document: Document


def points_of(kernel: Kernel, *, every: bool) -> tuple[int, ...]:
    """Return the points to measure: all of the kernel's, or few (octaves; strides up to 256 bytes)."""
    if every or kernel.name in LAYOUTS:
        return kernel.points
    if kernel.name == "line-stride":
        return tuple(each for each in kernel.points if each in _FEW_STRIDES)
    octaves = (each for each in kernel.points if each & (each - 1) == 0)
    return tuple(each for each in octaves if kernel.name != "chase" or each <= FEW_CHASE_BYTES)


def sweep(
    worker: Path,
    points: Mapping[str, Sequence[int]],
    *,
    processes: int,
    seed: int,
    slices: int = 7,
    slice_time_ms: int = 2,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[Taken, ...]:
    """Run every point of every kernel in so many fresh processes.

    Args:
        worker: The worker program.
        points: The points of each kernel.
        processes: How many for each point, 6 for an interval.
        seed: Of the order.
        slices: Within each process.
        slice_time_ms: What a slice is calibrated for. Short ones: one of them is undisturbed where long ones never are.
        progress: Called after each process with the number done, the number of all, and the kernel.

    Raises:
        ProcessError: The worker could not be started.
        TimeoutExpiredError: A process did not end in time.
        WorkerError: A process failed, a kernel's check failed, or the numbers make no sense.

    """
    plan = Plan(slices=slices, slice_time_ms=slice_time_ms)
    names = {f"{kernel}@{at}": (kernel, at) for kernel, some in points.items() for at in some}
    order = schedule(tuple(names), processes, seed)
    taken = []
    for done, name in enumerate(order, start=1):
        taken.append(Taken(*names[name], run_once(worker, name, plan)))
        if progress is not None:
            progress(done, len(order), name)
    return tuple(taken)


def curve_points(taken: Sequence[Taken], kernel: str) -> tuple[Point, ...]:
    """Return a probe's points by size, each from the least slices of its processes, in CPU time."""
    least: dict[int, list[float]] = {}
    for each in taken:
        if each.kernel == kernel:
            least.setdefault(each.at, []).append(min(cpu_ns_per_op(s) for s in each.document.raw_slices()))
    return tuple(point(at, least[at]) for at in sorted(least))


def page_cost(sparse: Sequence[Point], dense: Sequence[Point]) -> tuple[Point, ...]:
    """Return what many pages cost: the latency of one line a page, less what the same lines cost when they are packed.

    The dense lines' own least is added back, so that a curve without any cost is flat and not zero. What the packed
    lines take longer than their least is the caches' doing, not the TLB's.
    """
    packed = {each.at: each.time_ns.median for each in dense}
    floor = min(packed.values(), default=0.0)
    return tuple(
        point(each.at, [floor + max(0.0, time - packed[each.at]) for time in each.least_ns])
        for each in sparse
        if each.at in packed
    )


def times_of(taken: Sequence[Taken], kernel: str, at: int, clock: Clock) -> tuple[float, ...]:
    """Return each process's median time in ns per operation."""
    clocks = {Clock.CPU: cpu_ns_per_op, Clock.WALL: wall_ns_per_op}
    return tuple(
        median([clocks[clock](s) for s in each.document.raw_slices()])
        for each in taken
        if (each.kernel, each.at) == (kernel, at)
    )


def share_of(taken: Sequence[Taken], kernel: str) -> float:
    """Return the median CPU share of a kernel's processes: CPU time over wall time, 2 for two threads that both run."""
    shares = [median([cpu_share(s) for s in each.document.raw_slices()]) for each in taken if each.kernel == kernel]
    return median(shares)
