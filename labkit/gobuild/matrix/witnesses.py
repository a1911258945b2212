"""What the usual tools say of a program's linkage, each in its own words: file, ldd, readelf, otool.

They stand beside what the bytes say and what an empty root showed; none of them decides anything.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from labkit.system import proc
from labkit.system.environment import SYSTEM_PATH, base

_TIMEOUT_S: Final = 60.0
_READELF: Final = re.compile(
    r"^\s*Type:\s+(?P<type>\w+)|Requesting program interpreter: (?P<loader>[^\]]+)|\(NEEDED\).*\[(?P<library>.+)\]"
)


def witnesses(program: Path, platform: str) -> Mapping[str, str]:
    """Return what each tool that is here says; one that is not here is left out.

    Args:
        program: The file; ldd runs its loader, so it must be one of ours.
        platform: What it was built for.

    """
    macho = platform.startswith("darwin/")
    asked: tuple[tuple[str, tuple[str, ...], Callable[[str], str]], ...] = (
        ("file", ("-b",), _first),
        ("ldd", (), _joined),
        *(() if macho else (("readelf", ("-hldW",), _readelf),)),
        *((("otool", ("-L",), _joined), ("llvm-otool", ("-L",), _joined)) if macho else ()),
        *((("llvm-objdump", ("--macho", "--dylibs-used"), _joined),) if macho else ()),
    )
    said: dict[str, str] = {}
    for name, arguments, words in asked:
        found = shutil.which(name, path=SYSTEM_PATH)
        if found is not None:
            done = proc.run([found, *arguments, program], env=base(), timeout_s=_TIMEOUT_S, check=False)
            said[name] = words((done.stdout + done.stderr).replace(str(program), program.name))
    return said


def _first(text: str) -> str:
    # Build ids and loader flags are left out: they say nothing of linkage.
    words = [word for word in text.strip().split(", ") if not word.startswith(("Go BuildID", "BuildID", "flags:"))]
    return ", ".join(words)


def _joined(text: str) -> str:
    lines = [re.sub(r"\s*\((?:0x|compatibility)[^)]*\)", "", line).strip() for line in text.splitlines()]
    return "; ".join(line for line in lines if line and not line.endswith(":"))


def _readelf(text: str) -> str:
    kind, loader, libraries = "", "", []
    for line in text.splitlines():
        if (match := _READELF.search(line)) is not None:
            kind = match["type"] or kind
            loader = match["loader"] or loader
            libraries += [match["library"]] if match["library"] else []
    parts = [f"type {kind}", f"interpreter {loader}" if loader else "no interpreter"]
    parts.append(f"needs {', '.join(libraries)}" if libraries else "needs nothing")
    return ", ".join(parts)
