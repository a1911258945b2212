"""A comparison as frames for reckoning: columns, dtypes and units stand in each docstring."""

from collections.abc import Callable
from typing import Final

import pandas as pd

from labkit.model.claims import ClaimVerdict
from labkit.model.comparison import ClaimCell, Comparison
from labkit.words import render

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


def claims_frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row a statement's part and column; those that differ first.

    Columns (all str): ``ledger``, ``id``, ``standing`` (of the statement: differs, partly, alike, untested), ``part``
    (empty where the column has none), ``column``, ``verdict`` (confirmed, refuted, conditional, untested, empty where
    the column has not the statement), ``date`` (UTC, ISO 8601), ``toolchain``, ``run``, ``why`` (why there is no
    verdict).
    """
    records = [
        {
            "ledger": row.ledger,
            "id": row.id,
            "standing": str(row.standing),
            "part": part,
            "column": column.name,
            "verdict": "" if verdict is None else str(verdict),
            "date": cell.date or "",
            "toolchain": cell.toolchain or "",
            "run": cell.run or "",
            "why": "" if cell.why is None else render(cell.why),
        }
        for row in comparison.claims
        for column, cell in zip(comparison.columns, row.cells, strict=True)
        for part, verdict in _parts(cell)
    ]
    names = ("ledger", "id", "standing", "part", "column", "verdict", "date", "toolchain", "run", "why")
    return pd.DataFrame(records, columns=pd.Index(names), dtype="str")


def _parts(cell: ClaimCell) -> tuple[tuple[str, ClaimVerdict | None], ...]:
    return tuple(cell.parts.items()) or (("", cell.verdict),)


FRAMES: Final[dict[str, Callable[[Comparison], pd.DataFrame]]] = {
    "times": times_frame,
    "columns": columns_frame,
    "findings": findings_frame,
    "binaries": binaries_frame,
    "curves": curves_frame,
    "claims": claims_frame,
}
