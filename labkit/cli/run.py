"""``labkit run``: the notebooks of a profile, their record, and a report to read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from labkit.lab import Run
    from labkit.model.check import Finding
    from labkit.model.run import RunRecord


def run(
    params: Annotated[
        list[str] | None, typer.Option("--params", help="A profile: a file, or the name of one (default: quick).")
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="Run only this notebook of the profile.")] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit with 1 when a finding fails.")] = False,
    out: Annotated[Path, typer.Option("--out", help="The folder of runs.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document: the runs.")] = False,
) -> None:
    """Run the notebooks of a profile and write a report of this machine.

    Everything is checked before anything runs. The run lies in OUT/<machine>/<run-id>/: the executed notebooks,
    record.json, log.txt and the report. The last line printed is the path of the report's index.html.
    """
    import msgspec

    from labkit.errors import GATE_FAILED, NotebookError
    from labkit.lab import load, plan
    from labkit.model.output import RunOutput, RunsOutput

    profiles = [load(name, only=only or ()) for name in params or ["quick"]]
    plans = [plan(profile, out.absolute()) for profile in profiles]
    records = [_run_one(planned) for planned in plans]
    done = [
        RunOutput(
            run=planned.id,
            record=str(planned.folder / "record.json"),
            index=str(_publish(planned)),
            failed_notebooks=tuple(notebook.name for notebook in record.notebooks if notebook.cause),
            failed_findings=tuple(finding.id for finding in _failures(record)),
        )
        for planned, record in zip(plans, records, strict=True)
    ]
    if json:
        typer.echo(msgspec.json.encode(RunsOutput(runs=tuple(done))).decode())
    else:
        for each in done:
            typer.echo(f"record: {each.record} (docs/record.md says how to contribute it)")
            typer.echo(each.index)
    broken = [notebook for record in records for notebook in record.notebooks if notebook.cause]
    if broken and json:
        raise typer.Exit(NotebookError.exit_code)
    if broken:
        causes = "; ".join(f"{notebook.name}: {notebook.cause}" for notebook in broken)
        raise NotebookError(f"{len(broken)} notebooks did not complete: {causes}", remedy=broken[0].remedy or "-")
    gated = [finding for each in done for finding in each.failed_findings]
    if gate and gated:
        typer.echo(f"labkit: gate: {len(gated)} findings failed: {', '.join(gated)}", err=True)
        raise typer.Exit(GATE_FAILED)


def _run_one(planned: "Run") -> "RunRecord":
    from labkit.lab import run as run_notebooks
    from labkit.system import progress

    try:
        return run_notebooks(planned, bar=progress.wanted())
    except KeyboardInterrupt:
        typer.echo(f"labkit: what was finished is kept in {planned.folder}", err=True)
        raise


def _publish(planned: "Run") -> Path:
    from labkit.site import publish

    return publish([planned.folder], planned.folder / "report")


def _failures(record: "RunRecord") -> tuple["Finding", ...]:
    from labkit.doctor import failures

    sections = (record.install, record.codegen, record.binaries, record.debugging)
    return failures(finding for section in sections if section is not None for finding in section.findings)
