"""What an error text leads to, in words: the handbook's statements and the traps, each with its command."""

from collections.abc import Iterable

from labkit.doctor.output import PointerOutput


def claims(ids: Iterable[str]) -> tuple[PointerOutput, ...]:
    """Return statements of the handbook; no verdict, for that is judged by the command."""
    from labkit.claims import own

    return tuple(
        PointerOutput(id=id_, title=own().find(id_).say(), command=f"labkit claims --only {id_}") for id_ in ids
    )


def traps(ids: Iterable[str]) -> tuple[PointerOutput, ...]:
    """Return traps."""
    from labkit.words import say

    return tuple(PointerOutput(id=id_, title=say(f"trap_{id_}.title"), command=f"labkit traps {id_}") for id_ in ids)
