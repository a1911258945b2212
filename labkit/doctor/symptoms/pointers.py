"""Where an error text leads beside its causes: the ids of the handbook's statements and of the traps that are about it.

The table is data (``pointers.toml``). It knows ids only: what they are about, and whether it holds here, is for those
who own them.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from labkit.doctor.symptoms.cause import Cause
from labkit.doctor.symptoms.normalise import normalise
from labkit.doctor.symptoms.ranking import Meter, find
from labkit.doctor.symptoms.ruleset import Pattern, vocabulary

#: A rule leads on only when it is among so many first causes: the later ones are guesses.
_FIRST: Final = 3


class Pointer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row: any of the rules or patterns leads to all of the claims and traps."""

    rules: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Leads:
    """What a text leads to, in the table's order, each once."""

    claims: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()


@cache
def pointers() -> tuple[Pointer, ...]:
    """Return the table."""
    read = tomllib.loads(resources.files(__package__).joinpath("pointers.toml").read_text("utf-8"))
    return msgspec.convert(read["pointer"], tuple[Pointer, ...])


@cache
def patterns() -> Mapping[str, Pattern]:
    """Return every pattern of the table, compiled, by its text; one with alternatives is looked for by each of them."""
    return {text: _pattern(text) for each in pointers() for text in each.patterns}


def _pattern(text: str) -> Pattern:
    return Pattern(source=text, share=1.0)


def leads(
    text: str, causes: Sequence[Cause] = (), *, known: Sequence[Pointer] | None = None, meter: Meter | None = None
) -> Leads:
    """Return where a text leads.

    Args:
        text: As it was pasted.
        causes: What :func:`labkit.doctor.symptoms.diagnose` made of it.
        known: Another table than labkit's own.
        meter: Counts the work.

    """
    read = normalise(text, vocabulary())
    first = {each.rule for each in causes[:_FIRST]}
    counted = meter or Meter()
    claims: dict[str, None] = {}
    traps: dict[str, None] = {}
    for each in pointers() if known is None else known:
        compiled = (patterns().get(one) or _pattern(one) for one in each.patterns)
        if first & set(each.rules) or any(
            find(pattern, reading, counted) for pattern in compiled for reading in read.readings
        ):
            claims |= dict.fromkeys(each.claims)
            traps |= dict.fromkeys(each.traps)
    return Leads(claims=tuple(claims), traps=tuple(traps))
