"""A warm process that executes notebooks: one request a line in, one answer a line out, until its input ends.

Importing papermill takes seconds; a worker does it once. What libraries print goes to standard error, so that standard
output carries answers alone.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from labkit.system import lean

lean.without_iri_grammar()

from labkit.errors import LabError  # noqa: E402 - what follows imports jsonschema
from labkit.lab.profile import Profile  # noqa: E402
from labkit.lab.runs import Job, Run, execute_job  # noqa: E402
from labkit.model.machine import Machine  # noqa: E402
from labkit.model.run import NotebookRun, NotebookStatus  # noqa: E402


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One notebook of a run, with all that executing it needs."""

    profile: dict[str, Any]
    machine: Machine
    run: str
    folder: str
    started_at: datetime
    batch: str | None
    job: Job


def request(run: Run, job: Job) -> str:
    """Return a request as a line."""
    profile = run.profile
    fields = {name: getattr(profile, name) for name in Profile.__dataclass_fields__}
    asked = Request(
        profile=fields,
        machine=run.machine,
        run=run.id,
        folder=str(run.folder),
        started_at=run.started_at,
        batch=run.batch,
        job=job,
    )
    return msgspec.json.encode(asked).decode()


def answer(line: str) -> NotebookRun:
    """Read a worker's answer.

    Raises:
        msgspec.MsgspecError: It is none.

    """
    return msgspec.json.decode(line, type=NotebookRun)


def execute(asked: Request) -> NotebookRun:
    """Execute what was asked for and return how it ended; nothing foreseeable is raised."""
    run = Run(
        profile=msgspec.convert(asked.profile, Profile),
        machine=asked.machine,
        id=asked.run,
        folder=Path(asked.folder),
        started_at=asked.started_at,
        jobs=(asked.job,),
        batch=asked.batch,
    )
    try:
        return execute_job(run, asked.job, bar=False)
    except LabError as error:  # a folder that cannot be written
        return NotebookRun(
            name=asked.job.name,
            id=asked.job.id,
            status=NotebookStatus.INTERRUPTED,  # it says nothing of the notebook, which --resume runs again
            file=f"{asked.job.name}.ipynb",
            sha256=None,
            wall_time_s=0.0,
            cause=error.what,
            remedy=error.remedy,
        )


def serve(reply: Callable[[bytes], bytes]) -> None:
    """Answer each line of the input with one, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver, which ends its workers
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        answers.write(reply(line) + b"\n")


def main() -> None:
    """Serve until the input ends."""
    serve(lambda line: msgspec.json.encode(execute(msgspec.json.decode(line, type=Request))))


if __name__ == "__main__":
    main()
