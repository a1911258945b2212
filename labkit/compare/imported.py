"""An imported text as entries: each machine and column of a table is one, for they are not runs of one another."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from labkit.bench.benchfmt.writer import PACKAGE, kernel_of
from labkit.compare.entry import Entry, Times, one, yes_no
from labkit.model.imported import ImportedRecord, PublishedSample, StatedMachine
from labkit.model.paired import Clock

#: labkit's own kernels, printed as Go benchmarks and published, are what they were: (unit, clock, to the model's unit).
_OWN: Final = {"sec/op": (Clock.WALL, 1e9), "cpu-sec/op": (Clock.CPU, 1e9)}


def entries(record: ImportedRecord, file: str) -> tuple[Entry, ...]:
    """Return what a text holds, an entry for each machine and column; equal names in two blocks are two entries."""
    found: dict[tuple[int, str | None], list[PublishedSample]] = {}
    for each in record.samples:
        found.setdefault((each.machine, each.column), []).append(each)
    return tuple(
        _entry(record, file, machine, (column, block), samples)
        for (machine, column), all_samples in found.items()
        for block, samples in _blocks(all_samples)
    )


def _blocks(samples: list[PublishedSample]) -> Iterator[tuple[int | None, list[PublishedSample]]]:
    names = [(each.name, each.package, each.unit) for each in samples]
    if len(set(names)) == len(names):
        yield None, samples
        return
    for block in dict.fromkeys(each.block for each in samples):
        yield block, [each for each in samples if each.block == block]


def _entry(
    record: ImportedRecord,
    file: str,
    machine: int,
    part: tuple[str | None, int | None],
    samples: list[PublishedSample],
) -> Entry:
    stated = record.machines[machine] if machine < len(record.machines) else StatedMachine()
    label = [f"{name} {value}" for name, value in zip(("column", "block"), part, strict=True) if value is not None]
    times: dict[str, Times] = {}
    for each in samples:
        key, found = _times(each)
        other = times.get(key)
        if other is not None and other.package == found.package and not found.values.keys() & other.values.keys():
            # One of our kernels by its other clock; CPU time is asked for first.
            both = {**other.values, **found.values}
            times[key] = replace(other, values={clock: both[clock] for clock in (Clock.CPU, Clock.WALL)})
            continue
        while key in times:  # the same name in two packages
            key += f" [{each.package}]"
        times[key] = found
    return Entry(
        name=" ".join([record.file, *label]),
        file=file,
        provenance=record.provenance,
        taken_at=None,
        facts={
            "chip": stated.chip or stated.cpu,
            "translated": yes_no(stated.translated),
            "platform": f"{stated.goos}/{stated.goarch}" if stated.goos and stated.goarch else None,
            "system": {"darwin": "macos"}.get(stated.goos or "", stated.goos),
        },
        soft={
            "hypervisor": "yes" if stated.virtual else None,
            "threads of Go": one(None if each.processors is None else str(each.processors) for each in samples),
            "published as": one(str(each.form) for each in samples),
        },
        times=times,
        source=record.source,
    )


def _times(sample: PublishedSample) -> tuple[str, Times]:
    # What was taken from the name is no part of it any more, and what is left may end in a number of its own: fft-4096.
    named = sample.name if sample.processors is None else f"{sample.name}-{sample.processors}"
    kernel = kernel_of(named) if sample.package == PACKAGE else None
    clock, factor = _OWN.get(sample.unit, (Clock.WALL, 1.0))
    own = kernel is not None and sample.unit in _OWN
    name = kernel if own and kernel is not None else sample.name
    return name if own or sample.unit == "sec/op" else f"{name} [{sample.unit}]", Times(
        values={clock: tuple(value * (factor if own else 1.0) for value in sample.values)},
        unit="ns/op" if own else sample.unit,
        package=sample.package or "",  # not said
        name=name,
        n=sample.n,
    )
