"""The handbook's diagrams as data: what they draw, and which statement each of their arrows makes.

One TOML file beside this module a diagram, with the texts in both languages. No verdict stands there: an arrow is
drawn as the verdict of its statement is at that moment (:func:`standing`); :mod:`.drawing` draws it. A few arrows state
nothing that could be judged (a step follows another); they are bound to no statement and drawn thin.
"""

import tomllib
from functools import cache
from importlib import resources

import msgspec

from labkit.claims.ledgers import Wording
from labkit.model.claims import ClaimResult, ClaimsRecord, ClaimVerdict
from labkit.words import Language


class Node(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box. ``at`` is its column, which may lie between two, and its row."""

    id: str
    at: tuple[float, int]
    en: str
    zh: str
    question: bool = False

    def say(self, language: Language | None = None) -> str:
        """Return its text in the reader's language."""
        return Wording(en=self.en, zh=self.zh).say(language)


class Edge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An arrow, from one row to the next."""

    source: str
    target: str
    en: str = ""
    zh: str = ""
    claim: str = ""  # the id of the statement that it makes; empty: it makes none
    part: str = ""  # of that statement; empty: all of it

    def say(self, language: Language | None = None) -> str:
        """Return what stands beside it, in the reader's language."""
        return Wording(en=self.en, zh=self.zh).say(language)

    @property
    def statement(self) -> str:
        """The statement's id with the part's letter: ``2.1.11``, ``3.3.06 (a)``."""
        return f"{self.claim} ({self.part})" if self.part else self.claim


class Diagram(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One diagram of the handbook."""

    chapter: str
    title: Wording
    node: tuple[Node, ...]
    edge: tuple[Edge, ...]

    def find(self, id_: str) -> Node:
        """Return a box by its id."""
        return next(each for each in self.node if each.id == id_)


@cache
def diagrams() -> tuple[Diagram, ...]:
    """Return the handbook's diagrams in its order.

    Raises:
        msgspec.ValidationError: A field is missing, unknown or of another type.

    """
    folder = resources.files(__name__)
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
    return tuple(msgspec.convert(tomllib.loads(each.read_text("utf-8")), Diagram) for each in files)


def standing(edge: Edge, record: ClaimsRecord) -> ClaimVerdict | None:
    """Return how an arrow stands in a run; None for one that states nothing.

    What the run did not judge is untested.
    """
    if not edge.claim:
        return None
    claim = claim_of(edge, record)
    if claim is None:
        return ClaimVerdict.UNTESTED
    if not edge.part:
        return claim.verdict
    return next((each.verdict for each in claim.parts if each.part == edge.part), ClaimVerdict.UNTESTED)


def claim_of(edge: Edge, record: ClaimsRecord) -> ClaimResult | None:
    """Return what became of an arrow's statement in a run; None where it makes none or the run has none."""
    return next((each for each in record.claims if each.id == edge.claim), None)
