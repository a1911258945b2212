"""A batch: runs that are planned whole, executed, interrupted and resumed; nothing that ended is executed again.

    <out>/batches/<batch-id>/batch.json   what is to be done, written before anything starts
    <out>/<machine>/<run-id>/             each run

What was done is read from the runs' folders (:mod:`labkit.lab.runs`), so that no list can disagree with them. A lock
keeps a second process from resuming a batch that is at work; other batches may use the same folder.

Notebooks that measure are executed one at a time while nothing else runs; the others share the cores. What executes
them elsewhere than on this machine keeps to that on each of its machines.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import filelock

from labkit.errors import LabError, StoreError
from labkit.lab import finished, leftovers, shipped
from labkit.lab.plans import Batch
from labkit.lab.pool import Pool, Task
from labkit.lab.runs import RECORD, Job, Run, execute_job, gather
from labkit.model.run import NotebookRun, NotebookStatus, RunRecord
from labkit.system import records
from labkit.system.store import saying_why, write_atomically

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What to call as things happen: a notebook is about to start or was taken over, ended; a run's record is there."""

    started: Callable[[Run, Job], None] = lambda _run, _job: None
    ended: Callable[[Run, NotebookRun], None] = lambda _run, _done: None


class Elsewhere(Protocol):
    """What executes notebooks on other machines, and puts what they became into the runs' folders."""

    def execute(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, NotebookRun]]:
        """Execute tasks and yield each with how it ended as it ends; one that was not executed is interrupted."""

    def cancel(self) -> None:
        """Start nothing that has not started."""

    def end_leftovers(self, mark: str) -> None:
        """End what notebooks whose mark begins so have left on those machines."""


def run(
    batch: Batch,
    *,
    jobs: int = 1,
    force: bool = False,
    fail_fast: bool = False,
    bar: bool = False,
    told: Told | None = None,
    elsewhere: Elsewhere | None = None,
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
        elsewhere: What executes the notebooks; this machine when None. ``jobs`` and ``bar`` are this machine's.

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
        batch.write()
        if batch.resumed:
            (elsewhere.end_leftovers if elsewhere else leftovers.end)(f"{batch.id}.")
        work = _Work(batch, told or Told(), force=force, fail_fast=fail_fast)
        return work.run(jobs=jobs, bar=bar) if elsewhere is None else work.run_elsewhere(elsewhere)
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
        with self._recorded():
            if shared:
                with Pool(jobs) as pool:
                    self._through(pool, shared)
            self._one_by_one(alone, bar=bar)
        return tuple(self._records[run.id] for run in self._batch.runs)

    def run_elsewhere(self, elsewhere: Elsewhere) -> tuple[RunRecord, ...]:
        with self._recorded():
            self._through(elsewhere, self._left())
        return tuple(self._records[run.id] for run in self._batch.runs)

    @contextlib.contextmanager
    def _recorded(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            self._gather_all(interrupted=True)
            raise
        self._gather_all()

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

    def _through(self, others: Pool | Elsewhere, tasks: list[Task]) -> None:
        for task, done in others.execute(tasks):
            self._end(task, done)
            if self._stopped is not None:
                others.cancel()

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
