"""Reads Go benchmark files, anyone's: what `go test -bench` prints, with whatever stands around it.

The format is https://go.googlesource.com/proposal/+/master/design/14313-benchmark-format.md; what it leaves open is
decided as golang.org/x/perf/benchfmt's reader does. No line raises: one that is meant for benchmarks and cannot be read
becomes a :class:`~labkit.model.benchfmt.BrokenLine`, and what is no benchmark line is passed over.

Where Go's reader gives up, this one goes on and says so in a broken line: a line longer than a scanner's buffer ends
Go's reading, and a byte-order mark hides Go's first line.
"""

import math
import re
import unicodedata
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from labkit.bench.benchfmt.units import SPACES, tidy
from labkit.errors import RecordError
from labkit.model.benchfmt import BrokenLine, GoFile, GoResult, GoUnit, GoValue

#: The longest line that Go's scanner takes: its buffer is 64 KiB, the line's end included.
MOST_LINE_BYTES: Final = 64 * 1024 - 1

_SPACE: Final = re.compile(f"[{SPACES}]")
_BETWEEN: Final = re.compile(f"[{SPACES}]+")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_DECIMAL: Final = re.compile(
    r"[+-]?([0-9]+(_[0-9]+)*\.?([0-9]+(_[0-9]+)*)?|\.[0-9]+(_[0-9]+)*)([eE][+-]?[0-9]+(_[0-9]+)*)?"
)
_HEX: Final = re.compile(
    r"[+-]?0[xX]_?([0-9a-f]+(_[0-9a-f]+)*\.?([0-9a-f]+(_[0-9a-f]+)*)?|\.[0-9a-f]+(_[0-9a-f]+)*)[pP][+-]?[0-9]+(_[0-9]+)*",
    re.IGNORECASE,
)
_SPECIAL: Final = re.compile(r"[+-]?inf(inity)?|nan", re.IGNORECASE)
_SYNTAX: Final = "invalid syntax"
_RANGE: Final = "value out of range"

Units = dict[tuple[str, str], str]  # (base unit, key): value


def read(path: Path, *, units: Units | None = None) -> GoFile:
    """Return what is in a file.

    Args:
        path: The file.
        units: What ``Unit`` lines of files before said; added to. Metadata carries over files, as benchstat has it.

    Raises:
        RecordError: The file cannot be read.

    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}", remedy="name a Go benchmark file") from error
    return parse(data, name=str(path), units=units)


def parse(data: bytes, *, name: str, units: Units | None = None) -> GoFile:
    """Return what is in some bytes, which are called ``name``."""
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return GoFile(name=name, records=(BrokenLine(line=1, why="the file is UTF-16; save it as UTF-8"),))
    return GoFile(name=name, records=tuple(_Reader({} if units is None else units).records(data)))


class _WrongError(Exception):
    """A line that cannot be read, and why."""


class _Reader:
    """The state between lines: the configuration in force, and the units' metadata."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._keys: list[str] = []
        self._values: dict[str, str] = {}
        self._config: tuple[tuple[str, str], ...] = ()

    def records(self, data: bytes) -> Iterator[GoResult | GoUnit | BrokenLine]:
        lines = data.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        if lines and lines[0].startswith(BOM_UTF8):
            lines[0] = lines[0].removeprefix(BOM_UTF8)
            yield BrokenLine(line=1, why="it begins with a byte-order mark; benchstat passes over this line")
        for number, raw in enumerate(lines, 1):
            if len(raw) > MOST_LINE_BYTES:
                yield BrokenLine(line=number, why=f"a line of {len(raw)} bytes; benchstat stops reading here")
                continue
            text = raw.removesuffix(b"\r").decode("utf-8", "surrogateescape")
            yield from self._line(text, number)

    def _line(self, text: str, number: int) -> Iterator[GoResult | GoUnit | BrokenLine]:
        if text.startswith("Benchmark"):
            try:
                result = self._benchmark(text.removeprefix("Benchmark"), number)
            except _WrongError as wrong:
                yield BrokenLine(line=number, why=str(wrong))
            else:
                if result is not None:
                    yield result
            return
        if text.startswith("U"):
            words = _BETWEEN.split(text)
            if words[0] == "Unit":
                yield from self._unit([word for word in words[1:] if word], number)
                return
        self._configure(text)

    def _benchmark(self, text: str, number: int) -> GoResult | None:
        if not _SPACE.search(text):
            return None  # `go test -v` prints the name alone when a benchmark starts
        name, *words = _BETWEEN.split(text)
        words = [word for word in words if word]
        if not words:
            raise _WrongError("missing iteration count")
        iterations = _integer(words[0])
        if len(words) == 1:
            raise _WrongError("missing measurements")
        values = []
        for at in range(1, len(words), 2):
            value = _number(words[at])
            if at + 1 == len(words):
                raise _WrongError("missing units")
            values.append(_value(value, words[at + 1]))
        return GoResult(name=name, iterations=iterations, values=tuple(values), config=self._config, line=number)

    def _unit(self, words: list[str], number: int) -> Iterator[GoUnit | BrokenLine]:
        if not words:
            yield BrokenLine(line=number, why="missing unit")
            return
        unit, _factor = tidy(words[0])
        for word in words[1:]:
            key, equals, value = word.partition("=")
            if not (key and equals):
                yield BrokenLine(line=number, why="expected key=value")
                continue
            have = self._units.get((unit, key))
            if have is None:
                self._units[unit, key] = value
                yield GoUnit(unit=unit, original_unit=words[0], key=key, value=value, line=number)
            elif have != value:
                yield BrokenLine(line=number, why=f"metadata {key} of unit {words[0]} already set to {have}")

    def _configure(self, text: str) -> None:
        said = _key_and_value(text)
        if said is None:
            return
        key, value = said
        if value and key not in self._values:
            self._keys.append(key)
        elif not value and key in self._values:
            # As Go does it, the last key takes the place of the one that goes: the order decides how tables are headed.
            self._keys[self._keys.index(key)] = self._keys[-1]
            self._keys.pop()
            del self._values[key]
        if value:
            self._values[key] = value
        self._config = tuple((each, self._values[each]) for each in self._keys)


def _value(value: float, original: str) -> GoValue:
    unit, factor = tidy(original)
    # Go's reader keeps the unit as it stands where the number does not change: 0 ns/op stays in ns/op, a table apart.
    tidied = value * factor
    return GoValue(
        value=tidied, unit=original if tidied == value else unit, original_value=value, original_unit=original
    )


def _key_and_value(text: str) -> tuple[str, str] | None:
    if not text or unicodedata.category(text[0]) != "Ll":
        return None
    key, colon, value = text.partition(":")
    if not colon or any(_SPACE.match(letter) or unicodedata.category(letter) == "Lu" for letter in key):
        return None
    stripped = value.lstrip(" \t")
    return None if value and stripped == value else (key, stripped)


def _integer(word: str) -> int:
    if not _INTEGER.fullmatch(word):
        raise _WrongError(f"parsing iteration count: {_SYNTAX}")
    value = int(word) if len(word) < 30 else 2**63  # noqa: PLR2004 - Python refuses to convert thousands of digits
    if not -(2**63) <= value < 2**63:
        raise _WrongError(f"parsing iteration count: {_RANGE}")
    return value


def _number(word: str) -> float:
    if _SPECIAL.fullmatch(word):
        return float(word)
    plain = word.replace("_", "")
    if _DECIMAL.fullmatch(word):
        value = float(plain)
    elif _HEX.fullmatch(word):
        try:
            value = float.fromhex(plain)
        except OverflowError:
            value = math.inf
    else:
        raise _WrongError(f"parsing measurement: {_SYNTAX}")
    if math.isinf(value):
        raise _WrongError(f"parsing measurement: {_RANGE}")
    return value
