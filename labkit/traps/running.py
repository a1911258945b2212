"""Runs traps side by side and judges them in one place; what a trap does is its own module's matter.

A trap runs in a thread of its own, with a rig of its own. Whatever happens, a trap's children and its folder are gone
when :func:`run_traps` returns or raises: after Ctrl-C the children of this process are ended until every thread has
unwound.
"""

import contextlib
import importlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import Final

from labkit import machine
from labkit.errors import LabError, UsageError
from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case, Step, StepKind, TrapOutcome, TrapsReport
from labkit.system import proc
from labkit.traps import TRAPS, outcomes
from labkit.traps.rig import Rig
from labkit.traps.trap import Trap

log = logging.getLogger(__name__)

Progress = Callable[[str], None]

#: How many traps run side by side unless a caller says otherwise: they wait more than they compute.
JOBS: Final = 4
#: Started first, for they take longest: the whole then takes little longer than the longest.
_LONGEST_FIRST: Final = ("kafka", "pool", "helm", "configmap")
#: What a quick report runs: those that take seconds and need no database, broker or JVM of their own.
FAST: Final = ("configmap", "mtls", "scrape", "http502", "timezone")
_UNWIND_S: Final = 60.0
_WANTED: Final = {
    StepKind.REPRODUCE: True,
    StepKind.DIAGNOSE: True,
    StepKind.FIX: True,
    StepKind.VERIFY: False,
    StepKind.CONTROL: False,
}


def run_traps(
    ids: Sequence[str] = (),
    *,
    jobs: int | None = None,
    on_progress: Progress | None = None,
    traps: Mapping[str, type[Trap]] | None = None,
) -> TrapsReport:
    """Run traps side by side and return what each showed, in the order of :data:`labkit.traps.TRAPS`.

    Args:
        ids: Which ones; all when empty.
        jobs: How many at once; :data:`JOBS` when None.
        on_progress: Called with one line when a trap begins a step, from that trap's thread.
        traps: The classes by id; those of :data:`labkit.traps.TRAPS` when None.

    Raises:
        UsageError: There is no trap of such an id.
        KeyboardInterrupt: Ctrl-C; nothing of the traps is left then.

    """
    started, began = datetime.now(UTC), time.monotonic()
    chosen = select(ids, known=traps or TRAPS)
    say = on_progress or (lambda _line: None)
    stopping = threading.Event()

    def one(id_: str) -> TrapOutcome:
        trap = load(id_) if traps is None else traps[id_]
        return outcomes.absent(id_) if trap is None else run_trap(trap, on_progress=say, stopping=stopping)

    ahead = sorted(chosen, key=lambda id_: _LONGEST_FIRST.index(id_) if id_ in _LONGEST_FIRST else len(_LONGEST_FIRST))
    pool = ThreadPoolExecutor(max_workers=max(1, jobs or JOBS), thread_name_prefix="trap")
    futures = {id_: pool.submit(one, id_) for id_ in ahead}
    try:
        pending: Collection[Future[TrapOutcome]] = set(futures.values())
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()  # a fault that nobody foresaw ends the others, and is told
    except BaseException:
        _unwind(pool, futures.values(), stopping)
        raise
    pool.shutdown()
    return TrapsReport(
        machine=machine.read(),
        traps=tuple(futures[id_].result() for id_ in chosen),
        taken_at=started.isoformat(timespec="seconds"),
        duration_s=round(time.monotonic() - began, 3),
    )


def run_trap(
    trap: type[Trap], *, on_progress: Progress | None = None, stopping: threading.Event | None = None
) -> TrapOutcome:
    """Run one trap, whole; a fault of its parts is its outcome, not an error.

    Raises:
        KeyboardInterrupt: ``stopping`` was set meanwhile.

    """
    lacking = [part for part in trap.needs if not part.present()]
    began = time.monotonic()
    if lacking:
        return outcomes.skipped(trap, lacking)
    steps: list[Step] = []
    cases: tuple[Case, ...] = ()
    versions: Mapping[str, str] = {}
    fault: Text | None = None
    folder = ""
    now = "start"
    try:
        with Rig(trap.id) as rig:
            folder = str(rig.folder)
            running = trap(rig)
            for kind in StepKind:
                now = kind.value
                _begin(trap.id, now, on_progress, stopping)
                steps.append(getattr(running, kind.value)())
                rig.check_parts()
                if steps[-1].seen is not _WANTED[kind]:
                    break
            else:
                now = "cases"
                _begin(trap.id, now, on_progress, stopping)
                cases = running.cases()
                rig.check_parts()
            versions = running.versions()
    except LabError as error:
        log.info("%s: %s: %s", trap.id, now, error)
        fault = Text(id="traps.failed.error", values={"step": now, "what": error.what, "remedy": error.remedy})
    if stopping is not None and stopping.is_set():
        raise KeyboardInterrupt
    status, reason = judged(steps, cases, fault)
    return outcomes.outcome(
        trap,
        tuple(steps),
        cases,
        seen={step.kind for step in steps if step.seen is _WANTED[step.kind]},
        status=status,
        reason=reason,
        versions=versions,
        folder=folder,
        duration_s=time.monotonic() - began,
    )


def judged(steps: Sequence[Step], cases: Sequence[Case], fault: Text | None = None) -> tuple[Status, Text | None]:
    """Return whether a trap passes, and why not.

    It passes when the symptom was seen, its cause shown, the change taken, the symptom gone by the same probe, absent
    in parts that never had the fault, and no other case failed.
    """
    if fault is not None:
        return Status.FAIL, fault
    by_kind = {step.kind: step for step in steps}
    for kind, wanted in _WANTED.items():
        if kind not in by_kind or by_kind[kind].seen is not wanted:
            return Status.FAIL, Text(id=f"traps.failed.{kind}")
    failed = [case.id for case in cases if case.status is Status.FAIL]
    if failed:
        return Status.FAIL, Text(id="traps.failed.cases", values={"cases": ", ".join(failed)})
    return Status.PASS, None


def select(ids: Sequence[str], *, known: Collection[str] = tuple(TRAPS)) -> tuple[str, ...]:
    """Return the ids of traps in their own order, each once; all when none is named.

    Raises:
        UsageError: There is no trap of such an id.

    """
    import difflib

    for id_ in ids:
        if id_ not in known:
            near = difflib.get_close_matches(id_, known, n=1)
            raise UsageError(
                f"there is no trap {id_!r}",
                remedy=(f"did you mean {near[0]!r}? " if near else "") + f"the traps are {', '.join(known)}",
            )
    return tuple(id_ for id_ in known if not ids or id_ in ids)


def chosen_ids(chosen: str) -> tuple[str, ...]:
    """Return the ids that a notebook's parameter names: ``all``, ``fast`` (:data:`FAST`), ``none``, or ids by commas.

    Raises:
        UsageError: There is no trap of such an id.

    """
    match chosen.strip():
        case "none" | "":
            return ()
        case "all":
            return tuple(TRAPS)
        case "fast":
            return FAST
        case named:
            return select([id_.strip() for id_ in named.split(",") if id_.strip()])


def run_chosen(chosen: str, *, on_progress: Progress | None = None) -> TrapsReport | None:
    """Run the traps that a notebook's parameter names; None when it names none.

    Raises:
        UsageError: There is no trap of such an id.

    """
    ids = chosen_ids(chosen)
    return run_traps(ids, on_progress=on_progress) if ids else None


def load(id_: str) -> type[Trap] | None:
    """Return the class of a trap; None where this labkit lacks its module."""
    module, name = TRAPS[id_]
    try:
        found: type[Trap] = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return None
    return found


def prepare(ids: Sequence[str] = (), *, on_progress: Progress | None = None) -> Iterator[tuple[str, Text | None]]:
    """Fetch what traps need beyond the machine's packages, one after the other: its id, and why it could not be done.

    Raises:
        UsageError: There is no trap of such an id.

    """
    for id_ in select(ids):
        if on_progress is not None:
            on_progress(f"{id_}: prepare")
        trap = load(id_)
        lacking = [part for part in trap.needs if not (part.prepared or part.present())] if trap is not None else []
        if trap is None or lacking:
            yield id_, outcomes.reason_of(lacking) if lacking else Text(id="traps.failed.absent", values={"id": id_})
            continue
        try:
            trap.prepare()
        except LabError as error:
            values = {"step": "prepare", "what": error.what, "remedy": error.remedy}
            yield id_, Text(id="traps.failed.error", values=values)
        else:
            yield id_, None


def _begin(id_: str, what: str, on_progress: Progress | None, stopping: threading.Event | None) -> None:
    if stopping is not None and stopping.is_set():
        raise KeyboardInterrupt
    if on_progress is not None:
        on_progress(f"{id_}: {what}")


def _unwind(pool: ThreadPoolExecutor, futures: Collection[Future[TrapOutcome]], stopping: threading.Event) -> None:
    """End the children until every thread has left its rig, whose folder goes with it; a second Ctrl-C changes nothing.

    A thread cannot be interrupted. Each wait of a trap is for a child, which ends with the child.
    """
    stopping.set()
    pool.shutdown(wait=False, cancel_futures=True)
    deadline = time.monotonic() + _UNWIND_S
    left: Collection[Future[TrapOutcome]] = [future for future in futures if not future.done()]
    while left and time.monotonic() < deadline:
        with contextlib.suppress(KeyboardInterrupt):
            proc.end_children()
            _, left = wait(left, timeout=0.1)
