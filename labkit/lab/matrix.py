"""The points of a matrix of parameters: every combination of its axes, without the excluded ones, with the included.

``axes`` gives values to parameters. An ``exclude`` takes away each point that has all of its values, and must take away
one. An ``include`` is one point more. Nothing here knows which parameters there are; a profile checks every point.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from labkit.errors import UsageError

Value = str | int | float | bool | None

#: More points than this are a slip of the hand.
MAX_POINTS: Final = 10_000


@dataclass(frozen=True)
class Matrix:
    """A matrix as a profile writes it."""

    axes: Mapping[str, tuple[Value, ...]]
    exclude: tuple[Mapping[str, Value], ...] = ()
    include: tuple[Mapping[str, Value], ...] = ()


def points(matrix: Matrix, name: str) -> tuple[dict[str, Value], ...]:
    """Return the points in the order of the axes, the last one varying fastest, then those included.

    Without axes there is one point with nothing in it.

    Raises:
        UsageError: An axis is empty or has a value twice, an exclude fits nothing, a point is there twice, or too many.

    """
    _check_axes(matrix, name)
    count = 1
    for values in matrix.axes.values():
        count *= len(values)
    if count > MAX_POINTS:
        raise UsageError(
            f"{name} has {count} points, where {MAX_POINTS} are the most", remedy="take values from its axes"
        )
    # without axes the product is one empty point, which is wanted unless points are named by include alone
    product = [dict(zip(matrix.axes, chosen, strict=True)) for chosen in itertools.product(*matrix.axes.values())]
    found = product if matrix.axes or not matrix.include else []
    for excluded in matrix.exclude:
        kept = [point for point in found if not _fits(excluded, point)]
        if len(kept) == len(found):
            raise UsageError(
                f"{name} excludes {_told(excluded)}, which is no point of it",
                remedy=f"its axes are {', '.join(matrix.axes) or 'none'}; take the line out, or mend it",
            )
        found = kept
    for included in matrix.include:
        if any(_same(included, point) for point in found):
            raise UsageError(f"{name} includes {_told(included)}, which is there already", remedy="take the line out")
        found.append(dict(included))
    if not found:
        raise UsageError(f"{name} has no point left", remedy="exclude less")
    return tuple(found)


def _check_axes(matrix: Matrix, name: str) -> None:
    for axis, values in matrix.axes.items():
        if not values:
            raise UsageError(f"{name}: the axis {axis} has no value", remedy="give it values, or take it out")
        typed = [(type(value), value) for value in values]
        if len(set(typed)) < len(typed):
            raise UsageError(
                f"{name}: the axis {axis} has a value twice", remedy="name it once; repeats: N runs a point N times"
            )


def _same(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    return one.keys() == other.keys() and _fits(one, other)


def _fits(wanted: Mapping[str, Value], point: Mapping[str, Value]) -> bool:
    # 1, 1.0 and True are equal in Python and three things in YAML
    return bool(wanted) and all(
        key in point and type(point[key]) is type(value) and point[key] == value for key, value in wanted.items()
    )


def _told(point: Mapping[str, Value]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in point.items()) or "nothing"
