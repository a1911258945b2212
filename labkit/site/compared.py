"""The runs of a site side by side: rows and figures for its pages of the comparison and of the statements.

Nothing is compared here: :mod:`labkit.compare` does, and refuses by name what may not be compared.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from labkit.bench.regression.shown import Rows
from labkit.claims.compared import claim_rows, count_line
from labkit.compare import compare, read, shown
from labkit.model.base import Provenance
from labkit.model.comparison import Comparison
from labkit.present.comparison_figures import curves_figure, findings_figure, ratio_figure
from labkit.site import figures
from labkit.words import Language, say

#: The probes whose curves are drawn.
_PROBES: Final = ("chase", "tlb")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One table of the comparison, its first row the heads, with the figure above it and the lines below its head."""

    id: str
    title: str
    figure: figures.Figure | None = None
    lines: tuple[str, ...] = ()
    rows: Rows = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """The page of a comparison in one language; ``ledger`` are the rows of the statements, with ids in a column."""

    title: str
    synthetic: bool  # all of it was made up
    parts: tuple[Part, ...]
    counted: str
    heads: tuple[str, ...]
    ledger: tuple[tuple[str, tuple[str, ...]], ...]


def side_by_side(records: Sequence[Path], documents: Sequence[Path]) -> Comparison:
    """Return records, and documents that ``labkit import``, ``bench`` or ``claims`` wrote, compared by machine.

    Made-up records are compared only where nothing else is there.

    Raises:
        UsageError: A document does not exist.
        RecordError: A document is damaged, or nothing that can be compared.

    """
    entries = read([*records, *documents])
    synthetic = all(each.provenance is Provenance.SYNTHETIC for each in entries)
    return compare(entries, include=(Provenance.SYNTHETIC,) if synthetic else ())


def view(comparison: Comparison, language: Language) -> Side:
    """Return what the pages of a comparison show."""
    notes = (
        *shown.missing_lines(comparison, language),
        *_told("refused", shown.refusal_lines(comparison, language), language),
        *_told("differs", shown.difference_lines(comparison, language), language),
    )
    parts = [
        _part("columns", language, lines=notes, rows=shown.column_rows(comparison, language)),
        _part(
            "times",
            language,
            figure=_figure(ratio_figure(comparison, language)) if _has_ratios(comparison) else None,
            lines=() if comparison.rows else (say("compare.text.no_times", language),),
            rows=shown.time_rows(comparison, language),
        ),
    ]
    for probe in _PROBES if comparison.curves else ():
        drawn = _figure(curves_figure(comparison, probe, language))
        legend = say("compare.curve.legend", language)
        rows = shown.curve_rows(comparison, probe, language)
        parts.append(_part(probe, language, figure=drawn, lines=(legend,), rows=rows))
    if comparison.findings:
        drawn = _figure(findings_figure(comparison, language))
        rows = shown.finding_rows(comparison, language, changed=True)
        parts.append(_part("findings", language, figure=drawn, rows=rows))
    if comparison.binaries:
        parts.append(_part("binaries", language, rows=shown.binary_rows(comparison, language)))
    heads, *statements = claim_rows(comparison, language)
    axis = say(f"compare.axis.{comparison.axis}", language)
    return Side(
        title=say("compare.text.title", language, axis=axis, baseline=comparison.baseline),
        synthetic=any(each.provenance is Provenance.SYNTHETIC for each in comparison.columns),
        parts=tuple(parts),
        counted=count_line(comparison, language) if comparison.claims else "",
        heads=heads,
        ledger=tuple((row.id, cells) for row, cells in zip(comparison.claims, statements, strict=True)),
    )


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
    rows: Rows = (),
) -> Part:
    kept = rows if len(rows) > 1 else ()
    return Part(id=name, title=say(f"site.side_{name}", language), figure=figure, lines=tuple(lines), rows=kept)


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
