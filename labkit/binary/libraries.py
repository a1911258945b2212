"""Where a program's libraries would be found: with the system, beside the program, or only that machine knows."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.model.binary import Slice

_MAX_TRIED: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class Places:
    """The libraries that are not there for certain, by what that means."""

    missing: tuple[str, ...]  # could only lie beside the program, and does not
    elsewhere: tuple[str, ...]  # somewhere on that machine: only that machine can tell


def macho_libraries(path: str, slice_: Slice, system: Sequence[str]) -> Places:
    """Return where a Mach-O slice's libraries are, by dyld's rules for ``@rpath``, ``@loader_path`` and the rest.

    A bundle's or library's ``@executable_path`` and inherited rpaths depend on the program that loads it.
    """
    missing: list[str] = []
    elsewhere: list[str] = []
    is_program = slice_.file_type == "executable"
    for name in _distinct(slice_.libraries):
        if name.startswith(tuple(system)) or name in slice_.weak_libraries or name == slice_.install_name:
            continue
        relative, absolute = _macho_candidates(name, slice_.rpaths, is_program=is_program)
        if any(_beside(path, each) for each in relative):
            continue
        inherits = name.startswith("@rpath/") and not is_program  # the rpaths of whatever loads it count too
        (elsewhere if absolute or inherits else missing).append(name)
    return Places(missing=tuple(missing), elsewhere=tuple(elsewhere))


def _macho_candidates(name: str, rpaths: Sequence[str], *, is_program: bool) -> tuple[list[str], list[str]]:
    """Return the candidates relative to the program's folder, and those that lie anywhere else."""
    names = [name]
    if name.startswith("@rpath/"):
        rest = name.removeprefix("@rpath/")
        names = [f"{rpath.rstrip('/')}/{rest}" for rpath in rpaths]
    relative: list[str] = []
    absolute: list[str] = []
    for each in names:
        if each.startswith("@loader_path/"):
            relative.append(each.removeprefix("@loader_path/"))
        elif each.startswith("@executable_path/") and is_program:
            relative.append(each.removeprefix("@executable_path/"))
        else:
            absolute.append(each)
    return relative, absolute


def elf_libraries(path: str, slice_: Slice, known: Iterable[str]) -> Places:
    """Return where an ELF file's libraries are, by ld.so's rules; no library is missing for certain.

    The default folders and ld.so.cache are that machine's own.
    """
    known = frozenset(known)
    folders = [
        each.replace("${ORIGIN}", "$ORIGIN").removeprefix("$ORIGIN").lstrip("/")
        for each in slice_.rpaths
        if each.startswith(("$ORIGIN", "${ORIGIN}"))
    ]
    elsewhere = [
        name
        for name in _distinct(slice_.libraries)
        if name not in known and not any(_beside(path, f"{folder}/{name}".lstrip("/")) for folder in folders)
    ]
    return Places(missing=(), elsewhere=tuple(elsewhere))


def _distinct(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))[:_MAX_TRIED]


def _beside(path: str, relative: str) -> bool:
    if "\0" in relative or "\0" in path:
        return False
    return os.path.lexists(Path(path).absolute().parent / relative)
