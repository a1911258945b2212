"""Go's build information from a program's bytes: what ``go version -m -json`` prints, without Go.

Follows Go's own readers step by step: ``debug/buildinfo/buildinfo.go`` (where it lies, both header forms: inline
strings since Go 1.18, pointers before) and ``runtime/debug/mod.go`` (the text) of https://go.dev/src. Like them it
knows ELF and Mach-O by segments; of a fat file the first slice counts. What Go refuses is None here.
"""

import re
from typing import Final

from labkit.binary.image import Image
from labkit.binary.reading import MalformedError, Source, plain
from labkit.model.binary import GoInfo, GoModule

_MAGIC: Final = b"\xff Go buildinf:"
_ALIGN: Final = 16
_HEADER_BYTES: Final = 32
_CHUNK_BYTES: Final = 1024 * 1024
#: Far above a real one (a big program's is 50 KB); Go itself has no limit but memory.
_MAX_TEXT_BYTES: Final = 16 * 1024 * 1024
_MIN_FRAMED: Final = 33


class _RefusedError(Exception):
    """Go's reader would say: not a Go executable."""


def read(source: Source, image: Image) -> GoInfo | None:
    """Return a program's Go build information, or None when it has none that Go could read."""
    try:
        version, text = _Reader(source, image).raw()
        return parse(version, text)
    except (_RefusedError, MalformedError):
        return None


def parse(version: str, text: str) -> GoInfo:
    """Return the build information in its text form (the lines ``path``, ``mod``, ``dep``, ``=>``, ``build``)."""
    path: str | None = None
    main: list[GoModule] = []
    dependencies: list[GoModule] = []
    settings: dict[str, str] = {}
    last: list[GoModule] | None = None
    for line in text.split("\n")[:-1]:  # what no newline ends is not a line, as in Go
        word, _, rest = line.partition("\t")
        match word:
            case "path":
                path = rest
            case "mod":
                main = [_module(rest)]
                last = main
            case "dep":
                dependencies.append(_module(rest))
                last = dependencies
            case "=>":
                if not last or rest.count("\t") != 2:  # noqa: PLR2004 - path, version, sum
                    raise _RefusedError
                old = last[-1]
                last[-1] = GoModule(path=old.path, version=old.version, sum=old.sum, replaced_by=_module(rest))
                last = None
            case "build":
                key, value = _setting(rest)
                settings[key] = value
            case _:
                pass  # Go passes over lines it does not know
    return GoInfo(
        version=version,
        path=path or None,
        main=main[0] if main else None,
        dependencies=tuple(dependencies),
        settings=settings,
    )


def _module(rest: str) -> GoModule:
    columns = rest.split("\t")
    if len(columns) not in {2, 3}:
        raise _RefusedError
    return GoModule(path=columns[0], version=columns[1] or None, sum="".join(columns[2:]) or None)


_QUOTED: Final = re.compile(r'`[^`]*`|"(?:[^"\\\n]|\\.)*"')
_MUST_QUOTE: Final = re.compile(r'[ \t\r\n"`]')


def _setting(rest: str) -> tuple[str, str]:
    if rest[:1] in {"", "="}:
        raise _RefusedError
    if rest[0] in '`"':
        quoted = _QUOTED.match(rest)
        if quoted is None or rest[quoted.end() : quoted.end() + 1] != "=":
            raise _RefusedError
        key, raw = _unquote(quoted[0]), rest[quoted.end() + 1 :]
    else:
        key, equals, raw = rest.partition("=")
        if not equals or _MUST_QUOTE.search(key):
            raise _RefusedError
    if raw[:1] in {"`", '"'}:
        if _QUOTED.fullmatch(raw) is None:
            raise _RefusedError
        return key, _unquote(raw)
    if _MUST_QUOTE.search(raw):
        raise _RefusedError
    return key, raw


_GO_ESCAPES: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL
)
_LETTERS: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}


def _unquote(quoted: str) -> str:
    if quoted[0] == "`":
        return quoted[1:-1].replace("\r", "")

    def plain_form(match: re.Match[str]) -> str:
        byte, short, long_, octal, letter = match.groups()
        if letter is not None:
            if letter not in _LETTERS:
                raise _RefusedError
            return _LETTERS[letter]
        code = int(octal, 8) if octal else int(byte or short or long_, 16)
        if code > (0xFF if octal or byte else 0x10FFFF) or 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - surrogates
            raise _RefusedError
        return chr(code)

    return _GO_ESCAPES.sub(plain_form, quoted[1:-1])


class _Reader:
    """Finds and decodes the blob: a 32-byte header, then either two strings or pointers to two."""

    def __init__(self, source: Source, image: Image) -> None:
        self._source = source
        self._image = image

    def raw(self) -> tuple[str, str]:
        """Return the Go version and the module text, without its frame."""
        address = self._find(*self._where())
        header = self._data(address, _HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            raise _RefusedError
        pointer_bytes, flags = header[14], header[15]
        if flags & 2:
            version, after = self._inline(address + _HEADER_BYTES)
            text, _ = self._inline(after)
        else:
            if pointer_bytes not in {4, 8}:
                raise _RefusedError
            order = "big" if flags & 1 else "little"
            version, text = (self._pointed(header[at : at + pointer_bytes], order) for at in (16, 16 + pointer_bytes))
        if not version:
            raise _RefusedError
        framed = len(text) >= _MIN_FRAMED and text[-17:-16] == b"\n"
        return plain(version), plain(text[16:-16]) if framed else ""

    def _where(self) -> tuple[int, int]:
        if self._image.go_section is not None:
            address, size = self._image.go_section
            return address, size
        for segment in self._image.segments:
            if segment.writable_data and segment.file_size:
                return segment.address, segment.memory_size
        raise _RefusedError

    def _find(self, start: int, size: int) -> int:
        end = start + size
        start = -(-start // _ALIGN) * _ALIGN
        while start < end:
            chunk = self._data(start, min(_CHUNK_BYTES, end - start))
            if not chunk:
                break
            at = -1
            while (at := chunk.find(_MAGIC, at + 1)) >= 0:
                if end - start - at < _HEADER_BYTES:
                    raise _RefusedError
                if at % _ALIGN == 0:
                    return start + at
            start += _CHUNK_BYTES
        raise _RefusedError

    def _data(self, address: int, size: int) -> bytes:
        """Return up to ``size`` bytes at an address: fewer where its segment ends."""
        for segment in self._image.segments:
            if segment.address <= address < segment.address + segment.file_size and segment.name != "__PAGEZERO":
                within = address - segment.address
                size = min(size, segment.file_size - within, self._source.size - segment.offset - within)
                if size > _MAX_TEXT_BYTES:
                    raise _RefusedError
                return self._source.read(segment.offset + within, max(size, 0), "Go build information")
        raise _RefusedError

    def _inline(self, address: int) -> tuple[bytes, int]:
        length, shift, used = 0, 0, 0
        for byte in self._data(address, 10):
            used += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:  # noqa: PLR2004 - the last byte of a varint
                break
        else:
            raise _RefusedError
        if length == 0:
            return b"", address + used
        return self._whole(address + used, length), address + used + length

    def _pointed(self, pointer: bytes, order: str) -> bytes:
        def number(data: bytes) -> int:
            return int.from_bytes(data, "big" if order == "big" else "little")

        try:
            header = self._whole(number(pointer), 2 * len(pointer))
            address, length = number(header[: len(pointer)]), number(header[len(pointer) :])
            return self._whole(address, length) if length else b""
        except _RefusedError:
            return b""  # as Go: an unreadable version refuses the file, an unreadable text is no text

    def _whole(self, address: int, length: int) -> bytes:
        data = self._data(address, length)
        if len(data) < length:
            raise _RefusedError
        return data
