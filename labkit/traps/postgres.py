"""A PostgreSQL cluster of a trap's own, in its rig's folder, on a UNIX socket alone. The host's own is never touched.

PostgreSQL refuses to run as root; there it runs as ``nobody`` by ``setpriv`` (Linux), else it is impossible.
"""

import contextlib
import os
import pwd
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from labkit.errors import ProcessError
from labkit.system import environment, proc
from labkit.system.proc import Completed, Interactive, Running
from labkit.traps.parts import Part, find, right
from labkit.traps.rig import PATIENCE_S, Rig

#: Where PostgreSQL's server programs lie: Debian's and Homebrew's folders, neither of them on PATH.
PLACES: Final = (
    "/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin",
)  # fmt: skip
_TOOLS: Final = ("initdb", "postgres", "psql")
_SEGMENT_LINE: Final = 6  # of postmaster.pid, counted from 0: the segment's key and id
_USER: Final = "labkit"
_NOBODY: Final = "nobody"


def part() -> Part:
    """Return PostgreSQL as what a trap needs."""
    return Part(name="PostgreSQL", present=lambda: folder() is not None, apt="postgresql", brew="postgresql@17")


def may_run() -> Part:
    """Return the right to run it: any user but root, who needs ``setpriv`` to become another."""
    return right("postgres_user", lambda: os.geteuid() != 0 or _setpriv() is not None)


def folder() -> Path | None:
    """Return the folder of the server's programs, the newest version's; None when there is none."""
    on_path = find("postgres")
    places = [on_path.resolve().parent] if on_path else []
    for pattern in PLACES:
        places += sorted(Path("/").glob(pattern.lstrip("/")), key=_major, reverse=True)
    return next((place for place in places if all((place / name).is_file() for name in _TOOLS)), None)


def _setpriv() -> Path | None:
    return next((place for place in (find("setpriv"), Path("/usr/bin/setpriv")) if place and place.is_file()), None)


def _major(place: Path) -> int:
    digits = "".join(character for character in place.parent.name if character.isdigit())
    return int(digits or 0)


class Cluster:
    """A cluster that runs; the rig ends it, and its shared memory goes with it."""

    def __init__(self, rig: Rig) -> None:
        programs = folder()
        if programs is None:
            raise ProcessError("PostgreSQL is not there", remedy="install it: apt-get install postgresql")
        self._rig = rig
        self._programs = programs
        self.socket = rig.folder / "pg"
        self.socket.mkdir()
        before: list[str | Path] = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(_NOBODY)
            os.chown(self.socket, nobody.pw_uid, nobody.pw_gid)
            rig.folder.chmod(0o711)  # it is root's alone otherwise, and nobody must pass through it
            drop = _setpriv()
            if drop is None:
                raise ProcessError("PostgreSQL refuses to run as root", remedy="run as an ordinary user")
            before = [drop, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--"]
        data = self.socket / "data"
        self._own = environment.base(HOME=str(self.socket))
        rig.run(
            [*before, programs / "initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C",
             "--no-sync", "--no-instructions"],
            env=self._own,
        )  # fmt: skip
        server = rig.start(
            "PostgreSQL",
            [*before, programs / "postgres", "-D", data, "-k", self.socket, "-c", "listen_addresses=", "-c",
             "fsync=off", "-c", "max_connections=20"],
            env=self._own,
        )  # fmt: skip
        rig.enter(_ended_in_order(server, data))
        rig.until("PostgreSQL's first answer", lambda: self.psql("select 1", check=False).returncode == 0)

    @property
    def address(self) -> str:
        """The cluster as a libpq address; it goes by the socket, and no port is opened."""
        return f"postgresql://{_USER}@/postgres?host={self.socket}&sslmode=disable"

    def command(self, *more: str) -> list[str | Path]:
        """Return a psql that reads no file of the user's and says rows alone."""
        return [
            self._programs / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.socket, "-U", _USER,
            "-d", "postgres", *more,
        ]  # fmt: skip

    def psql(self, *statements: str, check: bool = True) -> Completed:
        """Run statements in one session, each a transaction of its own."""
        flags = [flag for statement in statements for flag in ("-c", statement)]
        return self._rig.run(self.command(*flags), env=self._own, check=check)

    def session(self) -> Interactive:
        """Open a session that stays, for a transaction that is held open."""
        return self._rig.enter(proc.converse(self.command(), env=self._own, cwd=self._rig.folder))

    def version(self) -> str:
        """Return the server's version as it says itself."""
        return self.psql("show server_version").stdout.strip()


@contextlib.contextmanager
def _ended_in_order(server: Running, data: Path) -> Iterator[None]:
    # Its backends leave the process group, and SIGKILL would leave its System V shared memory behind: SIGINT, the
    # server's "fast" shutdown, ends both (https://www.postgresql.org/docs/current/server-shutdown.html).
    try:
        yield
    finally:
        if server.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGINT)
            proc.wait_until(lambda: not server.alive(), timeout_s=PATIENCE_S, what="PostgreSQL's end")
        _remove_shared_memory(data / "postmaster.pid")


def _remove_shared_memory(file: Path) -> None:
    """Remove what a server that was killed has left; its file is there then still, with the segment's id in line 7."""
    lines = file.read_text().splitlines() if file.is_file() else []
    remover = find("ipcrm") or Path("/usr/bin/ipcrm")
    if len(lines) > _SEGMENT_LINE and remover.is_file():
        segment = lines[_SEGMENT_LINE].split()[-1]
        proc.run([remover, "-m", segment], env=environment.base(), timeout_s=60, check=False)
