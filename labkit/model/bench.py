"""Samples: raw times of fresh processes, and their summaries."""

from labkit.model.base import Provenance, Record


class Slice(Record, frozen=True, kw_only=True):
    """One timed stretch within a process: ``iterations`` runs of the kernel."""

    iterations: int
    wall_time_ns: int
    cpu_time_ns: int  # of the whole process, user and system


class ProcessSample(Record, frozen=True, kw_only=True):
    """One fresh process running one kernel."""

    slices: tuple[Slice, ...]
    allocated_bytes_per_op: float
    allocations_per_op: float
    involuntary_switches: int
    peak_memory_bytes: int


class Interval(Record, frozen=True, kw_only=True):
    """A median with its interval; ``low`` and ``high`` are None when the confidence cannot be had from so few."""

    median: float
    low: float | None
    high: float | None
    confidence: float | None  # the interval's actual coverage, such as 0.969
    n: int  # processes, never slices


class Sample(Record, frozen=True, kw_only=True):
    """One kernel on this machine: raw processes, and medians over them."""

    kernel: str
    title: str
    suite_version: int
    unit: str  # ns/op
    wall: Interval
    cpu: Interval
    cpu_share: Interval  # CPU time over wall time; above 1 for a kernel with several threads
    processes: tuple[ProcessSample, ...]
    checked: str  # what was verified before any timing counted
    warnings: tuple[str, ...]
    toolchain: str  # digest of the set that built the worker
    worker: str  # digest of the worker binary
    taken_at: str  # UTC, ISO 8601
    provenance: Provenance = Provenance.MEASURED
