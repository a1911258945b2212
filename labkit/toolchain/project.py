"""What a project's folder says of the tools it wants: go.mod, build files, .proto files, heads of generated code.

Reads the folder's own small files, and .proto and .pb.go files a few levels below; runs nothing.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from labkit.model.host import GeneratedHeader, Project, ProjectLine, ProtoFile

_MAX_FILE_BYTES: Final = 256 * 1024
_MAX_FILES: Final = 200
_MAX_LINES: Final = 500
_MAX_DEPTH: Final = 4
_MAX_FOLDERS: Final = 500
_NAMES: Final = frozenset(
    {"Makefile", "GNUmakefile", "makefile", "Dockerfile", "CMakeLists.txt", "Taskfile", "justfile"}
)
_SUFFIXES: Final = frozenset(
    {".mk", ".sh", ".bash", ".zsh", ".yml", ".yaml", ".toml", ".lock", ".json", ".xml", ".gradle", ".kts", ".cmake"}
)
_ABOUT: Final = re.compile(
    r"proto|grpc|osx-|sha256|checksum|supported_envs|go (?:install|get)\b|^\s*- (?:all|darwin|linux|windows|amd64)\b",
    re.IGNORECASE,
)
_PASSED_BY: Final = frozenset({"node_modules", "vendor", "third_party", "testdata"})
_REQUIRE: Final = re.compile(r"^\s*(?:require\s+)?([\w.\-~]+\.[\w.\-~]+(?:/[\w.\-~]+)*)\s+(v\S+)", re.MULTILINE)
_GO_PACKAGE: Final = re.compile(r'^\s*option\s+go_package\s*=\s*"([^"]*)"\s*;', re.MULTILINE)
_MADE_BY: Final = re.compile(r"^//\s*-?\s*(protoc(?:-gen-[\w-]+)?)\s+(v\S+)\s*$", re.MULTILINE)
_SOURCE: Final = re.compile(r"^// source: (\S+)\s*$", re.MULTILINE)
_COMMENT: Final = re.compile(r"//[^\n]*")
_BLOCK: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_HEAD_BYTES: Final = 2048


def read_project(folder: Path) -> Project:
    """Return what a folder says of the tools it wants; what cannot be read counts as absent."""
    go_mod = folder / "go.mod"
    text = _COMMENT.sub("", _text(go_mod))
    below = _below(folder, (".proto", ".pb.go"))
    return Project(
        folder=str(folder),
        go_mod=str(go_mod) if go_mod.is_file() else None,
        go_version=_word_after("go", text),
        toolchain=_word_after("toolchain", text),
        requires=requires(text),
        lines=tuple(_lines(folder)),
        protos=tuple(
            ProtoFile(path=path.relative_to(folder).as_posix(), go_package=go_package(_text(path)))
            for path in below[".proto"]
        ),
        generated=tuple(
            header(path.relative_to(folder).as_posix(), _text(path, _HEAD_BYTES)) for path in below[".pb.go"]
        ),
    )


def requires(go_mod: str) -> Mapping[str, str]:
    """Return module and version of each requirement in the text of a go.mod."""
    body = re.sub(r"^\s*(?:module|replace|exclude|retract|tool)\b[^\n(]*(?:\([^)]*\))?", "", go_mod, flags=re.MULTILINE)
    return {found[1]: found[2] for found in _REQUIRE.finditer(body)}


def go_package(proto: str) -> str | None:
    """Return the go_package of a .proto file's text, None when it has none."""
    found = _GO_PACKAGE.search(_BLOCK.sub("", proto))  # a line after // does not begin with option
    return found[1] if found else None


def header(name: str, text: str) -> GeneratedHeader:
    """Return what the head of a generated file says."""
    source = _SOURCE.search(text)
    return GeneratedHeader(
        path=name, source=source[1] if source else None, made_by={each[1]: each[2] for each in _MADE_BY.finditer(text)}
    )


def _word_after(keyword: str, text: str) -> str | None:
    found = re.search(rf"^\s*{keyword}\s+(\S+)\s*$", text, re.MULTILINE)
    return found[1] if found else None


def _text(path: Path, limit: int = _MAX_FILE_BYTES) -> str:
    try:
        with path.open("rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


def _lines(folder: Path) -> Iterator[ProjectLine]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    wanted = [path for path in entries if (path.name in _NAMES or path.suffix in _SUFFIXES) and path.is_file()]
    kept = 0
    for path in wanted[:_MAX_FILES]:
        for number, line in enumerate(_text(path).splitlines(), 1):
            if _ABOUT.search(line) and kept < _MAX_LINES:
                kept += 1
                yield ProjectLine(file=path.name, number=number, text=line.strip()[:300])


def _below(folder: Path, suffixes: tuple[str, ...]) -> dict[str, list[Path]]:
    """Return files by suffix, down to a few levels and at most so many; hidden and foreign folders are passed by."""
    found: dict[str, list[Path]] = {suffix: [] for suffix in suffixes}
    pending, looked = [(folder, 0)], 0
    while pending and looked < _MAX_FOLDERS:
        place, depth = pending.pop(0)
        looked += 1
        try:
            with os.scandir(place) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _PASSED_BY:
                continue
            if entry.is_dir(follow_symlinks=False):
                if depth < _MAX_DEPTH:
                    pending.append((Path(entry.path), depth + 1))
                continue
            suffix = next((each for each in suffixes if entry.name.endswith(each)), None)
            if suffix is not None and len(found[suffix]) < _MAX_FILES:
                found[suffix].append(Path(entry.path))
    return found
