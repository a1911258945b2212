"""Looks at the folders that a command line names, before anything is done with them."""

import stat
from pathlib import Path


def check_runs(out: Path, command: str) -> None:
    """Check that a folder of runs is there and may be looked at.

    Args:
        out: The folder.
        command: What the remedy shows, ``labkit gc``.

    Raises:
        UsageError: It is none.
        StoreError: The system does not let us look.

    """
    from labkit.errors import StoreError, UsageError

    try:
        there = stat.S_ISDIR(out.stat().st_mode)
        if there:
            next(out.iterdir(), None)
    except (FileNotFoundError, NotADirectoryError):
        there = False
    except OSError as error:
        raise StoreError(
            f"cannot look at {out}: {error.strerror}", remedy="run it as a user who may read that folder"
        ) from error
    if not there:
        raise UsageError(f"{out} is no folder", remedy=f"name the folder of runs: {command} runs")
