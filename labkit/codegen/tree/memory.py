"""Watches how much memory this process and those that it starts hold together, where the system shows it cheaply."""

import os
import sys
import threading
from typing import Final, Self

_EVERY_S: Final = 0.1


class Watch:
    """Looks at the resident memory of this process and its children until its end; on Linux only.

    Pages that two processes share are counted twice, so it is never too low but for what rises and falls between two
    looks.
    """

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._peak = 0
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)
        self._page = os.sysconf("SC_PAGESIZE")

    def peak_bytes(self) -> int | None:
        """Return the highest sum seen so far, in bytes; None where nobody can look."""
        if sys.platform != "linux":
            return None
        self._once()
        return self._peak

    def __enter__(self) -> Self:
        if sys.platform == "linux":
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self._once()

    def _once(self) -> None:
        total = self._resident("self")
        for task in os.listdir("/proc/self/task"):  # noqa: PTH208 - ten times a second
            total += sum(map(self._resident, _read(f"/proc/self/task/{task}/children").split()))
        self._peak = max(self._peak, total)

    def _resident(self, pid: str) -> int:
        words = _read(f"/proc/{pid}/statm").split()
        return int(words[1]) * self._page if words else 0


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123 - ten times a second
            return file.read()
    except OSError:  # it has just ended
        return ""
