"""The runs of a site side by side: rows and figures for its pages of the comparison and of the statements.

Nothing is compared here: :mod:`labkit.compare` does, and refuses by name what may not be compared.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from labkit.bench.regression.shown import Rows
from labkit.claims.compared import cell_text, count_line, parts_text, wording
from labkit.compare import compare, read, shown
from labkit.model.base import Provenance
from labkit.model.comparison import Axis, ClaimCell, Comparison, Row
from labkit.present.comparison_figures import curves_figure, findings_figure, ratio_figure
from labkit.site import figures
from labkit.words import Language, say

#: The probes whose curves are drawn.
_PROBES: Final = ("chase", "tlb")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One table of the comparison, its first row the heads, with the figure above it and the lines below its head.

    What few readers want is folded: ``notes``, and ``alone``, the rows that a column shares with no other.
    """

    id: str
    title: str
    figure: figures.Figure | None = None
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rows: Rows = ()
    alone: Rows = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """What became of a statement in one column: a verdict and what is behind it, or why there is none."""

    verdict: str | None
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One statement over the columns that judged any."""

    id: str
    text: str
    standing: str
    run: str | None  # that judged it last, in the first column that has it
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """The page of a comparison in one language, and the rows of the page of statements."""

    page: str  # its file
    name: str
    title: str
    synthetic: bool  # all of it was made up
    parts: tuple[Part, ...]
    counted: str
    silent: tuple[str, ...]  # which columns judged nothing, and why
    heads: tuple[str, ...]
    ledger: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A document that was named beside runs and has no page of its own."""

    name: str
    provenance: Provenance
    chip: str | None
    source: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """A site's comparisons, that by machine first, and the documents in them."""

    comparisons: tuple[Comparison, ...]
    documents: tuple[Named, ...]


def side_by_side(records: Sequence[Path], documents: Sequence[Path]) -> Compared:
    """Return records, and documents that ``labkit import``, ``bench`` or ``claims`` wrote, compared.

    By machine always; by toolchain, day and translation where two columns have times. Publications are of no set and
    day that could be told, so they stand beside machines alone. Made-up records are compared only where nothing else
    is there.

    Raises:
        UsageError: A document does not exist.
        RecordError: A document is damaged, or nothing that can be compared.

    """
    entries = read([*records, *documents])
    synthetic = all(each.provenance is Provenance.SYNTHETIC for each in entries)
    include = (Provenance.SYNTHETIC,) if synthetic else ()
    own = [each for each in entries if each.provenance is not Provenance.IMPORTED]
    others = (axis for axis in Axis if axis is not Axis.MACHINE and own)
    along = (compare(own, axis=axis, include=include) for axis in others)
    told = [compare(entries, include=include), *(each for each in along if len(_timed(each)) > 1)]
    return Compared(
        comparisons=tuple(told),
        documents=tuple(
            Named(name=each.name, provenance=each.provenance, chip=each.facts.get("chip"), source=each.source)
            for each in entries[len(records) :]
        ),
    )


def _timed(comparison: Comparison) -> set[int]:
    """Return the places of the columns that have times."""
    return {at for row in comparison.rows for at, value in enumerate(row.values) if value.value is not None}


def page_of(axis: Axis) -> str:
    """Return the file of a comparison's page."""
    return "compare.html" if axis is Axis.MACHINE else f"compare-{axis}.html"


def view(comparison: Comparison, language: Language) -> Side:
    """Return what the pages of a comparison show."""
    notes = (
        *_told("refused", shown.refusal_lines(comparison, language), language),
        *_told("differs", shown.difference_lines(comparison, language), language),
    )
    shared, alone = _by_company(comparison)
    parts = [
        _part(
            "columns",
            language,
            lines=shown.missing_lines(comparison, language),
            notes=notes,
            rows=shown.column_rows(comparison, language),
        ),
        _part(
            "times",
            language,
            figure=_figure(ratio_figure(comparison, language)) if _has_ratios(comparison) else None,
            lines=() if comparison.rows else (say("compare.text.no_times", language),),
            rows=shown.time_rows(replace(comparison, rows=tuple(shared)), language),
            alone=shown.time_rows(replace(comparison, rows=tuple(alone)), language) if alone else (),
        ),
    ]
    for probe in _PROBES if comparison.curves else ():
        drawn = _figure(curves_figure(comparison, probe, language))
        legend = say("compare.curve.legend", language)
        rows = shown.curve_rows(comparison, probe, language)
        parts.append(_part(probe, language, figure=drawn, lines=(legend,), rows=rows))
    if comparison.findings:
        parts.append(_findings(comparison, language))
    if comparison.binaries:
        parts.append(_part("binaries", language, rows=shown.binary_rows(comparison, language)))
    name = f"side_page_{comparison.axis}"
    axis = say(f"compare.axis.{comparison.axis}", language)
    return Side(
        page=page_of(comparison.axis),
        name=say(f"site.{name}", language),
        title=say("compare.text.title", language, axis=axis, baseline=comparison.baseline),
        synthetic=any(each.provenance is Provenance.SYNTHETIC for each in comparison.columns),
        parts=tuple(parts),
        counted=count_line(comparison, language) if comparison.claims else "",
        silent=shown.missing_lines(comparison, language),
        heads=(
            say("compare.claim.id", language),
            *(comparison.columns[at].name for at in _judging(comparison)),
            say("compare.claim.standing", language),
        ),
        ledger=_statements(comparison, language),
    )


def _findings(comparison: Comparison, language: Language) -> Part:
    """Return what failed or differs; of what is right everywhere, how many there are."""
    some = replace(comparison, findings=shown.open_findings(comparison))
    alike = len(comparison.findings) - len(some.findings)
    return _part(
        "findings",
        language,
        figure=_figure(findings_figure(some, language)) if some.findings else None,
        lines=(say("site.side_alike", language, n=alike),) if alike else (),
        rows=shown.finding_rows(some, language) if some.findings else (),
    )


def _judging(comparison: Comparison) -> list[int]:
    """Return the places of the columns that judged a statement."""
    return sorted({at for row in comparison.claims for at, cell in enumerate(row.cells) if cell.verdict is not None})


def _statements(comparison: Comparison, language: Language) -> tuple[Statement, ...]:
    places = _judging(comparison)
    return tuple(
        Statement(
            id=row.id,
            text=f"{row.id} {wording(row, language)}",
            standing=say(f"compare.claim.{row.standing}", language),
            run=next((row.cells[at].run for at in places if row.cells[at].verdict is not None), None),
            cells=tuple(_cell(row.cells[at], language) for at in places),
        )
        for row in comparison.claims
    )


def _cell(cell: ClaimCell, language: Language) -> Cell:
    if cell.verdict is None:
        return Cell(verdict=None, note=cell_text(cell, language))
    behind = (parts_text(cell, language), (cell.date or "")[:10], cell.toolchain)
    return Cell(verdict=str(cell.verdict), note="; ".join(filter(None, behind)))


def _by_company(comparison: Comparison) -> tuple[list[Row], list[Row]]:
    """Return the rows that the baseline or two columns have, and those of one other column alone."""
    rows: tuple[list[Row], list[Row]] = ([], [])
    for row in comparison.rows:
        those = [
            column.name for column, value in zip(comparison.columns, row.values, strict=True) if value.value is not None
        ]
        rows[len(those) < 2 and comparison.baseline not in those].append(row)  # noqa: PLR2004 - two have something to compare
    return rows


def _has_ratios(comparison: Comparison) -> bool:
    """Return whether a column beside the baseline has a ratio; a figure of none would be a frame around a sentence."""
    return any(
        ratio.ratio is not None
        for row in comparison.rows
        for column, ratio in zip(comparison.columns, row.ratios, strict=True)
        if column.name != comparison.baseline
    )


def _part(
    name: str,
    language: Language,
    *,
    figure: figures.Figure | None = None,
    lines: Sequence[str] = (),
    notes: Sequence[str] = (),
    rows: Rows = (),
    alone: Rows = (),
) -> Part:
    return Part(
        id=name,
        title=say(f"site.side_{name}", language),
        figure=figure,
        lines=tuple(lines),
        notes=tuple(notes),
        rows=rows if len(rows) > 1 else (),
        alone=alone,
    )


def _told(head: str, lines: Sequence[str], language: Language) -> tuple[str, ...]:
    return tuple(f"{say(f'compare.text.{head}', language)}: {line}" for line in lines)


def _figure(drawn: object) -> figures.Figure | None:
    """Return a figure of labkit's as one of a notebook's, made harmless the same way: its names come from others."""
    text: str = drawn.to_json()  # type: ignore[attr-defined]
    return figures.read(json.loads(text))


def documents_of(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return what is named as the folders of runs, and as documents; a run's own record names its folder."""
    folders, documents = [], []
    for path in paths:
        if path.is_file() and path.name == "record.json":
            folders.append(path.parent)
        elif path.is_file():
            documents.append(path)
        else:
            folders.append(path)
    return folders, documents


def encoded(value: object) -> str:
    """Return a value as JSON that stands in a script: no sign in it ends the script or a line of it."""
    text = msgspec.json.encode(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
