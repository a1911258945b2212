"""``labkit drift``: committed generated code against what its sources generate now."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.generate_options import (
    Config,
    GoGrpcOpt,
    GoOpt,
    Jobs,
    Mapped,
    Module,
    PathsOption,
    ProtoPath,
    Sources,
    options_of,
)
from labkit.cli.output import print_json, write_markdown
from labkit.errors import GATE_FAILED
from labkit.model.generation import Paths

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.codegen.tree import Settings
    from labkit.model.drift import Drift
    from labkit.model.generation import Options

_MOST_DIFFERENCES = 5


def drift(
    sources: Sources = None,
    *,
    out: Annotated[
        str | None, typer.Option("--out", help="The folder of the committed code.", metavar="DIR", show_default=False)
    ] = None,
    proto_path: ProtoPath = None,
    paths: PathsOption = None,
    module: Module = None,
    mapped: Mapped = None,
    go: Annotated[bool, typer.Option("--go/--no-go", help="Compare protoc-gen-go's code.")] = True,
    go_grpc: Annotated[bool, typer.Option("--go-grpc/--no-go-grpc", help="Compare protoc-gen-go-grpc's code.")] = True,
    go_opt: GoOpt = None,
    go_grpc_opt: GoGrpcOpt = None,
    config: Config = None,
    toolchain: Annotated[
        str | None,
        typer.Option("--toolchain", "--set", help="Compare with what this set generates.", show_default="current"),
    ] = None,
    jobs: Jobs = None,
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
    from labkit import machine
    from labkit.codegen.drift import drift as compare
    from labkit.codegen.drift.markdown import markdown as as_markdown
    from labkit.codegen.tree import from_flags
    from labkit.system.progress import bar, steps
    from labkit.toolchain import host_platform, provision

    given = options_of(
        paths=paths,
        module=module,
        mapped=mapped or [],
        go=go,
        go_grpc=go_grpc,
        go_opt=go_opt or [],
        go_grpc_opt=go_grpc_opt or [],
    )
    wanted = from_flags(
        sources or [], out=out, config=config, toolchain=toolchain, proto_path=proto_path or [], given=given
    )
    chosen = provision(wanted.toolchain, host_platform(machine.read()), progress=steps("labkit setup"))
    found = compare(chosen, wanted.inputs, Path(wanted.out), jobs=jobs, progress=bar("labkit drift", unit="file"))
    if markdown is not None:
        command = _command(wanted, named=bool(sources), config=config)
        write_markdown(as_markdown(found, command=command), markdown)
    if json:
        print_json(found)
    else:
        _print(found, everything=everything)
    if not found.clean:
        raise typer.Exit(GATE_FAILED)


def _command(wanted: "Settings", *, named: bool, config: Path | None) -> str:
    """Return the ``labkit generate`` that mends it: of the same sources (``named`` here, or by a TOML file)."""
    import shlex

    words = ["labkit", "generate"]
    if named:
        inputs = wanted.inputs
        words += [*inputs.sources, *_repeated("-I", inputs.proto_path), *_flags(inputs.options), "--out", wanted.out]
    elif config is not None:
        words += ["--config", str(config)]
    if wanted.toolchain != "current":
        words += ["--toolchain", wanted.toolchain]
    return shlex.join(words)


def _flags(options: "Options") -> list[str]:
    if options.module is not None:
        words = ["--module", options.module]
    else:
        words = ["--paths", options.paths] if options.paths is not Paths.SOURCE_RELATIVE else []
    words += _repeated("-M", (f"{name}={path}" for name, path in options.mappings.items()))
    words += [] if options.go else ["--no-go"]
    words += [] if options.go_grpc else ["--no-go-grpc"]
    return words + _repeated("--go-opt", options.go_options) + _repeated("--go-grpc-opt", options.go_grpc_options)


def _repeated(flag: str, values: "Iterable[str]") -> list[str]:
    return [word for value in values for word in (flag, value)]


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
