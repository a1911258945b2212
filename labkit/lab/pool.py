"""Executes jobs in parallel, each worker in a thread that talks to one warm process; how they ended comes back in turn.

A worker that dies takes nothing with it but its job, which is tried once more in a fresh one: the death may have been
meant for somebody else (the system's out-of-memory killer picks the largest).
"""

import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import msgspec

from labkit.errors import LabError, ProcessError, TimeoutExpiredError
from labkit.lab import leftovers, worker
from labkit.lab.runs import Job, Run, mark
from labkit.model.run import NotebookRun, NotebookStatus
from labkit.system import proc
from labkit.system.environment import host

#: Seconds beyond a notebook's own time after which a worker that has not answered is ended.
_GRACE_S: Final = 300.0
_TRIES: Final = 2
_REMEDY: Final = "read the run's log.txt, free memory, and run it again"


@dataclass(frozen=True)
class Task:
    """One notebook of one run."""

    run: Run
    job: Job


class Pool:
    """Some workers; a context manager, at whose end they and what they started are gone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._todo: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Task, NotebookRun] | BaseException] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def execute(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, NotebookRun]]:
        """Execute tasks, started in their order, and yield each with how it ended as it ends."""
        for task in tasks:
            self._todo.put(task)
        for number in range(min(self._size, len(tasks)) - len(self._threads)):
            thread = threading.Thread(target=self._serve, name=f"labkit-worker-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        for _ in tasks:
            got = self._next()
            if isinstance(got, BaseException):
                raise got
            yield got

    def _next(self) -> tuple[Task, NotebookRun] | BaseException:
        while True:  # a wait without an end could not be interrupted
            try:
                return self._done.get(timeout=1.0)
            except queue.Empty:
                continue

    def cancel(self) -> None:
        """Start nothing that has not started."""
        while True:
            try:
                task = self._todo.get_nowait()
            except queue.Empty:
                return
            if task is not None:
                self._done.put((task, _not_run(task, "it was not started: another notebook failed")))

    def stop(self) -> None:
        """End the workers and what their notebooks started."""
        self._stopping.set()
        self.cancel()
        for _ in self._threads:
            self._todo.put(None)
        if any(thread.is_alive() for thread in self._threads):
            for thread in self._threads:
                thread.join(timeout=10)
        self._threads = []

    def _serve(self) -> None:
        running: proc.Interactive | None = None
        try:
            while (task := self._todo.get()) is not None:
                for attempt in range(1, _TRIES + 1):
                    if running is None:
                        running = _start()
                    try:
                        self._done.put((task, self._ask(running, task)))
                        break
                    except _Stopped:
                        self._done.put((task, _not_run(task, "interrupted with Ctrl-C")))
                        return
                    except (LabError, msgspec.MsgspecError) as error:
                        running.__exit__()
                        running = None
                        leftovers.end(mark(task.run, task.job))
                        if isinstance(error, TimeoutExpiredError) or attempt == _TRIES:
                            self._done.put((task, _failed(task, error)))
                            break
        except BaseException as error:  # noqa: BLE001 - the driver raises it
            self._done.put(error)
        finally:
            if running is not None:
                running.__exit__()

    def _ask(self, running: proc.Interactive, task: Task) -> NotebookRun:
        running.write_line(worker.request(task.run, task.job), remedy=_REMEDY)
        left_s = task.run.profile.run_timeout_s + _GRACE_S
        while True:
            try:
                return worker.answer(running.read_line(timeout_s=1.0, remedy=_REMEDY))
            except TimeoutExpiredError:
                left_s -= 1.0
                if self._stopping.is_set():
                    raise _Stopped from None
                if left_s <= 0:
                    raise


class _Stopped(Exception):  # noqa: N818 - not an error
    """The pool is being stopped while a worker is at work."""


def _start() -> proc.Interactive:
    return proc.converse([sys.executable, "-m", "labkit.lab.worker"], env=dict(host()), cwd=Path.cwd())


def _not_run(task: Task, cause: str) -> NotebookRun:
    return ended(task, NotebookStatus.INTERRUPTED, cause, "go on with labkit run --resume")


def _failed(task: Task, error: Exception) -> NotebookRun:
    what = error.what if isinstance(error, LabError) else f"the worker answered what is no answer: {error}"
    cause = f"the process that executed it died: {what}" if isinstance(error, ProcessError) else what
    return ended(task, NotebookStatus.FAILED, cause, _REMEDY)


def ended(task: Task, status: NotebookStatus, cause: str, remedy: str) -> NotebookRun:
    """Return how a notebook ended that left nothing."""
    return NotebookRun(
        name=task.job.name,
        id=task.job.id,
        status=status,
        file=f"{task.job.name}.ipynb",
        sha256=None,
        wall_time_s=0.0,
        cause=cause,
        remedy=remedy,
    )
