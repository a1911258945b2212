"""The record of one run: the contract between machines.

``record.json`` holds exactly one :class:`RunRecord`. Notebooks and pages are views of it.
"""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record, Text
from labkit.model.bench import Sample
from labkit.model.binary import Binary
from labkit.model.check import Finding
from labkit.model.claims import ClaimsRecord
from labkit.model.codegen import Built, Generated, Served
from labkit.model.collection import CollectionRun
from labkit.model.debugging import Debugging
from labkit.model.experiments import InstructionExperiments
from labkit.model.generators import GeneratorSurvey
from labkit.model.machine import Condition, Machine
from labkit.model.matrix import Matrix
from labkit.model.paired import Difference
from labkit.model.resolution import Experiment
from labkit.model.side_by_side import SideBySide
from labkit.model.structure import Quiet, Structure
from labkit.model.toolchain import Newer, Toolchain
from labkit.model.traps import TrapsReport

#: The schema that this labkit writes. A greater number is refused by name, every smaller one stays readable.
SCHEMA = 1


class InstallSection(Record, frozen=True, kw_only=True):
    """What notebook 01_install found."""

    condition: Condition
    toolchain: Toolchain
    newer: tuple[Newer, ...]
    findings: tuple[Finding, ...]  # about the pinned set
    host: tuple[Finding, ...] = ()  # about the host's own tools; no part of the gate, `labkit doctor` is
    by_module: SideBySide | None = None  # versions held by module; None when that was not tried
    resolution: tuple[Experiment, ...] = ()  # replace, commit pins and go.sum; empty when that was not tried


class CodegenSection(Record, frozen=True, kw_only=True):
    """What notebook 02_codegen found."""

    generated: Generated
    server: Built
    served: Served
    findings: tuple[Finding, ...]
    generators: GeneratorSurvey | None = None  # old and new, side by side
    collection: CollectionRun | None = None  # a real-size run


class BinariesSection(Record, frozen=True, kw_only=True):
    """What notebook 03_binaries found."""

    tools: tuple[Binary, ...]
    servers: tuple[Binary, ...]
    findings: tuple[Finding, ...]
    matrix: Matrix | None = None  # the part of the build matrix that was asked for
    instructions: InstructionExperiments | None = None  # None: not tried


class PerformanceSection(Record, frozen=True, kw_only=True):
    """What notebook 04_performance found."""

    condition_before: Condition
    condition_after: Condition
    samples: tuple[Sample, ...]
    translated: tuple[Difference, ...] = ()  # native against translated, kernel by kernel
    not_translated: Text | None = None  # why nothing was run translated
    structure: Structure | None = None
    quiet: Quiet | None = None


class DebuggingSection(Record, frozen=True, kw_only=True):
    """What notebook 05_debugging found."""

    debugging: Debugging
    findings: tuple[Finding, ...]


class TrapsSection(Record, frozen=True, kw_only=True):
    """What notebook 06_traps found."""

    chosen: str  # the parameter: which ones were to be run
    report: TrapsReport | None  # None: none was to be run


class NotebookStatus(StrEnum):
    """How a notebook ended."""

    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class NotebookRun(Record, frozen=True, kw_only=True):
    """One executed notebook."""

    name: str
    status: NotebookStatus
    file: str  # relative to the run's folder
    sha256: str | None  # of the source notebook
    wall_time_s: float
    cause: str | None  # why it did not complete
    remedy: str | None
    id: str | None = None  # digest of notebook, parameters, toolchain, labkit, machine and repeat
    carried_from: str | None = None  # the run that executed it, when this one only took it over
    carried_at: str | None = None  # when that one did, UTC, ISO 8601


class RunRecord(Record, frozen=True, kw_only=True):
    """Everything that one run obtained."""

    schema: int = SCHEMA
    run: str  # the run's id
    provenance: Provenance
    labkit_version: str
    python_version: str
    params_name: str
    params_digest: str
    parameters: Mapping[str, str | int | float | bool | None]
    started_at: str  # UTC, ISO 8601
    ended_at: str
    machine: Machine
    notebooks: tuple[NotebookRun, ...]
    batch: str | None = None  # the batch that it is of
    point: Mapping[str, str | int | float | bool | None] = {}  # where in the batch's matrix it is
    repeat: int = 1  # the how-manieth of its point's repeats it is
    install: InstallSection | None = None
    codegen: CodegenSection | None = None
    binaries: BinariesSection | None = None
    performance: PerformanceSection | None = None
    debugging: DebuggingSection | None = None
    traps: TrapsSection | None = None
    claims: ClaimsRecord | None = None  # what notebook 07_claims found
