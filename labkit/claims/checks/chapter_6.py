"""Chapter 6: whether what the handbook says in one place agrees with what it says in another; by reading alone."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import ClassVar

from labkit.claims import ledgers
from labkit.claims.base import ClaimCheck, reckoned
from labkit.claims.facts import ClaimFacts
from labkit.model.claims import ClaimEvidence, PartVerdict

#: What is no scope of a saying: where it stands, in what part of it, and what it says.
_NO_SCOPE = frozenset({"of", "stands", "value"})


class _Agreement(ClaimCheck):
    """Base: the ledger holds what each place says, and of what; two sayings of one thing must give it one value."""

    turned_by: ClassVar[str] = "other sayings in the ledger"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Compare every two sayings whose scopes have something in common."""
        del facts  # nothing of this machine: by reading alone
        sayings = ledgers.own().find(self.id).says
        evidence = [_evidence(each, self.id) for each in sayings]
        for one, other in _conflicts(sayings):
            scope = ", ".join(f"{key} {value}" for key, value in sorted(_scope(one, other).items()))
            yield self.refuted(
                evidence,
                one=one["value"],
                other=other["value"],
                first=one["of"],
                second=other["of"],
                where=scope or "-",
            )
            return
        yield self.confirmed(evidence, count=len(sayings))


def _conflicts(sayings: Iterable[Mapping[str, str]]) -> Iterator[tuple[Mapping[str, str], Mapping[str, str]]]:
    for one, other in combinations(sayings, 2):
        shared = (one.keys() & other.keys()) - _NO_SCOPE
        if one["value"] != other["value"] and all(one[key] == other[key] for key in shared):
            yield one, other


def _scope(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    return {key: value for each in (one, other) for key, value in each.items() if key not in _NO_SCOPE}


def _evidence(saying: Mapping[str, str], id_: str) -> ClaimEvidence:
    scope = ", ".join(f"{key} {value}" for key, value in saying.items() if key not in _NO_SCOPE)
    where = saying["of"] + (f" ({saying['stands']})" if "stands" in saying else "")
    return reckoned(f"{where}: {saying['value']}" + (f", for {scope}" if scope else ""), f"the ledger's {id_}")


class Goarm(_Agreement):
    """Lay side by side where each place says that GOARM has an effect, and look for a target that gets both answers."""

    id = "6.01"


class FirstProtoc(_Agreement):
    """Compare the two versions that are named as protoc's first for arm64."""

    id = "6.02"


class Arm64e(_Agreement):
    """Compare the architecture that the build is asked for with the one that it is said to have."""

    id = "6.03"


class SourceRelative(_Agreement):
    """Compare the version whose command uses the option with the version that is said to be needed for it."""

    id = "6.04"


class ExternalFlags(_Agreement):
    """Compare what the flag is said to do in the command with what it is said to do without cgo."""

    id = "6.05"
