"""A private mount namespace: folders and files laid over the system's own, for one program and its children only.

Nothing of the host's changes: the mounts are seen inside alone and go with the last process in it
(https://man7.org/linux/man-pages/man7/mount_namespaces.7.html). It needs Linux, and root or user namespaces.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from labkit.errors import ImpossibleHereError, LabError
from labkit.system import environment, proc
from labkit.traps import parts

# Mounts FROM over TO for each pair before "--", then becomes the program behind it.
_SCRIPT: Final = """
set -eu
while [ "$1" != -- ]; do
  mount --bind "$1" "$2"
  shift 2
done
shift
exec "$@"
"""


@cache
def _unshare() -> tuple[str, ...]:
    """Return the command that makes a namespace here; empty where none can be made."""
    if not sys.platform.startswith("linux") or (program := parts.find("unshare")) is None:
        return ()
    as_root: list[tuple[str, ...]] = [(str(program), "--mount", "--propagation", "private")]
    as_user = [(str(program), "--user", "--map-root-user", "--mount", "--propagation", "private")]
    for command in as_root if os.geteuid() == 0 else as_user:
        try:
            proc.run(
                [*command, *_mounting({Path("/etc"): Path("/etc")}), "/bin/true"], env=environment.base(), timeout_s=30
            )
        except LabError:
            continue
        return command
    return ()


def _mounting(over: Mapping[Path, Path]) -> list[str]:
    return ["/bin/sh", "-c", _SCRIPT, "private", *(str(path) for pair in over.items() for path in pair), "--"]


def possible() -> bool:
    """Return whether a private mount namespace can be made here."""
    return bool(_unshare())


#: What a case needs that lays files over the system's own.
NAMESPACE: Final = parts.right("namespace", possible)
#: What a case needs whose program changes to other users.
ROOT: Final = parts.right("root", lambda: possible() and os.geteuid() == 0)


def command(argv: Sequence[str | Path], over: Mapping[Path, Path]) -> list[str]:
    """Return the command that runs a program with files and folders (values) covered by others (keys).

    Raises:
        ImpossibleHereError: No namespace can be made here.

    """
    if not possible():
        raise ImpossibleHereError(
            "this user cannot make a private mount namespace on this system",
            remedy="run it as root on Linux, or allow unprivileged user namespaces",
        )
    return [*_unshare(), *_mounting(over), *(str(word) for word in argv)]
