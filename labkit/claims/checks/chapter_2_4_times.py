"""What chapter 2.4 measures, once for all its checks: the same programs native and translated. No check is here."""

import tempfile
from pathlib import Path
from typing import Final

import msgspec

from labkit.bench.paired import compare_all, translated_arms, translated_plan
from labkit.bench.statistics import median
from labkit.claims import foreign
from labkit.claims.checks.chapter_2_4_libm import LOOP
from labkit.claims.facts import ClaimFacts, probe
from labkit.errors import ImpossibleHereError
from labkit.model.base import Record
from labkit.model.paired import Clock, Difference, Judgement

#: Numeric kernels, and one that is neither numeric nor vectorised: a protobuf message.
FRAME, TANH, MESSAGE = "fft-4096", "tanh-go", "protobuf-marshal-large"
_KERNELS: Final = (FRAME, TANH, MESSAGE)
_TOOLS: Final = tuple(name for names in foreign.TRANSLATORS.values() for name in names)
#: Half of an emulator's usual ones: what is looked for is a multiple, not a few per cent.
_COUPLES: Final = 8
#: The ratios of 9 pairs: their least and greatest hold their median with a confidence of more than 99 %
#: (order statistics: 1 - 2 * 0.5 ** 9), whatever their distribution.
_PAIRS: Final = 9
_TIMED: Final = (
    LOOP
    + """
#include <stdio.h>
#include <time.h>
static float in[1024], out[1024];
int main(void) {
  struct timespec before, after;
  for (int i = 0; i < 1024; i++) in[i] = (float)(i - 512) / 128.0f;
  process_audio(in, out, 1024);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  for (int i = 0; i < 200; i++) process_audio(in, out, 1024);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  printf("%.0f\\n", (after.tv_sec - before.tv_sec) * 1e9 + (after.tv_nsec - before.tv_nsec));
  return out[1] > 2.0f;
}
"""
)
#: Verdicts whose interval is of the machine's condition rather than of the programs.
_UNUSABLE: Final = frozenset({Judgement.TOO_NOISY})
_CALLS: Final = 200 * 1024


class Slowed(Record, frozen=True, kw_only=True):
    """How many times as long a translated program takes, with an interval, and the native time it is compared with."""

    what: str  # the kernel, or the printed loop
    translator: str  # rosetta, qemu
    clock: Clock
    ratio: float
    low: float
    high: float
    native_ns: float  # an operation: a frame, an element, a message, a call
    pairs: int

    @property
    def told(self) -> str:
        """Return it in words."""
        return (
            f"{self.what} by {self.translator}: {self.ratio:.2f} times the native time ({self.low:.2f} to "
            f"{self.high:.2f}, {self.clock} time, {self.pairs} pairs; native {self.native_ns:.0f} ns)"
        )

    @property
    def percent(self) -> tuple[float, float]:
        """The interval of how much longer it takes, in per cent."""
        return 100 * (self.low - 1), 100 * (self.high - 1)


@probe("translated-kernels", tools=_TOOLS)
def kernels(facts: ClaimFacts) -> tuple[Slowed, ...]:
    """Run the kernels native and translated in pairs of fresh processes; nothing where nothing translates."""
    platform = facts.lab.toolchain.platform
    try:
        arms = translated_arms(facts.lab.worker_for, platform, _KERNELS)
    except ImpossibleHereError:
        return ()
    found = []
    plan = msgspec.structs.replace(translated_plan(platform), couples=_COUPLES)
    for each in compare_all(arms, plan):
        for verdict in (each.verdict, each.other):
            if verdict.ratio is None or verdict.low is None or verdict.high is None or verdict.judgement in _UNUSABLE:
                continue
            found.append(
                Slowed(
                    what=each.kernel,
                    translator=str(each.changed.translator or "-"),
                    clock=verdict.clock,
                    ratio=verdict.ratio,
                    low=verdict.low,
                    high=verdict.high,
                    native_ns=_native_ns(each, verdict.clock),
                    pairs=verdict.pairs,
                )
            )
    return tuple(found)


def _native_ns(found: Difference, clock: Clock) -> float:
    taken = [
        slice_.cpu_time_ns if clock is Clock.CPU else slice_.wall_time_ns
        for pair in found.pairs
        for slice_ in pair.baseline
    ]
    return median(taken) / found.baseline.iterations


@probe("translated-loop", tools=_TOOLS, recipe={"zig": foreign.pin().version})
def loop(facts: ClaimFacts) -> Slowed | None:
    """Run the printed loop native and translated in turn, with the C library of each; None where nothing translates."""
    own = foreign.own_architecture(facts)
    targets = [foreign.target(facts, each) for each in (own, "x86_64" if own == "arm64" else "arm64")]
    took: list[list[float]] = []
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        folder = Path(scratch).resolve()
        programs = [(each, foreign.build(facts, each.name, _TIMED, folder)) for each in targets if each is not None]
        if len(programs) < len(targets):
            return None
        for _ in range(_PAIRS):
            done = [foreign.started(target, program) for target, program in programs]
            if any(each is None or not each.stdout.strip().isdigit() for each in done):
                return None
            took.append([int(each.stdout) / _CALLS for each in done if each is not None])
    ratios = sorted(translated / native for native, translated in took)
    return Slowed(
        what="tanhf",
        translator="rosetta" if foreign.on_macos(facts) else "qemu",
        clock=Clock.CPU,
        ratio=median(ratios),
        low=ratios[0],
        high=ratios[-1],
        native_ns=median([native for native, _ in took]),
        pairs=_PAIRS,
    )
