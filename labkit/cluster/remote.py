"""What a worker of the cluster runs: two functions of bytes. Dask sends them by name and their bytes as they are.

Each notebook goes to a warm process beside the worker, a station; one is kept for each notebook that the worker
executes at a time. A station and all that it started are ended when the worker ends, however it ends
(:mod:`labkit.system.proc`), and when the driver wants its notebook no longer.
"""

import asyncio
import hashlib
import logging
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import msgspec
from distributed import Status, Worker, get_worker

from labkit.cluster import cores
from labkit.cluster.messages import NOTEBOOKS_FOLDER, RUN_FOLDER, Answer, Duty, File, Line, Order, Said
from labkit.errors import LabError, TimeoutExpiredError
from labkit.system import proc
from labkit.system.environment import host
from labkit.system.store import saying_why

log = logging.getLogger(__name__)

LOG: Final = "log.txt"
#: What is sent home of a run's log; of a longer one the beginning is left out.
MAX_LOG_BYTES: Final = 8 * 1024 * 1024
_START_S: Final = 120.0
_REMEDY: Final = "read the run's log.txt and the worker's own output, and free memory there"


def execute(order: bytes) -> bytes:
    """Execute a notebook here: an :class:`Order` in, an :class:`Answer` out; nothing foreseeable is raised."""
    asked = msgspec.msgpack.decode(order, type=Order)
    assert asked.duty is not None  # noqa: S101 - for mypy
    wanted = _wanted(get_worker())
    try:
        with cores.held(alone=asked.duty.measures, wanted=wanted) as have:
            if not have:
                return _encoded(Answer(failed=_UNWANTED))
            return _encoded(_execute(asked.duty, asked.notebook, wanted))
    except LabError as error:
        return _encoded(Answer(failed=error.what, remedy=error.remedy))


async def identify(order: bytes, dask_worker: Worker) -> bytes:
    """Say who this worker is, after ending what it is asked to. No task: it is answered while all threads are busy."""
    return await asyncio.to_thread(_identify, msgspec.msgpack.decode(order, type=Order), _folder(dask_worker))


def _identify(asked: Order, folder: Path) -> bytes:
    try:
        with _Station.taken(folder) as station:
            line = Line(end_leftovers=asked.end_leftovers)
            said = station.ask(line, timeout_s=_START_S, wanted=lambda: True)
    except (LabError, msgspec.MsgspecError) as error:
        return _encoded(Answer(failed=_what(error), remedy=_REMEDY))
    return _encoded(Answer(said=said))


def _execute(duty: Duty, notebook: bytes, wanted: Callable[[], bool]) -> Answer:
    with _Station.taken(_folder(get_worker())) as station:
        station.prepare(duty.name, notebook)
        try:
            said = station.ask(Line(duty=duty), timeout_s=duty.timeout_s, wanted=wanted)
        except (LabError, msgspec.MsgspecError) as error:
            station.end(leftovers_of=duty.mark)
            return Answer(failed=_what(error), remedy=_REMEDY, files=station.files(None))
        return Answer(said=said, files=station.files(said.done.file if said.done else None))


class _UnwantedError(LabError):
    """The driver wants the notebook no longer, or is gone."""


_UNWANTED = "the driver wants it no longer"
_idle: list["_Station"] = []
_guard = threading.Lock()


class _Station:
    """A process in which notebooks are executed, in a folder of its own; a context manager that keeps it warm."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / f"labkit-{secrets.token_hex(4)}"
        with saying_why(f"cannot make {self._folder}"):
            (self._folder / NOTEBOOKS_FOLDER).mkdir(parents=True)
        argv = [sys.executable, "-m", "labkit.cluster.station"]
        self._process: proc.Interactive | None = proc.converse(argv, env=dict(host()), cwd=self._folder)

    @classmethod
    def taken(cls, folder: Path) -> Self:
        """Return an idle station, or a new one."""
        with _guard:
            while _idle:
                found = _idle.pop()
                if found.alive() and isinstance(found, cls):
                    return found
                found.end()
        return cls(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is not None or not self.alive():
            self.end()
            shutil.rmtree(self._folder, ignore_errors=True)
            return
        shutil.rmtree(self._folder / RUN_FOLDER, ignore_errors=True)
        with _guard:
            _idle.append(self)

    def alive(self) -> bool:
        return self._process is not None and self._process.alive()

    def prepare(self, name: str, notebook: bytes) -> None:
        """Put a notebook where the process finds it, and make the run's folder."""
        with saying_why("cannot put the notebook beside the worker"):
            shutil.rmtree(self._folder / RUN_FOLDER, ignore_errors=True)
            (self._folder / RUN_FOLDER).mkdir()
            (self._folder / NOTEBOOKS_FOLDER / f"{name}.ipynb").write_bytes(notebook)

    def ask(self, line: Line, *, timeout_s: float, wanted: Callable[[], bool]) -> Said:
        """Say a line and wait for the answer."""
        assert self._process is not None  # noqa: S101 - for mypy
        self._process.write_line(msgspec.json.encode(line).decode(), remedy=_REMEDY)
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return msgspec.json.decode(self._process.read_line(timeout_s=1.0, remedy=_REMEDY), type=Said)
            except TimeoutExpiredError:
                if not wanted():
                    raise _UnwantedError(_UNWANTED, remedy=_REMEDY) from None
                if time.monotonic() > deadline:
                    raise

    def files(self, notebook: str | None) -> tuple[File, ...]:
        """Return the files to send home: the executed notebook, and the log."""
        found = []
        for name in filter(None, (notebook, LOG)):
            path = self._folder / RUN_FOLDER / name
            if path.is_file():
                with saying_why(f"cannot read {path}"):
                    content = _last(path) if name == LOG else path.read_bytes()
                found.append(File(name=name, sha256=hashlib.sha256(content).hexdigest(), content=content))
        return tuple(found)

    def end(self, *, leftovers_of: str | None = None) -> None:
        """End the process and what it started; the folder stays until the files were read."""
        if self._process is not None:
            self._process.__exit__()
            self._process = None
        if leftovers_of is not None:
            from labkit.lab import leftovers  # papermill comes with it, which a worker does without until then

            leftovers.end(leftovers_of)


def _wanted(worker: Worker) -> Callable[[], bool]:
    """Return what says whether the driver still waits for the task that this thread executes."""
    key = worker.get_current_task()

    def still() -> bool:
        if worker.status not in {Status.running, Status.paused}:
            return False
        task = worker.state.tasks.get(key)
        return task is not None and task.state in {"executing", "long-running"}

    return still


def _folder(worker: Worker) -> Path:
    return Path(worker.local_directory)


def _last(path: Path) -> bytes:
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - MAX_LOG_BYTES))
        left_out = f"... {size - MAX_LOG_BYTES} bytes left out ...\n".encode() if size > MAX_LOG_BYTES else b""
        return left_out + stream.read()


def _what(error: Exception) -> str:
    return error.what if isinstance(error, LabError) else f"what it answered is no answer: {error}"


def _encoded(answer: Answer) -> bytes:
    return msgspec.msgpack.encode(answer)
