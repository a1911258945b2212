"""Finds what a notebook started and left behind, by a mark in its environment, and ends it.

A child that made a session of its own has left its kernel's process group, and once its parent ended nothing leads to
it but its environment. Linux and macOS show the environment of the same user's processes.
"""

import contextlib
import logging
import os
import secrets
from collections.abc import Iterator
from typing import Final

import psutil

log = logging.getLogger(__name__)

#: Carries the mark: ``<batch>.<run>.<notebook>.<random>``.
VARIABLE: Final = "LABKIT_NOTEBOOK"


def mark(begins: str) -> str:
    """Return a new mark for one execution of a notebook."""
    return f"{begins}.{secrets.token_hex(8)}"


def end(wanted: str) -> int:
    """End every process whose mark starts so, and return how many there were; labkit's own are never meant."""
    own = {os.getpid(), os.getppid()}
    found = [process for process in _marked(wanted) if process.pid not in own]
    for process in found:
        log.info("ending what a notebook left behind: process %d", process.pid)
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(found, timeout=5)
    return len(found)


def _marked(wanted: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(VARIABLE, "").startswith(wanted) and process.status() != psutil.STATUS_ZOMBIE:
                yield process
