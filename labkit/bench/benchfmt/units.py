"""Units of Go benchmarks: base units, and how benchstat scales and prints values.

The rules are those of golang.org/x/perf/benchunit (its files parse.go, tidy.go and scale.go): ``ns`` becomes ``sec``
and ``MB`` becomes ``B`` where they stand in a numerator, and a row's values share one prefix, chosen for four digits.
"""

import math
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

#: Go's unicode.IsSpace, as the inside of a regular expression's class; Python's own has four control characters more.
SPACES: Final = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

_TOKENS: Final = re.compile(f"[*/]|[^*/\\-{SPACES}]+")
_BASE: Final = {"ns": ("sec", 1e9, -1), "MB": ("B", 1e6, 1)}
_BINARY: Final = frozenset({"B", "MB", "bytes"})


def _parts(unit: str) -> Iterator[tuple[str, bool, int]]:
    """Yield each word of a unit, whether it stands in a denominator, and where."""
    denominator = False
    for match in _TOKENS.finditer(unit):
        word = match.group()
        if word in {"*", "/"}:
            denominator = word == "/"
        else:
            yield word, denominator, match.start()


def tidy(unit: str) -> tuple[str, float]:
    """Return a unit in base units, and the factor of its values: ``ns/op`` gives ``sec/op``, 1e-9."""
    edits = [(at, word) for word, denominator, at in _parts(unit) if not denominator and word in _BASE]
    factor, tidied = 1.0, unit
    for _at, word in edits:
        _name, by, sign = _BASE[word]
        factor = factor * by if sign > 0 else factor / by
    for at, word in reversed(edits):
        tidied = tidied[:at] + _BASE[word][0] + tidied[at + len(word) :]
    return tidied, factor


def is_binary(unit: str) -> bool:
    """Return whether values of a unit are scaled by 1024 (bytes in a numerator) rather than by 1000."""
    return any(word in _BINARY and not denominator for word, denominator, _at in _parts(unit))


class Scaler(NamedTuple):
    """How a value is printed: digits after the point, and a prefix with its factor."""

    digits: int
    factor: float
    prefix: str

    def show(self, value: float) -> str:
        """Return the value with its prefix: ``1.718µ``."""
        scaled = value / self.factor
        return (f"{scaled:.{self.digits}f}" if math.isfinite(scaled) else shortest(scaled)) + self.prefix


class _Factor(NamedTuple):
    factor: float
    prefix: str
    least: tuple[tuple[float, int], ...]  # (from here on, digits after the point)


def _decimal(exponent: int, prefix: str) -> _Factor:
    least = (("99.995", 1), ("9.9995", 2), (".99995", 3))
    return _Factor(10.0**exponent, prefix, tuple((float(f"{text}e{exponent}"), digits) for text, digits in least))


def _binary(exponent: int, prefix: str) -> _Factor:
    least = (("0x1.8ffae147ae148p6", 1), ("0x1.3ffbe76c8b439p3", 2), ("0x1.fff972474538fp-1", 3))
    return _Factor(
        2.0**exponent, prefix, tuple((math.ldexp(float.fromhex(text), exponent), digits) for text, digits in least)
    )


_DECIMAL: Final = tuple(
    _decimal(12 - 3 * i, prefix) for i, prefix in enumerate(("T", "G", "M", "k", "", "m", "µ", "n"))
)
_IEC: Final = tuple(_binary(40 - 10 * i, prefix) for i, prefix in enumerate(("Ti", "Gi", "Mi", "Ki", "")))
_SMALL: Final = tuple(float(f"9.9995e{exponent}") for exponent in range(-1, -9, -1))


def common_scale(values: Sequence[float], *, binary: bool) -> Scaler:
    """Return one scale for values that are shown side by side, chosen for the one nearest to zero."""
    least = 0.0
    for value in map(abs, values):
        if value != 0 and (least == 0 or value < least):
            least = value
    if least == 0:
        return Scaler(3, 1, "")
    factors = _IEC if binary else _DECIMAL
    for factor in factors:
        for threshold, digits in factor.least:
            if least >= threshold:
                return Scaler(digits, factor.factor, factor.prefix)
    last = factors[-1]
    scaled = least / last.factor
    more = next((i for i, threshold in enumerate(_SMALL) if scaled >= threshold), len(_SMALL) - 1)
    return Scaler(more + 3, last.factor, last.prefix)


def shortest(value: float) -> str:
    """Return a number as Go's ``%v`` prints it: the fewest digits, an exponent from 1e6 and below 1e-4."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"
    sign, digits, exponent = Decimal(repr(float(value))).as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    assert isinstance(exponent, int)  # noqa: S101 - a finite number's is
    point = len(digits) + exponent  # the value is 0.text times ten to the power of point
    minus = "-" if sign else ""
    if text == "0":
        return f"{minus}0"
    if not -3 <= point <= 6:  # noqa: PLR2004 - strconv's limits for the shortest form
        mantissa = text[0] + (f".{text[1:]}" if len(text) > 1 else "")
        return f"{minus}{mantissa}e{point - 1:+03d}"
    if point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    whole, rest = text[:point].ljust(point, "0"), text[point:]
    return minus + whole + (f".{rest}" if rest else "")
