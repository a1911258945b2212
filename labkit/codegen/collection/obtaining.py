"""Fetches a pinned collection of .proto files into the store: a wheel with pip, an npm package with npm.

What came is compared with the pinned hash before anything of it is unpacked; of an npm package only .proto files and
the licence are, and none of its scripts is run.
"""

import base64
import hashlib
import os
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import Final

from labkit.codegen.collection.pinned import NpmCollection, Pinned, WheelCollection
from labkit.errors import NetworkError, ProcessError, ProvisionError, StoreError
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import Store, saying_why
from labkit.toolchain import wheels
from labkit.toolchain.pins import Wheel, WheelTool

_TIMEOUT_S: Final = 600.0
_ANY: Final = "any"  # a wheel that is for every platform, and its tag


def obtain(name: str, pin: Pinned) -> Path:
    """Return the folder that a collection's import names start from, fetched when the store lacks it.

    Raises:
        ProvisionError: What came is not what was pinned, or the program that fetches it is missing.
        NetworkError: It could not be fetched.

    """
    if isinstance(pin, WheelCollection):
        wheel = WheelTool(
            version=pin.version,
            released="2000-01-01",
            project=pin.project,
            source=pin.source,
            executable=pin.witness,
            wheels={_ANY: Wheel(tag=_ANY, sha256=pin.sha256)},
        )
        return wheels.obtain(Store(), f"protos-{name}", wheel, _ANY)
    recipe = {"kind": "npm", "project": pin.project, "version": pin.version, "sha512": pin.sha512}
    return (
        Store().obtain(f"protos-{name}-{pin.version}", recipe, lambda folder: _fetch(pin, folder), held=True) / "tree"
    )


def sources(root: Path, pin: Pinned) -> tuple[str, ...]:
    """Return the .proto files to generate from, by their import names, sorted."""
    found = [file.relative_to(root).as_posix() for folder in pin.folders for file in (root / folder).rglob("*.proto")]
    return tuple(sorted(name for name in found if not any(PurePosixPath(name).is_relative_to(w) for w in pin.without)))


def _fetch(pin: NpmCollection, folder: Path) -> Path:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        archive = _pack(pin, Path(scratch))
        got = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if got != pin.sha512:
            raise ProvisionError(
                f"{pin.project} {pin.version} that was downloaded has the sha512 {got}, the pin wants {pin.sha512}; "
                "nothing was unpacked",
                remedy="do not use this package source: compare its package with another source",
            )
        with saying_why(f"cannot unpack {pin.project}"):
            _unpack(archive, folder / "tree")
    witness = folder / "tree" / pin.witness
    if not witness.is_file():
        raise ProvisionError(f"{pin.project} {pin.version} holds no {pin.witness}", remedy="mend the pin's witness")
    return witness


def _pack(pin: NpmCollection, scratch: Path) -> Path:
    path = os.environ.get("PATH", os.defpath)
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise ProvisionError(
            f"npm is not on PATH, which fetches {pin.project} {pin.version}",
            remedy="install Node.js, which brings npm, or choose a smaller collection",
        )
    settings = {name: value for name, value in os.environ.items() if name.lower().startswith("npm_config_")}
    command: list[str | Path] = [
        Path(npm).absolute(),
        "pack",
        f"{pin.project}@{pin.version}",
        "--ignore-scripts",
        "--silent",
    ]
    try:
        proc.run(command, env=base(path=path, **settings), timeout_s=_TIMEOUT_S, cwd=scratch)
    except ProcessError as error:
        raise NetworkError(
            f"{pin.project} {pin.version} could not be fetched: {error.what}",
            remedy="connect to the network or set npm's registry to your mirror; what was fetched once is kept",
        ) from error
    archives = list(scratch.glob("*.tgz"))
    if len(archives) != 1:
        raise StoreError(f"npm pack left {len(archives)} archives", remedy="run `npm pack` yourself and read its words")
    return archives[0]


def _unpack(archive: Path, tree: Path) -> None:
    # Member by member: only plain files, and only where they belong (tarfile's filters are newer than Python 3.11.0).
    with tarfile.open(archive) as package:
        for member in package:
            path = PurePosixPath(member.name)
            wanted = path.suffix == ".proto" or path.name == "LICENSE"
            if not member.isfile() or not wanted or path.is_absolute() or ".." in path.parts:
                continue
            content = package.extractfile(member)
            target = tree.joinpath(*path.parts[1:])  # the first part is "package"
            target.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                target.write_bytes(content.read())
