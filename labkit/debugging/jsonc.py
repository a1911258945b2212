"""JSON with comments, as VS Code writes it: read, and added to without touching anything that stands there.

Comments and trailing commas are blanked out in place, so that offsets stay; what is added is put in as text before the
end of an array, and the result is read back before anybody gets it.
"""

from typing import Any, Final

import msgspec

from labkit.errors import UsageError

_INDENT: Final = "    "


def parse(text: str, *, name: str) -> dict[str, Any]:
    """Return the object in a text.

    Raises:
        UsageError: It is none.

    """
    try:
        return msgspec.json.decode(_plain(text).encode(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise UsageError(
            f"{name} is not JSON, even with comments: {error}", remedy="mend it, or move it away"
        ) from error


def added(text: str, key: str, items: list[dict[str, Any]], *, name: str) -> str:
    """Return a text whose object has some more items at the end of its array ``key``; all else is as it was.

    Raises:
        UsageError: There is no such array, or it cannot be added to safely.

    """
    before = parse(text, name=name)
    refused = UsageError(
        f"{name} has no array {key!r} that could be added to", remedy="move it away, and put its entries back by hand"
    )
    if not isinstance(before.get(key), list):
        raise refused
    end, last = _end_of(_plain(text), key)
    if end < 0:
        raise refused
    pieces = [_indented(item) for item in items]
    comma = "," if before[key] else ""
    if before[key] and "," in _commas(text, last + 1, end):  # a trailing comma is there already
        comma = ""
    tail = text[end:]
    head = text[: last + 1] + comma + text[last + 1 : end].rstrip() if before[key] else text[:end].rstrip()
    made = f"{head}\n{_INDENT * 2}" + f",\n{_INDENT * 2}".join(pieces) + f"\n{_INDENT}{tail}"
    after = parse(made, name=name)
    if after != before | {key: [*before[key], *items]}:
        raise refused
    return made


def _indented(item: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(item), indent=4).decode().replace("\n", f"\n{_INDENT * 2}")


def _commas(text: str, start: int, end: int) -> str:
    # What stands between the last item and the bracket, comments blanked but commas kept.
    return _blanked(text)[start:end]


def _plain(text: str) -> str:
    """Return the text with comments, a byte-order mark and trailing commas turned into blanks, as long as before."""
    blank = _blanked(text)
    out = list(blank)
    quoted = False
    comma = -1
    index = 0
    while index < len(blank):
        letter = blank[index]
        if quoted:
            index += letter == "\\"
            quoted = letter != '"'
        elif letter == '"':
            quoted, comma = True, -1
        elif letter == ",":
            comma = index
        elif letter in "]}" and comma >= 0:
            out[comma] = " "
            comma = -1
        elif not letter.isspace():
            comma = -1
        index += 1
    return "".join(out)


def _blanked(text: str) -> str:
    out = list(text)
    if text.startswith("\ufeff"):
        out[0] = " "
    index = 0
    while index < len(text):
        if text[index] == '"':
            index += 1
            while index < len(text) and text[index] != '"':
                index += 2 if text[index] == "\\" else 1
            index += 1
            continue
        pair = text[index : index + 2]
        if pair not in {"//", "/*"}:
            index += 1
            continue
        end = text.find("\n", index) if pair == "//" else text.find("*/", index + 2)
        stop = len(text) if end < 0 else end + (0 if pair == "//" else 2)
        for at in range(index, stop):
            out[at] = text[at] if text[at] == "\n" else " "
        index = stop
    return "".join(out)


def _end_of(plain: str, key: str) -> tuple[int, int]:
    """Return where the array of a key of the outermost object ends, and where its last item does; -1 when nowhere."""
    depth, index, wanted, inside = 0, 0, False, -1
    last = -1
    while index < len(plain):
        letter = plain[index]
        start = index
        if letter == '"':
            index += 1
            while plain[index] != '"':
                index += 2 if plain[index] == "\\" else 1
            if depth == 1 and plain[index + 1 :].lstrip().startswith(":"):
                wanted = plain[start : index + 1] == f'"{key}"'
        elif letter in "[{":
            depth += 1
            if wanted and letter == "[" and depth == 2:  # noqa: PLR2004 - the outermost object's own array
                inside = index
        elif letter in "]}":
            depth -= 1
            if inside >= 0 and depth == 1:
                return index, last
        if inside >= 0 and index != inside and not plain[index].isspace() and plain[index] != ",":
            last = index
        index += 1
    return -1, -1
