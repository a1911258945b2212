"""A module proxy on loopback that serves folders and remembers what it was asked.

It speaks the proxy's protocol (https://go.dev/ref/mod#goproxy-protocol) from folders laid out as the module cache lays
them out (``cache/download``), the first that holds a file winning. A commit is answered with the pseudo-version that
names it, as public proxies do. What a checksum database signed, and Go kept, is passed on as a mirror may.
"""

import re
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import unquote

from labkit.model.resolution import Asked

_COMMIT: Final = re.compile(r"(?P<folder>.*/@v)/(?P<commit>[0-9a-f]{7,40})\.info")
_RELEASE: Final = re.compile(r"v\d+\.\d+\.\d+\.zip")


class Proxy:
    """A recording proxy; serves within its ``with``.

    Args:
        roots: The folders it serves from.
        mirrors: Whether it says that it mirrors the checksum database, of which it needs the cached answers.

    """

    def __init__(self, roots: Sequence[Path], *, mirrors: bool = False) -> None:
        self._roots = tuple(roots)
        self._mirrors = mirrors
        self._asked: list[Asked] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """Its address, for GOPROXY."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def taken(self) -> tuple[Asked, ...]:
        """Return what it was asked since the last call."""
        with self._lock:
            asked, self._asked = tuple(self._asked), []
        return asked

    def answer(self, path: str) -> bytes | None:
        """Return the answer to a request, None when there is none; it is remembered as asked."""
        found = self._find(path)
        with self._lock:
            self._asked.append(Asked(path=path, status=404 if found is None else 200))
        return found

    def _find(self, path: str) -> bytes | None:
        listed = path.endswith("/@v/list")
        if ".." in path.split("/") or (path.startswith("sumdb/") and not self._mirrors):
            return None
        if path.startswith("sumdb/") and path.endswith("/supported"):
            return b""
        # Go's own lists hold what it happened on; only a list that was made for the occasion counts.
        for root in self._roots[: 1 if listed else None]:
            if (root / path).is_file():
                return (root / path).read_bytes()
        if listed:
            return self._versions(path.removesuffix("/list"))
        commit = _COMMIT.fullmatch(path)
        return self._pseudo_version(commit["folder"], commit["commit"]) if commit else None

    def _versions(self, folder: str) -> bytes | None:
        names = {
            file.stem for root in self._roots for file in (root / folder).glob("*.zip") if _RELEASE.fullmatch(file.name)
        }
        return "".join(f"{name}\n" for name in sorted(names)).encode() if names else None

    def _pseudo_version(self, folder: str, commit: str) -> bytes | None:
        for root in self._roots:
            for file in sorted((root / folder).glob(f"*-{commit[:12]}*.info")):
                return file.read_bytes()
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            def do_GET(self) -> None:
                """Answer it."""
                body = proxy.answer(unquote(self.path.lstrip("/")))
                self.send_response(404 if body is None else 200)
                text = b"not found: this recording proxy does not hold it" if body is None else body
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Say nothing on standard error."""

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
