"""What notebook 07_claims asks: labkit's own ledger, judged here now, from facts that are kept, gathered or fresh."""

from collections.abc import Callable
from typing import Final

import msgspec

from labkit.claims import ledgers
from labkit.claims.facts import ClaimFacts
from labkit.claims.kept import KeptFacts
from labkit.claims.running import run
from labkit.errors import UsageError
from labkit.model.claims import ClaimsRecord

#: ``kept``: judge by the shared facts that are here, in seconds; ``gather``: gather those that are not, which takes
#: minutes; ``fresh``: gather all anew.
WAYS: Final = ("kept", "gather", "fresh")


def section(
    chosen: str = "all",
    *,
    toolchain: str = "current",
    facts: str = "kept",
    jobs: int = 2,
    progress: Callable[[int, int, str], None] | None = None,
    steps: Callable[[str], None] | None = None,
) -> ClaimsRecord:
    """Judge the handbook's statements now and return the run; :mod:`labkit.present.claims` shows it.

    Args:
        chosen: ``all``, ``none``, or ids, chapters and words separated by commas.
        toolchain: The name of the pinned set.
        facts: One of :data:`WAYS`. With ``kept`` a statement whose facts are not here is untested, and says so.
        jobs: How many checks run at a time.
        progress: Called with the number judged, the number of all, and the id.
        steps: Called with one line before each step that may take long.

    Raises:
        UsageError: ``chosen`` names nothing, or there is no such way.
        ProvisionError: The set cannot be had.

    """
    check(chosen, facts)
    here = (
        KeptFacts(toolchain, progress=steps)
        if facts == "kept"
        else ClaimFacts(toolchain=toolchain, fresh=facts == "fresh", progress=steps)
    )
    ledger = ledgers.own()
    if chosen == "none":
        ledger = msgspec.structs.replace(ledger, statements=())
    return run(ledger, here, only=_words(chosen), jobs=jobs, done=progress)


def check(chosen: str, facts: str) -> None:
    """Refuse what :func:`section` would refuse, before anything runs.

    Raises:
        UsageError: ``chosen`` names nothing, or there is no such way.

    """
    if facts not in WAYS:
        raise UsageError(f"claims_facts is {facts!r}", remedy=f"give one of {', '.join(WAYS)}")
    ledgers.own().choose(_words(chosen))


def _words(chosen: str) -> tuple[str, ...]:
    return () if chosen in {"all", "none"} else tuple(word.strip() for word in chosen.split(",") if word.strip())
