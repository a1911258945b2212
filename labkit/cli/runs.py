"""``labkit runs``: the finished runs of a folder, listed, filtered, exported."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.model.listing import ListedRun


def runs(
    out: Annotated[Path, typer.Argument(help="The folder of runs.", metavar="DIR")] = Path("runs"),
    *,
    machine: Annotated[
        str | None, typer.Option("--machine", metavar="TEXT", help="Only of machines whose id, chip or system has it.")
    ] = None,
    profile: Annotated[str | None, typer.Option("--profile", metavar="TEXT", help="Only of such a profile.")] = None,
    batch: Annotated[str | None, typer.Option("--batch", metavar="TEXT", help="Only of such a batch.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DATE", help="Only from then on: 2026-11-24.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what did not complete or cannot be read.")] = False,
    limit: Annotated[int, typer.Option("--limit", help="At most so many, the newest; 0 is all.", min=0)] = 20,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="DIR", help="Write tables there: parquet, for pandas, DuckDB, Polars."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document: the runs.")] = False,
) -> None:
    """List the runs of a folder, the newest first.

    A run without a record (at work, or ended before it could write one) and a record that cannot be read are listed
    with the reason.
    """
    from labkit.cli.folders import check_runs
    from labkit.model.listing import RunsListOutput
    from labkit.system.listing import Wanted, listed

    check_runs(out, "labkit runs")
    _check_date(since)
    everything = listed(out)
    wanted = Wanted(machine=machine, profile=profile, batch=batch, since=since, failed=failed)
    fitting = [run for run in everything if wanted.fits(run)]
    shown = fitting[: limit or None]
    written: Sequence[Path] = ()
    if export is not None:
        from labkit.present.exports import write

        written = write([(run, out / run.folder) for run in fitting], export)
    if json:
        print_json(RunsListOutput(runs=tuple(shown), all=len(everything)))
        return
    _print(shown, fitting=len(fitting), everything=len(everything))
    for path in written:
        typer.echo(f"written: {path}")


def _check_date(since: str | None) -> None:
    from datetime import datetime

    from labkit.errors import UsageError

    if since is None:
        return
    try:
        datetime.fromisoformat(since)
    except ValueError as error:
        raise UsageError(f"{since} is no date", remedy="write it so: 2026-11-24") from error


def _print(shown: "Sequence[ListedRun]", *, fitting: int, everything: int) -> None:
    from labkit.cli.rows import print_rows
    from labkit.words import say

    if shown:
        heads = [say(f"runs.column.{name}") for name in ("run", "machine", "profile", "notebooks", "findings")]
        print_rows([heads, *map(_row, shown)])
    if len(shown) < everything:
        typer.echo(say("runs.count", shown=len(shown), fitting=fitting, all=everything), err=True)


def _row(run: "ListedRun") -> list[str]:
    from labkit.words import say

    if run.unreadable is not None:
        return [run.run, run.machine, "", run.unreadable.split("\n", 1)[0], ""]
    point = ", ".join(f"{name}: {value}" for name, value in run.point.items())
    profile = " ".join(
        filter(None, (run.profile, f"({point})" if point else "", f"#{run.repeat}" if run.repeat > 1 else ""))
    )
    notebooks = f"{run.notebooks_done}/{run.notebooks}"
    if run.notebooks_carried:
        notebooks = f"{notebooks} {say('runs.carried', n=run.notebooks_carried)}"
    return [run.run, f"{run.chip or run.machine}, {run.system}", profile, notebooks, str(run.findings_failed)]
