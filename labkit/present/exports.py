"""Records as parquet tables, for pandas, DuckDB, Polars and whatever else reads parquet.

    runs.parquet       one row a run
    notebooks.parquet  one row an executed notebook
    samples.parquet    one row a benchmarked kernel: median, interval, number of processes
    findings.parquet   one row a finding
    claims.parquet     one row a part of a statement

Each row names its ``run``, ``machine`` and ``provenance``, so that tables join on ``run`` and nothing measured is taken
for something imported. Times of benchmarks are nanoseconds an operation.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pandas as pd

from labkit.errors import RecordError, StoreError
from labkit.model.listing import ListedRun
from labkit.model.run import RunRecord
from labkit.present.samples import samples_frame
from labkit.system import records
from labkit.system.store import saying_why
from labkit.words import Language, render

#: Each table's columns with their dtypes, in order.
COLUMNS: Final[dict[str, dict[str, str]]] = {
    "runs": {
        "run": "str", "folder": "str", "machine": "str", "chip": "str", "system": "str", "provenance": "str",
        "profile": "str", "point": "str", "repeat": "Int64", "batch": "str", "labkit_version": "str",
        "started_at": "str", "ended_at": "str", "notebooks": "Int64", "notebooks_done": "Int64",
        "notebooks_carried": "Int64", "findings_failed": "Int64", "unreadable": "str",
    },
    "notebooks": {
        "run": "str", "machine": "str", "provenance": "str", "notebook": "str", "id": "str", "status": "str",
        "wall_time_s": "float64", "cause": "str", "carried_from": "str", "carried_at": "str",
    },
    "samples": {
        "run": "str", "machine": "str", "chip": "str", "provenance": "str", "kernel": "str",
        "wall_ns_per_op": "float64", "low_ns_per_op": "float64", "high_ns_per_op": "float64", "confidence": "float64",
        "n": "Int64", "cpu_ns_per_op": "float64", "cpu_share": "float64", "allocated_bytes_per_op": "float64",
        "allocations_per_op": "float64",
    },
    "findings": {
        "run": "str", "machine": "str", "provenance": "str", "section": "str", "id": "str", "status": "str",
        "title": "str",
    },
    "claims": {
        "run": "str", "machine": "str", "provenance": "str", "claim": "str", "part": "str", "verdict": "str",
        "date": "str",
    },
}  # fmt: skip


def write(runs: Sequence[tuple[ListedRun, Path]], out: Path) -> tuple[Path, ...]:
    """Write the tables of some runs, each given with its folder, into ``out`` and return their files.

    A record that cannot be read is in the table of runs, with the reason, and in no other.

    Raises:
        StoreError: The folder cannot be written.

    """
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
    for listed, folder in runs:
        rows["runs"].append(_run_row(listed))
        if listed.unreadable is not None:
            continue
        try:
            record = records.read(folder / "record.json")
        except (RecordError, StoreError) as error:
            rows["runs"][-1]["unreadable"] = str(error)
            continue
        for name, found in _tables(record):
            rows[name] += found
    with saying_why(f"cannot write tables into {out}"):
        out.mkdir(parents=True, exist_ok=True)
        return tuple(_write(name, rows[name], out) for name in COLUMNS)


def _write(name: str, rows: Sequence[dict[str, Any]], out: Path) -> Path:
    columns = COLUMNS[name]
    frame = pd.DataFrame(rows, columns=list(columns)).astype(
        {column: "string" if dtype == "str" else dtype for column, dtype in columns.items()}
    )
    path = out / f"{name}.parquet"
    beside = path.with_suffix(".parquet.part")
    frame.to_parquet(beside, index=False)
    beside.replace(path)
    return path


def _run_row(listed: ListedRun) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(listed, name) for name in COLUMNS["runs"]}
    return row | {"point": msgspec.json.encode(listed.point).decode()}


def _tables(record: RunRecord) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    about = {"run": record.run, "machine": record.machine.id, "provenance": str(record.provenance)}
    yield (
        "notebooks",
        [
            about
            | {
                "notebook": one.name,
                "id": one.id,
                "status": str(one.status),
                "wall_time_s": one.wall_time_s,
                "cause": one.cause,
                "carried_from": one.carried_from,
                "carried_at": one.carried_at,
            }
            for one in record.notebooks
        ],
    )
    if record.performance is not None:
        kernels: list[dict[str, Any]] = samples_frame(record.performance.samples).to_dict("records")  # type: ignore[assignment]
        yield "samples", [about | {"chip": record.machine.chip} | kernel for kernel in kernels]
    for name in ("install", "codegen", "binaries", "debugging"):
        section = getattr(record, name)
        found = () if section is None else section.findings
        yield (
            "findings",
            [
                about
                | {
                    "section": name,
                    "id": finding.id,
                    "status": str(finding.status),
                    "title": render(finding.title, Language.ENGLISH),
                }
                for finding in found
            ],
        )
    if record.claims is not None:
        yield (
            "claims",
            [
                about | {"claim": claim.id, "part": part.part, "verdict": str(part.verdict), "date": claim.date}
                for claim in record.claims.claims
                for part in claim.parts
            ],
        )
