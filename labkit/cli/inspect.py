"""``labkit inspect``: what executables are, and where they would run."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.rows import lines

if TYPE_CHECKING:
    from labkit.model.binary import Binary


def inspect(
    paths: Annotated[
        list[Path], typer.Argument(help="Files or folders; of a folder, all below it.", metavar="PATH...")
    ],
    machines: Annotated[
        list[str] | None,
        typer.Option("--for", metavar="MACHINE", help="Judge for this machine (again for more), as m3-macos26."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array, an object a file.")] = False,
    pages: Annotated[bool, typer.Option("--pages/--no-pages", help="Hash every signed page, or none.")] = True,
    sha256: Annotated[bool, typer.Option("--sha256", help="Hash whole files too.")] = False,
) -> None:
    """Say what executables are (Mach-O, ELF, their signatures, Go's build information) and where they would run.

    The exit code is 0 whatever the verdicts; a file that cannot be read has its line like the others.
    """
    from labkit.binary import DEFAULT_MACHINES, find
    from labkit.binary import inspect as inspect_file
    from labkit.binary.machines import check

    named = tuple(dict.fromkeys(machines or DEFAULT_MACHINES))
    check(named)
    found = (inspect_file(path, pages=pages, machines=named, digest=sha256) for path in find(paths))
    if json:
        _print_json(found)
    else:
        _print_text(found, everything=not any(path.is_dir() for path in paths))


def _print_json(binaries: "Iterator[Binary]") -> None:
    """Print an array without holding it: ten thousand files are as good as one."""
    import msgspec

    from labkit.binary.table import document

    separator = "["
    for binary in binaries:
        typer.echo(separator + msgspec.json.encode(document(binary)).decode())
        separator = ","
    typer.echo("[]" if separator == "[" else "]")


def _print_text(binaries: "Iterator[Binary]", *, everything: bool) -> None:
    from labkit.binary.reading import printable
    from labkit.binary.table import fact_rows, headline, verdict_rows
    from labkit.model.binary import Format
    from labkit.words import say

    counts = {"n": 0, "binaries": 0, "errors": 0}
    left_out = 0
    for binary in binaries:
        counts["n"] += 1
        counts["binaries"] += binary.format is not Format.OTHER
        counts["errors"] += binary.error is not None
        if binary.format is Format.OTHER and binary.error is None and not everything:
            left_out += 1
            continue
        typer.echo(f"{printable(binary.path)}: {headline(binary)}")
        judged = binary.verdicts if binary.slices or binary.error is None else ()
        for rows in (fact_rows(binary), verdict_rows(judged)):
            for line in lines([(row.label, row.value) for row in rows]):
                typer.echo(f"  {line}")
    if counts["n"] > 1:
        typer.echo(say("binary.files", **counts))
    if left_out:
        typer.echo(say("binary.left_out", n=left_out))
