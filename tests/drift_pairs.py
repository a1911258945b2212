"""The labelled pairs of tests/data/drift: read from pairs.toml, and made by the edits that it names."""

import gzip
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import msgspec

DATA = Path(__file__).parent / "data/drift"
_BYTES = re.compile(r"0x([0-9a-f]{2}),")


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One [[pair]]."""

    name: str
    committed: str
    kind: str
    why: str
    generated: str | None = None
    reasons: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    stamp_fits: bool | None = None
    beyond_text: bool = False
    replace: tuple[tuple[str, str], ...] = ()
    drop: str | None = None
    prepend: str = ""
    crlf: bool = False
    bom: bool = False
    cut: str | None = None
    last: str | None = None
    reencode: bool = False
    regzip: bool = False
    unname: bool = False


@dataclass(frozen=True)
class LabelledPair:
    entry: Entry
    committed: bytes
    generated: bytes


def _moved(text: str, start: str) -> str:
    at = text.index(start)
    end = text.index("\n}\n", at) + 3
    return text[:at] + text[end:] + "\n" + text[at:end]


def _literal(text: str) -> tuple[int, int, bytes]:
    first, last = next(_BYTES.finditer(text)), list(_BYTES.finditer(text))[-1]
    raw = bytes(int(match[1], 16) for match in _BYTES.finditer(text))
    return first.start(), last.end(), raw


def _number(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (raw[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not raw[at - 1] & 0x80:
            return value, at


def _sized(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + _sized(number >> 7)


def _fields(raw: bytes) -> list[tuple[int, bytes, bytes]]:
    """Return a message's fields: number, tag with what comes before the content, content."""
    fields, at = [], 0
    while at < len(raw):
        tag, after = _number(raw, at)
        assert tag & 7 in {0, 2}, "descriptors hold numbers and what has a length"
        size, end = _number(raw, after)
        if tag & 7 == 0:
            fields.append((tag >> 3, raw[at:after], raw[after:end]))
            at = end
        else:
            fields.append((tag >> 3, raw[at:end], raw[end : end + size]))
            at = end + size
    return fields


def _reversed_fields(raw: bytes) -> bytes:
    """Write the top-level fields of a message with descending numbers; those of one number keep their order."""
    return b"".join(head + content for _n, head, content in sorted(_fields(raw), key=lambda field: -field[0]))


_MESSAGE_TYPE, _FIELD, _JSON_NAME = 4, 2, 10


def _without_json_names(raw: bytes, path: tuple[int, ...] = (_MESSAGE_TYPE, _FIELD, _JSON_NAME)) -> bytes:
    kept = []
    for number, head, content in _fields(raw):
        if number != path[0]:
            kept.append(head + content)
        elif len(path) > 1:
            inner = _without_json_names(content, path[1:])
            kept.append(head[:1] + _sized(len(inner)) + inner)
    return b"".join(kept)


def _edit(entry: Entry, text: str) -> bytes:
    for old, new in entry.replace:
        assert old in text, f"{entry.name}: {old!r} is not in {entry.committed}"
        text = text.replace(old, new)
    if entry.drop:
        text, count = re.subn(f"(?m){entry.drop}\n", "", text)
        assert count
    if entry.last:
        text = _moved(text, entry.last)
    if entry.cut is not None:
        text = text[: text.index(entry.cut)]
    if entry.reencode or entry.regzip or entry.unname:
        start, end, raw = _literal(text)
        if entry.regzip:
            new = gzip.compress(gzip.decompress(raw), 1)
        else:
            new = _reversed_fields(raw) if entry.reencode else _without_json_names(raw)
        assert new != raw
        text = text[:start] + "".join(f"0x{byte:02x}," for byte in new) + text[end:]
    text = entry.prepend + text
    content = text.encode()
    if entry.crlf:
        content = content.replace(b"\n", b"\r\n")
    return b"\xef\xbb\xbf" + content if entry.bom else content


def _same_name(entry: Entry) -> str:
    return "grpc-1.6.2/note_grpc.pb.go" if entry.committed.endswith("_grpc.pb.go") else "go-1.36.12/note.pb.go"


def labelled_pairs() -> tuple[LabelledPair, ...]:
    """Return every pair; what is generated is the current set's unless pairs.toml names another."""
    entries = msgspec.convert(tomllib.loads((DATA / "pairs.toml").read_text("utf-8"))["pair"], tuple[Entry, ...])
    made = DATA / "made"
    return tuple(
        LabelledPair(
            entry,
            _edit(entry, (made / entry.committed).read_text("utf-8")),
            (made / (entry.generated or _same_name(entry))).read_bytes(),
        )
        for entry in entries
    )
