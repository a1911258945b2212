"""A target for Prometheus whose answers are slow: a program of the standard library alone, run as a child.

Its arguments are its port and the seconds that its answers take, one after another and over again. It is no module of
labkit's: nothing imports it, and it imports nothing of labkit.
"""

import itertools
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DELAYS_S = itertools.cycle(float(word) for word in sys.argv[2:])
LOCK = threading.Lock()


class Metrics(BaseHTTPRequestHandler):
    """Answers every GET with one sample, late."""

    def do_GET(self) -> None:
        """Take the next delay, then answer."""
        with LOCK:
            delay_s = next(DELAYS_S)
        time.sleep(delay_s)
        body = b"# TYPE orders_total counter\norders_total 1\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Metrics).serve_forever()
