"""Samples: raw times of fresh processes, and their summaries."""

from labkit.model.base import Provenance, Record, Text


class Slice(Record, frozen=True, kw_only=True):
    """One timed stretch within a process: ``iterations`` runs of the kernel."""

    iterations: int
    wall_time_ns: int
    cpu_time_ns: int  # of the whole process, user and system


class ProcessSample(Record, frozen=True, kw_only=True):
    """One fresh process running one kernel."""

    position: int  # its place among all processes of the run, from 0: drift over the run can be looked for
    slices: tuple[Slice, ...]
    allocated_bytes_per_op: float
    allocations_per_op: float
    involuntary_switches: int  # while the slices ran
    minor_faults: int | None = None  # likewise: pages mapped without reading a disk; None in records before it was kept
    peak_memory_bytes: int  # resident, of the process's whole life
    translated: bool | None  # sysctl.proc_translated, read in the process; None where there is no such thing


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
    title: Text
    suite_version: int
    unit: str  # ns/op
    wall: Interval
    cpu: Interval
    cpu_share: Interval  # CPU time over wall time; above 1 for a kernel with several threads
    processes: tuple[ProcessSample, ...]
    checked: Text  # what was verified before any timing counted
    warnings: tuple[Text, ...]
    single_threaded: bool  # the garbage collector apart
    payload_bytes: int  # of what one operation processes: the message on the wire, the frame in memory
    platform: str  # linux/arm64, as Go names it
    go_version: str  # go1.27.3
    gomaxprocs: int
    seed: int  # of the order of the processes
    slice_time_ms: int  # what a slice's iteration count was calibrated for
    toolchain: str  # digest of the set that built the worker
    worker: str  # digest of the worker binary
    taken_at: str  # UTC, ISO 8601
    provenance: Provenance = Provenance.MEASURED
