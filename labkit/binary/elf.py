"""ELF facts, read by pyelftools behind one guard. It decides nothing.

pyelftools lets many exception types through on damaged files (struct.error, UnicodeDecodeError, MemoryError, ...) and
follows lengths wherever they lead. Here it reads from a stream with a budget, tables are counted before they are
walked, and whatever it raises becomes :class:`MalformedError` with the offset it last read at.
"""

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import NoteSection
from elftools.elf.segments import InterpSegment, NoteSegment

from labkit.binary.image import Image, Segment
from labkit.binary.metered import Metered
from labkit.binary.reading import MalformedError, Source, plain
from labkit.model.binary import Linkage, Signature, SignatureKind, Slice

#: Limits far above a program's own (libLLVM: 40 sections, 12 segments), so that no file costs seconds.
_MAX_SEGMENTS: Final = 1_000
_MAX_SECTIONS: Final = 4_000
_MAX_DYNAMIC: Final = 10_000
_MAX_NEEDS: Final = 1_000
_MAX_NAME_BYTES: Final = 4096

_ARCHITECTURES: Final = {
    "EM_386": "i386",
    "EM_X86_64": "x86_64",
    "EM_ARM": "arm",
    "EM_AARCH64": "arm64",
    "EM_PPC": "ppc",
    "EM_PPC64": "ppc64",
    "EM_MIPS": "mips",
    "EM_SPARC": "sparc",
    "EM_SPARC32PLUS": "sparc",
    "EM_SPARCV9": "sparc64",
    "EM_LOONGARCH": "loongarch64",
    "EM_68K": "m68k",
    "EM_IA_64": "ia64",
    "EM_ALPHA": "alpha",
    "EM_SH": "sh",
    "EM_PARISC": "hppa",
    "EM_BPF": "bpf",
}
_FILE_TYPES: Final = {
    "ET_REL": "object",
    "ET_EXEC": "executable",
    "ET_DYN": "library",
    "ET_CORE": "core",
    "ET_NONE": "none",
}
_SYSTEMS: Final = {
    "ELFOSABI_LINUX": "linux",
    "ELFOSABI_FREEBSD": "freebsd",
    "ELFOSABI_NETBSD": "netbsd",
    "ELFOSABI_OPENBSD": "openbsd",
    "ELFOSABI_SOLARIS": "solaris",
}
_PT_LOAD, _PF_X, _PF_W = "PT_LOAD", 1, 2
_GLIBC: Final = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")


@dataclass(kw_only=True)
class Elf:
    """An ELF file's facts; ``fault`` is damage that does not keep the system from loading it."""

    slice: Slice
    image: Image = field(default_factory=Image)
    fault: MalformedError | None = None


def read(source: Source) -> Elf:
    """Return an ELF file's facts.

    Raises:
        MalformedError: It contradicts itself or the file.

    """
    stream = Metered(source)
    try:
        return _read(ELFFile(stream), source)
    except MalformedError:
        raise
    except Exception as error:
        what = plain(str(error).encode("utf-8", "replace"))[:160] or "no details"
        raise MalformedError(f"ELF: {type(error).__name__}: {what}", source.base + stream.at) from error


@dataclass(kw_only=True)
class _Found:
    interpreter: str | None = None
    libraries: list[str] = field(default_factory=list)
    rpaths: list[str] = field(default_factory=list)
    install_name: str | None = None
    flags: int = 0
    flags_1: int = 0
    stack_executable: bool = True
    relro: bool = False
    build_id: str | None = None
    system: str | None = None
    symbols: bool | None = None
    dwarf: bool | None = None
    glibc: tuple[int, int] | None = None
    image: Image = field(default_factory=Image)
    unknown: list[str] = field(default_factory=list)


def _read(elf: Any, source: Source) -> Elf:  # noqa: ANN401 - pyelftools has no types
    header = elf.header
    found = _Found(system=_SYSTEMS.get(str(header["e_ident"]["EI_OSABI"])))
    if elf.num_segments() > _MAX_SEGMENTS:
        raise MalformedError(f"{elf.num_segments()} program headers, more than any program has", source.base + 56)
    for segment in elf.iter_segments():
        _read_segment(found, segment, source)
    fault = _read_sections(found, elf, source)
    kind = _FILE_TYPES.get(str(header["e_type"]), str(header["e_type"]).lower())
    pie = kind == "library" and (
        bool(found.flags_1 & 0x08000000) or (bool(found.interpreter) and not found.install_name)
    )
    facts = Slice(
        architecture=_architecture(header, elf.elfclass, little=elf.little_endian),
        bits=elf.elfclass,
        endian="little" if elf.little_endian else "big",
        file_type="executable" if pie else kind,
        linkage=Linkage.DYNAMIC if found.interpreter is not None or found.libraries else Linkage.STATIC,
        interpreter=found.interpreter,
        libraries=tuple(found.libraries),
        rpaths=tuple(found.rpaths),
        minimum_os=None,
        sdk=None,
        uuid=None,
        symbols=found.symbols,
        dwarf=found.dwarf,
        hardening={
            "pie": pie,
            "nx_stack": not found.stack_executable,
            "relro": found.relro,
            "bind_now": bool(found.flags & 0x8 or found.flags_1 & 0x1),
        },
        signature=Signature(kind=SignatureKind.NONE),
        platform=found.system,
        offset_bytes=source.base,
        size_bytes=source.size,
        install_name=found.install_name,
        build_id=found.build_id,
        minimum_libc=None if found.glibc is None else f"glibc {found.glibc[0]}.{found.glibc[1]}",
        unknown=tuple(found.unknown),
    )
    return Elf(slice=facts, image=found.image, fault=fault)


def _architecture(header: Any, bits: int, *, little: bool) -> str:  # noqa: ANN401 - pyelftools has no types
    machine = header["e_machine"]
    if machine == "EM_X86_64" and bits == 32:  # noqa: PLR2004 - the ABI of that name
        return "x32"
    if machine == "EM_S390":
        return "s390x" if bits == 64 else "s390"  # noqa: PLR2004 - bits
    if machine == "EM_RISCV":
        return f"riscv{bits}"
    name = _ARCHITECTURES.get(str(machine)) or str(machine).removeprefix("EM_").lower()
    if name == "mips":
        return ("mips64" if bits == 64 else "mips") + ("el" if little else "")  # noqa: PLR2004 - bits
    return name + "le" if name == "ppc64" and little else name


def _read_segment(found: _Found, segment: Any, source: Source) -> None:  # noqa: ANN401 - pyelftools has no types
    head = segment.header
    offset, size = head["p_offset"], head["p_filesz"]
    if head["p_type"] in {_PT_LOAD, "PT_INTERP", "PT_DYNAMIC"} and size and offset + size > source.size:
        raise MalformedError(
            f"segment {head['p_type']} ends at {offset + size:#x}, beyond the file's {source.size:#x} bytes",
            source.base + offset,
        )
    if head["p_type"] == _PT_LOAD:
        found.image.segments.append(
            Segment(
                name="",
                address=head["p_vaddr"],
                memory_size=head["p_memsz"],
                offset=offset,
                file_size=size,
                writable_data=head["p_flags"] & (_PF_X | _PF_W) == _PF_W,
            )
        )
    elif head["p_type"] == "PT_GNU_STACK":
        found.stack_executable = bool(head["p_flags"] & _PF_X)
    elif head["p_type"] == "PT_GNU_RELRO":
        found.relro = True
    if isinstance(segment, InterpSegment):
        found.interpreter = plain(source.read(offset, min(size, _MAX_NAME_BYTES), "interpreter").split(b"\0")[0])
    elif isinstance(segment, DynamicSegment):
        _read_dynamic(found, segment)
    elif isinstance(segment, NoteSegment):
        _read_notes(found, segment)


def _read_dynamic(found: _Found, segment: Any) -> None:  # noqa: ANN401 - pyelftools has no types
    for tag in islice(segment.iter_tags(), _MAX_DYNAMIC):
        match tag.entry.d_tag:
            case "DT_NEEDED":
                found.libraries.append(_shown(tag.needed))
            case "DT_SONAME":
                found.install_name = _shown(tag.soname)
            case "DT_RPATH":
                found.rpaths.extend(_shown(tag.rpath).split(":"))
            case "DT_RUNPATH":
                found.rpaths.extend(_shown(tag.runpath).split(":"))
            case "DT_FLAGS":
                found.flags = tag.entry.d_val
            case "DT_FLAGS_1":
                found.flags_1 = tag.entry.d_val
            case "DT_BIND_NOW":
                found.flags |= 0x8
            case _:
                pass


def _read_notes(found: _Found, part: Any) -> None:  # noqa: ANN401 - pyelftools has no types
    for note in islice(part.iter_notes(), 100):
        name, kind = note["n_name"], note["n_type"]
        if name == "GNU" and kind == "NT_GNU_BUILD_ID":
            found.build_id = str(note["n_desc"])
        elif name == "GNU" and kind == "NT_GNU_ABI_TAG":
            if str(note["n_desc"]["abi_os"]) == "ELF_NOTE_OS_LINUX":
                found.system = "linux"
        elif name in {"OpenBSD", "NetBSD", "FreeBSD", "Android"}:
            found.system = name.lower()


def _read_sections(found: _Found, elf: Any, source: Source) -> MalformedError | None:  # noqa: ANN401
    offset, count = elf.header["e_shoff"], elf.num_sections()
    if offset == 0 or count == 0:
        found.symbols = found.dwarf = False
        return None
    end = offset + count * elf.header["e_shentsize"]
    if end > source.size:
        what = f"the table of {count} sections ends at {end:#x}, beyond the file's {source.size:#x} bytes"
        return MalformedError(what, source.base + offset)
    if count > _MAX_SECTIONS:
        found.unknown.append(f"{count} sections are not looked through")
        return None
    found.symbols = found.dwarf = False
    for section in elf.iter_sections():
        head = section.header
        if head["sh_type"] == "SHT_SYMTAB":
            found.symbols = True
        elif section.name in {".debug_info", ".zdebug_info"} and head["sh_type"] != "SHT_NOBITS":
            found.dwarf = True
        elif section.name == ".go.buildinfo" and found.image.go_section is None:
            found.image.go_section = (head["sh_addr"], head["sh_size"])
        elif isinstance(section, GNUVerNeedSection):
            _read_needs(found, section)
        elif isinstance(section, NoteSection):
            _read_notes(found, section)  # Go's linker puts the GNU build id in a section that no segment covers
    return None


def _read_needs(found: _Found, section: Any) -> None:  # noqa: ANN401 - pyelftools has no types
    for _library, versions in islice(section.iter_versions(), _MAX_NEEDS):
        for version in islice(versions, _MAX_NEEDS):
            if match := _GLIBC.fullmatch(version.name):
                found.glibc = max(found.glibc or (0, 0), (int(match[1]), int(match[2])))


def _shown(text: str | bytes) -> str:
    return plain(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
