"""Lines that a terminal, a page and Markdown share: counts, what has no check, what was carried over."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from labkit.claims.running import is_gathered
from labkit.model.claims import ClaimResult, ClaimsRecord, ClaimVerdict
from labkit.words import Language, say

#: How a statement is counted: by its verdict, and apart where its facts are not here, which is none.
KINDS: Final = (*(str(each) for each in ClaimVerdict), "not_gathered")


def counts_line(record: ClaimsRecord, language: Language | None = None) -> str:
    """Return how many statements have which verdict, and how many parts were judged."""
    counted = Counter(each.verdict for each in record.claims)
    counts = ", ".join(f"{counted[each]} {say(f'claims.verdict.{each}', language)}" for each in ClaimVerdict)
    return say(
        "claims.summary",
        language,
        n=len(record.claims),
        counts=counts,
        judged=sum(each.judged_parts for each in record.claims),
        all=sum(each.all_parts for each in record.claims),
    )


def unbound_line(record: ClaimsRecord, language: Language | None = None) -> str | None:
    """Return which statements have no check; None when each has one."""
    ids = [each.id for each in record.claims if not each.bound]
    return say("claims.unbound", language, n=len(ids), ids=", ".join(ids)) if ids else None


def carried_line(record: ClaimsRecord, language: Language | None = None) -> str:
    """Return how many shared facts are of earlier runs, and how old the oldest is."""
    carried = [each for each in record.facts if each.carried_over]
    if not carried:
        return say("claims.carried_none", language)
    return say(
        "claims.carried", language, n=len(carried), all=len(record.facts), date=min(each.date for each in carried)
    )


def gathered_line(record: ClaimsRecord, language: Language | None = None) -> str | None:
    """Return how many statements' facts are not here; None when all are."""
    n = sum(not is_gathered(each) for each in record.claims)
    return say("claimpage.gathered", language, n=n) if n else None


def counts_by_chapter(record: ClaimsRecord) -> Mapping[str, Counter[str]]:
    """Return how many statements of each chapter are of which of :data:`KINDS`, in the record's order."""
    found: dict[str, Counter[str]] = {}
    for each in record.claims:
        found.setdefault(each.chapter, Counter())[kind_of(each)] += 1
    return found


def kind_of(claim: ClaimResult) -> str:
    """Return the kind, of :data:`KINDS`, that a statement is counted as."""
    return str(claim.verdict) if is_gathered(claim) else "not_gathered"
