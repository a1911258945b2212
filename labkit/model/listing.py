"""A run as a line of a list."""

from collections.abc import Mapping

from labkit.model.base import Record


class ListedRun(Record, frozen=True, kw_only=True):
    """A run, or a run's folder of which nothing can be read (``unreadable`` says why; what is not known is empty)."""

    run: str  # its id
    folder: str  # <machine>/<run-id>, below the folder of runs
    machine: str
    chip: str | None = None
    system: str | None = None
    provenance: str = ""
    profile: str = ""
    point: Mapping[str, str | int | float | bool | None] = {}
    repeat: int = 1
    batch: str | None = None
    labkit_version: str = ""
    started_at: str = ""  # UTC, ISO 8601
    ended_at: str = ""
    notebooks: int = 0
    notebooks_done: int = 0
    notebooks_carried: int = 0  # of those done
    findings_failed: int = 0
    unreadable: str | None = None


class RunsListOutput(Record, frozen=True, kw_only=True):
    """``labkit runs --json``: the newest first."""

    runs: tuple[ListedRun, ...]
    all: int  # how many there are before filters and the limit
