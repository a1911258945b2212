"""A cron that really fires, by a clock that was put near eight o'clock; in a private mount namespace, as root.

Debian's cron runs in the foreground with crontabs and an /etc of its own. libfaketime moves what it takes for the time
by a fixed number of seconds, so that the entry for eight comes within seconds instead of hours; the daemon, its tables
and its jobs are the real ones. A second entry fires each minute: it says that eight has passed without the first.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case
from labkit.system.proc import Running
from labkit.traps import parts, private
from labkit.traps.rig import Rig
from labkit.traps.timezone import namespaces
from labkit.traps.timezone.clock import INSTANT_S, ZONE

_CRON: Final = parts.program("cron", apt="cron")
_LIBRARIES: Final = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
_FAKETIME: Final = parts.Part(name="libfaketime", present=lambda: _faketime() is not None, apt="libfaketime")
#: Seconds before the full minute at which a daemon is started: it needs less to read its tables.
_AHEAD_S: Final = 6
#: Seconds after which a daemon has missed its minute, because the machine was too busy to start it in time.
_MISSED_S: Final = _AHEAD_S + 30.0
_HOURS_8: Final = 8 * 3600
_PAM: Final = "".join(f"{kind} required pam_permit.so\n" for kind in ("auth", "account", "session"))


@dataclass(frozen=True, kw_only=True)
class _Daemon:
    """One daemon to start: its image, its clock, and whether the entry for eight is to fire."""

    id: str
    at_s: int  # the full minute to which its clock is close, seconds since 1970
    localtime: bool = False
    timezone: bool = False
    cron_tz: bool = False
    fires: bool


#: INSTANT_S is 08:00 in Shanghai and 00:00 in UTC.
_DAEMONS: Final = (
    _Daemon(id="cron_not_at_eight", at_s=INSTANT_S, fires=False),
    _Daemon(id="cron_eight_hours_late", at_s=INSTANT_S + _HOURS_8, fires=True),
    _Daemon(id="cron_tz_line", at_s=INSTANT_S, cron_tz=True, fires=False),
    _Daemon(id="cron_etc_timezone", at_s=INSTANT_S, timezone=True, fires=False),
    _Daemon(id="cron_localtime", at_s=INSTANT_S, localtime=True, fires=True),
)


def _faketime() -> Path | None:
    """Return libfaketime's file: Debian's lies in a folder of its own below the libraries of the architecture."""
    for folder in _LIBRARIES:
        for found in sorted(Path(folder).glob("**/faketime/libfaketime.so.1")):
            return found
    return None


def cases(rig: Rig) -> tuple[Case, ...]:
    """Start all daemons, wait for each one's minute, and return what fired."""
    lacking = next((part for part in (private.ROOT, _CRON, _FAKETIME) if not part.present()), None)
    if lacking is not None:
        return tuple(
            Case(
                id=each.id,
                status=Status.SKIP,
                text=Text(id=f"trap_timezone.case.{each.id}"),
                reason=lacking.reason(),
            )
            for each in _DAEMONS
        )
    running = [(each, _start(rig, each)) for each in _DAEMONS]
    return tuple(_watched(rig, each, child) for each, child in running)


def _table(folder: Path, daemon: _Daemon) -> str:
    """Return root's crontab; the job of the minute comes last, and writes after the job for eight was started."""
    head = f"CRON_TZ={ZONE}\n" if daemon.cron_tz else ""
    return f"{head}0 8 * * * date > {folder}/eight\n* * * * * date > {folder}/minute\n"


def _start(rig: Rig, daemon: _Daemon) -> Running:
    folder = rig.folder / daemon.id
    data = daemon.localtime
    namespaces.image(folder, data=data, timezone=daemon.timezone, localtime=daemon.localtime)
    etc, spool, run = folder / "etc", folder / "spool", folder / "run"
    (etc / "pam.d").mkdir()
    (etc / "pam.d" / "cron").write_text(_PAM, "utf-8")
    (spool / "crontabs").mkdir(parents=True)
    run.mkdir()
    table = spool / "crontabs" / "root"
    table.write_text(_table(folder, daemon), "utf-8")
    table.chmod(0o600)
    library = _faketime()
    assert library is not None  # noqa: S101 - it was looked for
    # Relative, for an absolute time would be read in the daemon's own zone.
    ahead = daemon.at_s - _AHEAD_S - time.time()
    env = rig.environment(LD_PRELOAD=str(library), FAKETIME=f"{ahead:+.3f}", NO_FAKE_STAT="1")
    return rig.start(daemon.id, private.command([parts.path_of("cron"), "-f"], _over(folder)), env=env)


def _over(folder: Path) -> Mapping[Path, Path]:
    return namespaces.covering(folder) | {folder / "spool": Path("/var/spool/cron"), folder / "run": Path("/run")}


def _written(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0


def _watched(rig: Rig, daemon: _Daemon, child: Running) -> Case:
    folder = rig.folder / daemon.id
    minute = folder / "minute"
    rig.until(f"{daemon.id}: the minute's job", lambda: _written(minute), timeout_s=_MISSED_S)
    if daemon.fires:
        eight = folder / "eight"
        rig.until(f"{daemon.id}: the job for eight", lambda: _written(eight))
    fired = (folder / "eight").is_file()
    listed = rig.run(private.command([parts.path_of("crontab"), "-l"], _over(folder))).stdout
    rig.end(child)
    return Case(
        id=daemon.id,
        status=Status.PASS if fired is daemon.fires else Status.FAIL,
        text=Text(id=f"trap_timezone.case.{daemon.id}"),
        command=f"FAKETIME={_AHEAD_S} s before {daemon.at_s} cron -f; crontab -l",
        output=f"{listed}fired: minute{', eight' if fired else ''}",
        facts={
            "fired_at_eight": fired,
            "utc_hour": time.gmtime(daemon.at_s).tm_hour,
            "shanghai_hour": time.gmtime(daemon.at_s + _HOURS_8).tm_hour,
            "uid": os.geteuid(),
        },
    )
