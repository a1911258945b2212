"""Small valid executables to start damage from, and the damage: the seeded corpus of the tests and the fuzzer."""

import random
from collections.abc import Iterator

from tests.binary_synthetic import ARM64, DYLIB, I386, PPC, X86_64, Elf, Macho, fat

ENTITLEMENTS = (
    b'<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>'
    b"<key>com.apple.security.cs.allow-jit</key><true/></dict></plist>"
)


def seeds() -> dict[str, bytes]:
    """Return valid files of every shape, a few KiB each."""
    x86 = Macho(cpu=X86_64, subtype=3, sign=None)
    signed = Macho(sign="adhoc", entitlements=ENTITLEMENTS, hashes=(1, 2), team="TEAM123456", rpaths=("@loader_path",))
    return {
        "macho-thin": Macho().data(),
        "macho-signed": signed.data(),
        "macho-library": Macho(kind=DYLIB, interpreter=None, more=(_library_id(),)).data(),
        "macho-32": Macho(cpu=I386, subtype=3, wide=False, sign=None, sections=("__text",)).data(),
        "macho-big-endian": Macho(cpu=PPC, order=">", wide=False, sign=None).data(),
        "macho-fat": fat([x86, Macho(subtype=2), Macho()]),
        "macho-fat64": fat([x86, Macho(cpu=ARM64)], wide=True),
        "elf-static": Elf().data(),
        "elf-dynamic": Elf(
            interpreter="/lib64/ld-linux-x86-64.so.2", libraries=("libc.so.6",), rpath="$ORIGIN:/opt", kind=3
        ).data(),
        "elf-32-big-endian": Elf(bits=32, order=">", machine=8, libraries=("libc.so.6",)).data(),
        "elf-library": Elf(machine=183, kind=3, libraries=("libm.so.6",), install_name="liba.so.1").data(),
        "elf-go": go_elf(),
    }


def go_elf() -> bytes:
    """Return an ELF file whose writable segment holds Go's build information (inline form)."""
    text = b"path\texample.test/hello\nmod\texample.test/hello\t(devel)\t\nbuild\t-compiler=gc\nbuild\tGOOS=linux\n"
    framed = b"\x30" * 16 + text + b"\xf9" * 16
    blob = b"\xff Go buildinf:" + bytes([8, 2]) + b"\0" * 16
    blob += bytes([6]) + b"go1.26" + bytes([len(framed) & 0x7F | 0x80, len(framed) >> 7]) + framed
    data = Elf(writable=blob).data()
    assert blob in data
    return data


def _library_id() -> bytes:
    name = b"@rpath/liba.dylib\0\0\0\0\0\0\0"
    return b"".join(n.to_bytes(4, "little") for n in (0xD, 24 + len(name), 24, 2, 0, 0)) + name


def damaged(data: bytes, *, seed: int, count: int) -> Iterator[bytes]:
    """Yield damaged copies, equal for equal seeds: cut off, bits flipped, numbers poisoned, bytes replaced."""
    source = random.Random(seed)
    for _ in range(count):
        copy = bytearray(data)
        match source.randrange(4):
            case 0:
                del copy[source.randrange(len(copy)) :]
            case 1:
                for _ in range(source.randint(1, 8)):
                    copy[source.randrange(min(len(copy), 4096))] ^= 1 << source.randrange(8)
            case 2:
                at = source.randrange(0, min(len(copy), 4096) - 4, 4)
                copy[at : at + 4] = source.choice(_POISON)
            case _:
                at = source.randrange(len(copy))
                copy[at : at + 16] = source.randbytes(len(copy[at : at + 16]))
        yield bytes(copy)


_POISON = (
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x80",
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x00",
    b"\x00\x10\x00\x00",
    b"\x80\x00\x00\x00",
)
