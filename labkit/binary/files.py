"""Files by name: what a path or folder stands for, in a fixed order. It opens none of them."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def find(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield each path; for a folder, everything below it that is not a folder, sorted by name.

    What is no plain file (a FIFO, a broken symbolic link) is yielded too, so that nothing is passed over in silence; a
    symbolic link to a folder below is yielded and not followed, and so is a folder that is empty or cannot be listed.
    """
    for path in paths:
        if path.is_dir():
            yield from _below(path)
        else:
            yield path


def _below(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    if not entries:
        yield folder
    for entry in entries:
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
        except OSError:
            is_folder = False
        if is_folder:
            yield from _below(folder / entry.name)
        else:
            yield folder / entry.name
