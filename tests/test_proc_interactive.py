"""A program that is talked to line by line: bounded in time, and gone with its parent like any other."""

import os
import signal
import sys
from pathlib import Path

import pytest

from labkit.errors import ProcessError, TimeoutExpiredError
from labkit.system import proc
from labkit.system.environment import base
from tests.test_proc import SH, alive, gone

ECHO = 'while read -r line; do echo "heard $line"; done; echo over'


def converse(script):
    return proc.converse([SH, "-c", script], env=base())


def ask(talk, line):
    talk.write_line(line, remedy="-")
    return talk.read_line(timeout_s=20, remedy="-")


def test_each_line_is_answered_until_the_input_ends():
    with converse(ECHO) as talk:
        assert [ask(talk, word) for word in ("one", "two words", "三")] == ["heard one", "heard two words", "heard 三"]
        talk.close_input()
        assert talk.read_line(timeout_s=20, remedy="-") == "over"
        assert talk.wait(20) == 0
    done = talk.completed()
    assert done.stdout == "heard one\nheard two words\nheard 三\nover\n"
    assert done.returncode == 0


def test_two_are_talked_to_in_turns():
    with converse(ECHO) as one, converse(ECHO) as two:
        for word in ("a", "b"):
            one.write_line(word, remedy="-")
            assert ask(two, word * 2) == f"heard {word * 2}"
            assert one.read_line(timeout_s=20, remedy="-") == f"heard {word}"
        one.close_input()  # the second holds no end of the first's pipes
        assert one.read_line(timeout_s=20, remedy="-") == "over"
        assert two.alive()


def test_lines_that_come_together_or_in_parts_are_told_apart():
    with converse("printf 'a\\nb\\nlong'; read -r x; printf 'er\\n'; printf 'no end'") as talk:
        assert talk.read_line(timeout_s=20, remedy="-") == "a"
        assert talk.read_line(timeout_s=20, remedy="-") == "b"
        assert ask(talk, "go on") == "longer"
        with pytest.raises(ProcessError, match="exit code 0 in the middle"):
            talk.read_line(timeout_s=20, remedy="-")


def test_one_that_hangs_is_given_up_and_ended_with_its_group(tmp_path):
    with (
        converse(f"sleep 60 & echo $! > {tmp_path}/pid; echo ready; wait") as talk,
        pytest.raises(TimeoutExpiredError, match=r"did not answer within 0\.2 s") as caught,
    ):
        assert talk.read_line(timeout_s=20, remedy="-") == "ready"
        talk.read_line(timeout_s=0.2, remedy="do this")
    assert caught.value.remedy == "do this"
    gone(talk.pid)
    gone(int((tmp_path / "pid").read_text()))


def test_one_that_dies_says_its_last_words():
    with converse("read -r x; echo out of luck >&2; exit 7") as talk:
        with pytest.raises(ProcessError, match="exit code 7 in the middle: out of luck"):
            ask(talk, "slice")
        with pytest.raises(ProcessError, match="exit code 7 in the middle"):  # and again, now that the pipe is broken
            talk.write_line("slice", remedy="-")


def test_a_line_without_an_end_is_not_waited_for():
    with (
        converse("while :; do printf '%01000d' 0; done") as talk,
        pytest.raises(ProcessError, match="a line that does not end"),
    ):
        talk.read_line(timeout_s=60, remedy="-")


def test_one_that_does_not_read_does_not_stop_us():
    with (
        converse("exec sleep 60") as talk,
        pytest.raises(ProcessError, match="does not read what it is sent"),
    ):
        for _ in range(1000):
            talk.write_line("x" * 1000, remedy="-")


def test_a_program_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ProcessError, match="could not be started"):
        proc.converse([tmp_path / "none"], env=base())


def test_it_dies_with_labkit():
    code = (
        "from labkit.system import proc; from labkit.system.environment import base\n"
        "with proc.converse(['/bin/sleep', '60'], env=base()) as child:\n"
        "    print('started', child.pid, flush=True)\n"
        "    child.wait(50)\n"
    )
    with proc.start([sys.executable, "-c", code], env=base(PYTHONPATH=str(Path.cwd())), cwd=Path.cwd()) as parent:
        child = int(parent.wait_for(r"^started (\d+)$", timeout_s=20, remedy="-").group(1))
        assert alive(child)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(10)
        gone(child)


def test_bytes_are_read_by_their_number_beside_lines():
    """As messages with a length are: a line says how many bytes come, which may hold ends of lines or none."""
    with converse("printf '5\\nab\\ncd7\\nno'; read -r x; printf ' end\\nlast\\n'") as talk:
        assert talk.read_line(timeout_s=20, remedy="-") == "5"
        assert talk.read_bytes(5, timeout_s=20, remedy="-") == b"ab\ncd"
        assert talk.read_line(timeout_s=20, remedy="-") == "7"
        talk.write_line("go on", remedy="-")
        assert talk.read_bytes(7, timeout_s=20, remedy="-") == b"no end\n"
        assert talk.read_line(timeout_s=20, remedy="-") == "last"
        with pytest.raises(ProcessError, match="exit code 0 in the middle"):
            talk.read_bytes(1, timeout_s=20, remedy="-")


def test_bytes_that_do_not_come_are_given_up():
    with converse("printf abc; read -r x") as talk, pytest.raises(TimeoutExpiredError):
        talk.read_bytes(4, timeout_s=0.2, remedy="-")
