"""What ``date`` says by each means of setting a zone: TZ's strings anywhere, files of /etc in a private namespace."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case
from labkit.traps import private
from labkit.traps.rig import Rig
from labkit.traps.timezone.clock import SYSTEM_DATA, ZONE, date_command, zone_file

Facts = dict[str, str | int | float | bool]

#: TZ alone, without zone data: what it prints, and whether the hour is Shanghai's.
_STRINGS: Final = {
    "tz_cst": ("CST", "00:00 CST +0000"),
    "tz_cst_8": ("CST-8", "08:00 CST +0800"),
}
_UTC: Final = "00:00 UTC +0000"
_LOCAL: Final = "08:00 CST +0800"
#: id: whether zone data are there, whether /etc/timezone and /etc/localtime are, TZ, and what date says.
_SETUPS: Final = {
    "bare": (False, False, False, "", _UTC),
    "tz_without_data": (False, False, False, ZONE, "00:00 Asia +0000"),
    "data_only": (True, False, False, "", _UTC),
    "etc_timezone": (True, True, False, "", _UTC),
    "etc_localtime": (True, False, True, "", _LOCAL),
    "localtime_without_data": (False, False, True, "", _LOCAL),
    "tz_with_data": (True, False, False, ZONE, _LOCAL),
    "recipe": (True, True, True, "", _LOCAL),
}


def image(folder: Path, *, data: bool, timezone: bool, localtime: bool) -> Mapping[Path, Path]:
    """Make an image's files below a folder and return what they cover.

    The image has no more of /etc than what looking up a user takes; its zone data are the zone's one file, or nothing.
    """
    etc, zones = folder / "etc", folder / "zoneinfo"
    etc.mkdir(parents=True)
    zones.mkdir()
    (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", "utf-8")
    (etc / "group").write_text("root:x:0:\n", "utf-8")
    if data:
        (zones / ZONE).parent.mkdir(parents=True)
        shutil.copyfile(zone_file(), zones / ZONE)
    if timezone:
        (etc / "timezone").write_text(f"{ZONE}\n", "utf-8")
    if localtime:
        shutil.copyfile(zone_file(), etc / "localtime")  # a copy, as the handbook's recipe makes it
    return covering(folder)


def covering(folder: Path) -> dict[Path, Path]:
    """Return an image's folders with those that they cover."""
    return {folder / "etc": Path("/etc"), folder / "zoneinfo": SYSTEM_DATA}


def strings(rig: Rig) -> tuple[Case, ...]:
    """Return what TZ's own strings do where no zone data are."""
    empty = rig.folder / "empty"
    empty.mkdir()
    said = {
        tz: rig.run(date_command(), env=rig.environment(TZ=tz, TZDIR=str(empty))).stdout for tz, _ in _STRINGS.values()
    }
    return tuple(_judged(id_, said[tz], tz, wanted) for id_, (tz, wanted) in _STRINGS.items())


def cases(rig: Rig) -> tuple[Case, ...]:
    """Return what ``date`` says by what an image has, each in a namespace of its own, or why none can be made."""
    return tuple(_setup(rig, id_) for id_ in _SETUPS)


def _setup(rig: Rig, id_: str) -> Case:
    data, timezone, localtime, tz, wanted = _SETUPS[id_]
    if not private.NAMESPACE.present():
        text = Text(id=f"trap_timezone.case.{id_}")
        return Case(id=id_, status=Status.SKIP, text=text, reason=private.NAMESPACE.reason())
    over = image(rig.folder / id_, data=data, timezone=timezone, localtime=localtime)
    env = rig.environment(TZ=tz) if tz else rig.environment()
    return _judged(id_, rig.run(private.command(date_command(), over), env=env).stdout, tz, wanted)


def _judged(id_: str, printed: str, tz: str, wanted: str) -> Case:
    said = printed.strip()
    hour, label, offset = (*said.split(), "", "", "")[:3]
    facts: Facts = {"hour": hour, "label": label, "offset": offset, "local": offset == "+0800"}
    return Case(
        id=id_,
        status=Status.PASS if said == wanted else Status.FAIL,
        text=Text(id=f"trap_timezone.case.{id_}"),
        command=" ".join([*([f"TZ={tz}"] if tz else []), "date", *date_command()[1:]]),
        output=said,
        facts=facts,
    )
