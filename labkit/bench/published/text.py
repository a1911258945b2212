"""A line of a published text without what people put around it: comment marks, quotes, bullets, fences, colours."""

import re
from collections.abc import Mapping
from typing import Final

from labkit.bench.benchfmt.units import SPACES

#: A longer line is no benchmark's: names and a dozen units need a few hundred characters.
MOST_LINE: Final = 4096

#: The keys that `go test` itself prints; a text's other `key: value` lines are prose.
KEYS: Final = ("goos", "goarch", "pkg", "cpu")

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_AROUND: Final = re.compile(rf"^(?:[{SPACES}\ufeff]|/+|/\*+|\*+(?!/)|>+|\||[-+•·](?=\s)|--\s|#+\s|<!--|`(?!``))+")
_BLANK: Final = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_BEHIND: Final = ("|", "*/", "-->", "\\", "<br>", "<br/>", "<br />", "**")
_FENCE: Final = re.compile(r"^(`{3,}|~{3,})")
_KEYS: Final = re.compile(r"\b(goos|goarch|pkg|cpu):(?=\s)")
_STARTS_WITH_KEY: Final = re.compile(r"(?:goos|goarch|pkg|cpu):(?:\s|$)")


def bare(line: str) -> str:
    """Return a line without colours, without the marks before it and those behind it."""
    text = _AROUND.sub("", _COLOUR.sub("", line)[: MOST_LINE + 1])
    while True:
        # Not one expression: looking for the last run of blanks takes time by the square of a line's length.
        shorter = text.rstrip(_BLANK)
        shorter = next((shorter[: -len(mark)] for mark in _BEHIND if shorter.endswith(mark)), shorter)
        if shorter.endswith("`") and not shorter.endswith("``"):
            shorter = shorter[:-1]
        if shorter == text:
            return text
        text = shorter


def fence(line: str) -> str | None:
    """Return what stands behind the mark of a Markdown fence, also in a quote or a comment; None for another line."""
    text = _AROUND.sub("", line)
    match = _FENCE.match(text)
    return None if match is None else text[match.end() :]


def configuration(body: str) -> Mapping[str, str]:
    """Return the key and value of a bare configuration line; of several when they were joined on one line."""
    if not _STARTS_WITH_KEY.match(body):
        return {}
    at = [*_KEYS.finditer(body + " ")]
    ends = [match.start() for match in at[1:]] + [len(body) + 1]
    return {match[1]: " ".join(body[match.end() : end].split()) for match, end in zip(at, ends, strict=True)}
