"""An nginx before upstreams whose health says 503 or 200: what it passes on, what it logs, and who sends an RST.

Upstreams and nginx are those of the trap (:mod:`labkit.traps.http502`). Packets are counted on the loopback device
where the system lets this user read them (Linux, as root); elsewhere ``resets`` is None. Nothing is judged here.
"""

import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from typing import Final

from labkit.claims import trap_cases
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.traps import fetch
from labkit.traps.http502.pair import KEPT_TOO_LONG, Pair, start_upstream
from labkit.traps.http502.tree import leaves_of
from labkit.traps.nginx import Nginx
from labkit.traps.rig import Rig

_TOOLS: Final = ("nginx", "curl")
_RECIPE: Final = {"sources": trap_cases.sources("http502")}
_LOOPBACK: Final = "lo"
_ETHERNET_BYTES: Final = 14
_TCP: Final = 6
_RST: Final = 0x04
_WATCH_BYTES: Final = 1 << 22


class Busy(Record, frozen=True, kw_only=True):
    """One cause, and the status that a client gets of it."""

    cause: str
    about: str  # threads, or other
    status: int
    logged: str


class Closed(Record, frozen=True, kw_only=True):
    """One way in which an upstream whose health answers 200 ends a request without a response."""

    cause: str
    health: int
    status: int
    leaves: str  # of the log's lines
    resets: int | None  # packets with RST from the upstream; None: nobody may watch here
    logged: str


class Gateway(Record, frozen=True, kw_only=True):
    """All of it."""

    busy: tuple[Busy, ...]
    closed: tuple[Closed, ...]


_FRONT: Final = """
limit_req_zone $binary_remote_addr zone=few:1m rate=1r/m;
server {{ listen 127.0.0.1:{healthy}; location / {{ return 200 ok; }} }}
server {{
    listen 127.0.0.1:{front};
    location = /too-many-requests {{ limit_req zone=few; proxy_pass http://127.0.0.1:{healthy}; }}
    location = /maintenance {{ return 503; }}
    location = /application-says-so {{ proxy_pass http://127.0.0.1:{own}; }}
    location = /threads-busy {{ proxy_read_timeout 300ms; proxy_pass http://127.0.0.1:{silent}; }}
    location = /queue-full {{ proxy_connect_timeout 300ms; proxy_pass http://127.0.0.1:{full}; }}
    location = /closes {{ proxy_pass http://127.0.0.1:{fin}; }}
    location = /closes-in-the-header {{ proxy_pass http://127.0.0.1:{half}; }}
    location = /resets {{ proxy_pass http://127.0.0.1:{rst}; }}
}}
"""
_BEHAVIOURS: Final = {
    "own": "status:503",
    "silent": "silent",
    "full": "full",
    "fin": "fin",
    "half": "half",
    "rst": "rst",
    "health": "status:200",
}
_CAUSES: Final = (
    ("too-many-requests", "other"),
    ("maintenance", "other"),
    ("application-says-so", "other"),
    ("threads-busy", "threads"),
    ("queue-full", "threads"),
)
_ENDS: Final = (("closes", "fin"), ("closes-in-the-header", "half"), ("resets", "rst"))


@probe("gateway-health", tools=_TOOLS, recipe=_RECIPE)
def gateway(facts: ClaimFacts) -> Gateway:
    """Put each cause before one nginx, and ask."""
    facts.replaced_tool("nginx")  # what a test has put on PATH is not to be kept
    with trap_cases.rig("gateway") as rig:
        ports = {name: rig.port() for name in ("front", "healthy", *_BEHAVIOURS)}
        start_upstream(rig, {ports[name]: behaviour for name, behaviour in _BEHAVIOURS.items()})
        for name in _BEHAVIOURS:
            if name != "full":
                rig.listening(ports[name])
        server = Nginx(rig, "front", level="info")
        server.start(_FRONT.format(**ports))
        busy = tuple(_busy(rig, server, ports["front"], cause, about) for cause, about in _CAUSES)
        health = _asked(rig, ports["health"], "health")
        closed = [
            _closed(rig, server, ports["front"], ports[name], cause=cause, health=health) for cause, name in _ENDS
        ]
        closed.append(_reused(rig))
    return Gateway(busy=busy, closed=tuple(closed))


def _asked(rig: Rig, port: int, path: str) -> int:
    words = ("-o", os.devnull, "-w", "%{http_code}", f"http://127.0.0.1:{port}/{path}")
    return int(fetch.curl(rig, *words).stdout)


def _busy(rig: Rig, server: Nginx, front: int, cause: str, about: str) -> Busy:
    since = server.mark()
    _asked(rig, front, cause)  # the second one of a minute is one too many
    status = _asked(rig, front, cause)
    return Busy(cause=cause, about=about, status=status, logged=_last(server.said(since)))


def _closed(rig: Rig, server: Nginx, front: int, upstream: int, *, cause: str, health: int) -> Closed:
    since = server.mark()
    with _watched(upstream) as watch:
        status = _asked(rig, front, cause)
    said = server.said(since)
    return Closed(
        cause=cause, health=health, status=status, leaves=_leaves(said), resets=watch.resets, logged=_last(said)
    )


def _reused(rig: Rig) -> Closed:
    """Let nginx reuse a connection in the instant in which the upstream closes it for being idle."""
    pair = Pair(rig, "reused", KEPT_TOO_LONG)
    since = pair.nginx.mark()
    with _watched(pair.upstream) as watch:
        one = pair.race("POST")
    said = pair.nginx.said(since)
    return Closed(
        cause="idle-connection-reused",
        health=_asked(rig, pair.upstream, "health"),
        status=one.status,
        leaves=_leaves(said),
        resets=watch.resets,
        logged=_last(said),
    )


def _leaves(said: str) -> str:
    return ", ".join(leaves_of(said)) or "-"


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if "[info]" not in line]
    return lines[-1].partition("*")[2].partition(" ")[2] if lines else "-"


class _Watch:
    """Packets with RST that came from a port while it was watched."""

    resets: int | None = None


@contextlib.contextmanager
def _watched(port: int) -> Iterator[_Watch]:
    watch = _Watch()
    family = getattr(socket, "AF_PACKET", None)  # Linux alone has it
    if family is None:
        yield watch
        return
    try:
        tap = socket.socket(family, socket.SOCK_RAW, socket.htons(0x0800))
    except PermissionError:
        yield watch
        return
    with tap:
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WATCH_BYTES)
        tap.bind((_LOOPBACK, 0x0800))
        tap.setblocking(False)
        yield watch
        watch.resets = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, address = tap.recvfrom(65536)
                if address[2] != _OUTGOING and _is_reset(packet[_ETHERNET_BYTES:], port):
                    watch.resets += 1


_OUTGOING: Final = 4  # PACKET_OUTGOING: on the loopback device each packet is seen going and coming


def _is_reset(packet: bytes, port: int) -> bool:
    """Return whether an IPv4 packet is TCP's, from a port, with RST (RFC 791, section 3.1; RFC 9293, section 3.1)."""
    if packet[0] >> 4 != 4 or packet[9] != _TCP:  # noqa: PLR2004 - IP's version
        return False
    segment = packet[(packet[0] & 15) * 4 :]
    (source,) = struct.unpack_from(">H", segment)
    return bool(source == port and segment[13] & _RST)
