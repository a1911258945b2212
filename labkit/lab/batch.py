"""A batch: runs that are planned whole, executed, interrupted and resumed; nothing that ended is executed again.

    <out>/batches/<batch-id>/batch.json   what is to be done, written before anything starts
    <out>/<machine>/<run-id>/             each run

What was done is read from the runs' folders (:mod:`labkit.lab.runs`), so that no list can disagree with them. A lock
keeps a second process from resuming a batch that is at work; other batches may use the same folder.

Notebooks that measure are executed one at a time while nothing else runs; the others share the cores.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import filelock
import msgspec

import labkit
from labkit import machine
from labkit.errors import LabError, StoreError, UsageError
from labkit.lab import finished, leftovers, shipped
from labkit.lab.pool import Pool, Task
from labkit.lab.profile import Profile
from labkit.lab.runs import RECORD, Job, Run, execute_job, gather
from labkit.lab.runs import plan as plan_run
from labkit.model.batch import SCHEMA, BatchPlan, PlannedNotebook, PlannedRun
from labkit.model.run import NotebookRun, NotebookStatus, RunRecord
from labkit.system import records
from labkit.system.store import digest, saying_why, write_atomically

log = logging.getLogger(__name__)

FOLDER: Final = "batches"
_PLAN: Final = "batch.json"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch and its runs; ``resumed`` when an earlier process started it."""

    id: str
    folder: Path
    runs: tuple[Run, ...]
    resumed: bool = False


@dataclass(frozen=True, kw_only=True)
class Told:
    """What to call as things happen: a notebook is about to start or was taken over, ended; a run's record is there."""

    started: Callable[[Run, Job], None] = lambda _run, _job: None
    ended: Callable[[Run, NotebookRun], None] = lambda _run, _done: None


def plan(profiles: Sequence[Profile], out: Path) -> Batch:
    """Return a new batch of profiles on this machine; nothing is written yet.

    Raises:
        UsageError: A profile is for another machine.

    """
    here = machine.read()
    runs = tuple(plan_run(profile, out, here=here) for profile in profiles)
    moment = min(run.started_at for run in runs)
    id_ = f"{moment:%Y%m%dT%H%M%SZ}-{digest({'runs': [run.id for run in runs]})[:8]}"
    return Batch(
        id=id_,
        folder=out / FOLDER / id_,
        runs=tuple(_of_batch(run, id_) for run in runs),
    )


def resume(profiles: Sequence[Profile], out: Path) -> Batch:
    """Return the newest batch in ``out`` that was to do exactly this and is not complete.

    Raises:
        UsageError: There is none.

    """
    fresh = plan(profiles, out)
    wanted = _digest(fresh.runs)
    other = 0
    for folder in sorted((out / FOLDER).glob("*/"), reverse=True):
        try:
            written = msgspec.json.decode((folder / _PLAN).read_bytes(), type=BatchPlan)
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("%s is no batch that can be resumed: %s", folder, error)
            continue
        if written.schema != SCHEMA or written.digest != wanted:
            other += 1
            continue
        found = _again(fresh, written, folder, out)
        if not all(run.has_record() for run in found.runs):
            return found
    beside = f"; {other} others there are of other notebooks, parameters, tools or labkit" if other else ""
    raise UsageError(
        f"{out / FOLDER} holds no unfinished batch that was to do this{beside}", remedy="run it without --resume"
    )


def run(
    batch: Batch,
    *,
    jobs: int = 1,
    force: bool = False,
    fail_fast: bool = False,
    bar: bool = False,
    told: Told | None = None,
) -> tuple[RunRecord, ...]:
    """Execute what a batch has left to do and return the records, in the order of its runs.

    A notebook that fails does not stop the others, but with ``fail_fast`` no further one is started. After Ctrl-C the
    records of what was finished are written, and the interrupt is raised again.

    Args:
        batch: What to do.
        jobs: How many notebooks that measure nothing are executed at a time.
        force: Execute also what an earlier run has finished.
        fail_fast: Start nothing more after a failure.
        bar: Whether a notebook that is executed by itself shows a bar over its cells.
        told: What to call as things happen.

    Raises:
        StoreError: A folder cannot be written, or another process is at work on this batch.

    """
    with saying_why(f"cannot make {batch.folder}"):
        batch.folder.mkdir(parents=True, exist_ok=True)
        for each in batch.runs:
            each.folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(batch.folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise StoreError(
            f"another process is at work on the batch {batch.id}", remedy="wait for it to end, or start a new batch"
        ) from error
    try:
        if not (batch.folder / _PLAN).is_file():
            write_atomically(batch.folder / _PLAN, msgspec.json.format(msgspec.json.encode(_written(batch)), indent=1))
        if batch.resumed:
            leftovers.end(f"{batch.id}.")
        return _Work(batch, told or Told(), force=force, fail_fast=fail_fast).run(jobs=jobs, bar=bar)
    finally:
        lock.release()


class _Work:
    """One process's work on a batch."""

    def __init__(self, batch: Batch, told: Told, *, force: bool, fail_fast: bool) -> None:
        self._batch, self._told, self._force, self._fail_fast = batch, told, force, fail_fast
        self._done: dict[str, dict[str, NotebookRun]] = {run.id: {} for run in batch.runs}
        self._stopped: str | None = None
        self._records: dict[str, RunRecord] = {}

    def run(self, *, jobs: int, bar: bool) -> tuple[RunRecord, ...]:
        todo = self._left()
        shared = [task for task in todo if not task.job.measures] if jobs > 1 else []
        if len(shared) < 2:  # noqa: PLR2004 - one has nobody to share with
            shared = []
        alone = [task for task in todo if task not in shared]
        try:
            self._in_parallel(shared, jobs)
            self._one_by_one(alone, bar=bar)
        except KeyboardInterrupt:
            self._gather_all(interrupted=True)
            raise
        self._gather_all()
        return tuple(self._records[run.id] for run in self._batch.runs)

    def _left(self) -> list[Task]:
        todo: list[Task] = []
        for run in self._batch.runs:
            if run.has_record():
                self._records[run.id] = _record_of(run)
                continue
            for job in run.jobs:
                before = run.finished(job)
                if before is None and not self._force and not job.measures:
                    before = self._taken_over(run, job)
                if before is None:
                    todo.append(Task(run, job))
                else:
                    self._done[run.id][job.name] = before
                    self._told.ended(run, before)
            self._complete(run)
        return todo

    def _taken_over(self, run: Run, job: Job) -> NotebookRun | None:
        taken = finished.take(job.id, run.folder, job.name)
        if taken is not None:
            run.finish(taken)
        return taken

    def _in_parallel(self, tasks: list[Task], jobs: int) -> None:
        if not tasks:
            return
        with Pool(jobs) as pool:
            for task, done in pool.execute(tasks):
                self._end(task, done)
                if self._stopped is not None:
                    pool.cancel()

    def _one_by_one(self, tasks: list[Task], *, bar: bool) -> None:
        for task in tasks:
            if self._stopped is not None:
                return
            self._told.started(task.run, task.job)
            done = execute_job(task.run, task.job, bar=bar)
            self._end(task, done)
            if done.status is NotebookStatus.INTERRUPTED:
                raise KeyboardInterrupt

    def _end(self, task: Task, done: NotebookRun) -> None:
        if not (task.run.folder / done.file).is_file():
            done = _with_source(task, done)
        self._done[task.run.id][task.job.name] = done
        if done.status is not NotebookStatus.INTERRUPTED:
            task.run.finish(done)
        if done.status is NotebookStatus.DONE and not task.job.measures:
            try:
                finished.keep(done, task.run.id, task.run.folder / done.file)
            except LabError as error:  # a full disk must not turn a result into a failure
                log.warning("%s", error)
        if done.status is NotebookStatus.FAILED and self._fail_fast:
            self._stopped = done.name
        self._told.ended(task.run, done)
        self._complete(task.run)

    def _complete(self, run: Run) -> None:
        """Write the record of a run whose notebooks have all ended."""
        done = self._done[run.id]
        if run.id in self._records or any(job.name not in done for job in run.jobs):
            return
        self._records[run.id] = gather(run, [done[job.name] for job in run.jobs])

    def _gather_all(self, *, interrupted: bool = False) -> None:
        """Write records of what there is; a run of which nothing ended gets none after an interrupt."""
        for run in self._batch.runs:
            done = self._done[run.id]
            if run.id in self._records or (interrupted and not done):
                continue
            self._records[run.id] = gather(run, [done[job.name] for job in run.jobs if job.name in done])


def _record_of(run: Run) -> RunRecord:
    """Return a complete run's record."""
    return records.read(run.folder / RECORD)


def _with_source(task: Task, done: NotebookRun) -> NotebookRun:
    """Put the notebook as it would have run where its result would be."""
    write_atomically(task.run.folder / done.file, shipped.notebook(task.job.name).read_bytes())
    return done


def _digest(runs: Sequence[Run]) -> str:
    return digest({"runs": [[run.profile.name, run.machine.id, *[job.id for job in run.jobs]] for run in runs]})


def _written(batch: Batch) -> BatchPlan:
    return BatchPlan(
        batch=batch.id,
        digest=_digest(batch.runs),
        labkit_version=labkit.__version__,
        started_at=min(run.started_at for run in batch.runs).isoformat(timespec="seconds"),
        runs=tuple(
            PlannedRun(
                run=run.id,
                machine=run.machine.id,
                params_name=run.profile.name,
                parameters=dict(run.profile.parameters),
                point=dict(run.profile.point),
                repeat=run.profile.repeat,
                notebooks=tuple(PlannedNotebook(name=job.name, id=job.id, measures=job.measures) for job in run.jobs),
            )
            for run in batch.runs
        ),
    )


def _of_batch(run: Run, id_: str) -> Run:
    return replace(run, batch=id_)


def _again(fresh: Batch, written: BatchPlan, folder: Path, out: Path) -> Batch:
    """Return the batch that was written down: its runs' ids and folders, with the profiles that were given now."""
    runs = tuple(
        replace(
            run,
            id=planned.run,
            folder=out / planned.machine / planned.run,
            started_at=datetime.fromisoformat(written.started_at),
            batch=written.batch,
        )
        for run, planned in zip(fresh.runs, written.runs, strict=True)
    )
    return Batch(id=written.batch, folder=folder, runs=runs, resumed=True)
