"""Keeps a notebook that measures alone on its machine, among all workers that this user has started there.

A lock file that they share: a notebook that measures nothing holds it with the others, one that measures holds it
alone. The driver plans so that nobody waits for it; it is there for two drivers, and for a driver that does not know
better.
"""

import contextlib
import fcntl
import os
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from labkit.system.store import saying_why

_POLL_S: Final = 0.2
_TOKEN_LENGTH: Final = 32


def lock_file() -> Path:
    """Return the lock's path: the same for all workers of a user on a machine, whatever their LABKIT_HOME."""
    return Path(tempfile.gettempdir()) / f"labkit-{os.getuid()}.cores"


def token() -> str:
    """Return what the workers that share the lock have in common, made at random by the first of them.

    Raises:
        StoreError: The lock cannot be opened.

    """
    with _opened() as descriptor:
        found = os.pread(descriptor, _TOKEN_LENGTH, 0)
        if len(found) < _TOKEN_LENGTH:  # never locked once it is there: who measures has the lock for hours
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            found = os.pread(descriptor, _TOKEN_LENGTH, 0)
            if len(found) < _TOKEN_LENGTH:
                found = secrets.token_hex(_TOKEN_LENGTH // 2).encode()
                os.pwrite(descriptor, found, 0)
        return found.decode("ascii", "replace")


@contextlib.contextmanager
def held(*, alone: bool, wanted: Callable[[], bool]) -> Iterator[bool]:
    """Share the machine's cores, or have them alone; gives False when it was no longer ``wanted`` while it waited.

    Raises:
        StoreError: The lock cannot be opened.

    """
    how = (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB
    pause = threading.Event()
    with _opened() as descriptor:
        while True:
            try:
                fcntl.flock(descriptor, how)
            except BlockingIOError:
                if not wanted():
                    yield False
                    return
                pause.wait(_POLL_S)
            else:
                yield True
                return


@contextlib.contextmanager
def _opened() -> Iterator[int]:
    with saying_why("cannot open the lock of this machine's cores"):
        # the folder may be everybody's: no link is followed, and nobody else may write
        descriptor = os.open(lock_file(), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
