"""``labkit run``: the notebooks of profiles, their records, and a report to read."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from labkit.cluster.session import Cluster
    from labkit.lab import Batch, Profile, Run, Told
    from labkit.model.check import Finding
    from labkit.model.run import NotebookRun, RunRecord


def run(
    params: Annotated[
        list[str] | None,
        typer.Option("--params", help="A profile or a matrix: a file, or the name of one.", show_default="quick"),
    ] = None,
    *,
    only: Annotated[list[str] | None, typer.Option("--only", help="Run only this notebook of the profile.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", help="Notebooks at a time; those that measure run alone.", min=1)] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the batch that was interrupted.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Execute also what an earlier run has finished.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Start nothing more after a failure.")] = False,
    gate: Annotated[bool, typer.Option("--gate", help="Exit with 1 when a finding fails.")] = False,
    out: Annotated[Path, typer.Option("--out", help="The folder of runs.")] = Path("runs"),
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="ADDRESS", help="Run on a Dask cluster: local, tcp://... or tls://..."),
    ] = None,
    tls_ca: Annotated[Path | None, typer.Option("--tls-ca", metavar="PEM", help="Its authority, for tls://.")] = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", metavar="PEM", help="Our certificate.")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="PEM", help="Its key.")] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML there too.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document: the runs.")] = False,
) -> None:
    """Run the notebooks of profiles and write a report of this machine.

    Everything is checked before anything runs. A run lies in OUT/<machine>/<run-id>/: the executed notebooks,
    record.json and log.txt; a profile with axes is a run for each point. The last line printed is the path of the
    report's index.html. A finished notebook that measures nothing is carried over, and says so. With --cluster each
    profile goes to workers with the label that its `on:` names; --jobs is then that of each worker of a local one.
    """
    import msgspec

    from labkit.errors import GATE_FAILED, NotebookError, UsageError
    from labkit.system import lean

    lean.without_iri_grammar()
    from labkit.lab import load_all
    from labkit.model.output import RunOutput, RunsOutput

    if resume and force:
        raise UsageError("--resume keeps what is finished and --force does not", remedy="give one of them")
    profiles = [profile for name in params or ["quick"] for profile in load_all(name, only=only or ())]
    with _cluster(cluster, (tls_ca, tls_cert, tls_key), profiles, jobs=jobs) as opened:
        batch, records = _run(
            profiles, out.absolute(), jobs=jobs, resume=resume, force=force, fail_fast=fail_fast, cluster=opened
        )
    index = _publish(batch)
    _tell_ci(batch, records, junit)
    done = [
        RunOutput(
            run=each.id,
            record=str(each.folder / "record.json"),
            index=str(index),
            failed_notebooks=tuple(notebook.name for notebook in record.notebooks if notebook.cause),
            failed_findings=tuple(finding.id for finding in _failures(record)),
        )
        for each, record in zip(batch.runs, records, strict=True)
    ]
    if json:
        typer.echo(msgspec.json.encode(RunsOutput(runs=tuple(done))).decode())
    else:
        for each in done:
            typer.echo(f"record: {each.record} (docs/record.md says how to contribute it)")
        typer.echo(str(index))
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


def _cluster(
    where: str | None, tls: tuple[Path | None, Path | None, Path | None], profiles: "list[Profile]", *, jobs: int
) -> "AbstractContextManager[Cluster | None]":
    """Open the cluster that is asked for; what it needs is imported only then."""
    from labkit.errors import ImpossibleHereError, UsageError

    if where is None:
        if any(tls):
            raise UsageError("--tls-ca, --tls-cert and --tls-key are for a cluster", remedy="add --cluster tls://...")
        return nullcontext()
    try:
        from labkit.cluster import session
        from labkit.cluster.address import Tls
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in {"distributed", "dask"}:
            raise
        raise ImpossibleHereError(
            f"--cluster needs the package {error.name}, which is not installed",
            remedy="pip install 'labkit[cluster]'",
        ) from error
    return session.opened(where, profiles, tls=Tls(ca=tls[0], cert=tls[1], key=tls[2]), jobs=jobs)


def _run(
    profiles: "list[Profile]",
    out: Path,
    *,
    jobs: int,
    resume: bool,
    force: bool,
    fail_fast: bool,
    cluster: "Cluster | None",
) -> "tuple[Batch, tuple[RunRecord, ...]]":
    from labkit import lab
    from labkit.system import progress

    prepare = lab.resume if resume else lab.plan
    batch = prepare(profiles, out) if cluster is None else prepare(profiles, out, placing=cluster.place)
    bar = progress.wanted()
    try:
        records = lab.run(
            batch,
            jobs=jobs,
            force=force,
            fail_fast=fail_fast,
            bar=bar,
            told=_told(batch) if bar else None,
            elsewhere=cluster,
        )
    except KeyboardInterrupt:
        typer.echo(f"labkit: what was finished is kept in {out}; go on with --resume", err=True)
        raise
    return batch, records


def _told(batch: "Batch") -> "Told":
    from labkit.lab import Told

    count, several = 0, len(batch.runs) > 1
    everything = sum(len(each.jobs) for each in batch.runs)

    def ended(run: "Run", done: "NotebookRun") -> None:
        nonlocal count
        count += 1
        where = f" of {run.id}" if several else ""
        how = f"carried over from {done.carried_from} ({done.carried_at})" if done.carried_from else str(done.status)
        typer.echo(
            f"[{count}/{everything}] {done.name}{where}: {how}{f': {done.cause}' if done.cause else ''}", err=True
        )

    return Told(ended=ended)


def _publish(batch: "Batch") -> Path:
    """Write the report: of one run into its folder, of several into the batch's."""
    from labkit.site import publish

    folders = [each.folder for each in batch.runs]
    return publish(folders, (folders[0] if len(folders) == 1 else batch.folder) / "report")


def _tell_ci(batch: "Batch", records: "tuple[RunRecord, ...]", junit: Path | None) -> None:
    """Write JUnit XML and a summary into the batch's folder, and what GitHub's runner shows when it is one."""
    import os

    from labkit.lab import summary
    from labkit.system.store import saying_why, write_atomically

    xml, table = summary.junit(records), summary.markdown(records)
    write_atomically(batch.folder / "junit.xml", xml)
    write_atomically(batch.folder / "summary.md", table)
    if junit is not None:
        with saying_why(f"cannot write {junit}"):
            junit.absolute().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(junit.absolute(), xml)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in summary.annotations(records):
            typer.echo(line, err=True)
        if page := os.environ.get("GITHUB_STEP_SUMMARY"):
            with saying_why(f"cannot write {page}"), Path(page).open("a", encoding="utf-8") as stream:
                stream.write(table)


def _failures(record: "RunRecord") -> tuple["Finding", ...]:
    from labkit.doctor import failures
    from labkit.lab.summary import findings

    return failures(findings(record))
