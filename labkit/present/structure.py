"""Curves of latency over size and over pages as figures: intervals, knees, and what the machine says of itself."""

import html
import math
import textwrap
from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from labkit.model.base import Provenance
from labkit.model.structure import Curve, Knee, Said, Structure
from labkit.words import Language, render, say

# Okabe and Ito's blue and vermilion; dash and symbol differ too.
_COLOUR: Final = "#0072B2"
_CONTROL_COLOUR: Final = "#D55E00"
_BANDS: Final = {_COLOUR: "rgba(0, 114, 178, 0.18)", _CONTROL_COLOUR: "rgba(213, 94, 0, 0.18)"}
_GREY: Final = "#767676"
_HEIGHT_PX: Final = 520
_MISSING_COLUMNS: Final = 44  # letters a line, which a phone shows whole
_STEPS: Final = (1, 2, 5)
_UNITS: Final = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def latency_figure(structure: Structure, language: Language | None = None) -> go.Figure:
    """Return the chase's figure: logarithmic axes, a band of intervals, dashed knees, dotted sizes that are said."""
    chase = curve_of(structure, "chase")
    figure = _framed("latency", structure, [chase], language)
    if chase is None or not chase.points:
        return figure
    _draw(figure, chase, _COLOUR, "circle", "solid", language)
    figure.update_layout(showlegend=False)  # one curve, which the title names
    for index, knee in enumerate(knee for knee in chase.knees if knee.stable):
        _knee(figure, knee, size_text(knee.at), index, language)
    for said in structure.said:
        if said.name != "line" and _within(chase, said.said_bytes):
            _said(figure, said, language)
    if chase.unstable_from is not None:
        _unstable(figure, chase.unstable_from, chase.points[-1].at, language)
    return figure.update_xaxes(_size_ticks(chase))


def tlb_figure(structure: Structure, language: Language | None = None) -> go.Figure:
    """Return the TLB's figure: one line a page, the same lines packed, and the knees of what the pages alone cost."""
    sparse, dense, cost = (curve_of(structure, name) for name in ("tlb", "tlb-dense", "tlb-cost"))
    figure = _framed("tlb", structure, [sparse, dense], language)
    if sparse is None or dense is None or not sparse.points:
        return figure
    _draw(figure, sparse, _COLOUR, "circle", "solid", language)
    _draw(figure, dense, _CONTROL_COLOUR, "square", "dot", language)
    for index, knee in enumerate(knee for knee in (cost.knees if cost else ()) if knee.stable):
        _knee(figure, knee, f"{knee.at:,.0f}", index, language)
    ticks = [each.at for each in sparse.points if each.at & (each.at - 1) == 0]
    return figure.update_xaxes(tickvals=ticks[::2], ticktext=[f"{tick:,}" for tick in ticks[::2]])


def curve_of(structure: Structure, probe: str) -> Curve | None:
    """Return a probe's curve, None when it was not taken."""
    return next((curve for curve in structure.curves if curve.probe == probe), None)


def size_text(size_bytes: float) -> str:
    """Return a size in its largest fitting unit: ``32 KiB``, ``1.5 MiB``."""
    unit, name = next(((unit, name) for unit, name in _UNITS if size_bytes >= unit), (1, "B"))
    value = size_bytes / unit
    return f"{value:.0f} {name}" if value == int(value) or value >= 10 else f"{value:.1f} {name}"  # noqa: PLR2004


def not_measured(figure: go.Figure, title: str, why: str, language: Language | None = None) -> go.Figure:
    """Return a figure that says why there is nothing in it."""
    said = textwrap.wrap(say("structure.figure.none", language, why=why), _MISSING_COLUMNS)
    figure.add_annotation(
        text="<br>".join(html.escape(each) for each in said),
        xref="paper", yref="paper", x=0.5, y=0.5, align="left", showarrow=False,
    )  # fmt: skip
    return figure.update_layout(
        title={"text": title},
        xaxis={"visible": False},
        yaxis={"visible": False},
        margin={"l": 20, "r": 20, "t": 60},
        height=180 + 20 * len(said),
    )


def _framed(name: str, structure: Structure, curves: Sequence[Curve | None], language: Language | None) -> go.Figure:
    title = say(f"structure.figure.{name}_title", language)
    if structure.refused is not None:
        return not_measured(go.Figure(), title, render(structure.refused, language), language)
    shown = [each for each in curves if each is not None and each.points]
    if not shown:
        return not_measured(go.Figure(), title, say("structure.figure.no_points", language), language)
    subtitle = say(f"structure.figure.{name}_subtitle", language)
    if any(each.provenance is Provenance.SYNTHETIC for each in shown):
        subtitle = f"{say('structure.figure.synthetic', language)} {subtitle}"
    return go.Figure().update_layout(
        title={"text": title, "subtitle": {"text": subtitle}},
        xaxis={"title": {"text": say(f"structure.figure.{name}_axis", language)}, "type": "log"},
        yaxis={"title": {"text": say("structure.figure.time_axis", language)}, "type": "log", **_time_ticks(shown)},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1, "x": 0},
        margin={"l": 60, "r": 20, "t": 120},
        height=_HEIGHT_PX,
    )


def _draw(  # noqa: PLR0917 - one call each, from above
    figure: go.Figure, curve: Curve, colour: str, symbol: str, dash: str, language: Language | None
) -> None:
    name = say(f"structure.probe.{curve.probe}", language)
    bounded = [p for p in curve.points if p.time_ns.low is not None and p.time_ns.high is not None]
    if bounded:
        there = [p.at for p in bounded]
        high, low = [p.time_ns.high for p in bounded], [p.time_ns.low for p in bounded]
        figure.add_trace(
            go.Scatter(
                x=[*there, *reversed(there)], y=[*high, *reversed(low)], fill="toself", fillcolor=_BANDS[colour],
                line={"width": 0}, mode="lines", hoverinfo="skip", showlegend=False,
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            name=name,
            x=[p.at for p in curve.points],
            y=[p.time_ns.median for p in curve.points],
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"size": 8, "symbol": [symbol if p.stable else f"{symbol}-open" for p in curve.points]},
            hovertext=[
                say("structure.figure.point", language, name=name, at=f"{p.at:,}", time=f"{p.time_ns.median:.2f} ns")
                for p in curve.points
            ],
            hoverinfo="text",
        )
    )


def _knee(figure: go.Figure, knee: Knee, at: str, index: int, language: Language | None) -> None:
    # A step lower for each: labels of neighbouring knees must not lie on each other on a phone.
    figure.add_vline(x=knee.at, line={"dash": "dash", "color": "black", "width": 1.5})
    figure.add_annotation(
        text=say("structure.figure.knee", language, at=at),
        x=math.log10(knee.at), xref="x", xanchor="right", y=1 - 0.07 * index, yref="paper", yanchor="top",
        showarrow=False, bgcolor="rgba(255, 255, 255, 0.8)",
    )  # fmt: skip


def _said(figure: go.Figure, said: Said, language: Language | None) -> None:
    level = 0.02 + 0.07 * ("l1d", "l2", "l3").index(said.name)
    name = say(f"structure.said.{said.name}", language)
    figure.add_vline(x=said.said_bytes, line={"dash": "dot", "color": _GREY, "width": 1.5})
    figure.add_annotation(
        text=say("structure.figure.said", language, name=name, size=size_text(said.said_bytes)),
        x=math.log10(said.said_bytes), xref="x", xanchor="left", y=level, yref="paper", yanchor="bottom",
        showarrow=False, font={"color": _GREY}, bgcolor="rgba(255, 255, 255, 0.8)",
    )  # fmt: skip


def _unstable(figure: go.Figure, first: int, last: int, language: Language | None) -> None:
    figure.add_vrect(x0=first, x1=last, fillcolor=_GREY, opacity=0.12, line_width=0)
    figure.add_annotation(
        text=say("structure.figure.unstable", language),
        x=math.log10(last), xref="x", xanchor="right", y=0.24, yref="paper", showarrow=False,
        bgcolor="rgba(255, 255, 255, 0.8)",
    )  # fmt: skip


def _within(curve: Curve, size_bytes: int) -> bool:
    return curve.points[0].at <= size_bytes <= curve.points[-1].at


def _size_ticks(curve: Curve) -> dict[str, object]:
    least, most = curve.points[0].at, curve.points[-1].at
    ticks = [1 << power for power in range(10, 40, 2) if least <= 1 << power <= most]
    return {"tickvals": ticks, "ticktext": [size_text(tick) for tick in ticks]}


def _time_ticks(curves: Sequence[Curve]) -> dict[str, object]:
    times = [point.time_ns.median for curve in curves for point in curve.points]
    decades = range(math.floor(math.log10(min(times))), math.ceil(math.log10(max(times))) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in _STEPS]
    return {"tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}
