"""Gives each notebook of a batch to one worker, and takes what it became; the scheduler only carries.

Which worker is decided here, for the scheduler does not know what a machine is: it would wait for ever for a label
that nobody has, and run what measures beside something else. A notebook asks for its label as a resource all the
same, so that other users of the cluster are counted.

A worker that dies, is cut off, or sends what it was not asked for costs its notebook one attempt; the next one is
made elsewhere if there is another that fits. A notebook that no worker fits any more waits a while for one to come
back, and is then left for ``--resume``.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

import labkit
from labkit.cluster.messages import RUN_FOLDER, Answer, Duty, Order
from labkit.cluster.results import keep, keep_log
from labkit.cluster.station import parameters_digest
from labkit.cluster.workers import Worker, Workers
from labkit.errors import ClusterError, LabError
from labkit.lab import shipped, worker
from labkit.lab.identity import code
from labkit.lab.pool import Task, ended
from labkit.lab.runs import Place, mark
from labkit.model.run import NotebookRun, NotebookStatus
from labkit.system.store import file_digest

log = logging.getLogger(__name__)

_TRIES: Final = 3
#: Seconds beyond a notebook's own time after which an answer is no longer waited for.
_GRACE_S: Final = 300.0
#: Seconds that a notebook waits for a worker that fits, after the last one went.
PATIENCE_S: Final = 30.0
_LOOK_EVERY_S: Final = 1.0
_RESUME: Final = "start such a worker again, and go on with labkit run --resume"


class Carrier(Protocol):
    """What takes an order to a worker and brings its answer."""

    def send(self, key: str, order: bytes, address: str, resources: Mapping[str, float]) -> None:
        """Send an order to a worker; what became of it comes by ``arrived``."""

    def arrived(self, timeout_s: float) -> tuple[str, Answer | LabError] | None:
        """Return an order's key and its answer, or why there is none; None when none came in time."""

    def drop(self, key: str) -> None:
        """Want an order's answer no longer; whoever executes it ends it."""

    def end_leftovers(self, address: str, mark: str) -> None:
        """Have a worker end what notebooks whose mark begins so have left on its machine."""


@dataclass(kw_only=True)
class _Waiting:
    """A notebook that is to be executed, and what happened to it before."""

    task: Task
    attempts: int = 0
    last: LabError | None = None
    tried: list[str] = field(default_factory=list)
    nobody_since: float | None = None

    @property
    def label(self) -> str | None:
        return self.task.run.profile.on


@dataclass(frozen=True, kw_only=True)
class _Running:
    waiting: _Waiting
    worker: Worker
    mark: str
    sha256: str  # of the source notebook
    deadline: float


class Driver:
    """Executes the tasks of a batch on a cluster (:class:`labkit.lab.Elsewhere`)."""

    def __init__(self, carrier: Carrier, workers: Workers, *, patience_s: float = PATIENCE_S) -> None:
        self._carrier, self._workers, self._patience_s = carrier, workers, patience_s
        self._waiting: list[_Waiting] = []
        self._running: dict[str, _Running] = {}
        self._owed: list[tuple[str, str]] = []  # whose cores, and the mark of what may have been left there
        self._over: queue.SimpleQueue[tuple[Task, NotebookRun]] = queue.SimpleQueue()
        self._looked = 0.0
        self._count = 0

    def execute(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, NotebookRun]]:
        """Execute tasks and yield each with how it ended as it ends.

        Those that measure come last: each has its machine alone.
        """
        self._waiting = [_Waiting(task=task) for task in sorted(tasks, key=lambda task: task.job.measures)]
        try:
            while self._waiting or self._running or not self._over.empty():
                while not self._over.empty():
                    yield self._over.get()
                self._look()
                self._start()
                self._take(self._carrier.arrived(_LOOK_EVERY_S / 2))
        finally:
            for key in list(self._running):
                self._carrier.drop(key)
            self._running.clear()

    def cancel(self) -> None:
        """Start nothing that has not started."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            self._end(each, NotebookStatus.INTERRUPTED, "it was not started: another notebook failed", _RESUME)

    def end_leftovers(self, mark: str) -> None:
        """End what notebooks whose mark begins so have left on the machines of the cluster."""
        self._workers.refresh()
        for address in self._workers.known():
            self._carrier.end_leftovers(address, mark)

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S:
            return
        self._looked = now
        self._workers.refresh()
        known = self._workers.known()
        for key, running in list(self._running.items()):
            if running.worker.address not in known:
                self._lost(key, ClusterError(f"the worker at {running.worker.address} is gone", remedy=_RESUME))
            elif now > running.deadline:
                self._lost(key, ClusterError(f"the worker at {running.worker.address} does not answer", remedy=_RESUME))
        for debt in list(self._owed):
            for found in known.values():
                if found.identity.cores == debt[0]:
                    self._owed.remove(debt)
                    # not waited for: what it ends has a mark of its own
                    told = (found.address, debt[1])
                    threading.Thread(target=self._carrier.end_leftovers, args=told, daemon=True).start()
                    break

    def _start(self) -> None:
        for each in list(self._waiting):
            fitting = [found for found in self._workers.known().values() if found.runs(_place(each.task), each.label)]
            if not fitting:
                self._nobody(each)
                continue
            each.nobody_since = None
            free = [found for found in fitting if self._free(found, each)]
            if free:
                self._send(each, min(free, key=lambda found: (each.tried.count(found.address), self._load(found))))

    def _free(self, found: Worker, each: _Waiting) -> bool:
        beside = [one for one in self._running.values() if one.worker.identity.cores == found.identity.cores]
        if any(one.waiting.task.job.measures for one in beside) or (each.task.job.measures and beside):
            return False
        own = [one for one in beside if one.worker.address == found.address]
        alike = sum(one.waiting.label == each.label for one in own)
        return len(own) < found.seen.nthreads and alike < found.slots(each.label)

    def _load(self, found: Worker) -> float:
        return sum(one.worker.address == found.address for one in self._running.values()) / found.seen.nthreads

    def _send(self, each: _Waiting, found: Worker) -> None:
        self._waiting.remove(each)
        each.attempts += 1
        each.tried.append(found.address)
        self._count += 1
        try:
            order, running = _ordered(each, found)
        except (LabError, OSError) as error:
            why = error.what if isinstance(error, LabError) else f"the notebook cannot be read: {error}"
            self._end(each, NotebookStatus.FAILED, why, "look at the notebook")
            return
        key = f"labkit-{running.mark}-{self._count}"
        self._running[key] = running
        self._carrier.send(key, order, found.address, {each.label: 1} if each.label else {})

    def _take(self, arrived: tuple[str, Answer | LabError] | None) -> None:
        if arrived is None or arrived[0] not in self._running:
            return
        key, answer = arrived
        running = self._running[key]
        address, task = running.worker.address, running.waiting.task
        if isinstance(answer, LabError):
            self._lost(key, answer)
            return
        refused = answer.said.refused if answer.said else None
        if answer.failed is not None:
            keep_log(task, answer)
            self._lost(key, ClusterError(f"at {address}: {answer.failed}", remedy=answer.remedy))
        elif refused is not None:
            why = ClusterError(f"the worker at {address} refused it: {refused.why}", remedy=refused.remedy)
            if refused.lasting:
                self._workers.distrust(address, why)
            self._lost(key, why)
        else:
            try:
                done = keep(task, answer, running.sha256)
            except ClusterError as error:
                self._workers.distrust(address, error)
                self._lost(key, ClusterError(f"from {address}: {error.what}", remedy=error.remedy))
                return
            del self._running[key]
            self._over.put((task, done))

    def _lost(self, key: str, why: LabError) -> None:
        running = self._running.pop(key)
        self._carrier.drop(key)
        each = running.waiting
        each.last = why
        self._owed.append((running.worker.identity.cores, running.mark))
        log.warning("%s, attempt %d: %s", each.task.job.name, each.attempts, why.what)
        if each.attempts < _TRIES:
            self._waiting.insert(0, each)
        else:
            self._end(each, NotebookStatus.FAILED, f"{_TRIES} attempts failed, the last one: {why.what}", why.remedy)

    def _nobody(self, each: _Waiting) -> None:
        now = time.monotonic()
        if each.nobody_since is None:
            each.nobody_since = now
        if now - each.nobody_since < self._patience_s:
            return
        self._waiting.remove(each)
        label = f" with the label {each.label}" if each.label else ""
        what = f"no worker{label} is left on {each.task.run.machine.id}"
        if each.last is not None:
            what = f"{what}: {each.last.what}"
        self._end(each, NotebookStatus.INTERRUPTED, what, each.last.remedy if each.last else _RESUME)

    def _end(self, each: _Waiting, status: NotebookStatus, cause: str, remedy: str) -> None:
        self._over.put((each.task, ended(each.task, status, cause, remedy)))


def _ordered(each: _Waiting, found: Worker) -> tuple[bytes, _Running]:
    run, job = each.task.run, each.task.job
    source = shipped.notebook(job.name)
    # the attempt is part of the mark, so that what an earlier one left can be ended beside it
    request = msgspec.json.decode(worker.request(run, job), type=worker.Request)
    batch = f"{run.batch}.{each.attempts}"
    request = msgspec.structs.replace(request, folder=RUN_FOLDER, batch=batch)
    sha256, own_mark = file_digest(source), f"{batch}.{mark(run, job).removeprefix(f'{run.batch}.')}"
    timeout_s = run.profile.run_timeout_s + _GRACE_S
    duty = Duty(
        request=msgspec.json.encode(request),
        name=job.name,
        measures=job.measures,
        mark=own_mark,
        timeout_s=timeout_s,
        notebook_sha256=sha256,
        parameters=parameters_digest(run.profile.parameters_of(job.name)),
        labkit=labkit.__version__,
        code=code(),
    )
    order = msgspec.msgpack.encode(Order(duty=duty, notebook=source.read_bytes()))
    # a worker that waits for its machine's cores answers later
    deadline = time.monotonic() + 2 * timeout_s
    return order, _Running(waiting=each, worker=found, mark=own_mark, sha256=sha256, deadline=deadline)


def _place(task: Task) -> Place:
    return Place(machine=task.run.machine, python_version=task.run.python_version)
