"""From raw processes to a sample: medians over processes, and doubts as warnings that travel with the numbers."""

import math
from collections.abc import Sequence
from typing import Final

from labkit.bench.statistics import least_n, median, summarise
from labkit.model.base import Text
from labkit.model.bench import Interval, ProcessSample, Slice

#: Below this CPU share a single-threaded kernel waited for a core: its wall times say more of the neighbours.
QUIET_CPU_SHARE: Final = 0.9

#: Involuntary context switches per second of CPU time, median over processes. On a 2-core virtual machine the kernels
#: had medians of 30 to 260 without a neighbour (Go's own collector threads make most of them), and with a busy loop on
#: each core 900 to 1,500, the FFT, which collects nothing, 210.
MANY_SWITCHES_PER_S: Final = 500.0

#: An interval of wall time wider than this share of its median cannot tell small differences.
WIDE_INTERVAL: Final = 0.2

#: A slice's time may trend by this much within a process before it is a doubt.
DRIFT: Final = 0.02


def wall_ns_per_op(slice_: Slice) -> float:
    """Return a slice's wall time per operation, in ns."""
    return slice_.wall_time_ns / slice_.iterations


def cpu_ns_per_op(slice_: Slice) -> float:
    """Return a slice's CPU time per operation, in ns."""
    return slice_.cpu_time_ns / slice_.iterations


def cpu_share(slice_: Slice) -> float:
    """Return a slice's CPU time over its wall time."""
    return slice_.cpu_time_ns / slice_.wall_time_ns


def warnings(
    processes: Sequence[ProcessSample], *, wall: Interval, cpu_shares: Interval, single_threaded: bool
) -> tuple[Text, ...]:
    """Return the doubts about a sample: texts of the topic ``bench``, with their values."""
    found: list[Text] = []
    if wall.low is None or wall.high is None:
        found.append(Text(id="bench.warning.few", values={"n": wall.n, "least": least_n()}))
    elif wall.high - wall.low > WIDE_INTERVAL * wall.median:
        percent = round(100 * (wall.high - wall.low) / wall.median)
        found.append(Text(id="bench.warning.spread", values={"percent": percent}))
    if any(process.translated for process in processes):
        found.append(Text(id="bench.warning.translated"))
    if single_threaded and cpu_shares.median < QUIET_CPU_SHARE:
        found.append(Text(id="bench.warning.busy", values={"percent": round(100 * cpu_shares.median)}))
    switches_per_s = median([_switches_per_s(process) for process in processes])
    if single_threaded and switches_per_s > MANY_SWITCHES_PER_S:
        found.append(Text(id="bench.warning.switches", values={"per_second": round(switches_per_s)}))
    drift = summarise([_drift(process) for process in processes])
    # A trend is told when the processes agree on its direction, and it is large enough to matter.
    if drift.low is not None and drift.high is not None and drift.low * drift.high > 0:
        change = math.expm1(drift.median)
        if abs(change) >= DRIFT:
            found.append(Text(id="bench.warning.drift", values={"percent": round(100 * change, 1)}))
    return tuple(found)


def _switches_per_s(process: ProcessSample) -> float:
    return process.involuntary_switches / sum(s.cpu_time_ns for s in process.slices) * 1e9


def _drift(process: ProcessSample) -> float:
    """Return the log ratio of CPU time per operation, last half of the slices over first (an odd middle left out)."""
    times = [cpu_ns_per_op(s) for s in process.slices]
    half = len(times) // 2
    return math.log(median(times[-half:]) / median(times[:half]))
