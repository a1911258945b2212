"""What curves mean on one machine: beside what it says of itself, and where they may not be what they look like."""

import math
import re
from collections.abc import Sequence
from typing import Final

from labkit.model.base import Text
from labkit.model.machine import Machine
from labkit.model.structure import Curve, Doubt, Knee, Point, Said

#: The least cycles that a load takes on any chip that labkit runs on: Apple's performance cores,
#: https://github.com/llvm/llvm-project/issues/210313. Others take 4 or 5.
LEAST_LOAD_CYCLES: Final = 3

#: Faster than any such chip runs: what is quicker than the least cycles at this frequency no load can be.
FASTEST_HZ: Final = 6.0e9

#: A chain over this many times the second cache must be slower than one within the first by this ratio.
_FAR: Final = 4
_SLOWER: Final = 2.0

#: From M2 on a load's address is predicted, from M3 on its value: https://predictors.fail/
PREDICTORS: Final = "https://predictors.fail/"
_FIRST_WITH_PREDICTORS: Final = 2


def beside(machine: Machine, chase: Curve | None) -> tuple[Said, ...]:
    """Return each cache that the fastest cores are said to have, with the stable knee that lies nearest to it.

    A knee belongs to the cache to whose size it is nearest, as a ratio. One beyond the point from which processes
    disagree is no answer.
    """
    if not machine.performance_levels or chase is None:
        return ()
    fastest = machine.performance_levels[0]
    sizes = {"l1d": fastest.l1d_cache_bytes, "l2": fastest.l2_cache_bytes, "l3": fastest.l3_cache_bytes}
    known = {name: size for name, size in sizes.items() if size}
    owners: dict[str, list[float]] = {name: [] for name in known}
    for knee in _stable(chase.knees):
        owners[min(known, key=lambda name: abs(math.log(knee.at / known[name])))].append(knee.at)
    return tuple(
        _said(name, size, min(owners[name], key=lambda at: abs(math.log(at / size)), default=None))
        for name, size in known.items()
    )


def line(machine: Machine, strides: Curve | None) -> tuple[Said, ...]:
    """Return the line that the machine tells of, with the first stride that costs a second miss."""
    if strides is None or machine.cache_line_bytes is None:
        return ()
    first = next(iter(_stable(strides.knees)), None)
    return (_said("line", machine.cache_line_bytes, float(first.above) if first else None),)


def doubts(machine: Machine, chase: Curve | None, strides: Curve | None) -> tuple[Doubt, ...]:
    """Return the rules by which the curves are perhaps not what they look like."""
    found = []
    if chase is not None and chase.points:
        found += _predicted(machine, chase)
    lines = line(machine, strides)
    if lines and (lines[0].found_bytes is None or lines[0].found_bytes > 2 * lines[0].said_bytes):
        found.append(
            Doubt(
                id="line-hidden",
                reason=Text(id="structure.doubt.line_hidden", values={"said": lines[0].said_bytes}),
                source="https://www.agner.org/optimize/microarchitecture.pdf",
                confirmed_on_hardware=False,
            )
        )
    return tuple(found)


def _predicted(machine: Machine, chase: Curve) -> list[Doubt]:
    found = []
    least_ns = 1e9 * LEAST_LOAD_CYCLES / FASTEST_HZ
    quickest = min(chase.points, key=lambda each: each.time_ns.median)
    if quickest.time_ns.median < least_ns:
        values: dict[str, str | float] = {
            "time": round(quickest.time_ns.median, 2),
            "least": round(least_ns, 2),
            "at": quickest.at,
        }
        found.append(_doubt("below-first-level", "structure.doubt.below", values))
    if _flat(machine, chase.points):
        found.append(_doubt("flat-chain", "structure.doubt.flat", {"at": chase.points[-1].at}))
    if has_predictors(machine.chip):
        found.append(_doubt("predictors", "structure.doubt.chip", {"chip": machine.chip or ""}))
    return found


def has_predictors(chip: str | None) -> bool:
    """Return whether a chip is said to predict addresses or values of loads: Apple's from M2 on."""
    named = re.match(r"Apple M(\d+)\b", chip or "")
    return named is not None and int(named[1]) >= _FIRST_WITH_PREDICTORS


def _flat(machine: Machine, points: Sequence[Point]) -> bool:
    second = machine.performance_levels[0].l2_cache_bytes if machine.performance_levels else None
    if second is None or points[-1].at < _FAR * second:
        return False
    return points[-1].time_ns.median < _SLOWER * points[0].time_ns.median


def _doubt(id_: str, text: str, values: dict[str, str | float]) -> Doubt:
    return Doubt(id=id_, reason=Text(id=text, values=values), source=PREDICTORS, confirmed_on_hardware=False)


def _said(name: str, size: int, found: float | None) -> Said:
    within = None if found is None else size / 2 <= found <= 2 * size
    return Said(name=name, level=0, said_bytes=size, found_bytes=found, within_a_factor_of_2=within)


def _stable(knees: Sequence[Knee]) -> list[Knee]:
    return [knee for knee in knees if knee.stable]
