"""Modules as a proxy serves them: made here for a trial, tampered with, and their sums.

Formats: https://go.dev/ref/mod#goproxy-protocol, https://go.dev/ref/mod#zip-files and, for the sums,
https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1.
"""

import base64
import hashlib
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_UPPER: Final = re.compile(r"[A-Z]")


def escaped(path: str) -> str:
    """Return a module's path or version as proxies and the module cache write it: ``!`` before what was upper case."""
    return _UPPER.sub(lambda match: "!" + match.group().lower(), path)


def folder_of(root: Path, module: str) -> Path:
    """Return the folder of a module's versions below a proxy's root."""
    return root / escaped(module) / "@v"


def h1(files: Mapping[str, bytes]) -> str:
    """Return the h1: sum of files by name; for a go.mod alone the name is ``go.mod``."""
    lines = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode("ascii")


def write(root: Path, module: str, version: str, files: Mapping[str, str]) -> None:
    """Write a version of a module (files by their path within it, go.mod among them) below a proxy's root."""
    folder = folder_of(root, module)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{version}.info").write_text(f'{{"Version":"{version}","Time":"2026-01-01T00:00:00Z"}}')
    (folder / f"{version}.mod").write_text(files["go.mod"])
    with zipfile.ZipFile(folder / f"{version}.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{module}@{version}/{name}", text)


def copy_with_another_byte(original: Path, copy: Path, name: str) -> None:
    """Write a copy of a module's zip with one more line in the file whose name ends with ``name``.

    Raises:
        KeyError: The zip holds no such file.

    """
    copy.parent.mkdir(parents=True, exist_ok=True)
    changed = 0
    with zipfile.ZipFile(original) as source, zipfile.ZipFile(copy, "w") as target:
        for item in source.infolist():
            data = source.read(item)
            if item.filename.endswith(name):
                data += b"\n// tampered with\n"
                changed += 1
            target.writestr(item.filename, data)
    if not changed:
        raise KeyError(name)


def left_in(cache: Path, module: str) -> Iterator[str]:
    """Yield what a module cache holds of a module's contents: ``zip v1.2.3``, ``folder v1.2.3``, ``go.mod v1.2.3``."""
    versions = folder_of(cache / "cache/download", module)
    for kind, suffix in (("go.mod", ".mod"), ("zip", ".zip")):
        for file in sorted(versions.glob(f"*{suffix}")):
            yield f"{kind} {file.name.removesuffix(suffix)}"
    unpacked = cache / escaped(module)
    for folder in sorted(unpacked.parent.glob(f"{unpacked.name}@*")):
        yield f"folder {folder.name.split('@', 1)[1]}"
