"""An nginx of a trap's own: in the foreground, one worker, everything that it writes in the rig's folder."""

import grp
import os
import pwd
from pathlib import Path
from typing import Final

from labkit.system.proc import Completed
from labkit.traps import fetch
from labkit.traps.parts import path_of, program
from labkit.traps.rig import Rig

NGINX: Final = program("nginx", apt="nginx-light", brew="nginx")
CURL: Final = program("curl", apt="curl", brew="curl")

_CONFIGURATION: Final = """\
{user}daemon off;
pid {folder}/nginx.pid;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{status};
        location / {{ default_type text/plain; return 200 $pid; }}
    }}
{http}
}}
"""


class Nginx:
    """One nginx; :meth:`start` it once, :meth:`reload` it with another ``http`` block as often as wanted."""

    def __init__(self, rig: Rig, name: str, *, level: str = "info") -> None:
        self._rig = rig
        self._level = level
        self._status = rig.port()
        self.folder = rig.folder / name
        self.folder.mkdir()
        self.log = self.folder / "error.log"
        self.configuration = self.folder / "nginx.conf"

    def configure(self, http: str) -> None:
        """Write the configuration; ``http`` is what stands in its http block."""
        # The workers of a root's nginx would be another user's, who may not look into the rig's folder.
        user = f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(0).gr_name};\n" if os.geteuid() == 0 else ""
        self.configuration.write_text(
            f"error_log {self.log} {self._level};\n"
            + _CONFIGURATION.format(user=user, folder=self.folder, status=self._status, http=http)
        )

    def start(self, http: str) -> None:
        """Start it and wait until it accepts connections."""
        self.configure(http)
        self._rig.start("nginx", self._command())
        self._rig.listening(self._status)

    def test(self, *, env: dict[str, str] | None = None) -> Completed:
        """Run ``nginx -t`` on the configuration, whatever it ends with."""
        return self._rig.run([*self._command(), "-t"], check=False, env=env)

    def dump(self) -> str:
        """Return the whole configuration as nginx reads it, ``nginx -T``."""
        return self._rig.run([*self._command(), "-T"]).stdout

    def reload(self, http: str) -> str:
        """Change the configuration of the running nginx, wait until only the new worker runs; return the command."""
        before = self.worker()
        self.configure(http)
        command = [*self._command(), "-s", "reload"]
        self._rig.run(command)
        # Both workers accept connections until the old one has gone.
        self._rig.until("nginx's new worker", lambda: not _runs(before) and self.worker() != before)
        return "nginx -s reload"

    def worker(self) -> int:
        """Return the process id of its worker."""
        return int(fetch.get(self._status, "/")[1])

    def mark(self) -> int:
        """Return a place in the error log, for :meth:`said`."""
        return self.log.stat().st_size

    def said(self, since: int = 0) -> str:
        """Return what the error log holds after a place, without the lines of starting and stopping."""
        with self.log.open("rb") as log:
            log.seek(since)
            text = log.read().decode("utf-8", "replace")
        return "".join(line for line in text.splitlines(keepends=True) if " [notice] " not in line)

    def _command(self) -> list[str | Path]:
        # -e: without it nginx opens its package's own log first.
        return [path_of("nginx"), "-p", self.folder, "-e", self.log, "-c", self.configuration]


def version(rig: Rig) -> str:
    """Return nginx's version as it says it itself."""
    return rig.run([path_of("nginx"), "-v"]).stderr.strip().rpartition("/")[2]


def curl_version(rig: Rig) -> str:
    """Return curl's version as it says it itself."""
    return rig.run([path_of("curl"), "-V"]).stdout.split()[1]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
