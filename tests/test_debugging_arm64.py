"""arm64 under qemu's gdb server: a real call stands where its PC says, and nothing is left; symbols from real bytes."""

import contextlib
import shutil
import signal
import socket
import tempfile
import threading
from pathlib import Path

import msgspec
import pytest

from labkit.debugging import Moment, emulated, examine, gdbremote, judge, server, symbols
from labkit.debugging.gdbremote import REGISTERS, Stub
from labkit.errors import ImpossibleHereError, ProcessError, TimeoutExpiredError, UsageError
from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.debugging import Debugging
from labkit.present.debugging import registers_frame, stack_frame, stops_frame, trials_frame, variables_frame
from labkit.words import Language
from tests.support import impossible, need
from tests.test_debugging import nothing_left


@pytest.fixture(scope="module")
def qemu(this_machine):
    if this_machine.system == "macos":
        impossible("qemu's user mode is Linux's; a Mac of Apple silicon shows arm64 natively")
    return need("qemu-aarch64")


@pytest.fixture(scope="module")
def programs(facts, qemu, tmp_path_factory):
    """The server for arm64 under a path of this test's own, and this machine's."""
    path = tmp_path_factory.mktemp("arm64") / "the server"
    shutil.copy(server.build(facts, emulated.PLATFORM).path, path)
    return path, Path(server.build(facts).path)


@pytest.fixture(scope="module")
def session(programs, qemu):
    return emulated.debug_emulated(*programs, go="go", qemu=qemu)


def test_a_real_call_stands_in_the_generated_handler(session):
    assert [stop.place for stop in session.stops] == ["dispatch", "handler", "getter", None]
    for stop in session.stops:
        start, size = int(stop.symbol_start, 16), stop.symbol_size_bytes
        assert start <= int(stop.pc, 16) < start + size
        assert [register.name for register in stop.registers] == list(REGISTERS)
    getter = session.stops[2]
    assert getter.function == server.GETTER
    assert [frame.function for frame in getter.stack][:2] == [server.GETTER, server.HANDLER]
    assert server.DISPATCH in [frame.function for frame in getter.stack]
    step = session.stops[3]
    assert int(step.pc, 16) == int(getter.pc, 16) + 4  # an arm64 instruction
    assert "Hello, labkit!" in session.reply


def test_the_request_is_the_handlers_third_word_and_the_getters_first(session):
    values = [{each.name: each.value for each in stop.registers} for stop in session.stops]
    assert values[1]["X2"] == values[2]["X0"] != f"{0:#018x}"


def test_findings_pass_and_locals_are_skipped(session):
    found = {finding.id.split(".")[0]: finding.status for finding in judge([session], (), None)}
    assert found.pop("debug-locals") is Status.SKIP
    assert set(found.values()) == {Status.PASS}
    assert "debug-symbol" in found


@pytest.mark.parametrize(
    ("field", "value", "finding"),
    [
        ("symbol_start", "0x10", "debug-symbol"),
        ("symbol", "another", "debug-symbol"),
        ("registers", (), "debug-registers"),
        ("place", None, "debug-stops"),
    ],
)
def test_findings_fail_for_what_is_not_so(session, field, value, finding):
    wrong = msgspec.structs.replace(session.stops[0], **{field: value})
    changed = msgspec.structs.replace(session, stops=(wrong, *session.stops[1:]))
    assert {each.id for each in judge([changed], (), None) if each.status is Status.FAIL} == {f"{finding}.linux-arm64"}


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"reply": "no"}, "debug-answered"),
        ({"reply": None}, "debug-answered"),
        ({"left_processes": ("1",)}, "debug-nothing-left"),
    ],
    ids=["another reply", "no reply", "left"],
)
def test_a_sessions_end_is_judged(session, change, finding):
    changed = msgspec.structs.replace(session, **change)
    assert {each.id for each in judge([changed], (), None) if each.status is Status.FAIL} == {f"{finding}.linux-arm64"}


@pytest.mark.parametrize("moment", list(Moment))
def test_ctrl_c_leaves_no_process(moment, programs, qemu):
    def press(now: Moment) -> None:
        if now is moment:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        emulated.debug_emulated(*programs, go="go", qemu=qemu, watch=press)
    nothing_left(programs[0])


def test_without_qemu_it_says_how_to_get_it(tmp_path):
    with pytest.raises(ImpossibleHereError, match="qemu-aarch64 is not on PATH") as raised:
        emulated.find_qemu(str(tmp_path))
    assert "apt-get install qemu-user" in raised.value.remedy
    assert "Homebrew" in raised.value.remedy


def test_without_qemu_the_finding_is_skipped(facts, monkeypatch, tmp_path):
    monkeypatch.setattr("labkit.debugging.emulated.find_qemu", lambda: emulated_without(tmp_path))
    found = examine(facts, configurations=False)
    assert [session.platform for session in found.sessions] == [facts.toolchain.platform]
    if found.sessions[0].platform.endswith("arm64"):
        assert found.not_emulated.id == "debugging.reason.native"
        return
    assert found.not_emulated.id == "debugging.reason.no_qemu"
    (skipped,) = [finding for finding in found.findings if finding.status is Status.SKIP]
    assert skipped.id == "debug-symbol.linux-arm64"


find_qemu = emulated.find_qemu


def emulated_without(folder):
    return find_qemu(str(folder))


def test_a_qemu_that_ends_at_once_is_an_error(programs, executable):
    broken = executable("qemu-aarch64", "echo no such option >&2; exit 1")
    with pytest.raises(ProcessError, match="qemu ended with exit code 1: no such option"):
        emulated.debug_emulated(*programs, go="go", qemu=broken)


def test_symbols_hold_what_go_says(programs, facts):
    from labkit.toolchain import golang, program

    table = symbols.read(programs[0])
    said = golang.run(program(facts.toolchain, "go"), "tool", "nm", "-size", str(programs[0]), cwd=Path("/")).stdout
    listed = {line.split(None, 3)[3]: line.split(None, 3) for line in said.splitlines() if line.split()[2] in "tT"}
    for name in (server.HANDLER, server.DISPATCH, server.GETTER):
        found = table.named(name)
        assert (f"{found.address:x}", str(found.size_bytes)) == (listed[name][0], listed[name][1])
        assert table.at(found.address + found.size_bytes - 1) == found
        assert table.at(found.address - 1) != found


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x01\x01" + bytes(80), b"\x7fELF\x02\x01" + bytes(80)])
def test_what_has_no_symbols_is_refused(data, tmp_path):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(UsageError):
        symbols.read(tmp_path / "x")
    assert symbols.Symbols(()).at(5) is None


@contextlib.contextmanager
def stub_that_says(folder: Path, *answers: bytes):
    """A gdb server on a socket that answers one packet after the other, and keeps what it was sent."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "gdb"))
    listener.listen()
    heard: list[bytes] = []

    def packet(connection: socket.socket) -> bytes:
        came = b""
        while b"#" not in came[:-2] and (more := connection.recv(1000)):  # an acknowledgement may come alone
            came += more
        return came

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for answer in answers:
                heard.append(packet(connection))
                connection.sendall(b"+$" + answer + b"#00")
            heard.append(connection.recv(1000))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with listener, Stub(folder / "gdb") as stub:
            yield stub, heard
    finally:
        thread.join(10)


def test_packets_carry_their_sum_and_signals_are_handed_on(tmp_path):
    with stub_that_says(tmp_path, b"T10thread:1;", b"T05thread:1;") as (stub, heard):
        stub.send("c")
        stub.wait_for_trap(timeout_s=10)
    assert heard[0] == b"$c#63"
    assert b"$C10#a4" in heard[1]


@pytest.mark.parametrize(
    ("answer", "says"), [(b"W00", "ended under qemu"), (b"X0b", "ended under qemu"), (b"E01", "answered E01")]
)
def test_the_gdb_servers_faults_are_errors(answer, says, tmp_path):
    with stub_that_says(tmp_path, answer) as (stub, _), pytest.raises(ProcessError, match=says):
        if answer.startswith(b"E"):
            stub.ask("Z0,0,4")
        stub.send("c")
        stub.wait_for_trap(timeout_s=10)


def test_a_gdb_server_that_says_nothing_is_given_up(tmp_path):
    with stub_that_says(tmp_path) as (stub, _), pytest.raises(TimeoutExpiredError, match="did not stop"):
        stub.wait_for_trap(timeout_s=0.05)


@pytest.fixture
def bound():
    """Return a socket that is bound but does not listen, as qemu's is for a moment; in a folder with a short path."""
    with tempfile.TemporaryDirectory(prefix="lk-") as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{folder}/gdb")
        yield server, Path(folder) / "gdb"


def test_a_gdb_server_that_is_about_to_listen_is_waited_for(bound, monkeypatch):
    server, path = bound
    monkeypatch.setattr(gdbremote.time, "sleep", lambda _s: server.listen())
    with Stub(path) as stub:
        assert stub


def test_a_gdb_server_that_never_listens_is_given_up(bound, monkeypatch):
    monkeypatch.setattr(gdbremote, "_START_S", 0.05)
    with pytest.raises(ProcessError, match="does not answer: Connection refused"):
        Stub(bound[1])


def test_the_tables_show_it_in_both_languages(session):
    record = Debugging(
        sessions=(session,), not_emulated=Text(id="debugging.reason.native", values={"platform": "linux/arm64"})
    )
    for language in Language:
        stops = stops_frame(record.sessions, language)
        assert len(stops) == 4
        registers = registers_frame(record, "handler", language)
        assert "X30" in registers.to_string()
        assert "linux/arm64" in registers.iloc[-1].to_string()
        assert len(stack_frame(record.sessions, "getter", language)) > 3
        assert len(variables_frame(record.sessions, "handler", language)) == 0
        assert len(trials_frame((), language)) == 0
        assert "debugging." not in stops.to_string() + registers.to_string()
