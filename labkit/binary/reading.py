"""Bounded reading: a file or a part of one, every access checked. It knows no format.

A :class:`Source` reads by offset (``pread``), so memory stays bounded whatever the file's size, and a file that shrinks
while it is read is a short read, not the SIGBUS that a mapping would give. A :class:`Bytes` is a piece in memory. Both
raise :class:`MalformedError` with the offset in the file.
"""

import io
import os
import struct
from typing import Final, Protocol

#: The most that one structure may have us read at once: tables of a real program are far smaller.
MAX_PIECE_BYTES: Final = 64 * 1024 * 1024

_BLOCK_BYTES: Final = 8192


class MalformedError(Exception):
    """The bytes contradict their format: ``what``, and the ``offset`` in the file where it shows."""

    def __init__(self, what: str, offset: int) -> None:
        what = printable(what)
        super().__init__(f"malformed: {what}, at offset {offset:#x}")
        self.what = what
        self.offset = offset


class Readable(Protocol):
    """What the format readers read from; offsets count from its own start."""

    base: int  # where it starts in the file
    size: int  # bytes

    def read(self, offset: int, size: int, what: str) -> bytes:
        """Return exactly ``size`` bytes."""
        ...


def _check(offset: int, size: int, whole: int, base: int, what: str) -> None:
    if offset < 0 or size < 0 or offset + size > whole:
        end = base + whole
        raise MalformedError(f"{what} of {size} bytes ends beyond offset {end:#x}", base + offset)
    if size > MAX_PIECE_BYTES:
        raise MalformedError(f"{what} claims {size} bytes, more than any program has", base + offset)


class Source:
    """A part of an open file; the descriptor stays the caller's. Small reads near each other are one system call."""

    def __init__(self, descriptor: int, *, base: int, size: int) -> None:
        self.descriptor = descriptor
        self.base = base
        self.size = size
        self._block = b""
        self._block_at = 0

    def read(self, offset: int, size: int, what: str) -> bytes:
        """Return exactly ``size`` bytes, or raise :class:`MalformedError`."""
        _check(offset, size, self.size, self.base, what)
        within = offset - self._block_at
        if within >= 0 and within + size <= len(self._block):
            return self._block[within : within + size]
        if size <= _BLOCK_BYTES:
            length = min(_BLOCK_BYTES, self.size - offset)
            self._block, self._block_at = os.pread(self.descriptor, length, self.base + offset), offset
            data = self._block[:size]
        else:
            data = os.pread(self.descriptor, size, self.base + offset)
        if len(data) != size:
            raise MalformedError(f"{what}: the file ended while it was read", self.base + offset + len(data))
        return data

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer as far as this part goes and return the number of bytes read."""
        size = min(len(buffer), self.size - offset)
        if size <= 0:
            return 0
        file = io.FileIO(self.descriptor, closefd=False)  # os.preadv is not everywhere
        file.seek(self.base + offset)
        return file.readinto(buffer[:size]) or 0

    def part(self, offset: int, size: int, what: str) -> "Source":
        """Return a part of this part."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise MalformedError(
                f"{what} of {size} bytes ends beyond offset {self.base + self.size:#x}", self.base + offset
            )
        return Source(self.descriptor, base=self.base + offset, size=size)


class Bytes:
    """A piece in memory that knows where it lay in the file, and its byte order (``<`` or ``>``)."""

    def __init__(self, data: bytes, *, base: int, order: str) -> None:
        self.data = data
        self.base = base
        self.size = len(data)
        self.order = order

    def read(self, offset: int, size: int, what: str) -> bytes:
        """Return exactly ``size`` bytes, or raise :class:`MalformedError`."""
        _check(offset, size, self.size, self.base, what)
        return self.data[offset : offset + size]

    def numbers(self, format_: str, offset: int, what: str) -> tuple[int, ...]:
        """Return the integers of a :mod:`struct` format without its byte order."""
        layout = self.order + format_
        if offset < 0 or offset + struct.calcsize(layout) > self.size:
            raise MalformedError(f"{what} is cut off", self.base + offset)
        return struct.unpack_from(layout, self.data, offset)

    def number(self, format_: str, offset: int, what: str) -> int:
        """Return one integer."""
        return self.numbers(format_, offset, what)[0]

    def part(self, offset: int, size: int, what: str) -> "Bytes":
        """Return a part of this piece."""
        return Bytes(self.read(offset, size, what), base=self.base + offset, order=self.order)

    def text(self, offset: int, what: str, *, end: int | None = None) -> str:
        """Return the zero-terminated text at an offset, ended by ``end`` at the latest."""
        limit = self.size if end is None else min(end, self.size)
        if not 0 <= offset < limit:
            raise MalformedError(f"{what} lies outside its structure", self.base + offset)
        stop = self.data.find(b"\0", offset, limit)
        return plain(self.data[offset : limit if stop < 0 else stop])


def plain(data: bytes) -> str:
    """Return bytes as text that can be shown and written as JSON: what is not UTF-8 is escaped."""
    return data.decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """Return text that moves no cursor and hides nothing: names in a file are its maker's, and may be hostile."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
