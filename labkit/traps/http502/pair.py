"""One nginx before one upstream that closes idle connections, and the instant in which that goes wrong."""

import contextlib
import http.client
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from labkit.system.proc import Running
from labkit.traps import fetch
from labkit.traps.nginx import Nginx
from labkit.traps.parts import path_of
from labkit.traps.rig import Rig

_PROGRAM: Final = Path(__file__).with_name("upstream.py")
#: The upstream closes a connection that was idle for so long; nginx's own time before and after the fix.
IDLE_S: Final = 1.0
KEPT_TOO_LONG: Final = "60s"
KEPT: Final = "200ms"
#: The worker is held when so much of the upstream's time has passed: late enough for nginx to have closed if it does.
_NEARLY_S: Final = 0.6
_TRIES: Final = 20


class State(msgspec.Struct, frozen=True):
    """What the upstream tells of itself."""

    requests: int
    closed_idle: int
    closed_by_peer: int
    open: int
    idle_s: float


@dataclass(frozen=True, kw_only=True)
class Round:
    """What came of one request in that instant."""

    status: int
    reused: bool  # the upstream closed its connection while nginx still held it for idle


class Pair:
    """One nginx before one upstream that closes idle connections after :data:`IDLE_S`."""

    def __init__(self, rig: Rig, name: str, kept: str) -> None:
        self._rig = rig
        self.port, self.upstream, self._control = rig.port(), rig.port(), rig.port()
        self.child = start_upstream(rig, {self.upstream: f"keepalive:{IDLE_S}", self._control: "control"})
        rig.listening(self._control)
        rig.listening(self.upstream)
        self.nginx = Nginx(rig, name)
        self.nginx.start(self.http(kept))

    def http(self, kept: str) -> str:
        """Return the http block with an idle time."""
        return f"""
    upstream orders {{
        server 127.0.0.1:{self.upstream};
        keepalive 8;
        keepalive_timeout {kept};
    }}
    server {{
        listen 127.0.0.1:{self.port};
        location / {{
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://orders;
        }}
    }}"""

    def state(self) -> State:
        """Return what the upstream tells."""
        return msgspec.json.decode(fetch.get(self._control, "/")[1], type=State)

    def race(self, method: str) -> Round:
        """Send a request in the instant in which the upstream closes the connection that nginx would reuse.

        The instant is made long by holding nginx's worker, as a busy machine would, while the upstream's own timer
        ends the connection. A round in which the upstream was earlier than the hold is done again.
        """
        for _ in range(_TRIES):
            client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            with contextlib.closing(client):
                client.request("GET", "/orders")
                client.getresponse().read()
                before = self.state()
                self._rig.until("the idle time", lambda: _late(self.state()))
                with _held(self._rig, self.nginx.worker()):
                    held = self.state()
                    if held.closed_idle > before.closed_idle:
                        continue
                    client.request(method, "/orders", body="{}" if method == "POST" else None)
                    self._rig.until("the end of the idle connection", lambda: self.state().open == 0)
                    reused = self.state().closed_idle > before.closed_idle
                answer = client.getresponse()
                answer.read()
                return Round(status=answer.status, reused=reused)
        self._rig.until("a round that was in time", lambda: None, timeout_s=0)
        raise AssertionError  # until has raised


def _late(state: State) -> bool:
    return state.open == 0 or state.idle_s >= _NEARLY_S


@contextlib.contextmanager
def _held(rig: Rig, pid: int) -> Iterator[None]:
    """Hold a process still."""
    os.kill(pid, signal.SIGSTOP)
    try:
        ps = path_of("ps")
        rig.until("nginx's worker held", lambda: rig.run([ps, "-o", "stat=", "-p", str(pid)]).stdout.startswith("T"))
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def start_upstream(rig: Rig, plan: Mapping[int, str]) -> Running:
    """Start the faulty upstream: port to behaviour."""
    argument = json.dumps({str(port): behaviour for port, behaviour in plan.items()})
    return rig.start("the upstream", [sys.executable, "-I", _PROGRAM, argument])
