"""Explains the parameters of a notebook: what each is for, what it may be, and what it is now."""

from collections.abc import Mapping
from typing import Final

from labkit.bench.plan import LIMITS
from labkit.present.table import Table, text_frame
from labkit.words import Language, catalogue, say

_WORDS: Final = "parameters.meaning."


def names() -> tuple[str, ...]:
    """Return every parameter that a notebook of labkit's may declare."""
    return tuple(id_.removeprefix(_WORDS) for id_ in catalogue(Language.ENGLISH) if id_.startswith(_WORDS))


def parameters(given: Mapping[str, object], language: Language | None = None) -> Table:
    """Show the parameters among a notebook's variables: name, value, what it may be, what it is for (all str).

    Args:
        given: The variables: ``globals()`` in the first cell after the parameters. Other names in it are passed over.
        language: The reader's language unless given.

    Examples:
        >>> parameters({"seed": 7, "_": None}).frame.iloc[0, :2].tolist()
        ['seed', '7']

    """
    known = names()
    # In the order of the cell that sets them; a module or a result that has such a name is none.
    rows = [
        {
            "name": name,
            "value": repr(value),
            "type": _type(name, value, language),
            "meaning": say(_WORDS + name, language),
        }
        for name, value in given.items()
        if name in known and isinstance(value, str | int | float)
    ]
    return Table(text_frame(rows, ("name", "value", "type", "meaning"), "parameters.column", language))


def _type(name: str, value: object, language: Language | None) -> str:
    if name in LIMITS:
        least, most = LIMITS[name]
        return say("parameters.type.range", language, least=least, most=most if most < 2**31 else "2^63 - 1")
    return say(f"parameters.type.{type(value).__name__}", language)
