"""Two arms run side by side in pairs of fresh processes: raw pairs, what they say of a difference, their condition."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record, Text
from labkit.model.machine import Condition


class Clock(StrEnum):
    """What is compared: CPU time is the kernel's own, wall time is what a user waits for."""

    CPU = "cpu"
    WALL = "wall"


class Judgement(StrEnum):
    """What an experiment says of the changed arm, compared with the baseline."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"  # the whole interval lies within the threshold
    NO_DIFFERENCE_SHOWN = "no_difference_shown"  # could_have_seen says how large one could hide
    TOO_NOISY = "too_noisy"  # the machine's condition allows no answer


class Stop(StrEnum):
    """Why no further pairs were taken."""

    CLEAR = "clear"  # a difference is shown, or excluded
    FUTILE = "futile"  # the pairs left would not have made it clear
    TIME = "time"  # the next look would have come after the time given
    LAST = "last"  # all planned pairs were taken


class Translator(StrEnum):
    """What executes an arm whose architecture is not the machine's."""

    ROSETTA = "rosetta"
    QEMU = "qemu"


class Arm(Record, frozen=True, kw_only=True):
    """One of the two: a worker's program and the kernel that it runs."""

    label: str  # native, translated, GODEBUG=madvdontneed=0
    program: tuple[str, ...]  # absolute path of the worker, a translator and its arguments before it
    kernel: str  # with its point: chase@65536
    units: int = 100  # of work in place of 100; else only to make a slowdown of a known size
    environment: Mapping[str, str] = {}  # on top of labkit's own


class ArmFacts(Record, frozen=True, kw_only=True):
    """Where an arm's numbers come from, as its worker said itself."""

    label: str
    kernel: str
    suite_version: int
    units: int
    environment: Mapping[str, str]
    iterations: int  # nominal ones of a slice; a slice's times are divided by it
    platform: str  # linux/arm64, as Go names it
    go_version: str
    gomaxprocs: int
    worker_sha256: str
    translator: Translator | None  # None: native
    translator_program: str | None  # its file's name, where it was started by name: qemu-aarch64
    witnesses: Mapping[str, str]  # what speaks for or against translation: proc_translated, cpu_name, executed_by


class PairedSlice(Record, frozen=True, kw_only=True):
    """One short stretch of one arm."""

    cpu_time_ns: int  # of the process and the children it waited for
    wall_time_ns: int
    involuntary_switches: int


class Pair(Record, frozen=True, kw_only=True):
    """Two fresh processes side by side, their slices in turns; ``baseline[i]`` and ``changed[i]`` are a couple."""

    position: int  # among all pairs of the run, of whichever comparison, from 0
    changed_started_first: bool
    changed_went_first: tuple[bool, ...]  # for each couple
    baseline: tuple[PairedSlice, ...]
    changed: tuple[PairedSlice, ...]
    core_shares: tuple[float, ...]  # what threads that never sleep got of a core; for kernels that need wall time
    core: int | None = None  # the core that both processes were held to; None: the system chose


class Look(Record, frozen=True, kw_only=True):
    """What the pairs so far said when they were looked at."""

    pairs: int
    p_value: float  # of these pairs alone: exact signed-rank, two-sided
    overall_p_value: float  # over all looks, so that stopping early costs nothing


class Verdict(Record, frozen=True, kw_only=True):
    """What one clock says. Ratios are changed to baseline, time per nominal iteration: 1.05 is 5 % slower."""

    clock: Clock
    judgement: Judgement
    reason: Text
    ratio: float | None  # Hodges-Lehmann over pairs; None: too few pairs for a look
    low: float | None
    high: float | None
    confidence: float | None  # that low and high hold the true ratio, whichever look was the last
    pairs: int  # that the verdict rests on
    looks: tuple[Look, ...]
    holm_p_value: float | None  # the last look's overall p-value, corrected for all comparisons judged with it
    compared_with: int  # how many were judged with it, itself included
    could_have_seen: float | None  # as a share: 0.02 is 2 %; None when so few pairs show nothing of any size


class Difference(Record, frozen=True, kw_only=True):
    """An experiment: two arms, their pairs, and what both clocks say."""

    kernel: str
    baseline: ArmFacts
    changed: ArmFacts
    verdict: Verdict  # of the clock that fits the kernel
    other: Verdict  # of the other clock, judged by itself
    stopped: Stop
    cpu_share: float  # of the slices: median over pairs of the median
    core_share: float | None  # median of what the probes got; None where none were taken
    involuntary_switches_per_s: float  # per second of the slices' CPU time
    drift: float  # the baseline's CPU time per iteration, last half of the pairs over the first, less 1
    warnings: tuple[Text, ...]
    before: Condition
    after: Condition
    pairs: tuple[Pair, ...]
    pairs_planned: int
    slice_time_us: int  # what the slices were calibrated for, CPU time
    seed: int
    time_limit_s: float
    duration_s: float  # spent on this comparison's pairs
    taken_at: str  # UTC, ISO 8601
    provenance: Provenance = Provenance.MEASURED
