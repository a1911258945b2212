"""A small service that serves one value of its configuration; run by the trap as a program of its own.

``reader.py MODE FILE PORT`` answers ``/value`` with FILE's content, ``/reads`` with how often it read it, and
``/status`` with its rights. MODE says when it reads FILE again: ``never``; ``file`` at an event of FILE itself;
``data`` when the volume's ``..data`` was replaced; ``always`` at each request; ``held`` too, from one open file.
With ``drop`` as fourth word it first becomes uid 65534 without any capability, for good.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

_NOBODY = 65534
_PR_CAPBSET_DROP = 24  # linux/prctl.h
_PR_SET_NO_NEW_PRIVS = 38
_LAST_CAPABILITY = 63


class Value:
    """The configuration as the service has it in memory."""

    def __init__(self, file: Path, mode: str) -> None:
        self._file = file
        self._mode = mode
        self._held = file.open(encoding="utf-8") if mode == "held" else None
        self.reads = 0
        self.text = ""

    def read(self) -> None:
        """Read the file once more."""
        self.text = self._file.read_text("utf-8").strip()
        self.reads += 1

    def now(self) -> str:
        """Return what a request is answered with."""
        if self._held is not None:
            self._held.seek(0)
            return self._held.read().strip()
        if self._mode == "always":
            self.read()
        return self.text


class OnEvent(FileSystemEventHandler):
    """Reads again at an event that is about the right name."""

    def __init__(self, value: Value, name: str | None) -> None:
        self._value = value
        self._name = name

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Look at one event; opening and reading are events too, and would never end."""
        if event.event_type not in {"created", "moved", "modified", "deleted", "closed"}:
            return
        names = {Path(os.fsdecode(path)).name for path in (event.src_path, event.dest_path) if path}
        if self._name is None or (self._name in names and event.event_type in {"created", "moved"}):
            try:
                self._value.read()
            except OSError as error:
                sys.stderr.write(f"reader: {error}\n")
                sys.stderr.flush()


def drop() -> None:
    """Become nobody without capabilities, which no later program of ours can get back."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        for capability in range(_LAST_CAPABILITY + 1):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")


def rights() -> str:
    """Return the lines of this process's status that say what it may do."""
    wanted = ("Uid:", "CapEff:", "CapBnd:", "NoNewPrivs:")
    status = Path("/proc/self/status")
    lines = status.read_text("utf-8").splitlines() if status.exists() else [f"Uid:\t{os.geteuid()}"]
    return "\n".join(line for line in lines if line.startswith(wanted))


def main() -> None:
    """Serve until ended."""
    mode, file, port, *more = sys.argv[1:]
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), BaseHTTPRequestHandler)
    server.daemon_threads = True
    # From within its folder, for nobody may not pass through a temporary folder of root's.
    os.chdir(Path(file).parent)
    name = Path(file).name
    if "drop" in more:
        drop()
    value = Value(Path(name), mode)
    if mode in {"file", "data"}:
        observer = Observer()
        watched = name if mode == "file" else "."
        observer.schedule(OnEvent(value, "..data" if mode == "data" else None), watched)
        observer.daemon = True
        observer.start()
    value.read()  # watching already: an update between the two would be lost
    answers: dict[str, Callable[[], str]] = {
        "/value": value.now,
        "/reads": lambda: str(value.reads),
        "/status": rights,
    }

    class Answer(BaseHTTPRequestHandler):
        """Answers a request; its log says nothing of values, as the symptom has it."""

        def do_GET(self) -> None:
            """Answer one path."""
            said = answers[self.path]().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the library's signature
            """Keep quiet about requests."""

    server.RequestHandlerClass = Answer
    server.serve_forever()


if __name__ == "__main__":
    main()
