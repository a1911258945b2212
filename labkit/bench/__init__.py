"""How fast the kernels are here: fresh processes of the Go worker, medians over processes with their intervals.

The unit of the statistics is the process: each counts once, with the median of its slices. The method is described in
docs/benchmarks.md; that of :func:`compare`, which says how two arms differ, in docs/method.md. The worker is built from
:data:`MODULE` with the code that a set generates from :data:`PROTO`, which is :mod:`labkit.facts`'s part.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from labkit.bench.paired import PairedPlan, compare, compare_all, translated_arms
from labkit.bench.plan import Plan, schedule
from labkit.bench.statistics import median, summarise
from labkit.bench.suites import checked, choose, title
from labkit.bench.summary import cpu_ns_per_op, cpu_share, wall_ns_per_op, warnings
from labkit.bench.worker import Document, Listed, WorkerError, list_all, run_once
from labkit.model.bench import Interval, ProcessSample, Sample, Slice

__all__ = [
    "MODULE",
    "PACKAGE",
    "PROTO",
    "PROTO_FOLDER",
    "Listed",
    "PairedPlan",
    "Plan",
    "WorkerError",
    "compare",
    "compare_all",
    "list_all",
    "run",
    "translated_arms",
]

#: The folder of the Go module that the worker is built from, and the worker's package in it.
MODULE: Final = Path(__file__).parent / "kernels"
PACKAGE: Final = "./cmd/worker"

#: The messages and the service that the kernels work with.
PROTO_FOLDER: Final = MODULE / "proto"
PROTO: Final = "bench.proto"


def run(
    worker: Path,
    plan: Plan,
    *,
    toolchain_digest: str,
    worker_digest: str,
    plugin: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    timeout_s: float | None = None,
) -> tuple[Sample, ...]:
    """Measure kernels in fresh processes, interleaved in a random order.

    Args:
        worker: The worker program.
        plan: What to measure, and how often.
        toolchain_digest: Of the set that built the worker; kept in the samples.
        worker_digest: Of the worker; kept in the samples.
        plugin: The protoc-gen-go of the worker's platform that the kernel of this name starts; it lacks without.
        progress: Called after each process with the number done, the number of all, and the kernel.
        timeout_s: Seconds that one process may take; by the plan when None.

    Returns:
        A sample for each kernel, in the plan's order (the suite's when the plan names none).

    Raises:
        UsageError: The plan names an unknown kernel.
        ProcessError: The worker could not be started.
        TimeoutExpiredError: A process did not end in time.
        WorkerError: A process failed, a kernel's check failed, or the numbers make no sense.

    """
    listed = list_all(worker, plugin=plugin)
    kernels = [kernel.name for kernel in choose(plan.kernels, listed.kernels, lacking=listed.not_measured)]
    taken_at = datetime.now(UTC).isoformat(timespec="seconds")
    order = schedule(kernels, plan.processes, plan.seed)
    documents: dict[str, list[tuple[int, Document]]] = {name: [] for name in kernels}
    for position, name in enumerate(order):
        documents[name].append((position, run_once(worker, name, plan, plugin=plugin, timeout_s=timeout_s)))
        if progress is not None:
            progress(position + 1, len(order), name)
    return tuple(
        _sample(taken, plan, toolchain_digest=toolchain_digest, worker_digest=worker_digest, taken_at=taken_at)
        for taken in documents.values()
    )


def _sample(
    taken: list[tuple[int, Document]], plan: Plan, *, toolchain_digest: str, worker_digest: str, taken_at: str
) -> Sample:
    said = taken[0][1]
    processes = tuple(
        ProcessSample(
            position=position,
            slices=document.raw_slices(),
            allocated_bytes_per_op=document.allocated_bytes_per_op,
            allocations_per_op=document.allocations_per_op,
            involuntary_switches=document.involuntary_switches,
            minor_faults=document.minor_faults,
            peak_memory_bytes=document.peak_memory_bytes,
            translated=document.translated,
        )
        for position, document in taken
    )
    wall, shares = _over_processes(processes, wall_ns_per_op), _over_processes(processes, cpu_share)
    return Sample(
        kernel=said.kernel,
        title=title(said.kernel, said.payload_bytes),
        suite_version=said.suite_version,
        unit="ns/op",
        wall=wall,
        cpu=_over_processes(processes, cpu_ns_per_op),
        cpu_share=shares,
        processes=processes,
        checked=checked(said.kernel),
        warnings=warnings(processes, wall=wall, cpu_shares=shares, single_threaded=said.single_threaded),
        single_threaded=said.single_threaded,
        payload_bytes=said.payload_bytes,
        platform=f"{said.goos}/{said.goarch}",
        go_version=said.go_version,
        gomaxprocs=said.gomaxprocs,
        seed=plan.seed,
        slice_time_ms=plan.slice_time_ms,
        toolchain=toolchain_digest,
        worker=worker_digest,
        taken_at=taken_at,
    )


def _over_processes(processes: tuple[ProcessSample, ...], of_slice: Callable[[Slice], float]) -> Interval:
    """Return the median over processes of each process's median over its slices."""
    return summarise([median([of_slice(s) for s in process.slices]) for process in processes])
