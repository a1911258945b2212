"""A program that is talked to line by line: a line to its standard input, a line back from its standard output."""

import contextlib
import os
import select
import shlex
import subprocess
import time
from typing import IO, Final

from labkit.errors import ProcessError, TimeoutExpiredError
from labkit.system.proc.running import MAX_OUTPUT_BYTES, Running, describe_exit

#: The longest line that is believed; a program that prints more without an end of line prints nonsense.
MAX_LINE_BYTES: Final = 1024 * 1024


class Interactive(Running):
    """A program that was started to be talked to; made by :func:`labkit.system.proc.converse`.

    Its standard output comes by a pipe, which is read while waiting for a line only: it is for a program that says one
    line when it is asked, not for one that floods. What was read is kept too. Standard error goes to a file, as ever.
    """

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
        super().__init__(argv, popen, out, err, started, most_bytes=most_bytes)
        assert popen.stdin is not None  # noqa: S101 - for the type checker
        assert popen.stdout is not None  # noqa: S101 - for the type checker
        self._to, self._from = popen.stdin, popen.stdout
        os.set_blocking(self._to.fileno(), False)  # a program that stopped reading must not stop us
        self._pending = b""

    def write_line(self, line: str, *, remedy: str) -> None:
        """Send a line (its end is added).

        Raises:
            ProcessError: The program has ended, or does not read what it is sent.

        """
        try:
            self._to.write(line.encode() + b"\n")
            self._to.flush()
        except BlockingIOError as error:
            raise ProcessError(f"{shlex.join(self.argv)} does not read what it is sent", remedy=remedy) from error
        except OSError as error:
            raise self._ended_early(remedy) from error

    def read_line(self, *, timeout_s: float, remedy: str) -> str:
        """Return the next line, without its end; bytes that are not UTF-8 are replaced.

        Raises:
            ProcessError: The program ended, or said more than :data:`MAX_LINE_BYTES` without an end of line.
            TimeoutExpiredError: It said no whole line in time.

        """
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._pending:
            if len(self._pending) > MAX_LINE_BYTES:
                raise ProcessError(f"{shlex.join(self.argv)} printed a line that does not end", remedy=remedy)
            self._take(deadline, timeout_s, remedy)
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode("utf-8", "replace")

    def read_bytes(self, count: int, *, timeout_s: float, remedy: str) -> bytes:
        """Return the next bytes, for a program that says how many come; ends of lines mean nothing here.

        Raises:
            ProcessError: The program ended, or says that more come than :data:`MAX_LINE_BYTES`.
            TimeoutExpiredError: They did not all come in time.

        """
        if count > MAX_LINE_BYTES:
            raise ProcessError(f"{shlex.join(self.argv)} wants to say {count} bytes at once", remedy=remedy)
        deadline = time.monotonic() + timeout_s
        while len(self._pending) < count:
            self._take(deadline, timeout_s, remedy)
        taken, self._pending = self._pending[:count], self._pending[count:]
        return taken

    def close_input(self) -> None:
        """Let the program see the end of its input."""
        with contextlib.suppress(OSError):
            self._to.close()

    def _take(self, deadline: float, timeout_s: float, remedy: str) -> None:
        left_s = deadline - time.monotonic()
        # poll, not select, which takes no descriptor above 1023
        waiting = select.poll()
        waiting.register(self._from, select.POLLIN)
        if left_s <= 0 or not waiting.poll(left_s * 1000):
            raise TimeoutExpiredError(f"{shlex.join(self.argv)} did not answer within {timeout_s:g} s", remedy=remedy)
        came = os.read(self._from.fileno(), 65536)
        if not came:
            raise self._ended_early(remedy)
        self._out.write(came)
        self._out.flush()
        self._pending += came

    def _ended_early(self, remedy: str) -> ProcessError:
        try:
            returncode = self.wait(5)
        except subprocess.TimeoutExpired:
            return ProcessError(f"{shlex.join(self.argv)} closed its output and still runs", remedy=remedy)
        done = self.completed()
        return ProcessError(
            f"{done.command} ended with {describe_exit(returncode)} in the middle: {done.last_words()}", remedy=remedy
        )

    def _close(self) -> None:
        self.close_input()
        self._from.close()
        super()._close()
