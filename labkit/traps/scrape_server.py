"""One Prometheus with one slow target, and what it tells of it. Judges nothing."""

import json
import sys
from pathlib import Path
from typing import Final

import msgspec

from labkit.traps import fetch
from labkit.traps.parts import path_of
from labkit.traps.rig import Rig

TARGET: Final = Path(__file__).with_name("scrape_target.py")
INTERVAL: Final = "2s"
#: Seconds that every answer of the target takes: more than the short timeout, much less than the long one.
LATENCY_S: Final = 0.4
_OK: Final = 200

CONFIGURATION: Final = """\
global:
  scrape_interval: {interval}
  scrape_timeout: {timeout}
scrape_configs:
  - job_name: orders
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


class Target(msgspec.Struct, frozen=True, rename="camel"):
    """One target as Prometheus tells of it (the fields that are looked at)."""

    health: str  # up, down or unknown
    last_error: str
    last_scrape: str  # RFC 3339
    last_scrape_duration: float  # s
    scrape_timeout: str


class _Targets(msgspec.Struct, frozen=True, rename="camel"):
    active_targets: tuple[Target, ...]


class _Answer(msgspec.Struct, frozen=True):
    data: _Targets


class Server:
    """One Prometheus and one slow target."""

    def __init__(self, rig: Rig, name: str, timeout: str, *, program: Path = TARGET) -> None:
        self._rig = rig
        self.target, self.port = rig.port(), rig.port()
        self.folder = rig.folder / name
        self.folder.mkdir()
        self.configuration = self.folder / "prometheus.yml"
        self.configure(timeout)
        rig.start("the target", [sys.executable, "-I", program, str(self.target), str(LATENCY_S)])
        rig.listening(self.target)
        rig.start(
            "prometheus",
            [
                path_of("prometheus"),
                f"--config.file={self.configuration}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--web.enable-lifecycle",
                "--log.level=warn",
            ],
        )

    def configure(self, timeout: str) -> None:
        """Write the configuration with a timeout."""
        self.configuration.write_text(CONFIGURATION.format(interval=INTERVAL, timeout=timeout, port=self.target))

    def state(self) -> Target | None:
        """Return the target as the server sees it; None before it knows it."""
        try:
            status, body = fetch.get(self.port, "/api/v1/targets?state=active")
        except OSError:  # it does not listen yet
            return None
        targets = msgspec.json.decode(body, type=_Answer).data.active_targets if status == _OK else ()
        return targets[0] if targets else None

    def scraped(self, *, after: str = "", timeout: str) -> Target:
        """Wait for a scrape under a timeout that began after another one (its ``last_scrape``)."""

        def newer() -> Target | None:
            now = self.state()
            done = now is not None and now.health != "unknown" and now.last_scrape != after
            return now if now is not None and done and now.scrape_timeout == timeout else None

        return self._rig.until(f"a scrape with a timeout of {timeout}", newer)

    def reload(self) -> tuple[int, str]:
        """Ask for the configuration to be read again; return the status and what it said."""
        return fetch.get(self.port, "/-/reload", method="POST")

    def value(self, query: str) -> float | None:
        """Return the value of a query's only series; None when there is none."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query"
        done = fetch.curl(self._rig, "-G", "--data-urlencode", f"query={query}", url)
        result = json.loads(done.stdout)["data"]["result"]
        return float(result[0]["value"][1]) if result else None
