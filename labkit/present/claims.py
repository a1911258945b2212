"""A run over the claims ledger as tables: the statements, one statement whole, and what was carried over."""

from collections.abc import Sequence

import pandas as pd

from labkit.claims import Ledger, own
from labkit.claims.document import condition, condition_of, instead
from labkit.claims.shown import carried_line, counts_line, gathered_line, unbound_line
from labkit.model.claims import ClaimResult, ClaimsRecord, ClaimVerdict, PartVerdict
from labkit.present.table import Source, Table, text_frame
from labkit.words import Language, render, say

_SIGNS = {
    ClaimVerdict.CONFIRMED: "✓",
    ClaimVerdict.REFUTED: "✗",
    ClaimVerdict.CONDITIONAL: "±",
    ClaimVerdict.UNTESTED: "?",
}
_HEADS = ("id", "wording", "verdict", "parts", "instead", "date")
_PART_HEADS = ("part", "wording", "verdict", "instead", "condition", "untested", "would_test", "tried")
_EVIDENCE_HEADS = ("id", "part", "kind", "text", "source")


def claims(
    record: ClaimsRecord,
    *,
    chapter: str | None = None,
    verdicts: Sequence[ClaimVerdict] = (),
    ledger: Ledger | None = None,
) -> Table:
    """Show statements with their verdicts: of one chapter, of some verdicts, or all."""
    return Table(claims_frame(record, chapter=chapter, verdicts=verdicts, ledger=ledger))


def claims_frame(
    record: ClaimsRecord,
    *,
    chapter: str | None = None,
    verdicts: Sequence[ClaimVerdict] = (),
    ledger: Ledger | None = None,
    language: Language | None = None,
) -> pd.DataFrame:
    """Return one row a statement, in the ledger's order.

    Columns (all str): id; the statement; its verdict as sign and word; how many of its parts were judged; what is
    right, with the condition, or why it is not tested; the date.
    """
    of = ledger or own()
    rows = [
        {
            "id": each.id,
            "wording": of.find(each.id).say(language),
            "verdict": verdict_word(each.verdict, language),
            "parts": f"{each.judged_parts}/{each.all_parts}",
            "instead": right(each, language),
            "date": each.date,
        }
        for each in _chosen(record, chapter, verdicts)
    ]
    return text_frame(rows, _HEADS, "claims.column", language)


def claim(record: ClaimsRecord, id_: str, *, ledger: Ledger | None = None) -> Table:
    """Show the parts of one statement."""
    return Table(parts_frame(record, id_, ledger=ledger))


def parts_frame(
    record: ClaimsRecord, id_: str, *, ledger: Ledger | None = None, language: Language | None = None
) -> pd.DataFrame:
    """Return one row a part of a statement.

    Columns (all str): its letter; what it says; its verdict; what is right; under which condition, with a case on each
    side; why it is not tested, what would test it, and what was seen here all the same.
    """
    statement = (ledger or own()).find(id_)
    rows = [
        {
            "part": part.part,
            "wording": statement.say_part(part.part, language),
            "verdict": verdict_word(part.verdict, language),
            "instead": "-" if part.instead is None else render(part.instead, language),
            "condition": "-" if part.condition is None else condition_of(part.condition, language),
            **_untested(part, language),
        }
        for each in record.claims
        if each.id == id_
        for part in each.parts
    ]
    return text_frame(rows, _PART_HEADS, "claims.column", language)


def claims_evidence(record: ClaimsRecord, *ids: str) -> Table:
    """Show what was looked at: for some statements, or all."""
    return Table(evidence_frame(record, ids))


def evidence_frame(record: ClaimsRecord, ids: Sequence[str] = (), language: Language | None = None) -> pd.DataFrame:
    """Return one row a piece of evidence. Columns (all str): statement, part, kind, what was seen, where."""
    rows = [
        {
            "id": each.id,
            "part": part.part,
            "kind": say(f"claims.kind.{seen.kind}", language),
            "text": seen.text,
            "source": seen.source,
        }
        for each in record.claims
        if not ids or each.id in ids
        for part in each.parts
        for seen in part.evidence
    ]
    return text_frame(rows, _EVIDENCE_HEADS, "claims.column", language)


def claims_facts(record: ClaimsRecord, language: Language | None = None) -> Table:
    """Show the shared facts: when each was gathered, how long that took, and whether it was carried over."""
    rows = [
        {
            "name": each.name,
            "digest": each.digest,
            "date": each.date,
            "gathered": f"{each.gathered_in_s:.1f} s",
            "carried": "✓" if each.carried_over else "-",
        }
        for each in record.facts
    ]
    return Table(text_frame(rows, ("name", "digest", "date", "gathered", "carried"), "claims.column", language))


def claims_counts(record: ClaimsRecord, language: Language | None = None) -> Source:
    """Show how many statements have which verdict, what has no check, and what was carried over."""
    lines = [
        counts_line(record, language),
        gathered_line(record, language),
        unbound_line(record, language),
        carried_line(record, language),
    ]
    return Source("\n".join(line for line in lines if line))


def verdict_word(verdict: ClaimVerdict, language: Language | None = None) -> str:
    """Return a verdict as sign and word."""
    return f"{_SIGNS[verdict]} {say(f'claims.verdict.{verdict}', language)}"


def right(result: ClaimResult, language: Language | None = None) -> str:
    """Return what is right with its condition, or why a statement is not tested."""
    if result.verdict is ClaimVerdict.UNTESTED:
        why = [render(part.untested.reason, language) for part in result.parts if part.untested is not None]
        return "; ".join(dict.fromkeys(why)) or "-"
    return " ".join(filter(None, (instead(result, language), condition(result, language)))) or "-"


def _untested(part: PartVerdict, language: Language | None) -> dict[str, str]:
    if part.untested is None:
        return {"untested": "-", "would_test": "-", "tried": "-"}
    return {
        "untested": render(part.untested.reason, language),
        "would_test": render(part.untested.would_test, language),
        "tried": "; ".join(part.untested.tried) or "-",
    }


def _chosen(record: ClaimsRecord, chapter: str | None, verdicts: Sequence[ClaimVerdict]) -> list[ClaimResult]:
    return [
        each
        for each in record.claims
        if (chapter is None or each.chapter == chapter) and (not verdicts or each.verdict in verdicts)
    ]
