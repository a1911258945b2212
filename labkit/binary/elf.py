"""ELF facts from bytes, all classes and byte orders: headers, segments, dynamic section, notes, symbol versions.

Layouts and numbers are the System V ABI's and glibc's ``elf.h`` (https://refspecs.linuxfoundation.org/elf/gabi4+/).
Every table is read once and bounded. pyelftools gives the names of rare machines; it reads no file here, for walking
these tables with it takes 8 ms of CPU time a file, and this 0.3 ms (docs/inspect.md). The tests compare the two.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from labkit.binary.image import Image, Segment
from labkit.binary.reading import Bytes, MalformedError, Source, plain

MAGIC: Final = b"\x7fELF"

#: Limits far above a program's own (libLLVM: 40 sections, 12 segments), so that no file costs seconds.
_MAX_SEGMENTS: Final = 2_000
_MAX_SECTIONS: Final = 100_000
_MAX_TAGS: Final = 10_000
_MAX_LIBRARIES: Final = 2_000
_MAX_VERSIONS: Final = 4_000
_MAX_NOTES: Final = 200
_MAX_NAME_BYTES: Final = 4096
_MAX_STRINGS_BYTES: Final = 256 * 1024
_MAX_BLOCK_BYTES: Final = 64 * 1024

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_NOTE, _PT_STACK, _PT_RELRO = 1, 2, 3, 4, 0x6474E551, 0x6474E552
_PF_X, _PF_W = 1, 2
_SHT_SYMTAB, _SHT_NOTE, _SHT_NOBITS = 2, 7, 8
_DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_BIND_NOW, _DT_RUNPATH = 1, 5, 10, 14, 15, 24, 29
_DT_FLAGS, _DT_FLAGS_1, _DT_VERNEED = 30, 0x6FFFFFFB, 0x6FFFFFFE
_DF_BIND_NOW, _DF_1_NOW, _DF_1_PIE = 8, 1, 0x08000000
_EXTENDED: Final = 0xFFFF  # PN_XNUM and SHN_XINDEX: the number stands in section 0

_GLIBC: Final = re.compile(rb"GLIBC_(\d{1,6})\.(\d{1,6})(?:\.\d+)?")
_ABI_TAG_SYSTEMS: Final = {0: "linux", 1: "hurd", 2: "solaris", 3: "freebsd"}
_NOTE_SYSTEMS: Final = {
    b"OpenBSD\0": "openbsd",
    b"NetBSD\0": "netbsd",
    b"FreeBSD\0": "freebsd",
    b"Android\0": "android",
}
_DEBUG_SECTIONS: Final = (b".debug_info\0", b".zdebug_info\0")


@dataclass(kw_only=True)
class Headers:
    """What an ELF file says; ``fault`` is damage that does not keep a system from loading it."""

    bits: int
    order: str  # of struct: < or >
    abi: int
    kind: int  # e_type
    machine: int
    interpreter: str | None = None
    libraries: list[str] = field(default_factory=list)
    rpaths: list[str] = field(default_factory=list)
    install_name: str | None = None
    flags: int = 0
    flags_1: int = 0
    stack_executable: bool = True
    relro: bool = False
    build_id: str | None = None
    system: str | None = None  # by its notes
    symbols: bool = False
    dwarf: bool = False
    glibc: tuple[int, int] | None = None
    image: Image = field(default_factory=Image)
    fault: MalformedError | None = None

    @property
    def pie(self) -> bool:
        """Whether it is a program that may lie anywhere, and not a library."""
        return self.kind == 3 and (  # noqa: PLR2004 - ET_DYN
            bool(self.flags_1 & _DF_1_PIE) or (self.interpreter is not None and self.install_name is None)
        )

    @property
    def bind_now(self) -> bool:
        """Whether all symbols are bound before it starts."""
        return bool(self.flags & _DF_BIND_NOW or self.flags_1 & _DF_1_NOW)


def headers(source: Source) -> Headers:
    """Return what an ELF file says.

    Raises:
        MalformedError: It contradicts itself or the file.

    """
    ident = source.read(0, 16, "ELF header")
    if ident[4] not in {1, 2} or ident[5] not in {1, 2}:
        raise MalformedError(f"ELF class {ident[4]} with byte order {ident[5]}", source.base + 4)
    return _Reader(source, bits=32 * ident[4], order="<" if ident[5] == 1 else ">", abi=ident[7]).read()


class _Reader:
    """Reads the tables of one file into :class:`Headers`."""

    def __init__(self, source: Source, *, bits: int, order: str, abi: int) -> None:
        self._source = source
        self._order = order
        self._wide = bits == 64  # noqa: PLR2004 - bits
        size = 64 if self._wide else 52
        head = Bytes(source.read(0, size, "ELF header"), base=source.base, order=order)
        fields = head.numbers("HHIQQQIHHHHHH" if self._wide else "HHIIIIIHHHHHH", 16, "ELF header")
        kind, machine, _, _, self._segments_at, self._sections_at, _, _, self._segment_size = fields[:9]
        self._segment_count, self._section_size, self._section_count, self._names_index = fields[9:]
        self.found = Headers(bits=bits, order=order, abi=abi, kind=kind, machine=machine)
        self._dynamic: tuple[int, int] | None = None

    def read(self) -> Headers:
        sections = self._sections()
        for segment in self._segments():
            self._read_segment(*segment)
        if self._dynamic is not None:
            self._read_dynamic(*self._dynamic)
        if sections:
            self._read_sections(sections)
        return self.found

    def _table(self, offset: int, count: int, each: int, layout: str, what: str) -> list[tuple[int, ...]]:
        size = struct.calcsize(self._order + layout)
        if count and each != size:
            raise MalformedError(f"{what} has entries of {each} bytes, not {size}", self._source.base + offset)
        return list(struct.iter_unpack(self._order + layout, self._source.read(offset, count * size, what)))

    def _sections(self) -> list[tuple[int, ...]]:
        """Return the section headers; a damaged table is a fault, for only the segments are needed to run."""
        if self._sections_at == 0:
            return []
        layout = "IIQQQQIIQQ" if self._wide else "10I"
        try:
            if self._section_count == 0 or _EXTENDED in {self._names_index, self._segment_count}:
                first = self._table(self._sections_at, 1, self._section_size, layout, "section table")[0]
                self._section_count = self._section_count or first[5]
                self._names_index = first[6] if self._names_index == _EXTENDED else self._names_index
                self._segment_count = first[7] if self._segment_count == _EXTENDED else self._segment_count
            if self._section_count > _MAX_SECTIONS:
                raise MalformedError(f"{self._section_count} sections", self._source.base + self._sections_at)  # noqa: TRY301
            what = f"table of {self._section_count} sections"
            return self._table(self._sections_at, self._section_count, self._section_size, layout, what)
        except MalformedError as fault:
            self.found.fault = fault
            return []

    def _segments(self) -> Iterator[tuple[int, ...]]:
        """Yield type, flags, offset, address, size in the file, size in memory of each segment."""
        count = self._segment_count
        if count > _MAX_SEGMENTS:
            raise MalformedError(f"{count} segments, more than any program has", self._source.base + self._segments_at)
        layout = "IIQQQQQQ" if self._wide else "8I"
        for entry in self._table(self._segments_at, count, self._segment_size, layout, f"table of {count} segments"):
            if self._wide:
                kind, flags, offset, address, _, file_size, memory_size, _ = entry
            else:
                kind, offset, address, _, file_size, memory_size, flags, _ = entry
            yield kind, flags, offset, address, file_size, memory_size

    def _read_segment(self, kind: int, flags: int, offset: int, address: int, size: int, memory_size: int) -> None:  # noqa: PLR0917
        found = self.found
        if kind in {_PT_LOAD, _PT_INTERP, _PT_DYNAMIC} and size and offset + size > self._source.size:
            what = f"a segment ends at {offset + size:#x}, beyond the file's {self._source.size:#x} bytes"
            raise MalformedError(what, self._source.base + offset)
        if kind == _PT_LOAD:
            data = flags & (_PF_X | _PF_W) == _PF_W
            where = Segment(address=address, memory_size=memory_size, offset=offset, file_size=size, writable_data=data)
            found.image.segments.append(where)
        elif kind == _PT_INTERP:
            raw = self._source.read(offset, min(size, _MAX_NAME_BYTES), "interpreter")
            found.interpreter = plain(raw.partition(b"\0")[0]) or None  # a file of debug information has zeros there
        elif kind == _PT_DYNAMIC:
            self._dynamic = (offset, size)
        elif kind == _PT_STACK:
            found.stack_executable = bool(flags & _PF_X)
        elif kind == _PT_RELRO:
            found.relro = True
        elif kind == _PT_NOTE:
            self._read_notes(offset, size)

    def _read_dynamic(self, offset: int, size: int) -> None:
        layout = self._order + ("QQ" if self._wide else "II")
        each = struct.calcsize(layout)
        data = self._source.read(offset, min(size // each, _MAX_TAGS) * each, "dynamic section")
        tags: list[tuple[int, int]] = []
        for tag, value in struct.iter_unpack(layout, data):
            if tag == 0:
                break
            tags.append((tag, value))
        last = dict(tags)
        found = self.found
        found.flags, found.flags_1 = last.get(_DT_FLAGS, 0), last.get(_DT_FLAGS_1, 0)
        found.flags |= _DF_BIND_NOW if _DT_BIND_NOW in last else 0
        named = [(tag, value) for tag, value in tags if tag in {_DT_NEEDED, _DT_SONAME, _DT_RPATH, _DT_RUNPATH}]
        if not named and _DT_VERNEED not in last:
            return
        strings = _Strings(self._source, self._offset(last.get(_DT_STRTAB, 0)), last.get(_DT_STRSZ, 0))
        for tag, value in named[:_MAX_LIBRARIES]:
            text = plain(strings.at(value))
            if tag == _DT_NEEDED:
                found.libraries.append(text)
            elif tag == _DT_SONAME:
                found.install_name = text
            else:
                found.rpaths.extend(text.split(":"))
        if _DT_VERNEED in last:
            self._read_versions(self._offset(last[_DT_VERNEED]), strings)

    def _offset(self, address: int) -> int:
        for segment in self.found.image.segments:
            if segment.address <= address < segment.address + segment.file_size:
                return segment.offset + address - segment.address
        raise MalformedError(f"the dynamic section points to {address:#x}, which no segment holds", self._source.base)

    def _read_versions(self, offset: int, strings: "_Strings") -> None:
        """Read the versions that are needed (Elf64_Verneed, Elf64_Vernaux: alike in both classes)."""
        block = self._source.read(offset, min(_MAX_BLOCK_BYTES, self._source.size - offset), "needed versions")
        data = Bytes(block, base=self._source.base + offset, order=self._order)
        at, left = 0, _MAX_VERSIONS
        while left > 0:
            _, count, _, first, following = data.numbers("HHIII", at, "needed version")
            entry = at + first
            for _ in range(min(count, left)):
                left -= 1
                _, _, _, name, step = data.numbers("IHHII", entry, "needed version")
                if match := _GLIBC.fullmatch(strings.at(name)):
                    self.found.glibc = max(self.found.glibc or (0, 0), (int(match[1]), int(match[2])))
                entry += step
                if step == 0:
                    break
            left -= 1
            at += following
            if following == 0:
                break

    def _read_notes(self, offset: int, size: int) -> None:
        if offset >= self._source.size or size == 0:
            return
        length = min(size, _MAX_BLOCK_BYTES, self._source.size - offset)
        data = self._source.read(offset, length, "notes")
        head, at = struct.Struct(self._order + "III"), 0
        for _ in range(_MAX_NOTES):
            if at + head.size > length:
                return
            name_size, text_size, kind = head.unpack_from(data, at)
            name_at = at + head.size
            text_at = name_at + (name_size + 3 & ~3)
            self._read_note(data[name_at : name_at + name_size], kind, data[text_at : text_at + text_size])
            at = text_at + (text_size + 3 & ~3)

    def _read_note(self, name: bytes, kind: int, text: bytes) -> None:
        if name == b"GNU\0" and kind == 3:  # noqa: PLR2004 - NT_GNU_BUILD_ID
            self.found.build_id = text.hex()
        elif name == b"GNU\0" and kind == 1:  # NT_GNU_ABI_TAG
            system = int.from_bytes(text[:4], "little" if self._order == "<" else "big")
            self.found.system = _ABI_TAG_SYSTEMS.get(system, self.found.system)
        elif name in _NOTE_SYSTEMS:
            self.found.system = _NOTE_SYSTEMS[name]

    def _read_sections(self, sections: list[tuple[int, ...]]) -> None:
        found, names = self.found, b""
        if self._names_index < len(sections):
            offset, size = sections[self._names_index][4:6]
            try:
                names = self._source.read(offset, size, "section names")
            except MalformedError as fault:
                found.fault = fault
        for name_at, kind, _, address, offset, size, *_ in sections:
            if kind == _SHT_SYMTAB:
                found.symbols = True
            elif kind == _SHT_NOTE:
                self._read_notes(offset, size)  # Go's linker puts the GNU build id where no segment covers it
            elif names.startswith(_DEBUG_SECTIONS, name_at) and kind != _SHT_NOBITS:
                found.dwarf = True
            elif found.image.go_section is None and names.startswith(b".go.buildinfo\0", name_at):
                found.image.go_section = (address, size)


class _Strings:
    """The dynamic string table: read whole when small, else name by name."""

    def __init__(self, source: Source, offset: int, size: int) -> None:
        self._source = source
        self._offset = offset
        self._size = size
        self._whole = source.read(offset, size, "dynamic string table") if size <= _MAX_STRINGS_BYTES else None

    def at(self, index: int) -> bytes:
        """Return the name at an index."""
        if index >= self._size:
            what = f"name {index:#x} lies outside the dynamic string table of {self._size:#x} bytes"
            raise MalformedError(what, self._source.base + self._offset)
        if self._whole is not None:
            end = self._whole.find(b"\0", index, index + _MAX_NAME_BYTES)
            return self._whole[index : end if end >= 0 else index + _MAX_NAME_BYTES]
        data = self._source.read(self._offset + index, min(_MAX_NAME_BYTES, self._size - index), "name")
        return data.partition(b"\0")[0]
