"""A comparison as frames for reckoning, tables for reading, and files: CSV, parquet, Go's format and one page."""

import html
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec
import pandas as pd

from labkit.compare import shown
from labkit.model.comparison import Axis, Comparison
from labkit.present.comparison_figures import curves_figure, findings_figure, ratio_figure
from labkit.present.table import Source, Table
from labkit.system.store import saying_why, write_atomically
from labkit.words import Language, render, say

__all__ = [
    "FRAMES",
    "binaries_frame",
    "columns_frame",
    "compared_binaries",
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

_TEXTS: Final = frozenset({"kernel", "column", "clock", "unit", "provenance", "package", "why", "verdict", "baseline"})
#: A source may not say its n.
_COUNTS: Final = {"n": "Int64", "runs": "int64", "days": "int64"}


def times_frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row a kernel and column, for reckoning; :func:`times` is for reading.

    Columns: ``kernel``, ``column``, ``clock`` (cpu or wall), ``unit`` (ns/op for labkit's kernels), ``package``,
    ``provenance`` (str); ``value``, ``low``, ``high`` (float64, in ``unit``: the median over runs of medians over
    processes and its 95 % interval); ``n`` (Int64, processes or published values; absent where the source does not
    say); ``runs``, ``days`` (int64); ``ratio``, ``ratio_low``, ``ratio_high`` (float64, time over the baseline's),
    ``control_ratio``, ``control_low``, ``control_high`` (float64, the same after each run's times are divided by its
    control kernel's); ``verdict`` (str, slower, faster, none or too_few of the same chip, else empty); ``why`` (str, in
    the reader's language: why there is no number). What is not there is NaN.
    """
    records = [
        {
            "kernel": row.name,
            "column": column.name,
            "clock": str(row.clock),
            "unit": value.unit or row.unit,
            "package": value.package or "",
            "provenance": str(column.provenance),
            "value": value.value,
            "low": value.low,
            "high": value.high,
            "n": value.n,
            "runs": value.runs,
            "days": value.days,
            "ratio": ratio.ratio,
            "ratio_low": ratio.low,
            "ratio_high": ratio.high,
            "control_ratio": ratio.to_control,
            "control_low": ratio.to_control_low,
            "control_high": ratio.to_control_high,
            "verdict": "" if ratio.change is None else str(ratio.change.verdict),
            "why": " ".join(dict.fromkeys(render(each) for each in (value.why, ratio.why) if each is not None)),
        }
        for row in comparison.rows
        for column, value, ratio in zip(comparison.columns, row.values, row.ratios, strict=True)
    ]
    names = (
        "kernel", "column", "clock", "unit", "package", "provenance", "value", "low", "high", "n", "runs", "days",
        "ratio", "ratio_low", "ratio_high", "control_ratio", "control_low", "control_high", "verdict", "why",
    )  # fmt: skip
    frame = pd.DataFrame(records, columns=pd.Index(names))
    return frame.astype({name: "str" if name in _TEXTS else _COUNTS.get(name, "float64") for name in names})


def columns_frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row a column.

    Columns: ``column``, ``provenance``, ``chip``, ``platform``, ``toolchain``, ``days``, ``records``, ``source``,
    ``why`` (str; empty where there is none; days and records separated by spaces), ``n`` (Int64, absent where the
    source does not say), ``runs`` (int64), and a column for each key of the identity (str).
    """
    records = [
        {
            "column": each.name,
            "provenance": str(each.provenance),
            "chip": each.chip or "",
            "platform": each.platform or "",
            "toolchain": each.toolchain or "",
            "days": " ".join(each.days),
            "records": " ".join(each.records),
            "source": each.source or "",
            "why": "" if each.why is None else render(each.why),
            "n": each.n,
            "runs": each.runs,
        }
        | {key: each.identity.get(key) or "" for key in comparison.identity if key != "chip"}
        for each in comparison.columns
    ]
    frame = pd.DataFrame(records)
    return frame.astype({name: _COUNTS[name] if name in {"n", "runs"} else "str" for name in frame})


def findings_frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row a check and column.

    Columns: ``id``, ``section`` (install, host, codegen, binaries), ``title``, ``column``, ``status`` (pass, fail,
    skip, empty where it was not checked), ``why`` (str); ``passed``, ``failed``, ``skipped`` (int64, runs).
    """
    records = [
        {
            "id": row.id,
            "section": row.section,
            "title": render(row.title),
            "column": column.name,
            "status": "" if cell.status is None else str(cell.status),
            "why": "" if cell.why is None else render(cell.why),
            "passed": sum(n for status, n in cell.counts.items() if status == "pass"),
            "failed": sum(n for status, n in cell.counts.items() if status == "fail"),
            "skipped": sum(n for status, n in cell.counts.items() if status == "skip"),
        }
        for row in comparison.findings
        for column, cell in zip(comparison.columns, row.cells, strict=True)
    ]
    names = ("id", "section", "title", "column", "status", "why", "passed", "failed", "skipped")
    frame = pd.DataFrame(records, columns=pd.Index(names))
    return frame.astype({name: "int64" if name in {"passed", "failed", "skipped"} else "str" for name in names})


def binaries_frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row a program and column: whether it would run there, as judged from its bytes.

    Columns (all str): ``program``, ``made_on`` (the column whose record has it), ``column``, ``machine`` (that it was
    judged for), ``runs`` (yes, translated, no, unknown; empty where it was not judged), ``rule``,
    ``confirmed_on_hardware`` (yes, no or empty), ``why`` (the deciding reason, or why there is no verdict),
    ``provenance`` (judged).
    """
    records = [
        {
            "program": row.name,
            "made_on": row.made_on or column.name,
            "column": column.name,
            "machine": cell.machine or "",
            "runs": "" if cell.runs is None else str(cell.runs),
            "rule": cell.rule or "",
            "confirmed_on_hardware": {True: "yes", False: "no", None: ""}[cell.confirmed_on_hardware],
            "why": render(cell.reasons[0]) if cell.reasons else "" if cell.why is None else render(cell.why),
            "provenance": "judged",
        }
        for row in comparison.binaries
        for column, cell in zip(comparison.columns, row.cells, strict=True)
    ]
    names = ("program", "made_on", "column", "machine", "runs", "rule", "confirmed_on_hardware", "why", "provenance")
    return pd.DataFrame(records, columns=pd.Index(names), dtype="str")


def curves_frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row a point of a curve.

    Columns: ``column``, ``probe``, ``unit``, ``clock``, ``provenance`` (str); ``at`` (int64, in ``unit``: bytes or
    pages); ``median_ns``, ``low_ns``, ``high_ns`` (float64, of one load, over processes); ``n`` (int64);
    ``stable`` (bool).
    """
    records = [
        {
            "column": each.column,
            "probe": each.curve.probe,
            "unit": each.curve.unit,
            "clock": str(each.curve.clock),
            "provenance": str(each.curve.provenance),
            "at": point.at,
            "median_ns": point.time_ns.median,
            "low_ns": point.time_ns.low,
            "high_ns": point.time_ns.high,
            "n": point.time_ns.n,
            "stable": point.stable,
        }
        for each in comparison.curves
        for point in each.curve.points
    ]
    texts = ("column", "probe", "unit", "clock", "provenance")
    names = (*texts, "at", "median_ns", "low_ns", "high_ns", "n", "stable")
    kinds = dict.fromkeys(texts, "str") | {"at": "int64", "n": "int64", "stable": "bool"}
    frame = pd.DataFrame(records, columns=pd.Index(names))
    return frame.astype(kinds | {name: "float64" for name in names if name not in kinds})


FRAMES: Final[dict[str, Callable[[Comparison], pd.DataFrame]]] = {
    "times": times_frame,
    "columns": columns_frame,
    "findings": findings_frame,
    "binaries": binaries_frame,
    "curves": curves_frame,
}


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
    parts += [compared_notes(comparison)._repr_html_(), _html(ratio_figure(comparison, language), first=True)]
    parts += [compared_times(comparison)._repr_html_()]
    for probe in ("chase", "tlb") if comparison.curves else ():
        parts += [_html(curves_figure(comparison, probe, language), first=False)]
        parts += [compared_curves(comparison, probe)._repr_html_(), f"<p>{say('compare.curve.legend', language)}</p>"]
    if comparison.findings:
        parts += [_html(findings_figure(comparison, language), first=False)]
    if comparison.axis is not Axis.TRANSLATION:
        parts += [compared_findings(comparison)._repr_html_(), compared_binaries(comparison)._repr_html_()]
    tag = str(language or "en")
    return (
        f'<!DOCTYPE html><html lang="{tag}"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><style>body{font-family:sans-serif;margin:1em}'
        "table{border-collapse:collapse;display:block;overflow-x:auto}"
        "td,th{padding:.2em .6em;border-bottom:1px solid #ccc;min-width:6em;max-width:26em;overflow-wrap:anywhere}"
        "pre{white-space:pre-wrap}</style><body>" + "\n".join(parts) + "</body></html>\n"
    )


def _html(figure: object, *, first: bool) -> str:
    return str(figure.to_html(full_html=False, include_plotlyjs=first))  # type: ignore[attr-defined]  # plotly's


def _shown(rows: Sequence[Sequence[str]]) -> Table | Source:
    return _table(rows) if len(rows) > 1 else Source(say("compare.text.nothing"))


def _table(rows: Sequence[Sequence[str]]) -> Table:
    return Table(pd.DataFrame(list(rows[1:]), columns=pd.Index(rows[0]), dtype="str"))


def _parquet() -> bool:
    return find_spec("pyarrow") is not None
