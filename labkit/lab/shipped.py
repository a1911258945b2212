"""Finds notebooks and profiles: the current folder's first, then those that came with labkit."""

import difflib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from labkit.errors import UsageError
from labkit.system.store import write_atomically


def _folders(kind: str) -> Iterator[Path]:
    yield Path.cwd() / kind
    package = Path(str(resources.files("labkit")))
    yield package / "_shipped" / kind  # in a wheel
    yield package.parent / kind  # in a checkout


def _all(kind: str, suffix: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in _folders(kind):
        for file in sorted(folder.glob(f"*{suffix}")):
            found.setdefault(file.stem, file)
    return dict(sorted(found.items()))


def notebook_names() -> tuple[str, ...]:
    """Return the names of the notebooks there are."""
    return tuple(_all("notebooks", ".ipynb"))


def profile_names() -> tuple[str, ...]:
    """Return the names of the profiles there are."""
    return tuple(_all("params", ".yaml"))


def notebook(name: str) -> Path:
    """Return a notebook's file.

    Raises:
        UsageError: There is none of this name.

    """
    return _pick(name, "notebook", _all("notebooks", ".ipynb"))


def profile(name: str) -> Path:
    """Return a profile's file: a path that exists, else one of the profiles there are.

    Raises:
        UsageError: There is none.

    """
    path = Path(name)
    return path if path.is_file() else _pick(path.stem, "profile", _all("params", ".yaml"))


def _pick(name: str, what: str, known: dict[str, Path]) -> Path:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    raise UsageError(
        f"there is no {what} {name!r}",
        remedy=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}",
    )


def copy_notebooks(folder: Path) -> Path:
    """Copy the notebooks that came with labkit into ``folder/notebooks`` and return that; nothing is overwritten.

    Raises:
        StoreError: The folder cannot be written.

    """
    target = folder / "notebooks"
    for name, file in _all("notebooks", ".ipynb").items():
        if not (target / f"{name}.ipynb").exists():
            write_atomically(target / f"{name}.ipynb", file.read_bytes())
    return target
