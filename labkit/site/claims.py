"""A run over the claims ledger as what its page shows: chapters, statements, parts, diagrams; judges nothing.

The record may be another machine's or another version's: a statement that this labkit does not know keeps its id and
verdict, and has no wording.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from labkit.claims import Ledger, own
from labkit.claims.diagrams import claim_of, diagrams, drawing, standing
from labkit.claims.document import instead
from labkit.claims.ledgers import Statement
from labkit.claims.shown import kind_of
from labkit.model.claims import ClaimResult, ClaimsRecord, ClaimVerdict, PartVerdict
from labkit.words import Language


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimView:
    """One statement: what it says in the page's language and in the other, and what is right."""

    result: ClaimResult
    kind: str
    wording: str
    other: str
    right: str | None
    parts: tuple[tuple[PartVerdict, str], ...]  # each with its wording

    @property
    def evidence_count(self) -> int:
        """Return how many pieces of evidence it has."""
        return sum(len(part.evidence) for part, _ in self.parts)

    @property
    def parts_differ(self) -> bool:
        """Return whether it is conditional by its parts, not by a condition of one."""
        return self.result.verdict is ClaimVerdict.CONDITIONAL and not any(part.condition for part, _ in self.parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChapterView:
    """One chapter: its statements, and how many are of which kind."""

    chapter: str
    title: str
    claims: tuple[ClaimView, ...]
    counts: Counter[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrowView:
    """One arrow of a diagram that makes a statement, in words."""

    text: str
    statement: str
    claim: str
    verdict: ClaimVerdict
    right: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DiagramView:
    """One diagram: drawn, and its arrows in words."""

    chapter: str
    title: str
    svg: Markup
    arrows: tuple[ArrowView, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimsView:
    """The whole page."""

    record: ClaimsRecord
    chapters: tuple[ChapterView, ...]
    counts: Counter[str]
    diagrams: tuple[DiagramView, ...]
    legend: Markup


def view(record: ClaimsRecord, language: Language, ledger: Ledger | None = None) -> ClaimsView:
    """Return what the page of a run shows."""
    of = ledger or own()
    statements = {each.id: each for each in of.statements}
    names = list(dict.fromkeys(each.chapter for each in record.claims))
    chapters = tuple(_chapter(name, record, of, statements, language) for name in names)
    return ClaimsView(
        record=record,
        chapters=chapters,
        counts=sum((each.counts for each in chapters), Counter[str]()),
        diagrams=_diagrams(record, language),
        legend=Markup(drawing.legend(language)),  # noqa: S704 - labkit's own drawing
    )


def _chapter(
    name: str, record: ClaimsRecord, ledger: Ledger, statements: dict[str, Statement], language: Language
) -> ChapterView:
    claims = tuple(_claim(each, statements.get(each.id), language) for each in record.claims if each.chapter == name)
    return ChapterView(
        chapter=name,
        title=ledger.titles[name].say(language) if name in ledger.titles else "",
        claims=claims,
        counts=Counter(each.kind for each in claims),
    )


def _claim(result: ClaimResult, statement: Statement | None, language: Language) -> ClaimView:
    other = next(each for each in Language if each is not language)
    return ClaimView(
        result=result,
        kind=kind_of(result),
        wording=statement.say(language) if statement else "",
        other=statement.say(other) if statement else "",
        right=instead(result, language),
        parts=tuple((each, statement.say_part(each.part, language) if statement else "") for each in result.parts),
    )


def _diagrams(record: ClaimsRecord, language: Language) -> tuple[DiagramView, ...]:
    known: Sequence[str] = [each.id for each in record.claims]
    found = []
    for each in diagrams():
        arrows = []
        for edge in each.edge:
            verdict, claim = standing(edge, record), claim_of(edge, record)
            if verdict is None or edge.claim not in known:
                continue
            ends = (each.find(one).say(language) for one in (edge.source, edge.target))
            arrows.append(
                ArrowView(
                    text=" → ".join(ends),
                    statement=edge.statement,
                    claim=edge.claim,
                    verdict=verdict,
                    right=None if claim is None else instead(claim, language),
                )
            )
        if arrows:
            svg = Markup(drawing.svg(each, record, language, links=True))  # noqa: S704 - labkit's own drawing
            found.append(
                DiagramView(chapter=each.chapter, title=each.title.say(language), svg=svg, arrows=tuple(arrows))
            )
    return tuple(found)
