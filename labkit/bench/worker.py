"""One worker process: start it, and believe its JSON only when it makes sense. Summarises nothing."""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from labkit.bench.plan import Plan
from labkit.errors import ProcessError
from labkit.model.bench import Slice
from labkit.system import environment, proc

#: The worker's JSON shape that this module reads (``measure.Schema`` of the Go module).
SCHEMA: Final = 2

#: The worker's exit code when a kernel's check failed.
EXIT_CHECK: Final = 3

_REBUILD: Final = "build the worker anew from this labkit's own Go module, and report it if that does not help"

_Positive = Annotated[int, msgspec.Meta(gt=0)]
_NotNegative = Annotated[float, msgspec.Meta(ge=0)]


class WorkerError(ProcessError):
    """A benchmark worker failed, its kernel's check failed, or what it printed makes no sense."""


class Kernel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kernel as the worker lists it (``kernel.Description`` in the Go module)."""

    name: str
    title: str
    checked: str
    family: str
    operation: str  # what ns/op counts: message, frame, load, element ...
    single_threaded: bool
    threads: _Positive
    needs_wall_time: bool  # it waits by nature, or its threads wait for each other: CPU time cannot judge it
    bytes_per_op: Annotated[int, msgspec.Meta(ge=0)]  # 0 where that says nothing
    real_time_ns: Annotated[int, msgspec.Meta(ge=0)]  # how long an operation's input lasts, as an audio frame; 0: none
    point_unit: str  # what the number after @ counts; empty for a kernel that takes none
    points: tuple[_Positive, ...]  # of a sweep
    default_point: Annotated[int, msgspec.Meta(ge=0)]
    refused_translated: bool  # under a translator it would tell of the host
    arms: tuple[str, ...]  # environments to compare, such as GODEBUG=madvdontneed=0


class Missing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kernel of the suite that a worker cannot run here; the reason has a text, ``bench.missing.<reason>``."""

    name: str
    reason: Literal["no-cgo", "no-plugin", "one-processor"]


class Listed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a worker has, and what it lacks."""

    schema: int
    suite_version: _Positive
    kernels: Annotated[tuple[Kernel, ...], msgspec.Meta(min_length=1)]
    not_measured: tuple[Missing, ...]


class _Slice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    iterations: _Positive
    wall_time_ns: _Positive
    cpu_time_ns: _Positive


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one process measured; the fields are those of ``measure.Document`` in the Go module."""

    schema: int
    suite_version: _Positive
    kernel: str
    title: str
    checked: str
    single_threaded: bool
    payload_bytes: _Positive
    goos: str
    goarch: str
    go_version: str
    gomaxprocs: _Positive
    translated: bool | None
    slices: tuple[_Slice, ...]
    allocated_bytes_per_op: _NotNegative
    allocations_per_op: _NotNegative
    involuntary_switches: Annotated[int, msgspec.Meta(ge=0)]
    minor_faults: Annotated[int, msgspec.Meta(ge=0)]
    peak_memory_bytes: _Positive

    def raw_slices(self) -> tuple[Slice, ...]:
        """Return the slices as they go into a record."""
        return tuple(
            Slice(iterations=s.iterations, wall_time_ns=s.wall_time_ns, cpu_time_ns=s.cpu_time_ns) for s in self.slices
        )


def list_all(worker: Path, *, plugin: Path | None = None, launcher: Path | None = None) -> Listed:
    """Return what a worker has and what it lacks.

    Args:
        worker: The worker program.
        plugin: The protoc-gen-go that the kernel of that name starts, of the worker's own platform.
        launcher: What the plugin needs to run here, such as qemu-aarch64.

    Raises:
        ProcessError: It could not be started, or did not answer.
        WorkerError: What it printed is not a list of kernels.

    """
    env = environment.base() | plugin_environment(plugin, launcher)
    done = proc.run([worker, "list", "--json"], env=env, timeout_s=60, remedy=_REBUILD)
    try:
        listed = msgspec.json.decode(done.stdout_bytes, type=Listed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WorkerError(f"{done.command} printed no list of kernels: {error}", remedy=_REBUILD) from error
    _same_schema(listed.schema, done.command)
    return listed


def plugin_environment(plugin: Path | None, launcher: Path | None = None) -> dict[str, str]:
    """Return the variables that give a worker its kernel ``protoc-gen-go`` (``kernel/plugin.go`` names them)."""
    given = {"LABKIT_PROTOC_GEN_GO": plugin, "LABKIT_LAUNCHER": launcher}
    return {name: str(path.absolute()) for name, path in given.items() if path is not None}


def run_once(
    worker: Path, kernel: str, plan: Plan, *, plugin: Path | None = None, timeout_s: float | None = None
) -> Document:
    """Run one kernel in one fresh process; ``plugin`` is what the kernel protoc-gen-go starts.

    Raises:
        ProcessError: The worker could not be started.
        TimeoutExpiredError: It did not end in time.
        WorkerError: It failed, its kernel's check failed, or its numbers make no sense.

    """
    # A busy neighbour stretches everything; 30 times the quiet time and 30 s for the start is hung, not slow.
    limit_s = 30 + 30 * (plan.slices + 5) * plan.slice_time_ms / 1000 if timeout_s is None else timeout_s
    arguments = ("--kernel", kernel, "--slices", str(plan.slices), "--slice-time", f"{plan.slice_time_ms}ms")
    done = proc.run(
        [worker, "run", *arguments],
        env=environment.base() | plugin_environment(plugin),
        timeout_s=limit_s,
        check=False,
        remedy="see what else keeps this machine busy, or take fewer or shorter slices",
    )
    if done.returncode == EXIT_CHECK:
        raise WorkerError(
            f"{done.last_words()}: the kernel's result is wrong on this machine, so nothing was timed",
            remedy=f"see it with `{done.command}` and report it; leave the kernel out to measure the others",
        )
    if done.returncode != 0:
        raise WorkerError(
            f"{done.command} ended with {proc.describe_exit(done.returncode)}: {done.last_words()}", remedy=_REBUILD
        )
    try:
        document = msgspec.json.decode(done.stdout_bytes, type=Document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WorkerError(f"{done.command} printed no valid measurement: {error}", remedy=_REBUILD) from error
    _same_schema(document.schema, done.command)
    _believe(document, kernel, plan, done)
    return document


def _same_schema(schema: int, command: str) -> None:
    if schema != SCHEMA:
        raise WorkerError(f"{command} speaks schema {schema}; this labkit reads schema {SCHEMA}", remedy=_REBUILD)


def _believe(document: Document, kernel: str, plan: Plan, done: proc.Completed) -> None:
    counts = {s.iterations for s in document.slices}
    wall_time_s = sum(s.wall_time_ns for s in document.slices) / 1e9
    faults = {
        f"it measured {document.kernel}, not {kernel}": document.kernel != kernel,
        f"it made {len(document.slices)} slices, not {plan.slices}": len(document.slices) != plan.slices,
        f"its slices differ in their iterations: {sorted(counts)}": len(counts) > 1,
        f"its slices took {wall_time_s:.3f} s, the whole process {done.wall_time_s:.3f} s": (
            wall_time_s > done.wall_time_s
        ),
    }
    for what, is_so in faults.items():
        if is_so:
            raise WorkerError(f"{done.command}: {what}", remedy=_REBUILD)
