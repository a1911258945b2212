"""``labkit machine``: who this machine is, and the condition it is in."""

from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.output import print_json
from labkit.cli.rows import lines

if TYPE_CHECKING:
    from labkit.machine.table import Row


def machine(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document: machine and condition.")] = False,
) -> None:
    """Say who this machine is and what condition it is in, with where each value was read."""
    from labkit.machine import condition, read
    from labkit.machine.table import condition_rows, machine_rows
    from labkit.model.output import MachineOutput
    from labkit.words import say

    found, now = read(), condition()
    if json:
        print_json(MachineOutput(machine=found, condition=now))
        return
    typer.echo(f"{say('machine.title')}\n{_lines(machine_rows(found))}\n")
    typer.echo(f"{say('machine.condition_title')}\n{_lines(condition_rows(now))}")


def _lines(rows: tuple["Row", ...]) -> str:
    """Return the rows in columns, each source (where a value was obtained) in brackets after its value."""
    cells = [(row.property, row.value + (f"  [{row.source}]" if row.read else "")) for row in rows]
    return "\n".join(f"  {line}" for line in lines(cells))
