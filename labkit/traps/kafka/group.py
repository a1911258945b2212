"""A consumer group on a cluster of its own: its members are processes, and one of them can be paused."""

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from labkit.system.proc import Running
from labkit.traps.rig import Rig

_HERE: Final = Path(__file__).parent
TOPIC: Final = "orders"
_GROUP: Final = "shop"
#: How many partitions librdkafka's mock gives a topic, and KRaft's broker is told to.
PARTITIONS: Final = 4


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a member."""

    at_s: float
    event: str
    partitions: tuple[int, ...] = ()
    error: str | None = None


class Member:
    """One consumer's process."""

    def __init__(self, rig: Rig, name: str, address: str, session_ms: int) -> None:
        self._rig = rig
        self.name = name
        self.running: Running = rig.start(
            f"consumer {name}",
            [sys.executable, "-P", _HERE / "member.py", address, TOPIC, _GROUP, str(session_ms)],
            env=rig.environment(),
        )

    def events(self, *, since_s: float = 0.0) -> list[Event]:
        """Return what it has said after a moment; a line half written is left for later."""
        lines = self.running.output()[0].decode("utf-8", "replace").split("\n")[:-1]
        said = [msgspec.convert(json.loads(line), Event) for line in lines]
        return [event for event in said if event.at_s > since_s]

    def log(self) -> str:
        """Return what librdkafka has logged."""
        return self.running.output()[1].decode("utf-8", "replace")

    def share(self) -> int:
        """Return how many partitions it works on now: those of its last commit, if nothing else came after."""
        last = self.events()[-1:]
        return len(last[0].partitions) if last and last[0].event == "commit" else 0

    def leave(self) -> None:
        """Leave the group and end, as on a restart."""
        os.kill(self.running.pid, signal.SIGTERM)
        self._rig.until(f"the end of consumer {self.name}", lambda: "left" in [one.event for one in self.events()])
        self._rig.end(self.running)


@dataclass(frozen=True, kw_only=True)
class Pause:
    """What one pause of the first member did to the group; times are on the system's monotonic clock."""

    began_s: float
    ended_s: float
    rebalanced_s: float | None  # when the second member was told, during the pause
    taken_over_s: float | None  # when it had all partitions
    first: tuple[Event, ...]  # what the first member said after the pause
    second: tuple[Event, ...]  # what the second said since the pause began
    log: str  # what the first member's library logged after the pause

    @property
    def length_ms(self) -> int:
        """How long it was."""
        return round((self.ended_s - self.began_s) * 1000)

    @property
    def rebalanced(self) -> bool:
        """Whether the group changed hands: both members of a group that did not say nothing but their commits."""
        return any(event.event != "commit" for event in (*self.first, *self.second))

    def timeline(self) -> str:
        """Return what happened, in seconds from the pause's beginning."""
        moments = [(self.began_s, "A", "paused"), (self.ended_s, "A", "goes on")]
        moments += [(one.at_s, "A", _said(one)) for one in self.first if one.event != "commit"]
        moments += [(one.at_s, "B", _said(one)) for one in self.second if one.event != "commit"]
        return "\n".join(f"{at - self.began_s:6.2f} s  {who}  {what}" for at, who, what in sorted(moments))


class Group:
    """Two consumers of one topic; the rig ends them and the cluster."""

    def __init__(self, rig: Rig, session_ms: int, *, address: str | None = None) -> None:
        self._rig = rig
        self._address = address or mock(rig)
        self._began_s = 0.0
        self._join(session_ms)

    def _join(self, session_ms: int) -> None:
        self.session_ms = session_ms
        self.first = Member(self._rig, "A", self._address, session_ms)
        self.second = Member(self._rig, "B", self._address, session_ms)

    def settled(self) -> None:
        """Wait until both work on a half of the partitions."""
        half = PARTITIONS // 2
        self._rig.until("both consumers' halves", lambda: self.first.share() == half == self.second.share())

    def restart(self, session_ms: int) -> None:
        """End both in order and start them with another session timeout."""
        for member in (self.first, self.second):
            member.leave()
        self._join(session_ms)

    def stop_first(self) -> None:
        """Pause the first member, all of its threads, as a collector does that stops the world."""
        self._began_s = time.monotonic()
        os.kill(self.first.running.pid, signal.SIGSTOP)

    def wait(self, most_s: float) -> None:
        """Wait until the second has taken over all partitions, at most so long since the pause began."""
        self._rig.until(
            "the pause's end",
            lambda: self._taken_over() is not None or time.monotonic() - self._began_s >= most_s,
            timeout_s=most_s + 60,
        )

    def resume_first(self) -> Pause:
        """Let the first member go on, and return what the pause did once it is known to be in the group or out."""
        ended_s = time.monotonic()
        os.kill(self.first.running.pid, signal.SIGCONT)
        word = ("commit", "lost", "revoke")
        self._rig.until(
            "consumer A's word after the pause",
            lambda: any(one.event in word for one in self.first.events(since_s=ended_s)),
        )
        second = self.second.events(since_s=self._began_s)
        told = next((one.at_s for one in second if one.event in {"revoke", "refused"}), None)
        return Pause(
            began_s=self._began_s,
            ended_s=ended_s,
            rebalanced_s=told,
            taken_over_s=self._taken_over(),
            first=tuple(self.first.events(since_s=ended_s)),
            second=tuple(second),
            log=self.first.log(),
        )

    def _taken_over(self) -> float | None:
        said = self.second.events(since_s=self._began_s)
        return next((one.at_s for one in said if one.event == "assign" and len(one.partitions) == PARTITIONS), None)


def mock(rig: Rig) -> str:
    """Start librdkafka's mock cluster and return its address."""
    cluster = rig.start("the mock cluster", [sys.executable, "-P", _HERE / "cluster.py", TOPIC])

    def address() -> str | None:
        line, end, _ = cluster.output()[0].decode("ascii", "replace").partition("\n")
        return line if end else None

    return rig.until("the mock cluster's address", address)


def _said(event: Event) -> str:
    return f"{event.event} {list(event.partitions) if event.error is None else event.error}"
