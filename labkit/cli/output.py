"""What several commands give out in one way: a JSON document, and Markdown for a job's summary."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import msgspec


def document(value: "msgspec.Struct") -> str:
    """Return a record as indented JSON, without a final newline."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode()


def print_json(value: "msgspec.Struct") -> None:
    """Print a record as one indented JSON document."""
    typer.echo(document(value))


def write_markdown(text: str, file: Path) -> None:
    """Write a file of Markdown, or append to it where it is the summary of a job ($GITHUB_STEP_SUMMARY).

    Raises:
        LabError: It cannot be written.

    """
    from labkit.system.store import saying_why, write_atomically

    if os.environ.get("GITHUB_STEP_SUMMARY") == str(file):
        with saying_why(f"cannot write {file}"), file.open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")
    else:
        write_atomically(file, text)
