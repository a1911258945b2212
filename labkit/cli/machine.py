"""``labkit machine``: who this machine is, and the condition it is in."""

import unicodedata
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from labkit.machine.table import Row


def machine(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document: machine and condition.")] = False,
) -> None:
    """Say who this machine is and what condition it is in, with where each value was read."""
    import msgspec

    from labkit.machine import condition, read
    from labkit.machine.table import condition_rows, machine_rows
    from labkit.model.output import MachineOutput
    from labkit.words import say

    found, now = read(), condition()
    if json:
        document = msgspec.json.encode(MachineOutput(machine=found, condition=now))
        typer.echo(msgspec.json.format(document, indent=1).decode())
        return
    typer.echo(f"{say('machine.title')}\n{_lines(machine_rows(found))}\n")
    typer.echo(f"{say('machine.condition_title')}\n{_lines(condition_rows(now))}")


def _lines(rows: tuple["Row", ...]) -> str:
    """Return the rows in columns, each source (where a value was obtained) in brackets after its value."""
    wide = max(_width(row.property) for row in rows)
    return "\n".join(
        f"  {row.property}{' ' * (wide - _width(row.property))}  {row.value}"
        + (f"  [{row.source}]" if row.read else "")
        for row in rows
    )


def _width(text: str) -> int:
    """Return how many columns a terminal uses: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
