"""A worker that serves slices: start it, ask it, and believe its lines only when they make sense. Judges nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self, TypeVar

import msgspec

from labkit.bench.paired import cores
from labkit.bench.worker import EXIT_CHECK, WorkerError
from labkit.errors import ProcessError, TimeoutExpiredError
from labkit.model.paired import Arm, PairedSlice, Translator
from labkit.system import environment, proc

#: The JSON shapes that this module reads (``measure.ServeSchema`` of the Go module).
SCHEMA: Final = 1

_REMEDY: Final = "take the measurement again; if it stays, run the worker by hand as the message shows, and report it"

_T = TypeVar("_T")
_Positive = Annotated[int, msgspec.Meta(gt=0)]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Greeting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A worker's first line; the fields are those of ``measure.Greeting`` in the Go module."""

    schema: int
    suite_version: _Positive
    kernel: str
    single_threaded: bool
    threads: _Positive
    needs_wall_time: bool
    refused_translated: bool
    iterations: _Positive
    units: _Positive
    goos: str
    goarch: str
    go_version: str
    gomaxprocs: _Positive
    translated: bool | None
    cpu_name: str
    executed_by: str

    @property
    def platform(self) -> str:
        """As Go names it."""
        return f"{self.goos}/{self.goarch}"

    @property
    def translator(self) -> Translator | None:
        """What executes the worker, by its own witnesses; the first of them that speaks of translation decides."""
        if self.translated or self.cpu_name.startswith("VirtualApple"):
            return Translator.ROSETTA
        # qemu-x86_64 answers CPUID itself; qemu-aarch64 is what the system runs in the worker's place.
        if self.executed_by.startswith("qemu") or "QEMU" in self.cpu_name:
            return Translator.QEMU
        return None

    @property
    def witnesses(self) -> Mapping[str, str]:
        """What the worker saw of its own execution."""
        said = {"cpu_name": self.cpu_name, "executed_by": self.executed_by}
        if self.translated is not None:
            said["proc_translated"] = str(int(self.translated))
        return {name: value for name, value in said.items() if value}


class _Slice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    iterations: _Positive
    wall_time_ns: _Positive
    cpu_time_ns: _Count
    involuntary_switches: _Count


class _Probe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    threads: _Positive
    wall_time_ns: _Positive
    cpu_time_ns: _Count


class Served:
    """A worker process of one arm; a context manager, at whose end its whole group is gone.

    Args:
        arm: What to run.
        iterations: Nominal ones in a slice; None lets the worker choose them.
        slice_time_us: What it chooses them for.
        timeout_s: Seconds for its set-up, and for each answer.
        core: The core that it is held to; None lets the system choose.

    Raises:
        ProcessError: It could not be started.

    """

    def __init__(
        self, arm: Arm, *, iterations: int | None, slice_time_us: int, timeout_s: float, core: int | None = None
    ) -> None:
        words = [*arm.program, "serve", "--kernel", arm.kernel, "--units", str(arm.units)]
        words += ["--slice-time", f"{slice_time_us}us"]
        words += [] if iterations is None else ["--iterations", str(iterations)]
        self._arm, self._timeout_s, self._wanted = arm, timeout_s, iterations
        with cores.children_on(core):
            self._talk = proc.converse(words, env=environment.base(**arm.environment))
        self._iterations = 0

    def greeted(self) -> Greeting:
        """Wait until the kernel is set up and checked; called once, first.

        Raises:
            WorkerError: It failed, its kernel's check failed, or what it said makes no sense.
            TimeoutExpiredError: It said nothing in time.

        """
        greeting = self._heard(Greeting)
        if greeting.schema != SCHEMA:
            raise self._error(f"speaks schema {greeting.schema}; this labkit reads schema {SCHEMA}")
        if greeting.kernel != self._arm.kernel or greeting.units != self._arm.units:
            raise self._error(f"serves {greeting.units} units of {greeting.kernel}, not what was asked for")
        if self._wanted not in {None, greeting.iterations}:
            raise self._error(f"makes {greeting.iterations} iterations a slice, not {self._wanted}")
        self._iterations = greeting.iterations
        return greeting

    def slice(self) -> PairedSlice:
        """Run one slice.

        Raises:
            WorkerError: It failed, or what it said makes no sense.
            TimeoutExpiredError: It said nothing in time.

        """
        said = self._asked("slice", _Slice)
        if said.iterations != self._iterations:
            raise self._error(f"made {said.iterations} iterations, not {self._iterations}")
        return PairedSlice(
            cpu_time_ns=said.cpu_time_ns,
            wall_time_ns=said.wall_time_ns,
            involuntary_switches=said.involuntary_switches,
        )

    def core_share(self, threads: int) -> float:
        """Return what so many threads that never sleep get of a core each, now: 1 when nobody else wants it.

        Raises:
            WorkerError: It failed, or what it said makes no sense.
            TimeoutExpiredError: It said nothing in time.

        """
        said = self._asked(f"probe {threads}", _Probe)
        return min(1.0, said.cpu_time_ns / said.wall_time_ns / said.threads)

    def _asked(self, line: str, kind: type[_T]) -> _T:
        try:
            self._talk.write_line(line, remedy=_REMEDY)
        except ProcessError as error:
            raise self._failed(error) from error
        return self._heard(kind)

    def _heard(self, kind: type[_T]) -> _T:
        try:
            line = self._talk.read_line(timeout_s=self._timeout_s, remedy=_REMEDY)
        except TimeoutExpiredError:
            raise
        except ProcessError as error:
            raise self._failed(error) from error
        try:
            return msgspec.json.decode(line, type=kind)
        except msgspec.DecodeError as error:
            raise self._error(f"said {line[:200]!r}: {error}") from error

    def _failed(self, error: ProcessError) -> WorkerError:
        if not self._talk.alive() and self._talk.wait(1) == EXIT_CHECK:
            return self._error("found its kernel's result wrong on this machine, so nothing is timed: " + error.what)
        return WorkerError(error.what, remedy=error.remedy)

    def _error(self, what: str) -> WorkerError:
        name = Path(self._arm.program[-1]).name
        return WorkerError(
            f"the worker {name} of the arm {self._arm.label} ({self._arm.kernel}) {what}", remedy=_REMEDY
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._talk.__exit__()
