"""A small client of the Debug Adapter Protocol: requests, their answers, and events, each within its time.

Only what dlv needs: one connection, one request at a time, events kept until they are asked for. Messages are JSON
behind a ``Content-Length`` head (https://microsoft.github.io/debug-adapter-protocol/overview). No thread, no library.
"""

import socket
import time
from collections import deque
from collections.abc import Mapping
from typing import Final, Self, TypeVar

import msgspec

from labkit.errors import ProcessError, TimeoutExpiredError

ANSWER_TIMEOUT_S: Final = 60.0
_MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
_REMEDY: Final = "read dlv's own output in the log (labkit -v), and try again"


class RefusedError(ProcessError):
    """The debugger refused a request; ``what`` holds its own words."""


class Message(msgspec.Struct, frozen=True):
    """Any message; a response has ``request_seq``, an event has ``event``."""

    type: str
    request_seq: int = 0
    command: str = ""
    success: bool = True
    message: str = ""
    event: str = ""
    body: msgspec.Raw = msgspec.Raw(b"{}")


class _Fault(msgspec.Struct, frozen=True):
    format: str = ""


class _ErrorBody(msgspec.Struct, frozen=True):
    error: _Fault = _Fault()


class Nothing(msgspec.Struct, frozen=True):
    """A body that is not looked at."""


class Source(msgspec.Struct, frozen=True):
    """A source file by its path."""

    path: str = ""


class SetBreakpoint(msgspec.Struct, frozen=True):
    """One breakpoint as the debugger set it, or why not."""

    id: int = 0
    verified: bool = False
    message: str = ""
    line: int = 0


class SetBreakpoints(msgspec.Struct, frozen=True):
    """The answer to setting breakpoints, in the order they were asked for."""

    breakpoints: tuple[SetBreakpoint, ...] = ()


class StackFrame(msgspec.Struct, frozen=True, rename="camel"):
    """A call on the stack."""

    id: int
    name: str
    line: int = 0
    source: Source | None = None
    instruction_pointer_reference: str = ""


class StackTrace(msgspec.Struct, frozen=True, rename="camel"):
    """A stack, the innermost call first."""

    stack_frames: tuple[StackFrame, ...] = ()


class Scope(msgspec.Struct, frozen=True, rename="camel"):
    """A group of variables: Locals, Registers."""

    name: str
    variables_reference: int


class Scopes(msgspec.Struct, frozen=True):
    """The scopes of a frame."""

    scopes: tuple[Scope, ...] = ()


class ShownVariable(msgspec.Struct, frozen=True, rename="camel"):
    """A variable as it is shown; a greater reference than 0 leads to its fields."""

    name: str
    value: str = ""
    type: str = ""
    variables_reference: int = 0


class Variables(msgspec.Struct, frozen=True):
    """The variables of a scope, or the fields of one."""

    variables: tuple[ShownVariable, ...] = ()


class Stopped(msgspec.Struct, frozen=True, rename="camel"):
    """The program stands still."""

    reason: str = ""
    description: str = ""
    text: str = ""
    thread_id: int = 0
    hit_breakpoint_ids: tuple[int, ...] = ()


class Exited(msgspec.Struct, frozen=True, rename="camel"):
    """The program has ended."""

    exit_code: int = 0


class Process(msgspec.Struct, frozen=True, rename="camel"):
    """The program that was started."""

    system_process_id: int = 0


class Output(msgspec.Struct, frozen=True):
    """A line of the debugger's, or of the program where it is sent along."""

    category: str = ""
    output: str = ""


BodyT = TypeVar("BodyT")


class Client:
    """One connection to a debug adapter; a context manager, at whose end it is closed."""

    def __init__(self, host: str, port: int) -> None:
        try:
            self._socket = socket.create_connection((host, port), timeout=ANSWER_TIMEOUT_S)
        except OSError as error:
            raise ProcessError(f"nobody answers at {host}:{port}: {error.strerror or error}", remedy=_REMEDY) from error
        self._sequence = 0
        self._pending = b""
        self._events: deque[Message] = deque()
        self.outputs: list[Output] = []
        self.processes: list[int] = []

    def request(
        self,
        command: str,
        arguments: Mapping[str, object] | None = None,
        kind: type[BodyT] = Nothing,  # type: ignore[assignment]
        *,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> BodyT:
        """Send a request and return the body of its answer.

        Raises:
            RefusedError: The debugger said no.
            ProcessError: The connection ended.
            TimeoutExpiredError: No answer came in time.

        """
        return self.answer(self.send(command, arguments), kind, timeout_s=timeout_s)

    def send(self, command: str, arguments: Mapping[str, object] | None = None) -> int:
        """Send a request and return its number; its answer is asked for with :meth:`answer`."""
        self._sequence += 1
        message = {"seq": self._sequence, "type": "request", "command": command, "arguments": arguments or {}}
        content = msgspec.json.encode(message)
        try:
            self._socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        except OSError as error:
            raise _gone(error) from error
        return self._sequence

    def answer(self, number: int, kind: type[BodyT], *, timeout_s: float = ANSWER_TIMEOUT_S) -> BodyT:
        """Return the body of the answer to a request; raises as :meth:`request`."""
        deadline = time.monotonic() + timeout_s
        while True:
            message = self._read(deadline, f"an answer to request {number}")
            if message.type == "response" and message.request_seq == number:
                break
            self._keep(message)
        if not message.success:
            fault = msgspec.json.decode(message.body, type=_ErrorBody).error.format
            raise RefusedError(fault or message.message or f"{message.command} was refused", remedy=_REMEDY)
        return msgspec.json.decode(message.body, type=kind)

    def event(self, *names: str, timeout_s: float = ANSWER_TIMEOUT_S) -> Message:
        """Return the next event of some names; other events before it are passed over.

        Raises:
            ProcessError: The connection ended.
            TimeoutExpiredError: None came in time.

        """
        deadline = time.monotonic() + timeout_s
        while True:
            while self._events:
                message = self._events.popleft()
                if message.event in names:
                    return message
            self._keep(self._read(deadline, " or ".join(names)))

    def _keep(self, message: Message) -> None:
        match message.event:
            case "output":
                self.outputs.append(msgspec.json.decode(message.body, type=Output))
            case "process":
                self.processes.append(msgspec.json.decode(message.body, type=Process).system_process_id)
            case "":
                pass  # an answer that nobody waits for any more
            case _:
                self._events.append(message)

    def _read(self, deadline: float, awaited: str) -> Message:
        head = self._until(b"\r\n\r\n", deadline, awaited)
        try:
            size = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        except (StopIteration, ValueError) as error:
            raise ProcessError(f"the debug adapter sent {head[:80]!r}, no message", remedy=_REMEDY) from error
        if size > _MAX_MESSAGE_BYTES:
            raise ProcessError(f"the debug adapter announced a message of {size} bytes", remedy=_REMEDY)
        while len(self._pending) < size:
            self._more(deadline, awaited)
        content, self._pending = self._pending[:size], self._pending[size:]
        try:
            return msgspec.json.decode(content, type=Message)
        except msgspec.DecodeError as error:
            raise ProcessError(f"the debug adapter sent what is no message: {error}", remedy=_REMEDY) from error

    def _until(self, end: bytes, deadline: float, awaited: str) -> bytes:
        while end not in self._pending:
            if len(self._pending) > _MAX_MESSAGE_BYTES:
                raise ProcessError("the debug adapter sent what is no message", remedy=_REMEDY)
            self._more(deadline, awaited)
        head, _, self._pending = self._pending.partition(end)
        return head

    def _more(self, deadline: float, awaited: str) -> None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutExpiredError(f"dlv did not send {awaited} in time", remedy=_REMEDY)
        self._socket.settimeout(left_s)
        try:
            came = self._socket.recv(65536)
        except TimeoutError as error:
            raise TimeoutExpiredError(f"dlv did not send {awaited} in time", remedy=_REMEDY) from error
        except OSError as error:
            raise _gone(error) from error
        if not came:
            raise _gone(None)
        self._pending += came

    def close(self) -> None:
        """Close the connection; dlv then ends what it started."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _gone(error: OSError | None) -> ProcessError:
    why = "" if error is None else f": {error.strerror or error}"
    return ProcessError(f"dlv closed the connection{why}", remedy=_REMEDY)
