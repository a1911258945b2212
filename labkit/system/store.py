"""Files that are never half there, and a store of things that are made once.

* :func:`write_atomically` writes beside and renames.
* :class:`Store` keeps folders under ``LABKIT_HOME/store/<name>-<digest>``. The digest is of everything that went in
  (a recipe), so an entry never goes stale; it is made in a temporary folder beside and renamed whole, under a lock, so
  that many processes make it once and a killed one leaves nothing under the final name. A file in the store is never
  rewritten in place: macOS ends a running program whose signed pages change under it.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import filelock
import msgspec
import platformdirs

from labkit.errors import StoreError

log = logging.getLogger(__name__)

_LOCK_TIMEOUT_S: Final = 1800.0
_SEAL: Final = "sha256.txt"
_CREDENTIALS: Final = re.compile(r"://[^/@\s]+@")
_PART: Final = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part")
_held: Final[dict[Path, int]] = {}  # what this process holds until it ends; the system lets go of it then
_held_guard: Final = threading.Lock()
_CACHE_TAG: Final = (
    "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of labkit; it may be deleted.\n"
)


def home() -> Path:
    """Return the folder of labkit's tools and caches: ``LABKIT_HOME``, else labkit's folder in the user's cache."""
    named = os.environ.get("LABKIT_HOME")
    return Path(named).expanduser().absolute() if named else platformdirs.user_cache_path("labkit")


def shown(text: str) -> str:
    """Return a text with this machine's folders shortened (labkit's store, labkit itself, the user's home).

    What it returns may be published: it names no user and no place of this machine, and an address loses the name and
    password that a private module proxy may carry.
    """
    package = Path(__file__).parents[1]
    short = text.replace(str(home()), "$LABKIT_HOME").replace(str(package), "$LABKIT").replace(str(Path.home()), "~")
    return _CREDENTIALS.sub("://...@", short)


def shown_command(line: str) -> str:
    """Return a command as it may be published and still be copied: the user's home as ``$HOME``."""
    return _CREDENTIALS.sub("://...@", line.replace(str(Path.home()), "$HOME"))


@contextlib.contextmanager
def saying_why(doing: str) -> Iterator[None]:
    """Turn an operating-system error into a :class:`StoreError` that says what was being done.

    Raises:
        StoreError: The disk is full, the folder is read-only, and the like.

    """
    try:
        yield
    except OSError as error:
        name = error.filename or "the disk"
        raise StoreError(
            f"{doing}: {error.strerror or error} ({name})",
            remedy="free space or make the folder writable, or name another one with LABKIT_HOME or --out",
        ) from error


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a file beside its place and rename it, so that it is never half there.

    Raises:
        StoreError: It could not be written.

    """
    content = data.encode() if isinstance(data, str) else data
    with saying_why(f"cannot write {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """Return a file's sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(recipe: Mapping[str, Any]) -> str:
    """Return 16 hex digits that stand for a recipe of plain values; its key order does not matter."""
    return hashlib.sha256(msgspec.json.encode(recipe, order="deterministic")).hexdigest()[:16]


class Store:
    """Folders by the digest of what they were made from."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or home()) / "store"

    def path(self, name: str, recipe: Mapping[str, Any]) -> Path:
        """Return where the entry of a recipe is or would be."""
        return self.root / f"{name}-{digest(recipe)}"

    def has(self, name: str, recipe: Mapping[str, Any]) -> bool:
        """Return whether the entry is there."""
        return (self.path(name, recipe) / "recipe.json").is_file()

    def obtain(self, name: str, recipe: Mapping[str, Any], make: Callable[[Path], Path], *, held: bool = False) -> Path:
        """Return the entry's folder, made by ``make(folder)`` when it is not there yet.

        ``make`` returns the file that the entry is about; its sha256 is kept beside (:meth:`sealed`), so that a later
        look can tell whether it is still the file that was put there. With ``held`` no other process removes the entry
        while this one lives (:meth:`hold`).

        Raises:
            StoreError: It could not be written, or another process holds its lock for half an hour.

        """
        final = self.path(name, recipe)
        while held:  # held first, looked at afterwards: what is there then stays
            if self.hold(final):
                return final
            self.obtain(name, recipe, make)
        if self.has(name, recipe):
            return final
        self.tidy(other_than=final.name)
        with self.lock(final.name):
            self._drop_parts(final.name)
            if self.has(name, recipe):
                return final
            with saying_why(f"cannot make {final.name} in the store"):
                beside = self.root / f".{final.name}.{secrets.token_hex(4)}.part"
                beside.mkdir(parents=True)
            try:
                about = make(beside)
                with saying_why(f"cannot keep {final.name} in the store"):
                    write_atomically(beside / _SEAL, file_digest(about) + "\n")
                    write_atomically(beside / "recipe.json", msgspec.json.format(msgspec.json.encode(recipe), indent=1))
                    beside.rename(final)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        return final

    @staticmethod
    def sealed(entry: Path) -> str:
        """Return the sha256 that an entry's file had when it was put into the store.

        Raises:
            StoreError: It cannot be read.

        """
        with saying_why(f"cannot read {entry / _SEAL}"):
            return (entry / _SEAL).read_text("ascii").strip()

    def tidy(self, *, other_than: str = "") -> tuple[str, ...]:
        """Remove what killed processes left half made or half removed, and return the entries it was of.

        A leftover whose entry is locked is not touched: its maker lives.
        """
        removed = []
        for name in sorted({match.group(1) for part in self._parts() if (match := _PART.fullmatch(part.name))}):
            if name == other_than:
                continue
            with contextlib.suppress(StoreError), self.lock(name, timeout_s=0):
                self._drop_parts(name)
                removed.append(name)
        return tuple(removed)

    def hold(self, entry: Path) -> bool:
        """Keep an entry from being removed by another process until this one ends; return whether it is there."""
        with _held_guard, saying_why("cannot open the store"):
            marker = self._marker(entry)
            if marker not in _held:
                descriptor = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                _held[marker] = descriptor
        return (entry / "recipe.json").is_file()

    def release(self, entry: Path) -> None:
        """Let go of an entry that :meth:`hold` kept."""
        with _held_guard:
            descriptor = _held.pop(self._marker(entry), None)
            if descriptor is not None:
                os.close(descriptor)

    def remove(self, entry: Path) -> None:
        """Remove an entry: at once from its place, then its files.

        Raises:
            StoreError: Another process makes or holds it, it is no entry of this store, or it could not be removed.

        """
        if entry.parent != self.root or not (entry / "recipe.json").is_file():
            raise StoreError(f"{entry} is no entry of the store", remedy="look with `labkit setup --json`")
        try:
            with self.lock(entry.name, timeout_s=0), saying_why(f"cannot remove {entry.name}"):
                descriptor = os.open(self._marker(entry), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    gone = self.root / f".{entry.name}.{secrets.token_hex(4)}.part"
                    entry.rename(gone)
                    shutil.rmtree(gone) if not gone.is_symlink() else gone.unlink()
                finally:
                    os.close(descriptor)
        except StoreError as error:
            if isinstance(error.__cause__, BlockingIOError | filelock.Timeout):
                raise StoreError(
                    f"{entry.name} is in use by another process",
                    remedy="let the other labkit (a run, a notebook) end, then try again",
                ) from error
            raise

    def _marker(self, entry: Path) -> Path:
        locks = self.root / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        return locks / f"{entry.name}.use"

    def _parts(self, name: str = "") -> list[Path]:
        return list(self.root.glob(f".{name or '*'}.????????.part"))

    def _drop_parts(self, name: str) -> None:
        # The entry's lock is held, so nobody else is making it: what is half made was left by a process that is gone.
        for part in self._parts(name):
            log.info("removing what a killed process left: %s", part.name)
            shutil.rmtree(part, ignore_errors=True)

    @contextlib.contextmanager
    def lock(self, name: str, *, timeout_s: float = _LOCK_TIMEOUT_S) -> Iterator[None]:
        """Hold the lock of a name, alone among all processes of this machine.

        Raises:
            StoreError: The lock could not be had.

        """
        locks = self.root / "locks"
        with saying_why("cannot open the store"):
            locks.mkdir(parents=True, exist_ok=True)
            tag = self.root.parent / "CACHEDIR.TAG"
            if not tag.exists():
                write_atomically(tag, _CACHE_TAG)
        lock = filelock.FileLock(locks / f"{name}.lock")
        try:
            with saying_why("cannot lock the store"):
                lock.acquire(timeout=timeout_s)
        except filelock.Timeout as error:
            raise StoreError(
                f"another process has held the lock of {name} for {timeout_s / 60:.0f} minutes",
                remedy="end the other labkit, then try again",
            ) from error
        try:
            yield
        finally:
            lock.release()
