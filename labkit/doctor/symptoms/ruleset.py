"""The rules as data: what ``rules.toml`` holds, read once and checked; no judgement.

A pattern is a regular expression over normalised text, case ignored, with tokens such as ``{path}`` for what it
captures. No pattern may repeat without a bound: :func:`expand` gives the tokens, the tests hold the rest to it.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import resources
from typing import Final

import msgspec

#: What a token in braces captures. Bounded and free of spaces, quotes and newlines, so that a capture is one word.
TOKENS: Final = {
    "path": r"(?P<path>[^\s'\":;,(){}<>|]{1,200})",
    "tool": r"(?P<tool>[\w.+-]{1,60})",
    "plugin": r"(?P<tool>protoc-gen-[\w-]{1,50})",
    "version": r"(?P<version>v?\d{1,8}(?:\.\d{1,8}){0,3}(?:-?[a-z]{1,6}[.\d]{0,6})?)",
    "library": r"(?P<library>[^\s'\":;,(){}<>|]{1,200})",
    "proto": r"(?P<proto>[\w./+-]{1,160}\.proto)",
    "symbol": r"(?P<symbol>[\w.$@]{1,80})",
    "module": r"(?P<module>[\w./~-]{1,120})",
    "number": r"(?P<number>\d{1,9})",
    "gap": r"[^\n]{0,120}?",
    "near": r"[^\n]{0,40}?",
}
_TOKEN: Final = re.compile(r"\{([a-z]{1,12})\}")
_BREAK: Final = "\x00"
_CLASS: Final = re.compile(r"\[[^\]]{1,80}\]")
_GROUP: Final = re.compile(r"\([^()]{0,900}\)(?:[?*+]|\{[\d,]{1,9}\})?")
_QUANTIFIED: Final = re.compile(r".(?:[?*+]|\{[\d,]{1,9}\})")
_ESCAPED: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {mark: chr(0xE000 + index) for index, mark in enumerate("().[]{}|?*+^$-\\'\" /")}
_UNESCAPES: Final = str.maketrans({private: mark for mark, private in _ESCAPES.items()})


def expand(pattern: str) -> str:
    """Return a pattern with its tokens written out; a token's second use captures nothing."""
    used: set[str] = set()

    def one(match: re.Match[str]) -> str:
        text = TOKENS[match.group(1)]
        name = re.match(r"\(\?P<(\w{1,12})>", text)
        if name is None:
            return text
        if name.group(1) in used:
            return text.replace(f"?P<{name.group(1)}>", "?:", 1)
        used.add(name.group(1))
        return text

    return _TOKEN.sub(one, pattern)


def key_of(pattern: str) -> str:
    """Return the longest lower-case literal that every match of a pattern holds, "" when there is none.

    Whatever may be absent or differ (tokens, classes, groups, what a quantifier follows) becomes a break.
    """
    text = _TOKEN.sub(_BREAK, pattern)
    text = _ESCAPED.sub(lambda match: _BREAK if match.group(1).isalnum() else _ESCAPES[match.group(1)], text)
    text = _CLASS.sub(_BREAK, text)
    while (shorter := _GROUP.sub(_BREAK, text)) != text:
        text = shorter
    if "|" in text:
        return ""
    runs = re.split(r"[\x00.^$]", _QUANTIFIED.sub(_BREAK, text))
    return max((run.translate(_UNESCAPES) for run in runs), key=len).lower()


class Pattern(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True, rename={"source": "re"}
):
    """One symptom: its expression, and how much it alone speaks for the rule (0 to 1; 1: nothing else prints it)."""

    source: str
    share: float
    near: tuple[str, ...] = ()  # the literals, lower-case, one of which every match holds; worked out where not given

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The literals that are looked for before the expression is tried."""
        return self.near or (key_of(self.source),)

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """The compiled expression."""
        return re.compile(expand(self.source), re.IGNORECASE)


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One failure mode."""

    id: str = ""
    prior: float  # how common it is among users of this toolchain, 0 to 1: a judgement, written down
    link: str
    more: tuple[str, ...] = ()  # further sources
    confirmed_on_hardware: bool = False
    patterns: tuple[Pattern, ...]
    speaks_for: tuple[str, ...] = ()  # lower-case words anywhere in the text
    speaks_against: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()  # slots in braces, filled from the captures
    defaults: Mapping[str, str] = {}  # what fills a slot that was not captured


@cache
def rules() -> Mapping[str, Rule]:
    """Return every rule by its id, in the order of the file.

    Raises:
        msgspec.ValidationError: the file does not hold what a rule holds (a defect of labkit, caught by its tests).
    """
    read = tomllib.loads(resources.files(__package__).joinpath("rules.toml").read_text("utf-8"))
    return {id_: msgspec.convert({"id": id_, **table}, Rule) for id_, table in read.items()}


@cache
def vocabulary() -> frozenset[str]:
    """Return the words of the patterns, lower-case: what a wrap may have cut in two."""
    literals = " ".join(
        _TOKEN.sub(" ", pattern.source).replace("\\", "") for rule in rules().values() for pattern in rule.patterns
    )
    return frozenset(re.findall(r"[a-z][a-z0-9_-]{3,30}", literals.lower()))
