"""A run as the document that ``labkit claims --json`` prints: sentences in the reader's language beside their ids."""

from collections import Counter
from collections.abc import Sequence

from labkit.claims.ledgers import Ledger, Statement
from labkit.model.claims import (
    Case,
    ChangedClaim,
    ClaimOutput,
    ClaimPartOutput,
    ClaimResult,
    ClaimsOutput,
    ClaimsRecord,
    ClaimVerdict,
    Condition,
    PartVerdict,
)
from labkit.words import Language, render, say


def document(
    record: ClaimsRecord,
    ledger: Ledger,
    *,
    changed: Sequence[ChangedClaim] | None = None,
    language: Language | None = None,
) -> ClaimsOutput:
    """Return a run's document.

    Args:
        record: The run.
        ledger: The statements that it judged.
        changed: What is not as agreed, where something was agreed.
        language: The reader's.

    """
    parts = [part for claim in record.claims for part in claim.parts]
    return ClaimsOutput(
        machine=record.machine,
        ledger=record.ledger,
        date=record.date,
        wall_time_s=record.wall_time_s,
        claims=tuple(_claim(each, ledger.find(each.id), language) for each in record.claims),
        counts=_counts([each.verdict for each in record.claims]),
        part_counts=_counts([each.verdict for each in parts]),
        unbound=tuple(each.id for each in record.claims if not each.bound),
        facts=record.facts,
        errors=record.errors,
        changed=None if changed is None else tuple(changed),
    )


def instead(claim: ClaimResult, language: Language | None = None) -> str | None:
    """Return what is right: the sentence of the only judged part, or those of several, each with its letter."""
    said = [(each.part, render(each.instead, language)) for each in claim.parts if each.instead is not None]
    if len(claim.parts) == 1 or len({text for _, text in said}) == 1:
        return said[0][1] if said else None
    return " ".join(f"({part}) {text}" for part, text in said) or None


def condition(claim: ClaimResult, language: Language | None = None) -> str | None:
    """Return under which condition a claim is true, in one sentence; None where it is not conditional."""
    if claim.verdict is not ClaimVerdict.CONDITIONAL:
        return None
    own = [condition_of(each.condition, language) for each in claim.parts if each.condition is not None]
    judged = [each for each in claim.parts if each.verdict is not ClaimVerdict.UNTESTED]
    if len({each.verdict for each in judged}) == 1:
        return " ".join(own)
    shown = [
        say("claims.part_is", language, part=each.part, verdict=say(f"claims.verdict.{each.verdict}", language))
        for each in judged
    ]
    return " ".join([say("claims.by_part", language, parts=", ".join(shown)), *own])


def condition_of(found: Condition, language: Language | None = None) -> str:
    """Return a condition with a case on each side."""
    cases = say("claims.cases", language, holds=_case(found.holds[0]), fails=_case(found.fails[0]))
    return f"{render(found.predicate, language)} ({cases})"


def _case(case: Case) -> str:
    return ", ".join(f"{key} {value}" for key, value in case.facts.items())


def _claim(claim: ClaimResult, statement: Statement, language: Language | None) -> ClaimOutput:
    return ClaimOutput(
        id=claim.id,
        chapter=claim.chapter,
        wording=statement.say(language),
        verdict=claim.verdict,
        judged_parts=claim.judged_parts,
        all_parts=claim.all_parts,
        parts=tuple(_part(each, statement, language) for each in claim.parts),
        condition=condition(claim, language),
        evidence=tuple(dict.fromkeys(seen for each in claim.parts for seen in each.evidence)),
        instead=instead(claim, language),
        date=claim.date,
        bound=claim.bound,
        by_reading=claim.by_reading,
        command=claim.command,
        method=claim.method,
        facts=claim.facts,
        tools=claim.tools,
    )


def _part(part: PartVerdict, statement: Statement, language: Language | None) -> ClaimPartOutput:
    why = part.untested
    return ClaimPartOutput(
        part=part.part,
        wording=statement.say_part(part.part, language),
        verdict=part.verdict,
        instead=None if part.instead is None else render(part.instead, language),
        instead_text=part.instead,
        condition=part.condition,
        evidence=part.evidence,
        untested_reason=None if why is None else render(why.reason, language),
        would_test=None if why is None else render(why.would_test, language),
        tried=() if why is None else why.tried,
        confirmed_on_hardware=part.confirmed_on_hardware,
    )


def _counts(verdicts: Sequence[ClaimVerdict]) -> dict[str, int]:
    counted = Counter(verdicts)
    return {str(each): counted[each] for each in ClaimVerdict}
