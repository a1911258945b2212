"""What a debugging chain must show: each rule says in its docstring how it judges a session or a configuration."""

from typing import ClassVar, Final

from labkit.model.base import Text
from labkit.model.check import Evidence, Finding, Need, NeedKind, Remedy, Status
from labkit.model.debugging import Session, Stop, Trial, TrialOutcome, Way

PLACES: Final = ("dispatch", "handler", "getter")
_SETUP: Final = Remedy(text=Text(id="debugging.fix.setup"), commands=("labkit setup --with dlv", "labkit debug"))
_DLV: Final = (Need(kind=NeedKind.TOOL, name="dlv"),)
#: Names that an architecture's registers must have among them, as debuggers spell them in small letters.
_NAMES: Final = {
    "amd64": frozenset({"rip", "rsp", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp"}),
    "arm64": frozenset({f"x{number}" for number in range(31)} | {"sp", "pc"}),
}


def _id(rule: str, session: Session) -> str:
    return f"{rule}.{session.platform.replace('/', '-')}"


def _finding(rule: str, session: Session, *, good: bool, evidence: tuple[Evidence, ...]) -> Finding:
    return Finding(
        id=_id(rule, session),
        status=Status.PASS if good else Status.FAIL,
        title=Text(
            id=f"debugging.{rule.replace('-', '_')}",
            values={"platform": session.platform, "debugger": session.debugger},
        ),
        evidence=evidence,
        remedy=None if good else _SETUP,
    )


class Stops:
    """Compares the places where the program stood, in their order, with the way that a call takes through the code."""

    id: ClassVar[str] = "debug-stops"
    needs: ClassVar[tuple[Need, ...]] = _DLV
    source: ClassVar[str | None] = None
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: Session) -> Finding:
        """Judge one session."""
        found = tuple(stop.place or stop.reason.value for stop in facts.stops)
        wanted = (*PLACES, "step")
        evidence = tuple(
            Evidence(what=stop.place or stop.reason.value, found=f"{stop.function}{_line(stop)}")
            for stop in facts.stops
        )
        whole = Evidence(what="stops", found=", ".join(found), wanted=", ".join(wanted))
        return _finding(self.id, facts, good=found == wanted, evidence=(whole, *evidence))


class Locals:
    """Asks for the request's name in handler and getter; it must be the one that the client sent. Needs DWARF."""

    id: ClassVar[str] = "debug-locals"
    needs: ClassVar[tuple[Need, ...]] = _DLV
    source: ClassVar[str | None] = None
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: Session) -> Finding:
        """Judge one session; a debugger that knows no Go shows no locals, and is skipped."""
        if facts.way is Way.GDB_STUB:
            reason = Text(id="debugging.reason.no_dwarf")
            title = Text(id="debugging.debug_locals", values={"platform": facts.platform, "debugger": facts.debugger})
            return Finding(id=_id(self.id, facts), status=Status.SKIP, title=title, evidence=(), reason=reason)
        shown = [
            Evidence(what=f"{stop.function}: {each.name}", found=each.value, wanted='"labkit"')
            for stop in facts.stops
            for each in stop.variables
            if each.name.endswith(".Name")
        ]
        good = len(shown) == len(PLACES) - 1 and all(each.found == each.wanted for each in shown)
        return _finding(self.id, facts, good=good, evidence=tuple(shown))


class Registers:
    """Compares the names of the registers at each stop with those of the program's architecture."""

    id: ClassVar[str] = "debug-registers"
    needs: ClassVar[tuple[Need, ...]] = _DLV
    source: ClassVar[str | None] = "https://github.com/go-delve/delve/tree/master/pkg/dwarf/regnum"
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: Session) -> Finding:
        """Judge one session."""
        wanted = _NAMES.get(facts.platform.split("/")[1], frozenset())
        good = bool(facts.stops) and bool(wanted)
        for stop in facts.stops:
            good = good and wanted <= {each.name.lower() for each in stop.registers}
        last = facts.stops[-1].registers if facts.stops else ()
        found = " ".join(each.name for each in last)
        return _finding(self.id, facts, good=good, evidence=(Evidence(what="registers", found=found),))


class InSymbol:
    """Looks the program counter up in the ELF symbol table: it must lie in the function where the program stands."""

    id: ClassVar[str] = "debug-symbol"
    needs: ClassVar[tuple[Need, ...]] = (Need(kind=NeedKind.TOOL, name="qemu-aarch64"),)
    source: ClassVar[str | None] = "https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.symtab.html"
    confirmed_on_hardware: ClassVar[bool | None] = False

    def check(self, facts: Session) -> Finding:
        """Judge a session under qemu."""
        good = bool(facts.stops) and all(_inside(stop) for stop in facts.stops)
        evidence = tuple(
            Evidence(
                what=stop.function,
                found=f"PC {stop.pc}",
                wanted=f"{stop.symbol_start} + {stop.symbol_size_bytes} bytes",
            )
            for stop in facts.stops
        )
        return _finding(self.id, facts, good=good, evidence=evidence)


class Answered:
    """Compares what the client got, after the breakpoints were taken away, with the reply that the handler makes."""

    id: ClassVar[str] = "debug-answered"
    needs: ClassVar[tuple[Need, ...]] = _DLV
    source: ClassVar[str | None] = None
    confirmed_on_hardware: ClassVar[bool | None] = None
    wanted: ClassVar[str] = "Hello, labkit!"

    def check(self, facts: Session) -> Finding:
        """Judge one session."""
        good = facts.reply is not None and self.wanted in facts.reply
        evidence = (Evidence(what="the client", found=facts.reply or "-", wanted=self.wanted),)
        return _finding(self.id, facts, good=good, evidence=evidence)


class NothingLeft:
    """Looks for the processes of the session after its end: the debugger, and the program under it."""

    id: ClassVar[str] = "debug-nothing-left"
    needs: ClassVar[tuple[Need, ...]] = _DLV
    source: ClassVar[str | None] = None
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: Session) -> Finding:
        """Judge one session."""
        found = ", ".join(facts.left_processes) or "-"
        evidence = (Evidence(what="processes", found=found, wanted="-"),)
        return _finding(self.id, facts, good=not facts.left_processes, evidence=evidence)


class Configuration:
    """Feeds a configuration that labkit writes for VS Code to dlv; the program must stop where a breakpoint was set."""

    id: ClassVar[str] = "debug-configuration"
    needs: ClassVar[tuple[Need, ...]] = _DLV
    source: ClassVar[str | None] = "https://github.com/golang/vscode-go/wiki/debugging"
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: Trial) -> Finding:
        """Judge one trial."""
        good = facts.outcome is TrialOutcome.STOPPED
        found = facts.stopped_in or facts.said or facts.outcome.value
        return Finding(
            id=f"{self.id}.{facts.id}",
            status=Status.PASS if good else Status.FAIL,
            title=Text(id="debugging.debug_configuration", values={"name": facts.name, "debugger": facts.debugger}),
            evidence=(Evidence(what=f"breakpoint at {facts.breakpoint}", found=found),),
            remedy=None if good else _SETUP,
            link=self.source,
        )


def _inside(stop: Stop) -> bool:
    if stop.pc is None or stop.symbol_start is None or stop.symbol_size_bytes is None:
        return False
    start = int(stop.symbol_start, 16)
    return start <= int(stop.pc, 16) < start + stop.symbol_size_bytes and stop.symbol == stop.function


def _line(stop: Stop) -> str:
    if stop.file is None:
        return f" at {stop.pc}"
    return f" ({stop.file.rsplit('/', 1)[-1]}:{stop.line})"
