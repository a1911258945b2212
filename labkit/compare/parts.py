"""The fields of a record that are compared, read alone: typed as the model has them, the rest passed over.

A field that does not fit is refused with its path. What runs of one machine and set have alike to the byte (who the
machine is, the set, verdicts, titles) is read once and shared between their entries: ten thousand runs are of a few
machines, and hold a few verdicts.
"""

from functools import lru_cache
from typing import Final, Generic, TypeVar

import msgspec

from labkit.model.base import Provenance, Text
from labkit.model.binary import Verdict
from labkit.model.check import Status
from labkit.model.claims import ClaimVerdict
from labkit.model.machine import Machine
from labkit.model.paired import Difference
from labkit.model.structure import Curve

_T = TypeVar("_T")

#: So many different parts of one kind are kept.
_KEPT: Final = 4096


class Slice(msgspec.Struct, gc=False):
    """A timed stretch."""

    iterations: int
    wall_time_ns: int
    cpu_time_ns: int


class Process(msgspec.Struct, gc=False):
    """A fresh process."""

    slices: list[Slice]
    translated: bool | None


class Sample(msgspec.Struct, gc=False):
    """One kernel; its summaries are passed over, for they are made anew."""

    kernel: str
    title: msgspec.Raw
    suite_version: int
    unit: str
    processes: list[Process]
    single_threaded: bool
    payload_bytes: int
    platform: str
    go_version: str
    gomaxprocs: int
    slice_time_ms: int
    toolchain: str
    worker: str
    taken_at: str
    provenance: Provenance = Provenance.MEASURED


class Condition(msgspec.Struct):
    """What varies with the hour and is listed where it differs."""

    taken_at: str
    load_1min: float | None
    power_source: str | None
    low_power_mode: bool | None
    thermal_pressure: str | None
    cpu_speed_limit_percent: int | None


class Finding(msgspec.Struct):
    """A check's outcome, without its evidence."""

    id: str
    status: Status
    title: msgspec.Raw


class Version(msgspec.Struct, frozen=True):
    """A tool's version; a module has no name, a tool no module."""

    version: str | None
    name: str = ""
    module: str = ""
    pinned_version: str | None = None


class Toolset(msgspec.Struct, frozen=True):
    """A set of tools."""

    name: str
    tools: tuple[Version, ...] = ()
    modules: tuple[Version, ...] = ()


class Install(msgspec.Struct):
    """Of notebook 01_install."""

    toolchain: msgspec.Raw
    findings: tuple[Finding, ...] = ()
    host: tuple[Finding, ...] = ()


class Codegen(msgspec.Struct):
    """Of notebook 02_codegen."""

    findings: tuple[Finding, ...] = ()


class Binary(msgspec.Struct):
    """A program, and where it would run."""

    path: str
    verdicts: msgspec.Raw


class Binaries(msgspec.Struct):
    """Of notebook 03_binaries."""

    tools: tuple[Binary, ...] = ()
    servers: tuple[Binary, ...] = ()
    findings: tuple[Finding, ...] = ()


class Debugging(msgspec.Struct):
    """Of notebook 05_debugging."""

    findings: tuple[Finding, ...] = ()


class Structure(msgspec.Struct):
    """The curves of the structure probes."""

    curves: tuple[Curve, ...] = ()


class Performance(msgspec.Struct):
    """Of notebook 04_performance."""

    condition_before: Condition
    condition_after: Condition
    samples: tuple[Sample, ...] = ()
    translated: tuple[Difference, ...] = ()
    structure: Structure | None = None


class ClaimPart(msgspec.Struct, gc=False):
    """A part's verdict, without its evidence."""

    part: str
    verdict: ClaimVerdict


class Claim(msgspec.Struct):
    """A statement's verdict."""

    id: str
    chapter: str
    verdict: ClaimVerdict
    parts: tuple[ClaimPart, ...]
    date: str
    tools: dict[str, str] = {}
    wording: str | None = None
    bound: bool = True


class Claims(msgspec.Struct):
    """Of notebook 07_claims."""

    ledger: str
    claims: tuple[Claim, ...]


class ClaimsDocument(msgspec.Struct):
    """What is compared of what ``labkit claims --json`` wrote, or of its record."""

    machine: msgspec.Raw
    ledger: str
    date: str
    claims: tuple[Claim, ...]


class RecordDocument(msgspec.Struct):
    """What is compared of a run's record."""

    schema: int
    run: str
    provenance: Provenance
    labkit_version: str
    started_at: str
    machine: msgspec.Raw
    install: Install | None = None
    codegen: Codegen | None = None
    binaries: Binaries | None = None
    performance: Performance | None = None
    debugging: Debugging | None = None
    claims: Claims | None = None


class Measured(msgspec.Struct):
    """A kernel of a bench document."""

    sample: Sample


class BenchDocument(msgspec.Struct):
    """What is compared of what ``labkit bench`` wrote."""

    schema: int
    labkit_version: str
    machine: msgspec.Raw
    condition_before: Condition
    condition_after: Condition
    toolchain: str
    kernels: tuple[Measured, ...]
    translated: tuple[Difference, ...] = ()


class _Shared(Generic[_T]):
    """Reads parts of one type, each different one once."""

    def __init__(self, kind: type[_T], where: str) -> None:
        self._where = where
        self._decoder = msgspec.json.Decoder(kind)
        self._read = lru_cache(maxsize=_KEPT)(self._decode)

    def __call__(self, raw: msgspec.Raw | bytes) -> _T:
        return self._read(bytes(raw))

    def _decode(self, data: bytes) -> _T:
        try:
            return self._decoder.decode(data)
        except msgspec.ValidationError as error:
            # The path in msgspec's message starts at the part.
            raise msgspec.ValidationError(f"{error} (in {self._where})") from error


machine: Final = _Shared(Machine, "machine")
toolset: Final = _Shared(Toolset, "install.toolchain")
text: Final = _Shared(Text, "a title")
verdicts: Final = _Shared(tuple[Verdict, ...], "the verdicts of a binary")
