"""A run over the claims ledger in figures: verdicts by chapter, and the handbook's diagrams as they stand here."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd
import plotly.graph_objects as go

from labkit.claims import Ledger, own
from labkit.claims.diagrams import claim_of, diagrams, drawing, standing
from labkit.claims.shown import KINDS, counts_by_chapter
from labkit.model.claims import ClaimsRecord
from labkit.present.claims import right, verdict_word
from labkit.present.table import Table, text_frame
from labkit.words import Language, say

_ROW_PX: Final = 26
_FRAME_PX: Final = 190
# Okabe and Ito's, told apart by most colour-blind readers; the patterns differ too.
_LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "confirmed": ("#009E73", ""),
    "refuted": ("#D55E00", "x"),
    "conditional": ("#E69F00", "/"),
    "untested": ("#999999", "."),
    "not_gathered": ("#dddddd", ""),
}


@dataclass(frozen=True)
class Drawing:
    """A drawing, and the text that says the same where none can be shown."""

    svg: str
    text: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return self.text


def claims_figure(record: ClaimsRecord, language: Language | None = None) -> go.Figure:
    """Draw how many statements of each chapter have which verdict, as bars of numbers."""
    counts = counts_by_chapter(record)
    figure = go.Figure()
    for kind in KINDS:
        colour, pattern = _LOOKS[kind]
        numbers = [each[kind] for each in counts.values()]
        if not any(numbers):
            continue
        figure.add_trace(
            go.Bar(
                name=_kind(kind, language),
                y=[f"§ {chapter}" for chapter in counts],
                x=numbers,
                orientation="h",
                text=[str(number) if number else "" for number in numbers],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                marker={"color": colour, "pattern": {"shape": pattern, "fgcolor": "#ffffff", "size": 5}},
                textfont={"color": "#000000"},
            )
        )
    title, unit = (say(f"claimpage.figure.{each}", language) for each in ("title", "unit"))
    figure.update_layout(
        title=f"{title}<br><sup>{unit}</sup>",
        barmode="stack",
        template="plotly_white",
        height=_FRAME_PX + _ROW_PX * len(counts),
        xaxis_title=unit,
        yaxis={"autorange": "reversed", "type": "category"},
        legend={"orientation": "h", "y": -0.15, "traceorder": "normal"},
    )
    return figure


def claims_by_chapter(record: ClaimsRecord, language: Language | None = None, *, ledger: Ledger | None = None) -> Table:
    """Show the numbers of :func:`claims_figure`, with the parts of the statements."""
    return Table(by_chapter_frame(record, language, ledger=ledger))


def by_chapter_frame(
    record: ClaimsRecord, language: Language | None = None, *, ledger: Ledger | None = None
) -> pd.DataFrame:
    """Return one row a chapter: its number and title (str), statements of each kind, parts judged and all (int64)."""
    titles = (ledger or own()).titles
    rows = []
    for chapter, counted in counts_by_chapter(record).items():
        claims = [each for each in record.claims if each.chapter == chapter]
        rows.append(
            {
                say("claimpage.column.chapter", language): chapter,
                say("claimpage.column.title", language): titles[chapter].say(language) if chapter in titles else "-",
                say("claimpage.column.all", language): len(claims),
                **{_kind(kind, language): counted[kind] for kind in KINDS},
                say("claimpage.column.judged", language): sum(each.judged_parts for each in claims),
                say("claimpage.column.parts", language): sum(each.all_parts for each in claims),
            }
        )
    return pd.DataFrame(rows)


def claims_diagrams(record: ClaimsRecord, language: Language | None = None) -> Drawing:
    """Draw the handbook's diagrams, each arrow as its statement stands in this run."""
    text = "\n".join(drawing.outline(each, record, language) for each in diagrams())
    return Drawing(svg=drawing.sheet(record, language), text=text)


def claims_arrows(record: ClaimsRecord, language: Language | None = None) -> Table:
    """Show the arrows that state something: what each says, its verdict, and what is right."""
    return Table(arrows_frame(record, language))


def arrows_frame(record: ClaimsRecord, language: Language | None = None) -> pd.DataFrame:
    """Return one row an arrow (all str): diagram, arrow, statement, verdict, what is right."""
    rows = []
    for diagram in diagrams():
        for edge in diagram.edge:
            verdict, claim = standing(edge, record), claim_of(edge, record)
            if verdict is None:
                continue
            ends = (diagram.find(each).say(language) for each in (edge.source, edge.target))
            rows.append(
                {
                    "diagram": diagram.title.say(language),
                    "arrow": " → ".join(ends),
                    "id": edge.statement,
                    "verdict": verdict_word(verdict, language),
                    "instead": "-" if claim is None else right(claim, language),
                }
            )
    return text_frame(rows, ("diagram", "arrow", "id", "verdict", "instead"), "claimpage.column", language)


def claims_verdict(record: ClaimsRecord, language: Language | None = None) -> Table:
    """Show the verdict: how many statements stand how, and what that means."""
    counted = Counter[str]()
    for each in counts_by_chapter(record).values():
        counted.update(each)
    bad = counted["refuted"] + counted["conditional"]
    name = "bad" if bad else "good" if counted["confirmed"] else "nothing"
    row = {
        say("claimpage.verdict.head", language): say(f"claimpage.verdict.{name}", language, n=bad, all=counted.total()),
        **{_kind(kind, language): str(counted[kind]) for kind in KINDS},
    }
    return Table(pd.DataFrame([row], dtype="str"))


def _kind(kind: str, language: Language | None) -> str:
    return say("claimpage.column.not_gathered" if kind == "not_gathered" else f"claims.verdict.{kind}", language)
