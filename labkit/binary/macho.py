"""Mach-O from bytes: the fat header and one slice's load commands. Signatures are :mod:`labkit.binary.signature`'s.

Reads the headers only (a few KiB of each slice), in either byte order, 32 and 64 bit. Field meanings are
``mach-o/loader.h``'s. A load command whose number that header does not name is kept as ``unknown``.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from labkit.binary import constants as c
from labkit.binary.image import Image, Segment
from labkit.binary.reading import Bytes, MalformedError, Source

#: Limits far above what linkers emit (the largest seen has about 250 commands), so that no header costs seconds.
MAX_COMMANDS: Final = 10_000
MAX_COMMANDS_BYTES: Final = 2 * 1024 * 1024
_MUST_LIE_IN_FILE: Final = frozenset({"executable", "library", "bundle"})


@dataclass(frozen=True, kw_only=True)
class Part:
    """One slice of a file: its name by the fat header (None when thin) and its bytes."""

    architecture: str | None
    source: Source


@dataclass(kw_only=True)
class Headers:
    """What a slice's header and load commands say."""

    architecture: str
    bits: int
    endian: str
    file_type: str
    flags: int = 0
    interpreter: str | None = None
    libraries: list[str] = field(default_factory=list)
    weak_libraries: list[str] = field(default_factory=list)
    rpaths: list[str] = field(default_factory=list)
    install_name: str | None = None
    platform: str | None = None
    minimum_os: str | None = None
    sdk: str | None = None
    uuid: str | None = None
    symbol_count: int = 0
    dwarf: bool = False
    encrypted: bool = False
    signature: tuple[int, int] | None = None  # offset and size in the slice
    image: Image = field(default_factory=Image)
    unknown: list[str] = field(default_factory=list)


def is_macho(magic: bytes) -> bool:
    """Return whether the first 8 bytes begin a Mach-O or fat file (and not a Java class, which shares a magic)."""
    if magic[:4] in c.THIN_MAGICS:
        return True
    if magic[:4] not in {c.FAT_MAGIC, c.FAT_MAGIC_64} or len(magic) < 8:  # noqa: PLR2004 - two words
        return False
    return int.from_bytes(magic[4:8], "big") <= c.MAX_FAT_SLICES


def architecture_name(cpu: int, subtype: int) -> str:
    """Return the usual name of a CPU type and subtype; its capability bits do not count."""
    names = c.ARCHITECTURES
    return names.get((cpu, subtype & 0xFFFFFF)) or names.get((cpu, None)) or f"cpu-{cpu:#x}"


def parts(source: Source) -> tuple[Part, ...]:
    """Return the slices of a file.

    Raises:
        MalformedError: The fat header does not fit the file, or its slices overlap.

    """
    magic = source.read(0, 4, "magic")
    if magic in c.THIN_MAGICS:
        return (Part(architecture=None, source=source),)
    wide = magic == c.FAT_MAGIC_64
    count = int.from_bytes(source.read(4, 4, "fat header"), "big")
    if count == 0:
        raise MalformedError("a fat file without slices", source.base + 4)
    layout = struct.Struct(">IIQQII" if wide else ">IIIII")
    table = source.read(8, count * layout.size, f"table of {count} slices")
    found: list[Part] = []
    taken: list[tuple[int, int, str]] = [(0, 8 + len(table), "the fat header")]
    for index, entry in enumerate(layout.iter_unpack(table)):
        cpu, subtype, offset, size = entry[:4]
        name = architecture_name(cpu, subtype)
        at = source.base + 8 + index * layout.size
        for start, end, other in taken:
            if offset < end and start < offset + size:
                raise MalformedError(f"slice {name} overlaps {other}", at)
        taken.append((offset, offset + size, f"slice {name}"))
        if offset + size > source.size:
            raise MalformedError(
                f"slice {name} ends at {offset + size:#x}, beyond the file's {source.size:#x} bytes", at
            )
        found.append(Part(architecture=name, source=source.part(offset, size, f"slice {name}")))
    return tuple(found)


def headers(source: Source) -> Headers:
    """Return what a slice's header and load commands say.

    Raises:
        MalformedError: They contradict themselves or the file.

    """
    magic = source.read(0, 4, "Mach-O header")
    if magic not in c.THIN_MAGICS:
        raise MalformedError(f"magic {magic.hex()} is not Mach-O's", source.base)
    order, bits = c.THIN_MAGICS[magic]
    start = 32 if bits == 64 else 28  # noqa: PLR2004 - mach_header_64 has one more word
    head = Bytes(source.read(0, start, "Mach-O header"), base=source.base, order=order)
    cpu, subtype, kind, count, size, flags = head.numbers("6I", 4, "Mach-O header")
    if count > MAX_COMMANDS or size > MAX_COMMANDS_BYTES:
        raise MalformedError(f"{count} load commands of {size} bytes, more than any program has", source.base + 16)
    found = Headers(
        architecture=architecture_name(cpu, subtype),
        bits=bits,
        endian="little" if order == "<" else "big",
        file_type=c.FILE_TYPES.get(kind, f"type-{kind}"),
        flags=flags,
    )
    commands = Bytes(source.read(start, size, "load commands"), base=source.base + start, order=order)
    step, raw, offset = struct.Struct(order + "2I"), commands.data, 0
    for index in range(count):
        if offset + 8 > size:
            raise MalformedError(f"load command {index} is cut off", commands.base + offset)
        number, length = step.unpack_from(raw, offset)
        if length < 8 or length % 4 or offset + length > size:  # noqa: PLR2004 - a command's own header
            raise MalformedError(f"load command {index} has size {length}", commands.base + offset + 4)
        reader = _READERS.get(number)
        if reader is not None:
            reader(found, number, Bytes(raw[offset : offset + length], base=commands.base + offset, order=order))
        elif not 0 < number & ~c.LC_REQ_DYLD <= c.LAST_KNOWN_COMMAND:
            required = ", which dyld must know" if number & c.LC_REQ_DYLD else ""
            found.unknown.append(f"load command {number:#x}{required}")
        offset += length
    if found.file_type in _MUST_LIE_IN_FILE:
        _check_segments(found, source)
    return found


def _check_segments(found: Headers, source: Source) -> None:
    for segment in found.image.segments:
        if segment.file_size and segment.offset + segment.file_size > source.size:
            raise MalformedError(
                f"segment {segment.name} ends at {segment.offset + segment.file_size:#x}, beyond the {source.size:#x} "
                "bytes that are there",
                source.base + segment.offset,
            )


def _read_library(found: Headers, number: int, data: Bytes) -> None:
    name = _text_at(data, "library name")
    found.libraries.append(name)
    if number == c.LC_LOAD_WEAK_DYLIB:
        found.weak_libraries.append(name)


def _read_install_name(found: Headers, _number: int, data: Bytes) -> None:
    found.install_name = _text_at(data, "install name")


def _read_interpreter(found: Headers, _number: int, data: Bytes) -> None:
    found.interpreter = _text_at(data, "interpreter")


def _read_rpath(found: Headers, _number: int, data: Bytes) -> None:
    found.rpaths.append(_text_at(data, "rpath"))


def _read_uuid(found: Headers, _number: int, data: Bytes) -> None:
    found.uuid = str(UUID(bytes=data.read(8, 16, "UUID"))).upper()


def _read_symbol_table(found: Headers, _number: int, data: Bytes) -> None:
    found.symbol_count = data.number("I", 12, "symbol table command")


def _read_signature(found: Headers, _number: int, data: Bytes) -> None:
    offset, size = data.numbers("2I", 8, "code signature command")
    found.signature = (offset, size)


def _read_encryption(found: Headers, _number: int, data: Bytes) -> None:
    found.encrypted = data.number("I", 16, "encryption command") != 0


def _read_build_version(found: Headers, _number: int, data: Bytes) -> None:
    platform, minimum, sdk = data.numbers("3I", 8, "build version command")
    if found.platform is None or platform == 1:  # a zippered library names macOS and Mac Catalyst
        found.platform = c.PLATFORMS.get(platform, f"platform-{platform}")
        found.minimum_os, found.sdk = _version(minimum), _version(sdk) if sdk else None


def _read_version_min(found: Headers, number: int, data: Bytes) -> None:
    minimum, sdk = data.numbers("2I", 8, "minimum version command")
    if found.platform is None:
        found.platform = c.VERSION_MIN[number]
        found.minimum_os, found.sdk = _version(minimum), _version(sdk) if sdk else None


def _read_segment(found: Headers, number: int, data: Bytes) -> None:
    wide = number == c.LC_SEGMENT_64
    name = data.text(8, "segment name", end=24)
    address, memory_size, offset, file_size = data.numbers("4Q" if wide else "4I", 24, f"segment {name}")
    max_protection, protection, section_count, _flags = data.numbers("4I", 56 if wide else 40, f"segment {name}")
    first, each = (72, 80) if wide else (56, 68)
    if first + section_count * each > data.size:
        raise MalformedError(f"segment {name} claims {section_count} sections", data.base)
    found.image.segments.append(
        Segment(
            name=name,
            address=address,
            memory_size=memory_size,
            offset=offset,
            file_size=file_size,
            writable_data=protection == max_protection == 3,  # noqa: PLR2004 - VM_PROT_READ | VM_PROT_WRITE
        )
    )
    names = data.data[first : first + section_count * each]
    if not names:
        return
    found.dwarf = found.dwarf or any(
        _named(names, each, text) is not None for text in (b"__debug_info", b"__zdebug_info")
    )
    if found.image.go_section is None and (at := _named(names, each, b"__go_buildinfo")) is not None:
        found.image.go_section = data.numbers("2Q" if wide else "2I", first + at + 32, "section __go_buildinfo")


def _named(table: bytes, each: int, name: bytes) -> int | None:
    """Return where the section of a name begins in a table of sections; a search, for tables can be long."""
    wanted, at = name.ljust(16, b"\0"), -1
    while (at := table.find(wanted, at + 1)) >= 0:
        if at % each == 0:
            return at
    return None


def _text_at(data: Bytes, what: str) -> str:
    return data.text(data.number("I", 8, what), what)


def _version(number: int) -> str:
    major, minor, patch = number >> 16, number >> 8 & 0xFF, number & 0xFF
    return f"{major}.{minor}" + (f".{patch}" if patch else "")


_READERS: Final[dict[int, Callable[[Headers, int, Bytes], None]]] = {
    **dict.fromkeys(c.LIBRARY_COMMANDS, _read_library),
    **dict.fromkeys(c.VERSION_MIN, _read_version_min),
    c.LC_SEGMENT: _read_segment,
    c.LC_SEGMENT_64: _read_segment,
    c.LC_ID_DYLIB: _read_install_name,
    c.LC_LOAD_DYLINKER: _read_interpreter,
    c.LC_RPATH: _read_rpath,
    c.LC_UUID: _read_uuid,
    c.LC_SYMTAB: _read_symbol_table,
    c.LC_CODE_SIGNATURE: _read_signature,
    c.LC_ENCRYPTION_INFO: _read_encryption,
    c.LC_ENCRYPTION_INFO_64: _read_encryption,
    c.LC_BUILD_VERSION: _read_build_version,
}
