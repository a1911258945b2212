"""Finds what nothing needs any more among finished runs, and removes it; what is not understood stays.

A run may go when its record can be read, a newer one of the same machine, profile and point is kept, and no batch that
could still be resumed wants it. Its folder is given another name first, which no list shows, and then removed: an end
at any instant leaves it whole under its name or gone, and the next collection removes the rest.
"""

import contextlib
import os
import secrets
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import filelock
import msgspec

from labkit.errors import LabError, StoreError
from labkit.lab import finished
from labkit.lab.plans import FOLDER as BATCHES
from labkit.model.base import Text
from labkit.model.batch import BatchPlan
from labkit.model.collecting import Collection, Kind, Lying
from labkit.model.listing import ListedRun
from labkit.model.run import NotebookStatus, RunRecord
from labkit.system import records
from labkit.system.listing import listed
from labkit.system.store import home, saying_why

#: How many runs of a machine, profile and point stay.
KEEP: Final = 3
#: How old a finished notebook is before it is no longer kept for later runs: their code has changed by then.
NOTEBOOK_AGE: Final = timedelta(days=30)
_ASIDE: Final = ".gc-"
#: What a run's folder holds beside its executed notebooks.
_OF_A_RUN: Final = frozenset({"record.json", "log.txt", "report", ".finished", ".running"})
_OF_A_BATCH: Final = frozenset({"batch.json", "junit.xml", "summary.md", ".lock"})
_OF_OUT: Final = frozenset({BATCHES, ".runs.json"})


def collect(
    out: Path,
    *,
    keep: int = KEEP,
    older_than: timedelta | None = None,
    remove: bool = False,
    now: datetime | None = None,
) -> Collection:
    """Return what may go of runs and of the finished notebooks in the store; with ``remove`` it is gone.

    Args:
        out: The folder of runs.
        keep: How many of the newest runs stay, of each machine, profile and point of a matrix.
        older_than: Only what is older than this; a finished notebook goes after :data:`NOTEBOOK_AGE` without it.
        remove: Whether to remove it; else nothing is changed.
        now: The moment that ages are reckoned from.

    Raises:
        StoreError: Something could not be read or removed; what was removed before is gone, and nothing is half there.

    """
    moment = now or datetime.now(UTC)
    seen = _Seen(out, moment, older_than)
    with saying_why(f"cannot look at {out}"):
        goes, stays = seen.judge(keep)
    if remove:
        for each in goes:
            _remove(home() if each.kind is Kind.NOTEBOOK else out, each)
    return Collection(
        removed=remove, goes=tuple(goes), stays=tuple(stays), size_bytes=sum(each.size_bytes for each in goes)
    )


@dataclass
class _Seen:
    """What lies in a folder of runs."""

    out: Path
    now: datetime
    older_than: timedelta | None

    def judge(self, keep: int) -> tuple[list[Lying], list[Lying]]:
        """Return what may go, and what stays for another reason than being new."""
        goes = [self._lying(Kind.LEFTOVER, path, None, "leftover") for path in self._leftovers()]
        stays = [self._lying(Kind.UNKNOWN, path, None, "foreign") for path in self._foreign()]
        plans = self._plans()
        stays += [self._lying(Kind.UNKNOWN, folder, None, "foreign") for folder, plan in plans.items() if plan is None]
        known = {folder: plan for folder, plan in plans.items() if plan is not None}
        gone = self._runs(keep, known, goes, stays)
        for folder, plan in known.items():
            if self._left(plan, gone) or not self._old(plan.started_at):
                continue
            if _held(folder) or {each.name for each in _entries(folder)} - _OF_A_BATCH:
                stays.append(self._lying(Kind.BATCH, folder, plan.started_at, "at_work"))
            else:
                goes.append(self._lying(Kind.BATCH, folder, plan.started_at, "no_run"))
        goes += self._notebooks()
        return goes, stays

    def _runs(self, keep: int, plans: Mapping[Path, BatchPlan], goes: list[Lying], stays: list[Lying]) -> set[str]:
        """Tell the runs apart, and return the ids of those that go."""
        wanted = {run.run for plan in plans.values() if self._open(plan) for run in plan.runs}
        groups: dict[tuple[object, ...], list[ListedRun]] = defaultdict(list)
        for run in listed(self.out):
            if (self.out / run.folder).is_symlink() or (self.out / run.folder).parent.is_symlink():
                continue  # told among what is foreign
            if run.run in wanted:
                stays.append(self._run(run, "resumable"))
            elif run.unreadable is not None:
                stays.append(self._run(run, "unreadable"))
            else:
                point = tuple(sorted((name, repr(value)) for name, value in run.point.items()))
                groups[run.machine, run.profile, point].append(run)  # the newest first
        gone: set[str] = set()
        for run in (each for runs in groups.values() for each in runs[keep:] if self._old(each.started_at)):
            if other := self._not_of_a_run(run):
                stays.append(self._run(run, "more", name=other))
            else:
                goes.append(self._run(run, "newer", n=keep))
                gone.add(run.run)
        return gone

    def _old(self, at: str) -> bool:
        return self.older_than is None or _age(self.now, at) >= self.older_than

    def _lying(self, kind: Kind, path: Path, at: str | None, why: str, **values: str | int) -> Lying:
        base = home() if kind is Kind.NOTEBOOK else self.out
        text = Text(id=f"gc.why.{why}", values=values)
        return Lying(kind=kind, path=str(path.relative_to(base)), at=at, size_bytes=_size(path), why=text)

    def _run(self, run: ListedRun, why: str, **values: str | int) -> Lying:
        return self._lying(Kind.RUN, self.out / run.folder, run.started_at or None, why, **values)

    def _plans(self) -> dict[Path, BatchPlan | None]:
        """Return the batches' folders with their plans; None: not one of labkit's."""
        found: dict[Path, BatchPlan | None] = {}
        for folder in _entries(self.out / BATCHES):
            if folder.name.startswith(_ASIDE):
                continue
            try:
                plan = msgspec.json.decode((folder / "batch.json").read_bytes(), type=BatchPlan)
            except (OSError, msgspec.MsgspecError):
                plan = None
            found[folder] = None if folder.is_symlink() else plan
        return found

    def _open(self, plan: BatchPlan) -> bool:
        """Return whether a batch can still be resumed: a run of it that is there has no whole record."""
        return any(not self._complete(run.machine, run.run, {job.name for job in run.notebooks}) for run in plan.runs)

    def _complete(self, machine: str, run: str, names: set[str]) -> bool:
        folder = self.out / machine / run
        if not folder.is_dir():
            return True  # it is gone, and with it what could be resumed
        record = _read(folder)
        if record is None:
            return False
        return {each.name for each in record.notebooks if each.status is not NotebookStatus.INTERRUPTED} == names

    def _left(self, plan: BatchPlan, gone: set[str]) -> bool:
        return any((self.out / run.machine / run.run).exists() and run.run not in gone for run in plan.runs)

    def _not_of_a_run(self, run: ListedRun) -> str | None:
        """Return something in a run's folder that labkit did not put there."""
        folder = self.out / run.folder
        record = _read(folder)
        if record is None or record.run != folder.name:
            return "record.json"
        own = _OF_A_RUN | {each.file for each in record.notebooks}
        return next((each.name for each in _entries(folder) if each.name not in own or each.is_symlink()), None)

    def _leftovers(self) -> Iterator[Path]:
        for folder in (self.out, *_entries(self.out)):
            if folder.is_dir() and not folder.is_symlink():
                yield from (each for each in _entries(folder) if each.name.startswith(_ASIDE) and not each.is_symlink())

    def _foreign(self) -> Iterator[Path]:
        for machine in _entries(self.out):
            if machine.is_symlink() or not machine.is_dir():
                if machine.name not in _OF_OUT:
                    yield machine
            elif machine.name not in _OF_OUT and not machine.name.startswith("."):
                yield from (
                    each
                    for each in _entries(machine)
                    if (each.is_symlink() or not each.is_dir()) and not each.name.startswith(_ASIDE)
                )

    def _notebooks(self) -> Iterator[Lying]:
        folder = home() / finished.FOLDER
        for kept in _entries(folder):
            at = finished.kept_at(kept)
            if at is not None and _age(self.now, at) >= (self.older_than or NOTEBOOK_AGE):
                yield self._lying(Kind.NOTEBOOK, kept, at, "aged")


def _entries(folder: Path) -> Sequence[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return ()


def _read(folder: Path) -> RunRecord | None:
    try:
        return records.read(folder / "record.json")
    except LabError:
        return None


def _age(now: datetime, at: str) -> timedelta:
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return timedelta()
    return now - (found if found.tzinfo else found.replace(tzinfo=UTC))


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; links are not followed."""
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    found = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                found += (Path(folder) / name).lstat().st_size
    return found


def _held(batch: Path) -> bool:
    """Return whether a process is at work on a batch."""
    lock = filelock.FileLock(batch / ".lock")
    try:
        with lock.acquire(timeout=0):
            return False
    except filelock.Timeout:
        return True
    except OSError:
        return False  # it cannot be written, which its removal will say


def _remove(base: Path, each: Lying) -> None:
    place = base / each.path
    aside = place if place.name.startswith(_ASIDE) else place.with_name(f"{_ASIDE}{place.name}.{secrets.token_hex(4)}")
    try:
        if aside != place:
            place.rename(aside)
        shutil.rmtree(aside)
    except OSError as error:
        raise StoreError(
            f"{place} cannot be removed: {error.strerror or error}",
            remedy="run it as the user who owns the folder, or make the folder writable",
        ) from error
