"""A comparison as frames for reckoning, tables for reading, and files: CSV, parquet, Go's format and one page."""

import html
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pandas as pd

from labkit.compare import shown
from labkit.model.comparison import Axis, Comparison
from labkit.present.comparison_claims import compared_claims
from labkit.present.comparison_figures import curves_figure, findings_figure, ratio_figure
from labkit.present.comparison_frames import (
    FRAMES,
    binaries_frame,
    claims_frame,
    columns_frame,
    curves_frame,
    findings_frame,
    times_frame,
)
from labkit.present.comparison_page import figure_part, whole
from labkit.present.table import Source, Table
from labkit.system.store import saying_why, write_atomically
from labkit.words import Language, say

__all__ = [
    "FRAMES",
    "binaries_frame",
    "claims_frame",
    "columns_frame",
    "compared_binaries",
    "compared_claims",
    "compared_columns",
    "compared_curves",
    "compared_findings",
    "compared_missing",
    "compared_notes",
    "compared_times",
    "curves_figure",
    "curves_frame",
    "findings_figure",
    "findings_frame",
    "page",
    "ratio_figure",
    "times_frame",
    "write",
]


def compared_columns(comparison: Comparison) -> Table:
    """Show whose numbers these are, and what is behind them."""
    return _table(shown.column_rows(comparison))


def compared_times(comparison: Comparison) -> Table | Source:
    """Show times and ratios, a row a kernel and column."""
    rows = shown.time_rows(comparison)
    return _table(rows) if len(rows) > 1 else Source(say("compare.text.no_times"))


def compared_curves(comparison: Comparison, probe: str = "chase") -> Table | Source:
    """Show the points of one probe (chase or tlb), a column beside a column."""
    rows = shown.curve_rows(comparison, probe)
    return _table(rows) if len(rows) > 1 else Source(say("compare.figure.no_curve"))


def compared_findings(comparison: Comparison) -> Table | Source:
    """Show the checks that failed somewhere, or that columns differ in."""
    if not comparison.findings:
        return Source(say("compare.figure.no_findings"))
    return _shown(shown.finding_rows(comparison, changed=True))


def compared_binaries(comparison: Comparison) -> Table | Source:
    """Show where programs would run, as judged from their bytes."""
    return _shown(shown.binary_rows(comparison))


def compared_notes(comparison: Comparison) -> Source:
    """Show what was refused, what differs, and who has not sent a record."""
    lines: list[str] = [*shown.missing_lines(comparison)]
    for head, told in (("refused", shown.refusal_lines(comparison)), ("differs", shown.difference_lines(comparison))):
        lines += [f"{say(f'compare.text.{head}')}:", *(f"  {line}" for line in told or [say("compare.text.nothing")])]
    return Source("\n".join(lines))


def compared_missing(comparison: Comparison) -> Source:
    """Show who has no times and how there could be some."""
    return Source("\n".join(shown.missing_lines(comparison)) or say("compare.text.nothing"))


def write(comparison: Comparison, folder: Path, *, go: str = "", language: Language | None = None) -> tuple[Path, ...]:
    """Write a comparison's document, its frames as CSV (and parquet, where pyarrow is), Go's format and a page.

    Raises:
        StoreError: The folder cannot be written.

    """
    with saying_why(f"cannot write below {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    written = {folder / "comparison.json": msgspec.json.format(msgspec.json.encode(comparison), indent=1) + b"\n"}
    for name, make in FRAMES.items():
        frame = make(comparison)
        written[folder / f"{name}.csv"] = frame.to_csv(index=False, lineterminator="\n").encode()
        if _parquet():
            written[folder / f"{name}.parquet"] = frame.to_parquet(index=False)
    if go:
        written[folder / "benchmarks.txt"] = go.encode()
    written[folder / "index.html"] = page(comparison, language).encode()
    for path, data in written.items():
        write_atomically(path, data)
    return tuple(written)


def page(comparison: Comparison, language: Language | None = None) -> str:
    """Return a page with every table and figure, which opens without a network."""
    axis = say(f"compare.axis.{comparison.axis}", language)
    title = say("compare.text.title", language, axis=axis, baseline=comparison.baseline)
    parts: list[str] = [f"<h1>{html.escape(title)}</h1>", compared_columns(comparison)._repr_html_()]
    parts += [compared_notes(comparison)._repr_html_(), figure_part(ratio_figure(comparison, language))]
    parts += [compared_times(comparison)._repr_html_()]
    for probe in ("chase", "tlb") if comparison.curves else ():
        parts += [figure_part(curves_figure(comparison, probe, language))]
        legend = html.escape(say("compare.curve.legend", language))
        parts += [compared_curves(comparison, probe)._repr_html_(), f"<p>{legend}</p>"]
    if comparison.findings:
        parts += [figure_part(findings_figure(comparison, language))]
    if comparison.axis is not Axis.TRANSLATION:
        parts += [compared_findings(comparison)._repr_html_(), compared_binaries(comparison)._repr_html_()]
    if comparison.claims:
        parts += [
            f"<h2>{html.escape(say('compare.claim.title', language))}</h2>",
            compared_claims(comparison, language)._repr_html_(),
        ]
    return whole(title, parts, language)


def _shown(rows: Sequence[Sequence[str]]) -> Table | Source:
    return _table(rows) if len(rows) > 1 else Source(say("compare.text.nothing"))


def _table(rows: Sequence[Sequence[str]]) -> Table:
    return Table(pd.DataFrame(list(rows[1:]), columns=pd.Index(rows[0]), dtype="str"))


def _parquet() -> bool:
    return find_spec("pyarrow") is not None
