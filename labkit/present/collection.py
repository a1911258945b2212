"""What generating from a whole collection cost: a figure of its batches, the table beside it, and what was refused."""

import html
import textwrap
from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from labkit.model.base import Provenance
from labkit.model.collection import CollectionBatch, CollectionCost, CollectionRun
from labkit.present.table import Table, text_frame
from labkit.words import Language, render, say

#: Rows that are told apart; the shorter batches stand together.
MOST_ROWS: Final = 15
_COLOUR: Final = "#0072B2"  # Okabe and Ito's blue
_ROW_PX: Final = 62
_FRAME_PX: Final = 170
_MISSING_COLUMNS: Final = 44  # letters a line, which a phone shows whole


def collection_figure(run: CollectionRun, language: Language | None = None) -> go.Figure:
    """Return the figure of the batches: a bar of seconds each, with its files, bytes and memory in words above it."""
    figure = go.Figure()
    if run.cost is None:
        return _not_measured(figure, run, language)
    rows = _rows(run.cost)
    figure.add_trace(
        go.Bar(
            x=[batch.wall_time_s for batch, _ in rows],
            y=[-index for index in range(len(rows))],
            orientation="h",
            width=0.34,
            marker={"color": _COLOUR},
            hovertext=[_label(batch, count, language) for batch, count in rows],
            hoverinfo="text",
        )
    )
    for index, (batch, count) in enumerate(rows):
        figure.add_annotation(
            text=_row(batch, count, language),
            xref="paper", x=0, xanchor="left", yref="y", y=0.2 - index, yanchor="bottom", align="left", showarrow=False,
        )  # fmt: skip
    cost = run.cost
    subtitle = say(
        "collection.figure.subtitle",
        language,
        sources=f"{cost.source_count:,}",
        packages=f"{cost.package_count:,}",
        seconds=f"{cost.wall_time_s:.1f}",
        jobs=cost.jobs,
        memory=_memory(cost.peak_memory_bytes, language),
    )
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
    """Show the whole, then its batches, the longest first: sources, files, bytes, seconds and memory (all str)."""
    if run.cost is None:
        why = render(run.missing, language) if run.missing else ""
        rows = [{"collection": run.source or run.collection, "missing": why}]
        return Table(text_frame(rows, ("collection", "missing"), "collection.column", language))
    heads = ("batch", "sources", "files", "size", "seconds", "protoc", "plugins", "memory")
    cost = run.cost
    whole = {
        "batch": say("collection.batch.all", language),
        "sources": f"{cost.source_count:,}",
        "files": f"{cost.file_count:,}",
        "size": f"{cost.output_size_bytes / 1e6:,.2f}",
        "seconds": f"{cost.wall_time_s:.2f}",
        "protoc": "-",
        "plugins": "-",
        "memory": _mib(cost.peak_memory_bytes, language),
    }
    rows = [whole] + [
        {
            "batch": _label(batch, count, language),
            "sources": f"{batch.source_count:,}",
            "files": f"{batch.file_count:,}",
            "size": f"{batch.output_size_bytes / 1e6:,.2f}",
            "seconds": f"{batch.wall_time_s:.2f}",
            "protoc": f"{batch.protoc_time_s:.2f}",
            "plugins": f"{sum(batch.plugin_time_s.values()):.2f}",
            "memory": _mib(batch.peak_memory_bytes, language),
        }
        for batch, count in _rows(cost)
    ]
    return Table(text_frame(rows, heads, "collection.column", language))


def collection_refusals(run: CollectionRun, language: Language | None = None) -> Table:
    """Show what was not generated from, why, and what to do (all str)."""
    rows = [
        {
            "source": refusal.source,
            "line": "-" if refusal.line is None else str(refusal.line),
            "reason": render(refusal.reason, language),
            "remedy": render(refusal.remedy, language),
        }
        for refusal in (run.cost.refused if run.cost else ())
    ]
    return Table(text_frame(rows, ("source", "line", "reason", "remedy"), "collection.column", language))


def _not_measured(figure: go.Figure, run: CollectionRun, language: Language | None) -> go.Figure:
    why = render(run.missing, language) if run.missing else ""
    said = textwrap.wrap(say("collection.figure.missing", language, why=why), _MISSING_COLUMNS)
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


def _rows(cost: CollectionCost) -> Sequence[tuple[CollectionBatch, int]]:
    # Each with how many batches it stands for.
    if len(cost.batches) <= MOST_ROWS:
        return [(batch, 1) for batch in cost.batches]
    apart, rest = cost.batches[: MOST_ROWS - 1], cost.batches[MOST_ROWS - 1 :]
    peaks = [batch.peak_memory_bytes for batch in rest if batch.peak_memory_bytes is not None]
    plugins = {name for batch in rest for name in batch.plugin_time_s}
    together = CollectionBatch(
        folders=(),
        source_count=sum(batch.source_count for batch in rest),
        file_count=sum(batch.file_count for batch in rest),
        output_size_bytes=sum(batch.output_size_bytes for batch in rest),
        protoc_time_s=sum(batch.protoc_time_s for batch in rest),
        plugin_time_s={name: sum(batch.plugin_time_s.get(name, 0.0) for batch in rest) for name in plugins},
        wall_time_s=sum(batch.wall_time_s for batch in rest),
        peak_memory_bytes=max(peaks) if peaks else None,
    )
    return [*((batch, 1) for batch in apart), (together, len(rest))]


def _label(batch: CollectionBatch, count: int, language: Language | None) -> str:
    if count > 1:
        return say("collection.batch.rest", language, n=count)
    folder = batch.folders[0] if batch.folders else "-"
    if len(batch.folders) < 2:  # noqa: PLR2004 - a folder and no more
        return say("collection.batch.one", language, folder=folder)
    return say("collection.batch.more", language, folder=folder, n=len(batch.folders) - 1)


def _row(batch: CollectionBatch, count: int, language: Language | None) -> str:
    return say(
        "collection.figure.row",
        language,
        name=html.escape(_label(batch, count, language)),
        seconds=f"{batch.wall_time_s:.2f}",
        files=f"{batch.file_count:,}",
        size=f"{batch.output_size_bytes / 1e6:,.1f} MB",
        memory=_memory(batch.peak_memory_bytes, language),
    )


def _memory(size_bytes: int | None, language: Language | None) -> str:
    if size_bytes is None:
        return say("collection.memory.unknown", language)
    return say("collection.memory.known", language, mib=f"{size_bytes / 2**20:,.0f}")


def _mib(size_bytes: int | None, language: Language | None) -> str:
    return say("collection.memory.unknown", language) if size_bytes is None else f"{size_bytes / 2**20:,.0f}"
