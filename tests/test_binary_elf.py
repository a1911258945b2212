"""ELF from bytes: every field of files made for the purpose, real files against pyelftools, and damage by name."""

import re
import struct
import sys
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from labkit.binary import inspect
from labkit.model.binary import Format
from tests.binary_synthetic import Elf


@pytest.fixture
def read(tmp_path):
    def reading(data):
        path = tmp_path / "file"
        path.write_bytes(data)
        return inspect(path)

    return reading


@pytest.mark.parametrize(
    ("made", "architecture", "bits", "endian"),
    [
        pytest.param(Elf(), "x86_64", 64, "little", id="x86_64"),
        pytest.param(Elf(machine=62, bits=32), "x32", 32, "little", id="x32"),
        pytest.param(Elf(machine=3, bits=32), "i386", 32, "little", id="i386"),
        pytest.param(Elf(machine=183), "arm64", 64, "little", id="aarch64"),
        pytest.param(Elf(machine=40, bits=32), "arm", 32, "little", id="arm"),
        pytest.param(Elf(machine=22, order=">"), "s390x", 64, "big", id="s390x"),
        pytest.param(Elf(machine=22, order=">", bits=32), "s390", 32, "big", id="s390"),
        pytest.param(Elf(machine=21, order=">"), "ppc64", 64, "big", id="ppc64"),
        pytest.param(Elf(machine=21), "ppc64le", 64, "little", id="ppc64le"),
        pytest.param(Elf(machine=8, order=">", bits=32), "mips", 32, "big", id="mips"),
        pytest.param(Elf(machine=8), "mips64el", 64, "little", id="mips64el"),
        pytest.param(Elf(machine=243), "riscv64", 64, "little", id="riscv64"),
        pytest.param(Elf(machine=94), "xtensa", 64, "little", id="rare-by-pyelftools"),
        pytest.param(Elf(machine=0xFEED), "machine-65261", 64, "little", id="unknown"),
    ],
)
def test_every_class_and_byte_order_is_read(read, made, architecture, bits, endian):
    binary = read(made.data())
    (slice_,) = binary.slices
    assert (binary.format, binary.error) == (Format.ELF, None)
    assert (slice_.architecture, slice_.bits, slice_.endian) == (architecture, bits, endian)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
def test_the_dynamic_section_is_read(read, bits, order):
    made = Elf(
        bits=bits,
        order=order,
        interpreter="/lib/ld.so",
        libraries=("libc.so.6", "libm.so.6"),
        rpath="$ORIGIN:/opt",
        install_name="liba.so",
    )
    (slice_,) = read(made.data()).slices
    assert slice_.interpreter == "/lib/ld.so"
    assert slice_.libraries == ("libc.so.6", "libm.so.6")
    assert slice_.rpaths == ("$ORIGIN", "/opt")
    assert slice_.install_name == "liba.so"
    assert slice_.linkage == "dynamic"


@pytest.mark.parametrize(
    ("made", "linkage"),
    [
        pytest.param(Elf(), "static", id="nothing"),
        pytest.param(Elf(install_name="a"), "static", id="a-dynamic-section-alone"),
        pytest.param(Elf(interpreter="/lib/ld.so"), "dynamic", id="interpreter-alone-as-go-pie"),
        pytest.param(Elf(libraries=("libc.so.6",)), "dynamic", id="library-alone"),
        pytest.param(Elf(interpreter=""), "static", id="debug-information-has-no-text-there"),
    ],
)
def test_static_means_no_interpreter_and_no_library(read, made, linkage):
    assert read(made.data()).slices[0].linkage == linkage


@pytest.mark.parametrize(
    ("made", "file_type"),
    [
        pytest.param(Elf(kind=1), "object", id="object"),
        pytest.param(Elf(kind=2), "executable", id="executable"),
        pytest.param(Elf(kind=3), "library", id="library"),
        pytest.param(Elf(kind=3, interpreter="/lib/ld.so"), "executable", id="pie"),
        pytest.param(Elf(kind=3, interpreter="/lib/ld.so", install_name="libc.so.6"), "library", id="libc-itself"),
        pytest.param(Elf(kind=4), "core", id="core"),
        pytest.param(Elf(kind=0xFE00), "type-0xfe00", id="other"),
    ],
)
def test_what_sort_of_file_it_is(read, made, file_type):
    assert read(made.data()).slices[0].file_type == file_type


@pytest.mark.parametrize(("flags", "nx"), [(6, True), (7, False), (None, False)], ids=["rw", "rwx", "absent"])
def test_the_stack_may_be_executed_unless_the_header_says_no(read, flags, nx):
    assert read(Elf(stack_flags=flags).data()).slices[0].hardening["nx_stack"] is nx


@pytest.mark.parametrize(("abi", "platform"), [(0, None), (3, "linux"), (9, "freebsd"), (12, "openbsd")])
def test_the_abi_number_names_the_system(read, abi, platform):
    assert read(Elf(abi=abi).data()).slices[0].platform == platform


_DYNAMIC = Elf(interpreter="/lib/ld.so", libraries=("libc.so.6",)).data()
_SEGMENTS = 64


def _poked(data, offset, layout, value):
    return data[:offset] + struct.pack(layout, value) + data[offset + struct.calcsize(layout) :]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        pytest.param(_DYNAMIC[:10], "malformed: ELF header .*, at offset 0x0", id="cut-in-ident"),
        pytest.param(_DYNAMIC[:40], "malformed: ELF header .*, at offset 0x0", id="cut-in-header"),
        pytest.param(_DYNAMIC[:100], "malformed: table of 4 segments .*, at offset 0x40", id="cut-in-segments"),
        pytest.param(_DYNAMIC[:-1], "malformed: a segment ends at .*, at offset 0x0", id="cut-in-a-segment"),
        pytest.param(_poked(_DYNAMIC, 4, "B", 7), "malformed: ELF class 7 .*, at offset 0x4", id="class"),
        pytest.param(_poked(_DYNAMIC, 5, "B", 0), "malformed: ELF class 2 with byte order 0", id="byte-order"),
        pytest.param(_poked(_DYNAMIC, 54, "<H", 8), "has entries of 8 bytes, not 56", id="entry-size"),
        pytest.param(_poked(_DYNAMIC, 56, "<H", 0xFFF0), "65520 segments, more than any", id="segment-count"),
        pytest.param(_poked(_DYNAMIC, 32, "<Q", 1 << 60), "malformed: table of 4 segments", id="segments-elsewhere"),
        pytest.param(
            _poked(_DYNAMIC, _SEGMENTS + 56 + 8, "<Q", 1 << 40), "malformed: a segment ends at 0x1", id="interpreter"
        ),
        pytest.param(_poked(_DYNAMIC, len(_DYNAMIC) - 40, "<Q", 1 << 50), "which no segment holds", id="strings"),
        pytest.param(
            _poked(_DYNAMIC, len(_DYNAMIC) - 56, "<Q", 1 << 30), "lies outside the dynamic string table", id="name"
        ),
    ],
)
def test_damage_is_named_with_its_offset(read, data, wanted):
    binary = read(data)
    assert binary.format is Format.ELF
    assert not binary.slices
    assert binary.error is not None
    assert re.search(wanted, binary.error), binary.error
    assert re.search(r", at offset 0x[0-9a-f]+$", binary.error), binary.error


def test_a_lost_section_table_is_an_error_that_keeps_the_facts(read):
    data = _poked(_poked(_poked(_DYNAMIC, 40, "<Q", 1 << 20), 58, "<H", 64), 60, "<H", 3)
    binary = read(data)
    assert binary.error is not None
    assert binary.error.startswith("malformed: table of 3 sections")
    assert binary.slices[0].libraries == ("libc.so.6",)


def _own_programs():
    folders = [Path("/usr/bin"), Path("/usr/lib/x86_64-linux-gnu"), Path("/usr/lib/aarch64-linux-gnu")]
    files = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())[::40]]
    return [path for path in files if path.is_file() and inspect(path).format is Format.ELF][:40]


def _newest_glibc(elf):
    section = elf.get_section_by_name(".gnu.version_r")
    names = [version.name for _, versions in section.iter_versions() for version in versions] if section else []
    found = [re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", name) for name in names]
    numbers = [(int(each[1]), int(each[2])) for each in found if each]
    return "glibc {}.{}".format(*max(numbers)) if numbers else None


@pytest.mark.skipif(sys.platform != "linux", reason="impossible here: this machine's programs are not ELF")
def test_pyelftools_reads_the_same_of_this_machines_programs():
    files = _own_programs()
    assert files
    for path in files:
        (slice_,) = inspect(path).slices
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            dynamic = [each for each in elf.iter_segments() if isinstance(each, DynamicSegment)]
            tags = [tag for each in dynamic for tag in each.iter_tags()]
            wanted = {
                "libraries": tuple(tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"),
                "install_name": next((tag.soname for tag in tags if tag.entry.d_tag == "DT_SONAME"), None),
                "interpreter": next(
                    (each.get_interp_name() for each in elf.iter_segments() if isinstance(each, InterpSegment)), None
                ),
                "symbols": elf.get_section_by_name(".symtab") is not None,
                "bits": elf.elfclass,
                "minimum_libc": _newest_glibc(elf),
            }
        assert {name: getattr(slice_, name) for name in wanted} == wanted, path
