"""Executables made byte by byte, from the format's documents and not from labkit's reader: every field is chosen.

Small enough to damage in every place, and of shapes that no package offers (big-endian Mach-O, fat64, arm64e).
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

ARM64, X86_64, I386, PPC = 0x0100000C, 0x01000007, 7, 18
EXECUTE, DYLIB, BUNDLE, OBJECT = 2, 6, 8, 1


@dataclass(kw_only=True)
class Macho:
    """A thin Mach-O file: ``data()`` makes it. ``None`` leaves a command out."""

    cpu: int = ARM64
    subtype: int = 0
    order: str = "<"
    wide: bool = True
    kind: int = EXECUTE
    flags: int = 0x200085
    libraries: Sequence[tuple[int, str]] = ((0xC, "/usr/lib/libSystem.B.dylib"),)
    interpreter: str | None = "/usr/lib/dyld"
    rpaths: Sequence[str] = ()
    uuid: bytes | None = bytes(range(16))
    minimum: tuple[int, int] | None = (11, 0)
    sdk: tuple[int, int] = (12, 0)
    platform: int = 1
    sections: Sequence[str] = ()
    code: bytes = b"\0" * 5000
    sign: str | None = "linker"
    more: Sequence[bytes] = ()
    cms: bytes = b""
    entitlements: bytes = b""
    page_shift: int = 12
    hashes: Sequence[int] = (2,)
    identifier: str = "a.out"
    team: str = ""
    hardened: bool = False
    runtime_platform: int = 0

    def data(self) -> bytes:
        commands = self._commands(0, 0, 0)
        start = (32 if self.wide else 28) + sum(map(len, commands))
        body = b"\0" * (-start % 16) + self.code
        limit = start + len(body)
        limit += -limit % 16
        signature_size = len(self._signature(b"\0" * limit)) if self.sign else 0
        commands = self._commands(limit, signature_size, limit + signature_size)
        magic = 0xFEEDFACF if self.wide else 0xFEEDFACE
        size = sum(map(len, commands))
        header = self._pack("7I", magic, self.cpu, self.subtype, self.kind, len(commands), size, self.flags)
        if self.wide:
            header += self._pack("I", 0)
        code = (header + b"".join(commands) + body).ljust(limit, b"\0")
        return code + (self._signature(code) if self.sign else b"")

    def _pack(self, layout: str, *values: int | bytes) -> bytes:
        return struct.pack(self.order + layout, *values)

    def _string(self, command: int, head: bytes, text: str) -> bytes:
        raw = text.encode() + b"\0"
        offset = 12 + len(head)
        raw += b"\0" * (-(offset + len(raw)) % 8)
        return self._pack("3I", command, offset + len(raw), offset) + head + raw

    def _commands(self, signature_at: int, signature_size: int, file_size: int) -> list[bytes]:
        commands = [self._segment("__TEXT", file_size)]
        if self.interpreter is not None:
            commands.append(self._string(0xE, b"", self.interpreter))
        commands += [self._string(number, self._pack("3I", 2, 0, 0), name) for number, name in self.libraries]
        commands += [self._string(0x8000001C, b"", each) for each in self.rpaths]
        if self.uuid is not None:
            commands.append(self._pack("2I", 0x1B, 24) + self.uuid)
        if self.minimum is not None:
            versions = [major << 16 | minor << 8 for major, minor in (self.minimum, self.sdk)]
            commands.append(self._pack("6I", 0x32, 24, self.platform, *versions, 0))
        commands += list(self.more)
        if self.sign:
            commands.append(self._pack("4I", 0x1D, 16, signature_at, signature_size))
        return commands

    def _segment(self, name: str, file_size: int) -> bytes:
        layout, each = ("4Q", 80) if self.wide else ("4I", 68)
        sections = b"".join(
            struct.pack(f"16s16s{each - 32}x", section.encode(), name.encode()) for section in self.sections
        )
        head = struct.pack("16s", name.encode()) + self._pack(layout, 0x1000, file_size, 0, file_size)
        body = head + self._pack("4I", 5, 5, len(self.sections), 0) + sections
        return self._pack("2I", 0x19 if self.wide else 0x1, 8 + len(body)) + body

    def _signature(self, code: bytes) -> bytes:
        blobs = [(0 if i == 0 else 0x1000 + i - 1, self._directory(code, kind)) for i, kind in enumerate(self.hashes)]
        if self.entitlements:
            blobs.append((5, _blob(0xFADE7171, self.entitlements)))
        if self.sign != "linker":
            blobs.append((0x10000, _blob(0xFADE0B01, self.cms)))
        at, index, out = 12 + 8 * len(blobs), b"", b""
        for slot, blob in blobs:
            index += struct.pack(">2I", slot, at + len(out))
            out += blob
        return struct.pack(">3I", 0xFADE0CC0, at + len(out), len(blobs)) + index + out

    def _directory(self, code: bytes, kind: int) -> bytes:
        algorithm, size = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha256", 20), 4: ("sha384", 48)}[kind]

        def digest(data: bytes) -> bytes:
            return hashlib.new(algorithm, data).digest()[:size]

        page = 1 << self.page_shift
        hashes = [digest(code[at : at + page]) for at in range(0, len(code), page)]
        specials = [b"\0" * size] * (5 if self.entitlements else 0)
        if self.entitlements:
            specials[0] = digest(_blob(0xFADE7171, self.entitlements))  # slot -5 stands first
        names = self.identifier.encode() + b"\0"
        team_at = 88 + len(names) if self.team else 0
        if self.team:
            names += self.team.encode() + b"\0"
        hashes_at = 88 + len(names) + len(specials) * size
        flags = {"linker": 0x20002, "adhoc": 0x2}.get(self.sign or "", 0) | (0x10000 if self.hardened else 0)
        length = hashes_at + len(hashes) * size
        head = struct.pack(
            ">9I", 0xFADE0C02, length, 0x20400, flags, hashes_at, 88, len(specials), len(hashes), len(code)
        )
        head += struct.pack(">4B", size, kind, self.runtime_platform, self.page_shift)
        head += struct.pack(">4IQ3Q", 0, 0, team_at, 0, 0, 0, 0, 1)
        return head + names + b"".join(specials) + b"".join(hashes)


def _blob(magic: int, data: bytes) -> bytes:
    return struct.pack(">2I", magic, 8 + len(data)) + data


def fat(slices: Sequence[Macho], *, wide: bool = False) -> bytes:
    """Return a fat (or fat64) file of these slices, each at a multiple of 16 KiB."""
    layout = ">IIQQII" if wide else ">IIIII"
    table, out = b"", b""
    for each in slices:
        data = each.data()
        offset = 0x4000 + len(out)
        table += struct.pack(layout, each.cpu, each.subtype, offset, len(data), 14, *([0] if wide else []))
        out += data + b"\0" * (-len(data) % 0x4000)
    return (struct.pack(">2I", 0xCAFEBABF if wide else 0xCAFEBABE, len(slices)) + table).ljust(0x4000, b"\0") + out


@dataclass(kw_only=True)
class Elf:
    """A small ELF file with an interpreter and a dynamic section as asked; ``data()`` makes it."""

    machine: int = 62
    bits: int = 64
    order: str = "<"
    kind: int = 2
    abi: int = 0
    interpreter: str | None = None
    libraries: Sequence[str] = ()
    rpath: str = ""
    install_name: str = ""
    stack_flags: int | None = 6
    versions: str = ""  # one symbol version that is needed of the first library
    writable: bytes = b""  # of a segment of its own, at address 0x100000

    def data(self) -> bytes:
        if self.versions:
            needs = struct.pack(self.order + "HHIII", 1, 1, 1, 16, 0)
            self.writable = needs + struct.pack(self.order + "IHHII", 0, 0, 2, 1, 0)
        wide = self.bits == 64
        header_size, entry_size = (64, 56) if wide else (52, 32)
        count = 1 + (self.interpreter is not None) + bool(self._tags(0)) + (self.stack_flags is not None)
        count += bool(self.writable)
        at = header_size + count * entry_size
        interpreter = (self.interpreter or "").encode() + b"\0"
        strings, tags = self._strings(), b""
        strings_at = at + len(interpreter)
        dynamic_at = strings_at + len(strings)
        dynamic_at += -dynamic_at % 8
        tags = b"".join(struct.pack(self.order + ("2Q" if wide else "2I"), *each) for each in self._tags(strings_at))
        end = dynamic_at + len(tags)
        segments = [self._segment(1, 5, 0, end)]
        if self.interpreter is not None:
            segments.append(self._segment(3, 4, at, len(interpreter)))
        if tags:
            segments.append(self._segment(2, 6, dynamic_at, len(tags)))
        if self.stack_flags is not None:
            segments.append(self._segment(0x6474E551, self.stack_flags, 0, 0))
        if self.writable:
            segments.append(self._segment(1, 6, end, len(self.writable), 0x100000))
        ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if self.order == "<" else 2, 1, self.abi]) + b"\0" * 8
        layout = self.order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH")
        header = ident + struct.pack(
            layout, self.kind, self.machine, 1, 0x1000, header_size, 0, 0, header_size, entry_size, count, 0, 0, 0
        )
        body = header + b"".join(segments) + interpreter + strings
        return body.ljust(dynamic_at, b"\0") + tags + self.writable

    def _strings(self) -> bytes:
        names = [self.versions, *self.libraries, self.rpath, self.install_name]
        return b"\0" + b"".join(each.encode() + b"\0" for each in names if each)

    def _tags(self, strings_at: int) -> list[tuple[int, int]]:
        if not (self.libraries or self.rpath or self.install_name):
            return []
        tags, at = [], 1 + (len(self.versions) + 1 if self.versions else 0)
        for name in self.libraries:
            tags.append((1, at))
            at += len(name.encode()) + 1
        if self.rpath:
            tags.append((29, at))
            at += len(self.rpath.encode()) + 1
        if self.install_name:
            tags.append((14, at))
        if self.versions:
            tags += [(0x6FFFFFFE, 0x100000), (0x6FFFFFFF, 1)]
        return [*tags, (5, strings_at), (10, len(self._strings())), (0, 0)]

    def _segment(self, kind: int, flags: int, offset: int, size: int, address: int | None = None) -> bytes:
        at = offset if address is None else address
        if self.bits == 64:
            return struct.pack(self.order + "IIQQQQQQ", kind, flags, offset, at, at, size, size, 8)
        return struct.pack(self.order + "IIIIIIII", kind, offset, at, at, size, size, flags, 8)
