"""A container without zone data: TZ names a zone, the time is UTC, and nothing says so.

A container's image is a folder of zone data here, empty or not, that ``date`` is pointed to by TZDIR; so it runs
without any right. The cases say the same of a private mount namespace, where the system's own folder is covered
(:mod:`.namespaces`), of languages that carry their own data (:mod:`.languages`), and of a cron that fires
(:mod:`.cron`).
"""

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

from labkit.model.base import Text
from labkit.model.traps import Case, Step, StepKind
from labkit.traps import parts
from labkit.traps.rig import Rig
from labkit.traps.timezone import cron, languages, namespaces
from labkit.traps.timezone.clock import SYSTEM_DATA, ZONE, date_command, zone_file
from labkit.traps.trap import Trap

_OFFSET: Final = re.compile(r"[+-]\d{4}$", re.MULTILINE)


class TimeZone(Trap):
    """Ask ``date`` for one fixed instant with TZ=Asia/Shanghai, where the zone's data are missing and where they are.

    The symptom is there when ``date`` succeeds, says nothing, and prints UTC's offset. The fix puts the zone data in.
    """

    id: ClassVar[str] = "timezone"
    needs: ClassVar[tuple[parts.Part, ...]] = (
        parts.program("date", apt="coreutils", brew="coreutils"),
        parts.Part(name="tzdata", present=lambda: zone_file().is_file(), apt="tzdata"),
    )
    sources: ClassVar[tuple[str, ...]] = (
        "https://www.gnu.org/software/libc/manual/html_node/TZ-Variable.html",
        "https://man7.org/linux/man-pages/man3/tzset.3.html",
        "https://pkg.go.dev/time#LoadLocation",
        "https://docs.python.org/3/library/zoneinfo.html#data-sources",
        "crontab(5) of Debian 12 (cron 3.0pl1)",
    )
    notes: ClassVar[tuple[str, ...]] = ("trap_timezone.note.macos",)

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._data = rig.folder / "image" / "zoneinfo"

    @classmethod
    def prepare(cls) -> None:
        """Build the Go programs that load a zone."""
        languages.prepare()

    def reproduce(self) -> Step:
        """Ask in an image without zone data."""
        self._data.mkdir(parents=True)
        return self._probe(StepKind.REPRODUCE)

    def diagnose(self) -> Step:
        """Look for the file that TZ names."""
        wanted = self._data / ZONE
        said = self.rig.run(["/bin/ls", "-l", wanted], check=False)
        return Step(
            kind=StepKind.DIAGNOSE,
            command=f"ls -l {wanted}",
            output=said.stderr or said.stdout,
            seen=said.returncode != 0 and "No such file" in said.stderr,
            text=Text(id="trap_timezone.step.diagnose"),
            facts={"zone_file": wanted.exists()},
        )

    def fix(self) -> Step:
        """Put the zone data into the image, as installing tzdata does."""
        self._install(self._data)
        return Step(
            kind=StepKind.FIX,
            command="+ apk add --no-cache tzdata    # Debian: apt-get install tzdata",
            output=f"{ZONE}: {(self._data / ZONE).stat().st_size} bytes",
            seen=(self._data / ZONE).is_file(),
            text=Text(id="trap_timezone.step.fix"),
        )

    def verify(self) -> Step:
        """Ask again."""
        return self._probe(StepKind.VERIFY)

    def control(self) -> Step:
        """Ask in another image, which had its zone data from the start."""
        self._data = self.rig.folder / "control" / "zoneinfo"
        self._install(self._data)
        return self._probe(StepKind.CONTROL)

    def cases(self) -> tuple[Case, ...]:
        """Return what TZ, files, languages and cron do with and without the data."""
        return (
            *namespaces.strings(self.rig),
            *namespaces.cases(self.rig),
            *languages.cases(self.rig),
            *cron.cases(self.rig),
        )

    def versions(self) -> Mapping[str, str]:
        """Return the versions of date, the zone data and Python."""
        said = self.rig.run([parts.path_of("date"), "--version"], check=False).stdout.splitlines()
        version = SYSTEM_DATA / "tzdata.zi"
        data = version.read_text("utf-8").splitlines()[0] if version.is_file() else "?"
        return {"date": said[0] if said else "?", "tzdata": data.lstrip("# "), "python": sys.version.split()[0]}

    def _install(self, folder: Path) -> None:
        (folder / ZONE).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(zone_file(), folder / ZONE)

    def _probe(self, kind: StepKind) -> Step:
        words = date_command()
        env = self.rig.environment(TZ=ZONE, TZDIR=str(self._data))
        said = self.rig.run(words, env=env, check=False)
        offset = _OFFSET.search(said.stdout)
        wrong = said.returncode == 0 and not said.stderr and offset is not None and offset[0] == "+0000"
        return Step(
            kind=kind,
            command=f"TZ={ZONE} TZDIR={self._data} {' '.join(['date', *words[1:]])}",
            output=said.stdout + said.stderr,
            seen=wrong,
            text=Text(id=f"trap_timezone.step.{'utc' if wrong else 'local'}"),
            facts={
                "offset": offset[0] if offset else "",
                "label": said.stdout.split()[-2] if len(said.stdout.split()) > 1 else "",
                "exit_code": said.returncode,
                "error_text": said.stderr.strip(),
            },
        )
