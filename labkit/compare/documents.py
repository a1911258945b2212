"""A run's record and a bench document as entries: the fields that are compared, read alone, and what they say."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from labkit.bench.benchfmt.writer import PACKAGE
from labkit.bench.statistics import median
from labkit.compare.entry import NATIVE, TRANSLATED, Entry, Found, Times, one, yes_no
from labkit.model.base import Provenance, Text
from labkit.model.bench import Sample
from labkit.model.binary import Verdict
from labkit.model.check import Status
from labkit.model.machine import Condition, Machine, Translation
from labkit.model.paired import Clock, Difference
from labkit.model.structure import Curve


class _Finding(msgspec.Struct):
    id: str
    status: Status
    title: Text


class _Version(msgspec.Struct):
    version: str | None
    name: str = ""
    module: str = ""
    pinned_version: str | None = None


class _Set(msgspec.Struct):
    name: str
    tools: tuple[_Version, ...] = ()
    modules: tuple[_Version, ...] = ()


class _Install(msgspec.Struct):
    toolchain: _Set
    findings: tuple[_Finding, ...] = ()
    host: tuple[_Finding, ...] = ()


class _Findings(msgspec.Struct):
    findings: tuple[_Finding, ...] = ()


class _Binary(msgspec.Struct):
    path: str
    verdicts: tuple[Verdict, ...] = ()


class _Binaries(msgspec.Struct):
    tools: tuple[_Binary, ...] = ()
    servers: tuple[_Binary, ...] = ()
    findings: tuple[_Finding, ...] = ()


class _Structure(msgspec.Struct):
    curves: tuple[Curve, ...] = ()


class _Performance(msgspec.Struct):
    condition_before: Condition
    condition_after: Condition
    samples: tuple[Sample, ...] = ()
    translated: tuple[Difference, ...] = ()
    structure: _Structure | None = None


class RecordDocument(msgspec.Struct):
    """What is compared of a run's record."""

    schema: int
    run: str
    provenance: Provenance
    labkit_version: str
    started_at: str
    machine: Machine
    parameters: Mapping[str, str | int | float | bool | None] = {}
    install: _Install | None = None
    codegen: _Findings | None = None
    binaries: _Binaries | None = None
    performance: _Performance | None = None


class _Measured(msgspec.Struct):
    sample: Sample


class BenchDocument(msgspec.Struct):
    """What is compared of what ``labkit bench`` wrote."""

    schema: int
    labkit_version: str
    machine: Machine
    condition_before: Condition
    condition_after: Condition
    toolchain: str
    kernels: tuple[_Measured, ...]
    translated: tuple[Difference, ...] = ()


def of_record(record: RecordDocument, path: Path) -> Entry:
    """Return a run as an entry."""
    section = record.performance
    samples = section.samples if section else ()
    installed = record.install.toolchain if record.install else None
    provenances = {record.provenance, record.machine.provenance, *(each.provenance for each in samples)}
    return Entry(
        name=record.run,
        file=str(path),
        provenance=_weakest(provenances),
        taken_at=min((each.taken_at for each in samples), default=record.started_at),
        facts=_facts(record.machine, samples, section.translated if section else (), installed),
        soft=_soft(
            record.machine,
            samples,
            (section.condition_before, section.condition_after) if section else (),
            labkit_version=record.labkit_version,
        ),
        times={each.kernel: _times(each) for each in samples},
        machine=record.machine,
        arms=_arms(section.translated if section else ()),
        findings=dict(_found(record)),
        binaries=_verdicts(record.binaries),
        curves=section.structure.curves if section and section.structure else (),
    )


def of_bench(document: BenchDocument, path: Path) -> Entry:
    """Return what ``labkit bench`` measured as an entry."""
    samples = tuple(each.sample for each in document.kernels)
    return Entry(
        name=path.name,
        file=str(path),
        provenance=_weakest({document.machine.provenance, *(each.provenance for each in samples)}),
        taken_at=min((each.taken_at for each in samples), default=document.condition_before.taken_at),
        facts=_facts(document.machine, samples, document.translated, _Set(name=document.toolchain)),
        soft=_soft(
            document.machine,
            samples,
            (document.condition_before, document.condition_after),
            labkit_version=document.labkit_version,
        ),
        times={each.kernel: _times(each) for each in samples},
        machine=document.machine,
        arms=_arms(document.translated),
    )


def _weakest(kinds: set[Provenance]) -> Provenance:
    """Return what a document as a whole is: made up when anything in it is, then judged, imported, measured."""
    order = (Provenance.SYNTHETIC, Provenance.JUDGED, Provenance.IMPORTED, Provenance.MEASURED)
    return next(kind for kind in order if kind in kinds)


def _middle(ordered: list[float]) -> float:
    """Return the median of what is ordered: 72 of them a record, so without the checks of the general one."""
    if ordered[0] <= 0:
        raise ValueError("a time that nothing which ran can take")
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _times(sample: Sample) -> Times:
    return Times(
        values={
            Clock.CPU: tuple(
                [_middle(sorted([s.cpu_time_ns / s.iterations for s in each.slices])) for each in sample.processes]
            ),
            Clock.WALL: tuple(
                [_middle(sorted([s.wall_time_ns / s.iterations for s in each.slices])) for each in sample.processes]
            ),
        },
        unit=sample.unit,
        name=sample.kernel,
        package=PACKAGE,
        title=sample.title,
        payload_bytes=sample.payload_bytes,
        single_threaded=sample.single_threaded,
    )


def _arms(differences: tuple[Difference, ...]) -> dict[str, dict[str, Times]]:
    """Return both arms of each comparison, one value a pair: places in the two are those of one pair."""
    arms: dict[str, dict[str, Times]] = {}
    for each in differences:
        for name, facts, side in ((NATIVE, each.baseline, "baseline"), (TRANSLATED, each.changed, "changed")):
            values: dict[Clock, tuple[float, ...]] = {}
            for clock in Clock:
                of = "cpu_time_ns" if clock is Clock.CPU else "wall_time_ns"
                values[clock] = tuple(
                    median([getattr(slice_, of) for slice_ in getattr(pair, side)]) / facts.iterations
                    for pair in each.pairs
                )
            ordered = {each.verdict.clock: values[each.verdict.clock]} | values
            arms.setdefault(name, {})[each.kernel] = Times(
                values=ordered, unit="ns/op", package=PACKAGE, name=each.kernel
            )
    return arms


def _facts(
    machine: Machine, samples: Sequence[Sample], differences: Sequence[Difference], installed: _Set | None
) -> dict[str, str | None]:
    translated = {process.translated for sample in samples for process in sample.processes}
    go = {each.go_version for each in samples} | {each.baseline.go_version for each in differences}
    suites = {each.suite_version for each in samples} | {each.baseline.suite_version for each in differences}
    first = samples[0] if samples else None
    major = (machine.system_version or "").split(".")[0] or None
    return {
        "chip": machine.chip,
        "performance cores": _text(machine.performance_levels[0].physical_core_count)
        if machine.performance_levels
        else None,
        "cores": _text(machine.physical_core_count),
        "logical cores": _text(machine.logical_core_count),
        "memory": None if machine.memory_bytes is None else f"{round(machine.memory_bytes / (1 << 30))} GiB",
        "system": str(machine.system),
        "system major": None if major is None else f"{machine.system_name.split(' ')[0]} {major}",
        "model": machine.model,
        "machine": machine.id,
        "hypervisor": machine.hypervisor or ("" if machine.virtual is False else None),
        "suite": ", ".join(str(each) for each in sorted(suites)) or None,
        "translated": yes_no(True in translated or machine.translation is not Translation.NATIVE),
        "translator": ", ".join(sorted({str(each.changed.translator) for each in differences})) or None,
        "platform": None if first is None else first.platform,
        "go": ", ".join(sorted(go)) or None,
        "set": None if installed is None else installed.name,
        "toolchain": None if first is None else first.toolchain,
        "versions": _versions(installed),
    }


def _versions(installed: _Set | None) -> str | None:
    if installed is None or not installed.tools:
        return None
    parts = [f"{each.name} {each.version or each.pinned_version}" for each in installed.tools]
    return ", ".join([*parts, *(f"{each.module.rpartition('/')[2]} {each.version}" for each in installed.modules)])


def _soft(
    machine: Machine, samples: Sequence[Sample], conditions: tuple[Condition, ...], *, labkit_version: str
) -> dict[str, str | None]:
    loads = [each.load_1min for each in conditions if each.load_1min is not None]
    return {
        "labkit": labkit_version,
        "system version": machine.system_version,
        "system kernel": machine.kernel,
        "hypervisor": machine.hypervisor,
        "load": f"{max(loads):.1f}" if loads else None,
        "power source": one(each.power_source for each in conditions),
        "low-power mode": one(yes_no(each.low_power_mode) for each in conditions),
        "thermal pressure": one(each.thermal_pressure for each in conditions),
        "speed limit": one(_text(each.cpu_speed_limit_percent) for each in conditions),
        "threads of Go": one(str(each.gomaxprocs) for each in samples),
        "Go": one(each.go_version for each in samples),
        "worker": one(each.worker for each in samples),
        "slice time": one(f"{each.slice_time_ms} ms" for each in samples),
    }


def _found(record: RecordDocument) -> Iterator[tuple[str, Found]]:
    sections = (
        ("install", record.install.findings if record.install else ()),
        ("host", record.install.host if record.install else ()),
        ("codegen", record.codegen.findings if record.codegen else ()),
        ("binaries", record.binaries.findings if record.binaries else ()),
    )
    for section, findings in sections:
        for each in findings:
            yield each.id, Found(status=each.status, title=each.title, section=section)


def _verdicts(section: _Binaries | None) -> dict[str, Sequence[Verdict]]:
    if section is None:
        return {}
    return {each.path.rpartition("/")[2]: each.verdicts for each in (*section.tools, *section.servers)}


def _text(value: float | None) -> str | None:
    return None if value is None else str(value)
