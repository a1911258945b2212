"""The statements as data: labkit's own ledger beside this module, one TOML file a chapter."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Annotated

import msgspec

from labkit.errors import UsageError
from labkit.system.store import digest
from labkit.words import Language, preferred_language

_Letter = Annotated[str, msgspec.Meta(pattern=r"^[a-z]$")]


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text in both languages."""

    en: str
    zh: str

    def say(self, language: Language | None = None) -> str:
        """Return it in the reader's language."""
        return self.zh if (language or preferred_language()) is Language.CHINESE else self.en


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement, in our words."""

    id: str
    en: str
    zh: str
    parts: Mapping[_Letter, Wording] = {}  # empty: it has one part, a
    by_reading: bool = False  # it is about what the handbook says, not about the world
    quoted: Mapping[str, str | int | float] = {}  # the numbers and names that it states
    tolerance: float | None = None  # how far a measured number may be from a quoted one, as a share of it
    says: tuple[Mapping[str, str], ...] = ()  # of statements about statements: what each of them says, and where

    @property
    def chapter(self) -> str:
        """2.3 of 2.3.04."""
        return self.id.rpartition(".")[0]

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of its parts."""
        return tuple(self.parts) or ("a",)

    def say(self, language: Language | None = None) -> str:
        """Return the statement in the reader's language."""
        return Wording(en=self.en, zh=self.zh).say(language)

    def say_part(self, letter: str, language: Language | None = None) -> str:
        """Return a part in the reader's language; of a statement of one part, the statement."""
        return self.parts[letter].say(language) if letter in self.parts else self.say(language)

    def number(self, name: str) -> float:
        """Return a quoted number."""
        return float(self.quoted[name])


class _Chapter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of the ledger."""

    chapter: str
    title: Wording
    claim: tuple[Statement, ...]


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Statements in their order."""

    name: str
    titles: Mapping[str, Wording]  # by chapter
    statements: tuple[Statement, ...]

    @property
    def digest(self) -> str:
        """16 hex digits that stand for all statements."""
        return digest({"statements": msgspec.to_builtins(self.statements)})

    def find(self, id_: str) -> Statement:
        """Return a statement by its id.

        Raises:
            UsageError: There is none.

        """
        for each in self.statements:
            if each.id == id_:
                return each
        raise UsageError(f"the ledger {self.name} has no statement {id_!r}", remedy="list them with `labkit claims`")

    def choose(self, wanted: Iterable[str]) -> tuple[Statement, ...]:
        """Return the statements that some words name: an id, a chapter, or a part of the text in either language.

        Raises:
            UsageError: A word names none.

        """
        chosen: set[str] = set()
        for word in wanted:
            found = {each.id for each in self.statements if _named(each, word)}
            if not found:
                raise UsageError(
                    f"no statement of {self.name} has the id, the chapter or the text {word!r}",
                    remedy="name a chapter (2.3), an id (2.3.04) or words of the statement",
                )
            chosen |= found
        return tuple(each for each in self.statements if each.id in chosen) if chosen else self.statements


def _named(statement: Statement, word: str) -> bool:
    if statement.id == word or statement.id.startswith(f"{word}."):
        return True
    if word.replace(".", "").isdigit():
        return False
    texts = [statement.en, statement.zh, *(text for part in statement.parts.values() for text in (part.en, part.zh))]
    return any(word.casefold() in text.casefold() for text in texts)


@cache
def own() -> Ledger:
    """Return labkit's own ledger."""
    folder = resources.files(__package__).joinpath("ledger")
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
    return assemble("handbook", (each.read_text("utf-8") for each in files))


def assemble(name: str, texts: Iterable[str]) -> Ledger:
    """Return the ledger that some files' texts make.

    Raises:
        msgspec.ValidationError: A field is missing, unknown or of another type.

    """
    chapters = [msgspec.convert(tomllib.loads(text), _Chapter) for text in texts]
    return Ledger(
        name=name,
        titles={each.chapter: each.title for each in chapters},
        statements=tuple(claim for each in chapters for claim in each.claim),
    )
