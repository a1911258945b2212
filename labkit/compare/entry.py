"""One run, or one imported text, in the shape in which it is compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from labkit.model.base import Provenance, Text
from labkit.model.binary import Verdict
from labkit.model.check import Status
from labkit.model.claims import ClaimVerdict
from labkit.model.machine import Machine
from labkit.model.paired import Clock
from labkit.model.structure import Curve

NATIVE: Final = "native"
TRANSLATED: Final = "translated"


@dataclass(frozen=True, kw_only=True)
class Times:
    """One kernel or benchmark in one run, one value a process."""

    values: Mapping[Clock, tuple[float, ...]]
    unit: str
    package: str
    name: str  # without what tells two of its kind apart in one run
    title: Text | None = None
    payload_bytes: int | None = None
    single_threaded: bool | None = None
    n: int | None  # processes, or values behind a published one; None: its source does not say


@dataclass(frozen=True, kw_only=True)
class Found:
    """One finding, without its evidence."""

    status: Status
    title: Text
    section: str


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What became of one statement in one run, without its evidence."""

    chapter: str
    verdict: ClaimVerdict
    parts: Mapping[str, ClaimVerdict]
    date: str
    toolchain: str | None
    wording: str | None
    run: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run, or one imported document, as it is compared."""

    name: str  # the run's id, or the file's name
    file: str
    provenance: Provenance
    taken_at: str | None
    facts: Mapping[str, str | None]  # what may be equal or not; None: not said
    soft: Mapping[str, str | None]  # what is listed where it differs
    times: Mapping[str, Times]
    machine: Machine | None = None
    source: str | None = None
    arms: Mapping[str, Mapping[str, Times]] = field(default_factory=dict)  # native, translated: side by side
    findings: Mapping[str, Found] = field(default_factory=dict)
    binaries: Mapping[str, Sequence[Verdict]] = field(default_factory=dict)
    curves: Sequence[Curve] = ()
    claims: Mapping[tuple[str, str], Judged] = field(default_factory=dict)  # ledger and id

    @property
    def day(self) -> str | None:
        """The day of the times, UTC."""
        return None if self.taken_at is None else self.taken_at[:10]


def one(values: Iterable[str | None]) -> str | None:
    """Return the values that are said, each once; None when none is."""
    found = {value for value in values if value is not None}
    return ", ".join(sorted(found)) if len(found) > 1 else next(iter(found), None)


def yes_no(value: bool | None) -> str | None:
    """Return a fact in a word."""
    return None if value is None else "yes" if value else "no"
