"""Which kernels to measure: by name, by name and point, or by the suites of suites.toml. Starts nothing.

A kernel that takes a point is measured at one: ``chase@65536``. Its name alone means its default point, and ``chase@*``
each point of its sweep. What is chosen always carries its point, so that a record says what was measured.
"""

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from labkit.bench.worker import Kernel, Missing
from labkit.errors import UsageError
from labkit.model.base import Text

#: What is measured when nothing is named.
STANDARD: Final = "quick"

_SWEEP: Final = "*"

_REMEDIES: Final = {
    "no-cgo": "build the worker with cgo and a C compiler (docs/kernels.md)",
    "no-plugin": "give the worker the path of a protoc-gen-go of its own platform (docs/kernels.md)",
    "one-processor": "run it where two threads can run at once",
}


class Suite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One suite, as :func:`suite` and :func:`choose` read it."""

    kernels: tuple[str, ...]


@cache
def suites() -> Mapping[str, Suite]:
    """Return the suites of suites.toml by name."""
    text = resources.files("labkit.bench").joinpath("suites.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Suite])


def suite(name: str, *, lacking: Iterable[Missing] = ()) -> tuple[str, ...]:
    """Return what a suite names but what a worker lacks; :func:`choose` expands it.

    Raises:
        UsageError: There is no such suite.

    """
    if name not in suites():
        raise UsageError(
            f"there is no benchmark suite {name}",
            remedy=f"{_near(name, suites())}the suites are: {', '.join(suites())}",
        )
    left_out = {missing.name for missing in lacking}
    return tuple(each for each in suites()[name].kernels if each.partition("@")[0] not in left_out)


def choose(wanted: Sequence[str], known: tuple[Kernel, ...], *, lacking: Iterable[Missing] = ()) -> tuple[Kernel, ...]:
    """Return the kernels of these names, each once and at its point; those of the suite ``quick`` when none is named.

    Args:
        wanted: Names, ``NAME@POINT``, ``NAME@*``, or ``*`` for all kernels at all their points.
        known: The kernels that the worker has.
        lacking: Those that it lacks, so that the error says why.

    Raises:
        UsageError: There is no such kernel, or it takes no such point; the message names the nearest.

    """
    by_name = {kernel.name: kernel for kernel in known}
    reasons = {missing.name: missing.reason for missing in lacking}
    chosen: dict[str, Kernel] = {}
    for each in wanted or suite(STANDARD):
        if (reason := reasons.get(each.partition("@")[0])) is not None:
            raise UsageError(f"the kernel {each} is not measured here: {reason}", remedy=_REMEDIES[reason])
        chosen |= {kernel.name: kernel for kernel in _expand(each, by_name)}
    return tuple(chosen.values())


def title(name: str, payload_bytes: int) -> Text:
    """Return the title of a kernel as :func:`choose` names it."""
    bare, _, point = name.partition("@")
    values: dict[str, str | float] = {"payload_bytes": payload_bytes}
    return Text(id=f"bench.kernel.{bare}.title", values=values | ({"point": int(point)} if point else {}))


def checked(name: str) -> Text:
    """Return what was verified of a kernel as :func:`choose` names it."""
    return Text(id=f"bench.kernel.{name.partition('@')[0]}.checked")


def _expand(wanted: str, by_name: Mapping[str, Kernel]) -> tuple[Kernel, ...]:
    if wanted == _SWEEP:
        return tuple(kernel for known in by_name.values() for kernel in _swept(known))
    bare, pointed, point = wanted.partition("@")
    if bare not in by_name:
        raise UsageError(
            f"there is no benchmark kernel {bare}",
            remedy=f"{_near(bare, by_name)}the kernels are: {', '.join(by_name)}",
        )
    kernel = by_name[bare]
    if pointed and not kernel.point_unit:
        raise UsageError(f"the kernel {bare} takes no point, as in {wanted}", remedy=f"name it alone: {bare}")
    if point == _SWEEP:
        return _swept(kernel)
    if pointed and (not point.isascii() or not point.isdecimal() or str(int(point)) != point or int(point) == 0):
        raise UsageError(
            f"{wanted} is no point of the kernel {bare}",
            remedy=f"give a number of {kernel.point_unit}, such as {bare}@{kernel.default_point}, or {bare}@* for all",
        )
    return (_at(kernel, int(point) if pointed else kernel.default_point),)


def _swept(kernel: Kernel) -> tuple[Kernel, ...]:
    return tuple(_at(kernel, point) for point in kernel.points or (kernel.default_point,))


def _at(kernel: Kernel, point: int) -> Kernel:
    return msgspec.structs.replace(kernel, name=f"{kernel.name}@{point}") if kernel.point_unit else kernel


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.3)
    return f"did you mean {near[0]}? " if near else ""
