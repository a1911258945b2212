"""A program that was started, and one that has ended."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Final, Self

from labkit.errors import ProcessError, TimeoutExpiredError
from labkit.system.proc.interrupts import ignoring_interrupts
from labkit.system.proc.watcher import end_group, watcher

#: What is kept of each stream unless a caller wants more; the rest is cut from the middle.
MAX_OUTPUT_BYTES: Final = 32 * 1024 * 1024


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


class Running:
    """A program that was started; :meth:`stop` ends its whole group. Made by :func:`start`."""

    def __init__(
        self,
        argv: tuple[str, ...],
        popen: "subprocess.Popen[bytes]",
        out: IO[bytes],
        err: IO[bytes],
        started: float,
        *,
        most_bytes: int = MAX_OUTPUT_BYTES,
    ) -> None:
        self.argv = argv
        self._most_bytes = most_bytes
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
        deadline, pause_s = time.monotonic() + timeout_s, 0.0005
        while (returncode := self._poll()) is None:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise subprocess.TimeoutExpired(self.argv, timeout_s)
            pause_s = min(2 * pause_s, left_s, 0.05)
            time.sleep(pause_s)
        if self._ended is None:
            self._ended = time.monotonic()
        return returncode

    def alive(self) -> bool:
        """Return whether the program still runs."""
        return self._poll() is None

    def _poll(self) -> int | None:
        # Popen takes a lock to ask. Ctrl-C between taking it and its try statement leaves it taken, and nobody could
        # wait for the program any more (CPython 3.11's subprocess._wait; seen once in some 300 interrupts).
        with ignoring_interrupts():
            return self._popen.poll()

    def output(self) -> tuple[bytes, bytes]:
        """Return what both streams hold so far."""
        return self._kept if self._kept is not None else self._read_both()

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
            end_group(self.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(grace_s)
        end_group(self.pid, signal.SIGKILL)
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

    def _read_both(self) -> tuple[bytes, bytes]:
        return _read(self._out, self._most_bytes), _read(self._err, self._most_bytes)

    def _close(self) -> None:
        self._kept = self._read_both()
        self._out.close()
        self._err.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            watcher.tell("-", self.pid)
            self._close()


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


def _read(stream: IO[bytes], most_bytes: int) -> bytes:
    size = os.fstat(stream.fileno()).st_size
    if size <= most_bytes:
        return os.pread(stream.fileno(), size, 0)
    half = most_bytes // 2
    head, tail = os.pread(stream.fileno(), half, 0), os.pread(stream.fileno(), half, size - half)
    return head + f"\n... {size - 2 * half} bytes left out ...\n".encode() + tail
