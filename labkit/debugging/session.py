"""One program under dlv: breakpoints, a call, what it shows where it stops, a step, and its end.

Nothing here knows labkit's own server; :mod:`labkit.debugging.server` says what to stop at there. What is in the way
is an error with its remedy, never a session with nothing in it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from labkit.debugging import dap
from labkit.debugging.delve import Debugger, adapter, explained
from labkit.debugging.looking import look
from labkit.debugging.program import Program
from labkit.errors import ProcessError, TimeoutExpiredError, UsageError
from labkit.model.debugging import Breakpoint, Reason, Session, Stop, Way
from labkit.system import proc
from labkit.system.environment import base

STOP_TIMEOUT_S: Final = 60.0
# The first line of the program's own that names where it listens; dlv's line before it does so too.
_ADDRESS: Final = r"^(?!.*server listening at: ).*?((?:127\.0\.0\.1|\[::1?\]|localhost|0\.0\.0\.0):\d{2,5})\b"


class Moment(StrEnum):
    """What is about to happen; whoever watches a session is told of each."""

    START = "start"
    LAUNCH = "launch"
    BREAKPOINTS = "breakpoints"
    RUN = "run"
    CALL = "call"
    STOP = "stop"
    STEP = "step"
    CONTINUE = "continue"
    END = "end"


Watch = Callable[[Moment], None]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a program is to stop: a function, or a line of a file as an editor names it; and what to evaluate there."""

    name: str
    function: str = ""
    file: str = ""
    line: int = 0
    expressions: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        """How it was asked for."""
        return self.function or f"{self.file}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Call:
    """A second program that calls the first one: its words, in which ``{address}`` is where the first one listens."""

    words: tuple[str, ...]

    @property
    def wants_address(self) -> bool:
        """Whether it is started once the first program has said where it listens."""
        return any("{address}" in word for word in self.words)

    def at(self, address: str) -> tuple[str, ...]:
        """Return its words for an address."""
        return tuple(word.replace("{address}", address) for word in self.words)


@dataclass(frozen=True, kw_only=True)
class Dlv:
    """The debugger: its file, its version, and the environment that it and the program get."""

    path: Path
    version: str
    env: Mapping[str, str]


def place(asked: str) -> Place:
    """Return the place that a user names: ``main.serve``, or ``server.go:42``."""
    file, colon, line = asked.rpartition(":")
    if colon and line.isdigit() and file:
        return Place(name=asked, file=file, line=int(line))
    return Place(name=asked, function=asked)


def debug(
    program: Program,
    dlv: Dlv,
    places: Sequence[Place],
    *,
    arguments: Sequence[str] = (),
    call: Call | None = None,
    substitute: Mapping[str, str] | None = None,
    port: int = 0,
    watch: Watch = lambda _moment: None,
) -> Session:
    """Debug a program: stop once at each place, step once, take the breakpoints away, and end it.

    Args:
        program: What is debugged.
        dlv: The debugger.
        places: Where it is to stop.
        arguments: The program's own.
        call: Who calls it while it runs.
        substitute: Folders of sources here, and what they are called in the program.
        port: Where dlv listens; a free one when 0.
        watch: Told of each moment.

    Raises:
        UsageError: A place is not in the program, or the port is in use.
        ProcessError: The program ended before it came to a place, or the call failed.
        TimeoutExpiredError: It came to no place in time.
        ProvisionError: dlv does not fit the program's Go.
        NotPermittedError: The system lets nobody trace a program.

    """
    started = time.monotonic()
    watch(Moment.START)
    with ExitStack() as stack:
        debugger = stack.enter_context(adapter(dlv.path, env=dlv.env, port=port, cwd=program.path.parent))
        watch(Moment.LAUNCH)
        initialize(debugger.client)
        launch(
            debugger,
            "launch",
            {
                "mode": "exec",
                "program": str(program.path),
                "args": list(arguments),
                "showRegisters": True,
                "substitutePath": [{"from": here, "to": there} for here, there in (substitute or {}).items()],
            },
        )
        watch(Moment.BREAKPOINTS)
        breakpoints, by_id = set_breakpoints(debugger.client, places)
        _check(breakpoints)
        watch(Moment.RUN)
        debugger.client.request("configurationDone")
        caller = _start_call(debugger, call, stack, watch)
        stops = _stops(debugger.client, by_id, len(places), watch)
        watch(Moment.CONTINUE)
        reply = _let_run(debugger.client, places, caller)
        watch(Moment.END)
    return Session(
        program=program.path.name,
        platform=program.platform,
        go=program.go,
        way=Way.DAP,
        debugger=f"dlv {dlv.version}",
        breakpoints=breakpoints,
        stops=stops,
        reply=reply,
        left_processes=tuple(debugger.left),
        wall_time_s=time.monotonic() - started,
    )


def initialize(client: dap.Client) -> None:
    """Say who we are, as an editor does."""
    client.request(
        "initialize",
        {
            "clientID": "labkit",
            "adapterID": "go",
            "pathFormat": "path",
            "linesStartAt1": True,
            "columnsStartAt1": True,
            "supportsVariableType": True,
        },
    )


def launch(debugger: Debugger, request: str, configuration: Mapping[str, object]) -> None:
    """Send a ``launch`` or ``attach`` request and wait until breakpoints may be set.

    Raises:
        LabError: dlv refused; what its words mean is said where that is known.

    """
    client = debugger.client
    number = client.send(request, configuration)
    try:
        client.answer(number, dap.Nothing, timeout_s=2 * STOP_TIMEOUT_S)
    except dap.RefusedError as error:
        raise explained(error) from error
    debugger.adopt()
    client.event("initialized")


def set_breakpoints(
    client: dap.Client, places: Sequence[Place]
) -> tuple[tuple[Breakpoint, ...], dict[int, tuple[Place, Breakpoint]]]:
    """Set a breakpoint at each place; return them in order, and by the debugger's own numbers."""
    found: dict[Place, dap.SetBreakpoint] = {}
    for file in dict.fromkeys(each.file for each in places if each.file):
        mine = [each for each in places if each.file == file]
        lines = [{"line": each.line} for each in mine]
        arguments = {"source": {"path": file}, "breakpoints": lines}
        answer = client.request("setBreakpoints", arguments, dap.SetBreakpoints)
        found |= dict(zip(mine, answer.breakpoints, strict=True))
    named = [each for each in places if each.function]
    if named:
        arguments = {"breakpoints": [{"name": each.function} for each in named]}
        answer = client.request("setFunctionBreakpoints", arguments, dap.SetBreakpoints)
        found |= dict(zip(named, answer.breakpoints, strict=True))
    made = {each: _breakpoint(each, found[each]) for each in places}
    by_id = {found[each].id: (each, made[each]) for each in places if found[each].verified}
    return tuple(made.values()), by_id


def clear_breakpoints(client: dap.Client, places: Sequence[Place]) -> None:
    """Take all breakpoints away."""
    for file in dict.fromkeys(each.file for each in places if each.file):
        client.request("setBreakpoints", {"source": {"path": file}, "breakpoints": []}, dap.SetBreakpoints)
    client.request("setFunctionBreakpoints", {"breakpoints": []}, dap.SetBreakpoints)


def next_stop(client: dap.Client, *, timeout_s: float = STOP_TIMEOUT_S) -> dap.Stopped:
    """Wait until the program stands still.

    Raises:
        ProcessError: It ended instead.
        TimeoutExpiredError: It did neither in time.

    """
    try:
        event = client.event("stopped", "exited", "terminated", timeout_s=timeout_s)
    except TimeoutExpiredError as error:
        raise TimeoutExpiredError(
            f"the program came to no breakpoint within {timeout_s:g} s",
            remedy="name a place that it passes (--break), or have it called (--call)",
        ) from error
    if event.event == "stopped":
        return msgspec.json.decode(event.body, type=dap.Stopped)
    code = msgspec.json.decode(event.body, type=dap.Exited).exit_code if event.event == "exited" else 0
    raise ProcessError(
        f"the program ended with exit code {code} before it came to a breakpoint",
        remedy="give it the arguments that it needs (after --), or name a place that it passes (--break)",
    )


def _start_call(debugger: Debugger, call: Call | None, stack: ExitStack, watch: Watch) -> proc.Running | None:
    if call is None:
        return None
    address = ""
    if call.wants_address:
        remedy = "leave {address} out of --call where the program prints no address"
        address = debugger.running.wait_for(_ADDRESS, timeout_s=STOP_TIMEOUT_S, remedy=remedy).group(1)
    watch(Moment.CALL)
    return stack.enter_context(proc.start(call.at(address), env=base()))


def _stops(
    client: dap.Client, by_id: Mapping[int, tuple[Place, Breakpoint]], wanted: int, watch: Watch
) -> tuple[Stop, ...]:
    stops: list[Stop] = []
    seen: set[str] = set()
    while True:
        stopped = next_stop(client)
        watch(Moment.STOP)
        found = next((by_id[each] for each in stopped.hit_breakpoint_ids if each in by_id), None)
        stops.append(look(client, stopped, found and found[1].place, found[0].expressions if found else ()))
        seen |= {found[1].place} if found else set()
        if stops[-1].reason is Reason.EXCEPTION:
            return tuple(stops)
        if len(seen) >= wanted or (found is None and wanted == 0):
            break
        client.request("continue", {"threadId": stopped.thread_id})
    watch(Moment.STEP)
    client.request("next", {"threadId": stopped.thread_id})
    stops.append(look(client, next_stop(client), None))
    return tuple(stops)


def _let_run(client: dap.Client, places: Sequence[Place], caller: proc.Running | None) -> str | None:
    """Let the program answer, and return what the caller printed."""
    if caller is None:
        return None
    clear_breakpoints(client, places)
    client.request("continue", {"threadId": 0})
    proc.wait_until(lambda: not caller.alive(), timeout_s=STOP_TIMEOUT_S, what="the call's end")
    done = caller.completed()
    if done.returncode != 0:
        raise ProcessError(
            f"the call ended with {proc.describe_exit(done.returncode)}: {done.last_words()}",
            remedy="run the call by hand against the program",
        )
    return done.stdout.strip()


def _check(breakpoints: Sequence[Breakpoint]) -> None:
    for each in breakpoints:
        if not each.verified:
            raise UsageError(
                f"{each.asked} is no place to stop at: {each.said}",
                remedy="name a function as `go tool nm` does (main.serve), or FILE:LINE of a line with a statement",
            )


def _breakpoint(asked: Place, found: dap.SetBreakpoint) -> Breakpoint:
    return Breakpoint(
        place=asked.name,
        asked=asked.asked,
        verified=found.verified,
        line=found.line or None,
        said=found.message or None,
    )
