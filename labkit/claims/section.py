"""What notebook 07_claims asks: labkit's own ledger, judged here, with the shared facts that are there carried over."""

from collections.abc import Callable, Sequence

from labkit.claims import ledgers
from labkit.claims.facts import ClaimFacts
from labkit.claims.running import run
from labkit.model.claims import ClaimsRecord


def section(
    *,
    only: Sequence[str] = (),
    jobs: int = 2,
    fresh: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> ClaimsRecord:
    """Judge the handbook's statements now and return the run; :func:`labkit.present.claims` shows it.

    Args:
        only: Ids, chapters or words; all statements when there are none.
        jobs: How many checks run at a time.
        fresh: Gather every shared fact anew.
        progress: Called with the number judged, the number of all, and the id.

    Raises:
        UsageError: ``only`` names nothing.
        ProvisionError: The set cannot be had.

    """
    return run(ledgers.own(), ClaimFacts(fresh=fresh), only=only, jobs=jobs, done=progress)
