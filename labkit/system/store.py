"""Files that are never half there, and a store of things that are made once.

* :func:`write_atomically` writes beside and renames.
* :class:`Store` keeps folders under ``LABKIT_HOME/store/<name>-<digest>``. The digest is of everything that went in
  (a recipe), so an entry never goes stale; it is made in a temporary folder beside and renamed whole, under a lock, so
  that many processes make it once and a killed one leaves nothing under the final name. A file in the store is never
  rewritten in place: macOS ends a running program whose signed pages change under it.
"""

import contextlib
import hashlib
import logging
import os
import secrets
import shutil
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
_CACHE_TAG: Final = (
    "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of labkit; it may be deleted.\n"
)


def home() -> Path:
    """Return the folder of labkit's tools and caches: ``LABKIT_HOME``, else labkit's folder in the user's cache."""
    named = os.environ.get("LABKIT_HOME")
    return Path(named).expanduser().absolute() if named else platformdirs.user_cache_path("labkit")


def shown(text: str) -> str:
    """Return a text with this machine's folders shortened (labkit's store, labkit itself, the user's home).

    What it returns may be published: it names no user and no place of this machine.
    """
    package = Path(__file__).parents[1]
    return text.replace(str(home()), "$LABKIT_HOME").replace(str(package), "$LABKIT").replace(str(Path.home()), "~")


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

    def obtain(self, name: str, recipe: Mapping[str, Any], make: Callable[[Path], Path]) -> Path:
        """Return the entry's folder, made by ``make(folder)`` when it is not there yet.

        ``make`` returns the file that the entry is about; its sha256 is kept beside (:meth:`sealed`), so that a later
        look can tell whether it is still the file that was put there.

        Raises:
            StoreError: It could not be written, or another process holds its lock for half an hour.

        """
        final = self.path(name, recipe)
        if self.has(name, recipe):
            return final
        with self.lock(final.name):
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

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
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
                lock.acquire(timeout=_LOCK_TIMEOUT_S)
        except filelock.Timeout as error:
            raise StoreError(
                f"another process has held the lock of {name} for {_LOCK_TIMEOUT_S / 60:.0f} minutes",
                remedy="end the other labkit, then try again",
            ) from error
        try:
            yield
        finally:
            lock.release()
