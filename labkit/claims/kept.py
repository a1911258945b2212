"""Facts that are judged as they are kept: what is not here yet is not gathered, and its statements say so.

The first report of a machine cannot spend the minutes that all facts take. With these facts a statement is judged now,
from facts that earlier runs kept and from what is there at once; the others are `untested`, with the command that
gathers what they lack. What was gathered before counts only while :mod:`labkit.claims.facts` would carry it over.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from labkit.claims.facts import ClaimFacts
from labkit.claims.using import note_refused
from labkit.errors import LabError
from labkit.system.store import home
from labkit.toolchain import find


class NotGatheredError(LabError):
    """Something is not here and is not to be gathered now: the claim that wants it has no verdict yet."""


class KeptFacts(ClaimFacts):
    """What checks ask, as far as it is here.

    Args:
        toolchain: The name of the set that is judged; the set itself is obtained when it is not here.
        progress: Called with one line before each tool of that set that the store lacks.

    Raises:
        ProvisionError: The set cannot be had.

    """

    def __init__(self, toolchain: str = "current", *, progress: Callable[[str], None] | None = None) -> None:
        self._open = True
        super().__init__(toolchain=toolchain, progress=lambda line: self._step(line, progress))
        self.lab.toolchain  # noqa: B018 - obtains it
        self._open = False

    def go(self, version: str = "") -> Path:
        """Return a go executable that is here.

        Raises:
            NotGatheredError: It would have to be fetched.

        """
        own = find(self.lab.toolchain, "go").pinned_version
        if version and version != own:
            platform = self.lab.toolchain.platform.replace("/", "-")
            if not (home() / "go" / "mod" / "golang.org" / f"toolchain@v0.0.1-go{version}.{platform}").is_dir():
                _refuse(f"Go {version}")
        return super().go(version)

    def _step(self, line: str, progress: Callable[[str], None] | None) -> None:
        # This is called before each step that may take long, and never for what is in the store.
        if not self._open:
            _refuse(line)
        if progress is not None:
            progress(line)


def _refuse(what: str) -> NoReturn:
    note_refused(what)
    raise NotGatheredError(f"{what}: not gathered here yet", remedy="gather it with `labkit claims`")
