"""What labkit remembers of an output folder between runs: in its own cache, by the folder's path, never in the folder.

Sources are known by a signature of their file (times, size, inode) with the digest of their content behind it; a
signature so young that a change could have kept it is not believed next time (git's "racy" entries,
https://git-scm.com/docs/racy-git). What is lost or not understood only costs a run in which all is generated.
"""

import gc
import hashlib
import os
import time
from pathlib import Path
from typing import Final

import msgspec

from labkit.codegen.tree.heads import Head
from labkit.system import store

_FORMAT: Final = 1
#: A time stamp is coarser than its digits: Linux stamps by its timer's tick, some file systems by one or two seconds.
_TICK_NS: Final = 50_000_000
_COARSE_NS: Final = 2_100_000_000
_UNKNOWN: Final = (0, 0, 0, 0)

Signature = tuple[int, int, int, int]


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A .proto file as it was when it was last read."""

    signature: Signature  # modified and changed (ns), size (bytes), inode; zeros when it is not to be believed
    digest: bytes  # sha256 of its content
    head: Head


class MadeFile(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A generated file as it was when it was put into the output folder."""

    path: str
    plugin: str
    size_bytes: int
    line_count: int
    sha256: str
    made_by: dict[str, str]
    signature: tuple[int, int, int]  # modified (ns), size (bytes), inode; zeros when it is not to be believed


class Made(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one source became."""

    key: bytes  # of all that went in
    source_path: str
    import_path: str
    files: tuple[MadeFile, ...]


class State(msgspec.Struct, array_like=True):
    """All that is remembered of an output folder."""

    format: int
    out: str
    seen: dict[str, Seen]  # by absolute path
    made: dict[str, Made]  # by import name


def folder_of(out: str) -> Path:
    """Return the folder of an output folder's state."""
    return store.home() / "generate" / hashlib.sha256(os.path.realpath(out).encode()).hexdigest()[:16]


def empty(out: str) -> State:
    """Return the state of a folder of which nothing is known."""
    return State(_FORMAT, out, {}, {})


def read(file: Path, out: str) -> State:
    """Return the state in a file; an empty one when there is none, or none that is understood."""
    collecting = gc.isenabled()
    gc.disable()  # nothing of what is read is garbage, and looking through it takes as long as reading it
    try:
        found = msgspec.msgpack.decode(file.read_bytes(), type=State)
    except (OSError, msgspec.DecodeError):
        return empty(out)
    finally:
        if collecting:
            gc.enable()
    return found if found.format == _FORMAT and found.out == out else empty(out)


def write(file: Path, state: State) -> None:
    """Write a state atomically.

    Raises:
        StoreError: It could not be written.

    """
    store.write_atomically(file, msgspec.msgpack.encode(state))


def signature(status: os.stat_result) -> Signature:
    """Return a file's signature."""
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def believable(status: os.stat_result) -> Signature:
    """Return a file's signature if a later change must show in it, else zeros. The file was read after ``status``."""
    newest = max(status.st_mtime_ns, status.st_ctime_ns)
    slack = _TICK_NS if newest % 1_000_000_000 else _COARSE_NS
    return signature(status) if newest + slack < time.time_ns() else _UNKNOWN


def made_signature(status: os.stat_result) -> tuple[int, int, int]:
    """Return a generated file's signature: without the time of its change of name, which comes after its writing."""
    return status.st_mtime_ns, status.st_size, status.st_ino
