"""The generated server for arm64 under qemu-user's gdb server: where a real call stands, and the registers X0 to PC.

No debugger of Go takes part, so what is shown is what the bytes tell: the registers, and a stack made of the link
register and the frame pointers that Go keeps on arm64 (cmd/compile/abi-internal.md of Go's sources), each return
address named by the ELF symbol table. Breakpoints are at functions' entries.
"""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from labkit.debugging import symbols
from labkit.debugging.gdbremote import Stub
from labkit.debugging.server import DISPATCH, GETTER, HANDLER, NAME
from labkit.debugging.session import Moment, Watch
from labkit.errors import ImpossibleHereError, ProcessError
from labkit.model.debugging import Breakpoint, Frame, Reason, Register, Session, Stop, Way
from labkit.system import proc
from labkit.system.environment import base

QEMU: Final = "qemu-aarch64"
PLATFORM: Final = "linux/arm64"
_PLACES: Final = (("dispatch", DISPATCH), ("handler", HANDLER), ("getter", GETTER))
_TIMEOUT_S: Final = 60.0
#: Each signal stops one thread of the program for the gdb server, and Go sends itself one to preempt a goroutine.
_QUIET: Final = {"GODEBUG": "asyncpreemptoff=1"}
_MOST_STOPS: Final = 20
_DEEPEST: Final = 12


def find_qemu(path: str | None = None) -> Path:
    """Return qemu's user mode for arm64.

    Args:
        path: The folders to look in; the user's PATH when None.

    Raises:
        ImpossibleHereError: It is not there.

    """
    found = shutil.which(QEMU, path=path)
    if found is None:
        raise ImpossibleHereError(
            f"{QEMU} is not on PATH, so no arm64 program can be debugged on this machine",
            remedy="apt-get install qemu-user; Homebrew's qemu (brew install qemu) has no user mode on macOS, "
            "where a Mac of Apple silicon needs none",
        )
    return Path(found).absolute()


def debug_emulated(
    program: Path, client: Path, *, go: str, qemu: Path | None = None, watch: Watch = lambda _moment: None
) -> Session:
    """Debug the server for linux/arm64 under qemu: stop in dispatch, handler and getter, step once, let it answer.

    Args:
        program: The server, built for linux/arm64.
        client: The same program, built for this machine, which calls it.
        go: The Go that built it.
        qemu: qemu's user mode; the one on PATH when None.
        watch: Told of each moment.

    Raises:
        ImpossibleHereError: qemu is not there.
        ProcessError: The program ended, or the call failed.
        TimeoutExpiredError: It came to no breakpoint in time.

    """
    emulator = qemu or find_qemu()
    started = time.monotonic()
    table = symbols.read(program)
    addresses = {name: table.named(function) for name, function in _PLACES}
    watch(Moment.START)
    with tempfile.TemporaryDirectory(prefix="labkit-gdb-") as folder:
        at = Path(folder) / "gdb"  # a socket in a folder of our own: nobody else can connect, and no port is taken
        with proc.start([emulator, "-g", at, program, "serve"], env=base() | _QUIET) as running:
            _wait_for(at, running)
            watch(Moment.LAUNCH)
            with Stub(at) as stub:
                stops, reply = _session(stub, running, client, table, addresses, watch)
            watch(Moment.END)
        left = (str(running.pid),) if running.alive() else ()
    return Session(
        program=program.name,
        platform=PLATFORM,
        go=go,
        way=Way.GDB_STUB,
        debugger=version(emulator),
        breakpoints=tuple(
            Breakpoint(place=name, asked=each.name, verified=True, line=None, said=None)
            for name, each in addresses.items()
        ),
        stops=stops,
        reply=reply,
        left_processes=left,
        wall_time_s=time.monotonic() - started,
    )


def version(emulator: Path) -> str:
    """Return qemu's name and version, as it gives them."""
    said = proc.run([emulator, "--version"], env=base(), timeout_s=30).stdout
    return said.split("\n", 1)[0].split("(")[0].replace("version ", "").strip()


def _wait_for(at: Path, running: proc.Running) -> None:
    proc.wait_until(lambda: at.exists() or not running.alive(), timeout_s=_TIMEOUT_S, what="qemu's gdb server")
    if not running.alive():
        done = running.completed()
        raise ProcessError(
            f"qemu ended with {proc.describe_exit(done.returncode)}: {done.last_words()}",
            remedy="install a qemu-user of version 5.2 or later",
        )


def _session(  # noqa: PLR0917 - one call, from above
    stub: Stub,
    running: proc.Running,
    client: Path,
    table: symbols.Symbols,
    places: dict[str, symbols.Symbol],
    watch: Watch,
) -> tuple[tuple[Stop, ...], str]:
    watch(Moment.BREAKPOINTS)
    stub.ask("?")
    for each in places.values():
        stub.set_breakpoint(each.address)
    watch(Moment.RUN)
    stub.send("c")
    remedy = "run it under qemu-aarch64 by hand"
    stub.run_until(lambda: b"listening on " in running.output()[0] or not running.alive(), timeout_s=_TIMEOUT_S)
    address = running.wait_for(r"^listening on (127\.0\.0\.1:\d+)$", timeout_s=1, remedy=remedy).group(1)
    watch(Moment.CALL)
    stops: list[Stop] = []
    with proc.start([client, "call", address, NAME], env=base()) as caller:
        wanted = {each.address for each in places.values()}
        for _ in range(_MOST_STOPS):
            stub.wait_for_trap(timeout_s=_TIMEOUT_S)
            watch(Moment.STOP)
            stop = _look(stub, table, places, Reason.BREAKPOINT)
            at = int(stop.pc or "0", 16)
            if at in wanted:  # qemu may stop once more in a function whose breakpoint is gone
                stops.append(stop)
                wanted.discard(at)
                stub.clear_breakpoint(at)  # else the step would stop at it again
            if not wanted:
                break
            stub.send("c")
        if wanted:
            raise ProcessError("qemu's program stops elsewhere than at its breakpoints", remedy=remedy)
        watch(Moment.STEP)
        stub.send("s")
        stub.wait_for_trap(timeout_s=_TIMEOUT_S)
        stops.append(_look(stub, table, {}, Reason.STEP))
        watch(Moment.CONTINUE)
        stub.send("c")  # not D: after a step qemu 7.2 leaves the program standing
        stub.run_until(lambda: not caller.alive(), timeout_s=_TIMEOUT_S)
        done = caller.completed()
    if done.returncode != 0:
        raise ProcessError(
            f"the call under qemu ended with {proc.describe_exit(done.returncode)}: {done.last_words()}", remedy=remedy
        )
    return tuple(stops), done.stdout.strip()


def _look(stub: Stub, table: symbols.Symbols, places: dict[str, symbols.Symbol], reason: Reason) -> Stop:
    found = stub.registers()
    here = table.at(found["PC"])
    place = next((name for name, each in places.items() if each.address == found["PC"]), None)
    return Stop(
        place=place,
        reason=reason,
        function=here.name if here else "?",
        file=None,
        line=None,
        stack=_stack(stub, table, found),
        variables=(),
        registers=tuple(Register(name=name, value=f"{value:#018x}") for name, value in found.items()),
        pc=f"{found['PC']:#x}",
        symbol=here.name if here else None,
        symbol_start=f"{here.address:#x}" if here else None,
        symbol_size_bytes=here.size_bytes if here else None,
    )


def _stack(stub: Stub, table: symbols.Symbols, found: dict[str, int]) -> tuple[Frame, ...]:
    # At an entry the caller's return address is in X30 and X29 is still the caller's frame: [X29] is the frame before
    # it and [X29+8] the return address out of it. A return address follows its call, so the byte before it is asked.
    addresses = [found["PC"] + 1, found["X30"]]
    frame = found["X29"]
    while frame and len(addresses) < _DEEPEST:
        back = stub.word(frame + 8)
        frame = stub.word(frame) or 0
        if not back:
            break
        addresses.append(back)
    names = [table.at(address - 1) for address in addresses]
    return tuple(Frame(function=each.name, file=None, line=None) for each in names if each is not None)
