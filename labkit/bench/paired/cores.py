"""The core that both processes of a pair share, where the system lets a program choose (Linux). Measures nothing.

Two processes that take turns stay on two cores, each on its own, for as long as the pair lasts. Where another tenant
has the second thread of one of these cores, one arm is slower by a quarter to a half for the whole pair, and CPU time
does not see it. On one core the neighbour hits both alike. macOS has no such call, and its chips no second threads.
"""

import contextlib
import os
import sys
from collections.abc import Iterator


def available() -> tuple[int, ...]:
    """Return the numbers of the cores that this process may use; empty where it cannot choose."""
    return tuple(sorted(os.sched_getaffinity(0))) if sys.platform == "linux" else ()


@contextlib.contextmanager
def children_on(core: int | None) -> Iterator[None]:
    """Hold what the calling thread starts meanwhile to one core, itself only meanwhile; None holds nothing."""
    if sys.platform != "linux" or core is None:
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)
