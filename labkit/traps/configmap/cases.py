"""What a ConfigMap's volume shows beside the trap: listings, events, watches, rights, subPath, and Spring's half."""

import sys
import time
from collections.abc import Callable
from typing import Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case
from labkit.traps import parts, private
from labkit.traps.configmap import spring
from labkit.traps.configmap.service import Service
from labkit.traps.configmap.volume import DATA, FILE, ConfigMapVolume
from labkit.traps.rig import Rig

_LINUX: Final = parts.right("linux", lambda: sys.platform.startswith("linux"))
#: File times advance in steps of a clock tick, 10 ms at most.
_TICKS_NS: Final = 50_000_000
#: Seconds that a service still has to notice what another on the same volume has noticed.
_AFTER_WITNESS_S: Final = 0.5


class Cases:
    """The cases, each on a volume of its own.

    Args:
        rig: Where they run.
        patience_s: Seconds that a service may take to notice an update.

    """

    def __init__(self, rig: Rig, *, patience_s: float) -> None:
        self._rig = rig
        self._patience_s = patience_s

    def all(self) -> tuple[Case, ...]:
        """Return every case; one whose parts are missing is skipped with its reason."""
        return (
            self._listing(),
            self._unchanged(),
            self._open_file(),
            self._needing(_LINUX, "events", self._events),
            self._needing(_LINUX, "file_watch", self._file_watch),
            self._needing(_LINUX, "no_capabilities", self._no_capabilities),
            self._needing(private.NAMESPACE, "subpath", self._subpath),
            *spring.cases(self._rig),
        )

    @staticmethod
    def _needing(part: parts.Part, id_: str, case: Callable[[], Case]) -> Case:
        if part.present():
            return case()
        return Case(id=id_, status=Status.SKIP, text=Text(id=f"trap_configmap.case.{id_}"), reason=part.reason())

    def _listing(self) -> Case:
        volume = ConfigMapVolume.fresh(self._rig.folder)
        link, target = volume.file.lstat(), volume.file.stat()
        before = self._listed(volume)
        self._rig.until("a later clock tick", lambda: time.time_ns() > target.st_mtime_ns + _TICKS_NS)
        volume.next()
        link_changed = volume.file.lstat().st_mtime_ns != link.st_mtime_ns
        file_changed = volume.file.stat().st_mtime_ns != target.st_mtime_ns
        inode_changed = volume.file.stat().st_ino != target.st_ino
        return _case(
            "listing",
            file_changed and inode_changed and not link_changed,
            command=f"ls -l {FILE}; ls -lL {FILE}",
            output=f"{before}{self._listed(volume)}",
            facts={
                "link_mtime_changed": link_changed,
                "file_mtime_changed": file_changed,
                "inode_changed": inode_changed,
            },
        )

    def _listed(self, volume: ConfigMapVolume) -> str:
        return "".join(self._rig.run(["/bin/ls", flag, volume.file]).stdout for flag in ("-l", "-lL"))

    def _unchanged(self) -> Case:
        volume = ConfigMapVolume.fresh(self._rig.folder)
        generation, inode = volume.generation(), volume.file.stat().st_ino
        written = volume.write({FILE: f"{volume.line()}\n"})
        same = volume.generation() == generation and volume.file.stat().st_ino == inode
        return _case("unchanged", same and not written, facts={"written": written})

    def _open_file(self) -> Case:
        volume = ConfigMapVolume.fresh(self._rig.folder)
        service = Service(self._rig, volume.file, "held")
        first = volume.line()
        line = volume.next()
        return _case(
            "open_file", (service.value(), volume.line()) == (first, line), output=f"{volume.line()}\n{service.value()}"
        )

    def _events(self) -> Case:
        from watchdog.events import FileSystemEvent, FileSystemEventHandler
        from watchdog.observers import Observer

        class Listener(FileSystemEventHandler):
            """Writes down the changes in the folder itself."""

            def __init__(self) -> None:
                self.seen: list[str] = []

            def on_any_event(self, event: FileSystemEvent) -> None:
                """Write one event down: its kind and names, the kubelet's folder without its time."""
                paths = [str(path) for path in (event.src_path, event.dest_path) if path]
                names = [path.removeprefix(f"{volume.folder}/") for path in paths]
                if event.event_type in {"created", "moved", "deleted"} and not any("/" in name for name in names):
                    self.seen.append(
                        " ".join([event.event_type, *("..time" if n[2:3].isdigit() else n for n in names)])
                    )

        volume = ConfigMapVolume.fresh(self._rig.folder)
        listener, observer = Listener(), Observer()
        observer.schedule(listener, str(volume.folder), recursive=False)
        observer.start()
        try:
            volume.next()
            self._rig.until("the event of the old folder's end", lambda: "deleted ..time" in listener.seen)
        finally:
            observer.stop()
            observer.join()
        swap = f"moved {DATA}_tmp {DATA}"
        order = ["created ..time", f"created {DATA}_tmp", swap, "deleted ..time"]
        # Events of one file that come close together may be told twice; the order of the firsts is the kubelet's.
        return _case(
            "events",
            list(dict.fromkeys(listener.seen)) == order and not any(FILE in seen for seen in listener.seen),
            output="\n".join(listener.seen),
            facts={
                "moved_over_data": listener.seen.count(swap),
                "names_the_file": any(FILE in s for s in listener.seen),
            },
        )

    def _file_watch(self) -> Case:
        """Two services on one volume; the one that watches the folder says when the other has had its chance."""
        volume = ConfigMapVolume.fresh(self._rig.folder)
        service, witness = (Service(self._rig, volume.file, mode) for mode in ("file", "data"))
        noticed: list[bool] = []
        for _update in range(2):
            line = volume.next()
            witness.becomes(line, patience_s=self._patience_s)
            noticed.append(service.becomes(line, patience_s=_AFTER_WITNESS_S))
        return _case(
            "file_watch",
            not noticed[1] and witness.value() == volume.line(),
            output=f"{volume.line()}\n{service.value()}",
            facts={"first_noticed": noticed[0], "second_noticed": noticed[1]},
        )

    def _no_capabilities(self) -> Case:
        volume = ConfigMapVolume.fresh(self._rig.folder)
        service = Service(self._rig, volume.file, "data", "drop")
        noticed = service.becomes(volume.next(), patience_s=self._patience_s)
        rights = dict(line.split(":", 1) for line in service.rights().splitlines())
        capabilities = int(rights.get("CapEff", "1"), 16)
        held = rights.get("NoNewPrivs", "").strip() == "1"
        return _case(
            "no_capabilities",
            noticed and capabilities == 0 and held,
            command=f"grep -E '^(Uid|Cap(Eff|Bnd)|NoNewPrivs):' /proc/{service.child.pid}/status",
            output=f"{service.rights()}\n{volume.line()}\n{service.value()}",
            facts={"noticed": noticed, "capabilities": capabilities, "no_new_privs": held},
        )

    def _subpath(self) -> Case:
        volume = ConfigMapVolume.fresh(self._rig.folder)
        mounted = self._rig.folder / f"subpath-{volume.folder.name}"
        mounted.touch()
        service = Service(self._rig, mounted, "always", over={volume.file: mounted})
        first = service.value()
        line = volume.next()
        now = service.value()
        return _case(
            "subpath",
            (first, now) == ("greeting=v1", "greeting=v1") and volume.line() == line,
            command=f"mount --bind {volume.file} {mounted}",
            output=f"volume: {volume.line()}\nsubPath: {now}",
            facts={"volume": volume.line(), "subpath": now},
        )


def _case(
    id_: str,
    passed: bool,
    *,
    command: str = "",
    output: str = "",
    facts: dict[str, str | int | float | bool] | None = None,
) -> Case:
    return Case(
        id=id_,
        status=Status.PASS if passed else Status.FAIL,
        text=Text(id=f"trap_configmap.case.{id_}"),
        command=command,
        output=output,
        facts=facts or {},
    )
