"""The commands put together, and the one place where every error ends as a line and an exit code."""

import json
import os
import sys
import traceback
from itertools import pairwise
from typing import Annotated, NoReturn

import typer

from labkit import __version__
from labkit.cli.bench import bench
from labkit.cli.compare import compare
from labkit.cli.doctor import doctor
from labkit.cli.drift import drift
from labkit.cli.generate import generate
from labkit.cli.import_ import import_
from labkit.cli.inspect import inspect
from labkit.cli.lab import lab
from labkit.cli.machine import machine
from labkit.cli.publish import publish
from labkit.cli.run import run
from labkit.cli.setup import setup
from labkit.errors import INTERRUPTED, UNFORESEEN, LabError, UsageError, exit_codes
from labkit.system import progress

_EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in exit_codes().items()) + "."

app = typer.Typer(
    name="labkit",
    help="A reproducible lab for the protobuf and gRPC Go toolchain on Apple silicon.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"labkit {__version__}")
        raise typer.Exit


@app.callback()
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


for command in (machine, setup, doctor, generate, drift, inspect, bench, run, compare, publish, lab):
    app.command()(command)
app.command("import")(import_)  # a word that Python keeps for itself


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit; the only place where errors end."""
    words = sys.argv[1:] if arguments is None else arguments
    json_wanted = _wants_json(words)
    try:
        code = app(words, prog_name="labkit", standalone_mode=False)
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
