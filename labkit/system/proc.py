"""Starts every process of labkit, and makes sure that none outlives it.

A program is named by its absolute path, gets an explicit environment and a timeout, and runs in a process group of its
own, without a shell. Both of its streams are kept (in temporary files, so that a grandchild that holds a pipe open
cannot make us wait). The whole group is ended when the program ends, on a timeout, on Ctrl-C, and when labkit itself
dies, even by SIGKILL: a tiny watcher process holds the other end of a pipe of ours and ends the groups it was told of
once that pipe closes. (Linux has a parent-death signal, macOS has none; the pipe works on both.)

This is the only module that may import :mod:`subprocess`. Jupyter's kernels and Dask's nanny are started by their own
libraries.
"""

import atexit
import contextlib
import logging
import os
import re
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Self

from labkit.errors import ProcessError, TimeoutExpiredError

log = logging.getLogger(__name__)

#: What is kept of each stream; more is cut in the middle.
MAX_OUTPUT_BYTES: Final = 32 * 1024 * 1024

# Reads "+ PGID" and "- PGID" lines; at the end of its input the groups that were not taken back are ended.
_WATCHER = """
trap '' INT TERM HUP
groups=" "
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
  esac
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
exit 0
"""


class _Watcher:
    """The watcher process of this labkit process, started with the first child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def tell(self, sign: str, group: int) -> None:
        with self._lock:
            if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
                self._start()
            assert self._process is not None  # noqa: S101 - for the type checker
            assert self._process.stdin is not None  # noqa: S101 - for the type checker
            self._process.stdin.write(f"{sign} {group}\n".encode())
            self._process.stdin.flush()

    def _start(self) -> None:
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin"},
            cwd="/",
            start_new_session=True,
        )
        atexit.register(self._stop, self._process)

    @staticmethod
    def _stop(process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2)


_watcher = _Watcher()


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A program that ended: its command, exit code (negative: ended by that signal), both streams and wall time."""

    argv: tuple[str, ...]
    returncode: int
    stdout_bytes: bytes = field(repr=False)
    stderr_bytes: bytes = field(repr=False)
    wall_time_s: float

    @property
    def stdout(self) -> str:
        """Standard output as text; bytes that are not UTF-8 are replaced."""
        return self.stdout_bytes.decode("utf-8", "replace")

    @property
    def stderr(self) -> str:
        """Standard error as text; bytes that are not UTF-8 are replaced."""
        return self.stderr_bytes.decode("utf-8", "replace")

    @property
    def command(self) -> str:
        """The command as a shell would take it."""
        return shlex.join(self.argv)

    def last_words(self, lines: int = 3) -> str:
        """Return the last non-empty lines of standard error, or of standard output, on one line."""
        return " | ".join(self._lines()[-lines:])

    def first_words(self, lines: int = 3) -> str:
        """Return the first such lines: a compiler says the cause first and what follows from it later."""
        return " | ".join(self._lines()[:lines])

    def _lines(self) -> list[str]:
        for text in (self.stderr, self.stdout):
            kept = [line.strip() for line in text.splitlines() if line.strip()]
            if kept:
                return kept
        return ["it printed nothing"]


def describe_exit(returncode: int) -> str:
    """Return an exit code in words: ``exit code 1``, ``signal 9 (SIGKILL)``."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = "unknown"
    return f"signal {-returncode} ({name})"


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    timeout_s: float,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    check: bool = True,
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
        remedy: The remedy to give when it fails.

    Raises:
        ProcessError: It could not be started, or (with ``check``) failed.
        TimeoutExpiredError: It ran out of its time.

    """
    with start(argv, env=env, cwd=cwd, stdin=stdin) as running:
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


class Running:
    """A program that was started; :meth:`stop` ends its whole group. Made by :func:`start`."""

    def __init__(
        self, argv: tuple[str, ...], popen: "subprocess.Popen[bytes]", out: IO[bytes], err: IO[bytes], started: float
    ) -> None:
        self.argv = argv
        self._popen = popen
        self._out = out
        self._err = err
        self._started = started
        self._ended: float | None = None
        self._kept: tuple[bytes, bytes] | None = None

    @property
    def pid(self) -> int:
        """The program's process id, which is its group's id too."""
        return self._popen.pid

    def wait(self, timeout_s: float) -> int:
        """Wait for the end and return the exit code; raises ``subprocess.TimeoutExpired`` inside this module only."""
        returncode = self._popen.wait(timeout_s)
        if self._ended is None:
            self._ended = time.monotonic()
        return returncode

    def alive(self) -> bool:
        """Return whether the program still runs."""
        return self._popen.poll() is None

    def output(self) -> tuple[bytes, bytes]:
        """Return what both streams hold so far."""
        return self._kept if self._kept is not None else (_read(self._out), _read(self._err))

    def wait_for(self, pattern: str, *, timeout_s: float, remedy: str) -> re.Match[str]:
        """Wait until a line of either stream matches, and return the match.

        Raises:
            ProcessError: The program ended before.
            TimeoutExpiredError: It did not say so in time.

        """
        wanted = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + timeout_s
        while True:
            alive = self.alive()
            for stream in self.output():
                if match := wanted.search(stream.decode("utf-8", "replace")):
                    return match
            if not alive:
                done = self.completed()
                raise ProcessError(
                    f"{done.command} ended with {describe_exit(done.returncode)} before it was ready: "
                    f"{done.last_words()}",
                    remedy=remedy,
                )
            if time.monotonic() > deadline:
                raise TimeoutExpiredError(
                    f"{shlex.join(self.argv)} was not ready within {timeout_s:g} s", remedy=remedy
                )
            time.sleep(0.01)

    def stop(self, *, grace_s: float = 0.0) -> None:
        """End the program and its group; with ``grace_s`` it gets SIGTERM and that much time first."""
        if grace_s > 0 and self.alive():
            _end_group(self.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(grace_s)
        _end_group(self.pid, signal.SIGKILL)
        self.wait(30)

    def completed(self) -> Completed:
        """Return the ended program's result."""
        out, err = self.output()
        return Completed(
            argv=self.argv,
            returncode=self.wait(30),
            stdout_bytes=out,
            stderr_bytes=err,
            wall_time_s=(self._ended or time.monotonic()) - self._started,
        )

    def _close(self) -> None:
        self._kept = (_read(self._out), _read(self._err))
        self._out.close()
        self._err.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            _watcher.tell("-", self.pid)
            self._close()


def start(
    argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path | None = None, stdin: bytes | None = None
) -> Running:
    """Start a program and return it as a context manager, at whose end the program's whole group is gone.

    Raises:
        ProcessError: It could not be started.

    """
    words = tuple(str(word) for word in argv)
    if not Path(words[0]).is_absolute():
        raise ProcessError(f"{words[0]} is not an absolute path", remedy="this is a fault in labkit: please report it")
    with contextlib.ExitStack() as files:
        out = files.enter_context(tempfile.TemporaryFile())
        err = files.enter_context(tempfile.TemporaryFile())
        source: IO[bytes] | int = subprocess.DEVNULL
        if stdin is not None:
            source = files.enter_context(tempfile.TemporaryFile())
            source.write(stdin)
            source.seek(0)
        started = time.monotonic()
        try:
            popen = subprocess.Popen(
                words, stdin=source, stdout=out, stderr=err, env=dict(env), cwd=cwd, start_new_session=True
            )
        except OSError as error:
            raise ProcessError(
                f"{words[0]} could not be started: {error.strerror}", remedy=_start_remedy(error, words[0])
            ) from error
        try:
            _watcher.tell("+", popen.pid)
        except BaseException:
            _end_group(popen.pid, signal.SIGKILL)
            popen.wait()
            raise
        if stdin is not None and not isinstance(source, int):
            source.close()
        files.pop_all()
    return Running(words, popen, out, err, started)


def wait_until(condition: Callable[[], bool], *, timeout_s: float, what: str) -> None:
    """Poll a condition until it holds.

    Raises:
        TimeoutExpiredError: It did not hold in time.

    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutExpiredError(f"{what} did not happen within {timeout_s:g} s", remedy="try again")
        time.sleep(0.01)


@contextlib.contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """Hold back Ctrl-C while a file is put in its place; it is raised afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: seen.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if seen:
        raise KeyboardInterrupt


def _end_group(group: int, how: signal.Signals) -> None:
    # ESRCH: nobody is left. EPERM: macOS says so when only a zombie is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, how)


def _read(stream: IO[bytes]) -> bytes:
    size = os.fstat(stream.fileno()).st_size
    if size <= MAX_OUTPUT_BYTES:
        return os.pread(stream.fileno(), size, 0)
    half = MAX_OUTPUT_BYTES // 2
    head, tail = os.pread(stream.fileno(), half, 0), os.pread(stream.fileno(), half, size - half)
    return head + f"\n... {size - 2 * half} bytes left out ...\n".encode() + tail


def _start_remedy(error: OSError, program: str) -> str:
    match error.errno:
        case 8 | 86:  # ENOEXEC; EBADARCH, "Bad CPU type in executable", on macOS
            return f"it is for another system or architecture: look at it with `labkit inspect {shlex.quote(program)}`"
        case 13:
            return "make it executable with chmod +x, or check who owns it"
        case _:
            return "check that it is installed"
