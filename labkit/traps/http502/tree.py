"""The decision tree of 502s (``tree.toml``), and the lines of an error.log by its leaves. Starts nothing."""

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from labkit.model.base import Text
from labkit.model.errorlog import Classified

_UPSTREAM: Final = re.compile(r'upstream: "([^"]*)"')


class Leaf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One leaf; the fields are told in ``tree.toml``."""

    id: str
    stage: str
    patterns: tuple[str, ...]
    said: tuple[str, ...]
    status: tuple[int, ...]
    command: str
    source: str

    @property
    def cause(self) -> Text:
        """What such a line means."""
        return Text(id=f"trap_http502.leaf.{self.id}.cause")

    @property
    def fix(self) -> Text:
        """What to do about it."""
        return Text(id=f"trap_http502.leaf.{self.id}.fix")


class Tree(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole tree: the stages of a request in their order, and the leaves, the first that matches first."""

    stages: tuple[str, ...]
    leaf: tuple[Leaf, ...]

    def by_id(self, id_: str) -> Leaf:
        """Return a leaf; KeyError when there is none."""
        return {leaf.id: leaf for leaf in self.leaf}[id_]

    def of_stage(self, stage: str) -> tuple[Leaf, ...]:
        """Return the leaves of a stage in their order."""
        return tuple(leaf for leaf in self.leaf if leaf.stage == stage)


@cache
def tree() -> Tree:
    """Return the tree."""
    return msgspec.convert(
        tomllib.loads(resources.files(__package__).joinpath("tree.toml").read_text("utf-8")), Tree, strict=False
    )


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Leaf], ...]:
    return tuple((re.compile(pattern), leaf) for leaf in tree().leaf for pattern in leaf.patterns)


def classify(text: str) -> tuple[Classified, ...]:
    """Return every line of an error.log that is not empty, with its leaf; None for a line that is not known.

    What stands before nginx's own words (a date, a container's name) does not matter, nor do the numbers of errors,
    which differ between systems.
    """
    return tuple(
        _classified(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()
    )


def _classified(number: int, line: str) -> Classified:
    # What a client sent is in the line too; it must not decide.
    words = line.partition(", client: ")[0]
    leaf = next((leaf for pattern, leaf in _patterns() if pattern.search(words)), None)
    named = _UPSTREAM.search(line)
    return Classified(
        line_number=number,
        line=line,
        leaf=leaf.id if leaf else None,
        statuses=leaf.status if leaf else (),
        command=leaf.command if leaf else None,
        upstream=named[1] if named else None,
    )


def errors_of(said: str) -> str:
    """Return the lines of an error.log that are more than information."""
    return "".join(line for line in said.splitlines(keepends=True) if " [info] " not in line)


def leaves_of(said: str) -> list[str]:
    """Return the leaves of an error.log's faults, each once, in order; a line that the tree does not know: unknown.

    That a peer was set aside follows from the line before it, and is left out.
    """
    found = [one.leaf or "unknown" for one in classify(errors_of(said))]
    return list(dict.fromkeys(leaf for leaf in found if leaf != "peer-set-aside"))
