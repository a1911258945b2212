"""``labkit generate``: Go from .proto files, only what changed."""

from collections.abc import Iterator
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
from labkit.cli.output import print_json

if TYPE_CHECKING:
    from labkit.model.generation import Generation, Refusal

#: Files that only follow from a refused one, shown for each; the rest is counted (all are in --json).
_MOST_DEPENDENTS = 5


def generate(
    sources: Sources = None,
    *,
    out: Annotated[
        str | None, typer.Option("--out", help="The folder of the generated code.", metavar="DIR", show_default=False)
    ] = None,
    proto_path: ProtoPath = None,
    paths: PathsOption = None,
    module: Module = None,
    mapped: Mapped = None,
    go: Annotated[bool, typer.Option("--go/--no-go", help="Run protoc-gen-go.")] = True,
    go_grpc: Annotated[bool, typer.Option("--go-grpc/--no-go-grpc", help="Run protoc-gen-go-grpc.")] = True,
    go_opt: GoOpt = None,
    go_grpc_opt: GoGrpcOpt = None,
    config: Config = None,
    toolchain: Annotated[
        str | None, typer.Option("--toolchain", help="The name of a pinned set.", show_default="current")
    ] = None,
    jobs: Jobs = None,
    all_: Annotated[bool, typer.Option("--all", help="Make all anew, changed or not.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document: what was made and refused.")] = False,
) -> None:
    """Generate Go code from .proto files with a pinned set's protoc and plugins, making only what changed.

    A file that is refused costs itself and those that import it; the rest is made, and the exit code is 15.
    """
    from labkit.codegen.tree import from_flags, generate_tree, toolset
    from labkit.errors import GenerateError
    from labkit.system.progress import bar, steps

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
    found = toolset(wanted.toolchain, progress=steps("labkit setup"))
    made = generate_tree(
        found,
        wanted.inputs,
        Path(wanted.out),
        jobs=jobs,
        progress=bar("labkit generate", unit="file"),
        anew=all_,
    )
    if json:
        print_json(made)
    else:
        _show(made)
    if made.refused:
        raise typer.Exit(GenerateError.exit_code)


def _show(made: "Generation") -> None:
    from labkit.model.generation import How
    from labkit.system.store import shown
    from labkit.words import say

    for gone in made.removed:
        typer.echo(say("generate.removed" if gone.removed else "generate.kept", path=gone.path, source=gone.source))
    if made.refused:
        typer.echo(say("generate.refused_count", refused=len(made.refused), sources=made.source_count), err=True)
        for line in _refusals(made.refused):
            typer.echo(line, err=True)
    counts = {how.value: made.count(how) for how in How}
    seconds = f"{made.wall_time_s:.2f}"
    typer.echo(say("generate.done", files=len(made.files), out=shown(made.out), seconds=seconds, **counts))


def _refusals(refused: "tuple[Refusal, ...]") -> Iterator[str]:
    from labkit.model.generation import RefusalKind
    from labkit.words import render, say

    followers: dict[str, int] = {}
    for refusal in sorted(refused, key=lambda each: each.kind is RefusalKind.DEPENDENT):
        if refusal.kind is RefusalKind.DEPENDENT:
            cause = str(refusal.reason.values["cause"])
            followers[cause] = followers.get(cause, 0) + 1
            if followers[cause] > _MOST_DEPENDENTS:
                continue
        reason = render(refusal.reason)
        if refusal.line is None:
            yield say("generate.at_file", file=refusal.source, reason=reason)
        else:
            yield say("generate.at", file=refusal.source, line=refusal.line, column=refusal.column or 1, reason=reason)
        if refusal.kind is not RefusalKind.DEPENDENT:
            yield say("generate.to_do", remedy=render(refusal.remedy))
    for cause, count in followers.items():
        if count > _MOST_DEPENDENTS:
            yield say("generate.more_dependents", count=count - _MOST_DEPENDENTS, cause=cause)
