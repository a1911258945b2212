"""A git repository on this machine that stands for one on the web, so that Go can fetch from it directly.

The module's path is one whose host Go knows without asking the web (https://go.dev/ref/mod#vcs-find); git is told by a
.gitconfig of our own to read the repository from a folder. Names and dates are fixed, and so are the commits.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.errors import ProcessError
from labkit.gobuild.resolution.trial import Trial
from labkit.system import proc
from labkit.system.environment import base

MODULE: Final = "github.com/example/plugin"
TAG: Final = "v1.2.2"
_DATES: Final = ("2023-09-15T14:22:00+00:00", "2023-09-15T14:22:01+00:00")


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit after :data:`TAG`."""

    hash: str  # 40 hex digits
    stamp: str  # its time as a pseudo-version has it, 20230915142201

    @property
    def pseudo_version(self) -> str:
        """What https://go.dev/ref/mod#pseudo-versions makes of it."""
        return f"v1.2.3-0.{self.stamp}-{self.hash[:12]}"


def find_git() -> Path | None:
    """Return a git that answers; macOS has one that only asks for the developer tools to be installed."""
    found = shutil.which("git")
    if found is None:
        return None
    try:
        proc.run([Path(found).absolute(), "--version"], env=base(), timeout_s=30)
    except ProcessError:
        return None
    return Path(found).absolute()


def make(trial: Trial) -> Commit:
    """Make the repository of a module with one tagged commit and one after it; the trial's Go finds it.

    Raises:
        ProcessError: git failed.

    """
    place = trial.work / "repositories" / "plugin"
    place.mkdir(parents=True)
    (place / "go.mod").write_text(f"module {MODULE}\n\ngo 1.21\n")
    trial.home = trial.work / "home"
    trial.home.mkdir()
    (trial.home / ".gitconfig").write_text(
        f'[url "{place.parent.resolve().as_uri()}/"]\n\tinsteadOf = https://github.com/example/\n'
        '[protocol "file"]\n\tallow = always\n'
    )
    _git(trial, place, "init", "--quiet")
    for number, date in enumerate(_DATES):
        (place / "plugin.go").write_text(f"package plugin\n\nconst Build = {number}\n")
        _git(trial, place, "add", ".")
        _git(trial, place, "commit", "--quiet", "-m", f"build {number}", date=date)
        if number == 0:
            _git(trial, place, "tag", TAG)
    stamp = "".join(character for character in _DATES[-1][:19] if character.isdigit())
    return Commit(hash=_git(trial, place, "rev-parse", "HEAD"), stamp=stamp)


def _git(trial: Trial, place: Path, *arguments: str, date: str = _DATES[0]) -> str:
    assert trial.git is not None  # noqa: S101 - an experiment that uses it says so in its needs
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "labkit"), ("EMAIL", "labkit@example.com"), ("DATE", date))
    }
    environ = base(GIT_CONFIG_NOSYSTEM="1", **who) | {"HOME": str(trial.home)}
    return proc.run([trial.git, *arguments], env=environ, timeout_s=60, cwd=place).stdout.strip()
