"""Which clusters may be used, and by what certificates: beyond this machine only with TLS.

Whoever reaches a scheduler without TLS can run any code as its user, on every worker.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from distributed import Security

from labkit.errors import UsageError

LOCAL: Final = "local"
_PORT: Final = 8786
_EXAMPLE: Final = "local, tcp://127.0.0.1:8786 or tls://HOST:8786"
_HOW: Final = (
    "start the scheduler and the workers with --tls-ca-file, --tls-cert and --tls-key, and name it "
    "tls://HOST:PORT with --tls-ca, --tls-cert and --tls-key"
)


@dataclass(frozen=True, kw_only=True)
class Tls:
    """The files of the driver's side: the authority that signed all certificates, and its own certificate and key."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def given(self) -> dict[str, Path]:
        """Return those that were given, by the option's name."""
        named = {"--tls-ca": self.ca, "--tls-cert": self.cert, "--tls-key": self.key}
        return {option: path for option, path in named.items() if path is not None}


def checked(where: str, tls: Tls) -> tuple[str, Security | None]:
    """Return a scheduler's address with its port, and what secures the way to it.

    Raises:
        UsageError: It is no address, would be reached in plain over a network, or a certificate is missing.

    """
    try:
        parts = urlsplit(where)
        host, port = parts.hostname, parts.port or _PORT
    except ValueError as error:
        raise UsageError(f"{where} is no address of a scheduler: {error}", remedy=f"give {_EXAMPLE}") from error
    if parts.scheme not in {"tcp", "tls"} or not host or parts.path or parts.query or parts.username:
        raise UsageError(f"{where} is no address of a scheduler", remedy=f"give {_EXAMPLE}")
    address = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    if parts.scheme == "tls":
        return address, _security(where, tls)
    if tls.given():
        raise UsageError(f"{where} uses no TLS, {next(iter(tls.given()))} would do nothing", remedy="name it tls://...")
    check_plain(where, what="the scheduler is")
    return address, None


def check_plain(address: str, *, what: str) -> None:
    """Check that an address without TLS stays on this machine.

    Raises:
        UsageError: It does not.

    """
    if address.startswith("tcp://") and not is_loopback(urlsplit(address).hostname or ""):
        raise UsageError(f"{what} at {address}, beyond this machine, without TLS", remedy=_HOW)


def is_loopback(host: str) -> bool:
    """Return whether a name or address is this machine's own, seen by nobody else; no other name is looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _security(where: str, tls: Tls) -> Security:
    for option, path in tls.given().items():
        try:
            path.read_bytes()
        except OSError as error:
            raise UsageError(f"{option}: {path} cannot be read: {error.strerror}", remedy="name a PEM file") from error
    given = {"tls_ca_file": tls.ca, "tls_client_cert": tls.cert, "tls_client_key": tls.key}
    # what is not given comes from Dask's configuration (distributed.comm.tls)
    named = {name: str(path) for name, path in given.items() if path is not None}
    security = Security(require_encryption=True, **named)
    found = security.get_tls_config_for_role("client")
    lacking = [
        option
        for option, value in (
            ("--tls-ca", found["ca_file"]),
            ("--tls-cert", found["cert"]),
            ("--tls-key", found["key"]),
        )
        if not value
    ]
    if lacking:
        raise UsageError(
            f"{where} needs {', '.join(lacking)}",
            remedy="give the PEM files, or set distributed.comm.tls in Dask's YAML",
        )
    return security
