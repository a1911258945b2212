"""What only macOS's own tools can tell of the host: quarantine, the developer folder, the C compiler's state.

Each tool is run below ``root``, so that small executables can stand for them. Nothing that could open a dialog is run:
the compiler is asked only where a developer folder exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.errors import ProcessError
from labkit.model.base import Text
from labkit.system import proc
from labkit.system.environment import base

_TIMEOUT_S: Final = 10.0
QUARANTINE: Final = "com.apple.quarantine"


@dataclass(frozen=True, kw_only=True)
class Developer:
    """What Apple's developer tools say of themselves; None where ``missing`` says why."""

    folder: str | None = None
    clang_path: str | None = None
    clang_exit_code: int | None = None
    clang_said: str | None = None
    missing: Text | None = None


def quarantined(paths: Sequence[Path], *, root: Path = Path("/")) -> dict[Path, bool] | Text:
    """Return which files carry the quarantine attribute, in one run of xattr; a reason when it could not be run.

    Of a file without it xattr says so on standard error, by its name: ``xattr: PATH: No such xattr: NAME`` (as in
    https://github.com/keepassxreboot/keepassxc/issues/4934). Any file it complains of does not count.
    """
    if not paths:
        return {}
    done = _run(root / "usr/bin/xattr", "-p", QUARANTINE, *map(str, paths))
    if isinstance(done, Text):
        return done
    any_value = bool(done.stdout.strip())
    return {path: any_value and f"{path}: " not in done.stderr for path in paths}


def developer(*, root: Path = Path("/")) -> Developer:
    """Return what xcode-select and xcrun say."""
    chosen = _run(root / "usr/bin/xcode-select", "-p")
    if isinstance(chosen, Text):
        return Developer(missing=chosen)
    folder = chosen.stdout.strip()
    if chosen.returncode != 0 or not folder:
        return Developer(missing=Text(id="host.why.said", values={"tool": "xcode-select -p", "what": _words(chosen)}))
    if not (root / folder.lstrip("/")).is_dir():
        what = f"{folder} is not there"
        return Developer(missing=Text(id="host.why.said", values={"tool": "xcode-select -p", "what": what}))
    found = _run(root / "usr/bin/xcrun", "--find", "clang")
    asked = _run(root / "usr/bin/xcrun", "clang", "--version")
    if isinstance(found, Text) or isinstance(asked, Text):
        return Developer(folder=folder, missing=found if isinstance(found, Text) else None)
    return Developer(
        folder=folder,
        clang_path=found.stdout.strip() or None,
        clang_exit_code=asked.returncode,
        clang_said=None if asked.returncode == 0 else _words(asked),
    )


def _words(done: proc.Completed) -> str:
    return f"{proc.describe_exit(done.returncode)}: {done.first_words(2)}"


def _run(program: Path, *arguments: str) -> proc.Completed | Text:
    try:
        return proc.run((program, *arguments), env=base(), timeout_s=_TIMEOUT_S, check=False)
    except ProcessError as error:
        what = "absent" if not program.exists() else error.what.replace(str(program), program.name)
        return Text(id="host.why.said", values={"tool": program.name, "what": what})
