"""A run as Markdown, for a pull request's comment or a job's summary; no text in it is read as markup."""

import re
from collections.abc import Iterator, Sequence

from labkit.claims.document import condition, instead
from labkit.claims.ledgers import Ledger
from labkit.claims.shown import counts_line, unbound_line
from labkit.model.claims import ChangedClaim, ClaimResult, ClaimsRecord, ClaimVerdict
from labkit.words import Language, render, say


def markdown(
    record: ClaimsRecord,
    ledger: Ledger,
    *,
    changed: Sequence[ChangedClaim] | None = None,
    language: Language | None = None,
) -> str:
    """Return a heading, the counts, what is not as agreed (with ``changed``), and a row for each statement."""
    lines = [f"### {say('claims.markdown.title', language)}", "", _safe(counts_line(record, language)), ""]
    if unbound := unbound_line(record, language):
        lines += [_safe(unbound), ""]
    if changed is not None:
        lines += [*difference(changed, record, language), ""]
    if record.errors:
        lines += [f"**{say('claims.markdown.errors', language)}**", ""]
        lines += [f"- {each.id}: {_safe(each.what)}" for each in record.errors] + [""]
    heads = ("id", "wording", "verdict", "parts", "instead")
    lines += _table(heads, [_row(each, ledger, language) for each in record.claims], language)
    return "\n".join(lines)


def difference(
    changed: Sequence[ChangedClaim], record: ClaimsRecord, language: Language | None = None
) -> Iterator[str]:
    """Yield the lines that say what is not as agreed, with what is right now."""
    if not changed:
        yield "✅ " + say("claims.markdown.same", language, n=len(record.claims))
        return
    yield "❌ " + say("claims.markdown.changed", language, n=len(changed))
    yield ""
    absent = say("claims.markdown.absent", language)
    results = {each.id: each for each in record.claims}
    heads = ["claims.column.id", "claims.markdown.agreed", "claims.markdown.found", "claims.column.instead"]
    yield "| " + " | ".join(say(head, language) for head in heads) + " |"
    yield "|---|---|---|---|"
    for each in changed:
        was, now = (say(f"claims.verdict.{one}", language) if one else absent for one in (each.agreed, each.found))
        name = each.id + (f" ({each.part})" if each.part else "")
        right = _right(results[each.id], language) if each.id in results else absent
        yield f"| {name} | {was} | {now} | {_safe(right)} |"


def _row(claim: ClaimResult, ledger: Ledger, language: Language | None) -> tuple[str, ...]:
    return (
        claim.id,
        _safe(ledger.find(claim.id).say(language)),
        say(f"claims.verdict.{claim.verdict}", language),
        f"{claim.judged_parts}/{claim.all_parts}",
        _safe(_right(claim, language)),
    )


def _right(claim: ClaimResult, language: Language | None) -> str:
    if claim.verdict is ClaimVerdict.UNTESTED:
        why = claim.parts[0].untested
        return "" if why is None else render(why.reason, language)
    return " ".join(filter(None, (instead(claim, language), condition(claim, language))))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], language: Language | None) -> list[str]:
    first = "| " + " | ".join(say(f"claims.column.{head}", language) for head in heads) + " |"
    return [first, "|" + "---|" * len(heads), *("| " + " | ".join(row) + " |" for row in rows), ""]


def _safe(text: str) -> str:
    flat = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]#|~@])", r"\\\1", flat)
