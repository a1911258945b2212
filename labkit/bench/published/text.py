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
_AROUND: Final = re.compile(
    rf"^(?:[{SPACES}\ufeff]|/+|/\*+|\*+(?!/)|>+|\|(?!.*│)|[-+•·](?=\s)|--\s|#+\s|<!--|`(?!``))+"
)
_BEHIND: Final = re.compile(rf"(?:[{SPACES}]|\*/|-->|\\$|<br\s*/?>|\*\*|`(?!``)|\|)+$")
_FENCE: Final = re.compile(r"^(`{3,}|~{3,})")
_KEYS: Final = re.compile(r"\b(goos|goarch|pkg|cpu):(?=\s)")
_STARTS_WITH_KEY: Final = re.compile(r"(?:goos|goarch|pkg|cpu):(?:\s|$)")


def bare(line: str) -> str:
    """Return a line without colours, without the marks before it and those behind it."""
    text = _COLOUR.sub("", line.replace("\0", " "))[: MOST_LINE + 1]
    return _BEHIND.sub("", _AROUND.sub("", text))


def is_fence(line: str) -> bool:
    """Return whether a line opens or closes a Markdown fence, also in a quote or a comment."""
    return _FENCE.match(_AROUND.sub("", line)) is not None


def configuration(body: str) -> Mapping[str, str]:
    """Return the key and value of a bare configuration line; of several when they were joined on one line."""
    if not _STARTS_WITH_KEY.match(body):
        return {}
    at = [*_KEYS.finditer(body + " ")]
    ends = [match.start() for match in at[1:]] + [len(body) + 1]
    return {match[1]: " ".join(body[match.end() : end].split()) for match, end in zip(at, ends, strict=True)}
