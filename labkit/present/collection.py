"""What generating from a whole collection cost: a figure of its folders, the table beside it, and what was refused."""

import html
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from labkit.model.base import Provenance
from labkit.model.collection import CollectionCost, CollectionRun
from labkit.present.table import Table, text_frame
from labkit.words import Language, render, say

#: Folders that are told apart; the shorter ones stand together.
MOST_FOLDERS: Final = 14
# Okabe and Ito's blue, and a grey for the whole; the whole's row is the first and says so in words.
_COLOUR: Final = "#0072B2"
_WHOLE_COLOUR: Final = "#767676"
_ROW_PX: Final = 62
_FRAME_PX: Final = 170
_MISSING_COLUMNS: Final = 44  # letters a line, which a phone shows whole


@dataclass(frozen=True)
class _Row:
    """A cost under its name; ``many`` when it is the sum of several."""

    name: str
    cost: CollectionCost
    many: bool = False


def collection_figure(run: CollectionRun, language: Language | None = None) -> go.Figure:
    """Return the figure: a bar of seconds for the whole and for each folder; files and memory in words above it."""
    figure = go.Figure()
    if run.whole is None:
        return _not_measured(figure, run, language)
    rows = _rows(run, run.whole, language)
    figure.add_trace(
        go.Bar(
            x=[row.cost.wall_time_s for row in rows],
            y=[-index for index in range(len(rows))],
            orientation="h",
            width=0.34,
            marker={"color": [_WHOLE_COLOUR, *[_COLOUR] * (len(rows) - 1)]},
            hovertext=[f"{row.name}: {row.cost.wall_time_s:.2f} s" for row in rows],
            hoverinfo="text",
        )
    )
    for index, row in enumerate(rows):
        figure.add_annotation(
            text=_words(row, language),
            xref="paper", x=0, xanchor="left", yref="y", y=0.2 - index, yanchor="bottom", align="left", showarrow=False,
        )  # fmt: skip
    subtitle = say("collection.figure.subtitle", language, jobs=run.whole.jobs)
    if run.provenance is Provenance.SYNTHETIC:
        subtitle = f"{say('collection.figure.synthetic', language)} {subtitle}"
    title = say("collection.figure.title", language, collection=html.escape(run.source or run.collection))
    return figure.update_layout(
        title={"text": title, "subtitle": {"text": subtitle}},
        xaxis={"title": {"text": say("collection.figure.axis", language)}, "rangemode": "tozero"},
        yaxis={"visible": False, "range": [0.4 - len(rows), 0.9], "fixedrange": True},
        margin={"l": 20, "r": 20, "t": 90},
        height=_FRAME_PX + _ROW_PX * len(rows),
    )


def collection_table(run: CollectionRun, language: Language | None = None) -> Table:
    """Show the whole, then its folders, the longest first: counts, bytes, seconds and memory (all str)."""
    if run.whole is None:
        rows = [{"collection": run.source or run.collection, "missing": _why(run, language)}]
        return Table(text_frame(rows, ("collection", "missing"), "collection.column", language))
    shown = [
        {
            "part": row.name,
            "sources": f"{row.cost.source_count:,}",
            "refused": f"{row.cost.refused_count:,}",
            "packages": f"{row.cost.package_count:,}",
            "files": f"{row.cost.file_count:,}",
            "lines": f"{row.cost.line_count:,}",
            "size": f"{row.cost.output_size_bytes / 1e6:,.2f}",
            "seconds": f"{row.cost.wall_time_s:.2f}",
            "protoc": f"{row.cost.protoc_time_s:.2f}",
            "plugins": f"{sum(row.cost.plugin_time_s.values()):.2f}",
            "memory": _memory(row, language),
        }
        for row in _rows(run, run.whole, language)
    ]
    heads = (
        "part", "sources", "refused", "packages", "files", "lines", "size", "seconds", "protoc", "plugins", "memory",
    )  # fmt: skip
    return Table(text_frame(shown, heads, "collection.column", language))


def collection_refusals(run: CollectionRun, language: Language | None = None) -> Table:
    """Show what was not generated from, why, and what to do (all str)."""
    rows = [
        {
            "source": refusal.source,
            "line": "-" if refusal.line is None else str(refusal.line),
            "reason": render(refusal.reason, language),
            "remedy": render(refusal.remedy, language),
        }
        for refusal in run.refused
    ]
    return Table(text_frame(rows, ("source", "line", "reason", "remedy"), "collection.column", language))


def _not_measured(figure: go.Figure, run: CollectionRun, language: Language | None) -> go.Figure:
    said = textwrap.wrap(say("collection.figure.missing", language, why=_why(run, language)), _MISSING_COLUMNS)
    figure.add_annotation(
        text="<br>".join(html.escape(line) for line in said),
        xref="paper", yref="paper", x=0.5, y=0.5, align="left", showarrow=False,
    )  # fmt: skip
    return figure.update_layout(
        title={"text": say("collection.figure.title_none", language)},
        xaxis={"visible": False},
        yaxis={"visible": False},
        margin={"l": 20, "r": 20, "t": 60},
        height=_FRAME_PX + 20 * len(said),
    )


def _why(run: CollectionRun, language: Language | None) -> str:
    return render(run.missing, language) if run.missing else "-"


def _rows(run: CollectionRun, whole: CollectionCost, language: Language | None) -> list[_Row]:
    apart, rest = run.parts, run.parts[:0]
    if len(run.parts) > MOST_FOLDERS:
        apart, rest = run.parts[: MOST_FOLDERS - 1], run.parts[MOST_FOLDERS - 1 :]
    rows = [_Row(say("collection.part.whole", language), whole), *(_Row(part.folder, part) for part in apart)]
    if rest:
        rows.append(_Row(say("collection.part.rest", language, n=len(rest)), _sum(rest), many=True))
    return rows


def _sum(parts: Sequence[CollectionCost]) -> CollectionCost:
    # One after another: counts and times add up, of the memory the most at one instant counts.
    plugins: Counter[str] = Counter()
    for part in parts:
        plugins.update(dict(part.plugin_time_s))
    peaks = [part.peak_memory_bytes for part in parts if part.peak_memory_bytes is not None]
    return CollectionCost(
        folder="",
        source_count=sum(part.source_count for part in parts),
        package_count=sum(part.package_count for part in parts),
        file_count=sum(part.file_count for part in parts),
        line_count=sum(part.line_count for part in parts),
        output_size_bytes=sum(part.output_size_bytes for part in parts),
        refused_count=sum(part.refused_count for part in parts),
        batch_count=sum(part.batch_count for part in parts),
        protoc_time_s=sum(part.protoc_time_s for part in parts),
        plugin_time_s=dict(plugins),
        jobs=max(part.jobs for part in parts),
        wall_time_s=sum(part.wall_time_s for part in parts),
        peak_memory_bytes=max(peaks) if peaks else None,
    )


def _words(row: _Row, language: Language | None) -> str:
    return say(
        "collection.figure.row",
        language,
        name=html.escape(row.name),
        seconds=f"{row.cost.wall_time_s:.2f}",
        sources=f"{row.cost.source_count:,}",
        files=f"{row.cost.file_count:,}",
        memory=_memory(row, language),
    )


def _memory(row: _Row, language: Language | None) -> str:
    if row.cost.peak_memory_bytes is None:
        return say("collection.memory.unknown", language)
    kind = "most" if row.many else "known"
    return say(f"collection.memory.{kind}", language, mib=f"{row.cost.peak_memory_bytes / 2**20:,.0f}")
