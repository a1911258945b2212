"""Orders versions as Go's modules, Go and protoc write them, and tests ranges such as ``>=1.21, <1.64``.

A pre-release (``1.65.0-dev``, ``1.27rc1``) and a pseudo-version come before the release they lead to. Nothing is read.
"""

import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

_VERSION: Final = re.compile(r"v?(?P<release>\d+(?:\.\d+)*)(?P<pre>(?:-|rc|beta|alpha).*?)?(?P<build>\+.*)?")
_TERM: Final = re.compile(r"(?P<operator>>=|<=|==|<|>)\s*(?P<version>\S+)")
_WIDTH: Final = 4
Key = tuple[tuple[int, ...], int, str]

_OPERATORS: Final[Mapping[str, Callable[[Key, Key], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
}


@cache
def key(version: str) -> Key | None:
    """Return what a version is ordered by; None for a text that is no version."""
    found = _VERSION.fullmatch(version.strip())
    if found is None:
        return None
    numbers = tuple(int(number) for number in found["release"].split("."))
    padded = numbers + (0,) * (_WIDTH - len(numbers))
    return padded, 0 if found["pre"] else 1, found["pre"] or ""


@cache
def within(version: str, condition: str) -> bool:
    """Tell whether a value meets a condition: a range, or else one of some words parted by ``|``.

    A value that is no version lies in no range.
    """
    if _TERM.match(condition.strip()) is None:
        return version in {word.strip() for word in condition.split("|")}
    mine = key(version)
    if mine is None:
        return False
    for term in condition.split(","):
        found = _TERM.fullmatch(term.strip())
        bound = key(found["version"]) if found else None
        if found is None or bound is None:
            raise ValueError(f"{term.strip()!r} in {condition!r} is no comparison with a version")
        if not _OPERATORS[found["operator"]](mine, bound):
            return False
    return True
