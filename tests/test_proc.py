"""Processes: explicit, bounded in time, and gone with their parent."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from labkit.errors import ProcessError, TimeoutExpiredError
from labkit.system import proc
from labkit.system.environment import base

SH = "/bin/sh"


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that nobody has reaped yet is a zombie, not alive; where there is no /proc it is taken as gone late.
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.is_file() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z")


def gone(pid: int) -> None:
    proc.wait_until(lambda: not alive(pid), timeout_s=10, what=f"the end of process {pid}")


def test_both_streams_and_the_exit_code_are_kept():
    done = proc.run([SH, "-c", "echo out; echo err >&2; exit 3"], env=base(), timeout_s=10, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_a_failure_says_the_command_the_code_and_the_last_words():
    with pytest.raises(ProcessError, match=r"exit code 3: first \| last") as caught:
        proc.run([SH, "-c", "echo first >&2; echo last >&2; exit 3"], env=base(), timeout_s=10, remedy="do this")
    assert caught.value.remedy == "do this"


def test_the_environment_is_explicit(monkeypatch):
    monkeypatch.setenv("LABKIT_SECRET", "leaks")
    done = proc.run([SH, "-c", "env"], env=base(KEY="a b"), timeout_s=10)
    assert "leaks" not in done.stdout
    assert "KEY=a b" in done.stdout.splitlines()
    assert "LC_ALL=C" in done.stdout.splitlines()


def test_standard_input_is_given_or_empty():
    assert proc.run(["/bin/cat"], env=base(), timeout_s=10, stdin=b"hello").stdout == "hello"
    assert proc.run(["/bin/cat"], env=base(), timeout_s=10).stdout == ""


def test_a_relative_program_is_refused():
    with pytest.raises(ProcessError, match="not an absolute path"):
        proc.run(["sh"], env=base(), timeout_s=1)


@pytest.mark.parametrize(
    ("content", "mode", "remedy"),
    [
        (b"\xcf\xfa\xed\xfe" + b"\x00" * 60, 0o755, "labkit inspect"),
        (None, 0, "installed"),
    ],
    ids=["of another system", "absent"],
)
def test_a_program_that_cannot_start_says_why(tmp_path, content, mode, remedy):
    program = tmp_path / "program"
    if content is not None:
        program.write_bytes(content)
        program.chmod(mode)
    with pytest.raises(ProcessError) as caught:
        proc.run([program], env=base(), timeout_s=1)
    assert remedy in caught.value.remedy


def test_a_timeout_ends_the_whole_group(tmp_path):
    script = f"sleep 60 & echo $! > {tmp_path}/pid; echo started; wait"
    with pytest.raises(TimeoutExpiredError, match=r"within 0\.5 s.*started"):
        proc.run([SH, "-c", script], env=base(), timeout_s=0.5)
    gone(int((tmp_path / "pid").read_text()))


def test_a_grandchild_that_holds_the_streams_neither_delays_us_nor_stays(tmp_path):
    done = proc.run([SH, "-c", f"sleep 60 & echo $! > {tmp_path}/pid"], env=base(), timeout_s=30)
    assert done.wall_time_s < 20
    gone(int((tmp_path / "pid").read_text()))


def test_an_interrupt_ends_the_group(tmp_path):
    pid_file = tmp_path / "pid"

    def interrupt() -> None:
        proc.wait_until(lambda: pid_file.is_file() and pid_file.read_text().strip() != "", timeout_s=10, what="start")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        proc.run([SH, "-c", f"echo $$ > {pid_file}; sleep 60"], env=base(), timeout_s=30)
    thread.join()
    gone(int(pid_file.read_text()))


def test_an_interrupt_while_a_program_is_being_started_ends_it_too(tmp_path):
    pid_file = tmp_path / "pid"
    for _time in range(30):  # the child interrupts us as soon as it runs, while we are still busy with starting it
        with pytest.raises(KeyboardInterrupt):
            proc.run([SH, "-c", f"echo $$ > {pid_file}; kill -INT $PPID; sleep 60"], env=base(), timeout_s=30)
        gone(int(pid_file.read_text()))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_children_die_with_labkit(how):
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # under nohup it would be ignored, as it should
        "from labkit.system import proc; from labkit.system.environment import base\n"
        "with proc.start(['/bin/sleep', '60'], env=base()) as child:\n"
        "    print('started', child.pid, flush=True)\n"
        "    child.wait(50)\n"
    )
    with proc.start([sys.executable, "-c", code], env=base(PYTHONPATH=str(Path.cwd())), cwd=Path.cwd()) as parent:
        child = int(parent.wait_for(r"^started (\d+)$", timeout_s=20, remedy="-").group(1))
        assert alive(child)
        os.kill(parent.pid, how)
        parent.wait(10)
        gone(child)


def test_a_server_is_awaited_by_its_words_and_stopped():
    with proc.start([SH, "-c", "echo listening on 4711; sleep 60"], env=base()) as server:
        assert server.wait_for(r"listening on (\d+)", timeout_s=10, remedy="-").group(1) == "4711"
        pid = server.pid
    gone(pid)


def test_a_server_that_dies_early_is_an_error():
    with (
        proc.start([SH, "-c", "echo no port >&2; exit 7"], env=base()) as server,
        pytest.raises(ProcessError, match="exit code 7 before it was ready: no port"),
    ):
        server.wait_for("listening", timeout_s=10, remedy="-")


def test_a_flood_of_output_is_cut_in_the_middle_unless_more_is_wanted():
    flood = [SH, "-c", "i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done"]
    whole = proc.run(flood, env=base(), timeout_s=20, most_bytes=10_000)
    assert whole.stdout == "".join(f"line {number}\n" for number in range(500))
    done = proc.run(flood, env=base(), timeout_s=20, most_bytes=1000)
    assert "bytes left out" in done.stdout
    assert done.stdout.startswith("line 0\n")
    assert done.stdout.endswith("line 499\n")
    assert len(done.stdout_bytes) < 1100


def test_an_interrupt_is_held_back_while_a_file_is_put_in_its_place():
    reached = False
    with pytest.raises(KeyboardInterrupt), proc.ignoring_interrupts():
        os.kill(os.getpid(), signal.SIGINT)
        reached = True
    assert reached


def test_an_interrupt_that_was_held_back_is_not_lost_in_an_error():
    with pytest.raises(KeyboardInterrupt) as found, proc.ignoring_interrupts():
        os.kill(os.getpid(), signal.SIGINT)
        raise ValueError("what went wrong meanwhile")
    assert isinstance(found.value.__context__, ValueError)
