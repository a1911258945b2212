"""Shows a record that is the value of a notebook's cell: as text, as HTML, and as a figure where that says more.

``import labkit`` tells IPython to come here (:func:`labkit.load_ipython_extension`). A record that has no view of its
own is shown field by field, so that there is none that prints itself over pages.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import pandas as pd
import plotly.graph_objects as go

from labkit.model.base import Record, Text
from labkit.model.bench import Sample
from labkit.model.binary import Binary
from labkit.model.check import Finding
from labkit.model.claims import ClaimsRecord
from labkit.model.codegen import Built, Generated, Served
from labkit.model.collection import CollectionRun
from labkit.model.comparison import Comparison
from labkit.model.debugging import Debugging
from labkit.model.drift import Drift
from labkit.model.generators import GeneratorSurvey
from labkit.model.host import HostFacts
from labkit.model.instructions import Listing
from labkit.model.machine import Condition, Machine
from labkit.model.matrix import Matrix
from labkit.model.paired import Difference
from labkit.model.resolution import Experiment
from labkit.model.run import RunRecord
from labkit.model.side_by_side import SideBySide
from labkit.model.structure import Quiet, Structure
from labkit.model.toolchain import Toolchain
from labkit.model.traps import TrapOutcome, TrapsReport
from labkit.present import comparison, debugging, drift, views
from labkit.present.binaries import BinaryView
from labkit.present.claims_figures import claims_by_chapter, claims_figure, claims_verdict
from labkit.present.collection import collection_figure, collection_table
from labkit.present.comparison_figures import ratio_figure
from labkit.present.generators import generator_matrix, generator_versions
from labkit.present.instructions import listings
from labkit.present.matrix import linkage_figure, matrix
from labkit.present.resolution import resolution
from labkit.present.samples import samples_figure
from labkit.present.side_by_side import halves, side_by_side
from labkit.present.structure import latency_figure
from labkit.present.structure_tables import beside, knees, quiet
from labkit.present.table import Table, text_frame
from labkit.present.translated import translated, translated_figure
from labkit.present.traps import about_frame, cases_frame, traps
from labkit.system.store import shown
from labkit.words import render, say

PLOTLY: Final = "application/vnd.plotly.v1+json"
_LONGEST: Final = 160  # characters of one field, where a record has no view of its own
_ROWS: Final = 50  # records without a view of their own that are shown


class View(Protocol):
    """What shows itself as HTML, and by its ``repr`` as text."""

    def _repr_html_(self) -> str: ...


@dataclass(frozen=True)
class Shown:
    """A record as a cell shows it: views below each other; where there is a figure, it stands for them."""

    views: tuple[View, ...]
    figure: go.Figure | None = None


def _shown(*views: View, figure: go.Figure | None = None) -> Shown:
    return Shown(views, figure)


def _run(record: RunRecord) -> Shown:
    sections = (record.install, record.codegen, record.binaries, record.debugging)
    found = [finding for section in sections if section is not None for finding in section.findings]
    heads = ("run", "started_at", "labkit_version", "params_name", "parameters")
    return _shown(
        _properties({"chip": record.machine.chip, **{name: getattr(record, name) for name in heads}}),
        _rows(record.notebooks, ("name", "status", "wall_time_s", "cause")),
        views.verdict(found),
    )


def _differences(differences: Sequence[Difference]) -> Shown:
    return _shown(translated(differences, None), figure=translated_figure(differences, None))


#: Records of which there are usually several: what shows them together.
_SEVERAL: Final[Mapping[type[Record], Callable[[Sequence[Any]], Shown]]] = {
    Binary: lambda many: _shown(BinaryView(many)),
    Built: lambda many: _shown(views.builds(many)),
    Difference: _differences,
    Experiment: lambda many: _shown(resolution(many)),
    Finding: lambda many: _shown(views.findings(many)),
    Listing: lambda many: _shown(listings(many)),
    Sample: lambda many: _shown(views.samples(many), figure=samples_figure(many)),
}

#: Records that stand for themselves.
_ALONE: Final[Mapping[type[Record], Callable[[Any], Shown]]] = {
    ClaimsRecord: lambda one: _shown(claims_verdict(one), claims_by_chapter(one), figure=claims_figure(one)),
    CollectionRun: lambda one: _shown(collection_table(one), figure=collection_figure(one)),
    Comparison: lambda one: _shown(
        comparison.compared_columns(one), comparison.compared_times(one), figure=ratio_figure(one)
    ),
    Condition: lambda one: _shown(views.condition(one)),
    Debugging: lambda one: _shown(debugging.stops(one), debugging.trials(one)),
    Drift: lambda one: _shown(drift.drift(one)),
    Generated: lambda one: _shown(views.generated(one)),
    GeneratorSurvey: lambda one: _shown(generator_versions(one), generator_matrix(one)),
    HostFacts: lambda one: _shown(views.host(one)),
    Machine: lambda one: _shown(views.machine(one), views.levels(one)),
    Matrix: lambda one: _shown(matrix(one), figure=linkage_figure(one)),
    Quiet: lambda one: _shown(quiet(one)),
    RunRecord: _run,
    Served: lambda one: _shown(views.served(one)),
    SideBySide: lambda one: _shown(halves(one), side_by_side(one)),
    Structure: lambda one: _shown(knees(one), beside(one), figure=latency_figure(one)),
    Text: lambda one: _shown(views.source(render(one))),
    Toolchain: lambda one: _shown(views.tools(one)),
    TrapOutcome: lambda one: _shown(Table(about_frame(one)), Table(cases_frame(one))),
    TrapsReport: lambda one: _shown(traps(one)),
}


def of(value: Record | Sequence[Record]) -> Shown:
    """Return how a record, or several, are shown."""
    if isinstance(value, Record):
        if type(value) in _ALONE:
            return _ALONE[type(value)](value)
        if type(value) in _SEVERAL:
            return _SEVERAL[type(value)]((value,))
        return _shown(_properties({name: getattr(value, name) for name in value.__struct_fields__}))
    kinds = {type(each) for each in value}
    kind = kinds.pop() if len(kinds) == 1 else Record
    if kind in _SEVERAL:
        return _SEVERAL[kind](value)
    return _shown(_rows(value, kind.__struct_fields__ if kind is not Record else ()))


def bundle(value: object) -> dict[str, object] | None:
    """Return a value's MIME bundle, or None when it is neither a record nor a tuple of records.

    ``text/plain`` and ``text/html`` hold the tables, ``application/vnd.plotly.v1+json`` the figure if there is one.

    Examples:
        >>> from labkit.model.base import Text
        >>> bundle(Text(id="present.verdict.good"))["text/plain"]
        'All that was checked is right.'
        >>> bundle((1, 2)) is None
        True

    """
    if isinstance(value, tuple):
        records = tuple(each for each in value if isinstance(each, Record))
        if not value or len(records) < len(value):
            return None
        seen = of(records)
    elif isinstance(value, Record):
        seen = of(value)
    else:
        return None
    made: dict[str, object] = {
        "text/plain": "\n\n".join(map(repr, seen.views)),
        "text/html": "\n".join(view._repr_html_() for view in seen.views),
    }
    if seen.figure is not None and seen.figure.data:  # one that only says why it is empty says less than the tables
        made[PLOTLY] = json.loads(seen.figure.to_json())
    return made


def _properties(values: Mapping[str, object]) -> Table:
    rows = [{"property": name, "value": _brief(value)} for name, value in values.items()]
    return Table(text_frame(rows, ("property", "value"), "present.column"))


def _rows(records: Sequence[Record], names: Sequence[str]) -> Table:
    rows = [{name: _brief(getattr(each, name)) for name in names} or {"": _brief(each)} for each in records[:_ROWS]]
    if len(records) > _ROWS:
        rows.append({(*names, "")[0]: say("present.more_lines", n=len(records) - _ROWS)})
    return Table(pd.DataFrame(rows, dtype="str").fillna(""))


def _brief(value: object) -> str:
    match value:
        case None:
            return "-"
        case Text():
            text = render(value)
        case Record():
            first = value.__struct_fields__[0]  # what it is called by
            text = f"{type(value).__name__}({first}={_brief(getattr(value, first))})"
        case tuple() if len(value) > 3:  # noqa: PLR2004 - as many as one reads in a line
            text = f"{_brief(value[0])}, ... ({len(value)})"
        case tuple():
            text = ", ".join(map(_brief, value)) or "-"
        case Mapping():
            text = ", ".join(f"{key}: {_brief(item)}" for key, item in value.items()) or "-"
        case _:
            text = shown(str(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
