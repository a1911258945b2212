"""Fetches an archive of C++ sources, checks its hash, and unpacks it so that nothing lands outside its folder.

The archive is a Rust crate, fetched by cargo, the registry's own client, into cargo's own cache; no Rust is compiled.
PyPI does not serve in its place: to download an sdist that may bundle such sources, pip runs the sdist's own build code
(tried with grpcio-tools 1.59.3, where that failed). Without cargo the user names the file.
"""

import contextlib
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from labkit.errors import NetworkError, ProcessError, ProvisionError
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import file_digest, home, saying_why
from labkit.toolchain.source.pins import Archive

_TIMEOUT_S: Final = 900.0
_MAX_FILES: Final = 100_000
_MAX_BYTES: Final = 1 << 30
_DEBIAN_CARGO: Final = "on Debian: apt-get install cargo; on macOS: brew install rust"


def obtain(pin: Archive, *, given: Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """Return the path of an archive that has the pinned hash.

    Args:
        pin: Which.
        given: A file of the user's own, instead of asking cargo.
        environ: The user's environment, for finding cargo and its settings; this process's when None.

    Raises:
        ProvisionError: There is no cargo, or the file does not have the pinned hash.
        NetworkError: cargo could not fetch it.

    """
    path = given if given is not None else _by_cargo(pin, os.environ if environ is None else environ)
    try:
        found = file_digest(path)
    except OSError as error:
        raise ProvisionError(
            f"the archive {path} cannot be read: {error.strerror}", remedy=f"give the path of {pin.label}.crate"
        ) from error
    if found != pin.sha256:
        raise ProvisionError(
            f"{path} does not have the pinned hash of {pin.label}: wanted sha256 {pin.sha256}, found {found}; "
            "nothing was unpacked",
            remedy="delete that file and fetch it again from a source that you trust",
        )
    return path


def listing(archive: Path) -> tuple[str, ...]:
    """Return the names of all files of an archive, in their order.

    Raises:
        ProvisionError: It is no archive, or holds what no archive of sources should.

    """
    with _opened(archive) as tar:
        return tuple(member.name for member in _members(tar, archive))


def unpack(archive: Path, pin: Archive, folder: Path) -> Path:
    """Unpack an archive into a folder that is not there yet, whole or not at all, and return the sources' folder.

    Only files and folders below the archive's one folder are taken: a link, a device, an absolute name or ``..``
    anywhere in it refuses the whole archive before anything is written.

    Raises:
        ProvisionError: The archive is damaged, would write outside its folder, or does not hold what was pinned.
        StoreError: It could not be written.

    """
    with _opened(archive) as tar:
        members = _members(tar, archive)
        if any(PurePosixPath(member.name).parts[0] != pin.label for member in members):
            raise _refused(archive, f"not everything in it lies below {pin.label}")
        with saying_why(f"cannot unpack {archive.name}"):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as scratch:
                for member in members:
                    _write(tar, member, Path(scratch))
                if not (Path(scratch) / pin.label / pin.folder / "CMakeLists.txt").is_file():
                    raise _refused(archive, f"it holds no {pin.label}/{pin.folder}/CMakeLists.txt")
                (Path(scratch) / pin.label).rename(folder)
    return folder / pin.folder


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            yield tar
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.filename is not None and Path(error.filename) != archive:
            raise
        raise _refused(archive, f"it cannot be read: {error}") from error


def _members(tar: tarfile.TarFile, archive: Path) -> list[tarfile.TarInfo]:
    members = []
    size = 0
    for member in tar:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts or not name.parts or "\\" in member.name or "\0" in member.name:
            raise _refused(archive, f"{member.name!r} leads outside its folder")
        if not (member.isreg() or member.isdir()):
            raise _refused(archive, f"{member.name!r} is neither a file nor a folder")
        size += member.size
        members.append(member)
        if len(members) > _MAX_FILES or size > _MAX_BYTES:
            raise _refused(archive, f"it unpacks to more than {_MAX_FILES} files or {_MAX_BYTES >> 20} MiB")
    return members


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    path = folder / member.name
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    if content is None:  # pragma: no cover - a regular file has content
        raise tarfile.ReadError(member.name)
    with content, path.open("xb") as file:
        shutil.copyfileobj(content, file)
    if member.mode & stat.S_IXUSR:
        path.chmod(0o755)


def _refused(archive: Path, why: str) -> ProvisionError:
    return ProvisionError(
        f"the archive {archive} is refused: {why}; nothing was unpacked", remedy="use the archive that the pin names"
    )


def _by_cargo(pin: Archive, environ: Mapping[str, str]) -> Path:
    cargo_home = Path(environ.get("CARGO_HOME") or Path(environ.get("HOME", "/")) / ".cargo")
    pattern = f"registry/cache/*/{pin.label}.crate"
    for path in sorted(cargo_home.glob(pattern)):
        with contextlib.suppress(OSError):
            if file_digest(path) == pin.sha256:
                return path  # fetched before: no network is needed
    cargo = shutil.which("cargo", path=os.pathsep.join([environ.get("PATH", ""), str(cargo_home / "bin")]))
    if cargo is None:
        raise ProvisionError(
            f"cargo, which fetches {pin.label}, is neither on PATH nor in {cargo_home / 'bin'}",
            remedy=f"{_DEBIAN_CARGO}; or give the file yourself: --archive {pin.label}.crate",
        )
    passed = {name: value for name, value in environ.items() if name.startswith(("CARGO_", "RUSTUP_"))}
    with saying_why("cannot make a folder for cargo"):
        home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home(), prefix=".cargo-") as scratch:
        project = Path(scratch)
        (project / "src").mkdir()
        (project / "src/lib.rs").touch()
        version = pin.crate_version.partition("+")[0]  # what follows the + says nothing to cargo
        (project / "Cargo.toml").write_text(
            '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n'
            f'[dependencies]\n{pin.crate} = "={version}"\n'
        )
        search = f"{Path(cargo).parent}:{environ.get('PATH', '')}"
        try:
            proc.run(
                [Path(cargo).absolute(), "fetch", "--quiet"],
                env=base(path=search, **passed),
                timeout_s=_TIMEOUT_S,
                cwd=project,
            )
        except ProcessError as error:
            raise NetworkError(
                f"{pin.label} could not be fetched: {error.what}",
                remedy=f"connect to the network, or give the file yourself: --archive {pin.label}.crate",
            ) from error
    found = sorted(cargo_home.glob(pattern))
    if not found:
        raise ProvisionError(
            f"cargo fetched {pin.label}, but {cargo_home}/registry/cache holds no such archive",
            remedy=f"give the file yourself: --archive {pin.label}.crate (a vendored registry keeps none)",
        )
    return found[0]
