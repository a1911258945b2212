"""Which collections of .proto files there are, as ``collections.toml`` beside this names them; fetches nothing."""

import difflib
import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Final

import msgspec

from labkit.errors import UsageError

#: The name that asks for no collection.
NONE: Final = "none"
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
_Sha512 = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]{86}==$")]


class Collection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the two kinds share."""

    project: str
    version: str
    source: str
    folders: tuple[str, ...]  # to generate from, within the collection
    without: tuple[str, ...] = ()  # folders of those to leave out
    witness: str  # a file that must be there


class WheelCollection(Collection, frozen=True, kw_only=True, tag="wheel", tag_field="kind"):
    """A wheel that pip fetches."""

    sha256: _Sha256


class NpmCollection(Collection, frozen=True, kw_only=True, tag="npm", tag_field="kind"):
    """A package that npm fetches; ``sha512`` is what npm calls its integrity."""

    sha512: _Sha512


Pinned = WheelCollection | NpmCollection


@cache
def _all() -> dict[str, Pinned]:
    raw = tomllib.loads(resources.files(__package__).joinpath("collections.toml").read_text("utf-8"))
    raw.pop("pinned_on")
    return msgspec.convert(raw, dict[str, Pinned])


def names() -> tuple[str, ...]:
    """Return the names of the collections, the smallest first."""
    return tuple(_all())


def named(name: str) -> Pinned:
    """Return a collection.

    Raises:
        UsageError: There is none of this name.

    """
    found = _all().get(name)
    if found is None:
        near = difflib.get_close_matches(name, (*names(), NONE), n=1)
        raise UsageError(
            f"there is no collection of .proto files named {name!r}",
            remedy=f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join((*names(), NONE))}",
        )
    return found


def check_name(name: str) -> None:
    """Check that a name is a collection's or ``none``.

    Raises:
        UsageError: It is neither.

    """
    if name != NONE:
        named(name)
