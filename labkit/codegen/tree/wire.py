"""The few fields of descriptors, requests and responses that are needed, cut from their bytes by tag; no library.

A FileDescriptorSet's entries go into a CodeGeneratorRequest as they are: only the outermost fields are looked at.
Field numbers: google/protobuf/descriptor.proto and google/protobuf/compiler/plugin.proto.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5
#: CodeGeneratorResponse.Feature
PROTO3_OPTIONAL: Final = 1
EDITIONS: Final = 2


class Descriptor(msgspec.Struct, frozen=True):
    """One file of a FileDescriptorSet."""

    name: str
    imports: tuple[str, ...]
    services: bool  # whether it declares any
    syntax: str  # "", proto3 or editions
    edition: int
    data: bytes  # a FileDescriptorProto, source info and all
    bare: bytes  # without its source info


class Response(msgspec.Struct, frozen=True):
    """What a plugin answered."""

    error: str | None
    features: int
    minimum_edition: int
    maximum_edition: int
    files: tuple[tuple[str, bytes], ...]  # name and content; a name without directories above it is not checked here


def fields(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, value, and where the field begins and its bytes begin, of each field.

    The value is a number's, or for bytes their end. Raises ValueError where it is no message.
    """
    position, end = start, len(data) if end is None else end
    while position < end:
        begin = position
        tag, position = _varint(data, position, end)
        match tag & 7:
            case 2:
                length, position = _varint(data, position, end)
                if position + length > end:
                    raise ValueError("a field goes beyond its message")
                yield tag >> 3, position + length, begin, position
                position += length
            case 0:
                value, position = _varint(data, position, end)
                yield tag >> 3, value, begin, position
            case 1:
                position += 8
            case 5:
                position += 4
            case _:
                raise ValueError("a field of an unknown kind")


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a varint
            return value, position
        shift += 7
    raise ValueError("a number goes beyond its message")


def number(field: int, value: int) -> bytes:
    """Return a varint field."""
    return _encode(field << 3) + _encode(value)


def block(field: int, content: bytes) -> bytes:
    """Return a field of bytes."""
    return _encode(field << 3 | _BYTES) + _encode(len(content)) + content


def _encode(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def descriptors(data: bytes) -> Iterator[Descriptor]:
    """Yield the files of a FileDescriptorSet, each after those that it imports."""
    for field, end, _, start in fields(data):
        if field == 1:
            yield _descriptor(data[start:end])


def _descriptor(data: bytes) -> Descriptor:
    name = syntax = ""
    imports: list[str] = []
    services = False
    edition = 0
    bare = data
    for field, end, begin, start in fields(data):
        match field:
            case 1:
                name = data[start:end].decode()
            case 3:
                imports.append(data[start:end].decode())
            case 6:
                services = True
            case 9:
                bare = data[:begin] + data[end:]  # protoc writes source info once
            case 12:
                syntax = data[start:end].decode()
            case 14:
                edition = end
            case _:
                pass
    return Descriptor(name, tuple(imports), services, syntax, edition, data, bare)


def request(generate: Iterable[str], parameter: str, compiler_version: bytes, files: Iterable[Descriptor]) -> bytes:
    """Return a CodeGeneratorRequest; files that are only imported come without their source info."""
    wanted = tuple(generate)
    among = frozenset(wanted)
    return b"".join(
        (
            *(block(1, name.encode()) for name in wanted),
            block(2, parameter.encode()),
            block(3, compiler_version),
            *(block(15, file.data if file.name in among else file.bare) for file in files),
        )
    )


def compiler_version(captured: bytes) -> bytes:
    """Return the compiler_version of a CodeGeneratorRequest that protoc made. Raises ValueError when it has none."""
    for field, end, _, start in fields(captured):
        if field == 3:  # noqa: PLR2004 - compiler_version
            return captured[start:end]
    raise ValueError("the request has no compiler_version")


def response(data: bytes) -> Response:
    """Return a CodeGeneratorResponse. Raises ValueError when it is none."""
    error: str | None = None
    numbers = {2: 0, 3: 0, 4: 0}
    files: list[tuple[str, bytes]] = []
    for field, end, _, start in fields(data):
        if field == 1:
            error = data[start:end].decode("utf-8", "replace")
        elif field in numbers:
            numbers[field] = end
        elif field == 15:  # noqa: PLR2004 - file
            name, content = _response_file(data, start, end)
            if name is None:  # more of the file before
                before, piece = files.pop()
                files.append((before, piece + content))
            else:
                files.append((name, content))
    return Response(error, numbers[2], numbers[3], numbers[4], tuple(files))


def _response_file(data: bytes, start: int, end: int) -> tuple[str | None, bytes]:
    name: str | None = None
    content = b""
    for field, stop, _, begin in fields(data, start, end):
        if field == 1:
            name = data[begin:stop].decode()
        elif field == 2 and stop > begin:  # noqa: PLR2004 - insertion_point
            raise ValueError("the plugin asks to insert into another's file")
        elif field == 15:  # noqa: PLR2004 - content
            content = data[begin:stop]
    return name, content


def has_proto3_optional(file: Descriptor) -> bool:
    """Return whether a proto3 file has an optional field (FieldDescriptorProto.proto3_optional)."""
    data = file.bare
    return any(field == 4 and _optional_in(data, start, end) for field, end, _, start in fields(data))  # noqa: PLR2004 - message_type


def _optional_in(data: bytes, start: int, end: int) -> bool:
    for field, stop, _, begin in fields(data, start, end):
        if field == 2 and any(each == 17 for each, _, _, _ in fields(data, begin, stop)):  # noqa: PLR2004 - its tag
            return True
        if field == 3 and _optional_in(data, begin, stop):  # noqa: PLR2004 - nested_type
            return True
    return False
