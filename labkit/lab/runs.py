"""One run: a profile's notebooks on this machine, and the record of what they found.

A run lies in ``<out>/<machine>/<run-id>/``: the executed notebooks, ``record.json`` and ``log.txt``. The run's id is
its start in UTC, the profile's name, and a digest of notebooks, parameters, toolchain, labkit, machine and repeat.

While a run is not complete, ``.finished/`` holds one small file for each notebook that has ended; it is written after
the notebook has its final name, so what it names is whole.
"""

import logging
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

import labkit
from labkit import machine, scraps
from labkit.errors import RecordError, StoreError
from labkit.lab import shipped
from labkit.lab.engine import Limits
from labkit.lab.execute import execute
from labkit.lab.identity import measures, notebook_id
from labkit.lab.profile import Profile, check_machine
from labkit.model.base import Provenance
from labkit.model.machine import Machine
from labkit.model.run import NotebookRun, NotebookStatus, RunRecord
from labkit.system import logs, records
from labkit.system.store import digest, file_digest, saying_why, write_atomically

log = logging.getLogger(__name__)

LOG: Final = "log.txt"
RECORD: Final = "record.json"
_FINISHED: Final = ".finished"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One notebook of a run: what is executed, its id, and whether it measures."""

    name: str
    id: str
    measures: bool


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run's notebooks are executed: a machine, and the Python that executes them there."""

    machine: Machine
    python_version: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run: its profile, machine, id, folder and notebooks."""

    profile: Profile
    machine: Machine
    id: str
    folder: Path
    started_at: datetime
    jobs: tuple[Job, ...]
    batch: str | None = None
    python_version: str = platform.python_version()

    def has_record(self) -> bool:
        """Return whether every notebook has ended and the record says so."""
        try:
            record = records.read(self.folder / RECORD)
        except (RecordError, StoreError):
            return False
        ended = {each.name for each in record.notebooks if each.status is not NotebookStatus.INTERRUPTED}
        return ended == {job.name for job in self.jobs}

    def finished(self, job: Job) -> NotebookRun | None:
        """Return how a notebook of this run ended earlier, or None when it did not, or not whole."""
        try:
            ended = msgspec.json.decode((self.folder / _FINISHED / f"{job.name}.json").read_bytes(), type=_Ended)
            whole = file_digest(self.folder / ended.notebook.file) == ended.sha256
        except (OSError, msgspec.MsgspecError, StoreError):
            return None
        return ended.notebook if whole and ended.notebook.id == job.id else None

    def finish(self, done: NotebookRun) -> None:
        """Write down that a notebook has ended."""
        ended = _Ended(notebook=done, sha256=file_digest(self.folder / done.file))
        with saying_why(f"cannot write into {self.folder}"):
            (self.folder / _FINISHED).mkdir(exist_ok=True)
        write_atomically(self.folder / _FINISHED / f"{done.name}.json", msgspec.json.encode(ended))


class _Ended(msgspec.Struct, frozen=True, kw_only=True):
    notebook: NotebookRun
    sha256: str  # of the executed notebook


def here() -> Place:
    """Return this machine and this Python."""
    return Place(machine=machine.read(), python_version=platform.python_version())


def plan(profile: Profile, out: Path, place: Place, *, batch: str | None = None) -> Run:
    """Return the run of a profile at a place; nothing is written yet.

    Raises:
        UsageError: The profile is for another machine.

    """
    found = place.machine
    check_machine(profile, found)
    now = datetime.now(UTC)
    jobs = tuple(_job(profile, name, found) for name in profile.notebooks)
    ingredients = {"notebooks": [job.id for job in jobs], "started_at": now.isoformat(), "name": profile.name}
    id_ = f"{now:%Y%m%dT%H%M%SZ}-{profile.name}-{digest(ingredients)[:8]}"
    folder = out / found.id / id_
    return Run(
        profile=profile,
        machine=found,
        id=id_,
        folder=folder,
        started_at=now,
        jobs=jobs,
        batch=batch,
        python_version=place.python_version,
    )


def _job(profile: Profile, name: str, found: Machine) -> Job:
    source = shipped.notebook(name)
    return Job(
        name=name,
        id=notebook_id(source, profile.parameters_of(name), found, profile.repeat),
        measures=measures(source),
    )


def execute_job(run: Run, job: Job, *, bar: bool) -> NotebookRun:
    """Execute one notebook of a run; how it ended is written down unless it was interrupted."""
    log_file = run.folder / LOG
    parameters = run.profile.parameters_of(job.name)
    handler = logs.to_file(log_file)
    try:
        log.info("notebook %s with %s", job.name, parameters)
        limits = Limits(cell_timeout_s=run.profile.cell_timeout_s, run_timeout_s=run.profile.run_timeout_s)
        done = execute(
            shipped.notebook(job.name),
            run.folder,
            parameters,
            log_file=log_file,
            bar=bar,
            limits=limits,
            mark=mark(run, job),
        )
        log.info("notebook %s: %s %s", job.name, done.status, done.cause or "")
    finally:
        logs.remove(handler)
    return msgspec.structs.replace(done, id=job.id)


def mark(run: Run, job: Job) -> str:
    """Return how the mark begins of everything that a notebook of a run starts."""
    return f"{run.batch or ''}.{run.id}.{job.name}"


def gather(run: Run, done: Sequence[NotebookRun]) -> RunRecord:
    """Write a run's record from what its notebooks glued, and return it."""
    sections: dict[str, Any] = {}
    judged: list[NotebookRun] = []
    for notebook in done:
        try:
            sections |= scraps.read(run.folder / notebook.file)
            judged.append(notebook)
        except (RecordError, StoreError) as error:
            judged.append(_failed(notebook, error.what, error.remedy))
    parameters: Mapping[str, Any] = dict(run.profile.parameters)
    record = RunRecord(
        run=run.id,
        provenance=Provenance.MEASURED,
        labkit_version=labkit.__version__,
        python_version=run.python_version,
        params_name=run.profile.name,
        params_digest=digest(parameters),
        parameters=parameters,
        started_at=run.started_at.isoformat(timespec="seconds"),
        ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=run.machine,
        notebooks=tuple(judged),
        batch=run.batch,
        point=run.profile.point,
        repeat=run.profile.repeat,
        **sections,
    )
    records.write(run.folder / RECORD, record)
    if run.has_record():
        shutil.rmtree(run.folder / _FINISHED, ignore_errors=True)
    return record


def _failed(notebook: NotebookRun, cause: str, remedy: str) -> NotebookRun:
    if notebook.status is NotebookStatus.INTERRUPTED:
        return notebook
    return msgspec.structs.replace(notebook, status=NotebookStatus.FAILED, cause=notebook.cause or cause, remedy=remedy)
