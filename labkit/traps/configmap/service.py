"""The service of :mod:`.reader`, started on a volume's file and asked over HTTP."""

import contextlib
import http.client
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from labkit.system.proc import Running
from labkit.traps import private
from labkit.traps.fetch import get
from labkit.traps.rig import Rig

_READER: Final = Path(__file__).parent / "reader.py"
_POLL_S: Final = 0.02


class Service:
    """One process of the service.

    Args:
        rig: Where it runs.
        file: What it reads.
        mode: When it reads it, as :mod:`.reader` has it.
        more: ``drop`` to run without rights.
        over: Files and folders to cover others with, in a namespace of its own.

    """

    def __init__(self, rig: Rig, file: Path, mode: str, *more: str, over: Mapping[Path, Path] | None = None) -> None:
        self.port = rig.port()
        words = [sys.executable, "-I", str(_READER), mode, str(file), str(self.port), *more]
        if over is not None:
            words = private.command(words, over)
        self.child: Running = rig.start(f"the service that reads {mode}", words)
        rig.until("the service's first answer", self.value)

    def value(self) -> str:
        """Return what it answers with."""
        return self._ask("/value")

    def reads(self) -> int:
        """Return how often it has read its file."""
        return int(self._ask("/reads"))

    def rights(self) -> str:
        """Return what its process may do."""
        return self._ask("/status")

    def becomes(self, text: str, *, patience_s: float) -> bool:
        """Wait until it answers with a text; False when it does not within a time."""
        deadline = time.monotonic() + patience_s
        while self.value() != text:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def watches(self) -> int | None:
        """Return how many inotify descriptors its process holds; None where that cannot be seen."""
        folder = Path(f"/proc/{self.child.pid}/fd")
        if not folder.is_dir():
            return None
        return sum("inotify" in str(link.readlink()) for link in folder.iterdir() if link.is_symlink())

    def said(self) -> str:
        """Return what it wrote to its log."""
        return "".join(stream.decode("utf-8", "replace") for stream in self.child.output()).strip()

    def _ask(self, path: str) -> str:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return get(self.port, path)[1]
        return ""
