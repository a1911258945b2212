"""The faults that are put in one by one, as data: how the upstream behaves, nginx's location, what must come of it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault. ``{p}`` in the configuration is the port of its behaviour, ``{q}`` one on which nothing listens."""

    id: str
    behaviour: str | None  # of the upstream (see ``upstream.py``); None: nothing listens on ``{p}`` either
    location: str
    upstream: str = ""  # what stands beside the server block
    requests: int = 1  # how many; the last one's status counts
    statuses: tuple[int, ...]  # curl's 0: what came is not HTTP
    leaves: frozenset[str]  # of the lines that all its requests cause


_TO: Final = "proxy_pass http://127.0.0.1:{p};"


def _fault(id_: str, behaviour: str | None, status: int, leaf: str, *, location: str = _TO) -> Fault:
    return Fault(id=id_, behaviour=behaviour, location=location, statuses=(status,), leaves=frozenset({leaf}))


FAULTS: Final = (
    _fault("closes-at-once", "fin", 502, "closed-early"),
    _fault("half-a-header", "half", 502, "closed-early"),
    _fault("resets", "rst", 502, "reset"),
    _fault("nothing-listens", None, 502, "refused"),
    Fault(
        id="two-peers-down",
        behaviour=None,
        upstream="upstream two { server 127.0.0.1:{p}; server 127.0.0.1:{q}; }",
        location="proxy_pass http://two;",
        requests=2,
        statuses=(502,),
        leaves=frozenset({"refused", "no-live-peer"}),
    ),
    Fault(
        id="one-peer-down",
        behaviour=None,
        upstream="upstream single { server 127.0.0.1:{p} max_fails=1 fail_timeout=60s; }",
        location="proxy_pass http://single;",
        requests=4,
        statuses=(502,),
        leaves=frozenset({"refused"}),
    ),
    Fault(
        id="marked-down",
        behaviour="status:200",
        upstream="upstream marked { server 127.0.0.1:{p} down; }",
        location="proxy_pass http://marked;",
        statuses=(502,),
        leaves=frozenset({"no-live-peer"}),
    ),
    _fault("header-of-9-kb", "big", 502, "header-too-big", location="proxy_buffer_size 4k; " + _TO),
    _fault("never-answers", "silent", 504, "read-timeout", location="proxy_read_timeout 300ms; " + _TO),
    _fault("queue-full", "full", 504, "connect-timeout", location="proxy_connect_timeout 300ms; " + _TO),
    # nginx passes the bytes on as HTTP/0.9, which curl refuses (000); a newer one may say 502.
    Fault(id="speaks-tls", behaviour="tls", location=_TO, statuses=(0, 200, 502), leaves=frozenset({"not-http"})),
    _fault("speaks-no-tls", "plain", 502, "not-tls", location="proxy_pass https://127.0.0.1:{p};"),
    _fault("header-with-a-space", "header", 502, "header-broken"),
    _fault("socket-missing", None, 502, "socket-missing", location="proxy_pass http://unix:/nowhere/app.sock;"),
    _fault("body-cut", "cut", 200, "cut-body"),
    _fault(
        "name-unknown",
        "dns:3",
        502,
        "name-unknown",
        location="resolver 127.0.0.1:{p} ipv6=off; set $to nosuch.invalid; proxy_pass http://$to;",
    ),
    _fault(
        "resolver-fails",
        "dns:2",
        502,
        "resolver-failed",
        location="resolver 127.0.0.1:{p} ipv6=off; set $to nosuch.invalid; proxy_pass http://$to;",
    ),
    _fault(
        "resolver-silent",
        "dns:-1",
        502,
        "resolver-silent",
        location="resolver 127.0.0.1:{p} ipv6=off; resolver_timeout 1s; set $to nosuch.invalid; proxy_pass http://$to;",
    ),
    _fault("no-resolver", None, 502, "no-resolver", location="set $to nosuch.invalid; proxy_pass http://$to;"),
    Fault(id="says-503", behaviour="status:503", location=_TO, statuses=(503,), leaves=frozenset()),
    Fault(id="says-200", behaviour="status:200", location=_TO, statuses=(200,), leaves=frozenset()),
)
