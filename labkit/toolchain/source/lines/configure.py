"""Tries ``./configure`` in source trees of several versions: which hold it, and what a shell says where they do not."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from labkit.model.base import Provenance, Text
from labkit.model.check import Evidence
from labkit.model.source import LineTried
from labkit.system import proc
from labkit.system.environment import base
from labkit.toolchain.source import fetch
from labkit.toolchain.source.pins import Archive

_LINE: Final = "./configure --enable-shared --host=arm64-apple-darwin"
_BUILD_FILES: Final = ("CMakeLists.txt", "autogen.sh", "configure", "configure.ac", "Makefile.am", "Makefile.in")
#: "In v22.0, we removed all Autotools support": what the project says of itself.
_SOURCES: Final = (
    "https://protobuf.dev/support/migration/#autotools",
    "https://protobuf.dev/news/2022-08-03/#dropping-autotools-support",
)


def try_configure(archives: Sequence[tuple[Archive, Path]], *, asked: str = "24.3") -> LineTried:
    """Look for configure in each archive, and run the line in the newest and the newest that has it.

    Args:
        archives: Verified archives with their pins.
        asked: The version that the line is printed for.

    Raises:
        ProvisionError: An archive is damaged.

    """
    evidence = []
    having: dict[str, bool] = {}
    ordered = sorted(archives, key=lambda pair: _key(pair[0].version))
    for pin, path in ordered:
        prefix = f"{pin.label}/{pin.folder}/"
        names = {name.removeprefix(prefix) for name in fetch.listing(path) if name.startswith(prefix)}
        kept = [name for name in _BUILD_FILES if name in names]
        having[pin.version] = "configure" in kept
        what = f"build files in the top folder of protobuf {pin.version} ({pin.crate} {pin.crate_version})"
        evidence.append(Evidence(what=what, found=", ".join(kept) or "none", wanted="configure"))
    for has in (True, False):
        newest = next((pair for pair in reversed(ordered) if having[pair[0].version] is has), None)
        if newest is not None:
            evidence.append(_run(*newest))
    newer = [version for version in having if _key(version) >= _key(asked)]
    older = [version for version in having if _key(version) < _key(asked)]
    if asked not in having:
        near = f"{max(older, key=_key, default='none')} and {min(newer, key=_key, default='none')}"
        evidence.append(
            Evidence(
                what=f"protobuf {asked} itself", found=f"not looked at; between {near}", provenance=Provenance.JUDGED
            )
        )
    with_ = [version for version, has in having.items() if has]
    without = [version for version, has in having.items() if not has]
    values = {"asked": asked, "having": ", ".join(with_) or "-", "lacking": ", ".join(without) or "-"}
    return LineTried(
        id="configure",
        line=_LINE,
        holds=any(having[version] for version in newer) if newer else None,
        outcome=Text(id="source.configure_seen" if newer else "source.configure_unseen", values=values),
        evidence=tuple(evidence),
        sources=_SOURCES,
    )


def _run(pin: Archive, path: Path) -> Evidence:
    # --version stops a configure script before it looks at the machine; where there is none, sh says so.
    with tempfile.TemporaryDirectory(prefix="labkit-configure-") as scratch:
        folder = fetch.unpack(path, pin, Path(scratch) / "tree")
        command = ["/bin/sh", "./configure", "--version"]
        done = proc.run(command, env=base(), timeout_s=60, cwd=folder, check=False)
    return Evidence(
        what=f"sh ./configure --version in protobuf {pin.version}",
        found=f"{proc.describe_exit(done.returncode)}: {done.first_words(1)}",
        wanted="exit code 0",
    )


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
