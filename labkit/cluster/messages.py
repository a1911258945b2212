"""What goes between the driver, a worker and the process beside it: bytes of msgpack, lines of JSON.

A worker and the scheduler import this: nothing heavy is imported here.
"""

from typing import Final

import msgspec

from labkit.model.machine import Machine
from labkit.model.run import NotebookRun

#: The folder, below a station's own, in which it executes.
RUN_FOLDER: Final = "run"
#: The folder, below a station's own, where it finds the notebook.
NOTEBOOKS_FOLDER: Final = "notebooks"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who executes: labkit's version and the digest of its code, the Python, the machine, and whose cores it shares."""

    labkit: str
    code: str
    python_version: str
    machine: Machine
    cores: str  # the same for every worker that shares them (:mod:`labkit.cluster.cores`); goes into no record


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook to be executed, and what must agree."""

    request: bytes  # JSON of a labkit.lab.worker.Request
    name: str
    measures: bool
    mark: str  # how the mark begins of what it starts
    timeout_s: float  # of the whole of it, with a grace
    notebook_sha256: str
    parameters: str  # the digest of the notebook's parameters
    labkit: str
    code: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the driver sends to a worker: a duty with its notebook, or none to learn who it is."""

    duty: Duty | None = None
    notebook: bytes = b""
    end_leftovers: str | None = None  # how the marks begin of what is to be ended first


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker says to its station, in a line."""

    duty: Duty | None = None
    end_leftovers: str | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a worker would not execute a notebook, and what to do."""

    why: str
    remedy: str
    lasting: bool  # it would refuse every other one too


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a station answers, in a line: who it is, and of a duty how it ended or why it was refused."""

    identity: Identity
    done: NotebookRun | None = None
    refused: Refusal | None = None


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a run."""

    name: str
    sha256: str
    content: bytes


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker sends back: what its station said, and the files; or why there is nothing."""

    said: Said | None = None
    files: tuple[File, ...] = ()
    failed: str | None = None  # the process that executed it died, or did not answer
    remedy: str = ""
