"""An nginx that asks clients for certificates, one server block a case, and what its clients and logs then say."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.system.proc import Completed
from labkit.traps import fetch
from labkit.traps.mtls.chains import Identity
from labkit.traps.nginx import Nginx
from labkit.traps.parts import path_of
from labkit.traps.rig import Rig

_VERIFY_ERROR: Final = re.compile(r"client SSL certificate verify error: \((\d+):([^)]*)\)")
_VERDICT: Final = re.compile(r"Verify return code: (\d+)")


@dataclass(frozen=True, kw_only=True)
class Server:
    """One server block: what it sends, whom it trusts, how deep it looks, how much it logs."""

    id: str
    certificate: Path
    trusted: Path
    depth: int | None = None  # nginx's own, 1, when None
    level: str = "info"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a client got, and what its server logged about its certificate."""

    status: int
    body: str
    code: int | None
    said: str
    handshake_failed: bool  # whether the log speaks of SSL_do_handshake()


class Front:
    """One nginx with a server block for each case, each with a port and an error log of its own."""

    def __init__(self, rig: Rig, name: str, servers: tuple[Server, ...], key: Path) -> None:
        self._rig = rig
        self.ports = {server.id: rig.port() for server in servers}
        self._logs = {server.id: rig.folder / f"{name}-{server.id}.log" for server in servers}
        Nginx(rig, name).start("\n".join(self._block(server, key) for server in servers))

    def _block(self, server: Server, key: Path) -> str:
        depth = f"ssl_verify_depth {server.depth};" if server.depth else ""
        return f"""
    server {{
        listen 127.0.0.1:{self.ports[server.id]} ssl;
        error_log {self._logs[server.id]} {server.level};
        ssl_certificate {server.certificate};
        ssl_certificate_key {key};
        ssl_client_certificate {server.trusted};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_verify_client on;
        {depth}
        location / {{ return 200 "$ssl_client_verify $ssl_client_s_dn\\n"; }}
    }}"""

    def ask(self, id_: str, *, ca: Path, certificate: Path, key: Path, more: tuple[str, ...] = ()) -> Answer:
        """Send a request with a client's certificate, and read what the server logged meanwhile."""
        log = self._logs[id_]
        since = len(log.read_bytes())
        url = f"https://127.0.0.1:{self.ports[id_]}/"
        options: list[str | Path] = [
            "--cacert",
            ca,
            "--cert",
            certificate,
            "--key",
            key,
            "-w",
            "\n%{http_code}",
            *more,
            url,
        ]
        done = fetch.curl(self._rig, *options)
        body, _, status = done.stdout.rpartition("\n")
        # curl has its answer when nginx has written its line, which it does before it answers.
        lines = log.read_bytes()[since:].decode("utf-8", "replace").splitlines(keepends=True)
        said = "".join(line for line in lines if "certificate" in line)
        found = _VERIFY_ERROR.search(said)
        code = int(found[1]) if found else None
        return Answer(
            status=int(status or 0),
            body=body + done.stderr,
            code=code,
            said=said,
            handshake_failed=any("SSL_do_handshake" in line for line in lines),
        )

    def verdict(self, id_: str, *, ca: Path, identity: Identity) -> tuple[int | None, Completed]:
        """Return s_client's verify return code, which is about the server's chain, and what it said."""
        argv: list[str | Path] = ["s_client", "-connect", f"127.0.0.1:{self.ports[id_]}", "-CAfile", ca]
        done = self._rig.run(
            [path_of("openssl"), *argv, "-cert", identity.leaf, "-key", identity.key], check=False, stdin=b""
        )
        found = _VERDICT.search(done.stdout)
        return (int(found[1]) if found else None), done
