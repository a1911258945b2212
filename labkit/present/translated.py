"""What translation costs, kernel by kernel: translated over native time as a figure, and the table beside it."""

import html
import math
from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from labkit.model.base import Provenance, Text
from labkit.model.paired import Difference, Translator, Verdict
from labkit.present.structure import not_measured
from labkit.present.table import Table, text_frame
from labkit.words import Language, render, say

_COLOUR: Final = "#0072B2"
#: The figure's subtitle says it for all rows.
_SAID_ABOVE: Final = "paired.warning.qemu"
_ROW_PX: Final = 70
_FRAME_PX: Final = 200
_AXIS_PAD: Final = 0.08  # decades beside the outermost interval
_TICKS: Final = (0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100)


def translated_figure(
    differences: Sequence[Difference], missing: Text | None, language: Language | None = None
) -> go.Figure:
    """Return a dot and an interval for each kernel on a logarithmic axis of ratios, the line at 1 being no cost.

    Where there is no ratio, the kernel's row says why in the dot's place. An emulator is never called Rosetta 2.
    """
    title = say("structure.figure.translated_title", language)
    if missing is not None or not differences:
        why = render(missing, language) if missing else say("structure.figure.no_points", language)
        return not_measured(go.Figure(), title, why, language)
    rows = [(-index, each) for index, each in enumerate(differences)]
    figure = go.Figure(_dots([(y, each) for y, each in rows if each.verdict.ratio is not None], language))
    for y, each in rows:
        figure.add_annotation(
            text=f"<b>{html.escape(each.kernel)}</b><br>{_row(each, language)}",
            xref="paper", x=0, xanchor="left", yref="y", y=0.1 + y, yanchor="bottom", align="left", showarrow=False,
            bgcolor="rgba(255, 255, 255, 0.8)",
        )  # fmt: skip
    figure.add_vline(x=1, layer="below", line={"dash": "dot", "color": "black", "width": 1.5})
    return figure.update_layout(
        title={"text": title, "subtitle": {"text": _subtitle(differences, language)}},
        xaxis={"title": {"text": say("structure.figure.translated_axis", language)}, "type": "log"}
        | _axis(differences),
        yaxis={"visible": False, "range": [0.5 - len(rows), 0.9], "fixedrange": True},
        showlegend=False,
        margin={"l": 20, "r": 20, "t": 90},
        height=_FRAME_PX + _ROW_PX * len(rows),
    )


def translated(differences: Sequence[Difference], missing: Text | None, language: Language | None = None) -> Table:
    """Show each kernel's ratio, interval, clock, pairs, CPU share and doubts (all str)."""
    if missing is not None:
        return Table(text_frame([{"missing": render(missing, language)}], ("missing",), "structure.column", language))
    rows = [
        {
            "kernel": each.kernel,
            "ratio": "-" if each.verdict.ratio is None else f"{each.verdict.ratio:.2f}",
            "low_high": _bounds(each.verdict) or "-",
            "clock": say(f"structure.clock.{each.verdict.clock}", language),
            "pairs": str(len(each.pairs)),
            "share": f"{each.cpu_share:.0%}",
            "answer": f"{say(f'paired.judgement.{each.verdict.judgement}', language)}: "
            f"{render(each.verdict.reason, language)}",
            "doubts": " ".join(render(doubt, language) for doubt in each.warnings if doubt.id != _SAID_ABOVE) or "-",
        }
        for each in differences
    ]
    heads = ("kernel", "ratio", "low_high", "clock", "pairs", "share", "answer", "doubts")
    return Table(text_frame(rows, heads, "structure.column", language))


def _dots(rows: Sequence[tuple[int, Difference]], language: Language | None) -> go.Scatter:
    verdicts = [each.verdict for _, each in rows]
    ratios = [verdict.ratio or math.nan for verdict in verdicts]
    return go.Scatter(
        x=ratios,
        y=[y - 0.1 for y, _ in rows],
        error_x={
            "type": "data",
            "symmetric": False,
            "thickness": 2,
            "width": 5,
            "array": [(v.high or r) - r for v, r in zip(verdicts, ratios, strict=True)],
            "arrayminus": [r - (v.low or r) for v, r in zip(verdicts, ratios, strict=True)],
        },
        mode="markers",
        marker={
            "color": _COLOUR,
            "size": 11,
            "symbol": ["circle" if v.low is not None else "circle-open" for v in verdicts],
            "line": {"width": 2},
        },
        hovertext=[_row(each, language) for _, each in rows],
        hoverinfo="text",
    )


def _subtitle(differences: Sequence[Difference], language: Language | None) -> str:
    emulated = any(each.changed.translator is Translator.QEMU for each in differences)
    subtitle = say(f"structure.figure.translated_{'qemu' if emulated else 'rosetta'}", language)
    if any(each.provenance is Provenance.SYNTHETIC for each in differences):
        return f"{say('structure.figure.synthetic', language)} {subtitle}"
    return subtitle


def _row(difference: Difference, language: Language | None) -> str:
    verdict = difference.verdict
    if verdict.ratio is None or verdict.low is None or verdict.high is None or verdict.confidence is None:
        return say("structure.figure.translated_unsaid", language, why=render(verdict.reason, language))
    return say(
        "structure.figure.translated_row",
        language,
        ratio=f"{verdict.ratio:.2f}",
        confidence=f"{100 * verdict.confidence:.1f}",
        low=f"{verdict.low:.2f}",
        high=f"{verdict.high:.2f}",
        pairs=verdict.pairs,
        clock=say(f"structure.clock.{verdict.clock}", language),
    )


def _bounds(verdict: Verdict) -> str | None:
    if verdict.low is None or verdict.high is None:
        return None
    return f"{verdict.low:.2f} \u2013 {verdict.high:.2f}"


def _axis(differences: Sequence[Difference]) -> dict[str, object]:
    verdicts = [each.verdict for each in differences]
    ends = [end for verdict in verdicts for end in (verdict.ratio, verdict.low, verdict.high) if end is not None]
    least, most = min([*ends, 1.0]), max([*ends, 2.0])
    ticks = [tick for tick in _TICKS if least / 1.2 <= tick <= 1.2 * most]
    return {
        "range": [math.log10(least) - _AXIS_PAD, math.log10(most) + _AXIS_PAD],
        "tickvals": ticks,
        "ticktext": [f"{tick:g}" for tick in ticks],
    }
