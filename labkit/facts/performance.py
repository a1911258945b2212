"""What notebook 04_performance asks beside samples: what translation costs, and the structure probes; never cached."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit import gobuild
from labkit.bench import structure
from labkit.bench.paired import PairedPlan, compare_all, translated_arms, translated_plan
from labkit.bench.suites import choose, suite
from labkit.errors import ImpossibleHereError
from labkit.facts import Facts
from labkit.model.base import Text
from labkit.model.paired import Difference
from labkit.model.structure import Structure

#: What is translated when few kernels are asked for: serialization each way, and arithmetic.
FEW: Final = ("protobuf-marshal-large", "protobuf-unmarshal-large", "tanh-go")

#: How few are taken: an emulator's factor is far beyond what short pairs cannot see.
_FEW_COUPLES: Final = 16
_FEW_LIMIT_S: Final = 12.0


@dataclass(frozen=True, kw_only=True)
class Translated:
    """Native against translated, kernel by kernel; or nothing, and why."""

    differences: tuple[Difference, ...] = ()
    missing: Text | None = None


def compare_translated(
    facts: Facts, *, every: bool, seed: int, progress: Callable[[int, int, str], None] | None = None
) -> Translated:
    """Run the worker natively and translated side by side now, or say why there is nothing to translate with.

    Args:
        facts: This machine with its set.
        every: Each kernel of the suite ``translation`` (minutes), or :data:`FEW`.
        seed: Of every order.
        progress: Called after each round with the pairs taken, the most that there may be, and how many go on.

    Raises:
        BuildError: The worker does not compile for the other platform.
        WorkerError: A worker failed, or what it said makes no sense.

    """
    kernels: tuple[str, ...] = FEW
    plan = PairedPlan(couples=_FEW_COUPLES, time_limit_s=_FEW_LIMIT_S, seed=seed)
    if every:
        lacking = facts.kernels.not_measured
        wanted = suite("translation", lacking=lacking)
        kernels = tuple(each.name for each in choose(wanted, facts.kernels.kernels, lacking=lacking))
        plan = translated_plan(facts.toolchain.platform, seed=seed)
    try:
        arms = translated_arms(facts.worker_for, facts.toolchain.platform, kernels, plugin=facts.plugin_for)
    except ImpossibleHereError as error:
        return Translated(
            missing=Text(id="structure.not_translated", values={"what": error.what, "remedy": error.remedy})
        )
    return Translated(differences=compare_all(arms, plan, progress=progress))


def probe_structure(
    facts: Facts,
    *,
    every: bool,
    processes: int,
    seed: int,
    progress: Callable[[int, int, str], None] | None = None,
) -> Structure:
    """Measure caches, TLB, lines and layouts now, or say why not.

    Args:
        facts: This machine with its set.
        every: Every point of the sweeps (minutes), or few.
        processes: Fresh ones for each point, 6 for an interval.
        seed: Of the processes' order.
        progress: Called after each process with the number done, the number of all, and the kernel.

    Raises:
        BuildError: The worker or the layout's program does not compile.
        ProcessError: A program could not be started, or failed.

    """
    program = gobuild.build(facts.toolchain, structure.LAYOUT_MODULE, ".", name="layout")
    return structure.probe(
        Path(facts.worker.path),
        facts.machine,
        structure.layout(Path(program.path)),
        every=every,
        processes=processes,
        seed=seed,
        progress=progress,
    )
