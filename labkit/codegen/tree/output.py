"""The output folder: what is made is staged beside it whole, and only then renamed into its place, file by file.

Until the last batch is staged nothing in the folder is touched, so that a run that is killed leaves it as it was; the
renaming itself takes some hundredths of a second a thousand files. An output folder that is not there yet appears as a
whole. A file whose bytes would not change is left alone, with its times.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import msgspec

from labkit.codegen.tree.state import MadeFile, made_signature
from labkit.model.generation import How
from labkit.system.store import file_digest, saying_why

_MARK = ".labkit-stage"


class Staged(msgspec.Struct, frozen=True):
    """A file that was made and waits for its place."""

    path: str  # relative to the output folder
    source: str
    plugin: str
    size_bytes: int
    line_count: int
    sha256: str
    made_by: dict[str, str]


class Stage:
    """The folder in which one run's files wait; a context manager, gone at its end."""

    def __init__(self, out: str, state_folder: Path) -> None:
        self.out = out
        self._state_folder = state_folder
        self._beside = Path(out).parent / f".{Path(out).name}{_MARK}"
        self.folder = ""
        self.scratch = Path()

    def __enter__(self) -> Self:
        with saying_why(f"cannot prepare the output folder {self.out}"):
            self._drop()
            self._state_folder.mkdir(parents=True, exist_ok=True)
            parent = Path(self.out).parent
            parent.mkdir(parents=True, exist_ok=True)
            here = Path(self.out) if Path(self.out).is_dir() else parent
            self.scratch = Path(tempfile.mkdtemp(dir=self._state_folder, prefix="scratch-"))
            # Renaming works within one file system only; labkit's cache is preferred, for nothing shows in it.
            same = os.stat(here).st_dev == os.stat(self._state_folder).st_dev  # noqa: PTH116
            folder = self._state_folder / "stage" if same else self._beside
            folder.mkdir()
            self.folder = str(folder)
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def _drop(self) -> None:
        # The folder's lock is held: what is left here was left by a run that is gone.
        for left in (self._state_folder / "stage", self._beside, *self._state_folder.glob("scratch-*")):
            shutil.rmtree(left, ignore_errors=True)
        for half in self._state_folder.glob(".*.part"):  # a state that was being written
            half.unlink(missing_ok=True)

    def put(self, path: str, content: bytes) -> None:
        """Write a file into the stage."""
        target = f"{self.folder}/{path}"
        try:
            file = open(target, "xb")  # noqa: PTH123, SIM115
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
            file = open(target, "xb")  # noqa: PTH123, SIM115
        with file:
            file.write(content)

    def commit(self, staged: Iterable[Staged], known: Mapping[str, MadeFile]) -> dict[str, How]:
        """Put all files into their places and return how each came to be; ``known`` is what a run before put there.

        Raises:
            StoreError: A place cannot be written, or is a folder.

        """
        files = tuple(staged)
        with saying_why(f"cannot put the generated code into {self.out}"):
            if not os.path.lexists(self.out):
                os.rename(self.folder, self.out)  # noqa: PTH104
                return {file.path: How.WRITTEN for file in files}
            done: dict[str, How] = {}
            folders: set[str] = set()
            for file in files:
                target = f"{self.out}/{file.path}"
                if digest_now(target, known.get(file.path)) == file.sha256:
                    done[file.path] = How.SAME
                    continue
                parent = os.path.dirname(target)  # noqa: PTH120
                if parent not in folders:
                    os.makedirs(parent, exist_ok=True)  # noqa: PTH103
                    folders.add(parent)
                os.replace(f"{self.folder}/{file.path}", target)  # noqa: PTH105
                done[file.path] = How.WRITTEN
            return done


def digest_now(path: str, known: MadeFile | None) -> str | None:
    """Return the sha256 of a file in the output folder, unread when its signature is known; None when it is not there.

    Raises:
        OSError: It cannot be read; it may be a folder.

    """
    try:
        status = os.lstat(path)
        if known is not None and made_signature(status) == known.signature:
            return known.sha256
        return file_digest(Path(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def remove(out: str, path: str) -> None:
    """Remove a file of the output folder, and folders that it leaves empty.

    Raises:
        StoreError: It cannot be removed.

    """
    with saying_why(f"cannot remove {path} from {out}"):
        os.unlink(f"{out}/{path}")  # noqa: PTH108
        parent = os.path.dirname(path)  # noqa: PTH120
        while parent:
            try:
                os.rmdir(f"{out}/{parent}")  # noqa: PTH106
            except OSError:  # somebody else's file is in it
                return
            parent = os.path.dirname(parent)  # noqa: PTH120
