"""The host's own tools: whether one of them is exactly what a pin asks for."""

import os
import re
from pathlib import Path
from typing import Final

from labkit.errors import ProcessError
from labkit.system import proc
from labkit.system.environment import host

_ASK_TIMEOUT_S: Final = 20.0


def on_path(name: str) -> Path | None:
    """Return the first executable of a name on the user's PATH, its links resolved."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        candidate = Path(folder or ".") / name
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate.resolve()
    return None


def ask(program: Path, *arguments: str) -> str:
    """Return the first line a tool of the host prints.

    Raises:
        ProcessError: It cannot be started, fails or hangs.

    """
    environ = dict(host()) | {"GOTOOLCHAIN": "local"}
    done = proc.run([program, *arguments], env=environ, timeout_s=_ASK_TIMEOUT_S, cwd=Path("/"))
    return (done.stdout or done.stderr).strip().split("\n", 1)[0]


def go(version: str, platform: str) -> Path | None:
    """Return the host's go when it is exactly this version for exactly this platform (a translated one is not)."""
    found = on_path("go")
    if found is None:
        return None
    try:
        answer = ask(found, "version")
    except ProcessError:
        return None
    return found if answer == f"go version go{version} {platform}" else None


def protoc(version: str) -> tuple[Path, Path] | None:
    """Return the host's protoc and its include folder when it is exactly this version and both are there."""
    found = on_path("protoc")
    if found is None:
        return None
    try:
        answer = ask(found, "--version")
    except ProcessError:
        return None
    include = found.parent.parent / "include"
    if re.fullmatch(rf"libprotoc {re.escape(version)}", answer) is None:
        return None
    return (found, include) if (include / "google/protobuf/timestamp.proto").is_file() else None
