"""Versions of the plugin side by side, by module: what works, on which Go, and what gopls has to do with it.

``pair`` beside this file is a workspace of two modules that generate the same .proto with protoc-gen-go 1.28 and 1.36,
each by its own go.mod. :func:`run` copies it, tries on the copies what a user would try, and says what answered. No
outcome is written down beforehand: each is computed from what the tools did.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from labkit.codegen.side_by_side import editor, halves, means, workspace
from labkit.codegen.side_by_side.trial import PAIR, Place
from labkit.errors import StoreError
from labkit.model.side_by_side import SideBySide
from labkit.model.toolchain import Toolchain
from labkit.toolchain import find

__all__ = ["OTHER_GO", "PAIR", "run"]

#: Of the last series without the tool line in go.mod, and of the first with it; the set's Go fetches each (70 MB) as a
#: module.
OTHER_GO: Final = ("1.23.12", "1.24.9")
_AT_ONCE: Final = 4  # each has its copy of the pair; Go itself takes every core while it links


def run(toolchain: Toolchain, folder: Path, *, other_go: Sequence[str] = OTHER_GO) -> SideBySide:
    """Try every way of holding versions by module, and return what answered.

    Args:
        toolchain: The set whose Go, protoc and gopls do it; without gopls (``provision(..., optional=["gopls"])``)
            what is asked of gopls is not tried.
        folder: A folder to work in, which must be empty or not there yet; the copies stay there to be looked at.
        other_go: Versions of Go to try as well, where the version matters; one that cannot be had is not tried.

    Raises:
        StoreError: The folder holds something, or cannot be written.
        NetworkError: A module of the pair is not here and could not be fetched.

    """
    if folder.exists() and any(folder.iterdir()):
        raise StoreError(f"{folder} is not empty", remedy="name a folder that is empty or not there yet")
    started = time.monotonic()
    place = Place.make(toolchain, folder)
    asked = (*means.asked(place, other_go), *workspace.asked(place), *editor.asked(place))
    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, _AT_ONCE)) as pool:
        looked_at = [pool.submit(look) for look in halves.asked(place)]
        experiments = tuple(pool.map(lambda ask: ask(), asked))
    gopls = next((tool.version for tool in toolchain.tools if tool.name == "gopls"), None)
    return SideBySide(
        toolchain=toolchain.name,
        toolchain_digest=toolchain.digest,
        platform=toolchain.platform,
        go=place.go_version,
        protoc=find(toolchain, "protoc").pinned_version,
        gopls=gopls,
        halves=tuple(each.result() for each in looked_at),
        experiments=experiments,
        wall_time_s=time.monotonic() - started,
    )
