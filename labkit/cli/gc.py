"""``labkit gc``: removes finished runs that newer ones have replaced."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from labkit.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from labkit.model.collecting import Collection, Lying

_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}


def gc(
    out: Annotated[Path, typer.Argument(help="The folder of runs.", metavar="DIR")] = Path("runs"),
    *,
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", help="Of each machine, profile and point so many newest stay.", min=1)
    ] = 3,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="AGE", help="Only what is older: 12h, 30d, 8w.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without this nothing is changed.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document: what goes, and what stays.")] = False,
) -> None:
    """Remove finished runs that newer ones have replaced; shows what it would remove unless --yes is given.

    Runs that are at work or that a batch could still resume stay, and so does whatever labkit did not write. In
    labkit's store, finished notebooks that were kept for later runs go after 30 days.
    """
    from labkit.cli.folders import check_runs
    from labkit.lab import collecting

    check_runs(out, "labkit gc")
    found = collecting.collect(out, keep=keep, older_than=_age(older_than), remove=yes)
    if json:
        print_json(found)
        return
    _print(found)


def _age(text: str | None) -> "timedelta | None":
    from datetime import timedelta

    from labkit.errors import UsageError

    if text is None:
        return None
    read = re.fullmatch(r"(\d{1,4})([hdw])", text)
    if read is None:
        raise UsageError(f"{text} is no age", remedy="write it so: 12h, 30d or 8w")
    return timedelta(**{_UNITS[read[2]]: int(read[1])})


def _print(found: "Collection") -> None:
    from labkit.words import say

    _list("gc.goes" if found.removed else "gc.would_go", found.goes)
    _list("gc.stays", found.stays)
    size = f"{found.size_bytes / (1 << 20):.1f} MiB"
    if found.removed:
        typer.echo(say("gc.removed", n=len(found.goes), size=size))
    elif found.goes:
        typer.echo(say("gc.dry", n=len(found.goes), size=size))
    else:
        typer.echo(say("gc.nothing"))


def _list(head: str, those: "Sequence[Lying]") -> None:
    from labkit.cli.rows import print_rows
    from labkit.words import say

    if those:
        typer.echo(say(head))
        print_rows([_row(each) for each in those])


def _row(each: "Lying") -> tuple[str, ...]:
    from labkit.system.store import shown
    from labkit.words import render, say

    day = (each.at or "")[:10]
    return say(f"gc.kind.{each.kind}"), shown(each.path), day, _size(each.size_bytes), render(each.why)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1024:.0f} KiB" if size_bytes < 1 << 20 else f"{size_bytes / (1 << 20):.1f} MiB"
