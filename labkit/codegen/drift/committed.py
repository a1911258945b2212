"""Finds what is committed: the *.pb.go files below a folder. Git is not asked; the working tree is what counts."""

import os
from pathlib import Path
from typing import Final

from labkit.system.store import saying_why

#: Folders whose generated code is somebody else's, whatever lies in them; so are hidden ones.
NOT_OURS: Final = frozenset({"vendor", "node_modules"})


def find(folder: Path) -> dict[str, Path]:
    """Return the *.pb.go files below a folder by their path relative to it; none when the folder is not there.

    Hidden folders, ``vendor`` and ``node_modules`` are left out, links to folders are not followed.

    Raises:
        StoreError: A folder cannot be read; a comparison that skipped it would pass for nothing.

    """

    def refuse(error: OSError) -> None:
        raise error

    found: dict[str, Path] = {}
    if not folder.is_dir():
        return found
    with saying_why(f"cannot look for generated code below {folder}"):
        for where, folders, files in os.walk(folder, onerror=refuse):
            folders[:] = [name for name in folders if not name.startswith(".") and name not in NOT_OURS]
            here = Path(where)
            for name in files:
                if name.endswith(".pb.go") and not name.startswith("."):
                    found[(here / name).relative_to(folder).as_posix()] = here / name
    return found
