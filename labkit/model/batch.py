"""What a batch is going to do, as it is written down before it starts; what was done lies in the runs' folders."""

from collections.abc import Mapping

from labkit.model.base import Record

#: The schema that this labkit writes; a batch of another one is not resumed.
SCHEMA = 1


class PlannedNotebook(Record, frozen=True, kw_only=True):
    """A notebook that is to be executed."""

    name: str
    id: str  # digest of notebook, parameters, toolchain, labkit, machine and repeat
    measures: bool  # it runs alone, and is executed anew in every batch


class PlannedRun(Record, frozen=True, kw_only=True):
    """A run: a profile, or one point of a matrix, once."""

    run: str  # its id, which is its folder's name
    machine: str
    params_name: str
    parameters: Mapping[str, str | int | float | bool | None]
    point: Mapping[str, str | int | float | bool | None]
    repeat: int
    notebooks: tuple[PlannedNotebook, ...]


class BatchPlan(Record, frozen=True, kw_only=True):
    """A batch."""

    schema: int = SCHEMA
    batch: str  # its id, which is its folder's name
    digest: str  # of what it is to do: profiles, notebooks by id; not of when
    labkit_version: str
    started_at: str  # UTC, ISO 8601
    runs: tuple[PlannedRun, ...]
