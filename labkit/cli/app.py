"""The commands put together, and the one place where every error ends as a line and an exit code."""

import importlib
import json
import os
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Final, NoReturn

import typer

from labkit import __version__
from labkit.errors import INTERRUPTED, UNFORESEEN, LabError, UsageError, exit_codes
from labkit.system import progress

_EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in exit_codes().items()) + "."

#: Each command with the module that holds it; its function there has the module's name.
COMMANDS: Final = {
    "machine": "machine",
    "setup": "setup",
    "doctor": "doctor",
    "generate": "generate",
    "drift": "drift",
    "inspect": "inspect",
    "bench": "bench",
    "debug": "debug",
    "traps": "traps",
    "run": "run",
    "runs": "runs",
    "gc": "gc",
    "claims": "claims",
    "compare": "compare",
    "publish": "publish",
    "lab": "lab",
    "import": "import_",  # a word that Python keeps for itself
}


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"labkit {__version__}")
        raise typer.Exit


def options(
    version: Annotated[  # noqa: ARG001 - its callback prints it
        bool, typer.Option("--version", help="Print labkit's version.", is_eager=True, callback=_print_version)
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Show the log; -vv for all of it.")] = 0,
) -> None:
    """A reproducible lab for the protobuf and gRPC Go toolchain on Apple silicon."""
    if quiet:
        os.environ[progress.VARIABLE] = progress.OFF
    if verbose:
        import logging

        from labkit.system import logs

        logs.to_terminal(logging.INFO if verbose == 1 else logging.DEBUG)


def application(words: Sequence[str] = ()) -> typer.Typer:
    """Return the command line: all of it, or the one command that some words name.

    Declaring a command's options costs some ten milliseconds, and whoever asks for one needs no other.
    """
    app = typer.Typer(
        name="labkit",
        help="A reproducible lab for the protobuf and gRPC Go toolchain on Apple silicon.",
        epilog=_EPILOG,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(options)
    named = next((word for word in words if not word.startswith("-")), "")
    for name, module in COMMANDS.items():
        if named == name or named not in COMMANDS:
            app.command(name)(getattr(importlib.import_module(f"labkit.cli.{module}"), module))
    return app


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit; the only place where errors end."""
    words = sys.argv[1:] if arguments is None else arguments
    json_wanted = _wants_json(words)
    try:
        code = application(words)(words, prog_name="labkit", standalone_mode=False)
    except LabError as error:
        sys.exit(_report(error.what, error.remedy, error.exit_code, as_json=json_wanted))
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (a pager, head): not our fault, and nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        if hasattr(error, "format_message"):  # a usage error of the command-line library
            usage = UsageError(error.format_message(), remedy="see labkit --help, or labkit COMMAND --help")
            sys.exit(_report(usage.what, usage.remedy, usage.exit_code, as_json=json_wanted))
        traceback.print_exc()
        what = f"labkit did not foresee this: {type(error).__name__}: {error}"
        sys.exit(_report(what, "please report it with the lines above", UNFORESEEN, as_json=json_wanted))
    if code == INTERRUPTED:
        _report("interrupted", "run it again: what was provisioned and built is kept", code, as_json=json_wanted)
    sys.exit(code if isinstance(code, int) else 0)


def _wants_json(words: list[str]) -> bool:
    return "--json" in words or "--format=json" in words or ("--format", "json") in pairwise(words)


def _report(what: str, remedy: str, code: int, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": {"what": what, "remedy": remedy}}, ensure_ascii=False))  # noqa: T201
    else:
        print(f"labkit: {what}\n  remedy: {remedy}", file=sys.stderr)  # noqa: T201
    return code
