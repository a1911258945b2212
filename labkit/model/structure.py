"""What the structure probes found: curves of nanoseconds over size, their knees, and differences that layout makes."""

from enum import StrEnum

from labkit.model.base import Provenance, Record, Text
from labkit.model.bench import Interval
from labkit.model.paired import Clock


class Point(Record, frozen=True, kw_only=True):
    """One point of a curve: the median over processes of each process's least slice.

    A structure's own latency is what is left when nobody disturbs: a neighbour only ever adds.
    """

    at: int  # in the curve's unit
    time_ns: Interval  # per operation, over processes
    least_ns: tuple[float, ...]  # of each process, in the order of the rounds
    stable: bool  # whether the processes agree


class Knee(Record, frozen=True, kw_only=True):
    """Where a curve leaves a plateau for a higher one, in the curve's unit."""

    at: float  # where the curve crosses the middle (labkit.bench.structure.knees says which)
    plateau_end: int  # the last point of the plateau
    above: int  # the first point beyond the crossing
    before_ns: float  # the plateau's end
    after_ns: float  # what the rise leads to: the next plateau's start, or the last stable point
    agreement: float  # share of resamplings of the processes that find a knee within a factor of 2 of this one
    stable: bool


class Curve(Record, frozen=True, kw_only=True):
    """One probe over its points."""

    probe: str  # chase, tlb, tlb-dense, tlb-cost, line-stride, false-sharing, payload-encode
    unit: str  # bytes, pages
    clock: Clock
    points: tuple[Point, ...]
    knees: tuple[Knee, ...]  # by size; those that are not stable are among them and say so
    unstable_from: int | None  # from this point on the processes do not agree; None: they do everywhere
    provenance: Provenance = Provenance.MEASURED


class Said(Record, frozen=True, kw_only=True):
    """A size of a cache, or of a line, that the machine tells of itself, beside the knee that was found for it."""

    name: str  # l1d, l2, l3, line
    level: int  # index of the performance level; 0 is the fastest
    said_bytes: int
    found_bytes: float | None  # None: no stable knee is nearer to this size than to another
    within_a_factor_of_2: bool | None  # None: nothing was found


class Doubt(Record, frozen=True, kw_only=True):
    """A rule by which a curve is perhaps not what it looks like."""

    id: str
    reason: Text
    source: str  # URL
    confirmed_on_hardware: bool


class Ratio(Record, frozen=True, kw_only=True):
    """How much longer one of two takes: medians over processes, never paired by slices."""

    ratio: float  # the Hodges-Lehmann estimate, other over base
    low: float | None  # of the interval; None when so few processes have none
    high: float | None
    confidence: float | None
    n: int  # processes on each side
    shown: bool  # whether the interval leaves out 1 and the ratio is at least 1 % away from it
    could_see_percent: float | None  # the least change that this interval would have shown


class LayoutDifference(Record, frozen=True, kw_only=True):
    """One comparison of layouts: the same work on data laid out otherwise."""

    kernel: str  # payload-encode, false-sharing
    base: int  # the point that is compared with, in bytes
    other: int
    clock: Clock
    ratio: Ratio
    cpu_share: float  # the median over processes of both; two threads that both run have 2
    too_noisy: bool  # wall time, and too little of the cores for it to say anything
    warnings: tuple[Text, ...]


class Field(Record, frozen=True, kw_only=True):
    """One field of the handbook's struct, as Go's compiler lays it out."""

    name: str
    offset_bytes: int
    size_bytes: int
    claimed_offset_bytes: int | None  # what the handbook says; None where it says nothing


class Structure(Record, frozen=True, kw_only=True):
    """What was found, or why nothing was."""

    curves: tuple[Curve, ...] = ()
    said: tuple[Said, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    differences: tuple[LayoutDifference, ...] = ()
    fields: tuple[Field, ...] = ()
    struct_size_bytes: int | None = None
    cache_line_bytes: int | None = None  # that the machine tells
    refused: Text | None = None  # why the probes were not run
    taken_at: str | None = None  # UTC, ISO 8601
    process_count: int = 0  # of each point


class Quietness(StrEnum):
    """Whether the machine is quiet enough to measure on."""

    QUIET = "quiet"
    CPU_TIME_ONLY = "cpu-time-only"  # CPU times stand, wall times are too long
    TOO_NOISY = "too-noisy"


class Quiet(Record, frozen=True, kw_only=True):
    """The verdict on the machine's condition, and what it rests on."""

    verdict: Quietness
    reasons: tuple[Text, ...]
