"""``labkit debug``: a Go program under dlv, or the generated server through the whole chain; and the editor's files."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.output import print_json
from labkit.cli.rows import print_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.facts import Facts
    from labkit.model.check import Finding
    from labkit.model.debugging import Debugging, Session, Stop, Trial, Written


def debug(
    program: Annotated[
        Path | None,
        typer.Argument(
            help="A Go program; with --vscode a main package's folder. Without: the generated gRPC server.",
            metavar="[PROGRAM]",
            show_default=False,
        ),
    ] = None,
    arguments: Annotated[
        list[str] | None, typer.Argument(help="The program's own, after --.", metavar="[-- ARG...]", show_default=False)
    ] = None,
    *,
    stop_at: Annotated[
        list[str] | None,
        typer.Option(
            "--break", metavar="PLACE", help="A function or FILE:LINE; again for more.", show_default="main.main"
        ),
    ] = None,
    call: Annotated[
        str | None,
        typer.Option(
            "--call",
            metavar="COMMAND",
            help="What calls the program while it runs; {address} is the first HOST:PORT that it prints.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=1, max=65535, help="Of 127.0.0.1, where dlv listens.", show_default="free; 2345 for --vscode"
        ),
    ] = None,
    vscode: Annotated[
        bool, typer.Option("--vscode", help="Write .vscode/launch.json and tasks.json in this folder instead.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Do not feed the editor's configurations to dlv.")] = False,
    toolchain: Annotated[
        str, typer.Option("--toolchain", "--set", help="The set whose Go and dlv are used.")
    ] = "current",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Debug a Go program: stop at places, show stack, variables and registers, step once, and leave no process.

    Without PROGRAM the generated gRPC server is built with -N -l, called, and stopped in generated code, natively and
    for arm64 through qemu's gdb server.
    """
    from labkit.facts import Facts
    from labkit.system.progress import steps

    progress = steps("labkit debug")
    facts = Facts(toolchain, progress=progress)
    if vscode:
        _print_written(_write(facts, program, arguments or [], port or 0), json=json)
        return
    if program is None:
        from labkit.debugging import examine

        found = examine(facts, configurations=not quick, port=port or 0, progress=progress)
    else:
        found = _debug(facts, program, arguments or [], stop_at or ["main.main"], call, port or 0)
    if json:
        print_json(found)
    else:
        _print(found)


def _debug(  # noqa: PLR0917 - one call, from above
    facts: "Facts", program: Path, arguments: "Sequence[str]", places: "Sequence[str]", call: str | None, port: int
) -> "Debugging":
    import shlex
    import shutil

    from labkit.debugging import Call, NotPermittedError, check, debugger, place, refused
    from labkit.debugging import debug as run
    from labkit.errors import UsageError
    from labkit.model.debugging import Debugging

    checked = check(program, facts.machine)
    caller = None
    if call is not None:
        words = shlex.split(call)
        found = shutil.which(words[0]) if words else None
        if found is None:
            raise UsageError(f"--call names no program that could be found: {call!r}", remedy="give its path")
        caller = Call(words=(os.path.abspath(found), *words[1:]))  # noqa: PTH100 - a link stays what it is called
    try:
        session = run(
            checked,
            debugger(facts),
            [place(each) for each in places],
            arguments=arguments,
            call=caller,
            port=port,
        )
    except NotPermittedError as error:
        return Debugging(sessions=(), findings=(refused(error),))
    return Debugging(sessions=(session,))


def _write(facts: "Facts", program: Path | None, arguments: "Sequence[str]", port: int) -> "Written":
    from labkit.debugging import debugger, vscode
    from labkit.toolchain import program as tool

    wanted = vscode.project(
        program or Path(),
        workspace=Path(),
        arguments=arguments,
        go=tool(facts.toolchain, "go"),
        dlv=debugger(facts).path,
        port=port,
    )
    return vscode.write(wanted)


def _print_written(written: "Written", *, json: bool) -> None:
    from labkit.words import say

    if json:
        print_json(written)
        return
    for name in written.added:
        typer.echo(say("debugging.cli.added", name=name))
    for name in written.kept:
        typer.echo(say("debugging.cli.kept", name=name))
    for path in written.files:
        typer.echo(say("debugging.cli.wrote", path=path))


def _print(found: "Debugging") -> None:
    from labkit.words import render

    for session in found.sessions:
        _print_session(session)
    if found.not_emulated is not None:
        typer.echo(render(found.not_emulated))
    if found.trials:
        print_rows([_trial(each) for each in found.trials])
    for finding in found.findings:
        _print_finding(finding)
    sys.stdout.flush()


def _print_session(session: "Session") -> None:
    from labkit.words import say

    said = say(
        "debugging.cli.session",
        program=session.program,
        platform=session.platform,
        go=session.go or "-",
        debugger=session.debugger,
    )
    typer.echo(said)
    for stop in session.stops:
        place = stop.place or say(f"debugging.stop.{stop.reason}")
        typer.echo("  " + say("debugging.cli.stop", place=place, function=stop.function, where=_where(stop)))
        for frame in stop.stack[1:4]:
            typer.echo(f"      {frame.function}")
        for each in stop.variables:
            typer.echo(f"      {each.name} = {each.value}")
        if stop.text:
            typer.echo(f"      {stop.text}")
    if session.stops:
        typer.echo("  " + say("debugging.cli.registers", names=" ".join(_register_pairs(session.stops[-1]))))
    if session.reply is not None:
        typer.echo("  " + say("debugging.cli.answered", reply=session.reply))
    left = ", ".join(session.left_processes)
    typer.echo("  " + (say("debugging.cli.left", left=left) if left else say("debugging.cli.none_left")))


def _register_pairs(stop: "Stop") -> list[str]:
    return [f"{each.name}={each.value}" for each in stop.registers]


def _where(stop: "Stop") -> str:
    return f"({stop.pc})" if stop.file is None else f"({Path(stop.file).name}:{stop.line})"


def _trial(trial: "Trial") -> list[str]:
    from labkit.words import say

    said = trial.stopped_in or trial.said.split("\n", 1)[0]
    return [say(f"debugging.trial.{trial.id}"), say(f"debugging.outcome.{trial.outcome}"), said]


def _print_finding(finding: "Finding") -> None:
    from labkit.model.check import Status
    from labkit.words import render, say

    typer.echo(f"{say(f'present.status.{finding.status}')}  {render(finding.title)}")
    if finding.status is Status.PASS:
        return
    if finding.reason is not None:
        typer.echo(f"    {render(finding.reason)}")
    for evidence in finding.evidence:
        typer.echo(f"    {evidence.what}: {evidence.found}")
    if finding.remedy is not None:
        typer.echo(f"    {render(finding.remedy.text)}")
        for command in finding.remedy.commands:
            typer.echo(f"      {command}")
