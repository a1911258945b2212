"""What projects announced of their own releases (``announced.toml``): cited beside evidence, never in its place."""

import tomllib
from functools import cache
from importlib import resources

import msgspec

from labkit.claims.base import saw
from labkit.model.base import Provenance
from labkit.model.claims import ClaimEvidence, EvidenceKind


class Announced(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One announcement."""

    id: str
    since: str
    said: str
    source: str

    def cited(self) -> ClaimEvidence:
        """Return it as evidence that was published elsewhere."""
        return saw(EvidenceKind.SOURCE, self.said, self.source, provenance=Provenance.IMPORTED)


@cache
def _all() -> tuple[Announced, ...]:
    text = resources.files(__package__).joinpath("announced.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["announced"], tuple[Announced, ...])


def named(id_: str) -> Announced:
    """Return an announcement by its id."""
    return next(each for each in _all() if each.id == id_)
