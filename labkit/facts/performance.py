"""What notebook 04_performance asks of this machine beside samples: structure probes; measured anew each time."""

from collections.abc import Callable
from pathlib import Path

from labkit import gobuild
from labkit.bench import structure
from labkit.facts import Facts
from labkit.model.structure import Structure


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
