"""A production trap's outcome: its symptom, cause, fix and proof, each with the command and what it printed."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Record, Text
from labkit.model.check import Status
from labkit.model.machine import Machine


class ReasonKind(StrEnum):
    """Why a trap was not run."""

    MISSING = "missing"  # a part that could be installed; the reason says how
    IMPOSSIBLE = "impossible"  # this system or user cannot


class StepKind(StrEnum):
    """The five steps that every trap has, in their order."""

    REPRODUCE = "reproduce"
    DIAGNOSE = "diagnose"
    FIX = "fix"
    VERIFY = "verify"
    CONTROL = "control"  # the probe of reproduce and verify on parts without the fault


class Step(Record, frozen=True, kw_only=True):
    """One step: what was done, as one would type it, and what it said.

    ``seen`` is what the step is for: reproduce, verify and control say whether the symptom was there (the same probe
    in all three), diagnose whether its command showed the cause, fix whether the change was taken.
    """

    kind: StepKind
    command: str  # as one would type it; for a fix the change itself, as a diff or a line of configuration
    output: str  # the part's own text; long ones cut in the middle
    seen: bool
    text: Text  # what a reader is to see in it
    facts: Mapping[str, str | int | float | bool] = {}


class Case(Record, frozen=True, kw_only=True):
    """Another thing that the trap's parts show, such as one fault of many; a failed one fails the trap."""

    id: str  # unique in its trap
    status: Status  # pass: what ``text`` says was seen
    text: Text
    command: str = ""
    output: str = ""
    facts: Mapping[str, str | int | float | bool] = {}
    reason: Text | None = None  # on a skip: what is missing, and how to get it


class TrapOutcome(Record, frozen=True, kw_only=True):
    """One trap, whole."""

    id: str
    status: Status
    title: Text
    symptom: str | None  # in the part's own words; None: not run
    cause: Text | None
    fix: Text | None
    verified: bool  # the fault was seen, its cause shown, and it was gone after the fix and in the control
    steps: tuple[Step, ...] = ()
    cases: tuple[Case, ...] = ()
    versions: Mapping[str, str] = {}  # of the parts, by their names
    notes: tuple[Text, ...] = ()  # what differs on macOS; no Mac has confirmed it
    sources: tuple[str, ...] = ()
    reason: Text | None = None  # on a skip or a failure
    reason_kind: ReasonKind | None = None  # on a skip
    duration_s: float = 0.0


class TrapsReport(Record, frozen=True, kw_only=True):
    """What ``labkit traps`` says."""

    machine: Machine
    traps: tuple[TrapOutcome, ...]
    taken_at: str  # ISO 8601, UTC
    duration_s: float


class TrapOutput(Record, frozen=True, kw_only=True):
    """One trap as ``labkit traps --json`` says it: sentences where :class:`TrapOutcome` has ids."""

    id: str
    status: Status
    symptom: str | None
    cause: str | None
    fix: str | None
    verified: bool
    reason: str | None
    reason_kind: ReasonKind | None
    title: str
    duration_s: float
    steps: tuple[Step, ...]
    cases: tuple[Case, ...]
    versions: Mapping[str, str]
    sources: tuple[str, ...]


class TrapsOutput(Record, frozen=True, kw_only=True):
    """``labkit traps --json``; the exit code is 1 when one failed."""

    machine: str  # its id
    traps: tuple[TrapOutput, ...]
    taken_at: str  # ISO 8601, UTC
    duration_s: float


class Prepared(Record, frozen=True, kw_only=True):
    """Whether what a trap needs beyond the machine's packages is there."""

    id: str
    prepared: bool
    reason: str | None


class PreparedOutput(Record, frozen=True, kw_only=True):
    """``labkit traps --prepare --json``; nothing was run."""

    traps: tuple[Prepared, ...]
