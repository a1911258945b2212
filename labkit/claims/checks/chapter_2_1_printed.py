"""Chapter 2.1, the printed compare-and-swap: assembled as it is printed, read in every way that it can be, and run."""

from collections.abc import Iterable
from typing import Final

from labkit.claims.base import ClaimCheck, command, measured
from labkit.claims.facts import ClaimFacts, probe
from labkit.errors import ImpossibleHereError
from labkit.gobuild.printed_cas import assemble, printed_cas
from labkit.model.base import Record
from labkit.model.claims import ClaimEvidence, PartVerdict
from labkit.model.experiments import Assembled, CasReading, PrintedCas

#: The reading that leaves a line out: a repair, no longer the listing; and the program's own controls.
_REPAIRED: Final = "without-first-line"
_CONTROLS: Final = ("torn", "sync/atomic")
_NOT_REACHED: Final = 99  # the status of a conditional store that was not reached


class Printed(Record, frozen=True, kw_only=True):
    """What came of the routine, or why it cannot be run here."""

    run: PrintedCas | None
    why: str = ""


@probe("printed-cas")
def printed(facts: ClaimFacts) -> Printed:
    """Run every reading of the listing; a test's own under ``routine``."""
    try:
        return Printed(run=printed_cas(facts.lab.toolchain, _replaced(facts, "routine")))
    except ImpossibleHereError as error:
        return Printed(run=None, why=error.what)


@probe("printed-cas-assembled", tools=("llvm-mc", "clang"))
def assembled(facts: ClaimFacts) -> tuple[Assembled, ...]:
    """Give the listing to assemblers; a test's own under ``listing``."""
    return assemble(facts.lab.toolchain, _replaced(facts, "listing"))


def _replaced(facts: ClaimFacts, name: str) -> tuple[str, ...] | None:
    own = facts.replaced_tool(name)
    return None if own is None else tuple(own.read_text("utf-8").splitlines())


class _Run(ClaimCheck):
    """Base: judges a part by a run of the listing; where none is possible it is untested."""

    turned_by = "another listing"
    part = "a"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the run."""
        found = facts.get(printed)
        if found.run is None:
            yield self.untested("untested", would_test="would_test", part=self.part, tried=[found.why])
            return
        verdict = self.judge(found.run)
        yield verdict if facts.machine.architecture == "arm64" else self.not_on_hardware(verdict)

    def judge(self, run: PrintedCas) -> PartVerdict:
        """Judge a run."""
        raise NotImplementedError


def _how(run: PrintedCas) -> str:
    return f"labkit's program of the listing, {run.platform}, {run.started_by}"


def _of(run: PrintedCas, id_: str) -> CasReading:
    return next(each for each in run.readings if each.id == id_)


def _conflicts(run: PrintedCas, reading: CasReading) -> ClaimEvidence:
    said = "; ".join(
        f"{'another thread wrote' if each.other_wrote else 'alone'}: status {each.status}, "
        f"returned {each.returned}, {each.loads} loads"
        for each in reading.conflicts
    )
    return measured(f"{reading.id}: {said}", _how(run))


class PrintedRoutine(_Run):
    """Give the listing to Go's assembler and to one of Arm's syntax, then run each reading of it.

    A reading that has all its lines is made into a routine that assembles, and called alone and by many threads.
    """

    id = "2.1.03"
    part = "b"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge the assembling and the calls apart."""
        found = facts.get(assembled)
        said = [
            command(f"{each.assembler} ({each.version or '-'})", "accepted" if each.accepted else each.said)
            for each in found
        ]
        tried = [each for each in found if each.accepted is not None]
        took = [each.assembler for each in tried if each.accepted]
        why = next((each.said.splitlines()[0] for each in tried if not each.accepted and each.said), "-")
        names = ", ".join(took or [each.assembler for each in tried])
        yield self.judged(bool(took), said, names=names, why=why)
        yield from super().parts(facts)

    def judge(self, run: PrintedCas) -> PartVerdict:
        """Judge by the readings that leave no line out."""
        whole = [each for each in run.readings if each.id not in (_REPAIRED, *_CONTROLS)]
        repaired = _of(run, _REPAIRED)
        shown = [_calls(run, each) for each in (*whole, repaired, *(_of(run, each) for each in _CONTROLS))]
        right = [each.id for each in whole if each.correct]
        if right:
            return self.confirmed(shown, part="b", right=", ".join(right))
        outcome = "refuted" if repaired.correct else "refuted_for_good"
        return self.refuted(shown, part="b", outcome=outcome, count=len(whole))


def _calls(run: PrintedCas, reading: CasReading) -> ClaimEvidence:
    wrong = [each for each in reading.cases if not each.right]
    example = f", such as memory {wrong[0].before}, old {wrong[0].old}, new {wrong[0].new}: " if wrong else ""
    example += f"returned {wrong[0].returned}, memory then {wrong[0].after}" if wrong else ""
    many = f"{reading.contended.successes} successes of many threads, memory then {reading.contended.final}"
    return measured(f"{reading.id}: {len(wrong)} of {len(reading.cases)} calls wrong{example}; {many}", _how(run))


class StoreStatus(_Run):
    """Run the exclusive store alone, and with another thread's store between it and the load; read its status."""

    id = "2.1.04"

    def judge(self, run: PrintedCas) -> PartVerdict:
        """Judge by the statuses of stores that were reached."""
        readings = [each for each in run.readings if each.id not in _CONTROLS]
        reached = [one for each in readings for one in each.conflicts if one.status != _NOT_REACHED]
        alone = sorted({each.status for each in reached if not each.other_wrote})
        disturbed = sorted({each.status for each in reached if each.other_wrote})
        evidence = [_conflicts(run, each) for each in readings if each.conflicts]
        if not alone or not disturbed:
            return self.untested(
                "untested", would_test="would_test", evidence=evidence, tried=["the store was not reached"]
            )
        return self.judged(
            alone == [0] and 0 not in disturbed,
            evidence,
            alone=", ".join(map(str, alone)),
            disturbed=", ".join(map(str, disturbed)),
        )


class TriesAgain(_Run):
    """Let another thread write between the routine's load and its store, and count how often it loads."""

    id = "2.1.12"

    def judge(self, run: PrintedCas) -> PartVerdict:
        """Judge by the loads of every reading that reaches its store."""
        readings = [each for each in run.readings if each.id not in _CONTROLS]
        evidence = [_conflicts(run, each) for each in readings if each.conflicts]
        again = [each.id for each in readings if each.retries]
        loads = max((one.loads for each in readings for one in each.conflicts if one.other_wrote), default=0)
        return self.judged(bool(again), evidence, loads=loads, last=run.printed[-1].partition("//")[0].strip())
