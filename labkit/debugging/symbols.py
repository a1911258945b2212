"""A 64-bit ELF file's symbol table: which function's symbol holds an address. Pure; no process, no library.

Layout: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.symtab.html.
"""

import bisect
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from labkit.errors import UsageError

_SYMTAB: Final = 2
_FUNCTION: Final = 2  # STT_FUNC
_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")


@dataclass(frozen=True, kw_only=True)
class Symbol:
    """A function's symbol."""

    name: str
    address: int
    size_bytes: int

    def holds(self, address: int) -> bool:
        """Return whether an address lies inside."""
        return self.address <= address < self.address + self.size_bytes


@dataclass(frozen=True)
class Symbols:
    """The functions of a program, in the order of their addresses."""

    functions: tuple[Symbol, ...]
    _addresses: list[int] = field(default_factory=list)

    def at(self, address: int) -> Symbol | None:
        """Return the function whose symbol holds an address."""
        index = bisect.bisect_right(self._addresses, address) - 1
        found = self.functions[index] if index >= 0 else None
        return found if found is not None and found.holds(address) else None

    def named(self, name: str) -> Symbol:
        """Return the function of a name.

        Raises:
            UsageError: There is none.

        """
        for function in self.functions:
            if function.name == name:
                return function
        raise UsageError(f"the program has no symbol {name}", remedy="look with `go tool nm`")


def read(path: Path) -> Symbols:
    """Return the function symbols of a little-endian 64-bit ELF file.

    Raises:
        UsageError: It is none, or has no symbol table.

    """
    data = path.read_bytes()
    try:
        functions = _functions(data)
    except (struct.error, IndexError, ValueError) as error:
        raise UsageError(f"{path} is no 64-bit ELF file that could be read: {error}", remedy="name one") from error
    if not functions:
        raise UsageError(f"{path} has no symbol table", remedy="build it without -ldflags=-s")
    functions.sort(key=lambda each: each.address)
    return Symbols(tuple(functions), [each.address for each in functions])


def _functions(data: bytes) -> list[Symbol]:
    ident, *rest = _HEADER.unpack_from(data)
    if ident[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a little-endian 64-bit ELF file")
    offset, size, count = rest[5], rest[10], rest[11]
    sections = [_SECTION.unpack_from(data, offset + number * size) for number in range(count)]
    found: list[Symbol] = []
    for _, kind, _, _, start, length, link, *_ in sections:
        if kind != _SYMTAB:
            continue
        strings = data[sections[link][4] : sections[link][4] + sections[link][5]]
        for name, info, _, _, value, bytes_ in _SYMBOL.iter_unpack(data[start : start + length]):
            if info & 15 == _FUNCTION and bytes_:
                text = strings[name : strings.index(b"\0", name)].decode("utf-8", "replace")
                found.append(Symbol(name=text, address=value, size_bytes=bytes_))
    return found
