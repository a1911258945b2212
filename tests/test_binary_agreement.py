"""Our facts against other programs', field by field: Go builds of four platforms and third-party files of many shapes.

benchmarks/binary_agreement.py does the same over more files; docs/binary-agreement.md holds what it printed.
"""

import pytest

from labkit.binary import inspect
from labkit.model.binary import Format
from tests import binary_oracles as oracles
from tests.binary_builds import SMALL as BUILDS
from tests.binary_builds import built
from tests.binary_corpus import SMALL as ENTRIES
from tests.binary_corpus import obtain

_ENTRIES = {entry.id: entry for entry in ENTRIES}


def _file(name):
    return obtain(_ENTRIES[name]) if name in _ENTRIES else built(name)


_NAMES = [*BUILDS, *_ENTRIES]


@pytest.fixture(params=_NAMES)
def binary(request):
    path = _file(request.param)
    found = inspect(path)
    assert found.error is None
    return path, found


def test_readelf_llvm_objdump_and_lipo_say_the_same(binary):
    path, found = binary
    if found.format is Format.ELF:
        for tool in ("readelf", "llvm-readelf"):
            said = oracles.elf(path, oracles.program(tool))
            assert len(said) > 10
            assert not oracles.differences(oracles.ours(found.slices[0]), said), tool
        return
    assert [each.architecture for each in found.slices] == oracles.architectures(path)
    for slice_ in found.slices:
        said = oracles.macho(path, slice_.architecture)
        assert len(said) > 10
        assert not oracles.differences(oracles.ours(slice_), said)


def test_file_says_the_same(binary):
    path, found = binary
    said = oracles.file_words(path)
    mine = {
        "format": found.format.value,
        "bits": found.slices[0].bits,
        "endian": found.slices[0].endian,
        "stripped": not found.slices[0].symbols,
        "interpreter": found.slices[0].interpreter,
        "slices": len(found.slices),
    }
    assert not oracles.differences(mine, said)


def test_lief_says_the_same():
    paths = [_file(name) for name in _NAMES]
    for path, said in zip(paths, oracles.lief(*paths), strict=True):
        slices = inspect(path).slices
        assert len(said) == len(slices)
        for slice_, theirs in zip(slices, said, strict=True):
            assert not oracles.differences(oracles.ours(slice_), theirs), path


def test_a_difference_would_be_seen():
    (slice_,) = inspect(_file("linux-amd64")).slices
    said = oracles.elf(_file("linux-amd64"), oracles.program("readelf"))
    wrong = dict(said) | {"libraries": ["libc.so.6"], "bits": 32}
    assert set(oracles.differences(oracles.ours(slice_), wrong)) == {"libraries", "bits"}
