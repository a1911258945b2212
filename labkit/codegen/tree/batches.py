"""Divides sources into batches that go through protoc and the plugins together."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final

#: A batch's sources: large enough that starting three programs and reading common imports again weighs little, small
#: enough that two batches at once stay far below a gigabyte.
MOST_BYTES: Final = 1_500_000
LEAST_BYTES: Final = 100_000
MOST_SOURCES: Final = 500  # a command line has its limit


def divide(names: Iterable[str], sizes: Mapping[str, int], *, jobs: int) -> list[tuple[str, ...]]:
    """Return batches, the largest first; sources of one folder stay side by side, for they import the same.

    Args:
        names: Import names of sources.
        sizes: Bytes of each source.
        jobs: How many batches go through at once.

    """
    ordered = sorted(names, key=lambda name: (PurePosixPath(name).parent.as_posix(), name))
    total = sum(sizes[name] for name in ordered)
    count = max(1, -(-total // MOST_BYTES), min(jobs, total // LEAST_BYTES))
    if jobs > 1 and count > 1:
        count = -(-count // jobs) * jobs  # so that none runs alone at the end
    target = total / count
    batches: list[tuple[str, ...]] = []
    current: list[str] = []
    taken = 0
    for name in ordered:
        full = taken + sizes[name] / 2 > target * (len(batches) + 1)
        if current and (full or len(current) == MOST_SOURCES):
            batches.append(tuple(current))
            current = []
        current.append(name)
        taken += sizes[name]
    if current:
        batches.append(tuple(current))
    return sorted(batches, key=lambda batch: -sum(sizes[name] for name in batch))
