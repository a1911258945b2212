"""A changed ConfigMap that the application does not see: the volume is new, the application is old, no log says so.

The volume is written as the kubelet writes it (:mod:`.volume`), a small service reads it (:mod:`.reader`). It is not a
cluster: nothing here says how long the kubelet takes before it writes.
"""

import sys
from collections.abc import Mapping
from importlib import metadata
from typing import ClassVar

from labkit.model.base import Text
from labkit.model.traps import Case, Step, StepKind
from labkit.traps import parts
from labkit.traps.configmap import spring
from labkit.traps.configmap.cases import Cases
from labkit.traps.configmap.service import Service
from labkit.traps.configmap.volume import FILE, ConfigMapVolume
from labkit.traps.rig import Rig
from labkit.traps.trap import Trap


class ConfigMap(Trap):
    """Update the volume twice by the kubelet's rename of ``..data``; ask a service that read it at its start.

    The probe writes the next value and gives the service some seconds to answer with it. The fix is a service that
    watches the folder for ``..data``.
    """

    id: ClassVar[str] = "configmap"
    needs: ClassVar[tuple[parts.Part, ...]] = (parts.package("watchdog", "watchdog"),)
    sources: ClassVar[tuple[str, ...]] = (
        "https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically",
        "https://github.com/kubernetes/kubernetes/blob/v1.32.9/pkg/volume/util/atomic_writer.go",
        "https://docs.spring.io/spring-cloud-commons/reference/spring-cloud-commons/application-context-services.html",
    )
    notes: ClassVar[tuple[str, ...]] = ("trap_configmap.note.macos",)
    #: Seconds that an update may take to be answered with; a watcher needs some milliseconds.
    patience_s: ClassVar[float] = 3.0

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._volume: ConfigMapVolume | None = None
        self._service: Service | None = None

    @classmethod
    def prepare(cls) -> None:
        """Fetch Spring's libraries and compile the application, where a JDK and Maven are."""
        spring.prepare()

    def reproduce(self) -> Step:
        """Update the volume of a service that reads its configuration once."""
        self._volume = ConfigMapVolume.fresh(self.rig.folder)
        self._service = Service(self.rig, self._volume.file, "never")
        return self._probe(StepKind.REPRODUCE)

    def diagnose(self) -> Step:
        """Compare the file with the answer, and see that the process watches nothing."""
        volume, service = self._parts()
        listed = self.rig.run(["/bin/ls", "-lL", volume.file]).stdout
        watches, reads = service.watches(), service.reads()
        in_file = volume.line()
        output = f"{listed}{in_file}\n{service.value()}\n{'-' if watches is None else watches}"
        return Step(
            kind=StepKind.DIAGNOSE,
            command=f"ls -lL {FILE}; cat {FILE}; curl -s http://127.0.0.1:{service.port}/value; "
            f"ls -l /proc/{service.child.pid}/fd | grep -c inotify",
            output=output,
            seen=in_file != service.value() and reads == 1 and not watches,
            text=Text(id="trap_configmap.step.diagnose"),
            facts={"reads": reads, "watches": -1 if watches is None else watches, "log_lines": len(service.said())},
        )

    def fix(self) -> Step:
        """Start the service again so that it watches the folder for ``..data``."""
        volume, service = self._parts()
        self.rig.end(service.child)
        self._service = Service(self.rig, volume.file, "data")
        watches = self._service.watches()
        return Step(
            kind=StepKind.FIX,
            command="- reader never\n+ reader data",
            output=f"inotify: {'-' if watches is None else watches}",
            seen=watches != 0,
            text=Text(id="trap_configmap.step.fix"),
            facts={"watches": -1 if watches is None else watches},
        )

    def verify(self) -> Step:
        """Update the volume once more."""
        return self._probe(StepKind.VERIFY)

    def control(self) -> Step:
        """Update a volume that a watching service had from the start."""
        self._volume = ConfigMapVolume.fresh(self.rig.folder)
        self._service = Service(self.rig, self._volume.file, "data")
        return self._probe(StepKind.CONTROL)

    def cases(self) -> tuple[Case, ...]:
        """Return what the volume's files show, and Spring's half."""
        return Cases(self.rig, patience_s=self.patience_s).all()

    def versions(self) -> Mapping[str, str]:
        """Return the versions of what watches."""
        return {"watchdog": metadata.version("watchdog"), "python": sys.version.split()[0]}

    def _parts(self) -> tuple[ConfigMapVolume, Service]:
        assert self._volume is not None  # noqa: S101 - reproduce comes first
        assert self._service is not None  # noqa: S101 - reproduce comes first
        return self._volume, self._service

    def _probe(self, kind: StepKind) -> Step:
        volume, service = self._parts()
        line = volume.next()
        stale = not service.becomes(line, patience_s=self.patience_s)
        return Step(
            kind=kind,
            command=f"cat {FILE}; curl -s http://127.0.0.1:{service.port}/value",
            output=f"{volume.line()}\n{service.value()}",
            seen=stale,
            text=Text(id=f"trap_configmap.step.{'stale' if stale else 'fresh'}"),
            facts={"file": line, "answer": service.value(), "log": service.said()},
        )
