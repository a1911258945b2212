"""What a struct's layout is and does: Go's own offsets, and ratios of the same work laid out otherwise."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from labkit.bench.statistics import least_n
from labkit.bench.structure.ratios import ratio
from labkit.bench.structure.sweeping import Taken, share_of, times_of
from labkit.bench.summary import QUIET_CPU_SHARE
from labkit.errors import ProcessError
from labkit.model.base import Text
from labkit.model.paired import Clock
from labkit.model.structure import Field, LayoutDifference
from labkit.system import environment, proc

#: The folder of the Go module that prints a layout.
LAYOUT_MODULE: Final = Path(__file__).parent / "layout"

#: What the handbook says of the struct's fields, in bytes.
CLAIMED: Final = {"ID": 0, "Tag": 4, "Data": 20}

#: Which kernel is compared by which clock, and how much CPU time it needs per wall time: two threads need both cores.
_CLOCKS: Final = {"payload-encode": (Clock.CPU, QUIET_CPU_SHARE), "false-sharing": (Clock.WALL, 2 * QUIET_CPU_SHARE)}


class _Printed(msgspec.Struct, frozen=True, kw_only=True):
    """One field as the program prints it."""

    name: str
    offset_bytes: int
    size_bytes: int


class _Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What the program prints."""

    size_bytes: int
    align_bytes: int
    fields: tuple[_Printed, ...]


def layout(program: Path) -> tuple[int, tuple[Field, ...]]:
    """Return the size of the handbook's struct in bytes, and its fields.

    Args:
        program: Built from :data:`LAYOUT_MODULE`.

    Raises:
        ProcessError: It could not be started, failed, or printed something else.

    """
    done = proc.run([program], env=environment.base(), timeout_s=60, remedy="build it anew: `labkit gc`, then again")
    try:
        said = msgspec.json.decode(done.stdout_bytes, type=_Layout)
    except msgspec.DecodeError as error:
        raise ProcessError(f"{done.command} printed no layout: {error}", remedy="report it") from error
    fields = (
        Field(
            name=each.name,
            offset_bytes=each.offset_bytes,
            size_bytes=each.size_bytes,
            claimed_offset_bytes=CLAIMED.get(each.name),
        )
        for each in said.fields
    )
    return said.size_bytes, tuple(fields)


def differences(taken: Sequence[Taken]) -> tuple[LayoutDifference, ...]:
    """Return the differences that padding and distance make: each point of a kernel against its base.

    The struct's base is Go's own layout, the least point. Two counters' base is the greatest distance, where no line
    is shared.
    """
    found: list[LayoutDifference] = []
    for kernel, (clock, needed) in _CLOCKS.items():
        points = sorted({each.at for each in taken if each.kernel == kernel})
        if points:
            base = points[-1] if kernel == "false-sharing" else points[0]
            found += (_difference(taken, kernel, base, at, clock, needed) for at in points if at != base)
    return tuple(found)


def _difference(  # noqa: PLR0917 - one call, from above
    taken: Sequence[Taken], kernel: str, base: int, other: int, clock: Clock, needed: float
) -> LayoutDifference:
    share = share_of([each for each in taken if each.at in {base, other}], kernel)
    times = [times_of(taken, kernel, at, clock) for at in (base, other)]
    said = ratio(*times)
    warnings = []
    if said.low is None:
        warnings.append(Text(id="structure.warning.few", values={"n": said.n, "least": least_n()}))
    if share < needed:
        values = {"share": round(100 * share), "needed": round(100 * needed)}
        warnings.append(Text(id=f"structure.warning.{'apart' if clock is Clock.WALL else 'busy'}", values=values))
    return LayoutDifference(
        kernel=kernel,
        base=base,
        other=other,
        clock=clock,
        ratio=said,
        cpu_share=share,
        too_noisy=clock is Clock.WALL and share < needed,
        warnings=tuple(warnings),
    )
