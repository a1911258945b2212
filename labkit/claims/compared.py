"""Statements of a comparison as rows of text, for a terminal and a notebook; the first row has the heads."""

from labkit.claims.ledgers import own
from labkit.model.claims import ClaimVerdict
from labkit.model.comparison import ClaimCell, ClaimRow, ClaimStanding, Comparison
from labkit.words import Language, render, say

Rows = tuple[tuple[str, ...], ...]


def claim_rows(comparison: Comparison, language: Language | None = None, *, changed: bool = False) -> Rows:
    """Return a row a statement, a cell a column that could have judged; with ``changed`` those not alike to all."""
    places = [at for at, each in enumerate(comparison.columns) if _could(comparison, at) and each.source is None]
    names = [comparison.columns[at].name for at in places]
    kept = [each for each in comparison.claims if not changed or each.standing in _OPEN]
    return (
        (say("compare.claim.id", language), say("compare.claim.standing", language), *names),
        *(
            (
                f"{each.id} {wording(each, language)}",
                say(f"compare.claim.{each.standing}", language),
                *(cell_text(each.cells[at], language) for at in places),
            )
            for each in kept
        ),
    )


_OPEN = (ClaimStanding.DIFFERS, ClaimStanding.PARTLY)


def _could(comparison: Comparison, at: int) -> bool:
    """Return whether a column is a machine, with or without a record; a published text judges nothing."""
    return str(comparison.columns[at].provenance) != "imported"


def count_line(comparison: Comparison, language: Language | None = None) -> str:
    """Return how many statements differ, how many some have not judged, and how many are alike."""
    counts = {name: sum(each.standing is name for each in comparison.claims) for name in ClaimStanding}
    return say("compare.claim.counts", language, **{str(name): number for name, number in counts.items()})


def wording(row: ClaimRow, language: Language | None = None) -> str:
    """Return a statement in the reader's language where it is the handbook's, else as its document has it."""
    ledger = own()
    if row.ledger == ledger.name:
        known = [each for each in ledger.statements if each.id == row.id]
        if known:
            return known[0].say(language)
    return row.wording or ""


def cell_text(cell: ClaimCell, language: Language | None = None) -> str:
    """Return a verdict with its parts where they differ, its day and the tools asked; or why there is none."""
    if cell.verdict is None:
        return say("compare.sign.none", language, why=render(cell.why, language) if cell.why else "-")
    told = _verdict(cell.verdict, language)
    if apart := parts_text(cell, language):
        told += f" ({apart})"
    return "; ".join(filter(None, (told, (cell.date or "")[:10], cell.toolchain)))


def parts_text(cell: ClaimCell, language: Language | None = None) -> str:
    """Return the verdicts of a statement's parts where they differ; nothing where they agree."""
    if len(set(cell.parts.values())) < 2:  # noqa: PLR2004 - they agree
        return ""
    return ", ".join(f"{at} {_verdict(each, language)}" for at, each in cell.parts.items())


def _verdict(verdict: ClaimVerdict, language: Language | None) -> str:
    return say(f"claims.verdict.{verdict}", language)
