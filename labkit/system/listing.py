"""The runs that lie in a folder, listed and filtered without reading every record anew.

``<out>/.runs.json`` holds what was read of each record, by the file's time and size; it is only a memory, and is made
again when it is missing, damaged or of another labkit. The records themselves are never written here.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from labkit.model.listing import ListedRun
from labkit.model.run import NotebookStatus
from labkit.system.store import write_atomically

_MEMORY: Final = ".runs.json"
_FORM: Final = 1
_RECORD: Final = "record.json"
#: Folders beside the machines' that hold no runs.
_NO_MACHINES: Final = frozenset({"batches"})


class _Machine(msgspec.Struct, frozen=True):
    id: str
    chip: str | None
    system_name: str
    system_version: str | None = None


class _Notebook(msgspec.Struct, frozen=True):
    name: str
    status: NotebookStatus
    carried_from: str | None = None


class _Finding(msgspec.Struct, frozen=True):
    status: str


class _Section(msgspec.Struct, frozen=True):
    findings: tuple[_Finding, ...] = ()


class _Record(msgspec.Struct, frozen=True):
    """What a list shows of a record; the rest is skipped while it is read."""

    run: str
    provenance: str
    labkit_version: str
    params_name: str
    started_at: str
    ended_at: str
    machine: _Machine
    notebooks: tuple[_Notebook, ...]
    batch: str | None = None
    point: dict[str, str | int | float | bool | None] = {}
    repeat: int = 1
    install: _Section | None = None
    codegen: _Section | None = None
    binaries: _Section | None = None
    debugging: _Section | None = None


class _Remembered(msgspec.Struct, frozen=True):
    modified_ns: int
    size: int
    run: ListedRun


class _Memory(msgspec.Struct, frozen=True):
    form: int
    runs: dict[str, _Remembered]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which runs to list; a text matches where it stands in the field, capitals or not."""

    machine: str | None = None  # in the machine's id, chip or system
    profile: str | None = None
    batch: str | None = None
    since: str | None = None  # ISO 8601, a date or a moment
    failed: bool = False  # only those with a notebook that did not complete, or no readable record

    def fits(self, run: ListedRun) -> bool:
        """Return whether a run is among those wanted."""
        about = f"{run.machine} {run.chip or ''} {run.system or ''}"
        return (
            _within(self.machine, about)
            and _within(self.profile, run.profile)
            and _within(self.batch, run.batch or "")
            and (self.since is None or run.started_at >= self.since)
            and not (self.failed and run.unreadable is None and run.notebooks_done == run.notebooks)
        )


def listed(out: Path, wanted: Wanted | None = None) -> tuple[ListedRun, ...]:
    """Return the runs in a folder, the newest first; one of which nothing can be read is among them with the reason.

    A run without a record, which is at work or was ended before it could write one, is there as unreadable too.
    """
    before = _remembered(out)
    found: dict[str, _Remembered] = {}
    for folder in _folders(out):
        name = f"{folder.parent.name}/{folder.name}"
        try:
            about = (folder / _RECORD).stat()
        except OSError:
            found[name] = _Remembered(0, 0, _unreadable(folder, "it has no record yet"))
            continue
        known = before.get(name)
        if known is not None and (known.modified_ns, known.size) == (about.st_mtime_ns, about.st_size):
            found[name] = known
        else:
            found[name] = _Remembered(about.st_mtime_ns, about.st_size, _read(folder))
    if found != before:
        with contextlib.suppress(Exception):  # a folder that is only read is listed all the same
            write_atomically(out / _MEMORY, msgspec.json.encode(_Memory(_FORM, found)))
    runs = [each.run for each in found.values() if wanted is None or wanted.fits(each.run)]
    return tuple(sorted(runs, key=lambda run: (run.started_at, run.run), reverse=True))


def _folders(out: Path) -> Iterator[Path]:
    for machine in _directories(out):
        if machine.name not in _NO_MACHINES:
            yield from _directories(machine)


def _directories(folder: Path) -> Sequence[Path]:
    try:
        with os.scandir(folder) as entries:
            return [folder / each.name for each in entries if each.is_dir() and not each.name.startswith(".")]
    except OSError:
        return ()


def _remembered(out: Path) -> dict[str, _Remembered]:
    try:
        memory = msgspec.json.decode((out / _MEMORY).read_bytes(), type=_Memory)
    except (OSError, msgspec.MsgspecError):
        return {}
    return memory.runs if memory.form == _FORM else {}


def _read(folder: Path) -> ListedRun:
    try:
        record = msgspec.json.decode((folder / _RECORD).read_bytes(), type=_Record)
    except (OSError, msgspec.MsgspecError) as error:
        return _unreadable(folder, f"its record cannot be read: {error}")
    sections = (record.install, record.codegen, record.binaries, record.debugging)
    return ListedRun(
        run=record.run,
        folder=f"{folder.parent.name}/{folder.name}",
        machine=record.machine.id,
        chip=record.machine.chip,
        system=" ".join(filter(None, (record.machine.system_name, record.machine.system_version))),
        provenance=record.provenance,
        profile=record.params_name,
        point=record.point,
        repeat=record.repeat,
        batch=record.batch,
        labkit_version=record.labkit_version,
        started_at=record.started_at,
        ended_at=record.ended_at,
        notebooks=len(record.notebooks),
        notebooks_done=sum(one.status is NotebookStatus.DONE for one in record.notebooks),
        notebooks_carried=sum(one.carried_from is not None for one in record.notebooks),
        findings_failed=sum(
            one.status == "fail" for section in sections if section is not None for one in section.findings
        ),
    )


def _unreadable(folder: Path, why: str) -> ListedRun:
    return ListedRun(
        run=folder.name, folder=f"{folder.parent.name}/{folder.name}", machine=folder.parent.name, unreadable=why
    )


def _within(wanted: str | None, text: str) -> bool:
    return wanted is None or wanted.casefold() in text.casefold()
