"""What finished runs hold that nothing needs any more, as ``labkit gc`` tells it."""

from enum import StrEnum

from labkit.model.base import Record, Text


class Kind(StrEnum):
    """What lies there."""

    RUN = "run"  # a finished run's folder
    BATCH = "batch"  # the plan of a batch none of whose runs is left
    NOTEBOOK = "notebook"  # a finished notebook that is kept to be taken over by later runs
    LEFTOVER = "leftover"  # of an earlier collection that was ended
    UNKNOWN = "unknown"  # not labkit's, or not readable


class Lying(Record, frozen=True, kw_only=True):
    """One thing in the folder of runs, or in labkit's store: why it may go, or why it stays."""

    kind: Kind
    path: str  # below the folder of runs; of a notebook below LABKIT_HOME
    at: str | None  # when it was made, UTC, ISO 8601
    size_bytes: int
    why: Text


class Collection(Record, frozen=True, kw_only=True):
    """``labkit gc --json``."""

    removed: bool  # false: a dry run, nothing was changed
    goes: tuple[Lying, ...]
    stays: tuple[Lying, ...]  # without the runs that are simply new enough
    size_bytes: int  # of what goes
