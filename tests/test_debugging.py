"""Programs under dlv: what stops show, each foreseeable fault as a line with its remedy, and nothing left running."""

import contextlib
import os
import re
import shutil
import signal
import socket
import sys
from pathlib import Path

import pytest

from labkit import gobuild
from labkit.cli.app import main
from labkit.debugging import Call, Moment, NotPermittedError, check, debug, debug_server, debugger, permission, place
from labkit.debugging import judge as judged
from labkit.debugging.permission import Rights, explain, is_refusal
from labkit.debugging.server import OPTIONS
from labkit.debugging.session import Dlv, next_stop
from labkit.errors import LabError, ProcessError, ProvisionError, TimeoutExpiredError, UsageError
from labkit.facts import Facts
from labkit.model.check import Status
from labkit.model.debugging import Reason
from labkit.model.machine import System
from labkit.system import proc
from labkit.system.environment import base
from labkit.words import render
from tests.support import impossible

SOURCE = Path("tests/data/debugging/main.go.txt").absolute()
REPOSITORY = Path.cwd()


@pytest.fixture(scope="session")
def dlv(facts):
    return debugger(facts)


@pytest.fixture(scope="session")
def build(toolchain, tmp_path_factory):
    """Return a function that builds the small server with some options, for a platform."""
    module = tmp_path_factory.mktemp("small")
    shutil.copy(SOURCE, module / "main.go")
    (module / "go.mod").write_text("module example.com/small\n\ngo 1.21\n")

    def make(options=OPTIONS, platform=None) -> Path:
        return Path(gobuild.build(toolchain, module, ".", name="small-debug", platform=platform, options=options).path)

    return make


@pytest.fixture
def small(build, tmp_path, this_machine):
    """The small server under a path of this test's own, so that its processes are known by it."""
    path = tmp_path / "small server"
    shutil.copy(build(), path)
    return check(path, this_machine)


def processes_of(path: Path) -> list[str]:
    """Return the command lines that name a file."""
    if sys.platform != "linux":
        listed = proc.run(["/bin/ps", "-axo", "command="], env=base(), timeout_s=20).stdout
        return [line for line in listed.splitlines() if str(path) in line]
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if entry.name.isdigit() and str(path) in words:
                found.append(words)
    return found


def nothing_left(path: Path) -> None:
    proc.wait_until(lambda: not processes_of(path), timeout_s=10, what=f"the end of {processes_of(path)}")


def calling(program) -> Call:
    return Call(words=(str(program.path), "call", "{address}"))


def test_a_call_stops_shows_itself_and_is_answered(small, dlv):
    session = debug(small, dlv, [place("main.answer")], arguments=["serve"], call=calling(small))
    stop, step = session.stops
    assert (stop.place, stop.reason, stop.function, step.reason) == (
        "main.answer", Reason.BREAKPOINT, "main.answer", Reason.STEP,
    )  # fmt: skip
    assert [frame.function for frame in stop.stack][:3] == ["main.answer", "main.serve", "main.main"]
    assert {each.name: each.value for each in step.variables}["word"] == '"hello"'
    assert {each.name.lower() for each in stop.registers} >= {"pc"} or {each.name for each in stop.registers} >= {"rip"}
    assert int(stop.pc, 16) != int(step.pc, 16)
    assert (session.reply, session.left_processes) == ("hello", ())
    nothing_left(small.path)


def test_a_line_of_a_file_is_a_place_too(small, dlv):
    line = next(n for n, text in enumerate(SOURCE.read_text().splitlines(), 1) if "Fprintln(connection" in text)
    asked = f"example.com/small/main.go:{line}"
    session = debug(small, dlv, [place(asked)], arguments=["serve"], call=calling(small))
    assert (session.stops[0].place, session.stops[0].line) == (asked, line)


def test_a_panic_is_told_with_its_text(small, dlv):
    session = debug(small, dlv, [place("main.serve")], arguments=["panic"])
    assert session.stops[0].reason is Reason.EXCEPTION
    assert "on purpose" in session.stops[0].text
    nothing_left(small.path)


@pytest.mark.parametrize("name", ["current", "handbook"])
def test_each_set_debugs_the_server_that_it_generates(name):
    session = debug_server(Facts(name))
    findings = judged([session], (), None)
    assert {finding.id.split(".")[0]: finding.status for finding in findings} == dict.fromkeys(
        ("debug-stops", "debug-locals", "debug-registers", "debug-answered", "debug-nothing-left"), Status.PASS
    )


def absent(_path, _build, _facts):
    pass


def script(path, _build, _facts):
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def not_go(path, _build, _facts):
    shutil.copy("/bin/cat", path)


def not_executable(path, build, _facts):
    shutil.copy(build(), path)
    path.chmod(0o644)


def stripped(path, build, _facts):
    shutil.copy(build(gobuild.Options(ldflags="-s -w")), path)


def architecture(path, _build, facts):
    system, own = facts.toolchain.platform.split("/")
    shutil.copy(facts.server_for(f"{system}/{'arm64' if own == 'amd64' else 'amd64'}").path, path)


def system(path, _build, facts):
    own, architecture = facts.toolchain.platform.split("/")
    shutil.copy(facts.server_for(f"{'linux' if own == 'darwin' else 'darwin'}/{architecture}").path, path)


@pytest.mark.parametrize(
    ("prepare", "says", "remedy"),
    [
        (absent, "no such file", "was built here"),
        (script, "is not a Go program (script", "go build"),
        (not_go, "holds no build information of Go", "gdb or lldb"),
        (not_executable, "is not executable", "chmod +x"),
        (stripped, "has no debug information", "-N -l"),
        (architecture, "and dlv here debugs", "GOARCH="),
        (system, "and dlv here debugs", "GOOS="),
    ],
)
def test_what_cannot_be_debugged_is_said_at_once(prepare, says, remedy, build, facts, tmp_path, this_machine):
    path = tmp_path / "program"
    prepare(path, build, facts)
    with pytest.raises(UsageError) as raised:
        check(path, this_machine)
    assert says.lower() in raised.value.what.lower()
    assert remedy in raised.value.remedy
    assert "\n" not in raised.value.what


def test_a_port_in_use(small, dlv):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 is in use") as raised:
            debug(small, dlv, [place("main.main")], port=port)
    assert "--port" in raised.value.remedy


def test_a_free_port_that_is_named_is_used(small, dlv):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert debug(small, dlv, [place("main.main")], port=port).stops[0].place == "main.main"


def test_a_dlv_that_is_too_old_for_its_go(small):
    old = debugger(Facts("handbook"))
    with pytest.raises(ProvisionError, match=r"dlv is too old for the program's Go 1\.2") as raised:
        debug(small, old, [place("main.main")])
    assert "--with dlv" in raised.value.remedy
    assert "\n" not in raised.value.what
    nothing_left(small.path)


def test_a_program_that_ends_early(small, dlv):
    with pytest.raises(ProcessError, match="ended with exit code 7 before it came to a breakpoint") as raised:
        debug(small, dlv, [place("main.serve")])
    assert "after --" in raised.value.remedy


def test_a_place_that_is_not_there(small, dlv):
    with pytest.raises(UsageError, match=r"main\.nowhere is no place to stop at: .*not found"):
        debug(small, dlv, [place("main.nowhere")])
    nothing_left(small.path)


def test_a_place_that_nobody_comes_to(small, dlv, monkeypatch):
    monkeypatch.setitem(next_stop.__kwdefaults__, "timeout_s", 0.2)
    with pytest.raises(TimeoutExpiredError, match=r"came to no breakpoint within 0\.2 s") as raised:
        debug(small, dlv, [place("main.answer")], arguments=["serve"])
    assert "--call" in raised.value.remedy
    nothing_left(small.path)


def test_a_call_that_fails(small, dlv):
    wrong = Call(words=("/bin/sh", "-c", f"'{small.path}' call {{address}}; echo no >&2; exit 3"))
    with pytest.raises(ProcessError, match="the call ended with exit code 3: no"):
        debug(small, dlv, [place("main.answer")], arguments=["serve"], call=wrong)
    nothing_left(small.path)


# Moments at which somebody presses Ctrl-C. END stands for the moment before all is ended.
@pytest.mark.parametrize("moment", list(Moment))
def test_ctrl_c_leaves_no_process(moment, small, dlv):
    def press(now: Moment) -> None:
        if now is moment:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        debug(small, dlv, [place("main.answer")], arguments=["serve"], call=calling(small), watch=press)
    nothing_left(small.path)


def test_a_killed_labkit_leaves_no_process(small, dlv):
    script = f"""
import os, signal
from pathlib import Path
from labkit.debugging import Call, Moment, Program, Dlv, debug, place
program = Program(path=Path({str(small.path)!r}), platform={small.platform!r}, go="-")
dlv = Dlv(path=Path({str(dlv.path)!r}), version="-", env={dict(dlv.env)!r})
def die(now):
    if now is Moment.CALL:  # the program runs then: at a breakpoint it would not outlive dlv
        print("dies", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
call = Call(words=("/bin/true", "{{address}}"))
debug(program, dlv, [place("main.answer")], arguments=["serve"], call=call, watch=die)
"""
    done = proc.run([sys.executable, "-c", script], env=base(), cwd=REPOSITORY, timeout_s=60, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "dies\n")
    nothing_left(small.path)


def test_ctrl_c_at_the_command_line(small, tmp_path):
    argv = [sys.executable, "-m", "labkit", "-q", "debug", str(small.path), "--break", "main.answer", "--", "serve"]
    env = base() | {name: os.environ[name] for name in ("LABKIT_HOME",) if name in os.environ}
    with proc.start(argv, env=env, cwd=REPOSITORY) as running:
        proc.wait_until(lambda: len(processes_of(small.path)) > 1, timeout_s=60, what="the program's start")
        os.kill(running.pid, signal.SIGINT)
        assert running.wait(30) == 130
    assert b"interrupted" in running.completed().stderr_bytes
    nothing_left(small.path)


# dlv's own words under a filter that answers ptrace with EPERM, as the default profiles of containers do.
FILTERED = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
instructions = [(0x20, 0, 0, 0), (0x15, 0, 1, {number}), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
code = b"".join(struct.pack("HBBI", *each) for each in instructions)
buffer = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxQ", len(instructions), ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0, ctypes.get_errno()
os.execv({dlv!r}, [{dlv!r}, *sys.argv[1:]])
"""


@pytest.fixture
def filtered(dlv, tmp_path):
    if sys.platform != "linux":
        impossible("seccomp is Linux's")
    number = {"x86_64": 101, "aarch64": 117}[os.uname().machine]
    script = tmp_path / "filtered.py"
    script.write_text(FILTERED.format(number=number, dlv=str(dlv.path)))
    wrapper = tmp_path / "dlv"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    wrapper.chmod(0o755)
    return Dlv(path=wrapper, version=dlv.version, env=dlv.env)


def test_a_missing_permission_is_said_with_its_remedy(small, filtered):
    with pytest.raises(
        NotPermittedError, match=r"dlv may not trace a program here: .*operation not permitted"
    ) as raised:
        debug(small, filtered, [place("main.main")])
    assert is_refusal(raised.value.said)
    nothing_left(small.path)


def test_and_is_a_finding(small, filtered, monkeypatch, capsys):
    monkeypatch.setattr("labkit.debugging.debugger", lambda _facts: filtered)
    with pytest.raises(SystemExit) as ended:
        main(["debug", str(small.path)])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "FAIL" in said.upper()
    assert "operation not permitted" in said


@pytest.mark.parametrize(
    ("rights", "cause", "command"),
    [
        (Rights(system=System.LINUX, yama=2, seccomp=0), "ptrace_scope is 2", "sysctl kernel.yama.ptrace_scope=1"),
        (Rights(system=System.LINUX, yama=1, seccomp=2), "seccomp", "--cap-add=SYS_PTRACE"),
        (Rights(system=System.LINUX, yama=0, seccomp=0), "without a cause", None),
        (
            Rights(system=System.MACOS, developer_mode="Developer mode is currently disabled."),
            "currently disabled",
            "DevToolsSecurity -enable",
        ),
    ],
    ids=["yama", "seccomp", "unknown", "macos"],
)
def test_why_tracing_is_refused(rights, cause, command):
    reason, remedy = explain(rights)
    assert cause in render(reason)
    assert render(remedy.text)
    assert (command is None and not remedy.commands) or any(command in line for line in remedy.commands)


def test_what_this_system_says_of_tracing(this_machine):
    known = permission.rights(this_machine.system)
    assert known.system is this_machine.system
    assert known.seccomp in {0, 1, 2, None}


def test_the_command_prints_stops_and_registers(small, capsys):
    call = f"'{small.path}' call {{address}}"
    with pytest.raises(SystemExit) as ended:
        main(["-q", "debug", str(small.path), "--break", "main.answer", "--call", call, "--", "serve"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert re.search(r"main\.answer: main\.answer \(main\.go:\d+\)", said)
    assert "the client got: hello" in said
    assert "no process is left" in said


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["debug", "nowhere"], 2, "nowhere cannot be debugged"),
        (["debug", "{program}", "--call", "no-such-program-at-all"], 2, "--call names no program"),
        (["debug", "{program}", "--break", "main.serve"], 12, "ended with exit code 7"),
        (["debug", "--vscode", "/"], 2, "is not below"),
    ],
    ids=["absent", "call", "early", "elsewhere"],
)
def test_the_commands_faults_are_one_line_and_a_remedy(arguments, code, says, small, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["-q", *(word.format(program=small.path) for word in arguments)])
    assert ended.value.code == code
    first, second = capsys.readouterr().err.strip().splitlines()
    assert says in first
    assert second.startswith("  remedy: ")


def test_a_dap_server_that_is_gone_is_an_error_not_a_hang():
    from labkit.debugging.dap import Client

    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client("127.0.0.1", listener.getsockname()[1])
        accepted, _ = listener.accept()
        accepted.close()
        with client, pytest.raises(LabError, match="closed the connection"):
            client.request("initialize")


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"Content-Length: 3\r\n\r\n{]}", b"Content-Length: 99999999999\r\n\r\n"]
)
def test_a_message_that_is_none_is_an_error(sent):
    from labkit.debugging.dap import Client

    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client("127.0.0.1", listener.getsockname()[1])
        accepted, _ = listener.accept()
        with client, accepted:
            accepted.sendall(sent)
            with pytest.raises(ProcessError, match="message"):
                client.request("initialize", timeout_s=10)


def test_an_answer_that_does_not_come_ends_in_time():
    from labkit.debugging.dap import Client

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Client("127.0.0.1", listener.getsockname()[1]) as client,
        pytest.raises(TimeoutExpiredError, match="did not send an answer"),
    ):
        client.request("initialize", timeout_s=0.05)
