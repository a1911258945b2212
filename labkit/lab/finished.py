"""Finished notebooks that measure nothing, kept by id under LABKIT_HOME, to be taken over by later runs.

An entry is written whole and renamed. It is used only when its notebook still has the digest that it was kept with.
"""

import contextlib
import logging
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from labkit.errors import LabError
from labkit.model.base import Record
from labkit.model.run import NotebookRun
from labkit.system.store import file_digest, home, saying_why, write_atomically

log = logging.getLogger(__name__)

FOLDER: Final = "finished"
_ENTRY: Final = "finished.json"
_NOTEBOOK: Final = "notebook.ipynb"


class Finished(Record, frozen=True, kw_only=True):
    """A finished notebook: how it ended, in which run and when, and its file's digest."""

    notebook: NotebookRun
    run: str
    at: str
    sha256: str


def keep(done: NotebookRun, run: str, executed: Path) -> None:
    """Keep a finished notebook; one that is there already stays."""
    assert done.id is not None  # noqa: S101 - for mypy
    final = home() / FOLDER / done.id
    if (final / _ENTRY).is_file():
        return
    at = datetime.now(UTC).isoformat(timespec="seconds")
    beside = final.parent / f".{done.id}.{secrets.token_hex(4)}.part"
    with saying_why(f"cannot keep the finished notebook {done.name}"):
        beside.mkdir(parents=True)
        try:
            shutil.copyfile(executed, beside / _NOTEBOOK)
            entry = Finished(notebook=done, run=run, at=at, sha256=file_digest(beside / _NOTEBOOK))
            write_atomically(beside / _ENTRY, msgspec.json.encode(entry))
            with contextlib.suppress(OSError):  # another batch was quicker
                beside.rename(final)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def take(id_: str, folder: Path, name: str) -> NotebookRun | None:
    """Put a finished notebook into a run's folder and return how it ended; None when there is none that is whole."""
    kept = home() / FOLDER / id_
    try:
        entry = msgspec.json.decode((kept / _ENTRY).read_bytes(), type=Finished)
        if file_digest(kept / _NOTEBOOK) != entry.sha256 or entry.notebook.id != id_:
            _drop(kept, "it is not what was kept")
            return None
        content = (kept / _NOTEBOOK).read_bytes()
    except FileNotFoundError:
        return None
    except (OSError, LabError, msgspec.MsgspecError) as error:
        _drop(kept, f"{error}")
        return None
    write_atomically(folder / f"{name}.ipynb", content)
    return msgspec.structs.replace(
        entry.notebook, name=name, file=f"{name}.ipynb", carried_from=entry.run, carried_at=entry.at
    )


def kept_at(kept: Path) -> str | None:
    """Return when an entry's notebook was finished, UTC, ISO 8601; None for what is no entry."""
    try:
        return msgspec.json.decode((kept / _ENTRY).read_bytes(), type=Finished).at
    except (OSError, msgspec.MsgspecError):
        return None


def _drop(kept: Path, why: str) -> None:
    log.warning("the finished notebook %s is executed anew: %s", kept, why)
    shutil.rmtree(kept, ignore_errors=True)
