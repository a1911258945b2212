"""A program's text section and, of a Go program, its functions: where each begins and ends.

The truth about a Go program's functions is its own table (``.gopclntab``), which the runtime needs to unwind stacks
and which ``-ldflags=-s -w`` leaves in place; symbol tables may be gone. Layout: ``src/debug/gosym/pclntab.go`` and
``src/runtime/symtab.go`` (pcHeader, functab, moduledata) of https://go.dev/src, Go 1.18 and later.
"""

import bisect
import os
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from labkit.binary import constants as c
from labkit.binary import elf, macho
from labkit.binary.instructions.decode import decode
from labkit.binary.reading import Bytes, MalformedError, Source
from labkit.model.instructions import Instruction

_ELF_MACHINES: Final = {62: "x86_64", 183: "arm64", 40: "arm"}
_PCLNTAB_MAGICS: Final = frozenset({0xFFFFFFF0, 0xFFFFFFF1})  # abi.Go118PCLnTabMagic, Go120PCLnTabMagic
_TEXT_WORD: Final = 22  # of moduledata: after pcHeader, six slices, findfunctab, minpc and maxpc
_MAX_FUNCTIONS: Final = 2_000_000
_LETTERS: Final = {4: "I", 8: "Q"}  # of struct, by the size of a word


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section's name and place; ``offset`` counts from the slice's start."""

    name: str
    address: int
    offset: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Function:
    """One function by Go's own table. Its end is the next one's beginning, so padding belongs to it."""

    name: str
    address: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Code:
    """A program's instructions: the text section's bytes, and its functions in the order of their addresses."""

    architecture: str
    address: int
    text: bytes
    functions: tuple[Function, ...] = ()
    _by_name: Mapping[str, Function] = field(default_factory=dict)

    def named(self, name: str) -> Function | None:
        """Return the function of a name, the first one when several have it."""
        return self._by_name.get(name)

    def numbered(self) -> dict[tuple[str, int], Function]:
        """Return all functions by name and place among those of that name: Go's table has some names twice."""
        found: dict[tuple[str, int], Function] = {}
        seen: Counter[str] = Counter()
        for each in self.functions:
            found[each.name, seen[each.name]] = each
            seen[each.name] += 1
        return found

    def starting_at(self, address: int) -> str | None:
        """Return the name of the function that begins at an address, or contains it: ``name+0x10``."""
        at = bisect.bisect_right(self.functions, address, key=lambda each: each.address) - 1
        if at < 0 or address >= self.functions[at].address + self.functions[at].size_bytes:
            return None
        inside = address - self.functions[at].address
        return self.functions[at].name + (f"+{inside:#x}" if inside else "")

    def bytes_of(self, function: Function) -> bytes:
        """Return a function's bytes, those of its padding too."""
        start = function.address - self.address
        return self.text[start : start + function.size_bytes]

    def decode(self, function: Function) -> tuple[Instruction, ...]:
        """Return a function's instructions, without the padding after the last one."""
        listed = decode(self.bytes_of(function), self.architecture, function.address, self.starting_at)
        end = len(listed)
        while end and _padding(listed[end - 1], self.architecture):
            end -= 1
        return listed[:end]


def read(path: Path) -> Code:
    """Return the code of an ELF or thin Mach-O file, with its functions where it is a Go program.

    Raises:
        MalformedError: It is neither, has no text section, is for another architecture, or its table contradicts it.

    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        source = Source(descriptor, base=0, size=os.fstat(descriptor).st_size)
        magic = source.read(0, 4, "magic")
        if magic == elf.MAGIC:
            architecture, order, word, found = _elf_sections(source)
        elif magic in c.THIN_MAGICS:
            architecture, order, word, found = _macho_sections(source)
        else:
            raise MalformedError("neither ELF nor a thin Mach-O file", 0)
        sections = {each.name.lstrip("._"): each for each in reversed(found)}  # the first of a name counts
        if "text" not in sections:
            raise MalformedError("it has no text section", 0)
        text = sections["text"]
        code = source.read(text.offset, text.size_bytes, "text section")
        table = next((sections[name] for name in ("gopclntab", "data.rel.ro.gopclntab") if name in sections), None)
        functions: tuple[Function, ...] = ()
        if table is not None:
            data = Bytes(source.read(table.offset, table.size_bytes, "gopclntab"), base=table.offset, order=order)
            module = sections.get("go.module") or sections.get("go_module")
            head = _words(source, module, order, word) if module else ()
            functions = _functions(data, text, head[_TEXT_WORD] if len(head) > _TEXT_WORD else None)
        by_name = {each.name: each for each in reversed(functions)}
        return Code(architecture=architecture, address=text.address, text=code, functions=functions, _by_name=by_name)
    finally:
        os.close(descriptor)


def _padding(instruction: Instruction, architecture: str) -> bool:
    # Go's linker fills up with INT3 on amd64 and with zero bytes on arm64 (cmd/link/internal/{amd64,arm64}: CodePad).
    if architecture == "x86_64":
        return instruction.bytes_hex == "cc"
    return instruction.bytes_hex == "00000000"


def _words(source: Source, section: Section, order: str, word: int) -> tuple[int, ...]:
    count = min(section.size_bytes // word, _TEXT_WORD + 1)
    return struct.unpack(f"{order}{count}{_LETTERS[word]}", source.read(section.offset, count * word, "moduledata"))


def _functions(data: Bytes, text: Section, text_start: int | None) -> tuple[Function, ...]:
    magic, pad, _quantum, word = data.numbers("IHBB", 0, "pclntab header")
    if magic not in _PCLNTAB_MAGICS or pad != 0 or word not in _LETTERS:
        raise MalformedError(f"pclntab of magic {magic:#x}, which Go 1.18 and later do not write", data.base)
    count, _files, own_start, names, _cu, _file, _pc, table = data.numbers("8" + _LETTERS[word], 8, "pclntab header")
    if count > _MAX_FUNCTIONS:
        raise MalformedError(f"pclntab of {count} functions, more than any program has", data.base)
    # The table's offsets count from runtime.text. Go 1.26 stopped writing that into this header; moduledata has it.
    inside = range(text.address, text.address + text.size_bytes)
    start = own_start if own_start in inside else text.address
    if own_start not in inside and text_start is not None and text_start in inside:
        start = text_start
    entries = data.numbers(f"{2 * count + 1}I", table, "function table")
    found: list[Function] = []
    for index in range(count):
        address, record, end = start + entries[2 * index], entries[2 * index + 1], start + entries[2 * index + 2]
        if not (address in inside and address <= end <= inside.stop):
            raise MalformedError(f"function {index} lies outside the text section", data.base + table + 8 * index)
        name_at = data.number("i", table + record + 4, "function record")
        name = data.text(names + name_at, "function name")
        found.append(Function(name=name, address=address, size_bytes=end - address))
    return tuple(found)


def _elf_sections(source: Source) -> tuple[str, str, int, list[Section]]:
    headers = elf.headers(source)
    architecture = _ELF_MACHINES.get(headers.machine)
    if architecture is None or ((architecture == "x86_64") != (headers.bits == 64) and architecture != "arm64"):  # noqa: PLR2004
        raise MalformedError(f"machine {headers.machine} is not among those that are decoded", 18)
    wide = headers.bits == 64  # noqa: PLR2004 - bits
    head = Bytes(source.read(0, 64 if wide else 52, "ELF header"), base=0, order=headers.order)
    at = head.number("Q" if wide else "I", 40 if wide else 32, "ELF header")
    each, count, names = head.numbers("3H", 58 if wide else 46, "ELF header")
    layout = struct.Struct(headers.order + ("IIQQQQIIQQ" if wide else "10I"))
    if each != layout.size or count == 0 or names >= count:
        raise MalformedError(f"a section table of {count} entries of {each} bytes", 58)
    rows = list(layout.iter_unpack(source.read(at, each * count, "section table")))
    texts = Bytes(
        source.read(rows[names][4], rows[names][5], "section names"), base=rows[names][4], order=headers.order
    )
    no_bits = 8
    return (
        architecture,
        headers.order,
        8 if wide else 4,
        [
            Section(name=texts.text(row[0], "section name"), address=row[3], offset=row[4], size_bytes=row[5])
            for row in rows[1:]
            if row[1] != no_bits
        ],
    )


def _macho_sections(source: Source) -> tuple[str, str, int, list[Section]]:
    headers = macho.headers(source)
    if headers.architecture not in {"arm64", "arm64e", "x86_64"}:
        raise MalformedError(f"architecture {headers.architecture} is not among those that are decoded", 4)
    order = "<"
    head = Bytes(source.read(0, 32, "Mach-O header"), base=0, order=order)
    count, size = head.numbers("2I", 16, "Mach-O header")
    commands = Bytes(source.read(32, size, "load commands"), base=32, order=order)
    found: list[Section] = []
    at = 0
    for _ in range(count):
        number, length = commands.numbers("2I", at, "load command")
        if number == c.LC_SEGMENT_64:
            for index in range(commands.number("I", at + 64, "segment")):
                here = at + 72 + 80 * index
                address, bytes_, offset = commands.numbers("2QI", here + 32, "section")
                name = commands.text(here, "section name", end=here + 16)
                found.append(Section(name=name, address=address, offset=offset, size_bytes=bytes_))
        at += length
    return headers.architecture.removesuffix("e"), order, 8, found
