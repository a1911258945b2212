"""The experiment: pairs of fresh processes, both arms alive side by side, until the answer is clear or time is over."""

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from labkit import machine
from labkit.bench.paired import conditions, cores, judging
from labkit.bench.paired.plan import PairedPlan, Roles
from labkit.bench.paired.sequential import schedule
from labkit.bench.paired.serving import Greeting, Served
from labkit.bench.worker import WorkerError
from labkit.errors import ImpossibleHereError, UsageError
from labkit.model.machine import Condition
from labkit.model.paired import Arm, ArmFacts, Clock, Difference, Pair, PairedSlice, Stop
from labkit.system.store import file_digest

#: Programs of which one is so many times as fast get iteration counts of their own. Calibrating on a busy machine errs
#: by up to 1.7, and with other counts the collector would run at other moments of a process's life.
_ALIKE: Final = 3.0
#: A probe of the cores comes before every so many couples.
_PROBE_EVERY: Final = 4
_NOMINAL_UNITS: Final = 100


def other_clock(clock: Clock) -> Clock:
    """Return the clock that is told beside the one that decides."""
    return Clock.CPU if clock is Clock.WALL else Clock.WALL


class Comparison:
    """Two arms on the way to a verdict: how many iterations, which pairs so far, how long, and whether it goes on."""

    def __init__(self, baseline: Arm, changed: Arm, roles: Roles, plan: PairedPlan, *, timeout_s: float) -> None:
        if baseline.kernel != changed.kernel:
            raise UsageError(
                f"{baseline.kernel} and {changed.kernel} are two kernels", remedy="compare two arms of one kernel"
            )
        self.arms = (baseline, changed)
        self._roles, self._plan, self._timeout_s = roles, plan, timeout_s
        self.pairs: list[Pair] = []
        self.looks = 0
        self.stopped: Stop | None = None
        self.spent_s = 0.0
        self._cores = cores.available()
        self.greetings: tuple[Greeting, Greeting] = self._calibrated()

    @property
    def clock(self) -> Clock:
        """The clock that fits the kernel."""
        return Clock.WALL if self.greetings[0].needs_wall_time else Clock.CPU

    def series(self, clock: Clock) -> judging.Series:
        """Return the pairs so far as the tests take them: one number each."""
        ratio = self.greetings[0].iterations / self.greetings[1].iterations
        return judging.Series(
            values=[conditions.log_ratio(pair, clock, ratio) for pair in self.pairs], looks=self.looks
        )

    def take(self, position: int) -> None:
        """Take one more pair."""
        started = time.monotonic()
        changed_first, turns = self._roles.changed_starts_first(), self._roles.changed_goes_first()
        core = self._roles.core(self._cores)
        with contextlib.ExitStack() as alive:
            served: dict[int, Served] = {}
            for index in (1, 0) if changed_first else (0, 1):
                served[index] = alive.enter_context(self._serve(index, self.greetings[index].iterations, core))
            greetings = served[0].greeted(), served[1].greeted()
            if greetings != self.greetings:
                raise WorkerError(
                    f"the workers of {self.arms[0].kernel} are not what they were a pair before",
                    remedy="leave the worker as it is while it is measured",
                )
            slices: tuple[list[PairedSlice], list[PairedSlice]] = ([], [])
            shares = []
            for number, changed_goes_first in enumerate(turns):
                if greetings[0].needs_wall_time and number % _PROBE_EVERY == 0:
                    threads = min(greetings[0].threads, greetings[0].gomaxprocs)
                    shares.append(served[number // _PROBE_EVERY % 2].core_share(threads))
                for index in (1, 0) if changed_goes_first else (0, 1):
                    slices[index].append(served[index].slice())
        self.pairs.append(
            Pair(
                position=position,
                changed_started_first=changed_first,
                changed_went_first=turns,
                baseline=tuple(slices[0]),
                changed=tuple(slices[1]),
                core_shares=tuple(shares),
                core=core,
            )
        )
        self.spent_s += time.monotonic() - started

    def facts(self, index: int) -> ArmFacts:
        """Return where an arm's numbers come from."""
        arm, greeting = self.arms[index], self.greetings[index]
        return ArmFacts(
            label=arm.label,
            kernel=arm.kernel,
            suite_version=greeting.suite_version,
            units=arm.units,
            environment=arm.environment,
            iterations=greeting.iterations,
            platform=greeting.platform,
            go_version=greeting.go_version,
            gomaxprocs=greeting.gomaxprocs,
            worker_sha256=file_digest(Path(arm.program[-1])),
            translator=greeting.translator,
            translator_program=Path(arm.program[0]).name if len(arm.program) > 1 else None,
            witnesses=greeting.witnesses,
        )

    def _serve(self, index: int, iterations: int | None, core: int | None) -> Served:
        return Served(
            self.arms[index],
            iterations=iterations,
            slice_time_us=self._plan.slice_time_us,
            timeout_s=self._timeout_s,
            core=core,
        )

    def _calibrated(self) -> tuple[Greeting, Greeting]:
        """Return what each arm says of itself with the iterations that all its pairs will have."""
        started = time.monotonic()
        free = [self._greeting(index, None, None) for index in (0, 1)]
        if not free[0].single_threaded or free[0].needs_wall_time:
            self._cores = ()  # its threads need cores of their own
        chosen = [greeting.iterations for greeting in free]
        step = math.lcm(*(_NOMINAL_UNITS // math.gcd(arm.units, _NOMINAL_UNITS) for arm in self.arms))
        whole = [-(-count // step) * step for count in chosen]
        if self.arms[0].program == self.arms[1].program or max(whole) < _ALIKE * min(whole):
            whole = [whole[0], whole[0]]
        core = self._cores[0] if self._cores else None
        first, second = (self._greeting(index, whole[index], core) for index in (0, 1))
        if first.suite_version != second.suite_version:
            raise WorkerError(
                f"the arms' suites are of versions {first.suite_version} and {second.suite_version}, so that "
                f"{self.arms[0].kernel} is not the same work in both",
                remedy="build both workers from the same labkit",
            )
        self.spent_s += time.monotonic() - started
        return first, second

    def _greeting(self, index: int, iterations: int | None, core: int | None) -> Greeting:
        with self._serve(index, iterations, core) as served:
            greeting = served.greeted()
        if greeting.translator is not None and greeting.refused_translated:
            raise ImpossibleHereError(
                f"{greeting.kernel} runs translated by {greeting.translator}: it would tell of the host's caches and "
                "memory, not of the program",
                remedy="measure it natively, or leave it out of this comparison",
            )
        return greeting


def compare(baseline: Arm, changed: Arm, plan: PairedPlan | None = None, *, timeout_s: float = 60.0) -> Difference:
    """Compare two arms of one kernel; see :func:`compare_all`."""
    return compare_all([(baseline, changed)], plan, timeout_s=timeout_s)[0]


def compare_all(
    arms: Sequence[tuple[Arm, Arm]],
    plan: PairedPlan | None = None,
    *,
    timeout_s: float = 60.0,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[Difference, ...]:
    """Compare arms in pairs of fresh processes, all comparisons interleaved and judged together.

    Every round takes a pair of each comparison that is not yet done, in a random order, so that drift of the machine
    hits all alike.

    Args:
        arms: Baseline and changed arm of each comparison.
        plan: How pairs are taken; the default is what docs/method.md proves.
        timeout_s: Seconds that a worker may take for its set-up, and for each slice.
        progress: Called after each round with the pairs taken, the most that there may be, and how many go on.

    Returns:
        A difference for each comparison, in their order.

    Raises:
        UsageError: Two arms are of different kernels, or there are none.
        WorkerError: A worker failed, its kernel's check failed, or what it said makes no sense.
        TimeoutExpiredError: A worker said nothing in time.
        ProcessError: A worker could not be started.
        ImpossibleHereError: A translated arm has a kernel that would tell of the host.

    """
    plan = plan or PairedPlan()
    if not arms:
        raise UsageError("there are no arms to compare", remedy="name at least one baseline and one changed arm")
    taken_at, before = datetime.now(UTC).isoformat(timespec="seconds"), machine.condition()
    roles = Roles(plan.seed, plan.couples)
    all_ = [Comparison(baseline, changed, roles, plan, timeout_s=timeout_s) for baseline, changed in arms]
    position = 0
    while going := [comparison for comparison in all_ if comparison.stopped is None]:
        for index in roles.shuffled(len(going)):
            going[index].take(position)
            position += 1
        _look(all_, plan)
        if progress is not None:
            going_on = sum(comparison.stopped is None for comparison in all_)
            progress(position, len(all_) * schedule().looks[-1], str(going_on))
    after = machine.condition()
    return tuple(_told(all_, index, plan, before=before, after=after, taken_at=taken_at) for index in range(len(all_)))


def _look(all_: Sequence[Comparison], plan: PairedPlan) -> None:
    """Look at whatever has reached its next look, and stop what is clear, futile or out of time."""
    looks = schedule().looks
    due = [c for c in all_ if c.stopped is None and len(c.pairs) == looks[c.looks]]
    for comparison in due:
        comparison.looks += 1
    family = _family(all_)
    left = max(1, sum(p_value > judging.ALPHA for p_value in judging.corrected(family))) if due else 1
    for comparison in all_:
        if comparison.stopped is not None:
            continue
        if comparison not in due:
            if not comparison.looks and comparison.spent_s > plan.time_limit_s:
                comparison.stopped = Stop.TIME
            continue
        index = all_.index(comparison)
        done = len(comparison.pairs)
        if judging.is_clear(family, index):
            comparison.stopped = Stop.CLEAR
        elif comparison.looks == len(looks):
            comparison.stopped = Stop.LAST
        elif judging.is_futile(family[index], judging.ALPHA / left):
            comparison.stopped = Stop.FUTILE
        elif comparison.spent_s * looks[comparison.looks] / done > plan.time_limit_s:
            comparison.stopped = Stop.TIME


def _family(all_: Sequence[Comparison]) -> list[judging.Series]:
    return [comparison.series(comparison.clock) for comparison in all_]


def _told(
    all_: Sequence[Comparison], index: int, plan: PairedPlan, *, before: Condition, after: Condition, taken_at: str
) -> Difference:
    it = all_[index]
    other = other_clock(it.clock)
    others = [comparison.series(other_clock(comparison.clock)) for comparison in all_]
    verdicts = [
        judging.verdict(clock, family, index, too_busy=conditions.too_busy(it.pairs, clock))
        for clock, family in ((it.clock, _family(all_)), (other, others))
    ]
    return Difference(
        kernel=it.arms[0].kernel,
        baseline=it.facts(0),
        changed=it.facts(1),
        verdict=verdicts[0],
        other=verdicts[1],
        stopped=it.stopped or Stop.LAST,
        cpu_share=conditions.cpu_share(it.pairs),
        core_share=conditions.core_share(it.pairs),
        involuntary_switches_per_s=conditions.switches_per_s(it.pairs),
        drift=conditions.drift(it.pairs),
        warnings=conditions.warnings(it.pairs, it.greetings, before, after),
        before=before,
        after=after,
        pairs=tuple(it.pairs),
        pairs_planned=schedule().looks[-1],
        slice_time_us=plan.slice_time_us,
        seed=plan.seed,
        time_limit_s=plan.time_limit_s,
        duration_s=it.spent_s,
        taken_at=taken_at,
    )
