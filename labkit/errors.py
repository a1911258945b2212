"""Every foreseeable fault, as one line and its remedy.

A :class:`LabError` says what happened, where labkit looked, what it wanted and found, and what to do. The command
line catches the base once and exits with the subclass's ``exit_code``; no traceback reaches a user. A property of what
was measured is not an error but a finding (:mod:`labkit.model.check`).
"""

from typing import ClassVar


class LabError(Exception):
    """A foreseeable fault: ``what`` happened in one line, and the ``remedy``."""

    exit_code: ClassVar[int] = 3
    meaning: ClassVar[str] = "another fault that labkit foresaw"

    def __init__(self, what: str, *, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} ({self.remedy})"


class UsageError(LabError):
    """The command, a parameter or a file that the user gave is wrong."""

    exit_code = 2
    meaning = "wrong use: an unknown option, parameter or file"


class ProvisionError(LabError):
    """A pinned tool could not be obtained, or is not what its pin says."""

    exit_code = 10
    meaning = "a tool could not be provisioned"


class NetworkError(ProvisionError):
    """A download failed and nothing usable is in the store."""

    exit_code = 11
    meaning = "a download failed and the store does not hold the thing"


class ProcessError(LabError):
    """A program ended with a non-zero exit code, or could not be started."""

    exit_code = 12
    meaning = "a program failed or could not be started"


class TimeoutExpiredError(ProcessError):
    """A program was ended because its time was over."""

    exit_code = 13
    meaning = "a program ran out of its time"


class BuildError(LabError):
    """Go code did not compile, or what was built does not work."""

    exit_code = 14
    meaning = "Go code did not compile"


class GenerateError(LabError):
    """Code generation failed."""

    exit_code = 15
    meaning = "code generation failed"


class NotebookError(LabError):
    """At least one notebook of a run did not complete."""

    exit_code = 16
    meaning = "a notebook did not complete"


class RecordError(LabError):
    """A record is damaged, of a newer schema, or not a record."""

    exit_code = 17
    meaning = "a record could not be read"


class StoreError(LabError):
    """A file or folder could not be written, locked or trusted."""

    exit_code = 18
    meaning = "a file or folder could not be written or trusted"


class ImpossibleHereError(LabError):
    """This machine cannot do it: it needs another system, chip or tool."""

    exit_code = 19
    meaning = "this machine cannot do that"


class VacuousError(LabError):
    """A comparison looked at nothing, which would pass for a success."""

    exit_code = 20
    meaning = "a comparison looked at nothing"


class ClusterError(LabError):
    """A cluster cannot be used: nobody answers, no worker fits, or what a worker sent is not what was asked for."""

    exit_code = 21
    meaning = "a cluster, or a worker of it, cannot be used"


GATE_FAILED = 1
INTERRUPTED = 130
UNFORESEEN = 70


def exit_codes() -> dict[int, str]:
    """Return every exit code of the command line with its meaning."""
    codes = {0: "done", GATE_FAILED: "a gate found something (doctor, drift, traps, run --gate, ...)"}
    pending: list[type[LabError]] = [LabError]
    while pending:
        kind = pending.pop()
        codes[kind.exit_code] = kind.meaning
        pending.extend(kind.__subclasses__())
    codes[UNFORESEEN] = "a fault that labkit did not foresee: please report it"
    codes[INTERRUPTED] = "interrupted"
    return dict(sorted(codes.items()))
