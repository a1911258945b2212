"""Asks tools of the host their versions, and remembers what unchanged files answered.

A file counts as unchanged while its device, inode, size and times are. Only good answers are kept: a tool that failed
is asked again each time, for what it lacked may have come. The memory is one small file under ``LABKIT_HOME``.
"""

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from labkit.errors import LabError, ProcessError, TimeoutExpiredError
from labkit.model.base import Record
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import home, write_atomically

_TIMEOUT_S: Final = 5.0
_MAX_KEPT: Final = 200
_QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {"go": ("version",), "dlv": ("version",), "gopls": ("version",)}
_VERSION: Final = re.compile(r"(?<![\w.])v?(?:go)?(\d+(?:\.\d+)+(?:-?(?:rc|beta|alpha|dev)[\w.]*)?)")


class Answer(Record, frozen=True, kw_only=True):
    """What a tool said when it was asked its version."""

    reported: str | None  # the line that names the version, else the first one
    version: str | None
    error: str | None
    signal: int | None = None


class Memory:
    """Good answers by what their file was; ``None`` as its file forgets everything."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._kept: dict[str, Answer] = {}
        self._changed = False
        if file is not None:
            with contextlib.suppress(OSError, msgspec.DecodeError, ValueError):
                self._kept = msgspec.json.decode(file.read_bytes(), type=dict[str, Answer])

    @classmethod
    def of_labkit(cls) -> "Memory":
        """Return the memory under ``LABKIT_HOME``."""
        return cls(home() / "host-answers.json")

    def ask(self, name: str, path: Path) -> Answer:
        """Return what a tool says, from memory when its file is what it was."""
        key = _key(path)
        known = self._kept.get(key) if key else None
        if known is not None:
            return known
        answer = ask(name, path)
        if key and answer.error is None:
            self._kept[key] = answer
            self._changed = True
        return answer

    def keep(self) -> None:
        """Write what is new; that it cannot be written costs only time."""
        if self._changed and self._file is not None:
            newest = dict(list(self._kept.items())[-_MAX_KEPT:])
            with contextlib.suppress(LabError):
                write_atomically(self._file, msgspec.json.encode(newest))


def ask(name: str, path: Path) -> Answer:
    """Ask a tool its version, with none of the user's Go settings and no network."""
    question = _QUESTIONS.get(name, ("--version",))
    environ = base(GOTOOLCHAIN="local", GOENV="off", GOPROXY="off", GOFLAGS="")
    try:
        done = proc.run([path.absolute(), *question], env=environ, timeout_s=_TIMEOUT_S, cwd=Path("/"), check=False)
    except TimeoutExpiredError:
        return Answer(reported=None, version=None, error=f"no answer within {_TIMEOUT_S:g} s")
    except ProcessError as error:
        return Answer(reported=None, version=None, error=error.what)
    lines = [line.strip() for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip()]
    if done.returncode != 0:
        said = f"{proc.describe_exit(done.returncode)}: {done.first_words(2)}"
        signal = -done.returncode if done.returncode < 0 else None
        return Answer(reported=lines[0] if lines else None, version=None, error=said, signal=signal)
    naming = next((line for line in lines if _VERSION.search(line)), None)
    if naming is None:
        said = lines[0] if lines else "it printed nothing"
        return Answer(reported=lines[0] if lines else None, version=None, error=f"no version in: {said}")
    found = _VERSION.search(naming)
    return Answer(reported=naming, version=found[1] if found else None, error=None)


def _key(path: Path) -> str | None:
    try:
        status = path.stat()
    except OSError:
        return None
    parts = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return f"{os.path.realpath(path)}:{':'.join(map(str, parts))}"
