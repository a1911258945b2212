"""Says by the shape of generated code which versions of a generator make such code (eras.toml holds what was seen)."""

import re
import tomllib
from collections.abc import Collection
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from labkit.model.drift import Era

_NUMBERS: Final = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


class _Bound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    plugin: str
    has: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    first: str | None = None
    last: str | None = None


@cache
def _bounds() -> tuple[_Bound, ...]:
    text = resources.files(__package__ or "").joinpath("eras.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["bound"], tuple[_Bound, ...])


def number(version: str | None) -> tuple[int, int, int] | None:
    """Return a version to compare by; None for none, for (unknown) and (devel)."""
    match = _NUMBERS.match(version or "")
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def era_of(plugin: str, features: Collection[str]) -> Era | None:
    """Return between which versions of a plugin code with these features was made; None when they say nothing.

    Code that no single version makes (its bounds contradict each other) has no era either.
    """
    held = [
        bound
        for bound in _bounds()
        if bound.plugin == plugin and set(bound.has) <= set(features) and not set(bound.lacks) & set(features)
    ]
    first = max((bound.first for bound in held if bound.first), key=lambda text: number(text) or (), default=None)
    last = min((bound.last for bound in held if bound.last), key=lambda text: number(text) or (), default=None)
    if not held or (first and last and (number(first) or ()) > (number(last) or ())):
        return None
    return Era(plugin=plugin, first=first, last=last)


def fits(stamp: str | None, era: Era | None) -> bool | None:
    """Return whether a stamped version lies within an era; None when either is not known."""
    stamped = number(stamp)
    if stamped is None or era is None:
        return None
    first, last = number(era.first), number(era.last)
    return (first is None or first <= stamped) and (last is None or stamped <= last)


def apart(one: Era | None, other: Era | None) -> bool:
    """Return whether no version lies in both eras; False when either is not known."""
    if one is None or other is None:
        return False
    return _ends_before(one, other) or _ends_before(other, one)


def _ends_before(one: Era, other: Era) -> bool:
    last, first = number(one.last), number(other.first)
    return last is not None and first is not None and last < first
