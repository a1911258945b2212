"""Rows of numbers: values with their intervals, ratios to the baseline, and why one of them is not there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from labkit.bench.regression import Baseline, compare
from labkit.bench.regression.baseline import Series
from labkit.bench.statistics import median, summarise
from labkit.compare import bootstrap
from labkit.compare.columns import Group
from labkit.compare.entry import Entry, Times
from labkit.model.base import Provenance, Text
from labkit.model.comparison import Axis, Ratio, Refusal, Row, Value
from labkit.model.paired import Clock
from labkit.model.regression import Change

#: What times are divided by for the second ratio: arithmetic alone, the same on every system, without allocation.
CONTROL: Final = "fft-4096"


@dataclass(frozen=True, kw_only=True)
class _Cell:
    """One kernel in one column: values a run, in the order of the runs."""

    runs: tuple[tuple[float, ...], ...]
    names: tuple[str, ...]  # of the runs
    days: int
    times: Times
    control: tuple[tuple[float, ...], ...] | None  # of the same runs; None where one of them has none
    n: int | None  # processes of all runs, or published values; None: the source does not say


def rows(
    groups: Sequence[Group], baseline: Group, *, axis: Axis, control: str | None, seed: int
) -> tuple[tuple[Row, ...], tuple[Refusal, ...]]:
    """Return a row a kernel or benchmark, those of the baseline first, and the kernels that are not comparable."""
    names = dict.fromkeys(name for made in (baseline, *groups) for entry in made.accepted for name in entry.times)
    changes = {made.name: _changes(baseline, made, axis) for made in groups if made is not baseline}
    made_rows, refused = [], []
    for name in names:
        clock = _clock(name, groups)
        cells = {made.name: _cell(made, name, clock, control) for made in groups}
        base = cells[baseline.name]
        ratios = []
        for made in groups:
            ratio, field = _ratio(made, baseline, cells, changes.get(made.name, {}).get(name), seed=seed)
            ratios.append(ratio)
            if field is not None:
                refused.append(_refusal(made, baseline, name, field))
        first = base or next(cell for cell in cells.values() if cell is not None)
        made_rows.append(
            Row(
                name=name,
                title=first.times.title,
                clock=clock,
                unit=first.times.unit,
                # With the seed of its side in a ratio a value's resamples are those of the ratio: drawn once.
                values=tuple(
                    _value(made, cells[made.name], seed + (0 if made is baseline else bootstrap.OTHER_SIDE))
                    for made in groups
                ),
                ratios=tuple(ratios),
            )
        )
    return tuple(made_rows), tuple(refused)


def _clock(name: str, groups: Sequence[Group]) -> Clock:
    """Return the clock that all have, the one that fits the kernel (CPU time, as a rule) before wall time."""
    found = [entry.times[name] for made in groups for entry in made.accepted if name in entry.times]
    first = next(iter(found[0].values))
    return first if all(first in times.values for times in found) else Clock.WALL


def _cell(made: Group, name: str, clock: Clock, control: str | None) -> _Cell | None:
    entries = [each for each in made.accepted if name in each.times and clock in each.times[name].values]
    if not entries:
        return None
    controls = [_control(each, name, clock, control) for each in entries]
    counts = [each.times[name].n for each in entries]
    return _Cell(
        runs=tuple(each.times[name].values[clock] for each in entries),
        names=tuple(each.name for each in entries),
        days=len({each.day for each in entries if each.day is not None}),
        times=entries[0].times[name],
        control=tuple(each for each in controls if each) if all(controls) else None,
        n=None if None in counts else sum(each for each in counts if each is not None),
    )


def _control(entry: Entry, name: str, clock: Clock, control: str | None) -> tuple[float, ...] | None:
    if control is None or control == name or control not in entry.times:
        return None
    return entry.times[control].values.get(clock)


def _value(made: Group, cell: _Cell | None, seed: int) -> Value:
    if cell is None:
        return Value(value=None, why=_absent(made))
    low, high, confidence = None, None, None
    if len(cell.runs) == 1:
        told = summarise(cell.runs[0])
        low, high, confidence = told.low, told.high, told.confidence
    elif (found := bootstrap.bounds(cell.runs, seed=seed)) is not None:
        low, high, confidence = found.low, found.high, bootstrap.CONFIDENCE
    return Value(
        value=bootstrap.centre(cell.runs),
        low=low,
        high=high,
        confidence=confidence,
        n=cell.n,
        runs=len(cell.runs),
        days=cell.days,
        unit=cell.times.unit,
        package=cell.times.package,
        provenance=made.provenance,
    )


def _absent(made: Group) -> Text:
    if made.judged_for is not None:
        return Text(id="compare.why.no_record", values={"chip": made.chip or made.name})
    if any(entry.times for entry in made.entries) and not made.accepted:
        return Text(id="compare.why.refused")
    if not any(entry.times for entry in made.entries):
        return Text(id="compare.why.no_times")
    return Text(id="compare.why.not_published" if made.provenance is Provenance.IMPORTED else "compare.why.no_kernel")


def _ratio(
    made: Group, baseline: Group, cells: Mapping[str, _Cell | None], change: Change | None, *, seed: int
) -> tuple[Ratio, str | None]:
    """Return the ratio, and the field by which there is none although both have a number."""
    base, own = cells[baseline.name], cells[made.name]
    if made is baseline:
        return (Ratio(ratio=None if own is None else 1.0, why=_absent(made) if own is None else None), None)
    if own is None or base is None:
        return Ratio(ratio=None, why=_one_sided(own, base, made, baseline)), None
    if (field := _not_comparable(own, base, made, baseline)) is not None:
        return Ratio(ratio=None, why=_differs_in(field)), field
    if not bootstrap.centre(base.runs):
        # Allocations may be none at all; times never are.
        return Ratio(ratio=None, why=Text(id="compare.why.zero", values={"baseline": baseline.name})), None
    # Only what ran side by side, in the same runs, may be divided pair by pair.
    paired = _paired(made, baseline, base, own)
    if paired is not None:
        # Of one run this is the median over pairs; over several, runs are drawn first, as everywhere.
        found = bootstrap.bounds(paired, seed=seed)
        ratio = bootstrap.centre(paired)
    else:
        found = bootstrap.ratio_bounds(base.runs, own.runs, seed=seed)
        ratio = bootstrap.centre(own.runs) / bootstrap.centre(base.runs)
    to_control, control_bounds = _to_control(base, own, seed) if paired is None else (None, None)
    few = None if found else _unbounded((base, own))
    return Ratio(
        ratio=ratio,
        low=found.low if found else None,
        high=found.high if found else None,
        confidence=bootstrap.CONFIDENCE if found else None,
        paired=paired is not None,
        to_control=to_control,
        to_control_low=control_bounds.low if control_bounds else None,
        to_control_high=control_bounds.high if control_bounds else None,
        change=change,
        why=few,
    ), None


def _unbounded(cells: Sequence[_Cell]) -> Text:
    if any(cell.n is None or cell.n > sum(map(len, cell.runs)) for cell in cells):
        return Text(id="compare.why.summary")
    return Text(id="compare.why.no_interval", values={"least": bootstrap.LEAST})


def _differs_in(field: str) -> Text:
    return Text(id="compare.why.not_comparable", values={"field": field})


def _one_sided(own: _Cell | None, base: _Cell | None, made: Group, baseline: Group) -> Text:
    """Return why there is a number on one side alone; of what was published, the field in which the two do not meet."""
    there = own or base
    if there is not None and made.accepted and Provenance.IMPORTED in {made.provenance, baseline.provenance}:
        units = [
            {times.unit for entry in each.accepted for times in entry.times.values() if times.name == there.times.name}
            for each in (made, baseline)
        ]
        if not all(units):
            return _differs_in("benchmark")
        if not units[0] & units[1]:
            return _differs_in("unit")
    return _absent(made) if own is None else Text(id="compare.why.no_baseline", values={"baseline": baseline.name})


def _not_comparable(own: _Cell, base: _Cell, made: Group, baseline: Group) -> str | None:
    # A package that neither of two texts names need not be one; within a text it is.
    unsaid = not own.times.package and made.entries[0].file != baseline.entries[0].file
    if unsaid or own.times.package != base.times.package:
        return "package"
    if own.times.unit != base.times.unit:
        return "unit"
    payloads = (own.times.payload_bytes, base.times.payload_bytes)
    if None not in payloads and payloads[0] != payloads[1]:
        return "payload"
    if Provenance.IMPORTED in {made.provenance, baseline.provenance}:
        flags = {each.entries[0].facts.get("translated") for each in (made, baseline)} - {None}
        return "translated" if len(flags) > 1 else None
    return None


def _paired(made: Group, baseline: Group, base: _Cell, own: _Cell) -> tuple[tuple[float, ...], ...] | None:
    same = own.names == base.names and all(each.arms for each in (*made.accepted, *baseline.accepted))
    if not same or [len(run) for run in own.runs] != [len(run) for run in base.runs]:
        return None
    return tuple(tuple(b / a for a, b in zip(*pair, strict=True)) for pair in zip(base.runs, own.runs, strict=True))


def _to_control(base: _Cell, own: _Cell, seed: int) -> tuple[float | None, bootstrap.Bounds | None]:
    """Return the ratio once each run is divided by its own control, so that the clock rate has no part in it."""
    if base.control is None or own.control is None:
        return None, None
    centres, drawn = [], []
    for turn, cell in enumerate((base, own)):
        controls = cell.control or ()
        # A run's processes of the two kernels are no pairs: each is divided by the run's control as a whole.
        pairs = [(run, bootstrap.middle(control)) for run, control in zip(cell.runs, controls, strict=True)]
        # Where runs alone are drawn, only their medians count.
        many = len(pairs) > bootstrap.MANY_RUNS
        runs = [
            (bootstrap.middle(run) / control,) if many else tuple(value / control for value in run)
            for run, control in pairs
        ]
        centres.append(bootstrap.centre(runs))
        if bootstrap.enough(cell.runs):
            scatter = _scatter(controls, seed + 104729 * (turn + 1)) if len(controls) == 1 else None
            values = bootstrap.replicates(runs, seed=seed + bootstrap.OTHER_SIDE * turn)
            drawn.append([v / s for v, s in zip(values, scatter, strict=True)] if scatter else values)
    ratio = centres[1] / centres[0]
    if len(drawn) < len(centres):
        return ratio, None
    return ratio, bootstrap.percentiles([b / a for a, b in zip(*drawn, strict=True)])


def _scatter(controls: Sequence[tuple[float, ...]], seed: int) -> Sequence[float]:
    """Return how the control's own median varies, in shares of it: with one run nothing else carries it."""
    middle = median(controls[0])
    return [each / middle for each in bootstrap.replicates(controls, seed=seed)]


def _changes(baseline: Group, made: Group, axis: Axis) -> Mapping[str, Change]:
    """Return by kernel whether a regression is shown, where both are the same chip and were measured.

    Of one run each the processes are compared, as ``labkit bench --against`` does; of several, the runs are.
    """
    kinds = {made.provenance, baseline.provenance} & {Provenance.IMPORTED, Provenance.JUDGED}
    if axis is Axis.TRANSLATION or kinds or made.chip is None or made.chip != baseline.chip:
        return {}
    single = max(len([e for e in each.accepted if e.times]) for each in (made, baseline)) == 1
    before, after = (_series(each, single=single) for each in (baseline, made))
    shared = set(before.keys() & after.keys())
    if not shared:
        return {}
    whole = compare(*(_baseline(each, shared, group) for each, group in ((before, baseline), (after, made))))
    return {change.kernel: change for change in whole.changes}


def _baseline(series: Mapping[str, Series], shared: set[str], made: Group) -> Baseline:
    own = {name: each for name, each in series.items() if name in shared}
    return Baseline(name=made.name, taken_at=None, facts={}, series=own)


def _series(made: Group, *, single: bool) -> dict[str, Series]:
    found: dict[str, dict[Clock, list[float]]] = {}
    for entry in made.accepted:
        for name, times in entry.times.items():
            of = found.setdefault(name, {clock: [] for clock in Clock})
            for clock, values in times.values.items():
                of[clock] += values if single else [bootstrap.middle(values)]
    return {
        name: Series(wall=tuple(of[Clock.WALL]), cpu=tuple(of[Clock.CPU]), cpu_share=None, single_threaded=None)
        for name, of in found.items()
    }


def _refusal(made: Group, baseline: Group, kernel: str, field: str) -> Refusal:
    found, wanted = (_said(each, kernel, field) for each in (made, baseline))
    return Refusal(name=made.name, column=made.name, field=field, wanted=wanted, found=found, kernel=kernel)


def _said(made: Group, kernel: str, field: str) -> str | None:
    entry = next(each for each in made.accepted if kernel in each.times)
    times = entry.times[kernel]
    match field:
        case "package":
            return times.package or None
        case "unit":
            return times.unit
        case "payload":
            return None if times.payload_bytes is None else str(times.payload_bytes)
        case _:
            return entry.facts.get(field)
