"""A run's record and a bench document as entries: what their fields, read alone, say."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from labkit import __version__
from labkit.bench.benchfmt.writer import PACKAGE
from labkit.bench.statistics import median
from labkit.compare import parts
from labkit.compare.claim_documents import judged
from labkit.compare.entry import NATIVE, TRANSLATED, Entry, Found, Times, one, yes_no
from labkit.compare.parts import BenchDocument, ClaimsDocument, RecordDocument
from labkit.model.base import Provenance
from labkit.model.binary import Binary, Verdict
from labkit.model.check import Status
from labkit.model.machine import Machine, Translation
from labkit.model.paired import Clock, Difference


def of_record(record: RecordDocument, path: Path) -> Entry:
    """Return a run as an entry."""
    section = record.performance
    samples = section.samples if section else ()
    machine, who = _machine(bytes(record.machine))
    installed = parts.toolset(record.install.toolchain) if record.install else None
    provenances = {record.provenance, machine.provenance, *(each.provenance for each in samples)}
    return Entry(
        name=record.run,
        file=str(path),
        provenance=_weakest(provenances),
        taken_at=min((each.taken_at for each in samples), default=record.started_at),
        facts=_facts(who, samples, section.translated if section else (), installed),
        soft=_soft(
            machine,
            samples,
            (section.condition_before, section.condition_after) if section else (),
            labkit_version=record.labkit_version,
        ),
        times={each.kernel: _times(each) for each in samples if each.processes},  # none: nothing was measured
        machine=machine,
        arms=_arms(section.translated if section else ()),
        findings=dict(_found(record)),
        binaries=_verdicts(record.binaries),
        curves=section.structure.curves if section and section.structure else (),
        claims=judged(record.claims.ledger, record.claims.claims, record.run) if record.claims else {},
    )


def of_bench(document: BenchDocument, path: Path) -> Entry:
    """Return what ``labkit bench`` measured as an entry."""
    samples = tuple(each.sample for each in document.kernels)
    machine, who = _machine(bytes(document.machine))
    return Entry(
        name=path.name,
        file=str(path),
        provenance=_weakest({machine.provenance, *(each.provenance for each in samples)}),
        taken_at=min((each.taken_at for each in samples), default=document.condition_before.taken_at),
        facts=_facts(who, samples, document.translated, parts.Toolset(name=document.toolchain)),
        soft=_soft(
            machine,
            samples,
            (document.condition_before, document.condition_after),
            labkit_version=document.labkit_version,
        ),
        times={each.kernel: _times(each) for each in samples if each.processes},  # none: nothing was measured
        machine=machine,
        arms=_arms(document.translated),
    )


def of_claims(document: ClaimsDocument, path: Path) -> Entry:
    """Return what ``labkit claims --json`` wrote as an entry: no times, but verdicts."""
    machine, who = _machine(bytes(document.machine))
    return Entry(
        name=path.name,
        file=str(path),
        provenance=machine.provenance,
        taken_at=document.date,
        facts=_facts(who, (), (), None),
        soft=_soft(machine, (), (), labkit_version=None),
        times={},
        machine=machine,
        claims=judged(document.ledger, document.claims, path.name),
    )


def of_here(machine: Machine, binaries: Sequence[Binary]) -> Entry:
    """Return a machine on which nothing was measured, with programs that were judged on it."""
    return Entry(
        name="here",
        file="",
        provenance=machine.provenance,
        taken_at=None,
        facts=_facts(_who(machine), (), (), None),
        soft=_soft(machine, (), (), labkit_version=__version__),
        times={},
        machine=machine,
        binaries={Path(each.path).name: each.verdicts for each in binaries},
    )


def _weakest(kinds: set[Provenance]) -> Provenance:
    """Return what a document as a whole is: made up when anything in it is, then judged, imported, measured."""
    order = (Provenance.SYNTHETIC, Provenance.JUDGED, Provenance.IMPORTED, Provenance.MEASURED)
    return next(kind for kind in order if kind in kinds)


def _times(sample: parts.Sample) -> Times:
    # The medians of 72 lists a record are taken in place: a call for each would double their cost.
    cpu, wall = [], []
    for process in sample.processes:
        slices = process.slices
        cpus = sorted([each.cpu_time_ns / each.iterations for each in slices])
        walls = sorted([each.wall_time_ns / each.iterations for each in slices])
        if cpus[0] <= 0 or walls[0] <= 0:
            raise ValueError("a time that nothing which ran can take")
        half, odd = divmod(len(slices), 2)
        cpu.append(cpus[half] if odd else (cpus[half - 1] + cpus[half]) / 2)
        wall.append(walls[half] if odd else (walls[half - 1] + walls[half]) / 2)
    return Times(
        values={Clock.CPU: tuple(cpu), Clock.WALL: tuple(wall)},
        unit=sample.unit,
        name=sample.kernel,
        package=PACKAGE,
        title=parts.text(sample.title),
        payload_bytes=sample.payload_bytes,
        single_threaded=sample.single_threaded,
        n=len(cpu),
    )


def _arms(differences: tuple[Difference, ...]) -> dict[str, dict[str, Times]]:
    """Return both arms of each comparison, one value a pair: places in the two are those of one pair."""
    arms: dict[str, dict[str, Times]] = {}
    for each in differences:
        if not each.pairs:
            continue
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
                values=ordered, unit="ns/op", package=PACKAGE, name=each.kernel, n=len(each.pairs)
            )
    return arms


@lru_cache(maxsize=4096)
def _machine(data: bytes) -> tuple[Machine, dict[str, str | None]]:
    """Return a machine, and what is told of it; of many runs that are one machine's, once."""
    machine = parts.machine(data)
    return machine, _who(machine)


def _who(machine: Machine) -> dict[str, str | None]:
    major = (machine.system_version or "").split(".")[0] or None
    levels = machine.performance_levels
    return {
        "chip": machine.chip,
        "performance cores": _text(levels[0].physical_core_count) if levels else None,
        "cores": _text(machine.physical_core_count),
        "logical cores": _text(machine.logical_core_count),
        "memory": None if machine.memory_bytes is None else f"{round(machine.memory_bytes / (1 << 30))} GiB",
        "system": str(machine.system),
        "system major": None if major is None else f"{machine.system_name.split(' ')[0]} {major}",
        "model": machine.model,
        "machine": machine.id,
        "hypervisor": machine.hypervisor or ("" if machine.virtual is False else None),
        "translated": yes_no(machine.translation is not Translation.NATIVE),
    }


def _facts(
    who: dict[str, str | None],
    samples: Sequence[parts.Sample],
    differences: Sequence[Difference],
    installed: parts.Toolset | None,
) -> dict[str, str | None]:
    translated = {process.translated for sample in samples for process in sample.processes}
    go = {each.go_version for each in samples} | {each.baseline.go_version for each in differences}
    suites = {each.suite_version for each in samples} | {each.baseline.suite_version for each in differences}
    first = samples[0] if samples else None
    return {
        **who,
        "suite": ", ".join(str(each) for each in sorted(suites)) or None,
        "translated": "yes" if True in translated else who["translated"],
        "translator": ", ".join(sorted({str(each.changed.translator) for each in differences})) or None,
        "platform": None if first is None else first.platform,
        "go": ", ".join(sorted(go)) or None,
        "set": None if installed is None else installed.name,
        "toolchain": None if first is None else first.toolchain,
        "versions": None if installed is None else _versions(installed),
    }


@lru_cache(maxsize=4096)
def _versions(installed: parts.Toolset) -> str | None:
    if not installed.tools:
        return None
    parts = [f"{each.name} {each.version or each.pinned_version}" for each in installed.tools]
    return ", ".join([*parts, *(f"{each.module.rpartition('/')[2]} {each.version}" for each in installed.modules)])


def _soft(
    machine: Machine,
    samples: Sequence[parts.Sample],
    conditions: tuple[parts.Condition, ...],
    *,
    labkit_version: str | None,
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
        ("debugging", record.debugging.findings if record.debugging else ()),
    )
    for section, findings in sections:
        for each in findings:
            yield each.id, _outcome(section, each.status, bytes(each.title))


@lru_cache(maxsize=4096)  # a check has few outcomes, however many runs it has
def _outcome(section: str, status: Status, title: bytes) -> Found:
    return Found(status=status, title=parts.text(msgspec.Raw(title)), section=section)


def _verdicts(section: parts.Binaries | None) -> dict[str, Sequence[Verdict]]:
    if section is None:
        return {}
    return {each.path.rpartition("/")[2]: parts.verdicts(each.verdicts) for each in (*section.tools, *section.servers)}


def _text(value: float | None) -> str | None:
    return None if value is None else str(value)
