"""The decision tree drawn as SVG from its data: the stages of a request downwards, the leaves of each beside it."""

from collections.abc import Mapping
from html import escape
from typing import Final

from labkit.traps.http502.tree import Leaf, Tree, tree
from labkit.words import Language, say

_WIDTH: Final = 1420
_ROW: Final = 24
_GAP: Final = 16
_TOP: Final = 86
_STAGE: Final = (150, 190)  # x, width
_LEAF: Final = 400  # x
_STATUS: Final = 372
_CAUSE: Final = 640
_FONT: Final = "font-family='system-ui, sans-serif' font-size='13'"
_MONO: Final = "font-family='ui-monospace, monospace' font-size='12'"


def svg(language: Language | None = None, *, seen: Mapping[str, int] | None = None) -> str:
    """Return the tree as one SVG element.

    Args:
        language: The language of its texts; the reader's when None.
        seen: How many lines of a log were of each leaf; those leaves are drawn bold with the number.

    """
    counts = dict(seen or {})
    known = tree()
    height = _TOP + sum(_height(known, stage) + _GAP for stage in known.stages) + _ROW
    size = f"width='{_WIDTH}' height='{height}' style='max-width:100%;height:auto'"
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' role='img' {size} {_FONT}>",
        f"<title>{escape(say('trap_http502.tree.title', language))}</title>",
        f"<rect width='{_WIDTH}' height='{height}' fill='#ffffff'/>",
        _box((20, 20, 320, 40), say("trap_http502.tree.root", language), "#e8eef7"),
        f"<text x='{_STATUS}' y='45'>{escape(say('trap_http502.tree.none', language))}</text>",
        f"<path d='M340 40 H{_STATUS - 6}' stroke='#595959' fill='none'/>",
    ]
    y = _TOP
    for stage in known.stages:
        middle = y + _height(known, stage) // 2
        parts.append(f"<path d='M60 60 V{middle} H{_STAGE[0]}' stroke='#595959' fill='none'/>")
        label = say(f"trap_http502.stage.{stage}", language)
        parts.append(_box((_STAGE[0], middle - 15, _STAGE[1], 30), label, "#f3f3f3"))
        for row, leaf in enumerate(known.of_stage(stage)):
            parts.append(_leaf(leaf, y + row * _ROW + _ROW // 2, middle, counts.get(leaf.id, 0), language))
        y += _height(known, stage) + _GAP
    last = y + _ROW // 2
    parts.append(f"<path d='M60 60 V{last} H{_STAGE[0]}' stroke='#595959' fill='none' stroke-dasharray='4 3'/>")
    parts.append(
        f"<text x='{_STAGE[0] + 8}' y='{last + 4}'>{escape(say('trap_http502.tree.unknown', language))}</text>"
    )
    return "".join(parts) + "</svg>"


def _height(known: Tree, stage: str) -> int:
    return len(known.of_stage(stage)) * _ROW


def _box(place: tuple[int, int, int, int], label: str, fill: str) -> str:
    x, y, width, height = place
    return (
        f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='5' fill='{fill}' stroke='#595959'/>"
        f"<text x='{x + width / 2:g}' y='{y + height / 2 + 5:g}' text-anchor='middle'>{escape(label)}</text>"
    )


def _leaf(leaf: Leaf, y: int, middle: int, count: int, language: Language | None) -> str:
    status = "/".join(str(code) if code else "-" for code in leaf.status)
    weight = " font-weight='bold'" if count else ""
    name = f"{leaf.id} ({count})" if count else leaf.id
    start = _STAGE[0] + _STAGE[1]
    return (
        f"<path d='M{start} {middle} H{start + 12} V{y} H{_STATUS - 6}' stroke='#a0a0a0' fill='none'/>"
        f"<g{weight}><title>{escape(' '.join(leaf.patterns))}\n{escape(leaf.command)}</title>"
        f"<text x='{_STATUS}' y='{y + 4}' {_MONO}>{status}</text>"
        f"<text x='{_LEAF + 68}' y='{y + 4}' {_MONO}>{escape(name)}</text>"
        f"<text x='{_CAUSE}' y='{y + 4}'>{escape(say(leaf.cause.id, language))}</text></g>"
    )


def outline(language: Language | None = None) -> str:
    """Return the tree as indented text, one line a leaf: its name, the statuses, the cause."""
    known = tree()
    lines = []
    for stage in known.stages:
        lines.append(say(f"trap_http502.stage.{stage}", language))
        for leaf in known.of_stage(stage):
            status = "/".join(str(code) if code else "-" for code in leaf.status)
            lines.append(f"  {leaf.id:<22}{status:<12}{say(leaf.cause.id, language)}")
    return "\n".join(lines)
