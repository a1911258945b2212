"""A small client of gdb's remote protocol, as qemu-user's gdb server speaks it for arm64.

Packets are ``$data#checksum``, each acknowledged (https://sourceware.org/gdb/current/onlinedocs/gdb.html/Remote-Protocol.html).
Registers come as one block: X0 to X30, SP, PC of eight bytes each, PSTATE of four, little-endian
(gdb-xml/aarch64-core.xml of qemu). Breakpoints are qemu's own, so the program's bytes stay as they are.
"""

import contextlib
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from labkit.errors import ProcessError, TimeoutExpiredError

REGISTERS: Final = (*(f"X{number}" for number in range(31)), "SP", "PC", "PSTATE")
_BLOCK: Final = struct.Struct("<33QI")
_TRAP: Final = 5
_LOOK_S: Final = 0.02
_START_S: Final = 5.0
_REMEDY: Final = "try again; if it stays so, report it with the version of qemu"


class Stub:
    """A connection to a gdb server on a Unix socket; a context manager, at whose end it is closed."""

    def __init__(self, path: Path) -> None:
        self._socket = _connected(path)
        self._pending = b""

    def ask(self, command: str, *, timeout_s: float = 30.0) -> str:
        """Send a packet and return the answer.

        Raises:
            ProcessError: The server refused it, or is gone.
            TimeoutExpiredError: No answer came in time.

        """
        self.send(command)
        answer = self.receive(timeout_s=timeout_s)
        if answer.startswith("E") and len(answer) == 3:  # noqa: PLR2004 - E and two digits
            raise ProcessError(f"qemu's gdb server answered {answer} to {command}", remedy=_REMEDY)
        return answer

    def send(self, command: str) -> None:
        """Send a packet; its answer is asked for with :meth:`receive`."""
        data = command.encode("ascii")
        try:
            self._socket.sendall(b"$%s#%02x" % (data, sum(data) % 256))
        except OSError as error:
            raise ProcessError("qemu's gdb server is gone", remedy=_REMEDY) from error

    def receive(self, *, timeout_s: float) -> str:
        """Return the next packet's data."""
        deadline = time.monotonic() + timeout_s
        while True:
            start = self._pending.find(b"$")
            end = self._pending.find(b"#", start + 1)
            if start >= 0 and 0 < end <= len(self._pending) - 3:
                data, self._pending = self._pending[start + 1 : end], self._pending[end + 3 :]
                with contextlib.suppress(OSError):  # a server may go after its last word; the next request says so
                    self._socket.sendall(b"+")
                return data.decode("ascii", "replace")
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutExpiredError(f"qemu's program did not stop within {timeout_s:g} s", remedy=_REMEDY)
            self._socket.settimeout(left_s)
            try:
                came = self._socket.recv(65536)
            except TimeoutError:
                continue
            except OSError as error:
                raise ProcessError("qemu's gdb server is gone", remedy=_REMEDY) from error
            if not came:
                raise ProcessError("qemu's gdb server closed the connection", remedy=_REMEDY)
            self._pending += came

    def wait_for_trap(self, *, timeout_s: float) -> None:
        """Wait until the program stands at a breakpoint or after a step.

        Signals of the program's own (Go preempts goroutines with SIGURG) are handed on to it.

        Raises:
            ProcessError: The program ended.
            TimeoutExpiredError: It did not stop in time.

        """
        deadline = time.monotonic() + timeout_s
        while not self._trapped(self.receive(timeout_s=max(0.0, deadline - time.monotonic()))):
            pass

    def run_until(self, condition: Callable[[], bool], *, timeout_s: float) -> None:
        """Let the program run, its signals handed on, until a condition holds.

        Raises:
            ProcessError: The program ended, or stands at a breakpoint before.
            TimeoutExpiredError: It did not hold in time.

        """
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutExpiredError(
                    f"the program under qemu was not ready within {timeout_s:g} s", remedy=_REMEDY
                )
            try:
                stop = self.receive(timeout_s=_LOOK_S)
            except TimeoutExpiredError:
                continue
            if self._trapped(stop):
                raise ProcessError("the program under qemu stopped before it was called", remedy=_REMEDY)

    def _trapped(self, stop: str) -> bool:
        if stop[:1] in {"W", "X"}:
            raise ProcessError(f"the program ended under qemu ({stop})", remedy="run it under qemu-aarch64 by hand")
        if stop[:1] not in {"T", "S"}:
            return False
        if int(stop[1:3], 16) == _TRAP:
            return True
        self.send(f"C{stop[1:3]}")
        return False

    def registers(self) -> dict[str, int]:
        """Return the registers of the thread that stopped."""
        block = bytes.fromhex(self.ask("g").replace("x", "0"))
        if len(block) < _BLOCK.size:
            raise ProcessError(f"qemu's gdb server gave {len(block)} bytes of registers", remedy=_REMEDY)
        return dict(zip(REGISTERS, _BLOCK.unpack_from(block), strict=True))

    def word(self, address: int) -> int | None:
        """Return eight bytes of memory as a number; None where nothing lies."""
        try:
            return int.from_bytes(bytes.fromhex(self.ask(f"m{address:x},8")), "little")
        except ProcessError:
            return None

    def set_breakpoint(self, address: int) -> None:
        """Stop at an address from now on."""
        self.ask(f"Z0,{address:x},4")

    def clear_breakpoint(self, address: int) -> None:
        """Stop there no more."""
        self.ask(f"z0,{address:x},4")

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _connected(path: Path) -> socket.socket:
    deadline = time.monotonic() + _START_S
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError as error:
            connection.close()
            # The socket's file is there a moment before qemu listens on it.
            if not isinstance(error, ConnectionRefusedError) or time.monotonic() > deadline:
                raise ProcessError(f"qemu's gdb server does not answer: {error.strerror}", remedy=_REMEDY) from error
            time.sleep(_LOOK_S)
        else:
            return connection
