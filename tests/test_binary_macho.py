"""Mach-O from bytes: every field of files made for the purpose, and what damage is called."""

import re
import struct

import msgspec
import pytest

from labkit.binary import inspect
from labkit.model.binary import Format, Linkage
from tests.binary_synthetic import ARM64, BUNDLE, DYLIB, I386, OBJECT, PPC, X86_64, Macho, fat


@pytest.fixture
def read(tmp_path):
    def reading(data, **options):
        path = tmp_path / "file"
        path.write_bytes(data)
        return inspect(path, **options)

    return reading


@pytest.mark.parametrize(
    ("made", "architecture", "bits", "endian"),
    [
        pytest.param(Macho(), "arm64", 64, "little", id="arm64"),
        pytest.param(Macho(subtype=2 | 0x80000000), "arm64e", 64, "little", id="arm64e-with-capability-bits"),
        pytest.param(Macho(cpu=X86_64, subtype=3, sign=None), "x86_64", 64, "little", id="x86_64"),
        pytest.param(Macho(cpu=X86_64, subtype=8, sign=None), "x86_64h", 64, "little", id="haswell"),
        pytest.param(Macho(cpu=I386, subtype=3, wide=False, sign=None), "i386", 32, "little", id="i386"),
        pytest.param(Macho(cpu=PPC, order=">", wide=False, sign=None), "ppc", 32, "big", id="ppc"),
        pytest.param(Macho(cpu=PPC | 0x01000000, order=">", sign=None), "ppc64", 64, "big", id="ppc64"),
        pytest.param(Macho(cpu=0x0200000C, wide=False, sign=None), "arm64_32", 32, "little", id="arm64_32"),
        pytest.param(Macho(cpu=99, sign=None), "cpu-0x63", 64, "little", id="unknown-cpu"),
    ],
)
def test_a_thin_file_of_any_width_and_byte_order_is_read(read, made, architecture, bits, endian):
    binary = read(made.data())
    (slice_,) = binary.slices
    assert (binary.format, binary.error) == (Format.MACHO, None)
    assert (slice_.architecture, slice_.bits, slice_.endian) == (architecture, bits, endian)
    assert slice_.libraries == ("/usr/lib/libSystem.B.dylib",)
    assert slice_.interpreter == "/usr/lib/dyld"
    assert slice_.uuid == "00010203-0405-0607-0809-0A0B0C0D0E0F"
    assert (slice_.platform, slice_.minimum_os, slice_.sdk) == ("macos", "11.0", "12.0")


@pytest.mark.parametrize("wide", [False, True], ids=["fat", "fat64"])
def test_every_slice_of_a_fat_file_is_read_for_itself(read, wide):
    x86 = Macho(cpu=X86_64, subtype=3, sign=None, libraries=((0xC, "/usr/lib/libz.1.dylib"),), minimum=(10, 9))
    binary = read(fat([x86, Macho()], wide=wide))
    assert binary.error is None
    assert [each.architecture for each in binary.slices] == ["x86_64", "arm64"]
    assert [each.libraries for each in binary.slices] == [("/usr/lib/libz.1.dylib",), ("/usr/lib/libSystem.B.dylib",)]
    assert [each.minimum_os for each in binary.slices] == ["10.9", "11.0"]
    assert [each.signature.kind.value for each in binary.slices] == ["none", "linker"]
    assert [each.signature.bad_pages for each in binary.slices] == [None, 0]
    assert binary.slices[1].offset_bytes > binary.slices[0].offset_bytes > 0


@pytest.mark.parametrize(
    ("made", "field", "wanted"),
    [
        pytest.param(Macho(kind=DYLIB), "file_type", "library", id="library"),
        pytest.param(Macho(kind=BUNDLE), "file_type", "bundle", id="bundle"),
        pytest.param(Macho(kind=OBJECT, sign=None), "file_type", "object", id="object"),
        pytest.param(Macho(libraries=(), interpreter=None), "linkage", Linkage.STATIC, id="static"),
        pytest.param(Macho(libraries=()), "linkage", Linkage.DYNAMIC, id="an-interpreter-is-dynamic"),
        pytest.param(Macho(interpreter=None), "linkage", Linkage.DYNAMIC, id="a-library-is-dynamic"),
        pytest.param(Macho(rpaths=("@loader_path", "/opt")), "rpaths", ("@loader_path", "/opt"), id="rpaths"),
        pytest.param(Macho(libraries=((0x80000018, "a"),)), "weak_libraries", ("a",), id="weak"),
        pytest.param(Macho(libraries=((0x8000001F, "a"),)), "libraries", ("a",), id="reexported"),
        pytest.param(Macho(uuid=None), "uuid", None, id="no-uuid"),
        pytest.param(Macho(platform=2), "platform", "ios", id="ios"),
        pytest.param(Macho(platform=99), "platform", "platform-99", id="unknown-platform"),
        pytest.param(Macho(minimum=None), "minimum_os", None, id="no-minimum"),
        pytest.param(Macho(sections=("__debug_info",)), "dwarf", True, id="dwarf"),
        pytest.param(Macho(sections=("__debug_infox",)), "dwarf", False, id="not-quite-dwarf"),
        pytest.param(Macho(more=(struct.pack("<6I", 2, 24, 0, 7, 0, 0),)), "symbols", True, id="symbols"),
        pytest.param(Macho(more=(struct.pack("<6I", 2, 24, 0, 0, 0, 0),)), "symbols", False, id="no-symbols"),
        pytest.param(
            Macho(minimum=None, more=(struct.pack("<4I", 0x24, 16, 10 << 16 | 9 << 8, 0),)),
            "minimum_os",
            "10.9",
            id="older-minimum-command",
        ),
        pytest.param(
            Macho(more=(struct.pack("<2I", 0x77, 8),)), "unknown", ("load command 0x77",), id="unknown-command"
        ),
        pytest.param(
            Macho(more=(struct.pack("<2I", 0x80000077, 8),)),
            "unknown",
            ("load command 0x80000077, which dyld must know",),
            id="unknown-required-command",
        ),
    ],
)
def test_a_load_command_says_what_it_says(read, made, field, wanted):
    binary = read(made.data())
    assert binary.error is None
    assert getattr(binary.slices[0], field) == wanted


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        pytest.param(0x200085, {"pie": True, "nx_stack": True, "nx_heap": False, "encrypted": False}, id="pie"),
        pytest.param(0x1020085, {"pie": False, "nx_stack": False, "nx_heap": True, "encrypted": False}, id="stack"),
    ],
)
def test_hardening_is_what_the_header_flags_say(read, flags, wanted):
    assert read(Macho(flags=flags).data()).slices[0].hardening == wanted


_THIN = Macho(sign=None).data()


def _poked(data, offset, value, layout="<I"):
    return data[:offset] + struct.pack(layout, value) + data[offset + struct.calcsize(layout) :]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        pytest.param(_THIN[:20], r"malformed: Mach-O header .*, at offset 0x0", id="cut-in-the-header"),
        pytest.param(_THIN[:60], r"malformed: load commands .*, at offset 0x20", id="cut-in-the-commands"),
        pytest.param(_THIN[:-1], r"malformed: segment __TEXT ends at .*, at offset 0x0", id="cut-in-a-segment"),
        pytest.param(_poked(_THIN, 16, 0xFFFFFFFF), "more than any program has, at offset 0x10", id="command-count"),
        pytest.param(_poked(_THIN, 20, 0x7FFFFFFF), "more than any program has, at offset 0x10", id="commands-size"),
        pytest.param(_poked(_THIN, 16, 99), r"malformed: load command \d+ .*, at offset", id="one-command-too-many"),
        pytest.param(_poked(_THIN, 36, 0), "malformed: load command 0 has size 0, at offset 0x24", id="no-size"),
        pytest.param(_poked(_THIN, 36, 0xFFFFFFF8), "malformed: load command 0 has size", id="vast-size"),
        pytest.param(_poked(_THIN, 96, 1000), "malformed: segment __TEXT claims 1000 sections", id="sections"),
        pytest.param(_poked(_THIN, 112, 500), "malformed: interpreter lies outside", id="text-outside"),
        pytest.param(b"\xca\xfe\xba\xbe\0\0\0\0", "a fat file without slices, at offset 0x4", id="no-slices"),
        pytest.param(b"\xca\xfe\xba\xbe\0\0\0\x02", "malformed: table of 2 slices", id="slice-table"),
        pytest.param(
            _poked(fat([Macho(), Macho(subtype=2)]), 8 + 28, 0x4000, ">I"), "overlaps slice arm64", id="slices-overlap"
        ),
        pytest.param(
            _poked(fat([Macho()]), 8 + 12, 0xFFFFFF, ">I"), "slice arm64 ends at .* beyond the file", id="slice-beyond"
        ),
    ],
)
def test_damage_is_named_with_its_offset(read, data, wanted):
    binary = read(data)
    assert binary.format is Format.MACHO
    assert not binary.slices
    assert binary.error is not None
    assert re.search(wanted, binary.error), binary.error


def test_a_java_class_is_no_fat_file(read):
    binary = read(b"\xca\xfe\xba\xbe\x00\x00\x00\x41" + b"\0" * 100)
    assert (binary.format, binary.error, binary.kind) == (Format.OTHER, None, "java-class")


def test_a_fat_archive_has_slices_without_commands(read):
    inner = b"!<arch>\n" + b"\0" * 100
    table = struct.pack(">2I5I", 0xCAFEBABE, 1, ARM64, 0, 64, len(inner), 3)
    binary = read(table.ljust(64, b"\0") + inner)
    assert [(each.architecture, each.file_type) for each in binary.slices] == [("arm64", "archive")]
    assert binary.error is None


def test_facts_come_without_pages_too_and_say_that_none_was_hashed(read):
    made = Macho()
    with_pages, without = read(made.data()), read(made.data(), pages=False)
    assert with_pages.slices[0].signature.bad_pages == 0
    assert without.slices[0].signature.bad_pages is None
    same = msgspec.structs.replace(with_pages.slices[0].signature, bad_pages=None)
    assert without.slices[0].signature == same
