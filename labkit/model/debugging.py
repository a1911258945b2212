"""What a debugger showed of a program: breakpoints, stops, stacks, locals and registers; and configurations tried."""

from enum import StrEnum

from labkit.model.base import Provenance, Record, Text
from labkit.model.check import Finding


class Way(StrEnum):
    """How a program was debugged."""

    DAP = "dap"  # dlv, asked over the Debug Adapter Protocol
    GDB_STUB = "gdb-stub"  # qemu-user's gdb server, asked over gdb's remote protocol


class Reason(StrEnum):
    """Why a program stopped."""

    BREAKPOINT = "breakpoint"
    STEP = "step"
    EXCEPTION = "exception"  # a panic or a fatal error


class Register(Record, frozen=True, kw_only=True):
    """A register by its architecture's own name, as the debugger spells it (rip, X0), and its value in hexadecimal."""

    name: str
    value: str


class Variable(Record, frozen=True, kw_only=True):
    """A local variable or argument, as the debugger shows it; the value is cut after 200 characters."""

    name: str
    type: str | None
    value: str


class Frame(Record, frozen=True, kw_only=True):
    """A call on the stack, the innermost first. File and line are None where only symbols are known."""

    function: str
    file: str | None
    line: int | None


class Breakpoint(Record, frozen=True, kw_only=True):
    """A place where the program was to stop, and where the debugger put it."""

    place: str  # handler, dispatch, getter; of a user's program as it was asked for
    asked: str  # file:line or a function
    verified: bool
    line: int | None
    said: str | None  # why it was not set


class Stop(Record, frozen=True, kw_only=True):
    """One moment at which the program stood still."""

    place: str | None  # of the breakpoint; None after a step
    reason: Reason
    function: str
    file: str | None
    line: int | None
    stack: tuple[Frame, ...]
    variables: tuple[Variable, ...]
    registers: tuple[Register, ...]
    pc: str | None  # in hexadecimal
    symbol: str | None = None  # of the ELF symbol table whose range holds the pc; where it was looked up
    symbol_start: str | None = None
    symbol_size_bytes: int | None = None
    text: str | None = None  # of an exception


class Session(Record, frozen=True, kw_only=True):
    """One program debugged from its start to its end."""

    program: str  # the file's name
    platform: str  # linux/amd64, as Go names it
    go: str | None  # that built it: go1.27.3
    way: Way
    debugger: str  # dlv 1.27.2
    breakpoints: tuple[Breakpoint, ...]
    stops: tuple[Stop, ...]
    reply: str | None  # what the client got in the end; None: nobody called
    left_processes: tuple[str, ...]  # what still ran afterwards
    wall_time_s: float
    provenance: Provenance = Provenance.MEASURED


class TrialOutcome(StrEnum):
    """What dlv made of a debug configuration."""

    STOPPED = "stopped"  # at the breakpoint that was set
    NOT_REACHED = "not-reached"  # the program ran and ended without coming there
    REFUSED = "refused"  # dlv did not start it


class Trial(Record, frozen=True, kw_only=True):
    """A debug configuration as an editor would send it to dlv, and what dlv said."""

    id: str  # launch, attach, handbook, ...
    name: str  # of the configuration
    request: str  # launch, attach
    mode: str
    breakpoint: str  # file:line
    verified: bool
    outcome: TrialOutcome
    stopped_in: str | None
    said: str  # dlv's own words, without this moment's folders
    debugger: str
    wall_time_s: float
    provenance: Provenance = Provenance.MEASURED


class Debugging(Record, frozen=True, kw_only=True):
    """``labkit debug --json``: sessions, what is said about them, and the configurations that were tried."""

    sessions: tuple[Session, ...]
    not_emulated: Text | None = None  # why no arm64 program was debugged through qemu
    trials: tuple[Trial, ...] = ()
    findings: tuple[Finding, ...] = ()


class Written(Record, frozen=True, kw_only=True):
    """``labkit debug --vscode --json``: the files for the editor, and what is in them by name."""

    files: tuple[str, ...]
    added: tuple[str, ...]
    kept: tuple[str, ...]  # there already by that name, and left as they were
