"""Keeps cmake and ninja from fetching anything, and shows from the build folder that nothing was fetched."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from labkit.errors import ProvisionError
from labkit.model.check import Evidence
from labkit.system.store import saying_why
from labkit.toolchain.source import tools

#: A port that nobody listens on (discard, RFC 863): a download through it ends at once.
_NOWHERE: Final = "http://127.0.0.1:9"
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_NO_PROXIES: Final = ("no_proxy", "NO_PROXY")


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a build: every download is sent to a port where nobody answers."""
    kept = {name: value for name, value in tools.search(environ).items() if name not in _NO_PROXIES}
    return kept | dict.fromkeys(_PROXIES, _NOWHERE)


def evidence(build: Path) -> tuple[Evidence, ...]:
    """Return what a configured build folder shows of downloads.

    CMake's module FetchContent writes FETCHCONTENT_BASE_DIR into the cache as soon as it is included
    (Modules/FetchContent.cmake) and puts what it fetches into ``_deps``; ExternalProject makes ``*-stamp`` steps.

    Raises:
        ProvisionError: Something was fetched, or would be.

    """
    with saying_why(f"cannot read {build}"):
        cache = (build / "CMakeCache.txt").read_text("utf-8", "replace")
        steps = (build / "build.ninja").read_text("utf-8", "replace")
    included = [line for line in cache.splitlines() if line.startswith("FETCHCONTENT_BASE_DIR")]
    fetched = sorted(path.name for path in (build / "_deps").glob("*")) if (build / "_deps").is_dir() else []
    external = steps.count("-stamp/") + steps.count("ExternalProject")
    if fetched or external:
        raise ProvisionError(
            f"the sources fetch something while they are built: {', '.join(fetched) or 'an ExternalProject'}",
            remedy="pin sources that carry all they need",
        )
    return (
        Evidence(what="FETCHCONTENT_BASE_DIR in CMakeCache.txt", found=included[0] if included else "absent"),
        Evidence(what="entries of _deps", found=str(len(fetched)), wanted="0"),
        Evidence(what="ExternalProject steps in build.ninja", found=str(external), wanted="0"),
        Evidence(what="http_proxy and its like while cmake and ninja ran", found=_NOWHERE),
    )
