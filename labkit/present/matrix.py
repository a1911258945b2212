"""The build matrix as frames, a table to read, and the figure of what each build needs."""

import textwrap
from collections.abc import Sequence
from typing import Final

import pandas as pd
import plotly.graph_objects as go

from labkit.gobuild.matrix.alone import alone
from labkit.model.binary import Linkage
from labkit.model.matrix import Cell, CellStatus, Matrix, Outcome, Trial
from labkit.present.table import Table, text_frame
from labkit.words import Language, render, say

_TYPES: Final = {
    "program": "string",
    "platform": "string",
    "variant": "string",
    "status": "string",
    "reason": "string",
    "linkage": "string",
    "interpreter": "string",
    "libraries": "string",
    "signature": "string",
    "pie": "boolean",
    "cgo_setting": "string",
    "size_bytes": "Int64",
    "build_time_s": "Float64",
    "here": "string",
    "empty_root": "string",
    "qemu": "string",
    "qemu_empty_root": "string",
}
_SIGNS: Final = {Outcome.RAN: "✓", Outcome.NOT_STARTED: "✗", Outcome.FAILED: "!", Outcome.NOT_TRIED: "-"}
_NEEDS: Final = ("nothing", "loader", "library", "system")
_MARKS: Final = {
    "ran": ("circle", "#0072b2"),
    "not-started": ("x", "#d55e00"),
    "judged": ("diamond-open", "#595959"),
}
_LABEL_CHARACTERS: Final = 18
_ROW_PX: Final = 26
_FRAME_PX: Final = 230


def matrix_frame(matrix: Matrix) -> pd.DataFrame:
    """Return one row a cell.

    Columns: ``program``, ``platform``, ``variant``, ``status`` (built, refused, impossible), ``reason``, ``linkage``,
    ``interpreter``, ``libraries`` (joined by ", "), ``signature``, ``cgo_setting`` and the outcomes ``here``,
    ``empty_root``, ``qemu``, ``qemu_empty_root`` (ran, not-started, failed, not-tried; ``<NA>`` where a place does not
    apply): string; ``pie``: boolean; ``size_bytes``: Int64; ``build_time_s`` (s, of the run that built it): Float64.
    """
    return pd.DataFrame([_fields(cell) for cell in matrix.cells], columns=list(_TYPES)).astype(_TYPES)


def _fields(cell: Cell) -> dict[str, object]:
    outcomes = {trial.place.value.replace("-", "_"): trial.outcome.value for trial in cell.trials}
    return outcomes | {
        "program": cell.program,
        "platform": cell.platform,
        "variant": cell.variant,
        "status": cell.status.value,
        "reason": None if cell.reason is None else render(cell.reason),
        "linkage": None if cell.linkage is None else cell.linkage.value,
        "interpreter": cell.interpreter,
        "libraries": ", ".join(cell.libraries),
        "signature": None if cell.signature is None else cell.signature.value,
        "pie": cell.pie,
        "cgo_setting": cell.cgo_setting,
        "size_bytes": cell.size_bytes,
        "build_time_s": cell.build_time_s,
    }


def matrix_table(matrix: Matrix, language: Language | None = None) -> pd.DataFrame:
    """Return the cells to read (str): what was built, what it needs, its size, where it was started, or why not."""
    heads = ("program", "platform", "variant", "needs", "size", "started", "witnesses")
    return text_frame([_row(cell, language) for cell in matrix.cells], heads, "matrix.column", language)


def _row(cell: Cell, language: Language | None) -> dict[str, str]:
    row = {"program": cell.program, "platform": cell.platform, "variant": _variant(cell, language)}
    if cell.status is not CellStatus.BUILT:
        why = "" if cell.reason is None else render(cell.reason, language)
        return row | {
            "needs": say(f"matrix.status.{cell.status}", language),
            "size": "-",
            "started": why,
            "witnesses": "-",
        }
    needs = ", ".join(each for each in (cell.interpreter, *cell.libraries) if each)
    return row | {
        "needs": needs or say("matrix.needs.nothing", language),
        "size": "-" if cell.size_bytes is None else f"{cell.size_bytes / 1e6:.1f} MB",
        "started": "; ".join(_trial(trial, language) for trial in cell.trials),
        "witnesses": "; ".join(f"{name}: {said}" for name, said in cell.witnesses.items()),
    }


def _variant(cell: Cell, language: Language | None) -> str:
    return say(f"matrix.variant.{cell.variant}", language)


def _trial(trial: Trial, language: Language | None) -> str:
    why = trial.said or ("" if trial.reason is None else render(trial.reason, language))
    return (
        f"{_SIGNS[trial.outcome]} {say(f'matrix.place.{trial.place}', language)}: "
        f"{say(f'matrix.outcome.{trial.outcome}', language)}" + (f" ({why})" if why else "")
    )


def sections_table(cells: Sequence[Cell], *, most: int = 8, language: Language | None = None) -> pd.DataFrame:
    """Return the largest sections of some cells to read (str): program, platform, variant, section, bytes, share."""
    heads = ("program", "platform", "variant", "section", "bytes", "share")
    rows = [
        {
            "program": cell.program,
            "platform": cell.platform,
            "variant": _variant(cell, language),
            "section": name,
            "bytes": f"{size:,}",
            "share": f"{100 * size / cell.size_bytes:.1f} %",
        }
        for cell in cells
        if cell.size_bytes
        for name, size in list(cell.sections_bytes.items())[:most]
    ]
    return text_frame(rows, heads, "matrix.column", language)


def needs_of(cell: Cell) -> str | None:
    """Return what a build needs, as the figure names it: nothing, loader, library, system; None when not built."""
    if cell.status is not CellStatus.BUILT:
        return None
    if cell.linkage is Linkage.STATIC:
        return "nothing"
    if cell.platform.startswith("darwin/"):
        return "system"
    return "library" if cell.libraries else "loader"


def linkage_figure(matrix: Matrix, language: Language | None = None) -> go.Figure:
    """Return what must be there before each build starts, with a sign for what an empty root showed.

    One row a build; what was not built says so in its place. The table beside it is :func:`matrix_table`.
    """
    figure = go.Figure()
    rows = [f"{cell.program} · {cell.platform} · {_variant(cell, language)}" for cell in matrix.cells]
    labels = [say(f"matrix.figure.{need}", language) for need in _NEEDS]
    for mark, (symbol, colour) in _MARKS.items():
        shown = [(row, cell) for row, cell in zip(rows, matrix.cells, strict=True) if _mark(cell) == mark]
        if not shown:
            continue
        at = [_NEEDS.index(needs_of(cell) or "nothing") for _, cell in shown]
        figure.add_trace(
            go.Scatter(
                name=say(f"matrix.figure.{mark}", language),
                x=at,
                y=[row for row, _ in shown],
                mode="markers",
                marker={"symbol": symbol, "size": 12, "color": colour, "line": {"width": 2}},
                hovertext=[f"{row}: {labels[x]}" for (row, _), x in zip(shown, at, strict=True)],
                hoverinfo="text",
            )
        )
    for row, cell in zip(rows, matrix.cells, strict=True):
        if cell.status is not CellStatus.BUILT:
            why = say(f"matrix.status.{cell.status}", language)
            figure.add_annotation(x=0, y=row, text=why, xanchor="left", showarrow=False, font={"color": "#595959"})
    if not matrix.cells:
        where = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
        figure.add_annotation(text=say("matrix.figure.none", language), showarrow=False, **where)
    figure.update_layout(
        title={
            "text": say("matrix.figure.title", language),
            "subtitle": {"text": say("matrix.figure.subtitle", language)},
        },
        xaxis={
            "title": {"text": say("matrix.figure.axis", language)},
            "range": [-0.4, len(_NEEDS) - 0.6],
            "tickvals": list(range(len(_NEEDS))),
            "ticktext": ["<br>".join(textwrap.wrap(label, _LABEL_CHARACTERS)) for label in labels],
        },
        yaxis={"categoryorder": "array", "categoryarray": rows[::-1], "automargin": True, "tickfont": {"size": 11}},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1, "x": 0},
        margin={"l": 20, "r": 20, "t": 120},
        height=_FRAME_PX + _ROW_PX * max(1, len(rows)),
    )
    return figure


def _mark(cell: Cell) -> str | None:
    if cell.status is not CellStatus.BUILT:
        return None
    started = alone(cell)
    if not started:
        return "judged"
    return "ran" if started[0].outcome is Outcome.RAN else "not-started"


def matrix(matrix: Matrix) -> Table:
    """Show the cells of a build matrix."""
    return Table(matrix_table(matrix))


def sections(cells: Sequence[Cell]) -> Table:
    """Show the largest sections of some builds."""
    return Table(sections_table(cells))
