"""The base of every check of a statement: what it is called, what it needs, and how it says what it found.

A check is a small class in ``labkit/claims/checks``; its docstring says the method, never a result. It asks
:class:`labkit.claims.facts.ClaimFacts` and returns one :class:`~labkit.model.claims.PartVerdict` a part, made with the
methods below. Each takes its sentence from :mod:`labkit.words` by the id ``claims_<chapter>.<id>.<part>.<outcome>``
(``claims_2_3.2.3.04.a.refuted``), where the outcome is the verdict's name, or begins with it (``refuted_no_file``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from labkit.claims.facts import ClaimFacts
from labkit.errors import LabError
from labkit.model.base import Provenance, Text
from labkit.model.check import Need, NeedKind
from labkit.model.claims import Case, ClaimEvidence, ClaimVerdict, Condition, EvidenceKind, PartVerdict, Untested
from labkit.system.store import shown
from labkit.words import Language, catalogue

#: What a value of a sentence's slot may be.
Value = str | int | float

MAC: Final = Need(kind=NeedKind.HARDWARE, name="apple-silicon")
MACOS: Final = Need(kind=NeedKind.SYSTEM, name="macos")
LINUX: Final = Need(kind=NeedKind.SYSTEM, name="linux")
ARM: Final = Need(kind=NeedKind.ARCHITECTURE, name="arm64")

_MAX_TEXT: Final = 600


def tool(name: str) -> Need:
    """Return the need of a program that PATH gives."""
    return Need(kind=NeedKind.TOOL, name=name)


def toolchain(name: str) -> Need:
    """Return the need of a pinned set (``handbook``) or of a Go (``go1.20.14``)."""
    return Need(kind=NeedKind.TOOLCHAIN, name=name)


def saw(kind: EvidenceKind, text: str, source: str, *, provenance: Provenance = Provenance.MEASURED) -> ClaimEvidence:
    """Return a piece of evidence: no folder of this machine's user is in it, and it is not endless."""
    said = " ".join(shown(text).split(" ")).strip()
    return ClaimEvidence(
        kind=kind,
        text=said if len(said) <= _MAX_TEXT else said[: _MAX_TEXT - 3] + "...",
        source=shown(source),
        provenance=provenance,
    )


def command(line: str, ended: str) -> ClaimEvidence:
    """Return a command line and how it ended."""
    return saw(EvidenceKind.COMMAND, ended, line)


def output(line: str, said: str) -> ClaimEvidence:
    """Return a command line and what it said."""
    return saw(EvidenceKind.OUTPUT, said, line)


def read_bytes(file: str, said: str) -> ClaimEvidence:
    """Return what the bytes of a file say."""
    return saw(EvidenceKind.BYTES, said, file)


def read_source(place: str, said: str) -> ClaimEvidence:
    """Return what source code or documentation says at a place."""
    return saw(EvidenceKind.SOURCE, said, place)


def reckoned(formula: str, source: str) -> ClaimEvidence:
    """Return a piece of arithmetic with its terms; the source says where they stand."""
    return saw(EvidenceKind.ARITHMETIC, formula, source)


def measured(text: str, source: str) -> ClaimEvidence:
    """Return a measurement with its interval; the source says what was run."""
    return saw(EvidenceKind.MEASUREMENT, text, source)


class ClaimCheck:
    """Base of the checks. Subclasses with an ``id`` are bound to that statement of the ledger.

    Attributes:
        id: The statement's permanent id.
        needs: What the whole check cannot do without: where one is not met, all parts are untested.
        part_needs: What single parts cannot do without: :meth:`parts` is not asked for those that lack it, and what it
            returns for them is left out.
        measures: Whether times are taken: then nothing else runs beside.
        turned_by: What a test changes so that the verdict turns (``another Go tree``), or empty with ``fixed``.
        fixed: Why no changed input can turn it here (only for what ``turned_by`` cannot name).

    """

    id: ClassVar[str]
    needs: ClassVar[tuple[Need, ...]] = ()
    part_needs: ClassVar[Mapping[str, tuple[Need, ...]]] = {}
    measures: ClassVar[bool] = False
    turned_by: ClassVar[str] = ""
    fixed: ClassVar[str] = ""

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge the parts of the statement, each once.

        Raises:
            LabError: Something broke that is no property of the statement; the claim is then an error, no verdict.

        """
        raise NotImplementedError

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch what :meth:`parts` will want and the needs do not name, so that it then needs no network."""

    def confirmed(
        self, evidence: Sequence[ClaimEvidence], /, *, part: str = "a", outcome: str = "confirmed", **values: Value
    ) -> PartVerdict:
        """Return that a part is true here, and how that shows."""
        return self._judged(ClaimVerdict.CONFIRMED, part, outcome, evidence, values)

    def refuted(
        self, evidence: Sequence[ClaimEvidence], /, *, part: str = "a", outcome: str = "refuted", **values: Value
    ) -> PartVerdict:
        """Return that a part is false here, and what is right instead."""
        return self._judged(ClaimVerdict.REFUTED, part, outcome, evidence, values)

    def judged(
        self, holds: bool, evidence: Sequence[ClaimEvidence], /, *, part: str = "a", **values: Value
    ) -> PartVerdict:
        """Return that a part is true or false here; both sentences get the same values."""
        verdict = ClaimVerdict.CONFIRMED if holds else ClaimVerdict.REFUTED
        return self._judged(verdict, part, verdict, evidence, values)

    def by_cases(
        self,
        cases: Sequence[Case],
        predicate: Callable[[Mapping[str, Value]], bool],
        evidence: Sequence[ClaimEvidence],
        /,
        *,
        part: str = "a",
        **values: Value,
    ) -> PartVerdict:
        """Judge a part by witnessed cases: all hold, none does, or those do for which the predicate is true.

        The predicate's sentence has the id ``claims_<chapter>.<id>.<part>.condition`` and gets the same values.

        Raises:
            LabError: There is no case, or the predicate does not separate those that hold from the others.

        """
        holding, failing = tuple(each for each in cases if each.holds), tuple(each for each in cases if not each.holds)
        if not cases:
            raise _fault(f"the check of {self.id} ({part}) saw no case")
        if not failing:
            return self._judged(ClaimVerdict.CONFIRMED, part, "confirmed", evidence, values)
        if not holding:
            return self._judged(ClaimVerdict.REFUTED, part, "refuted", evidence, values)
        wrong = [each.facts for each in cases if predicate(each.facts) is not each.holds]
        if wrong:
            raise _fault(f"the condition of {self.id} ({part}) does not fit what was seen: {wrong[0]}")
        condition = Condition(predicate=self._text(part, "condition", values), holds=holding, fails=failing)
        return self._judged(ClaimVerdict.CONDITIONAL, part, "conditional", evidence, values, condition=condition)

    @staticmethod
    def not_on_hardware(verdict: PartVerdict) -> PartVerdict:
        """Return a verdict on a machine that is not here, judged from bytes, sources or arithmetic, as such."""
        return msgspec.structs.replace(verdict, confirmed_on_hardware=False)

    def untested(
        self,
        reason: Text | str,
        *,
        would_test: Text | str,
        tried: Sequence[str] = (),
        evidence: Sequence[ClaimEvidence] = (),
        part: str = "a",
        **values: Value,
    ) -> PartVerdict:
        """Return that a part cannot be judged here.

        Args:
            reason: Why: a text, or the last word of the id of this part's own (``untested``).
            would_test: What would judge it, likewise.
            tried: What was seen here all the same.
            evidence: What was looked at.
            part: The part.
            values: For the slots of this part's own texts.

        """
        texts = [self._text(part, each, values) if isinstance(each, str) else each for each in (reason, would_test)]
        return PartVerdict(
            part=part,
            verdict=ClaimVerdict.UNTESTED,
            evidence=tuple(evidence),
            instead=None,
            untested=Untested(reason=texts[0], would_test=texts[1], tried=tuple(shown(each) for each in tried)),
            confirmed_on_hardware=False,
        )

    def _judged(
        self,
        verdict: ClaimVerdict,
        part: str,
        outcome: str,
        evidence: Sequence[ClaimEvidence],
        values: Mapping[str, Value],
        *,
        condition: Condition | None = None,
    ) -> PartVerdict:
        if not outcome.startswith(verdict):
            raise _fault(f"the outcome {outcome!r} of {self.id} is not named after its verdict, {verdict}")
        if not evidence:
            raise _fault(f"the check of {self.id} ({part}) has a verdict without evidence")
        return PartVerdict(
            part=part,
            verdict=verdict,
            evidence=tuple(evidence),
            instead=self._text(part, outcome, values),
            condition=condition,
        )

    def _text(self, part: str, outcome: str, values: Mapping[str, Value]) -> Text:
        id_ = f"{topic(self.id)}.{self.id}.{part}.{outcome}"
        if id_ not in catalogue(Language.ENGLISH):
            raise _fault(f"labkit/words has no {id_}")
        clean = {key: shown(value) if isinstance(value, str) else value for key, value in values.items()}
        return Text(id=id_, values=clean)


def topic(id_: str) -> str:
    """Return the file in ``labkit/words`` that holds a claim's sentences: ``claims_2_3`` of 2.3.04."""
    return "claims_" + id_.rpartition(".")[0].replace(".", "_")


def _fault(what: str) -> LabError:
    return LabError(what, remedy="this is a fault in labkit: please report it")
