"""Writes samples in the Go benchmark format: one line a process, for a process counts once.

Slices of one process are no lines of their own: they are alike among themselves, and benchstat would take them for
independent. A line's times are the medians of its process's slices. ``ns/op`` is wall time, as Go has it, and
``cpu-ns/op`` the CPU time of all threads.

The configuration lines say whose numbers they are: ``goos``, ``goarch``, ``pkg`` and ``cpu`` as ``go test`` has them,
and labkit's own ``machine``, ``toolchain``, ``go``, ``suite``, ``translated`` and ``day``. benchstat makes a table of
each combination; ``benchstat -col toolchain`` compares two sets, and ``-ignore day`` two days.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from labkit.bench.benchfmt.units import shortest
from labkit.bench.statistics import median
from labkit.bench.summary import cpu_ns_per_op, wall_ns_per_op
from labkit.model.base import Provenance
from labkit.model.bench import ProcessSample, Sample
from labkit.model.machine import Machine

#: The Go package of the kernels, and their benchmark in it: `go test -bench Kernel` gives lines of the same names.
PACKAGE: Final = "labkit.dev/kernels/kernel"
BENCHMARK: Final = "Kernel"

_UNITS: Final = ("Unit ns/op better=lower", "Unit cpu-ns/op better=lower")


def write(samples: Sequence[Sample], machine: Machine) -> str:
    """Return samples of one machine in the Go benchmark format."""
    lines = [*_UNITS, ""]
    before: tuple[tuple[str, str], ...] = ()
    for sample in samples:
        config = _config(sample, machine)
        if config != before:
            lines += ["", *(f"{key}: {value}" for key, value in config if (key, value) not in before)]
            lines += [f"{key}:" for key, _value in before if key not in dict(config)]
            before = config
        lines += _lines(sample)
    return "\n".join(lines) + "\n"


def name_of(kernel: str) -> str:
    """Return a kernel's benchmark name: ``chase@65536`` is ``Kernel/chase/@65536``, a kernel at one of its points."""
    bare, _, point = kernel.partition("@")
    return f"{BENCHMARK}/{bare}" + (f"/@{point}" if point else "")


def kernel_of(name: str) -> str | None:
    """Return the kernel of a benchmark's name, with or without its number of processors; None for another benchmark."""
    bare, dash, processors = name.rpartition("-")
    parts = (bare if dash and processors.isdecimal() else name).split("/")
    if parts[0] != BENCHMARK or len(parts) not in {2, 3}:
        return None
    return parts[1] + (parts[2] if len(parts) > 2 else "")  # noqa: PLR2004 - the point


def _config(sample: Sample, machine: Machine) -> tuple[tuple[str, str], ...]:
    system, architecture = sample.platform.split("/")
    translated = {process.translated for process in sample.processes}
    config = {
        "goos": system,
        "goarch": architecture,
        "pkg": PACKAGE,
        "cpu": machine.chip or "",
        "machine": machine.id,
        "toolchain": sample.toolchain,
        "go": sample.go_version,
        "suite": str(sample.suite_version),
        "translated": "yes" if True in translated else "no" if False in translated else "",
        "day": sample.taken_at[:10],
        "provenance": "" if sample.provenance is Provenance.MEASURED else str(sample.provenance),
    }
    return tuple((key, " ".join(value.split())) for key, value in config.items() if value)


def _lines(sample: Sample) -> Iterator[str]:
    # Always with the number of processors, also of one, where go test leaves it out: fft-4096 ends in a number itself.
    name = f"Benchmark{name_of(sample.kernel)}-{sample.gomaxprocs}"
    for process in sample.processes:
        measured = (
            (wall_per_process(process), "ns/op"),
            (cpu_per_process(process), "cpu-ns/op"),
            (process.allocated_bytes_per_op, "B/op"),
            (process.allocations_per_op, "allocs/op"),
        )
        iterations = sum(each.iterations for each in process.slices)
        yield " ".join([name, str(iterations), *(f"{shortest(value)} {unit}" for value, unit in measured)])


def wall_per_process(process: ProcessSample) -> float:
    """Return a process's wall time per operation: the median of its slices, in ns."""
    return median([wall_ns_per_op(each) for each in process.slices])


def cpu_per_process(process: ProcessSample) -> float:
    """Return a process's CPU time per operation: the median of its slices, in ns."""
    return median([cpu_ns_per_op(each) for each in process.slices])
