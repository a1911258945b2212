"""Runs a production trap once as a shared fact and keeps what its steps and cases saw; judges no statement.

A check asks ``facts.get(trap_run("helm"))`` for the whole outcome, or is a :class:`TrapCheck`, which is untested with
the trap's own reason where the trap lacks a part.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import ClassVar, Final

from labkit.claims.base import ClaimCheck
from labkit.claims.facts import ClaimFacts, Probe
from labkit.claims.ledgers import own
from labkit.claims.needs import untested
from labkit.errors import LabError, ProcessError
from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.claims import ClaimEvidence, EvidenceKind, PartVerdict
from labkit.model.traps import Case, Step, StepKind, TrapOutcome
from labkit.system.store import digest, file_digest
from labkit.traps import TRAPS, private, running
from labkit.traps.parts import Part, find

#: Programs of the host that a trap's steps and cases run: another one makes what was kept stale.
_PROGRAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "configmap": ("java", "mvn", "unshare"),
    "pool": ("java", "jstack", "jstat", "mvn", "postgres"),
    "mtls": ("nginx", "openssl"),
    "scrape": ("prometheus",),
    "kafka": ("java",),
    "http502": ("nginx", "curl"),
    "helm": ("helm", "postgres"),
    "timezone": ("date", "cron", "crontab", "java", "unshare"),
}
_ERROR: Final = "traps.failed.error"


def trap_run(id_: str) -> Probe[TrapOutcome]:
    """Return the probe ``trap-<id>``: one whole run of a trap, its steps, cases and versions.

    It is kept by the trap's sources, by the programs that it runs and by which of its parts are there. Asking it raises
    a ProcessError where a part of the trap broke, which is no outcome to keep; a skipped trap is one.
    """

    def run(_facts: ClaimFacts) -> TrapOutcome:
        kind = running.load(id_)
        if kind is None:
            raise LabError(f"there is no trap {id_}", remedy="this is a fault in labkit: please report it")
        outcome = running.run_trap(kind)
        if outcome.reason is not None and outcome.reason.id == _ERROR:
            values = outcome.reason.values
            raise ProcessError(f"the trap {id_} broke at {values['step']}: {values['what']}", remedy=_AGAIN + id_)
        return outcome

    return Probe(name=f"trap-{id_}", make=run, recipe={"sources": _sources(id_), **_parts(id_)})


_AGAIN: Final = "run it once more, alone: labkit traps "


class TrapCheck(ClaimCheck):
    """Base of the checks that judge what a trap's run shows; all parts are untested where the trap was skipped.

    Attributes:
        trap: The trap's id.

    """

    trap: ClassVar[str]

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Run the trap, or take what was kept of it, and judge."""
        run = facts.get(trap_run(self.trap))
        if run.status is Status.SKIP and run.reason is not None:
            return tuple(untested(letter, run.reason, would(self.trap)) for letter in own().find(self.id).letters)
        return self.shown(run, facts)

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge the parts from a run that was not skipped; as :meth:`ClaimCheck.parts`."""
        raise NotImplementedError

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch what the trap wants."""
        facts.progress(f"trap-{self.trap}: prepare")
        for _id, _why in running.prepare([self.trap]):
            pass  # what could not be had is the skipped trap's own reason

    def lacking(self, case: Case, *, part: str = "a") -> PartVerdict:
        """Return a part as untested, for the case that would judge it was skipped; its reason is the case's."""
        return untested(part, case.reason or case.text, would(self.trap))


def would(id_: str) -> Text:
    """Return what would judge a part whose trap, or whose case, was skipped."""
    return Text(id="claims.would.trap", values={"id": id_})


def step(run: TrapOutcome, kind: StepKind) -> Step:
    """Return a step of a run.

    Raises:
        ProcessError: The run ended before it.

    """
    found = next((each for each in run.steps if each.kind is kind), None)
    if found is None:
        raise ProcessError(f"the trap {run.id} ended before its step {kind}", remedy=_AGAIN + run.id)
    return found


def case(run: TrapOutcome, id_: str) -> Case:
    """Return a case of a run, be it skipped.

    Raises:
        ProcessError: The run ended before its cases, or has none of that name.

    """
    found = next((each for each in run.cases if each.id == id_), None)
    if found is None:
        raise ProcessError(f"the run of the trap {run.id} has no case {id_}", remedy=_AGAIN + run.id)
    return found


def skipped(found: Case) -> bool:
    """Return whether a case was not run."""
    return found.status is Status.SKIP


def witnessed(seen: Step | Case) -> ClaimEvidence:
    """Return what a step or a case said, with its command, as evidence."""
    said = " ".join(seen.output.split()) or ", ".join(f"{key}={value}" for key, value in seen.facts.items())
    return ClaimEvidence(kind=EvidenceKind.OUTPUT, text=said[:_MOST], source=" ".join(seen.command.split())[:_MOST])


_MOST: Final = 600


@cache
def _sources(id_: str) -> str:
    """Return a digest of the trap's own files and of those that all traps share."""
    room = Path(running.__file__).parent
    own_ones = room / TRAPS[id_][0].rpartition(".")[2]
    shared = [each for each in room.glob("*.py") if each.stem not in TRAPS]
    mine = [each for each in own_ones.rglob("*") if each.is_file() and "__pycache__" not in each.parts]
    mine += [each for each in (own_ones.with_suffix(".py"), *room.glob(f"{id_}_*.py")) if each.is_file()]
    files = sorted({*shared, *mine})
    return digest({str(each.relative_to(room)): file_digest(each) for each in files})


def _parts(id_: str) -> dict[str, object]:
    """Return which programs and which parts are there now: more of them may let a case run that was skipped."""
    programs: dict[str, object] = {}
    for name in _PROGRAMS[id_]:
        path = find(name)
        seen = path.resolve().stat() if path is not None and path.exists() else None
        programs[name] = [str(path), seen.st_size, seen.st_mtime_ns] if seen is not None else None
    kind = running.load(id_)
    there = {part.name: part.present() for part in (*(kind.needs if kind else ()), private.NAMESPACE, private.ROOT)}
    room = TRAPS[id_][0]
    for name, loaded in tuple(sys.modules.items()):
        if f"{name}.".startswith(f"{room}."):
            there |= {each.name: each.present() for each in vars(loaded).values() if isinstance(each, Part)}
    named = {name: value for name, value in os.environ.items() if name.startswith("LABKIT_TRAPS_")}
    return {"programs": programs, "parts": there, "named": named}
