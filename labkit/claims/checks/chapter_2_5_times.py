"""What chapter 2.5 measures, once for all its checks: lines, pages, padded messages, faults. No check is here."""

import re
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from labkit import bench, gobuild
from labkit.bench.paired import PairedPlan, compare_all
from labkit.bench.plan import Plan
from labkit.bench.statistics import median
from labkit.bench.structure import refusal
from labkit.bench.structure.ratios import ratio
from labkit.bench.structure.sweeping import share_of, sweep, times_of
from labkit.bench.summary import QUIET_CPU_SHARE, cpu_ns_per_op
from labkit.bench.worker import Document, run_once
from labkit.claims.checks.chapter_2_5_facts import LINE, StructLines, kernels_code, run_lines
from labkit.claims.facts import ClaimFacts, probe
from labkit.errors import ImpossibleHereError
from labkit.model.base import Record, Text
from labkit.model.paired import Arm, Clock, Judgement
from labkit.model.structure import Ratio
from labkit.system import environment, proc

_FAR_BYTES: Final = 64 << 20
_FEW_PAGES, _MANY_PAGES = 64, 2048
_POINTS: Final = {
    "payload-encode": (48, 64, 128),
    "line-stride": (32, 96),
    "tlb": (_FEW_PAGES, _MANY_PAGES),
    "tlb-dense": (_FEW_PAGES, _MANY_PAGES),
    "chase": (_FAR_BYTES,),
    "false-sharing": (8, 256),
}
_PROCESSES: Final = 6
_SEED: Final = 20240229
#: What padding is put into: the kernels' small message, which then has a size that is a whole number of lines.
SMALL: Final = "labkit.bench.v1.Small"
_PADDED: Final = re.compile(r"(type Small struct \{\n(?:\t.*\n)+)\}")
_PADDING_BYTES: Final = 48
KERNELS: Final = ("protobuf-marshal-small", "protobuf-unmarshal-small", "grpc-echo-bufconn")
#: Long slices: in short ones a call between two threads is dominated by how they happen to be woken.
_COUPLES: Final = 16
_SLICE_US: Final = 2000
_LIMIT_S: Final = 8.0
_FAULT_PROCESSES: Final = 3
_FAULT_SLICES: Final = 5


class Times(Record, frozen=True, kw_only=True):
    """Times of points, one a process, in ns: of a load, a batch, an increment; and what a copy in order moves."""

    times_ns: dict[str, tuple[float, ...]]  # tlb@64
    sharing_cpu_share: float  # of both threads together; 2 when both ran
    copy_bytes_per_ns: float

    def ratio(self, base: str, other: str) -> Ratio:
        """Return how much longer another point takes."""
        return ratio(self.times_ns[base], self.times_ns[other])

    @property
    def load_ns(self) -> float:
        """One load in random order, far beyond the caches."""
        return median(self.times_ns[f"chase@{_FAR_BYTES}"])

    @property
    def line_ns(self) -> float:
        """What a line costs in order."""
        return LINE / self.copy_bytes_per_ns

    def told(self, what: str) -> str:
        """Return one of the measurements in words: tlb, chase-far, stream, line, sharing."""
        at = {name: median(times) for name, times in self.times_ns.items()}
        match what:
            case "tlb":
                return (
                    f"one line on each of {_FEW_PAGES} pages {at[f'tlb@{_FEW_PAGES}']:.1f} ns a load, of {_MANY_PAGES} "
                    f"pages {at[f'tlb@{_MANY_PAGES}']:.1f} ns; as many lines packed "
                    f"{at[f'tlb-dense@{_FEW_PAGES}']:.1f} and {at[f'tlb-dense@{_MANY_PAGES}']:.1f} ns"
                )
            case "chase-far":
                return f"in random order over {_FAR_BYTES >> 20} MiB {at[f'chase@{_FAR_BYTES}']:.1f} ns a load"
            case "stream":
                return (
                    f"copying in order {self.copy_bytes_per_ns:.1f} GB/s, {LINE / self.copy_bytes_per_ns:.1f} ns for "
                    f"{LINE} bytes"
                )
            case "line":
                return told(self.ratio("line-stride@32", "line-stride@96"))
            case _:
                if self.sharing_cpu_share < 2 * QUIET_CPU_SHARE:
                    return f"two threads got {self.sharing_cpu_share:.1f} of 2 cores: too few to tell"
                return "two counters 8 bytes apart against 256: " + told(
                    self.ratio("false-sharing@256", "false-sharing@8")
                )


def told(said: Ratio) -> str:
    """Return a ratio with its interval in words."""
    interval = "" if said.low is None or said.high is None else f" ({said.low:.2f} to {said.high:.2f}, n = {said.n})"
    return f"{said.ratio:.2f} times the time{interval}"


@probe("memory-times", recipe={"points": {name: list(some) for name, some in _POINTS.items()}})
def measure(facts: ClaimFacts) -> Times:
    """Measure the points in fresh processes, interleaved."""
    _native(facts)
    worker = Path(facts.lab.worker.path)
    known = {kernel.name for kernel in facts.lab.kernels.kernels}
    points = {name: some for name, some in _POINTS.items() if name in known}
    taken = sweep(worker, points, processes=_PROCESSES, seed=_SEED)
    copies = run_once(worker, "stream-copy", Plan(slices=5, slice_time_ms=20))
    moved = next(kernel.bytes_per_op for kernel in facts.lab.kernels.kernels if kernel.name == "stream-copy")
    return Times(
        times_ns={
            f"{name}@{at}": times_of(taken, name, at, Clock.WALL if name == "false-sharing" else Clock.CPU)
            for name, some in points.items()
            for at in some
        },
        sharing_cpu_share=share_of(taken, "false-sharing") if "false-sharing" in points else 0.0,
        copy_bytes_per_ns=moved / median([cpu_ns_per_op(each) for each in copies.raw_slices()]),
    )


class Compared(Record, frozen=True, kw_only=True):
    """One kernel with padded messages against the same with those that the generator makes."""

    kernel: str
    clock: Clock
    judgement: Judgement
    ratio: float | None  # padded over plain
    low: float | None
    high: float | None
    pairs: int

    @property
    def told(self) -> str:
        """The result in words."""
        if self.ratio is None or self.low is None or self.high is None:
            return f"{self.kernel}: {self.judgement}, {self.pairs} pairs"
        return (
            f"{self.kernel}: {self.ratio:.3f} times the {self.clock} time ({self.low:.3f} to {self.high:.3f}), "
            f"{self.pairs} pairs: {self.judgement}"
        )


class PaddedMessages(Record, frozen=True, kw_only=True):
    """What padding does to the small message: where it lies, and what encoding, decoding and calling take."""

    plain: StructLines
    padded: StructLines
    kernels: tuple[Compared, ...]

    def of(self, kernel: str, clock: Clock = Clock.CPU) -> Compared:
        """Return one kernel's comparison on a clock.

        CPU time decides: padding can only change what is executed, and on a busy machine wall time tells of who waited.
        """
        return next(each for each in self.kernels if (each.kernel, each.clock) == (kernel, clock))


def _pad(_name: str, text: str) -> str:
    return _PADDED.sub(rf"\1\tpadding [{_PADDING_BYTES}]byte\n}}", text)


@probe("padded-messages", recipe={"bytes": _PADDING_BYTES, "kernels": list(KERNELS)})
def padded(facts: ClaimFacts) -> PaddedMessages:
    """Build the worker with padding in a generated struct, and compare it with the plain one in pairs of processes."""
    _native(facts)
    lab = facts.lab
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        built = gobuild.build_own(
            lab.toolchain, bench.MODULE, bench.PACKAGE, name="worker-padded",
            generated=kernels_code(facts, Path(scratch), _pad), platform=None,
            begin=lambda: facts.progress("the benchmark worker with padded messages"),
        )  # fmt: skip
    programs = [("plain", lab.worker.path), ("padded", str(facts.replaced_tool("worker-padded") or built.path))]
    arms = [
        tuple(Arm(label=label, program=(program,), kernel=kernel) for label, program in programs) for kernel in KERNELS
    ]
    facts.progress("padded messages against plain ones")
    found = compare_all(
        [(plain, changed) for plain, changed in arms],
        PairedPlan(couples=_COUPLES, slice_time_us=_SLICE_US, time_limit_s=_LIMIT_S, seed=_SEED),
    )
    return PaddedMessages(
        plain=_small(run_lines(facts, lambda _name, text: text).messages),
        padded=_small(run_lines(facts, _pad).messages),
        kernels=tuple(
            Compared(
                kernel=each.kernel,
                clock=said.clock,
                judgement=said.judgement,
                ratio=said.ratio,
                low=said.low,
                high=said.high,
                pairs=said.pairs,
            )
            for each in found
            for said in (each.verdict, each.other)
        ),
    )  # fmt: skip


def _small(found: tuple[StructLines, ...]) -> StructLines:
    return next(each for each in found if each.name == SMALL)


class Faults(Record, frozen=True, kw_only=True):
    """Page faults and CPU time of a cycle (16 MiB taken, touched, given back) with one setting; one value a process."""

    setting: str
    faults: tuple[float, ...]
    cpu_ms: tuple[float, ...]

    @property
    def told(self) -> str:
        """The medians in words."""
        return f"{self.setting}: {median(self.faults):.0f} faults and {median(self.cpu_ms):.1f} ms of CPU time a cycle"


@probe("faults-by-setting")
def faults(facts: ClaimFacts) -> tuple[Faults, ...]:
    """Run the kernel with each of its settings in fresh processes, in turns."""
    _native(facts)
    worker = facts.replaced_tool("worker") or Path(facts.lab.worker.path)
    settings = next(each.arms for each in facts.lab.kernels.kernels if each.name == "page-faults")
    found: dict[str, list[Document]] = {each: [] for each in settings}
    for _ in range(_FAULT_PROCESSES):
        for setting, documents in found.items():
            name, _, value = setting.partition("=")
            done = proc.run(
                [worker, "run", "--kernel", "page-faults", "--slices", str(_FAULT_SLICES), "--slice-time", "20ms"],
                env=environment.base() | {name: value},
                timeout_s=120,
                remedy="see what else keeps this machine busy",
            )
            documents.append(msgspec.json.decode(done.stdout_bytes, type=Document))
    return tuple(
        Faults(
            setting=setting,
            faults=tuple(each.minor_faults / sum(s.iterations for s in each.slices) for each in documents),
            cpu_ms=tuple(median([cpu_ns_per_op(s) for s in each.raw_slices()]) / 1e6 for each in documents),
        )
        for setting, documents in found.items()
    )


def _native(facts: ClaimFacts) -> None:
    reason: Text | None = refusal(facts.machine)
    if reason is not None:
        raise ImpossibleHereError(
            f"this process is translated ({facts.machine.translation}): times would tell of the translator",
            remedy="run labkit with a Python of the machine's own architecture",
        )
