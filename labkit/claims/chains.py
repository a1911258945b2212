"""Two chains of certificates broken in turn, before one nginx: what each side says, and what a listing says of a file.

Chains, nginx and curl are those of the trap (:mod:`labkit.traps.mtls`). Clients' files of authorities hold the root
alone, for with an intermediate in it OpenSSL builds and sends the whole chain by itself. Nothing is judged here.
"""

import contextlib
import re
from pathlib import Path
from typing import Final

from labkit.claims import trap_cases
from labkit.claims.facts import ClaimFacts, probe
from labkit.errors import TimeoutExpiredError
from labkit.model.base import Record
from labkit.traps.mtls.chains import Chains, Identity
from labkit.traps.mtls.front import Front, Server
from labkit.traps.parts import path_of
from labkit.traps.rig import Rig

_TOOLS: Final = ("nginx", "openssl", "curl")
_RECIPE: Final = {"sources": trap_cases.sources("mtls")}
#: Levels of nginx's error log; error is what it has by default.
_LEVELS: Final = ("error", "warn", "notice", "info")
_LOG_S: Final = 3.0
_VERDICT: Final = re.compile(r"Verify return code: (\d+ \([^)]*\))")
_TIME: Final = re.compile(r"^\S+ \S+ (\[\w+\]) \d+#\d+: ")


class Met(Record, frozen=True, kw_only=True):
    """One client at one server: which chains are whole, and what each side said."""

    server_whole: bool
    client_whole: bool
    status: int  # of HTTP, with curl --insecure, so that the server's chain is no matter
    s_client: str  # the verify return code, with its words
    logged: str  # by nginx, level info


class Cure(Record, frozen=True, kw_only=True):
    """What came of a bundle in ssl_client_certificate."""

    id: str
    gap: str  # whose chain lacks an intermediate: client or server
    intermediates: int  # in the client's chain
    depth: int  # ssl_verify_depth
    root: bool  # whether the bundle holds it
    status_before: int  # with the root alone in ssl_client_certificate
    status: int  # with the bundle; 0: no answer, for the client refused the server
    s_client: str
    logged: str


class Logged(Record, frozen=True, kw_only=True):
    """What nginx logs of one refusal at one level."""

    level: str
    refused_by: str  # server or client
    status: int
    lines: tuple[str, ...]


class Listing(Record, frozen=True, kw_only=True):
    """One file of certificates: what lists it and what verifies it."""

    id: str
    listing_code: int
    certificates: int
    verify_code: int
    verify_said: str


class Broken(Record, frozen=True, kw_only=True):
    """All of it."""

    met: tuple[Met, ...]
    cures: tuple[Cure, ...]
    logged: tuple[Logged, ...]
    listings: tuple[Listing, ...]


class _Setup:
    """Chains and the nginx of all cases."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.chains = Chains(rig.folder / "chains")
        self.server = self.chains.identity("server", intermediates=1)
        self.client = self.chains.identity("client", intermediates=1)
        self.deep = self.chains.identity("deep", intermediates=2)
        root, bundle = self.chains.root, self.chains.bundle
        whole = bundle("server-whole.pem", self.server.leaf, *self.server.intermediates)
        one = bundle("ca-bundle.pem", root, *self.client.intermediates)
        two = bundle("ca-bundle-deep.pem", root, *self.deep.intermediates)
        rootless = bundle("ca-bundle-rootless.pem", *self.client.intermediates)
        servers = [
            Server(id="whole", certificate=whole, trusted=root),
            Server(id="gap", certificate=self.server.leaf, trusted=root),
            Server(id="whole-bundle", certificate=whole, trusted=one),
            Server(id="gap-bundle", certificate=self.server.leaf, trusted=one),
            Server(id="rootless-bundle", certificate=whole, trusted=rootless),
            Server(id="deep-bundle", certificate=whole, trusted=two),
            Server(id="deep-bundle-3", certificate=whole, trusted=two, depth=3),
            *(Server(id=f"level-{level}", certificate=whole, trusted=root, level=level) for level in _LEVELS),
            *(
                Server(id=f"gap-level-{level}", certificate=self.server.leaf, trusted=root, level=level)
                for level in _LEVELS
            ),
        ]
        self.front = Front(rig, "front", tuple(servers), self.server.key)

    def whole(self, identity: Identity) -> Path:
        """Return a client's file with its whole chain."""
        return self.chains.bundle(f"{identity.name}-whole.pem", identity.leaf, *identity.intermediates)

    def ask(self, server: str, identity: Identity, *more: str, whole: bool = False) -> tuple[int, str]:
        """Send a request; return the status and what nginx logged at info or above."""
        file = self.whole(identity) if whole else identity.leaf
        before = len(self.lines(server))
        answer = self.front.ask(server, ca=self.chains.root, certificate=file, key=identity.key, more=more)
        return answer.status, "; ".join(self.lines(server)[before:])

    def lines(self, server: str) -> tuple[str, ...]:
        """Return the lines of a server's log that are about TLS, without their times."""
        log = (self.rig.folder / f"front-{server}.log").read_text("utf-8", "replace").splitlines()
        return tuple(_TIME.sub(r"\1 ", line) for line in log if "SSL" in line)

    def s_client(self, server: str, identity: Identity, *, whole: bool = False) -> str:
        """Return the verify return code that s_client prints."""
        port = self.front.ports[server]
        words: list[str | Path] = ["s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", self.chains.root]
        words += ["-cert", identity.leaf, "-key", identity.key]
        words += ["-cert_chain", self.whole(identity)] if whole else []
        found = _VERDICT.search(self.rig.run([path_of("openssl"), *words], check=False, stdin=b"").stdout)
        return found[1] if found else "-"


@probe("mtls-chains", tools=_TOOLS, recipe=_RECIPE)
def broken(facts: ClaimFacts) -> Broken:
    """Break the server's and the client's chain in turn, and ask both sides."""
    facts.progress("nginx: chains of certificates broken in turn")
    with trap_cases.rig("chains") as rig:
        setup = _Setup(rig)
        return Broken(met=_met(setup), cures=_cures(setup), logged=_logged(setup), listings=_listings(setup))


def _met(setup: _Setup) -> tuple[Met, ...]:
    found = []
    for server in ("whole", "gap"):
        for whole in (True, False):
            status, logged = setup.ask(server, setup.client, "--insecure", whole=whole)
            found.append(
                Met(
                    server_whole=server == "whole",
                    client_whole=whole,
                    status=status,
                    s_client=setup.s_client(server, setup.client, whole=whole),
                    logged=logged,
                )
            )
    return tuple(found)


def _cures(setup: _Setup) -> tuple[Cure, ...]:
    plans = (
        ("whole", "whole-bundle", setup.client, "client", 1, True, False),
        ("whole", "rootless-bundle", setup.client, "client", 1, False, False),
        ("whole", "deep-bundle", setup.deep, "client", 1, True, False),
        ("whole", "deep-bundle-3", setup.deep, "client", 3, True, False),
        ("gap", "gap-bundle", setup.client, "server", 1, True, True),
    )
    found = []
    for before, after, identity, gap, depth, root, whole in plans:
        was, _ = setup.ask(before, identity, whole=whole)
        status, logged = setup.ask(after, identity, whole=whole)
        found.append(
            Cure(
                id=after,
                gap=gap,
                intermediates=len(identity.intermediates),
                depth=depth,
                root=root,
                status_before=was,
                status=status,
                s_client=setup.s_client(after, identity, whole=whole),
                logged=logged,
            )
        )
    return tuple(found)


def _logged(setup: _Setup) -> tuple[Logged, ...]:
    found = []
    for refused_by, head, whole in (("server", "level", False), ("client", "gap-level", True)):
        statuses = {level: setup.ask(f"{head}-{level}", setup.client, whole=whole)[0] for level in _LEVELS}
        # A client that has refused goes before nginx has written why. One worker serves all, info comes last.
        with contextlib.suppress(TimeoutExpiredError):
            setup.rig.until("a line on the handshake", lambda: setup.lines(f"{head}-info"), timeout_s=_LOG_S)  # noqa: B023
        found += [
            Logged(level=level, refused_by=refused_by, status=status, lines=setup.lines(f"{head}-{level}"))
            for level, status in statuses.items()
        ]
    return tuple(found)


def _listings(setup: _Setup) -> tuple[Listing, ...]:
    deep, bundle = setup.deep, setup.chains.bundle
    next_to_leaf, next_to_root = deep.intermediates
    other = setup.client.intermediates[0]
    files = {
        "whole": bundle("list-whole.pem", deep.leaf, next_to_leaf, next_to_root),
        "without the intermediate next to the leaf": bundle("list-gap.pem", deep.leaf, next_to_root),
        "with a stranger in place of an intermediate": bundle("list-other.pem", deep.leaf, other, next_to_root),
        "the leaf alone": bundle("list-leaf.pem", deep.leaf),
    }
    openssl, root = path_of("openssl"), setup.chains.root
    found = []
    for id_, file in files.items():
        packed = setup.rig.run([openssl, "crl2pkcs7", "-nocrl", "-certfile", file], check=False)
        listed = setup.rig.run([openssl, "pkcs7", "-print_certs", "-noout"], check=False, stdin=packed.stdout_bytes)
        verify: list[str | Path] = ["verify", "-CAfile", root, "-untrusted", file, deep.leaf]
        verified = setup.rig.run([openssl, *verify], check=False)
        said = re.findall(r"error \d+ at .*", verified.stdout + verified.stderr)
        found.append(
            Listing(
                id=id_,
                listing_code=max(packed.returncode, listed.returncode),
                certificates=listed.stdout.count("subject"),
                verify_code=verified.returncode,
                verify_said=said[0] if said else "OK",
            )
        )
    return tuple(found)
