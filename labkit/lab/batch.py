"""One run: a profile's notebooks, one after the other, and the record of what they found.

A run lies in ``<out>/<machine>/<run-id>/``: the executed notebooks, ``record.json`` and ``log.txt``. The run's id is
its start in UTC, the profile's name, and a digest of notebooks, parameters, labkit and machine.
"""

import logging
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

import labkit
from labkit import machine, scraps
from labkit.errors import RecordError, StoreError
from labkit.lab import shipped
from labkit.lab.execute import execute
from labkit.lab.profile import Profile, check_machine
from labkit.model.base import Provenance
from labkit.model.machine import Machine
from labkit.model.run import NotebookRun, NotebookStatus, RunRecord
from labkit.system import logs, records
from labkit.system.store import digest, file_digest, saying_why

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that is about to start: its profile, machine, id and folder."""

    profile: Profile
    machine: Machine
    id: str
    folder: Path
    started_at: datetime


def plan(profile: Profile, out: Path) -> Run:
    """Return the run of a profile on this machine; nothing is written yet.

    Raises:
        UsageError: The profile is for another machine.

    """
    here = machine.read()
    check_machine(profile, here)
    now = datetime.now(UTC)
    ingredients = {
        "notebooks": {name: file_digest(shipped.notebook(name)) for name in profile.notebooks},
        "parameters": dict(profile.parameters),
        "labkit": labkit.__version__,
        "machine": here.id,
        "started_at": now.isoformat(),
    }
    id_ = f"{now:%Y%m%dT%H%M%SZ}-{profile.name}-{digest(ingredients)[:8]}"
    return Run(profile=profile, machine=here, id=id_, folder=out / here.id / id_, started_at=now)


def run(run: Run, *, bar: bool = False) -> RunRecord:
    """Run the notebooks and return the record, which then lies in the run's folder.

    A notebook that fails does not stop the others. After Ctrl-C the record of what was finished is written, and
    the interrupt is raised again.

    Raises:
        StoreError: The folder cannot be written.

    """
    with saying_why(f"cannot make {run.folder}"):
        run.folder.mkdir(parents=True)
    log_file = run.folder / "log.txt"
    handler = logs.to_file(log_file)
    log.info("run %s with labkit %s", run.id, labkit.__version__)
    done: list[NotebookRun] = []
    try:
        for name in run.profile.notebooks:
            parameters = run.profile.parameters_of(name)
            log.info("notebook %s with %s", name, parameters)
            done.append(execute(shipped.notebook(name), run.folder, parameters, log_file=log_file, bar=bar))
            log.info("notebook %s: %s %s", name, done[-1].status, done[-1].cause or "")
            if done[-1].status is NotebookStatus.INTERRUPTED:
                break
        record = _gather(run, tuple(done))
        records.write(run.folder / "record.json", record)
    finally:
        logs.remove(handler)
    if done and done[-1].status is NotebookStatus.INTERRUPTED:
        raise KeyboardInterrupt
    return record


def _gather(run: Run, done: tuple[NotebookRun, ...]) -> RunRecord:
    sections: dict[str, Any] = {}
    judged: list[NotebookRun] = []
    for notebook in done:
        try:
            sections |= scraps.read(run.folder / notebook.file)
            judged.append(notebook)
        except (RecordError, StoreError) as error:
            judged.append(_failed(notebook, error.what, error.remedy))
    parameters: Mapping[str, Any] = dict(run.profile.parameters)
    return RunRecord(
        run=run.id,
        provenance=Provenance.MEASURED,
        labkit_version=labkit.__version__,
        python_version=platform.python_version(),
        params_name=run.profile.name,
        params_digest=digest(parameters),
        parameters=parameters,
        started_at=run.started_at.isoformat(timespec="seconds"),
        ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=run.machine,
        notebooks=tuple(judged),
        **sections,
    )


def _failed(notebook: NotebookRun, cause: str, remedy: str) -> NotebookRun:
    return msgspec.structs.replace(notebook, status=NotebookStatus.FAILED, cause=notebook.cause or cause, remedy=remedy)
