"""The smallest reader of ASN.1's DER and BER that code signatures need. It knows tags and lengths, no schema.

Apple writes the outer layers with indefinite lengths (BER), the certificates in DER.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from labkit.binary.reading import MalformedError

INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
OID: Final = 0x06
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONTEXT_0: Final = 0xA0

_MAX_DEPTH: Final = 32
_MAX_VALUES: Final = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """One value: its tag, its content, and all its bytes with tag and length."""

    tag: int
    content: bytes
    whole: bytes

    def children(self) -> tuple["Value", ...]:
        """Return the values inside a constructed one."""
        return tuple(_values(self.content))

    def integer(self) -> int:
        """Return an INTEGER's value."""
        return int.from_bytes(self.content, "big", signed=True)

    def octets(self) -> bytes:
        """Return an OCTET STRING's bytes, put together where BER cut it up."""
        if self.tag == OCTET_STRING:
            return self.content
        return b"".join(each.octets() for each in self.children() if each.tag & ~0x20 == OCTET_STRING)


def one(data: bytes) -> Value:
    """Return the first value in some bytes; what follows does not count (signatures are padded)."""
    for value in _values(data, only_first=True):
        return value
    raise MalformedError("no ASN.1 value", 0)


def _values(data: bytes, *, only_first: bool = False) -> Iterator[Value]:
    offset = 0
    for _ in range(_MAX_VALUES):
        if offset >= len(data):
            return
        start, (tag, at, length, end) = offset, _header(data, offset, 0)
        yield Value(tag=tag, content=data[at : at + length], whole=data[start:end])
        if only_first:
            return
        offset = end
    raise MalformedError("more ASN.1 values than any signature has", offset)


def _header(data: bytes, offset: int, depth: int) -> tuple[int, int, int, int]:
    """Return a value's tag, where its content starts, its length, and where the next value starts."""
    if offset + 2 > len(data):
        raise MalformedError("ASN.1 value is cut off", offset)
    tag, first, at = data[offset], data[offset + 1], offset + 2
    if tag & 0x1F == 0x1F:  # noqa: PLR2004 - a tag of several bytes
        raise MalformedError(f"ASN.1 tag {tag:#x} is not used in signatures", offset)
    if first == 0x80:  # noqa: PLR2004 - the indefinite length of X.690 8.1.3.6
        end = _end_of_contents(data, at, depth + 1)
        return tag, at, end - at, end + 2
    length = first
    if first & 0x80:
        count = first & 0x7F
        length, at = int.from_bytes(data[at : at + count], "big"), at + count
    if at + length > len(data):
        raise MalformedError(f"ASN.1 value of {length} bytes is cut off", offset)
    return tag, at, length, at + length


def _end_of_contents(data: bytes, at: int, depth: int) -> int:
    if depth > _MAX_DEPTH:
        raise MalformedError("ASN.1 values are nested deeper than in any signature", at)
    while data[at : at + 2] != b"\0\0":
        _tag, _at, _length, at = _header(data, at, depth)
    return at
