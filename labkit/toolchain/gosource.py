"""Searches a Go's own source tree for names, instructions and files that somebody says are there.

The patterns are data beside this module (``gosource.toml``), each over the lines or the paths of ``GOROOT/src``, so
that every provisioned Go can be asked the same. It reads; it judges nothing.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

import msgspec

from labkit.errors import ProvisionError
from labkit.model.experiments import Occurrence, SourceSearch, SourceTree
from labkit.model.toolchain import Toolchain
from labkit.toolchain import golang
from labkit.toolchain.provision import find, program

_SUFFIXES: Final = frozenset({".go", ".s", ".h"})
_KEPT: Final = 5  # occurrences of a search
_MAX_LINE: Final = 200


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to look for."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+$")]
    pattern: str  # a regular expression
    over: str  # lines, paths
    holds: str = ""  # a plain text that a file must hold; looked for first, for that is much faster
    among: str = ""  # only in paths (relative to GOROOT) that this expression is found in
    why: str


@cache
def wanted() -> tuple[Wanted, ...]:
    """Return what is looked for."""
    text = resources.files(__package__).joinpath("gosource.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["search"], tuple[Wanted, ...])


def search_set(toolchain: Toolchain) -> SourceTree:
    """Search the source tree of a set's Go.

    Raises:
        ProvisionError: Its Go came without sources.

    """
    go = program(toolchain, "go")
    root = Path(golang.run(go, "env", "GOROOT", cwd=Path("/")).stdout.strip())
    return search(root, f"go{find(toolchain, 'go').version}")


def search(goroot: Path, go_version: str, searches: tuple[Wanted, ...] | None = None) -> SourceTree:
    """Search a source tree; tests and test data count, for a name that occurs only there is shown by its path.

    Args:
        goroot: The folder whose ``src`` is searched.
        go_version: What to call it.
        searches: What to look for; :func:`wanted` when None.

    Raises:
        ProvisionError: There is no ``src`` in it.

    """
    if not (goroot / "src" / "runtime").is_dir():
        raise ProvisionError(f"{goroot} holds no src/runtime", remedy="use a Go with its sources, as labkit setup has")
    looked_for = wanted() if searches is None else searches
    compiled = [(each, re.compile(each.pattern.encode()), re.compile(each.among)) for each in looked_for]
    counts = dict.fromkeys((each.id for each in looked_for), 0)
    kept: dict[str, list[Occurrence]] = {each.id: [] for each in looked_for}
    files = 0
    for path, name in _files(goroot):
        files += 1
        data = b""
        for each, pattern, among in compiled:
            if not among.search(name):
                continue
            if each.over == "paths":
                hits = [(0, name)] if pattern.search(name.encode()) else []
            else:
                data = data or path.read_bytes()
                tried = each.holds.encode() in data
                hits = [(at.start(), "") for at in pattern.finditer(data)] if tried else []
            counts[each.id] += len(hits)
            for start, text in hits[: _KEPT - len(kept[each.id])]:
                whole = Occurrence(path=name, line=0, text="")
                kept[each.id].append(whole if text else _occurrence(name, data, start))
    found = tuple(
        SourceSearch(
            id=each.id,
            pattern=each.pattern,
            among=f"{each.over} of src/{each.among and ' matching ' + each.among}",
            found=counts[each.id],
            occurrences=tuple(kept[each.id]),
        )
        for each in looked_for
    )
    return SourceTree(go_version=go_version, files=files, searches=found)


def _files(goroot: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted((goroot / "src").rglob("*")):
        if path.suffix in _SUFFIXES and path.is_file():
            yield path, path.relative_to(goroot).as_posix()


def _occurrence(name: str, data: bytes, at: int) -> Occurrence:
    start = data.rfind(b"\n", 0, at) + 1
    end = data.find(b"\n", at)
    text = data[start : end if end >= 0 else len(data)].decode("utf-8", "replace").strip()
    return Occurrence(path=name, line=data.count(b"\n", 0, at) + 1, text=text[:_MAX_LINE])
