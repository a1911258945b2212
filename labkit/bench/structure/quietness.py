"""Is the machine quiet enough to say anything: a verdict from its condition and from what the kernels got of a core."""

from collections.abc import Sequence
from typing import Final

from labkit.bench.statistics import median
from labkit.bench.summary import QUIET_CPU_SHARE, WIDE_INTERVAL
from labkit.model.base import Text
from labkit.model.bench import Interval, Sample
from labkit.model.machine import Condition
from labkit.model.structure import Quiet, Quietness

#: Above this load for each core the machine has more work than cores.
FULL_LOAD: Final = 1.0
_UNHURRIED: Final = {"nominal", None}


def quiet(before: Condition, after: Condition, samples: Sequence[Sample]) -> Quiet:
    """Return the verdict.

    The kernels decide, for they felt what was going on: with half the intervals of CPU time wider than 20 % of their
    median nothing can be said; where one-thread kernels got less than 90 % of a core CPU times stand and wall times do
    not. Load, heat, battery and low-power mode are told as reasons, and make a quiet verdict one of CPU time only.

    Args:
        before: The machine's condition before.
        after: And afterwards.
        samples: What was measured between; at least one of one thread, or the verdict is that nothing can be said.

    """
    single = [sample for sample in samples if sample.single_threaded]
    reasons = _conditions(before, after)
    if not single:
        return Quiet(verdict=Quietness.TOO_NOISY, reasons=(Text(id="structure.quiet.nothing"), *reasons))
    share = median([sample.cpu_share.median for sample in single])
    width = median([_width(sample.cpu) for sample in single])
    values: dict[str, str | float] = {"share": round(100 * share), "width": round(100 * width), "n": len(single)}
    told = Text(id="structure.quiet.kernels", values=values)
    if width > WIDE_INTERVAL:
        verdict = Quietness.TOO_NOISY
    elif share < QUIET_CPU_SHARE or reasons:
        verdict = Quietness.CPU_TIME_ONLY
    else:
        verdict = Quietness.QUIET
    return Quiet(verdict=verdict, reasons=(told, *reasons))


def _width(interval: Interval) -> float:
    if interval.low is None or interval.high is None:
        return 2 * WIDE_INTERVAL  # too few processes to have seen anything
    return (interval.high - interval.low) / interval.median


def _conditions(before: Condition, after: Condition) -> tuple[Text, ...]:
    found = []
    for when, condition in (("before", before), ("after", after)):
        cores, load = condition.logical_core_count, condition.load_1min
        # Labkit's own work is in the second load.
        if when == "before" and cores and load is not None and load > FULL_LOAD * cores:
            found.append(Text(id="structure.quiet.load", values={"load": round(load, 1), "cores": cores}))
        if condition.thermal_pressure not in _UNHURRIED:
            found.append(Text(id=f"structure.quiet.hot_{when}", values={"pressure": str(condition.thermal_pressure)}))
    if after.low_power_mode:
        found.append(Text(id="structure.quiet.low_power"))
    if after.power_source == "battery":
        found.append(Text(id="structure.quiet.battery"))
    return tuple(found)
