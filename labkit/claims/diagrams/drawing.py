"""The handbook's diagrams drawn as SVG, each arrow in the style of its verdict; narrow enough for a phone.

Colours are the site's variables where the drawing stands within one of its pages, and those of a light page elsewhere
(a picture in a notebook). Each style differs in more than its colour: solid, dashed, dotted, or struck with a cross.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from labkit.claims.diagrams import Diagram, Edge, Node, claim_of, diagrams, standing
from labkit.model.claims import ClaimsRecord, ClaimVerdict
from labkit.words import Language, say

_COLUMN: Final = 184  # px, as all of these
_GAP: Final = 12
_MARGIN: Final = 8
_LINE: Final = 17
_PAD: Final = 8
_BEND: Final = 10  # from a box to where the arrow turns
_HEAD: Final = 26  # from a label to the box below: room for the cross and the head
_SHEET_GAP: Final = 28
_FONT: Final = "font-family='system-ui, sans-serif' font-size='13'"

_INK: Final = "var(--ink,#1c2128)"
_QUIET: Final = "var(--quiet,#5a6472)"
_PAGE: Final = "var(--page,#ffffff)"
_PANEL: Final = "var(--panel,#f5f6f8)"


@dataclass(frozen=True, kw_only=True)
class Style:
    """How arrows of a verdict look."""

    sign: str
    colour: str
    width: float
    dashes: str = ""


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where a diagram's boxes stand."""

    diagram: Diagram
    texts: Mapping[str, Sequence[str]]  # a box's lines, by its id
    tops: Sequence[float]  # of the rows

    def top(self, node: Node) -> float:
        return self.tops[node.at[1]]

    def bottom(self, node: Node) -> float:
        return self.top(node) + _height(self.texts[node.id])


#: None: an arrow that states nothing.
STYLES: Final[Mapping[ClaimVerdict | None, Style]] = {
    ClaimVerdict.CONFIRMED: Style(sign="✓", colour="var(--good,#14662f)", width=2.2),
    ClaimVerdict.REFUTED: Style(sign="✗", colour="var(--bad,#a3151b)", width=2.2),
    ClaimVerdict.CONDITIONAL: Style(sign="±", colour="var(--mid,#76500a)", width=2.2, dashes="8 5"),
    ClaimVerdict.UNTESTED: Style(sign="?", colour=_QUIET, width=2, dashes="2 4"),
    None: Style(sign="", colour=_QUIET, width=1),
}

# Of a letter at 13 px: Chinese, narrow, wide and the others.
_FULL: Final = 13.0
_SLIM: Final = 4.4
_WIDE: Final = 10.0
_USUAL: Final = 7.2
_FIRST_CHINESE: Final = "\u2e80"


def svg(diagram: Diagram, record: ClaimsRecord, language: Language | None = None, *, links: bool = False) -> str:
    """Return a diagram as one SVG element.

    Args:
        diagram: What is drawn.
        record: The run whose verdicts style the arrows.
        language: The language of its texts; the reader's when None.
        links: Whether the statements' ids lead to ``#claim-<id>`` of the page that it stands in.

    """
    width, height, inner = _drawn(diagram, record, language, links=links)
    # what holds links is a group: the parts of an image are nobody's to reach
    return _framed(width, height, diagram.title.say(language), inner, role="group" if links else "img")


def sheet(record: ClaimsRecord, language: Language | None = None, *, columns: int = 2) -> str:
    """Return all diagrams with the legend as one SVG element: what a notebook can show."""
    wide = _width(2)
    tops = [float(_legend_height() + _SHEET_GAP)] * columns
    parts = [f"<g transform='translate({_MARGIN},0)'>{legend_marks(language)}</g>"]
    for each in diagrams():
        _, height, inner = _drawn(each, record, language, links=False)
        at = tops.index(min(tops))
        x = at * (wide + _SHEET_GAP)
        title = f"{each.chapter}  {each.title.say(language)}"
        parts.append(
            f"<g transform='translate({x:g},{tops[at]:g})'>"
            f"<text x='{_MARGIN}' y='15' font-weight='600' style='fill:{_INK}'>{escape(title)}</text>"
            f"<g transform='translate(0,22)'>{inner}</g></g>"
        )
        tops[at] += height + 22 + _SHEET_GAP
    width = columns * wide + (columns - 1) * _SHEET_GAP
    return _framed(width, max(tops), say("claimpage.diagrams", language), "".join(parts))


def legend(language: Language | None = None) -> str:
    """Return what each style of an arrow means, as one SVG element."""
    return _framed(_width(2), _legend_height(), say("claimpage.legend", language), legend_marks(language))


def legend_marks(language: Language | None = None) -> str:
    """Return the legend's lines."""
    rows = []
    for row, (verdict, style) in enumerate(STYLES.items()):
        y = row * 22 + 14
        text = say(f"claimpage.arrow.{verdict or 'none'}", language)
        rows.append(
            f"<path d='M0 {y} H46' {_stroke(style)}/>"
            + (_cross(23, y, style) if verdict is ClaimVerdict.REFUTED else "")
            + f"<text x='56' y='{y + 4}' style='fill:{_INK}'>{escape(f'{style.sign} {text}'.strip())}</text>"
        )
    return "".join(rows)


def outline(diagram: Diagram, record: ClaimsRecord, language: Language | None = None) -> str:
    """Return a diagram as text, one line an arrow."""
    lines = [f"{diagram.chapter}  {diagram.title.say(language)}"]
    for edge in diagram.edge:
        verdict = standing(edge, record)
        ends = [diagram.find(each).say(language) for each in (edge.source, edge.target)]
        says = f" [{STYLES[verdict].sign} {edge.statement}]" if verdict else ""
        lines.append(f"  {ends[0]} -> {ends[1]}{says}")
    return "\n".join(lines)


def wrap(text: str, width: float) -> list[str]:
    """Return a text as lines that are at most so wide, in px; a word or path that is longer is broken."""
    lines, line = [], ""
    for word in _words(text, width):
        if line and _measure(f"{line}{word}".rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += word.lstrip() if not line else word
    return [*lines, line.rstrip()] if line.strip() else lines


def _words(text: str, width: float) -> list[str]:
    found = [""]
    for letter in text:
        found[-1] += letter
        broken = letter in " /" or letter >= _FIRST_CHINESE or _measure(found[-1]) > width - _WIDE
        if broken:
            found.append("")
    return found


def _measure(text: str) -> float:
    return sum(
        _FULL if each >= _FIRST_CHINESE
        else _SLIM if each in " iljtfr.,:;|!'()[]/-"
        else _WIDE if each in "mwMWOGQ@%…_"
        else _USUAL
        for each in text
    )  # fmt: skip


def _width(columns: float) -> float:
    return columns * _COLUMN + (columns - 1) * _GAP + 2 * _MARGIN


def _legend_height() -> int:
    return len(STYLES) * 22 + 4


def _framed(width: float, height: float, title: str, inner: str, *, role: str = "img") -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:g} {height:g}' role='{role}' width='{width:g}'"
        f" height='{height:g}' style='max-width:100%;height:auto' {_FONT}><title>{escape(title)}</title>"
        f"<rect width='{width:g}' height='{height:g}' style='fill:{_PAGE}'/>{inner}</svg>"
    )


def _drawn(
    diagram: Diagram, record: ClaimsRecord, language: Language | None, *, links: bool
) -> tuple[float, float, str]:
    """Return width, height and marks of a diagram."""
    width = _width(1 + max(each.at[0] for each in diagram.node))
    texts = {each.id: wrap(each.say(language), _COLUMN - 2 * _PAD) for each in diagram.node}
    labels = [_label(each, record, language) for each in diagram.edge]
    rows = range(1 + max(each.at[1] for each in diagram.node))
    tops, y = [], float(_MARGIN)
    for row in rows:
        above = [
            len(lines)
            for each, lines in zip(diagram.edge, labels, strict=True)
            if diagram.find(each.target).at[1] == row
        ]
        y += _BEND + 6 + max(above) * _LINE + _HEAD if above else 0
        tops.append(y)
        y += max(_height(texts[each.id]) for each in diagram.node if each.at[1] == row)
    layout = _Layout(diagram=diagram, texts=texts, tops=tops)
    arrows = [
        _arrow(layout, each, lines, standing(each, record), links=links and claim_of(each, record) is not None)
        for each, lines in zip(diagram.edge, labels, strict=True)
    ]
    boxes = [_box(each, texts[each.id], tops[each.at[1]]) for each in diagram.node]
    return width, y + _MARGIN, "".join((*arrows, *boxes))


def _label(edge: Edge, record: ClaimsRecord, language: Language | None) -> list[str]:
    lines = wrap(edge.say(language), _COLUMN - 4)
    verdict = standing(edge, record)
    return [*lines, f"{STYLES[verdict].sign} {edge.statement}"] if verdict else lines


def _height(lines: Sequence[str]) -> float:
    return len(lines) * _LINE + 2 * _PAD


def _middle(node: Node) -> float:
    return _MARGIN + node.at[0] * (_COLUMN + _GAP) + _COLUMN / 2


def _box(node: Node, lines: Sequence[str], top: float) -> str:
    x, height = _middle(node) - _COLUMN / 2, _height(lines)
    said = "".join(
        f"<text x='{_middle(node):g}' y='{top + _PAD + row * _LINE + 13:g}' text-anchor='middle'"
        f" style='fill:{_INK}'>{escape(line)}</text>"
        for row, line in enumerate(lines)
    )
    corner = height / 2 if node.question else 5
    return (
        f"<rect x='{x:g}' y='{top:g}' width='{_COLUMN}' height='{height:g}' rx='{corner:g}'"
        f" style='fill:{_PANEL};stroke:{_QUIET}'/>{said}"
    )


def _arrow(layout: _Layout, edge: Edge, lines: Sequence[str], verdict: ClaimVerdict | None, *, links: bool) -> str:
    source, target = layout.diagram.find(edge.source), layout.diagram.find(edge.target)
    start, end = layout.bottom(source), layout.top(target)
    style, x = STYLES[verdict], _middle(target)
    path = f"M{_middle(source):g} {start:g} V{start + _BEND:g} H{x:g} V{end - 6:g}"
    head = f"<path d='M{x - 5:g} {end - 9:g} L{x:g} {end:g} L{x + 5:g} {end - 9:g} Z' style='fill:{style.colour}'/>"
    strike = _cross(x, end - 18, style) if verdict is ClaimVerdict.REFUTED else ""
    top = end - _HEAD - len(lines) * _LINE
    said = "".join(
        _said(line, x, top + row * _LINE, style, struck=verdict is ClaimVerdict.REFUTED and row < len(lines) - 1)
        for row, line in enumerate(lines)
    )
    if links and verdict is not None:
        said = f"<a href='#claim-{escape(edge.claim)}'>{said}</a>"
    known = f" data-claim='{escape(edge.claim)}' data-verdict='{verdict}'" if verdict is not None else ""
    return f"<g{known}><path d='{path}' fill='none' {_stroke(style)}/>{head}{strike}{said}</g>"


def _said(line: str, x: float, top: float, style: Style, *, struck: bool) -> str:
    wide = _measure(line) + 6
    strike = " text-decoration='line-through'" if struck else ""
    return (
        f"<rect x='{x - wide / 2:g}' y='{top:g}' width='{wide:g}' height='{_LINE}' style='fill:{_PAGE}'/>"
        f"<text x='{x:g}' y='{top + 13:g}' text-anchor='middle'{strike} style='fill:{style.colour}'>"
        f"{escape(line)}</text>"
    )


def _stroke(style: Style) -> str:
    dashes = f" stroke-dasharray='{style.dashes}'" if style.dashes else ""
    return f"stroke-width='{style.width:g}'{dashes} style='stroke:{style.colour}'"


def _cross(x: float, y: float, style: Style) -> str:
    return (
        f"<path d='M{x - 6:g} {y - 5:g} L{x + 6:g} {y + 5:g} M{x - 6:g} {y + 5:g} L{x + 6:g} {y - 5:g}' fill='none'"
        f" stroke-width='2.6' style='stroke:{style.colour}'/>"
    )
