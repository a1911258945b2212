"""Benchmark samples as a frame, a table to read and a figure; measures and judges nothing."""

import math
from collections.abc import Sequence
from typing import Final

import pandas as pd
import plotly.graph_objects as go

from labkit.model.base import Provenance
from labkit.model.bench import Interval, Sample
from labkit.present.table import text_frame
from labkit.words import Language, render, say

_UNITS: Final = (("s", 1e9), ("ms", 1e6), ("µs", 1e3))
_ROW_PX: Final = 76
_FRAME_PX: Final = 200

# In decades of the logarithmic axis: room beside the outermost interval, and from where decades alone are ticks enough.
_AXIS_PAD: Final = 0.1
_WIDE: Final = 1.7

# Okabe and Ito's blue and vermilion, told apart by most colour-blind readers; the symbols differ too.
_WALL_COLOUR: Final = "#0072B2"
_CPU_COLOUR: Final = "#D55E00"


def samples_frame(samples: Sequence[Sample]) -> pd.DataFrame:
    """Return one row per kernel, for reckoning; :func:`samples_table` is for reading.

    Columns: ``kernel`` (str); ``wall_ns_per_op``, ``low_ns_per_op``, ``high_ns_per_op``, ``confidence`` (float64, the
    median of wall time over processes, its interval and the interval's coverage; NaN where there is no interval);
    ``n`` (int64, processes); ``cpu_ns_per_op``, ``cpu_share`` (float64, medians); ``allocated_bytes_per_op``,
    ``allocations_per_op`` (float64, means over processes); ``warnings`` (str, each sentence in the reader's language);
    ``provenance`` (str). (Text columns are of dtype ``str``, ``object`` before pandas 3.)
    """
    frame = pd.DataFrame(
        {
            "kernel": [sample.kernel for sample in samples],
            "wall_ns_per_op": [sample.wall.median for sample in samples],
            "low_ns_per_op": [sample.wall.low for sample in samples],
            "high_ns_per_op": [sample.wall.high for sample in samples],
            "confidence": [sample.wall.confidence for sample in samples],
            "n": [sample.wall.n for sample in samples],
            "cpu_ns_per_op": [sample.cpu.median for sample in samples],
            "cpu_share": [sample.cpu_share.median for sample in samples],
            "allocated_bytes_per_op": [_mean([p.allocated_bytes_per_op for p in s.processes]) for s in samples],
            "allocations_per_op": [_mean([p.allocations_per_op for p in s.processes]) for s in samples],
            "warnings": [" ".join(render(warning) for warning in sample.warnings) for sample in samples],
            "provenance": [str(sample.provenance) for sample in samples],
        }
    )
    texts = ("kernel", "warnings", "provenance")
    return frame.astype({name: "str" if name in texts else "int64" if name == "n" else "float64" for name in frame})


def samples_table(samples: Sequence[Sample], language: Language | None = None) -> pd.DataFrame:
    """Return one row per kernel as texts under heads in the reader's language: what a notebook shows.

    Columns (all str): the kernel's title, wall time, its 95 % interval, processes, CPU time, CPU share, allocated bytes
    and allocations per operation, peak memory, doubts in short.
    """
    rows = []
    for sample in samples:
        allocated = _mean([p.allocated_bytes_per_op for p in sample.processes])
        allocations = _mean([p.allocations_per_op for p in sample.processes])
        peak = max(p.peak_memory_bytes for p in sample.processes)
        doubts = _short_doubts(sample, language)
        rows.append(
            {
                "kernel": render(sample.title, language),
                "wall": _time(sample.wall.median),
                "interval": _bounds(sample.wall) or say("bench.figure.no_interval", language),
                "n": str(sample.wall.n),
                "cpu": _time(sample.cpu.median),
                "cpu_share": f"{sample.cpu_share.median:.0%}",
                "memory": f"{allocated:,.0f} / {allocations:,.0f}",
                "peak": f"{peak / 1e6:,.1f} MB",
                "warnings": ", ".join(doubts) or "-",
            }
        )
    heads = ("kernel", "wall", "interval", "n", "cpu", "cpu_share", "memory", "peak", "warnings")
    return text_frame(rows, heads, "bench.column", language)


def samples_figure(samples: Sequence[Sample], language: Language | None = None) -> go.Figure:
    """Return the figure of all kernels: a dot and an interval each, for wall and for CPU time, on a logarithmic axis.

    Wall time is a disc and CPU time a diamond; hollow where there is no interval, which the kernel's row says in words,
    with the number of processes and every doubt.
    """
    figure = go.Figure()
    for clock, colour, symbol, offset in (
        ("wall", _WALL_COLOUR, "circle", -0.08),
        ("cpu", _CPU_COLOUR, "diamond", -0.3),
    ):
        rows = [(offset - row, getattr(sample, clock)) for row, sample in enumerate(samples)]
        name = say(f"bench.figure.{clock}", language)
        for known in (True, False):
            some = [(y, interval) for y, interval in rows if (interval.low is not None) is known]
            if some:
                # One entry of the legend a clock, whichever of its two traces comes first.
                first = known or len(some) == len(rows)
                shape = symbol if known else f"{symbol}-open"
                figure.add_trace(_dots(some, name, colour, shape, language).update(legendgroup=clock, showlegend=first))
    for row, sample in enumerate(samples):
        figure.add_annotation(
            text=f"<b>{render(sample.title, language)}</b><br>{_row_text(sample, language)}",
            xref="paper", x=0, xanchor="left", yref="y", y=0.08 - row, yanchor="bottom", align="left", showarrow=False,
        )  # fmt: skip
    if not samples:
        figure.add_annotation(
            text=say("bench.figure.none", language), xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False
        )
    figure.update_layout(
        title={
            "text": say("bench.figure.title", language),
            "subtitle": {"text": say("bench.figure.subtitle", language)},
        },
        xaxis={"title": {"text": say("bench.figure.axis", language)}, "type": "log"} | _ticks(samples),
        yaxis={"visible": False, "range": [0.5 - len(samples), 0.65], "fixedrange": True},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1, "x": 0},
        margin={"l": 20, "r": 20, "t": 120},
        height=_FRAME_PX + _ROW_PX * max(1, len(samples)),
    )
    return figure


def _dots(
    rows: Sequence[tuple[float, Interval]], name: str, colour: str, symbol: str, language: Language | None
) -> go.Scatter:
    """Return dots at their heights, with intervals where there are any."""
    intervals = [interval for _, interval in rows]
    bars = [(i.median - i.low, i.high - i.median) for i in intervals if i.low is not None and i.high is not None]
    below, above = [bar[0] for bar in bars], [bar[1] for bar in bars]
    shape = {"type": "data", "symmetric": False, "thickness": 2, "width": 5}
    return go.Scatter(
        name=name,
        x=[interval.median for interval in intervals],
        y=[y for y, _ in rows],
        error_x=shape | {"arrayminus": below, "array": above} if bars else None,
        mode="markers",
        marker={"color": colour, "size": 11, "symbol": symbol, "line": {"width": 2}},
        hovertext=[f"{name}: {_numbers(interval, language)}" for interval in intervals],
        hoverinfo="text",
    )


def _ticks(samples: Sequence[Sample]) -> dict[str, object]:
    """Return the range of a logarithmic axis around all intervals, and ticks that name times: decades, or 1-2-5."""
    intervals = [interval for sample in samples for interval in (sample.wall, sample.cpu)]
    if not intervals:
        return {"showticklabels": False}
    least = math.log10(min(i.median if i.low is None else i.low for i in intervals)) - _AXIS_PAD
    most = math.log10(max(i.median if i.high is None else i.high for i in intervals)) + _AXIS_PAD
    steps = (1,) if most - least > _WIDE else (1, 2, 5)
    decades = range(math.floor(least), math.ceil(most))
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    return {"range": [least, most], "tickvals": ticks, "ticktext": [_time(tick, digits=1) for tick in ticks]}


def _row_text(sample: Sample, language: Language | None) -> str:
    """Return the wall time with its interval, and the doubts in short (``bench.short`` beside ``bench.warning``)."""
    return " \u00b7 ".join([_numbers(sample.wall, language), *_short_doubts(sample, language)])


def _short_doubts(sample: Sample, language: Language | None) -> list[str]:
    """Return the doubts in a word or two each (``bench.short`` beside ``bench.warning``); the record has them whole."""
    synthetic = [say("bench.figure.synthetic", language)] if sample.provenance is Provenance.SYNTHETIC else []
    return synthetic + [
        say(warning.id.replace(".warning.", ".short."), language, **warning.values) for warning in sample.warnings
    ]


def _numbers(interval: Interval, language: Language | None) -> str:
    bounds = _bounds(interval)
    if bounds is None or interval.confidence is None:
        return say("bench.figure.numbers_without", language, median=_time(interval.median), n=interval.n)
    return say(
        "bench.figure.numbers",
        language,
        median=_time(interval.median),
        bounds=bounds,
        confidence=f"{100 * interval.confidence:.1f}",
        n=interval.n,
    )


def _bounds(interval: Interval) -> str | None:
    if interval.low is None or interval.high is None:
        return None
    return f"{_time(interval.low)} \u2013 {_time(interval.high)}"


def _time(time_ns: float, *, digits: int = 3) -> str:
    """Return a time with so many significant digits, ``145 ns`` or ``1.23 ms``; whole digits are never cut."""
    rounded = float(f"{time_ns:.{digits}g}")
    unit, scale = next(((unit, scale) for unit, scale in _UNITS if rounded >= scale), ("ns", 1.0))
    value = float(f"{time_ns / scale:.{digits}g}")
    whole = len(str(int(value))) if value >= 1 else 0
    return f"{value:,.{max(0, digits - whole)}f} {unit}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
