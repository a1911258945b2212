"""What commands print with ``--json``, one document each; docs/json.md describes them."""

from labkit.model.base import Record
from labkit.model.machine import Condition, Machine


class MachineOutput(Record, frozen=True, kw_only=True):
    """``labkit machine --json``."""

    machine: Machine
    condition: Condition


class RunOutput(Record, frozen=True, kw_only=True):
    """One run of ``labkit run --json``."""

    run: str  # the run's id
    record: str  # the path of its record.json
    index: str  # the path of its report's index.html
    failed_notebooks: tuple[str, ...]
    failed_findings: tuple[str, ...]


class RunsOutput(Record, frozen=True, kw_only=True):
    """``labkit run --json``, also when a notebook or the gate failed: the exit code tells."""

    runs: tuple[RunOutput, ...]


class PublishOutput(Record, frozen=True, kw_only=True):
    """``labkit publish --json``."""

    index: str  # the path of the site's index.html


class Fault(Record, frozen=True, kw_only=True):
    """An error: what happened, and its remedy."""

    what: str
    remedy: str


class ErrorOutput(Record, frozen=True, kw_only=True):
    """Any command with ``--json`` that could not do its work."""

    error: Fault
