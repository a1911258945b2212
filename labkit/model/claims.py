"""What became of the handbook's statements: verdicts of parts and claims, their evidence, and the run they are of."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record, Text
from labkit.model.machine import Machine


class ClaimVerdict(StrEnum):
    """How a statement stands here; computed from evidence, never written down."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    CONDITIONAL = "conditional"  # true under a condition that was found, with a case on each side
    UNTESTED = "untested"


class EvidenceKind(StrEnum):
    """What sort of thing was looked at."""

    COMMAND = "command"  # a command line, and how it ended
    OUTPUT = "output"  # a program's own words
    MEASUREMENT = "measurement"  # with its interval
    BYTES = "bytes"  # of a file, read without running it
    SOURCE = "source"  # file and line of somebody's source code or documentation
    ARITHMETIC = "arithmetic"  # with its terms


class ClaimEvidence(Record, frozen=True, kw_only=True):
    """One thing that was looked at."""

    kind: EvidenceKind
    text: str  # what it said
    source: str  # where: a command line, a file, an address
    provenance: Provenance = Provenance.MEASURED


class Case(Record, frozen=True, kw_only=True):
    """One situation that was witnessed, and whether the statement held in it."""

    facts: Mapping[str, str | int | float | bool]  # what the predicate is about: {"go": "1.20.14"}
    holds: bool
    witness: str  # what was seen there


class Condition(Record, frozen=True, kw_only=True):
    """When the statement is true: a predicate over facts that separates the witnessed cases."""

    predicate: Text
    holds: tuple[Case, ...]  # never empty
    fails: tuple[Case, ...]  # never empty


class Untested(Record, frozen=True, kw_only=True):
    """Why a part has no verdict here, what would give it one, and what was tried."""

    reason: Text
    would_test: Text
    tried: tuple[str, ...]  # what was seen here all the same


class PartVerdict(Record, frozen=True, kw_only=True):
    """The verdict of one part of a statement."""

    part: str  # a, b, ...; a statement of one part has a
    verdict: ClaimVerdict
    evidence: tuple[ClaimEvidence, ...]
    instead: Text | None  # what is right, filled from the evidence; None only where nothing was judged
    condition: Condition | None = None  # of a conditional one
    untested: Untested | None = None  # of an untested one
    confirmed_on_hardware: bool | None = None  # None: it is not about a machine that is not here


class ClaimResult(Record, frozen=True, kw_only=True):
    """What became of one statement here."""

    id: str  # 2.3.04
    chapter: str  # 2.3
    verdict: ClaimVerdict
    judged_parts: int
    all_parts: int
    parts: tuple[PartVerdict, ...]
    by_reading: bool  # judged by reading alone
    bound: bool  # False: no check has been written yet
    date: str  # UTC, ISO 8601: of the judgement
    command: str  # to see it oneself
    method: str  # the check's own words; empty where there is none
    facts: tuple[str, ...]  # the shared facts that it looked at, by name
    tools: Mapping[str, str]  # tool: version, of all that was asked
    provenance: Provenance = Provenance.MEASURED


class FactUse(Record, frozen=True, kw_only=True):
    """One shared fact: when it was gathered, and whether it was carried over."""

    name: str
    digest: str  # of everything that it depends on, 16 hex digits
    date: str  # UTC, ISO 8601
    gathered_in_s: float  # then
    carried_over: bool  # gathered by an earlier run


class CheckError(Record, frozen=True, kw_only=True):
    """A check that ended in an error: it has no verdict."""

    id: str
    what: str
    remedy: str
    exit_code: int


class ClaimsRecord(Record, frozen=True, kw_only=True):
    """A run over a ledger."""

    ledger: str  # its name
    ledger_digest: str  # of its statements, 16 hex digits
    machine: Machine
    toolchain: str  # digest of the set
    date: str  # UTC, ISO 8601
    wall_time_s: float
    claims: tuple[ClaimResult, ...]  # in the ledger's order
    facts: tuple[FactUse, ...]
    errors: tuple[CheckError, ...] = ()


class ClaimPartOutput(Record, frozen=True, kw_only=True):
    """A part as ``labkit claims --json`` prints it: sentences in the reader's language beside their ids."""

    part: str
    wording: str
    verdict: ClaimVerdict
    instead: str | None
    instead_text: Text | None
    condition: Condition | None
    evidence: tuple[ClaimEvidence, ...]
    untested_reason: str | None
    would_test: str | None
    tried: tuple[str, ...]
    confirmed_on_hardware: bool | None


class ClaimOutput(Record, frozen=True, kw_only=True):
    """A claim as ``labkit claims --json`` prints it."""

    id: str
    chapter: str
    wording: str
    verdict: ClaimVerdict
    judged_parts: int
    all_parts: int
    parts: tuple[ClaimPartOutput, ...]
    condition: str | None  # in one sentence
    evidence: tuple[ClaimEvidence, ...]  # of all parts
    instead: str | None  # in one sentence; of several parts, theirs together
    date: str
    bound: bool
    by_reading: bool
    command: str
    method: str
    facts: tuple[str, ...]
    tools: Mapping[str, str]


class ChangedClaim(Record, frozen=True, kw_only=True):
    """A verdict that is not the agreed one; ``part`` is None for the whole claim, a verdict None where it is absent."""

    id: str
    part: str | None
    agreed: ClaimVerdict | None
    found: ClaimVerdict | None


class ClaimsOutput(Record, frozen=True, kw_only=True):
    """What ``labkit claims --json`` prints."""

    machine: Machine
    ledger: str
    date: str
    wall_time_s: float
    claims: tuple[ClaimOutput, ...]
    counts: Mapping[str, int]  # claims by verdict
    part_counts: Mapping[str, int]  # parts by verdict
    unbound: tuple[str, ...]  # ids without a check; their verdict is untested
    facts: tuple[FactUse, ...]
    errors: tuple[CheckError, ...]
    changed: tuple[ChangedClaim, ...] | None = None  # against --expect
