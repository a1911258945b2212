"""Chooses versions that fit each other, or names the least set of bounds and wishes that exclude each other.

A pure function of a wish and a catalogue: no file, process or clock. Among all answers it takes the one with the newest
Go, then the newest runtime modules, plugins and protoc, in the order of :data:`labkit.toolchain.compat.bounds.CHOSEN`.
The search filters what is still possible after every choice, so it is exact; the space is small.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from labkit.model.base import Record
from labkit.toolchain.compat.bounds import CHOSEN, Bound, Catalogue, Kind
from labkit.toolchain.compat.versions import within

_Domains = dict[str, tuple[str, ...]]


class Origin(StrEnum):
    """Who states a value of a wish."""

    GO_MOD = "go-mod"
    MACHINE = "machine"
    ASKED = "asked"


class Wish(Record, frozen=True, kw_only=True):
    """What is given: an axis's value (a version without a leading v), and who states it."""

    values: Mapping[str, str] = {}
    origins: Mapping[str, Origin] = {}


class By(StrEnum):
    """What decided a choice."""

    STATED = "stated"  # the wish itself
    NEWEST = "newest"  # nothing spoke against the newest
    BOUNDS = "bounds"  # bounds exclude everything newer


class Choice(Record, frozen=True, kw_only=True):
    """One chosen version; ``bounds`` exclude ``newer``, the next newer version, given the wish and earlier choices."""

    axis: str
    version: str
    by: By
    bounds: tuple[str, ...] = ()
    newer: str | None = None


class Solution(Record, frozen=True, kw_only=True, tag_field="kind", tag="solution"):
    """Versions that fit.

    ``given_up`` are promises that could not be kept; ``unknown`` are stated but not catalogued.
    """

    choices: tuple[Choice, ...]
    given_up: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def versions(self) -> dict[str, str]:
        """Axis to version."""
        return {choice.axis: choice.version for choice in self.choices}


class WayOut(Record, frozen=True, kw_only=True):
    """One stated value that could change, and the newest value that then fits (None: leave it out)."""

    axis: str
    version: str | None


class Conflict(Record, frozen=True, kw_only=True, tag_field="kind", tag="conflict"):
    """Bounds and stated axes that exclude each other; without any one of them the rest can be met."""

    bounds: tuple[str, ...]
    axes: tuple[str, ...]
    ways_out: tuple[WayOut, ...]
    unknown: tuple[str, ...] = ()


def solve(wish: Wish, catalogue: Catalogue) -> Solution | Conflict:
    """Return the newest versions that meet the wish and every bound, or why there are none."""
    unknown = tuple(
        axis for axis, value in wish.values.items() if axis in CHOSEN and value not in catalogue.versions[axis]
    )
    hard = [bound for bound in catalogue.bounds if bound.kind is Kind.BREAKS]
    promises = [bound for bound in catalogue.bounds if bound.kind is Kind.PROMISE]
    domains = _domains(wish.values, catalogue)
    kept = list(hard)
    if _search(domains, hard) is None:
        return _conflict(wish, catalogue, hard, unknown)
    given_up = []
    for promise in promises:  # in the data's order: an earlier promise is kept before a later one
        if _search(domains, [*kept, promise]) is None:
            given_up.append(promise.id)
        else:
            kept.append(promise)
    found = _search(domains, kept)
    if found is None:  # cannot be: each bound was kept only with an answer
        raise AssertionError(kept)
    choices = []
    fixed = dict(wish.values)
    for axis in CHOSEN:
        choices.append(_explain(axis, found[axis], fixed, catalogue, kept))
        fixed[axis] = found[axis]
    return Solution(choices=tuple(choices), given_up=tuple(given_up), unknown=unknown)


def holds(bound: Bound, values: Mapping[str, str]) -> bool | None:
    """Tell whether values meet a bound; None when the bound does not apply to them, or an axis has no value."""
    if any(not values.get(axis) for axis in bound.axes):
        return None
    if not all(within(values[axis], _filled(condition, values)) for axis, condition in bound.when.items()):
        return None
    return all(within(values[axis], _filled(condition, values)) for axis, condition in bound.needs.items())


def broken(values: Mapping[str, str], bounds: Iterable[Bound]) -> tuple[str, ...]:
    """Return the ids of the bounds that given values do not meet."""
    return tuple(bound.id for bound in bounds if holds(bound, values) is False)


def _filled(condition: str, values: Mapping[str, str]) -> str:
    head, dollar, axis = condition.partition("$")
    return f"{head}{values[axis]}" if dollar else condition


def _domains(values: Mapping[str, str], catalogue: Catalogue) -> _Domains:
    stated = {axis: (value,) for axis, value in values.items()}
    return {axis: catalogue.versions[axis] for axis in CHOSEN} | stated


def _search(domains: Mapping[str, tuple[str, ...]], bounds: Sequence[Bound]) -> dict[str, str] | None:
    """Return the first answer in the domains' order, None when there is none."""
    filtered = _filter(dict(domains), bounds)
    if filtered is None:
        return None
    open_axis = next((axis for axis in CHOSEN if len(filtered[axis]) > 1), None)
    if open_axis is None:
        return {axis: values[0] for axis, values in filtered.items()}
    for value in filtered[open_axis]:
        found = _search(filtered | {open_axis: (value,)}, bounds)
        if found is not None:
            return found
    return None


def _filter(domains: _Domains, bounds: Sequence[Bound]) -> _Domains | None:
    """Take out what bounds with at most one open axis exclude, until nothing changes; None when nothing is left."""
    changed = True
    while changed:
        changed = False
        for bound in bounds:
            if any(axis not in domains for axis in bound.axes):
                continue
            open_axes = [axis for axis in bound.axes if len(domains[axis]) > 1]
            if len(open_axes) > 1:
                continue
            axis = open_axes[0] if open_axes else next(iter(bound.axes))
            others = {name: domains[name][0] for name in bound.axes}
            left = tuple(value for value in domains[axis] if holds(bound, others | {axis: value}) is not False)
            if not left:
                return None
            changed = changed or len(left) < len(domains[axis])
            domains[axis] = left
    return domains


def _explain(axis: str, chosen: str, fixed: Mapping[str, str], catalogue: Catalogue, bounds: list[Bound]) -> Choice:
    if axis in fixed:
        return Choice(axis=axis, version=chosen, by=By.STATED)
    versions = catalogue.versions[axis]
    place = versions.index(chosen)
    if place == 0:
        return Choice(axis=axis, version=chosen, by=By.NEWEST)
    newer = versions[place - 1]
    given = _domains({**fixed, axis: newer}, catalogue)
    least = _least(bounds, lambda kept: _search(given, kept) is None)
    return Choice(axis=axis, version=chosen, by=By.BOUNDS, bounds=tuple(bound.id for bound in least), newer=newer)


def _least(things: list[Bound], fails: Callable[[list[Bound]], bool]) -> list[Bound]:
    """Return a part of the things that still fails, of which nothing can be taken away.

    Halves, quarters and so on are tried first, so that many things cost few searches; then each by itself.
    """
    kept = list(things)
    size = max(1, len(kept) // 2)
    while True:
        for start in range(len(kept) - len(kept) % size, -1, -size):
            without = kept[:start] + kept[start + size :]
            if len(without) < len(kept) and fails(without):
                kept = without
        if size == 1:
            return kept
        size = max(1, min(size, len(kept)) // 2)


def _conflict(wish: Wish, catalogue: Catalogue, bounds: list[Bound], unknown: tuple[str, ...]) -> Conflict:
    least = _least(bounds, lambda kept: _search(_domains(wish.values, catalogue), kept) is None)
    values = dict(wish.values)
    for axis in wish.values:
        without = {name: value for name, value in values.items() if name != axis}
        if _search(_domains(without, catalogue), least) is None:
            values = without
    return Conflict(
        bounds=tuple(bound.id for bound in least),
        axes=tuple(values),
        ways_out=tuple(_ways_out(wish, tuple(values), catalogue, bounds)),
        unknown=unknown,
    )


def _ways_out(wish: Wish, axes: tuple[str, ...], catalogue: Catalogue, bounds: list[Bound]) -> Iterable[WayOut]:
    for axis in axes:
        without = {name: value for name, value in wish.values.items() if name != axis}
        found = _search(_domains(without, catalogue), bounds)
        if found is not None:
            yield WayOut(axis=axis, version=found.get(axis))
