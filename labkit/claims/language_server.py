"""A language server asked over its standard input and output what it would complete; what it starts is seen elsewhere.

The protocol is LSP's base protocol: a header with the length, an empty line, and JSON without an end of line
(https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#baseProtocol).
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from labkit.errors import ProcessError
from labkit.system import proc
from labkit.system.proc.interactive import Interactive

_TIMEOUT_S: Final = 120.0
_REMEDY: Final = "read the language server's own output in the log (labkit -v)"
_LENGTH: Final = re.compile(r"Content-Length: *(\d{1,9})")


class _Item(msgspec.Struct, frozen=True):
    label: str


class _List(msgspec.Struct, frozen=True):
    items: tuple[_Item, ...] = ()


class _Error(msgspec.Struct, frozen=True):
    message: str = ""


class _Message(msgspec.Struct, frozen=True):
    id: int | str | None = None
    method: str = ""
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _Error | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a file, both numbers counted from 0 as the protocol has it."""

    file: Path
    line: int
    character: int

    @classmethod
    def behind(cls, file: Path, text: str) -> "Place":
        """Return the place right behind the first occurrence of a text in a file."""
        lines = file.read_text("utf-8").split("\n")
        row = next(number for number, line in enumerate(lines) if text in line)
        return cls(file=file, line=row, character=lines[row].index(text) + len(text))


def complete(
    server: Path, places: Sequence[Place], *, env: Mapping[str, str], root: Path
) -> tuple[tuple[str, ...], ...]:
    """Start a server in a folder, open the places' files as an editor would, and ask what can follow at each.

    Returns:
        The labels that the server offers, a tuple a place.

    Raises:
        ProcessError: The server ended, refused or did not answer.

    """
    with proc.converse([server], env=env, cwd=root) as running:
        _send(running, "initialize", _opening(root), id_=0)
        _answers(running, {0})
        _send(running, "initialized", {})
        for place in places:
            _send(running, "textDocument/didOpen", {"textDocument": _document(place.file)})
        for number, place in enumerate(places, start=1):
            at = {"line": place.line, "character": place.character}
            _send(running, "textDocument/completion", {"textDocument": _name(place.file), "position": at}, id_=number)
        found = _answers(running, set(range(1, len(places) + 1)))
        _send(running, "shutdown", {}, id_=len(places) + 1)
        _send(running, "exit", {})
        return tuple(
            tuple(item.label for item in (msgspec.json.decode(found[number], type=_List | None) or _List()).items)
            for number in range(1, len(places) + 1)
        )


def _opening(root: Path) -> dict[str, object]:
    folders = [{"uri": root.as_uri(), "name": root.name}]
    return {"processId": None, "rootUri": root.as_uri(), "workspaceFolders": folders, "capabilities": {}}


def _name(file: Path) -> dict[str, object]:
    return {"uri": file.as_uri()}


def _document(file: Path) -> dict[str, object]:
    return {"uri": file.as_uri(), "languageId": "go", "version": 1, "text": file.read_text("utf-8")}


def _send(running: Interactive, method: str, params: Mapping[str, object], *, id_: int | None = None) -> None:
    message = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if id_ is None else {"id": id_})
    body = msgspec.json.encode(message).decode()
    running.write_line(f"Content-Length: {len(body.encode()) + 1}\r", remedy=_REMEDY)  # with its end of line
    running.write_line("\r", remedy=_REMEDY)
    running.write_line(body, remedy=_REMEDY)


def _answers(running: Interactive, wanted: set[int]) -> dict[int, bytes]:
    # They come in any order, with the server's own messages among them.
    found: dict[int, bytes] = {}
    while wanted - set(found):
        message = msgspec.json.decode(_body(running), type=_Message)
        if message.method or message.id not in wanted:
            continue
        if message.error is not None:
            raise ProcessError(f"the language server refused: {message.error.message}", remedy=_REMEDY)
        found[int(message.id)] = bytes(message.result)
    return found


def _body(running: Interactive) -> bytes:
    length = 0
    while line := running.read_line(timeout_s=_TIMEOUT_S, remedy=_REMEDY).strip():
        if match := _LENGTH.fullmatch(line):
            length = int(match.group(1))
    if not length:
        raise ProcessError("the language server sent a message without its length", remedy=_REMEDY)
    return running.read_bytes(length, timeout_s=_TIMEOUT_S, remedy=_REMEDY)
