"""``labkit drift``: committed generated code against what its sources generate now."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.errors import GATE_FAILED

if TYPE_CHECKING:
    from labkit.model.drift import Drift

_MOST_DIFFERENCES = 5


def drift(  # noqa: PLR0917 - options, given by name
    sources: Annotated[list[str], typer.Argument(help=".proto files, or folders that hold some.", metavar="SRC...")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder of the committed Go code.")],
    proto_path: Annotated[
        list[str] | None, typer.Option("--proto-path", "-I", metavar="DIR", help="An import path (again for more).")
    ] = None,
    toolchain: Annotated[
        str, typer.Option("--set", metavar="NAME", help="Compare with what this pinned set generates.")
    ] = "current",
    markdown: Annotated[
        Path | None,
        typer.Option(
            "--markdown", metavar="FILE", help="Write a summary; appended where FILE is $GITHUB_STEP_SUMMARY."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List the files that are the same too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say in what committed generated code differs from what its sources generate now, and which version made it.

    Each file is same, header, format, semantic, missing or orphan. Nothing below DIR is changed. The exit code is 1
    when any file is not the same; having looked at nothing is an error of its own.
    """
    import msgspec

    from labkit import machine
    from labkit.codegen.drift import drift as compare
    from labkit.model.generation import Inputs
    from labkit.system.progress import steps
    from labkit.toolchain import host_platform, provision

    chosen = provision(toolchain, host_platform(machine.read()), progress=steps("labkit drift"))
    found = compare(chosen, Inputs(sources=tuple(sources), proto_path=tuple(proto_path or ())), out)
    if markdown is not None:
        _write_markdown(found, markdown, _command(sources, out, proto_path or [], toolchain))
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
    else:
        _print(found, everything=everything)
    if not found.clean:
        raise typer.Exit(GATE_FAILED)


def _command(sources: list[str], out: Path, proto_path: list[str], toolchain: str) -> str:
    import shlex

    paths = [word for each in proto_path for word in ("-I", each)]
    chosen = ["--set", toolchain] if toolchain != "current" else []
    return shlex.join(["labkit", "generate", *sources, *paths, *chosen, "--out", str(out)])


def _write_markdown(found: "Drift", file: Path, command: str) -> None:
    from labkit.codegen.drift.markdown import markdown
    from labkit.system.store import saying_why, write_atomically

    text = markdown(found, command=command)
    if os.environ.get("GITHUB_STEP_SUMMARY") == str(file):
        with saying_why(f"cannot write {file}"), file.open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")
    else:
        write_atomically(file, text)


def _print(found: "Drift", *, everything: bool) -> None:
    from labkit.codegen.drift import shown
    from labkit.model.drift import DriftKind
    from labkit.words import render, say

    for file in found.files:
        if file.kind is DriftKind.SAME and not everything:
            continue
        reasons = shown.reasons(file)
        typer.echo(f"{say(f'drift.kind.{file.kind}')}  {file.path}" + (f"  {reasons}" if reasons else ""))
        typer.echo(f"    {shown.maker(file)}")
        for each in file.differences[:_MOST_DIFFERENCES]:
            typer.echo(f"    {shown.difference(each)}")
        left = len(file.differences[_MOST_DIFFERENCES:]) + file.left_out
        if left:
            typer.echo(f"    {say('drift.more', n=left)}")
    for refusal in found.refused:
        where = refusal.source + (f":{refusal.line}" if refusal.line else "")
        typer.echo(f"{where}: {render(refusal.reason)}")
    if found.not_judged:
        typer.echo(say("drift.also", n=len(found.not_judged), out=found.out))
        for other in found.not_judged if everything else ():
            typer.echo(f"    {other.path}  {say(f'drift.unjudged.{other.why}')}: {other.made_by}")
    typer.echo(shown.summary(found))
