"""The environments that programs are started with: explicit, small, and the same on every machine."""

import os
from collections.abc import Mapping
from typing import Final

#: What a program needs to reach the network as the user does, and to find its temporary folder.
PASSED_THROUGH: Final = (
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)

SYSTEM_PATH: Final = "/usr/bin:/bin:/usr/sbin:/sbin"


def base(*, path: str = SYSTEM_PATH, **more: str) -> dict[str, str]:
    """Return a program's environment: what is passed through, a fixed locale, ``PATH``, and ``more``."""
    kept = {name: os.environ[name] for name in PASSED_THROUGH if name in os.environ}
    return kept | {"PATH": path, "LC_ALL": "C", "LANG": "C"} | more


def host() -> Mapping[str, str]:
    """Return the user's own environment, for looking at the host's tools as the user's shell would."""
    return dict(os.environ)
