"""Statements of the handbook whole, in a notebook: each folded, with its parts, evidence and what is right instead."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from labkit.claims import Ledger, own
from labkit.claims.document import condition_of
from labkit.model.claims import ClaimResult, ClaimsRecord, PartVerdict
from labkit.present.claims import right, verdict_word
from labkit.present.sentence import ticked
from labkit.present.table import PLAIN
from labkit.words import Language, render, say


@dataclass(frozen=True)
class Statements:
    """Statements as a list that opens one by one; ``text`` says the same without folds."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def claims_chapter(
    record: ClaimsRecord, chapter: str, *, ledger: Ledger | None = None, language: Language | None = None
) -> Statements:
    """Show the statements of a chapter and of those below it (``2``: 2.1 to 2.5), each whole."""
    of = ledger or own()
    shown, lines, heading = [], [], None
    for each in record.claims:
        if each.chapter != chapter and not each.chapter.startswith(f"{chapter}."):
            continue
        if each.chapter != heading:
            heading = each.chapter
            title = f"{heading}  {of.titles[heading].say(language)}" if heading in of.titles else heading
            shown.append(f"<h3>{escape(title)}</h3>")
            lines.append(title)
        shown.append(_claim(each, of, language))
        lines.append(
            f"{each.id}  {verdict_word(each.verdict, language)}  {of.find(each.id).say(language)}\n"
            f"    {right(each, language)}"
        )
    none = say("claimpage.verdict.nothing", language)
    return Statements(
        f'<div class="{PLAIN}">{"".join(shown) or f"<p>{escape(none)}</p>"}</div>', "\n".join(lines) or none
    )


def _claim(claim: ClaimResult, ledger: Ledger, language: Language | None) -> str:
    said = ticked(ledger.find(claim.id).say(language))
    head = f"<b>{escape(verdict_word(claim.verdict, language))}</b> <code>{escape(claim.id)}</code> {said}"
    several = claim.all_parts > 1
    parts = "".join(_part(each, claim, ledger, several=several, language=language) for each in claim.parts)
    foot = " · ".join(escape(each) for each in (claim.date, claim.method) if each)
    return (
        f"<details><summary>{head}</summary><p>{ticked(right(claim, language))}</p>{parts}"
        f"<p><code>{escape(claim.command)}</code><br><small>{foot}</small></p></details>"
    )


def _part(part: PartVerdict, claim: ClaimResult, ledger: Ledger, *, several: bool, language: Language | None) -> str:
    found = []
    if several:
        wording = ledger.find(claim.id).say_part(part.part, language)
        found.append(
            f"<p><b>({escape(part.part)}) {escape(verdict_word(part.verdict, language))}</b> {ticked(wording)}</p>"
        )
    found += [f"<p>{ticked(line)}</p>" for line in _lines(part, language, several=several)]
    if part.evidence:
        items = "".join(
            f"<li>{escape(say(f'claims.kind.{seen.kind}', language))}: <code>{escape(seen.source)}</code><br>"
            f"<samp>{escape(seen.text)}</samp></li>"
            for seen in part.evidence
        )
        found.append(f"<ul>{items}</ul>")
    return "".join(found)


def _lines(part: PartVerdict, language: Language | None, *, several: bool) -> Iterator[str]:
    if several and part.instead is not None:
        yield render(part.instead, language)
    if part.condition is not None:
        yield condition_of(part.condition, language)
    if part.untested is not None:
        if several:
            yield render(part.untested.reason, language)
        yield f"{say('claims.column.would_test', language)}: {render(part.untested.would_test, language)}"
        yield from part.untested.tried
