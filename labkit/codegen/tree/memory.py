"""Watches how much memory this process and those that it starts hold together, where the system shows it cheaply."""

import os
import sys
import threading
from pathlib import Path
from typing import Final, Self

_EVERY_S: Final = 0.05


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
        for task in Path("/proc/self/task").glob("*/children"):
            try:
                total += sum(self._resident(pid) for pid in task.read_text("ascii").split())
            except OSError:
                continue
        self._peak = max(self._peak, total)

    def _resident(self, pid: str) -> int:
        try:
            return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * self._page
        except (OSError, IndexError, ValueError):
            return 0
