"""One benchmark line, leniently: a lost iterations column, glued or thousands-separated numbers, a remark behind it.

What is left is put in Go's form and read by :mod:`labkit.bench.benchfmt`, whose reasons for refusing it count too. A
line whose columns could mean two things is not taken.
"""

import math
import re
from typing import Final, NamedTuple

from labkit.bench.benchfmt import parse
from labkit.bench.benchfmt.units import SPACES, tidy
from labkit.model.base import Text
from labkit.model.benchfmt import BrokenLine, GoResult

_SPACE: Final = re.compile(f"[{SPACES}]+")
# Go: after the word Benchmark no lower-case letter (testing's isTest).
NAME: Final = re.compile(rf"Benchmark(?![a-z])[^{SPACES}|]+")
_NUMBER: Final = re.compile(r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_COMMAS: Final = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(\.\d+)?")
_ONE_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
_GLUED: Final = re.compile(r"([+-]?\d[\d.,]*)([A-Za-zµμ%][^\s]*/[^\s]+)")
_BETWEEN: Final = " \t\u00a0|"
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3})+")
_REMARK: Final = re.compile(rf"[{SPACES}](?://|#|←|<-|\().*$")
# `35.1 ns/op` without a name before it, with or without iterations.
_VALUES: Final = re.compile(rf"\d[\d_,.]*[{SPACES}]+(?:\d[\d_,.]*[{SPACES}]*)?(?:[a-zA-Zµμ]+/\S+)")
_NUMERIC_START: Final = re.compile(r"[+-]?[.\d]|[+-]?(?:nan|inf)\b", re.IGNORECASE)
_MICRO: Final = re.compile(r"^(us|µs|μs|ms)(?=$|[/*\-])")
_FACTORS: Final = {"us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3}


class Value(NamedTuple):
    """One value of a line, in base units and as published."""

    value: float
    unit: str
    original: str


class Row(NamedTuple):
    """A line that could be read."""

    name: str  # without the word Benchmark
    values: tuple[Value, ...]


def why(id_: str, /, **values: str | float) -> Text:
    """Return a reason for not taking a line."""
    return Text(id=f"import.why.{id_}", values=values)


def base(unit: str) -> tuple[str, float]:
    """Return a unit in base units and the factor of its values; µs and ms too, which Go itself never prints."""
    match = _MICRO.match(unit)
    return ("sec" + unit[match.end() :], _FACTORS[match[1]]) if match else tidy(unit)


def looks_like_values(body: str) -> bool:
    """Return whether a bare line is values that lost their name."""
    return _VALUES.match(body) is not None


def announced(body: str) -> str | None:
    """Return the name that stands alone on a line: `go test -v` announces so, and long names are broken so."""
    return body if NAME.fullmatch(body) else None


def looks_like_benchmark(body: str) -> bool:
    """Return whether a bare line starts with a benchmark's name and goes on with a number."""
    match = NAME.match(body)
    return match is not None and _NUMERIC_START.match(body[match.end() :].lstrip(_BETWEEN)) is not None


def read(body: str) -> Row | Text:
    """Return what a bare line that looks like a benchmark says, or why it cannot be read."""
    name, *words = [word for word in _SPACE.split(_REMARK.sub("", body.replace("|", " "))) if word]
    pairs = _pairs(words)
    if isinstance(pairs, Text):
        return pairs
    wrong = _columns(pairs)
    if wrong is not None:
        return wrong
    if not _is_number(pairs[1]):
        pairs = ["1", *pairs]  # the iterations are lost; they are no part of a sample
    iterations = pairs[0].partition(".")
    if iterations[1] and not iterations[2].strip("0"):
        pairs[0] = iterations[0]
    found = parse(" ".join([name, *pairs]).encode("utf-8", "replace"), name="").records
    record = found[0] if found else None
    if not isinstance(record, GoResult):
        return why("strict", reason=record.why if isinstance(record, BrokenLine) else "no result")
    values = []
    for each, original in zip(record.values, pairs[1::2], strict=True):
        unit, factor = base(each.original_unit)
        value = each.original_value * factor
        if not math.isfinite(value):
            return why("not_finite", value=original)
        if value < 0 and unit.startswith("sec"):
            return why("negative", value=original)
        values.append(Value(value, unit, f"{original} {each.original_unit}"))
    return Row(record.name, tuple(values))


def _pairs(words: list[str]) -> list[str] | Text:
    """Return the words with numbers and units apart, and numbers as Go prints them."""
    if len(words) > 1 and _THOUSANDS.fullmatch(words[0]) and words[1][:1].isdigit():
        words = [words[0].replace(",", ""), *words[1:]]  # iterations: they have no decimal point
    pairs: list[str] = []
    for word in words:
        said = _word(word)
        if isinstance(said, Text):
            return said
        pairs += said
    if pairs and "/" in pairs[-1]:
        pairs[-1] = pairs[-1].rstrip(".,;")  # a comment's last line ends in a full stop
    return pairs


def _word(word: str) -> list[str] | Text:
    if _NUMBER.fullmatch(word):
        return [word]
    if (match := _COMMAS.fullmatch(word)) is not None:
        if word.count(",") > 1 or match[1]:
            return [word.replace(",", "")]
        return why("comma", number=word)
    if _ONE_COMMA.fullmatch(word):
        return why("comma", number=word)
    if (match := _GLUED.fullmatch(word)) is not None:
        number = _word(match[1])
        return number if isinstance(number, Text) else [*number, match[2]]
    return [word]


def _is_number(word: str) -> bool:
    return _NUMBER.fullmatch(word) is not None


def _columns(words: list[str]) -> Text | None:
    """Return why the words after a name cannot be (iterations and) values with units."""
    kinds = "".join("n" if _is_number(word) else "u" for word in words)
    if "u" not in kinds:
        return why("no_units")
    if re.fullmatch(r"n(nu)+", kinds):
        return None
    if re.fullmatch(r"(nu)+", kinds):
        # Without iterations a number and a word might be prose: a unit says per what.
        return None if "/" in words[1] else why("no_benchmark_unit", unit=words[1])
    if kinds.startswith("nnn"):
        return why("too_many_numbers", count=kinds.index("u"))
    at = next((i for i in range(len(kinds) - 1) if kinds[i : i + 2] == "uu"), None)
    return why("not_a_value", text=words[at + 1] if at is not None else words[-1])
