"""What a batch is to do: planned whole, written down before anything starts, and found again to be resumed.

Each run has a place, a machine and its Python. Without a cluster that is this machine; with one whoever knows its
workers says which (:data:`Placing`). All notebooks of a run are executed at its place, for a record is of one machine.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

import labkit
from labkit.errors import LabError, UsageError
from labkit.lab.profile import Profile
from labkit.lab.runs import Place, Run
from labkit.lab.runs import here as this_machine
from labkit.lab.runs import plan as plan_run
from labkit.model.batch import SCHEMA, BatchPlan, PlannedNotebook, PlannedRun
from labkit.system.store import digest, write_atomically

log = logging.getLogger(__name__)

FOLDER: Final = "batches"
_PLAN: Final = "batch.json"

#: Gives each profile its place; for a batch that is resumed it is told each one's machine, by its id, and finds that.
Placing = Callable[[Sequence[Profile], Sequence[str | None]], Sequence[Place]]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch and its runs; ``resumed`` when an earlier process started it."""

    id: str
    folder: Path
    runs: tuple[Run, ...]
    resumed: bool = False

    def write(self) -> None:
        """Write down what is to be done, unless it was.

        Raises:
            StoreError: It cannot be written.

        """
        if not (self.folder / _PLAN).is_file():
            write_atomically(self.folder / _PLAN, msgspec.json.format(msgspec.json.encode(_written(self)), indent=1))


def here(profiles: Sequence[Profile], _machines: Sequence[str | None]) -> Sequence[Place]:
    """Place every run on this machine."""
    return (this_machine(),) * len(profiles)


def plan(profiles: Sequence[Profile], out: Path, *, placing: Placing = here) -> Batch:
    """Return a new batch of profiles; nothing is written yet.

    Raises:
        UsageError: A profile is for another machine.

    """
    return _planned(profiles, out, placing(profiles, [None] * len(profiles)))


def _planned(profiles: Sequence[Profile], out: Path, places: Sequence[Place]) -> Batch:
    runs = tuple(plan_run(profile, out, place) for profile, place in zip(profiles, places, strict=True))
    moment = min(run.started_at for run in runs)
    id_ = f"{moment:%Y%m%dT%H%M%SZ}-{digest({'runs': [run.id for run in runs]})[:8]}"
    return Batch(
        id=id_,
        folder=out / FOLDER / id_,
        runs=tuple(replace(run, batch=id_) for run in runs),
    )


def resume(profiles: Sequence[Profile], out: Path, *, placing: Placing = here) -> Batch:
    """Return the newest batch in ``out`` that was to do exactly this and is not complete.

    Raises:
        UsageError: There is none.

    """
    plans: dict[tuple[str, ...], Batch] = {}
    other, lost = 0, None
    for folder in sorted((out / FOLDER).glob("*/"), reverse=True):
        try:
            written = msgspec.json.decode((folder / _PLAN).read_bytes(), type=BatchPlan)
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("%s is no batch that can be resumed: %s", folder, error)
            continue
        if written.schema != SCHEMA or len(written.runs) != len(profiles):
            other += 1
            continue
        machines = tuple(run.machine for run in written.runs)
        try:
            if machines not in plans:
                plans[machines] = _planned(profiles, out, placing(profiles, machines))
        except LabError as error:
            other, lost = other + 1, lost or error
            continue
        fresh = plans[machines]
        if written.digest != _digest(fresh.runs):
            other += 1
            continue
        found = _again(fresh, written, folder, out)
        if not all(run.has_record() for run in found.runs):
            return found
    if lost is not None:
        raise UsageError(f"no batch in {out / FOLDER} can be resumed now: {lost.what}", remedy=lost.remedy) from lost
    beside = f"; {other} others there are of other notebooks, parameters, tools or labkit" if other else ""
    raise UsageError(
        f"{out / FOLDER} holds no unfinished batch that was to do this{beside}", remedy="run it without --resume"
    )


def _digest(runs: Sequence[Run]) -> str:
    return digest({"runs": [[run.profile.name, run.machine.id, *[job.id for job in run.jobs]] for run in runs]})


def _written(batch: Batch) -> BatchPlan:
    return BatchPlan(
        batch=batch.id,
        digest=_digest(batch.runs),
        labkit_version=labkit.__version__,
        started_at=min(run.started_at for run in batch.runs).isoformat(timespec="seconds"),
        runs=tuple(
            PlannedRun(
                run=run.id,
                machine=run.machine.id,
                params_name=run.profile.name,
                parameters=dict(run.profile.parameters),
                point=dict(run.profile.point),
                repeat=run.profile.repeat,
                notebooks=tuple(PlannedNotebook(name=job.name, id=job.id, measures=job.measures) for job in run.jobs),
            )
            for run in batch.runs
        ),
    )


def _again(fresh: Batch, written: BatchPlan, folder: Path, out: Path) -> Batch:
    """Return the batch that was written down: its runs' ids and folders, with the profiles that were given now."""
    runs = tuple(
        replace(
            run,
            id=planned.run,
            folder=out / planned.machine / planned.run,
            started_at=datetime.fromisoformat(written.started_at),
            batch=written.batch,
        )
        for run, planned in zip(fresh.runs, written.runs, strict=True)
    )
    return Batch(id=written.batch, folder=folder, runs=runs, resumed=True)
