"""How many bytes of a program's file each of its sections takes. Reads ELF and Mach-O; judges nothing.

What has no bytes in the file (``.bss``, ``__bss``) counts as 0 and is left out. Mach-O sections are named
``segment,section`` as otool names them; what lies in a segment but in no section (symbols and signature in
``__LINKEDIT``) is that segment's own entry.
"""

import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from labkit.binary import constants as c
from labkit.binary import elf

_HEADER_BYTES: Final = {32: 28, 64: 32}
_NO_BYTES: Final = frozenset({1, 12, 18})  # S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL


def sections_bytes(path: Path) -> Mapping[str, int]:
    """Return bytes in the file by section, largest first; empty for what is no ELF file or thin Mach-O file.

    Raises:
        OSError: It cannot be read.

    """
    data = path.read_bytes()
    found: dict[str, int] = {}
    try:
        if data[:4] == elf.MAGIC:
            found = _elf(data)
        elif data[:4] in c.THIN_MAGICS:
            found = _macho(data)
    except (ELFError, struct.error, ValueError, KeyError, AssertionError):  # damage is inspect()'s to tell
        return {}
    return dict(sorted(found.items(), key=lambda entry: (-entry[1], entry[0])))


def _elf(data: bytes) -> dict[str, int]:
    return {
        section.name: section["sh_size"]
        for section in ELFFile(io.BytesIO(data)).iter_sections()
        if section["sh_type"] not in {"SHT_NULL", "SHT_NOBITS"} and section["sh_size"]
    }


def _macho(data: bytes) -> dict[str, int]:
    order, bits = c.THIN_MAGICS[data[:4]]
    (count,) = struct.unpack_from(order + "I", data, 16)
    wide = bits == 64  # noqa: PLR2004 - bits
    segment = struct.Struct(order + ("16s4Q4I" if wide else "16s4I4I"))
    section = struct.Struct(order + ("16s16s2Q8I" if wide else "16s16s2I7I"))
    found: dict[str, int] = {}
    at = _HEADER_BYTES[bits]
    for _ in range(count):
        number, length = struct.unpack_from(order + "2I", data, at)
        if number in {c.LC_SEGMENT, c.LC_SEGMENT_64}:
            name, _, _, _, file_size, _, _, section_count, _ = segment.unpack_from(data, at + 8)
            for index in range(section_count):
                fields = section.unpack_from(data, at + 8 + segment.size + index * section.size)
                if fields[8] & 0xFF not in _NO_BYTES and fields[3]:
                    found[f"{_text(fields[1])},{_text(fields[0])}"] = fields[3]
            if section_count == 0 and file_size:
                found[_text(name)] = file_size
        at += length
    return found


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("ascii", "replace")
