"""Structure probes: curves of latency over size with their knees, and what layout does to serialization.

:func:`probe` measures; :mod:`knees`, :mod:`ratios`, :mod:`judging` and :mod:`quietness` are pure.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from labkit.bench.structure.judging import beside, doubts, line
from labkit.bench.structure.knees import find, unstable_from
from labkit.bench.structure.layouts import LAYOUT_MODULE, differences, layout
from labkit.bench.structure.quietness import quiet
from labkit.bench.structure.sweeping import CURVES, LAYOUTS, curve_points, page_cost, points_of, sweep
from labkit.bench.worker import list_all
from labkit.model.base import Text
from labkit.model.machine import Machine, Translation
from labkit.model.paired import Clock
from labkit.model.structure import Curve, Field, Point, Structure

__all__ = ["LAYOUT_MODULE", "layout", "probe", "quiet", "refusal"]


def refusal(machine: Machine) -> Text | None:
    """Return why the probes are not run on this machine, None when they may be.

    Under a translator a worker's memory is reached by the translator's own instructions, through tables of its own: a
    curve would tell of the host and of the translator.
    """
    if machine.translation is Translation.NATIVE:
        return None
    return Text(id="structure.refused.translated", values={"by": str(machine.translation)})


def probe(
    worker: Path,
    machine: Machine,
    struct: tuple[int, tuple[Field, ...]],
    *,
    every: bool,
    processes: int,
    seed: int,
    progress: Callable[[int, int, str], None] | None = None,
) -> Structure:
    """Measure the curves and the layouts now, in fresh processes.

    Args:
        worker: The benchmark worker.
        machine: This machine; a translated one is refused, with the reason in the record.
        struct: What :func:`layout` said of the handbook's struct.
        every: Every point, or few.
        processes: Fresh ones for each point, 6 for an interval.
        seed: Of the processes' order.
        progress: As for :func:`sweep`.

    Raises:
        ProcessError: The worker could not be started.
        TimeoutExpiredError: A process did not end in time.
        WorkerError: A process failed, a kernel's check failed, or the numbers make no sense.

    """
    size, fields = struct
    known = Structure(fields=fields, struct_size_bytes=size, cache_line_bytes=machine.cache_line_bytes)
    refused = refusal(machine)
    if refused is not None:
        return msgspec.structs.replace(known, refused=refused)
    kernels = {kernel.name: kernel for kernel in list_all(worker).kernels}
    points: dict[str, Sequence[int]] = {
        name: points_of(kernels[name], every=every) for name in (*CURVES, *LAYOUTS) if name in kernels
    }
    taken_at = datetime.now(UTC).isoformat(timespec="seconds")
    taken = sweep(worker, points, processes=processes, seed=seed, progress=progress)
    swept = {name: curve_points(taken, name) for name in CURVES if name in points}
    curves = [curve(name, kernels[name].point_unit, some) for name, some in swept.items()]
    if "tlb" in swept and "tlb-dense" in swept:
        curves.append(curve("tlb-cost", "pages", page_cost(swept["tlb"], swept["tlb-dense"])))
    chase, strides = (next((c for c in curves if c.probe == name), None) for name in ("chase", "line-stride"))
    return msgspec.structs.replace(
        known,
        curves=tuple(curves),
        said=(*beside(machine, chase), *line(machine, strides)),
        doubts=doubts(machine, chase, strides),
        differences=differences(taken),
        taken_at=taken_at,
        process_count=processes,
    )


def curve(probe_name: str, unit: str, points: Sequence[Point]) -> Curve:
    """Return a curve with its knees."""
    return Curve(
        probe=probe_name,
        unit=unit,
        clock=Clock.CPU,
        points=tuple(points),
        knees=find(points),
        unstable_from=unstable_from(points),
    )
