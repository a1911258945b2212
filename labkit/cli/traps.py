"""``labkit traps``: production traps on real parts, each with its symptom, cause, fix and proof."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.output import print_json, write_markdown
from labkit.errors import GATE_FAILED

if TYPE_CHECKING:
    from collections.abc import Sequence


def traps(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Which traps.", show_default="all")] = None,
    *,
    prepare: Annotated[bool, typer.Option("--prepare", help="Only fetch what they need, and run none.")] = False,
    log: Annotated[
        Path | None,
        typer.Option("--log", metavar="FILE", help="Only say what each line of an nginx error.log is (http502)."),
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", help="How many at once.", min=1, show_default="4")] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(
            "--markdown", metavar="FILE", help="Write a summary; appended where FILE is $GITHUB_STEP_SUMMARY."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Reproduce faults of production on this machine, show each one's cause, mend it, and prove it by the same probe.

    Real programs on 127.0.0.1, in a folder of their own, gone afterwards. What is missing is skipped with the command
    that installs it. The exit code is 1 when a trap failed.
    """
    from labkit.model.check import Status
    from labkit.system.progress import steps
    from labkit.traps import shown
    from labkit.traps.running import run_traps

    if log is not None:
        _classify(log, ids or [], as_json=json)
        return
    if prepare:
        _prepare(ids or [], as_json=json)
        return
    report = run_traps(ids or [], jobs=jobs, on_progress=steps("labkit traps"))
    if markdown is not None:
        write_markdown(shown.markdown(report), markdown)
    if json:
        print_json(shown.output(report))
    else:
        for trap in report.traps:
            for line in shown.lines(trap):
                typer.echo(line)
            typer.echo("")
        typer.echo(shown.summary(report))
    if any(trap.status is Status.FAIL for trap in report.traps):
        raise typer.Exit(GATE_FAILED)


def _classify(log: Path, ids: "Sequence[str]", *, as_json: bool) -> None:
    from labkit.errors import UsageError
    from labkit.traps.http502 import shown

    if list(ids) not in ([], ["http502"]):
        raise UsageError(f"--log is for http502, not for {', '.join(ids)}", remedy="labkit traps http502 --log FILE")
    try:
        text = log.read_text("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"{log} cannot be read: {error.strerror}", remedy="name an nginx error.log") from error
    if as_json:
        print_json(shown.output(text))
    else:
        for line in shown.lines(text):
            typer.echo(line)


def _prepare(ids: "Sequence[str]", *, as_json: bool) -> None:
    from labkit.model.traps import Prepared, PreparedOutput
    from labkit.system.progress import steps
    from labkit.traps.running import prepare
    from labkit.words import render, say

    done: list[Prepared] = []
    for id_, reason in prepare(ids, on_progress=steps("labkit traps")):
        why = None if reason is None else render(reason)
        done.append(Prepared(id=id_, prepared=why is None, reason=why))
        if not as_json:
            name = "prepared" if why is None else "not_prepared"
            typer.echo(say(f"traps.text.{name}", id=id_, reason=why or ""))
    if as_json:
        print_json(PreparedOutput(traps=tuple(done)))
