"""Where tools lie on a host: PATH's folders and the usual places, and what kind of place a file is in.

Only names and links are looked at; nothing is opened.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from labkit.model.host import Place

#: What the doctor asks after, in the order in which it is shown.
NAMES: Final = ("go", "protoc", "protoc-gen-go", "protoc-gen-go-grpc", "dlv", "gopls")
_CONDAS: Final = ("miniconda3", "miniforge3", "mambaforge", "anaconda3", "micromamba")
_ARTEFACTS: Final = (
    ".m2/repository/com/google/protobuf/protoc/*/protoc-*.exe",
    ".gradle/caches/modules-2/files-2.1/com.google.protobuf/protoc/*/*/protoc-*.exe",
)
_MAX_ARTEFACTS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Found:
    """One file of a tool's name, before anything is known of it."""

    name: str
    path: Path
    place: Place
    on_path: bool
    executable: bool


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The folders that matter on a host, from its settings. ``root`` stands for / where a test plants a host."""

    root: Path
    home: Path
    path: tuple[Path, ...]
    gobin: Path | None
    gopaths: tuple[Path, ...]
    conda: Path | None
    python: Path | None

    def usual(self) -> tuple[Path, ...]:
        """Return the folders to look in after PATH's, whether they exist or not."""
        brews = [self.root / "opt/homebrew", self.root / "usr/local"]
        kegs = [keg / "bin" for brew in brews for name in ("go", "protobuf") for keg in _glob(brew, f"opt/{name}*")]
        return (
            *((self.gobin,) if self.gobin else ()),
            *(gopath / "bin" for gopath in self.gopaths),
            *(brew / "bin" for brew in brews),
            *kegs,
            self.root / "usr/local/go/bin",
            *(home / "bin" for home in _glob(self.home, "sdk/go*")),
            *((self.conda / "bin",) if self.conda else ()),
            self.home / ".local/bin",
            self.root / "opt/local/bin",
            self.root / "usr/bin",
        )

    def place(self, path: Path, real: Path) -> Place:
        """Return what kind of place a file lies in: the most particular one that fits."""
        folder = path.parent
        gobins = [gopath / "bin" for gopath in self.gopaths]
        tests = (
            (Place.GOBIN, folder == self.gobin),
            (Place.GOPATH_BIN, folder in gobins),
            (Place.HOMEBREW_ARM, path.is_relative_to(self.root / "opt/homebrew")),
            (Place.HOMEBREW_INTEL, _kept_by_homebrew(self.root / "usr/local", path, real)),
            (Place.CONDA, self.conda is not None and path.is_relative_to(self.conda)),
            (Place.CONDA, (folder.parent / "conda-meta").is_dir()),
            (Place.PYTHON, self.python is not None and path.is_relative_to(self.python)),
            (Place.PYTHON, (folder.parent / "pyvenv.cfg").is_file()),
            (Place.USUAL, folder in self.usual()),
        )
        return next((place for place, fits in tests if fits), Place.PATH)


def layout(environ: Mapping[str, str], written: Mapping[str, str], root: Path) -> Layout:
    """Return the folders that matter, from the environment and from what ``go env -w`` wrote (the environment wins)."""
    home = Path(environ.get("HOME") or root)
    gobin = environ.get("GOBIN") or written.get("GOBIN")
    gopath = environ.get("GOPATH") or written.get("GOPATH") or str(home / "go")
    python = environ.get("VIRTUAL_ENV")
    return Layout(
        root=root,
        home=home,
        path=tuple(Path(folder or ".") for folder in environ.get("PATH", "").split(os.pathsep)),
        gobin=Path(gobin) if gobin else None,
        gopaths=tuple(Path(entry) for entry in gopath.split(os.pathsep) if entry),
        conda=_conda(environ, home, root),
        python=Path(python) if python else None,
    )


def find_tools(where: Layout, own: Iterable[Path] = ()) -> tuple[Found, ...]:
    """Return every file of a tool's name, PATH's first in their order, each file once a folder; ``own`` is labkit's."""
    folders = tuple(dict.fromkeys(where.path))
    found = [*_in(folders, where, on_path=True)]
    found += _in([folder for folder in dict.fromkeys(where.usual()) if folder not in folders], where, on_path=False)
    found += [
        replace(each, place=Place.LABKIT)
        for each in _in([folder for folder in own if folder not in folders], where, on_path=False)
    ]
    for pattern in _ARTEFACTS:
        for path in _glob(where.home, pattern)[-_MAX_ARTEFACTS:]:
            usable = os.access(path, os.X_OK)
            found.append(Found(name="protoc", path=path, place=Place.MAVEN, on_path=False, executable=usable))
    return tuple(sorted(found, key=lambda each: NAMES.index(each.name)))


def _in(folders: Iterable[Path], where: Layout, *, on_path: bool) -> Iterator[Found]:
    for folder in folders:
        for name in NAMES:
            path = folder / name
            if not os.path.lexists(path) or path.is_dir():
                continue
            executable = path.is_file() and os.access(path, os.X_OK)
            place = where.place(path, Path(os.path.realpath(path)))
            yield Found(name=name, path=path, place=place, on_path=on_path, executable=executable)


def _kept_by_homebrew(prefix: Path, path: Path, real: Path) -> bool:
    kept = tuple(prefix / name for name in ("Cellar", "opt"))
    return any(each.is_relative_to(folder) for each in (path, real) for folder in kept)


def _conda(environ: Mapping[str, str], home: Path, root: Path) -> Path | None:
    named = environ.get("CONDA_PREFIX")
    candidates = [Path(named)] if named else [*(home / name for name in _CONDAS), root / "opt/conda"]
    return next((folder for folder in candidates if (folder / "conda-meta").is_dir() or named), None)


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
