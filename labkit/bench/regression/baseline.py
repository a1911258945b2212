"""What a run is compared with: a run's record, a bench document, or a Go benchmark file, read into one shape."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from labkit.bench.benchfmt import parse
from labkit.bench.benchfmt.writer import cpu_per_process, kernel_of, wall_per_process
from labkit.errors import RecordError, UsageError
from labkit.model.base import Provenance
from labkit.model.bench import Sample
from labkit.model.benchfmt import GoFile
from labkit.model.machine import Condition, Machine
from labkit.model.regression import SCHEMA, BenchOutput
from labkit.model.run import RunRecord
from labkit.system import records

_NAME_ONE: Final = (
    "name a run's record.json, what `labkit bench --out` wrote, or a Go benchmark file of labkit's kernels"
)

#: Where these differ two runs are not compared: the numbers would tell of the difference, not of a change.
HARD: Final = ("chip", "system", "architecture", "cores", "suite", "translated")

#: A larger file is none of these.
MOST_BYTES: Final = 256 * 1024 * 1024


class Series(NamedTuple):
    """One kernel's times in ns per operation, one value a process."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]  # empty where the source has none
    cpu_share: float | None  # median
    single_threaded: bool | None  # None: the source does not say


class Baseline(NamedTuple):
    """What is compared with, or what was measured now, in the same shape."""

    name: str
    taken_at: str | None
    facts: Mapping[str, str | None]  # of the machine and the measurement, those of HARD among them; None: not said
    series: Mapping[str, Series]


class _Kind(msgspec.Struct):
    """What tells the JSON documents apart."""

    run: str | None = None
    kernels: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    schema: int | None = None


def load(path: Path) -> Baseline:
    """Return what is in a file, whichever of the three kinds it is.

    Raises:
        UsageError: There is no such file, or it holds only numbers that were made up.
        RecordError: It is none of the three, damaged, of a newer schema, or holds no benchmark of a kernel.

    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RecordError(f"{path} has more than {MOST_BYTES >> 20} MiB, which no record has", remedy=_NAME_ONE)
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy=_NAME_ONE) from error
    if not data.strip():
        raise RecordError(f"{path} is empty", remedy=_NAME_ONE)
    return _json(data, path) if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else _go(data, path)


def of_samples(
    samples: Iterable[Sample],
    machine: Machine,
    *,
    name: str,
    conditions: tuple[Condition, ...] = (),
) -> Baseline:
    """Return samples of one machine as a baseline, or as what is compared with one."""
    samples = tuple(samples)
    translated = {process.translated for sample in samples for process in sample.processes}
    first = samples[0] if samples else None
    facts = {
        "chip": machine.chip,
        "system": str(machine.system),
        "architecture": None if first is None else first.platform.partition("/")[2],
        "cores": _text(machine.physical_core_count),
        "suite": _one(str(sample.suite_version) for sample in samples),
        "translated": "yes" if True in translated else "no" if False in translated else None,
        "machine": machine.id,
        "system version": machine.system_version,
        "kernel": machine.kernel,
        "memory": _text(machine.memory_bytes),
        "hypervisor": machine.hypervisor,
        "toolchain": _one(sample.toolchain for sample in samples),
        "go": _one(sample.go_version for sample in samples),
        "threads of Go": _one(str(sample.gomaxprocs) for sample in samples),
        "worker": _one(sample.worker for sample in samples),
        "power source": _one(each.power_source for each in conditions),
        "low-power mode": _one(_text(each.low_power_mode) for each in conditions),
        "thermal pressure": _one(each.thermal_pressure for each in conditions),
    }
    return Baseline(
        name=name,
        taken_at=min((sample.taken_at for sample in samples), default=None),
        facts=facts,
        series={
            sample.kernel: Series(
                wall=tuple(wall_per_process(each) for each in sample.processes),
                cpu=tuple(cpu_per_process(each) for each in sample.processes),
                cpu_share=sample.cpu_share.median,
                single_threaded=sample.single_threaded,
            )
            for sample in samples
        },
    )


def _text(value: float | bool | None) -> str | None:
    return None if value is None else str(value).lower()


def _one(values: Iterable[str | None]) -> str | None:
    found = sorted({value for value in values if value is not None})
    return ", ".join(found) if found else None


def _json(data: bytes, path: Path) -> Baseline:
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        kind = msgspec.json.decode(data, type=_Kind)
        if kind.run is not None:
            return _of_record(records.decode(data, name=str(path)), path)
        if kind.kernels is msgspec.UNSET:
            raise RecordError(f"{path} is JSON, but neither a run's record nor a bench document", remedy=_NAME_ONE)
        if kind.schema is None or not 1 <= kind.schema <= SCHEMA:
            raise RecordError(
                f"{path} has schema {kind.schema}; this labkit reads bench documents up to schema {SCHEMA}",
                remedy="update labkit, or take the baseline anew with `labkit bench --out`",
            )
        document = msgspec.json.decode(data, type=BenchOutput)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{path} is damaged: {error}", remedy=_NAME_ONE) from error
    samples = tuple(each.sample for each in document.kernels)
    _measured({str(sample.provenance) for sample in samples}, path)
    return of_samples(
        samples, document.machine, name=path.name, conditions=(document.condition_before, document.condition_after)
    )


def _of_record(record: RunRecord, path: Path) -> Baseline:
    section = record.performance
    if section is None or not section.samples:
        raise RecordError(
            f"{path} holds no benchmarks: its run left out notebook 04_performance, or it failed",
            remedy="name a record that has some, or take a baseline with `labkit bench --out base.json`",
        )
    _measured({str(record.provenance), *(str(sample.provenance) for sample in section.samples)}, path)
    conditions = (section.condition_before, section.condition_after)
    return of_samples(section.samples, record.machine, name=path.name, conditions=conditions)


def _measured(kinds: set[str], path: Path) -> None:
    others = sorted(kinds - {str(Provenance.MEASURED)})
    if others:
        raise UsageError(
            f"the numbers of {path} are {', '.join(others)}, not measured by labkit on a machine",
            remedy="compare with a run that was measured on this machine",
        )


def _go(data: bytes, path: Path) -> Baseline:
    file = parse(data, name=str(path))
    found: dict[str, dict[str, list[float]]] = {}
    config: dict[str, set[str]] = {}
    for result in file.results:
        kernel = kernel_of(result.name)
        if kernel is None or dict(result.config).get("pkg", _PACKAGE) != _PACKAGE:
            continue
        times = found.setdefault(kernel, {"sec/op": [], "cpu-sec/op": []})
        for unit, values in times.items():
            value = result.value(unit)
            if value is not None and 0 < value < float("inf"):
                values.append(1e9 * value)
        for key, said_so in result.config:
            config.setdefault(key, set()).add(said_so)
    if not any(times["sec/op"] for times in found.values()):
        raise RecordError(f"{path} {_what_is_wrong(file)}", remedy=_NAME_ONE)
    _measured(config.get("provenance", set()) | {str(Provenance.MEASURED)}, path)
    several = next((key for key in _GO_KEYS if len(config.get(key, ())) > 1), None)
    if several:
        raise UsageError(
            f"{path} holds several runs: {several} is {', '.join(sorted(config[several]))}",
            remedy="keep each machine's and each set's lines in a file of their own",
        )
    said = {key: next(iter(values)) for key, values in config.items() if len(values) == 1}
    facts = {name: said.get(key) for key, name in _GO_KEYS.items()}
    facts["system"] = {"darwin": "macos"}.get(said.get("goos", ""), said.get("goos"))
    return Baseline(
        name=path.name,
        taken_at=max(config.get("day", ()), default=None),
        facts=facts,
        series={
            kernel: Series(
                wall=tuple(times["sec/op"]),
                # Only where every line has it: two clocks of different processes are not one sample.
                cpu=tuple(times["cpu-sec/op"]) if len(times["cpu-sec/op"]) == len(times["sec/op"]) else (),
                cpu_share=None,
                single_threaded=None,
            )
            for kernel, times in found.items()
            if times["sec/op"]
        },
    )


_PACKAGE: Final = "labkit.dev/kernels/kernel"
_GO_KEYS: Final = {
    "cpu": "chip",
    "goos": "system",
    "goarch": "architecture",
    "suite": "suite",
    "translated": "translated",
    "machine": "machine",
    "toolchain": "toolchain",
    "go": "go",
}


def _what_is_wrong(file: GoFile) -> str:
    if file.results:
        return f"holds no times of labkit's kernels; its first benchmark is {file.results[0].name}"
    if file.broken:
        return f"holds no benchmark; line {file.broken[0].line}: {file.broken[0].why}"
    return "is neither JSON nor holds a benchmark line"
