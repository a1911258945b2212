"""The trap ``kafka``, step by step, on librdkafka's mock cluster; the collector's numbers are in :mod:`.collector`."""

import re
from collections.abc import Mapping
from typing import ClassVar, Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case, Step, StepKind
from labkit.traps.kafka import broker, collector
from labkit.traps.kafka.group import Group, Pause
from labkit.traps.parts import package
from labkit.traps.trap import Trap

#: The least that the mock can serve: it gathers members for 3 s before it gives out partitions.
_SESSION_MS: Final = 4000
_MENDED_MS: Final = 20000
_DEFAULT_MS: Final = 45000  # of librdkafka and, since 3.0, of Kafka's own clients
_MOST_PAUSE_S: Final = 10.0
_SHORT_PAUSE_S: Final = 1.0
_SYMPTOM: Final = "SESSTMOUT"


class Kafka(Trap):
    """Pause one of two consumers, all of its threads, until the other has its partitions, at most ten seconds.

    The pause is SIGSTOP: what a collector that stops the world does to heartbeats, made to last. The same pause is
    tried with a session timeout below it, above it, and the library's own.
    """

    id = "kafka"
    needs = (package("confluent-kafka", "confluent_kafka"),)
    sources = (
        "https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md",
        "https://kafka.apache.org/documentation/#consumerconfigs_session.timeout.ms",
        "https://docs.oracle.com/en/java/javase/17/docs/specs/man/jstat.html",
    )
    notes = ("trap_kafka.note.pause",)
    session_ms: ClassVar[int] = _SESSION_MS  # the fault: less than the pause

    @classmethod
    def prepare(cls) -> None:
        """Fetch the broker of the large form, when that is asked for."""
        broker.prepare()

    def reproduce(self) -> Step:
        """Pause a consumer whose session is shorter; before it, one short pause for comparison."""
        self._group = Group(self.rig, self.session_ms)
        self._untouched = Group(self.rig, _DEFAULT_MS)  # the control's, which takes its time to gather
        self._group.settled()
        self._short = self._pause(self._group, _SHORT_PAUSE_S)
        self._long = self._pause(self._group, _MOST_PAUSE_S)
        return self._step(StepKind.REPRODUCE, self._group, self._long)

    def diagnose(self) -> Step:
        """Compare the pause with the session: when the cluster put the consumer out, and what the consumer says."""
        said = re.search(r"session timed out \(in join-state \w+\) after (\d+) ms", self._long.log)
        silent_ms = int(said.group(1)) if said else 0
        out_after_ms = round(((self._long.rebalanced_s or self._long.began_s) - self._long.began_s) * 1000)
        return Step(
            kind=StepKind.DIAGNOSE,
            command=f"grep {_SYMPTOM} consumer-A.log  # beside session.timeout.ms={self.session_ms}",
            output=f"{_symptom(self._long)}\n\n{self._long.timeline()}",
            seen=silent_ms > self.session_ms and self.session_ms - 1000 <= out_after_ms < self._long.length_ms,
            text=Text(
                id="trap_kafka.step.diagnose",
                values={"silent_ms": silent_ms, "session_ms": self.session_ms, "out_after_ms": out_after_ms},
            ),
            facts={"silent_ms": silent_ms, "session_ms": self.session_ms, "out_after_ms": out_after_ms},
        )

    def fix(self) -> Step:
        """Restart the consumers with a session that outlasts the pause."""
        self._group.settled()  # a member that leaves while its group gathers is waited for until its session ends
        self._group.restart(_MENDED_MS)
        self._group.settled()
        return Step(
            kind=StepKind.FIX,
            command=f"-session.timeout.ms={self.session_ms}\n+session.timeout.ms={_MENDED_MS}",
            output=f"A works on {self._group.first.share()} partitions, B on {self._group.second.share()}",
            seen=True,
            text=Text(id="trap_kafka.step.fix", values={"session_ms": _MENDED_MS}),
            facts={"session_ms": _MENDED_MS},
        )

    def verify(self) -> Step:
        """Pause again; the control's consumer is paused at the same time, for a pause is mostly waiting."""
        self._group.settled()
        self._untouched.settled()
        groups = (self._group, self._untouched)
        for group in groups:
            group.stop_first()
        for group in groups:
            group.wait(_MOST_PAUSE_S)
        mended, self._control = (group.resume_first() for group in groups)
        return self._step(StepKind.VERIFY, self._group, mended)

    def control(self) -> Step:
        """Say what the pause did on a cluster of its own to consumers with the library's own session timeout."""
        return self._step(StepKind.CONTROL, self._untouched, self._control)

    def _pause(self, group: Group, most_s: float) -> Pause:
        group.stop_first()
        group.wait(most_s)
        return group.resume_first()

    def _step(self, kind: StepKind, group: Group, pause: Pause) -> Step:
        values = {"pause_ms": pause.length_ms, "session_ms": group.session_ms}
        return Step(
            kind=kind,
            command=f"kill -STOP $A; ...; kill -CONT $A  # session.timeout.ms={group.session_ms}",
            output=_symptom(pause) or pause.timeline(),
            seen=pause.rebalanced,
            text=Text(id=f"trap_kafka.step.{kind}", values=values),
            facts={**values, "rebalanced": pause.rebalanced, "taken_over": pause.taken_over_s is not None},
        )

    def cases(self) -> tuple[Case, ...]:
        """Return what a short pause does, and what jstat's columns are; when asked, the real broker's answer."""
        short = self._short
        return (
            Case(
                id="short",
                status=Status.FAIL if short.rebalanced else Status.PASS,
                text=Text(
                    id="trap_kafka.case.short", values={"pause_ms": short.length_ms, "session_ms": self.session_ms}
                ),
                command=f"kill -STOP $A; ...; kill -CONT $A  # session.timeout.ms={self.session_ms}",
                output=short.timeline(),
                facts={"pause_ms": short.length_ms, "session_ms": self.session_ms, "rebalanced": short.rebalanced},
            ),
            collector.case(self.rig),
            broker.case(self.rig, self.session_ms, _MENDED_MS, _MOST_PAUSE_S),
        )

    def versions(self) -> Mapping[str, str]:
        """Return the versions of the binding and its library."""
        import confluent_kafka

        return {"confluent-kafka": str(confluent_kafka.__version__), "librdkafka": str(confluent_kafka.libversion()[0])}


def _symptom(pause: Pause) -> str:
    return next((line for line in pause.log.splitlines() if _SYMPTOM in line), "")
