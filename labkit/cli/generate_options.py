"""The options of code generation, which ``labkit generate`` and ``labkit drift`` share, and what they come to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.model.generation import Paths

if TYPE_CHECKING:
    from labkit.model.generation import Options

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        help="Files, or folders with all .proto below; none: those of labkit.toml.",
        metavar="SRC...",
        show_default=False,
    ),
]
ProtoPath = Annotated[
    list[str] | None,
    typer.Option("--proto-path", "-I", metavar="DIR", help="A folder that imports are counted from; again for more."),
]
PathsOption = Annotated[
    Paths | None, typer.Option("--paths", help="Where files go, as protoc-gen-go has it.", show_default=False)
]
Module = Annotated[str | None, typer.Option("--module", help="Cut this from import paths (means --paths import).")]
Mapped = Annotated[
    list[str] | None,
    typer.Option("--map", "-M", metavar="FILE=IMPORT", help="The Go import path of a .proto file; again for more."),
]
GoOpt = Annotated[list[str] | None, typer.Option("--go-opt", help="A further option of protoc-gen-go; again for more.")]
GoGrpcOpt = Annotated[
    list[str] | None, typer.Option("--go-grpc-opt", help="A further option of protoc-gen-go-grpc; again for more.")
]
Config = Annotated[
    Path | None, typer.Option("--config", help="A TOML file with a table [generate].", show_default=False)
]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Batches at a time.", show_default="processors")]


def options_of(
    *,
    paths: Paths | None,
    module: str | None,
    mapped: list[str],
    go: bool,
    go_grpc: bool,
    go_opt: list[str],
    go_grpc_opt: list[str],
) -> "Options | None":
    """Return the options that a command line gave, None when it gave none.

    Raises:
        UsageError: They contradict each other, or one is not written as it must be.

    """
    from labkit.codegen.tree import options
    from labkit.errors import UsageError

    pairs = {}
    for pair in mapped:
        name, equals, path = pair.partition("=")
        if not (name and equals and path):
            raise UsageError(f"--map {pair} is no FILE=IMPORT", remedy="write --map a/b.proto=example.com/b")
        pairs[name] = path
    if paths is None and module is None and not (pairs or go_opt or go_grpc_opt) and go and go_grpc:
        return None
    return options(
        paths=paths,
        module=module,
        mappings=pairs,
        go=go,
        go_grpc=go_grpc,
        go_options=tuple(go_opt),
        go_grpc_options=tuple(go_grpc_opt),
    )
