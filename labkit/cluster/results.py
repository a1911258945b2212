"""Looks at what came home from a worker, and puts it into the run's folder. Nothing of it is believed unseen.

Files have the names that were asked for and the digests that were sent with them; the machine, labkit, the notebook and
its id are those that were asked for, and what the notebook says it was run with are the parameters.
"""

import hashlib
from typing import Any, Final

import msgspec

import labkit
from labkit.cluster.messages import Answer, File, Identity
from labkit.cluster.remote import LOG
from labkit.cluster.station import same_machine
from labkit.errors import ClusterError
from labkit.lab.identity import code
from labkit.lab.pool import Task
from labkit.model.run import NotebookRun, NotebookStatus
from labkit.system.store import saying_why, write_atomically

_REMEDY: Final = "look at the network and at that worker, and go on with labkit run --resume"


class _Papermill(msgspec.Struct):
    parameters: dict[str, Any] = {}


class _Metadata(msgspec.Struct):
    papermill: _Papermill = msgspec.field(default_factory=_Papermill)


class _Notebook(msgspec.Struct):
    cells: list[msgspec.Raw]
    metadata: _Metadata


def keep(task: Task, answer: Answer, notebook_sha256: str) -> NotebookRun:
    """Put what came into the run's folder, whole, and return how the notebook ended.

    Raises:
        ClusterError: It is not what was asked for; nothing was put anywhere.
        StoreError: It cannot be written.

    """
    done, content = _looked_at(task, answer, notebook_sha256)
    with saying_why(f"cannot write into {task.run.folder}"):
        task.run.folder.mkdir(parents=True, exist_ok=True)
    keep_log(task, answer)
    write_atomically(task.run.folder / done.file, content)
    return done


def keep_log(task: Task, answer: Answer) -> None:
    """Put a notebook's log behind those that are there.

    Raises:
        StoreError: It cannot be written.

    """
    for file in answer.files:
        if file.name == LOG and _whole(file):
            with saying_why(f"cannot write into {task.run.folder}"), (task.run.folder / LOG).open("ab") as stream:
                stream.write(file.content)


def _looked_at(task: Task, answer: Answer, notebook_sha256: str) -> tuple[NotebookRun, bytes]:
    said = answer.said
    if said is None or said.done is None:
        raise _not("it holds no result")
    run, job, done = task.run, task.job, said.done
    _check_identity(task, said.identity)
    if (done.name, done.id, done.sha256) != (job.name, job.id, notebook_sha256):
        raise _not("it is of another notebook")
    content = _content(answer, f"{job.name}.ipynb", done.file)
    try:
        read = msgspec.json.decode(content, type=_Notebook)
    except msgspec.MsgspecError as error:
        raise _not(f"its notebook is none: {error}") from error
    ran_with = read.metadata.papermill.parameters
    if done.status is NotebookStatus.DONE and ran_with != run.profile.parameters_of(job.name):
        raise _not(f"its notebook was run with {ran_with}")
    return done, content


def _check_identity(task: Task, here: Identity) -> None:
    run = task.run
    if not same_machine(here.machine, run.machine) or here.python_version != run.python_version:
        raise _not(f"it is of {here.machine.id}, Python {here.python_version}, where {run.machine.id} was asked for")
    if (here.labkit, here.code) != (labkit.__version__, code()):
        raise _not("it is of another labkit")


def _content(answer: Answer, expected: str, named: str) -> bytes:
    files = {file.name: file for file in answer.files}
    if len(files) != len(answer.files) or not files.keys() <= {expected, LOG} or named != expected:
        raise _not(f"its files are {', '.join(sorted(file.name for file in answer.files)) or 'none'}")
    if expected not in files:
        raise _not("it has no notebook")
    for file in answer.files:
        if not _whole(file):
            raise _not(f"{file.name} has not the digest that it was sent with")
    return files[expected].content


def _whole(file: File) -> bool:
    return hashlib.sha256(file.content).hexdigest() == file.sha256


def _not(why: str) -> ClusterError:
    return ClusterError(f"what came home is not used: {why}", remedy=_REMEDY)
