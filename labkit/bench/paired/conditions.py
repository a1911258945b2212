"""What the pairs and the system say of the machine's condition, and which verdicts it allows. Judges no difference."""

import math
from collections.abc import Sequence
from typing import Final

from labkit.bench.paired.serving import Greeting
from labkit.bench.statistics import median
from labkit.bench.summary import MANY_SWITCHES_PER_S, QUIET_CPU_SHARE
from labkit.model.base import Text
from labkit.model.machine import Condition
from labkit.model.paired import Clock, Pair, PairedSlice, Translator

#: The least CPU time that the clock tells apart, in ns: getrusage counts whole microseconds.
CLOCK_STEP_NS: Final = 1000

#: From the first half of the pairs to the second the baseline may change by this much before it is a doubt.
DRIFT: Final = 0.05

_FULL_SPEED: Final = 100


def time_ns(slice_: PairedSlice, clock: Clock) -> int:
    """Return a slice's time on a clock, at least one step of it."""
    return max(CLOCK_STEP_NS, slice_.cpu_time_ns if clock is Clock.CPU else slice_.wall_time_ns)


def log_ratio(pair: Pair, clock: Clock, per_iteration: float) -> float:
    """Return what a pair says: the median over its couples of the log ratio, changed to baseline.

    This is the only way from slices to the tests, and it gives one number a pair: slices of one process are alike, and
    a test that takes each for a witness of its own raises false alarms.

    Args:
        pair: The pair.
        clock: Which of the slices' times.
        per_iteration: The baseline's nominal iterations in a slice over the changed arm's.

    """
    couples = zip(pair.baseline, pair.changed, strict=True)
    ratios = [math.log(time_ns(changed, clock) / time_ns(baseline, clock)) for baseline, changed in couples]
    return median(ratios) + math.log(per_iteration)


def cpu_share(pairs: Sequence[Pair]) -> float:
    """Return the CPU time over the wall time of a pair's slices, the median over pairs; 0 without pairs.

    Of the slices' sums, not the median slice: a short slice is seldom interrupted, and then for long.
    """
    return median([_share(pair) for pair in pairs]) if pairs else 0.0


def core_share(pairs: Sequence[Pair]) -> float | None:
    """Return what the probes got of a core, the median over pairs of the median; None where none were taken."""
    probed = [median(pair.core_shares) for pair in pairs if pair.core_shares]
    return median(probed) if probed else None


def switches_per_s(pairs: Sequence[Pair]) -> float:
    """Return the involuntary switches per second of CPU time, the median over pairs; 0 without pairs."""
    return median([_switches(pair) for pair in pairs]) if pairs else 0.0


def drift(pairs: Sequence[Pair]) -> float:
    """Return by which share the baseline's CPU time changed from the first half of the pairs to the last."""
    times = [median([time_ns(s, Clock.CPU) for s in pair.baseline]) for pair in pairs]
    half = len(times) // 2
    return median(times[-half:]) / median(times[:half]) - 1 if half else 0.0


def too_busy(pairs: Sequence[Pair], clock: Clock) -> Text | None:
    """Return why the machine was too busy for a verdict on this clock, None when it was not.

    CPU time needs no quiet machine. Wall time does: a single-threaded kernel's own CPU share tells whether it had its
    core; where a kernel sleeps by nature or has several threads, threads that never sleep were asked in its place.
    """
    if clock is Clock.CPU or not pairs:
        return None
    asked = core_share(pairs)
    share = cpu_share(pairs) if asked is None else asked
    if share >= QUIET_CPU_SHARE:
        return None
    values = {"percent": round(100 * share), "wanted": round(100 * QUIET_CPU_SHARE)}
    return Text(id="paired.reason.busy" if asked is None else "paired.reason.busy_cores", values=values)


def warnings(
    pairs: Sequence[Pair], greetings: Sequence[Greeting], before: Condition, after: Condition
) -> tuple[Text, ...]:
    """Return the doubts that go with an experiment, whatever its verdict."""
    found = [text for greeting in greetings for text in _of_arm(greeting)]
    if (switches := switches_per_s(pairs)) > MANY_SWITCHES_PER_S:
        found.append(Text(id="paired.warning.switches", values={"per_second": round(switches)}))
    if abs(change := drift(pairs)) >= DRIFT:
        found.append(Text(id="paired.warning.drift", values={"percent": round(100 * change, 1)}))
    found += [*_of_moment(before), *_of_moment(after)]
    if before.power_source != after.power_source:
        found.append(Text(id="paired.warning.power_changed"))
    if None not in {before.throttle_count, after.throttle_count} and before.throttle_count != after.throttle_count:
        found.append(Text(id="paired.warning.throttled"))
    return tuple(text for index, text in enumerate(found) if text not in found[:index])


def _of_arm(greeting: Greeting) -> list[Text]:
    found = []
    virtual = greeting.cpu_name.startswith("VirtualApple")
    # On Apple silicon an amd64 worker has both witnesses; elsewhere the first says nothing.
    if greeting.translated is not None and greeting.goarch == "amd64" and greeting.translated != virtual:
        said = ", ".join(f"{name} {value}" for name, value in greeting.witnesses.items())
        found.append(Text(id="paired.warning.witnesses", values={"said": said}))
    if greeting.translator is Translator.QEMU:
        found.append(Text(id="paired.warning.qemu"))
    return found


def _of_moment(condition: Condition) -> list[Text]:
    heat, limit = condition.thermal_pressure, condition.cpu_speed_limit_percent
    told: dict[str, tuple[dict[str, str | int | float], bool]] = {
        "battery": ({}, condition.power_source == "battery"),
        "low_power": ({}, bool(condition.low_power_mode)),
        "heat": ({"pressure": str(heat)}, heat is not None and heat != "nominal" and not heat.startswith("0 ")),
        "speed_limit": ({"percent": str(limit)}, limit is not None and limit < _FULL_SPEED),
    }
    return [Text(id=f"paired.warning.{name}", values=values) for name, (values, holds) in told.items() if holds]


def _share(pair: Pair) -> float:
    slices = (*pair.baseline, *pair.changed)
    return sum(s.cpu_time_ns for s in slices) / sum(s.wall_time_ns for s in slices)


def _switches(pair: Pair) -> float:
    slices = (*pair.baseline, *pair.changed)
    return sum(s.involuntary_switches for s in slices) / sum(time_ns(s, Clock.CPU) for s in slices) * 1e9
