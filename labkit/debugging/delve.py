"""Starts dlv as a debug adapter on 127.0.0.1, and leaves no process behind: neither dlv nor what it started.

dlv gives the program that it starts a process group of its own and lets it run on when dlv itself is killed. So the
program is taken over by :func:`labkit.system.proc.adopted` as soon as dlv names it, and whatever else dlv started is
looked for among its children.
"""

import contextlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from labkit.debugging.dap import Client
from labkit.debugging.permission import NotPermittedError, is_refusal, rights
from labkit.errors import LabError, ProcessError, ProvisionError, TimeoutExpiredError, UsageError
from labkit.machine import read as read_machine
from labkit.system import proc
from labkit.system.environment import base

START_TIMEOUT_S: Final = 60.0
_END_TIMEOUT_S: Final = 10.0
_LISTENING: Final = r"server listening at: (127\.0\.0\.1):(\d+)"
_TOO_OLD: Final = re.compile(r"Version of Delve is too old for Go version (?:go)?(\S+)")
_GO_TOO_OLD: Final = re.compile(r"Go version (?:go)?(\S+) is too old for this version of Delve")


@dataclass(kw_only=True)
class Debugger:
    """A running dlv with a connection to it."""

    running: proc.Running
    client: Client
    left: list[str] = field(default_factory=list)  # set at the end: what still ran
    _group: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _adopted: set[int] = field(default_factory=set)

    def adopt(self) -> None:
        """Take over what dlv has started by now, so that it ends with us whatever happens to dlv."""
        for pid in {*self.client.processes, *children(self.running.pid)} - self._adopted - {0}:
            self._adopted.add(pid)
            self._group.enter_context(proc.adopted(pid))

    def end(self) -> None:
        """End the session: dlv ends what it started and itself; what is left then is ended by us and told."""
        with proc.ignoring_interrupts():
            self.adopt()
            with contextlib.suppress(LabError):
                self.client.request("disconnect", {"terminateDebuggee": True}, timeout_s=_END_TIMEOUT_S)
            self.client.close()
            with contextlib.suppress(TimeoutExpiredError):
                proc.wait_until(lambda: not self.running.alive(), timeout_s=_END_TIMEOUT_S, what="dlv's end")
            known = {*self._adopted, *children(self.running.pid), self.running.pid}
            self.left = [str(pid) for pid in sorted(known) if _alive(pid)]
            for pid in self._adopted:
                _kill(pid)
            self._group.close()


@contextlib.contextmanager
def adapter(
    dlv: Path, *, env: Mapping[str, str], cwd: Path | None = None, port: int = 0, words: Sequence[str] = ("dap",)
) -> Iterator[Debugger]:
    """Start dlv and connect to it; at the end both dlv and its program are gone.

    Args:
        dlv: The program.
        env: Its environment; its own settings file is kept out of the user's folders.
        cwd: Its folder, which is the program's too unless a request says otherwise.
        port: Of 127.0.0.1 to listen on; a free one when 0.
        words: What it is asked to be: ``dap``, or ``exec PROGRAM --headless`` and its like.

    Raises:
        UsageError: The port is in use.
        ProcessError: dlv did not start.

    """
    with tempfile.TemporaryDirectory(prefix="labkit-dlv-") as settings:
        own = dict(env) | {"XDG_CONFIG_HOME": settings}
        argv: list[str | Path] = [dlv, words[0], f"--listen=127.0.0.1:{port}", *words[1:]]
        with proc.start(argv, env=own, cwd=cwd) as running, opened(running, port=port) as debugger:
            yield debugger


@contextlib.contextmanager
def opened(running: proc.Running, *, port: int = 0) -> Iterator[Debugger]:
    """Connect to a dlv that was started to listen on 127.0.0.1; at the end it has ended.

    Raises:
        UsageError: The port is in use.
        ProcessError: dlv did not start, or its words mean one of :func:`explained`.

    """
    try:
        match = running.wait_for(_LISTENING, timeout_s=START_TIMEOUT_S, remedy="read what dlv says")
    except ProcessError as error:
        raise explained(error, port=port) from error
    try:
        with Client(match.group(1), int(match.group(2))) as client:
            debugger = Debugger(running=running, client=client)
            try:
                yield debugger
            finally:
                debugger.end()
    finally:
        for pid in children(running.pid):
            _kill(pid)


def explained(error: ProcessError, *, port: int = 0) -> LabError:
    """Return what dlv's words mean, with the remedy; the error itself when they mean nothing known."""
    said = error.what
    if "address already in use" in said:
        return UsageError(
            f"port {port} of 127.0.0.1 is in use, so dlv cannot listen there",
            remedy=f"name another one with --port, leave it out for a free one, or see who has it: lsof -i :{port}",
        )
    if (match := _TOO_OLD.search(said)) is not None:
        return ProvisionError(
            f"dlv is too old for the program's Go {match.group(1)}: {_line(said)}",
            remedy="take a set whose dlv fits (labkit setup --toolchain current --with dlv), or a newer dlv",
        )
    if (match := _GO_TOO_OLD.search(said)) is not None:
        return ProvisionError(
            f"the program's Go {match.group(1)} is too old for this dlv: {_line(said)}",
            remedy="take a set with an older dlv (--toolchain handbook), or build the program with a newer Go",
        )
    if is_refusal(said):
        system = read_machine().system
        return NotPermittedError(_line(said), rights(system))
    return error


def _line(said: str) -> str:
    return " ".join(said.split())


def children(pid: int) -> tuple[int, ...]:
    """Return the processes that a process has started and that live, also those in groups of their own."""
    return tuple(child for child, parent in _parents() if parent == pid)


def _parents() -> Iterator[tuple[int, int]]:
    if sys.platform != "linux":
        listed = proc.run([Path("/bin/ps"), "-axo", "pid=,ppid="], env=base(), timeout_s=20, check=False)
        for line in listed.stdout.splitlines():
            pid, parent = line.split()
            yield int(pid), int(parent)
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                # the name stands in parentheses and may hold anything, so it is read from the last one on
                after = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                yield int(entry.name), int(after[1])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _zombie(pid)


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
