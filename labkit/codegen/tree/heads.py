"""Reads from a .proto file's text what decides its place: package, imports and go_package, each with its line.

It is an exact tokenizer of what it reads (comments, strings with escapes that stand side by side, blocks that are
passed over), not a parser: a text that protoc would refuse may give any head, and protoc says what is wrong with it.
The language: https://protobuf.dev/reference/protobuf/proto3-spec/ and protobuf's io/tokenizer.cc.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

_STRING: Final = rb""""(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'"""
_COMMENT: Final = rb"//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/"
#: At the top, after blanks and comments: a string (group 1), a word (2), or any other sign (3).
_TOP: Final = re.compile(rb"(?:[^\S\n]*(?:\n|" + _COMMENT + rb"))*+\s*+(?:(" + _STRING + rb")|([A-Za-z_][\w.]*)|(\S))")
#: To the next sign that opens or closes a block, over all that may hold one that does not.
_BLOCK: Final = re.compile(rb"(?:[^{}\"'/]++|" + _COMMENT + rb"|" + _STRING + rb"|[\"'/])*+([{}])")
#: A file that has none of these words left has no more of what is looked for.
_MORE: Final = re.compile(rb"\bimport\b|\bgo_package\b")
_ESCAPE: Final = re.compile(
    rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_BOM: Final = b"\xef\xbb\xbf"  # protoc passes over it
_SIMPLE: Final = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class Place(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A text and where it begins; line and column are counted from 1, the column in bytes."""

    text: str
    line: int
    column: int


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What decides a file's place."""

    package: Place | None
    imports: tuple[Place, ...]  # at each import statement
    go_package: Place | None


def read_head(data: bytes) -> Head:
    """Return the head of a file's bytes."""
    package: Place | None = None
    go_package: Place | None = None
    imports: list[Place] = []
    for start, words in _statements(data):
        match words:
            case [b"package", bytes() as name, *_]:
                package = package or _place(data, start, name.decode("utf-8", "replace"))
            case [b"import", bytes(), str() as name] | [b"import", str() as name]:
                imports.append(_place(data, start, name))
            case [b"option", b"go_package", b"=", str() as value]:
                go_package = _place(data, start, value)
            case _:
                pass
    return Head(package, tuple(imports), go_package)


def _place(data: bytes, start: int, text: str) -> Place:
    return Place(text, data.count(b"\n", 0, start) + 1, start - data.rfind(b"\n", 0, start))


def _statements(data: bytes) -> Iterator[tuple[int, list[bytes | str]]]:
    # Yields the statements at the top that end with a semicolon: where each starts, and its words (bytes) and strings
    # (str, those side by side put together). Statements that hold a block are passed over.
    words: list[bytes | str] = []
    start = 0
    position = len(_BOM) if data.startswith(_BOM) else 0
    block = False
    while match := _TOP.match(data, position):
        position = match.end()
        kind = match.lastindex or 0
        token = match[kind]
        if not words:
            start = match.start(kind)
        if kind == 1:
            value = _unescape(token[1:-1])
            if words and isinstance(words[-1], str):
                words[-1] += value
            else:
                words.append(value)
        elif token == b"{":
            position = _after_block(data, position)
            # What follows a block begins anew, but for an option's: `option (x) = {...};` ends with its semicolon.
            block = words[:1] == [b"option"]
            if not block:
                words = []
            if not _MORE.search(data, position):
                return
        elif token == b";":
            if words and not block:
                yield start, words
            words, block = [], False
        else:
            words.append(token)


def _after_block(data: bytes, position: int) -> int:
    depth = 1
    while match := _BLOCK.match(data, position):
        position = match.end()
        depth += 1 if match[1] == b"{" else -1
        if depth == 0:
            return position
    return len(data)


def _unescape(body: bytes) -> str:
    def plain(match: re.Match[bytes]) -> bytes:
        octal, hexadecimal, short, long, other = match.groups()
        if octal is not None:
            return bytes([int(octal, 8) & 0xFF])
        if hexadecimal is not None:
            return bytes([int(hexadecimal, 16)])
        if short is not None or long is not None:
            return chr(min(int(short or long, 16), 0x10FFFF)).encode("utf-8", "replace")
        return _SIMPLE.get(other, other)

    return (_ESCAPE.sub(plain, body) if b"\\" in body else body).decode("utf-8", "replace")
