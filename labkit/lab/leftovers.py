"""Finds what a notebook started and left behind, and ends it.

A child that made a session of its own has left its kernel's process group. Three things still lead to it: the mark in
its environment, which Linux and macOS show of the same user's processes; its parents, as long as they live; and, where
it cleared its environment and its parents are gone, on Linux alone, that it comes to us instead of to the system's
first process (:func:`ending`).
"""

import contextlib
import ctypes
import logging
import os
import secrets
import sys
import time
from collections.abc import Iterator
from typing import Final

import psutil

from labkit.system.proc import groups_of_ours

log = logging.getLogger(__name__)

#: Carries the mark: ``<batch>.<run>.<notebook>.<random>``.
VARIABLE: Final = "LABKIT_NOTEBOOK"
_END_S: Final = 5.0
_PR_SET_CHILD_SUBREAPER: Final = 36  # linux/prctl.h


def mark(begins: str) -> str:
    """Return a new mark for one execution of a notebook."""
    return f"{begins}.{secrets.token_hex(8)}"


def end(wanted: str) -> int:
    """End every process whose mark starts so, and return how many there were; labkit's own are never meant."""
    return _end(set(_marked(wanted)))


class Kernel:
    """What a notebook's kernel has started, as far as it was looked at."""

    def __init__(self) -> None:
        self.seen: set[psutil.Process] = set()

    def look(self, pid: int) -> None:
        """Remember what a kernel has started: once it is gone nothing leads from it to them."""
        with contextlib.suppress(psutil.Error):
            self.seen |= set(psutil.Process(pid).children(recursive=True))


@contextlib.contextmanager
def ending(wanted: str) -> Iterator[Kernel]:
    """Execute a notebook, and at the end, when its kernel is gone, end what it has left behind.

    Args:
        wanted: The mark of what it starts.

    """
    kernel, before = Kernel(), _children()
    with _heir():
        try:
            yield kernel
        finally:
            deadline = time.monotonic() + _END_S
            left = kernel.seen | set(_marked(wanted)) | _inherited(before)
            while left and time.monotonic() < deadline:
                _end(left)
                left = _inherited(before)  # what the ended ones had started


def _end(found: set[psutil.Process]) -> int:
    own = {os.getpid(), os.getppid()}
    meant = [process for process in found if process.pid not in own and process.is_running()]
    alive = [process for process in meant if _alive(process)]
    for process in alive:
        log.info("ending what a notebook left behind: process %d", process.pid)
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(meant, timeout=_END_S)
    return len(alive)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _marked(wanted: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(VARIABLE, "").startswith(wanted) and process.status() != psutil.STATUS_ZOMBIE:
                yield process


@contextlib.contextmanager
def _heir() -> Iterator[None]:
    """Meanwhile what loses its parent below us becomes our child; where the system has no such thing, nothing."""
    if sys.platform != "linux":
        yield
        return
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _inherited(before: set[psutil.Process]) -> set[psutil.Process]:
    """Return the children that we have neither had before nor started ourselves, with all theirs."""
    if sys.platform != "linux":
        return set()
    ours = groups_of_ours()
    found = {process for process in _children() - before if process.pid not in ours}
    for process in list(found):
        with contextlib.suppress(psutil.Error):
            found |= set(process.children(recursive=True))
    return found


def _children() -> set[psutil.Process]:
    return set(psutil.Process().children())
