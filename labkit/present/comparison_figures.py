"""Figures of a comparison: ratios with intervals, curves over each other, checks as a matrix; colour is not needed."""

import math
import textwrap
from typing import Final

import plotly.graph_objects as go

from labkit.compare.shown import bounds, examined, finding_text, is_time
from labkit.model.comparison import Axis, Comparison, Ratio
from labkit.words import Language, render, say

# Okabe and Ito's colours, told apart by most colour-blind readers; symbol and dash differ too.
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_SYMBOLS: Final = ("circle", "diamond", "square", "triangle-up", "x", "star", "cross")
_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_ROW_PX: Final = 26
_FRAME_PX: Final = 260
_TOP_PX: Final = 160  # two lines of title, three of what is under it, and a legend
_LETTERS: Final = 44  # a line, which a phone shows whole
_FINE: Final = (0.8, 0.9, 1.1, 1.25, 1.5)
_TICKS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500)
_MOST_COLUMNS: Final = 12  # more dots on a line cannot be told apart
_PROBES: Final = {"chase": "latency", "tlb": "tlb"}
_STATUS: Final = {"pass": 2, "skip": 1, "fail": 0}


def ratio_figure(comparison: Comparison, language: Language | None = None) -> go.Figure:
    """Return dots with intervals: time over the baseline's time by kernel and column, on a logarithmic axis."""
    translated = comparison.axis is Axis.TRANSLATION
    kind = "translation" if translated else "ratio"
    title = say(f"compare.figure.{kind}_title", language, **({} if translated else {"baseline": comparison.baseline}))
    others = [at for at, each in enumerate(comparison.columns) if each.name != comparison.baseline]
    timed = [row for row in comparison.rows if is_time(row.unit)]
    having = [at for at in others if any(row.ratios[at].ratio for row in timed)]
    drawn = having[:_MOST_COLUMNS]
    figure, rows = go.Figure(), [row for row in timed if any(row.ratios[at].ratio for at in drawn)]
    if not rows:
        return _nothing(figure, title, say("compare.figure.no_ratio", language), language)
    height = 1 + len(drawn)
    for turn, at in enumerate(drawn):
        some = [(-height * place - turn, row.name, row.ratios[at]) for place, row in enumerate(rows)]
        _dots(figure, [each for each in some if each[2].ratio], turn, comparison.columns[at].name, language)
    for place, row in enumerate(rows):
        figure.add_annotation(
            text=f"<b>{_short(render(row.title, language) if row.title else row.name)}</b>",
            xref="paper", x=0, xanchor="left", y=-height * place + 0.6, yanchor="middle", showarrow=False,
        )  # fmt: skip
    figure.add_vline(x=1, line={"color": "#767676", "dash": "dot"})
    ends = [math.log10(v) for row in rows for at in drawn for v in _ends(row.ratios[at])]
    least, most = min([*ends, 0.0]) - 0.05, max([*ends, 0.0]) + 0.05
    fine = most - least < 1  # over a decade and more those beside 1 would stand in each other
    ticks = [tick for tick in _TICKS if least <= math.log10(tick) <= most and (fine or tick not in _FINE)]
    subtitle = say(f"compare.figure.{kind}_subtitle", language)
    if len(having) > len(drawn):
        subtitle += " " + say("compare.figure.more", language, n=len(having) - len(drawn))
    return figure.update_layout(
        title=_title(title, subtitle),
        xaxis={
            "title": {"text": say("compare.figure.ratio_axis", language)}, "type": "log", "range": [least, most],
            "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks],
        },
        yaxis={"visible": False, "range": [-height * len(rows) + 0.2, 1.4], "fixedrange": True},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1, "x": 0},
        margin={"l": 20, "r": 20, "t": _TOP_PX},
        height=_FRAME_PX + _ROW_PX * height * len(rows),
    )  # fmt: skip


def curves_figure(comparison: Comparison, probe: str = "chase", language: Language | None = None) -> go.Figure:
    """Return the curves of one probe (chase or tlb) over each other, a dash and a symbol a column."""
    name = _PROBES[probe]
    title = say(f"compare.figure.curves_{name}_title", language)
    curves = [each for each in comparison.curves if each.curve.probe == probe and each.curve.points][:_MOST_COLUMNS]
    figure = go.Figure()
    if not curves:
        return _nothing(figure, title, say("compare.figure.no_curve", language), language)
    for turn, each in enumerate(curves):
        colour, points = _COLOURS[turn % len(_COLOURS)], each.curve.points
        low, high = [p.time_ns.low for p in points], [p.time_ns.high for p in points]
        if None not in (*low, *high):
            there = [p.at for p in points]
            figure.add_trace(
                go.Scatter(
                    x=[*there, *reversed(there)], y=[*high, *reversed(low)], fill="toself", fillcolor=colour,
                    opacity=0.18, line={"width": 0}, mode="lines", hoverinfo="skip", showlegend=False,
                )
            )  # fmt: skip
        symbol = _SYMBOLS[turn % len(_SYMBOLS)]
        figure.add_trace(
            go.Scatter(
                name=each.column,
                x=[p.at for p in points],
                y=[p.time_ns.median for p in points],
                mode="lines+markers",
                line={"color": colour, "dash": _DASHES[turn % len(_DASHES)], "width": 2},
                marker={"size": 8, "symbol": [symbol if p.stable else f"{symbol}-open" for p in points]},
            )
        )
    return figure.update_layout(
        title=_title(title, say("compare.figure.curves_subtitle", language)),
        xaxis={"title": {"text": say(f"compare.figure.{name}_axis", language)}, "type": "log"},
        yaxis={"title": {"text": say("compare.figure.time_axis", language)}, "type": "log"},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1, "x": 0},
        margin={"l": 60, "r": 20, "t": _TOP_PX},
        height=520,
    )


def findings_figure(comparison: Comparison, language: Language | None = None) -> go.Figure:
    """Return the matrix of checks and columns; each cell has its sign, whatever its shade."""
    title = say("compare.figure.findings_title", language)
    if not comparison.findings:
        return _nothing(go.Figure(), title, say("compare.figure.no_findings", language), language)
    rows, places = comparison.findings, examined(comparison)
    told = [[finding_text(row.cells[at], language) for at in places] for row in rows]
    states = [[row.cells[at].status for at in places] for row in rows]
    names = [render(row.title, language) for row in rows]
    figure = go.Figure(
        go.Heatmap(
            x=[comparison.columns[at].name for at in places],
            y=list(range(len(rows))),
            z=[[None if status is None else _STATUS[status] for status in line] for line in states],
            text=[[each.partition(" ")[0] for each in line] for line in told],
            texttemplate="%{text}",
            customdata=told,
            hovertemplate="%{customdata}<extra></extra>",
            colorscale=[(0, "#D55E00"), (0.5, "#DDDDDD"), (1, "#BFD9EA")],
            zmin=0,
            zmax=2,
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    return figure.update_layout(
        title=_title(title, say("compare.figure.findings_subtitle", language)),
        xaxis={"side": "top", "type": "category"},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": [_short(name) for name in names],
            "autorange": "reversed",
        },
        margin={"l": 20, "r": 20, "t": _TOP_PX + 20},
        height=_FRAME_PX + 22 * len(rows),
    )


def _dots(
    figure: go.Figure, some: list[tuple[int, str, Ratio]], turn: int, name: str, language: Language | None
) -> None:
    symbol, colour = _SYMBOLS[turn % len(_SYMBOLS)], _COLOURS[turn % len(_COLOURS)]
    known = [ratio.low is not None for _y, _kernel, ratio in some]
    arms = [_arms(ratio) for _y, _kernel, ratio in some]
    figure.add_trace(
        go.Scatter(
            name=name,
            x=[ratio.ratio for _y, _kernel, ratio in some],
            y=[y for y, _kernel, _ratio in some],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [above for _below, above in arms],
                "arrayminus": [below for below, _above in arms],
                "thickness": 2,
                "width": 5,
            },
            mode="markers",
            marker={
                "color": colour,
                "size": 10,
                "symbol": [symbol if each else f"{symbol}-open" for each in known],
                "line": {"width": 2},
            },
            hovertext=[
                say(
                    "compare.figure.hover", language, column=name, kernel=kernel, ratio=f"{ratio.ratio:.3g}",
                    bounds=bounds(ratio.low, ratio.high),
                )
                for _y, kernel, ratio in some
            ],
            hoverinfo="text",
        )
    )  # fmt: skip


def _arms(ratio: Ratio) -> tuple[float, float]:
    if ratio.ratio is None or ratio.low is None or ratio.high is None:
        return 0.0, 0.0
    return ratio.ratio - ratio.low, ratio.high - ratio.ratio


def _ends(ratio: Ratio) -> list[float]:
    return [each for each in (ratio.ratio, ratio.low, ratio.high) if each]


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"


def _title(title: str, subtitle: str) -> dict[str, object]:
    """Return a figure's title with what is under it, in lines that a phone shows whole."""
    text, under = _wrapped(title), _wrapped(subtitle)
    return {"text": text, "subtitle": {"text": under}, "yref": "container", "y": 1, "yanchor": "top", "pad": {"t": 16}}


def _nothing(figure: go.Figure, title: str, why: str, language: Language | None) -> go.Figure:
    figure.add_annotation(
        text=_wrapped(say("compare.figure.nothing", language, why=why)), xref="paper", yref="paper", x=0.5, y=0.5,
        showarrow=False,
    )  # fmt: skip
    hidden = {"visible": False}
    return figure.update_layout(title={"text": _wrapped(title)}, xaxis=hidden, yaxis=hidden, height=200)


def _wrapped(text: str) -> str:
    """Return a text in lines that a phone shows whole."""
    return "<br>".join(textwrap.wrap(text, _LETTERS, break_on_hyphens=False))
