"""A client of a headless dlv by its own API, one JSON request a line; what an editor's adapter does is elsewhere.

The API is net/rpc's JSON, version 2 (https://github.com/go-delve/delve/tree/master/Documentation/api/json-rpc).
"""

import contextlib
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from labkit.debugging import Dlv, NotPermittedError
from labkit.debugging.delve import children, explained
from labkit.errors import ProcessError, TimeoutExpiredError
from labkit.model.base import Record
from labkit.system import proc

_LISTENING: Final = r"server listening at: (127\.0\.0\.1):(\d+)"
_TIMEOUT_S: Final = 60.0
_ENDING_S: Final = 2.0
_REMEDY: Final = "read dlv's own output in the log (labkit -v)"
_T = TypeVar("_T")


class Served(Record, frozen=True, kw_only=True):
    """What a client got from one headless dlv: how far it came, and what it was shown where the program stopped."""

    line: str
    said: str  # why it came no further; empty when it came to the end
    version: str = ""  # of dlv, and of the API that it says it serves
    api: int = 0
    set_at: str = ""  # where the breakpoint was set: file:line
    stopped_in: str = ""  # the function
    registers: tuple[str, ...] = ()  # by name

    @property
    def served(self) -> bool:
        """Whether the program stopped at the breakpoint and its registers were shown."""
        return bool(self.stopped_in and self.registers) and not self.said


class _Answer(msgspec.Struct, frozen=True):
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: str | None = None


class _Version(msgspec.Struct, frozen=True, rename="pascal"):
    delve_version: str = ""
    a_p_i_version: int = msgspec.field(default=0, name="APIVersion")


class _Breakpoint(msgspec.Struct, frozen=True):
    file: str = ""
    line: int = 0


class _Created(msgspec.Struct, frozen=True, rename="pascal"):
    breakpoint: _Breakpoint = _Breakpoint()


class _Function(msgspec.Struct, frozen=True):
    name: str = ""


class _Thread(msgspec.Struct, frozen=True):
    function: _Function | None = None


class _State(msgspec.Struct, frozen=True, rename="camel"):
    exited: bool = False
    current_thread: _Thread | None = None


class _Commanded(msgspec.Struct, frozen=True, rename="pascal"):
    state: _State = _State()


class _Register(msgspec.Struct, frozen=True, rename="pascal"):
    name: str = ""


class _Listed(msgspec.Struct, frozen=True, rename="pascal"):
    regs: tuple[_Register, ...] = ()


class _Connection:
    """One connection; a request at a time."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)
        self._lines = self._socket.makefile("rb")
        self._number = 0

    def ask(self, method: str, arguments: Mapping[str, object], kind: type[_T]) -> _T:
        """Return the result of a method; raises a ProcessError with dlv's own words."""
        self._number += 1
        request = {"method": f"RPCServer.{method}", "params": [arguments], "id": self._number}
        try:
            self._socket.sendall(msgspec.json.encode(request) + b"\n")
            line = self._lines.readline()
        except OSError as error:
            raise ProcessError(f"dlv gave no answer to {method}: {error}", remedy=_REMEDY) from error
        if not line:
            raise ProcessError(f"dlv closed the connection at {method}", remedy=_REMEDY)
        answer = msgspec.json.decode(line, type=_Answer)
        if answer.error:
            raise ProcessError(answer.error, remedy=_REMEDY)
        return msgspec.json.decode(answer.result, type=kind)

    def close(self) -> None:
        """Close it."""
        self._lines.close()
        self._socket.close()


def serve(
    dlv: Dlv,
    *words: str | Path,
    where: Mapping[str, object],
    cwd: Path,
    program_words: tuple[str, ...] = (),
    variables: Mapping[str, str] | None = None,
) -> Served:
    """Start a headless dlv, stop at a breakpoint as its client, and return what came of it.

    Args:
        dlv: The debugger.
        words: What it is asked, such as ``exec PROGRAM`` or ``debug``.
        where: The breakpoint in the API's own words: ``{"functionName": "main.main"}``.
        cwd: The folder that it is started in.
        program_words: The program's own.
        variables: Over dlv's environment.

    Raises:
        NotPermittedError: The system lets nobody trace a program.

    """
    more = dict(variables or {})
    line = " ".join(
        [*(f"{key}={value}" for key, value in more.items()), "dlv", *(_name(each) for each in words), *_FLAGS]
    )
    seen = Served(line=line, said="")
    try:
        with _started(dlv, words, cwd, program_words, more) as connection:
            version = connection.ask("GetVersion", {}, _Version)
            seen = msgspec.structs.replace(seen, version=_first(version.delve_version), api=version.a_p_i_version)
            made = connection.ask("CreateBreakpoint", {"Breakpoint": dict(where)}, _Created).breakpoint
            seen = msgspec.structs.replace(seen, set_at=f"{Path(made.file).name}:{made.line}")
            state = connection.ask("Command", {"name": "continue"}, _Commanded).state
            if state.exited or state.current_thread is None or state.current_thread.function is None:
                return msgspec.structs.replace(seen, said="the program ended before the breakpoint")
            registers = connection.ask("ListRegisters", {"ThreadID": 0, "IncludeFp": False}, _Listed).regs
            seen = msgspec.structs.replace(
                seen,
                stopped_in=state.current_thread.function.name,
                registers=tuple(each.name for each in registers),
            )
            connection.ask("Detach", {"Kill": True}, msgspec.Raw)
    except ProcessError as error:
        found = explained(error)
        if isinstance(found, NotPermittedError):
            raise found from error
        return msgspec.structs.replace(seen, said=_short(error.what, cwd))
    return seen


_FLAGS: Final = ("--headless", "--api-version=2")


@contextlib.contextmanager
def _started(
    dlv: Dlv,
    words: tuple[str | Path, ...],
    cwd: Path,
    program_words: tuple[str, ...],
    more: Mapping[str, str],
) -> Iterator[_Connection]:
    argv = [dlv.path, *words, *_FLAGS, "--listen=127.0.0.1:0", *(["--", *program_words] if program_words else [])]
    with tempfile.TemporaryDirectory(prefix="labkit-dlv-") as settings, contextlib.ExitStack() as stack:
        env = dict(dlv.env) | {"XDG_CONFIG_HOME": settings} | dict(more)
        running = stack.enter_context(proc.start(argv, env=env, cwd=cwd))
        match = running.wait_for(_LISTENING, timeout_s=2 * _TIMEOUT_S, remedy=_REMEDY)
        for pid in children(running.pid):
            stack.enter_context(proc.adopted(pid))
        try:
            connection = _Connection(int(match.group(2)))
            stack.callback(connection.close)
            yield connection
        except (OSError, ProcessError):
            with contextlib.suppress(TimeoutExpiredError):  # one that is ending says why; another is asked in vain
                proc.wait_until(lambda: not running.alive(), timeout_s=_ENDING_S, what="dlv's end")
            if running.alive():
                raise
            raise ProcessError(running.completed().last_words(), remedy=_REMEDY) from None


def _name(word: str | Path) -> str:
    return word.name if isinstance(word, Path) else word


def _first(text: str) -> str:
    return next((line.partition(":")[2].strip() or line for line in text.splitlines() if "Version" in line), text)


def _short(said: str, cwd: Path) -> str:
    return " ".join(said.replace(f"{cwd}/", "").replace(str(cwd), ".").split())
