"""``labkit setup --for go.mod``: which versions fit a module and a machine, and what decided."""

from pathlib import Path

import typer

from labkit.cli.output import print_json


def setup_for(go_mod: Path, *, machine: str | None = None, json: bool = False, wishes: tuple[str, ...] = ()) -> None:
    """Print which versions fit a go.mod, or the bounds and wishes that exclude each other.

    Args:
        go_mod: The file.
        machine: The name of a machine that is not here, such as m3-macos26; this one when None.
        json: Whether to print one JSON document instead of lines.
        wishes: Further wishes as ``AXIS=VALUE``: a version (protoc=24.3) or what the protos need (edition=2023).

    Raises:
        UsageError: The file is no go.mod, or a wish is none.

    """
    from labkit import machine as here
    from labkit.toolchain.compat import CHOSEN, lines
    from labkit.toolchain.compat import setup_for as answer_for

    asked = dict(_split(wish) for wish in wishes)
    answer = answer_for(
        go_mod,
        machine=machine or here.read(),
        versions={axis: value for axis, value in asked.items() if axis in CHOSEN},
        features={axis: value for axis, value in asked.items() if axis not in CHOSEN},
    )
    if json:
        print_json(answer)
        return
    for line in lines(answer):
        typer.echo(line)


def _split(wish: str) -> tuple[str, str]:
    from labkit.errors import UsageError

    axis, equals, value = wish.partition("=")
    if not equals or not value:
        raise UsageError(f"{wish!r} is no wish", remedy="write AXIS=VALUE, such as protoc=24.3 or edition=2023")
    return axis, value
