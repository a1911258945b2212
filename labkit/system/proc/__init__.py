"""Starts every process of labkit, and makes sure that none outlives it.

A program is named by its absolute path, gets an explicit environment and a timeout, and runs in a process group of its
own, without a shell. Both of its streams are kept (in temporary files, so that a grandchild that holds a pipe open
cannot make us wait). The whole group is ended when the program ends, on a timeout, on Ctrl-C, and when labkit itself
dies, even by SIGKILL: a tiny watcher process holds the other end of a pipe of ours and ends the groups it was told of
once that pipe closes. (Linux has a parent-death signal, macOS has none; the pipe works on both.)

This is the only place that may import :mod:`subprocess`. Jupyter's kernels and Dask's nanny are started by their own
libraries.
"""

import contextlib
import logging
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from labkit.errors import ProcessError, TimeoutExpiredError
from labkit.system.proc.interactive import Interactive
from labkit.system.proc.interrupts import ignoring_interrupts
from labkit.system.proc.running import MAX_OUTPUT_BYTES, Completed, Running, describe_exit, wait_until
from labkit.system.proc.watcher import end_group, watcher

__all__ = [
    "Completed",
    "Interactive",
    "Running",
    "adopted",
    "converse",
    "describe_exit",
    "end_children",
    "groups_of_ours",
    "ignoring_interrupts",
    "run",
    "start",
    "wait_until",
]

log = logging.getLogger(__name__)


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    timeout_s: float,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    check: bool = True,
    most_bytes: int = MAX_OUTPUT_BYTES,
    remedy: str = "run labkit with -v and read the log for the program's whole output",
) -> Completed:
    """Run a program to its end and return what it said.

    Args:
        argv: The program's absolute path and its arguments.
        env: The whole environment of the program.
        timeout_s: Seconds until the program and its group are ended.
        cwd: The folder to run in; the current one when None.
        stdin: Its standard input; empty when None.
        check: Whether a non-zero exit code raises.
        most_bytes: What is kept of each of its streams; of a longer one the middle is cut out.
        remedy: The remedy to give when it fails.

    Raises:
        ProcessError: It could not be started, or (with ``check``) failed.
        TimeoutExpiredError: It ran out of its time.

    """
    with contextlib.ExitStack() as ends:
        with ignoring_interrupts():  # nothing comes between its start and what ends it
            running = ends.enter_context(start(argv, env=env, cwd=cwd, stdin=stdin, most_bytes=most_bytes))
        try:
            returncode = running.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            running.stop()
            done = running.completed()
            raise TimeoutExpiredError(
                f"{done.command} did not end within {timeout_s:g} s; it last said: {done.last_words()}", remedy=remedy
            ) from error
    done = running.completed()
    log.debug("%s: %s after %.2f s", done.command, describe_exit(returncode), done.wall_time_s)
    if check and returncode != 0:
        log.info("%s\n%s%s", done.command, done.stdout, done.stderr)
        raise ProcessError(f"{done.command} ended with {describe_exit(returncode)}: {done.last_words()}", remedy=remedy)
    return done


def start(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdin: bytes | None = None,
    most_bytes: int = MAX_OUTPUT_BYTES,
) -> Running:
    """Start a program and return it as a context manager, at whose end the program's whole group is gone.

    Raises:
        ProcessError: It could not be started.

    """
    with contextlib.ExitStack() as files:
        out = files.enter_context(tempfile.TemporaryFile())
        err = files.enter_context(tempfile.TemporaryFile())
        source: IO[bytes] | int = subprocess.DEVNULL
        if stdin is not None:
            source = files.enter_context(tempfile.TemporaryFile())
            source.write(stdin)
            source.seek(0)
        words, popen, started = _popen(argv, env=env, cwd=cwd, stdin=source, stdout=out, stderr=err)
        if stdin is not None and not isinstance(source, int):
            source.close()
        files.pop_all()
    return Running(words, popen, out, err, started, most_bytes=most_bytes)


def converse(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    most_bytes: int = MAX_OUTPUT_BYTES,
) -> Interactive:
    """Start a program that is talked to line by line; otherwise as :func:`start`.

    Raises:
        ProcessError: It could not be started.

    """
    with contextlib.ExitStack() as files:
        out = files.enter_context(tempfile.TemporaryFile())
        err = files.enter_context(tempfile.TemporaryFile())
        pipe = subprocess.PIPE
        words, popen, started = _popen(argv, env=env, cwd=cwd, stdin=pipe, stdout=pipe, stderr=err)
        files.pop_all()
    return Interactive(words, popen, out, err, started, most_bytes=most_bytes)


@contextlib.contextmanager
def adopted(group: int) -> Iterator[None]:
    """Take over a process group that a program of ours made (a debugger's target); at the end it is gone too."""
    watcher.tell("+", group)
    try:
        yield
    finally:
        end_group(group, signal.SIGKILL)
        watcher.tell("-", group)


def _popen(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None,
    stdin: IO[bytes] | int,
    stdout: IO[bytes] | int,
    stderr: IO[bytes],
) -> tuple[tuple[str, ...], "subprocess.Popen[bytes]", float]:
    """Start a program in a group of its own that the watcher knows; return its words and when it was started."""
    words = tuple(str(word) for word in argv)
    if not Path(words[0]).is_absolute():
        raise ProcessError(f"{words[0]} is not an absolute path", remedy="this is a fault in labkit: please report it")
    watcher.ready()
    started = time.monotonic()
    popen: subprocess.Popen[bytes] | None = None
    try:
        with ignoring_interrupts():  # from the fork until the watcher knows of it, nobody would end the program
            try:
                popen = subprocess.Popen(
                    words, stdin=stdin, stdout=stdout, stderr=stderr, env=dict(env), cwd=cwd, start_new_session=True
                )
            except OSError as error:
                raise ProcessError(
                    f"{words[0]} could not be started: {error.strerror}", remedy=_start_remedy(error, words[0])
                ) from error
            watcher.tell("+", popen.pid)
    except BaseException:
        if popen is not None:
            end_group(popen.pid, signal.SIGKILL)
            popen.wait()
            watcher.tell("-", popen.pid)
        raise
    return words, popen, started


def end_children() -> None:
    """End every program that this process started and still holds, groups and all; whoever waits for one sees it end.

    It is how a main thread that was interrupted gets its other threads to unwind.
    """
    for group in watcher.groups():
        end_group(group, signal.SIGKILL)


def groups_of_ours() -> frozenset[int]:
    """Return the process groups that this process started or took over and still holds, and its watcher's."""
    return watcher.groups() | watcher.own()


def _start_remedy(error: OSError, program: str) -> str:
    match error.errno:
        case 8 | 86:  # ENOEXEC; EBADARCH, "Bad CPU type in executable", on macOS
            return f"it is for another system or architecture: look at it with `labkit inspect {shlex.quote(program)}`"
        case 13:
            return "make it executable with chmod +x, or check who owns it"
        case _:
            return "check that it is installed"
