"""Who the workers of a cluster are, which of them may execute what, and where the runs of a batch are placed.

Each worker is asked when it is first seen. It is fit when its labkit is the driver's and its label agrees with its
machine: a label such as M1 names a chip's generation, and is believed only from a machine whose chip is of it.
"""

import re
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

import labkit
from labkit.cluster.address import check_plain
from labkit.cluster.messages import Identity
from labkit.cluster.station import other_labkit, same_machine
from labkit.errors import ClusterError, LabError, UsageError
from labkit.lab.identity import code
from labkit.lab.profile import Profile, check_machine
from labkit.lab.runs import Place

_GENERATION: Final = re.compile(r"M[1-9]\d?", re.IGNORECASE)
_LABEL: Final = re.compile(r"[\w.-]+")


class Seen(msgspec.Struct, frozen=True):
    """What the scheduler says of a worker."""

    nthreads: int
    resources: dict[str, float] = {}


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker that has said who it is."""

    address: str
    seen: Seen
    identity: Identity

    def place(self) -> Place:
        """Return where its notebooks are executed."""
        return Place(machine=self.identity.machine, python_version=self.identity.python_version)

    def slots(self, label: str | None) -> int:
        """Return how many notebooks with a label it executes at a time."""
        return self.seen.nthreads if label is None else min(self.seen.nthreads, int(self.seen.resources.get(label, 0)))

    def unfit(self, label: str | None) -> tuple[str, str] | None:
        """Return why it must not execute what asks for a label, and what to do; None when it may."""
        if (self.identity.labkit, self.identity.code) != (labkit.__version__, code()):
            refused = other_labkit(self.identity, labkit.__version__, code())
            return refused.why, refused.remedy
        chip = self.identity.machine.chip
        if label and _GENERATION.fullmatch(label):
            generation = f"Apple {label.upper()}"
            if chip != generation and not (chip or "").startswith(f"{generation} "):
                return (
                    f"its label {label} is not its chip's: {chip or 'which could not be read'}",
                    f"start it again with the label of its chip, and a worker with {label} on an {generation}",
                )
        return None

    def runs(self, place: Place, label: str | None) -> bool:
        """Return whether it may execute a notebook of a run at a place, which asks for a label."""
        here = self.identity
        return (
            self.slots(label) > 0
            and self.unfit(label) is None
            and here.python_version == place.python_version
            and same_machine(here.machine, place.machine)
        )


class Workers:
    """The workers there are now. What asks the cluster is given, so that nothing here waits for it."""

    def __init__(self, look: Callable[[], dict[str, Seen]], ask: Callable[[str], Identity]) -> None:
        self._look, self._ask = look, ask
        self._asked: dict[str, threading.Thread] = {}
        self._answers: dict[str, Identity | LabError] = {}
        self._seen: dict[str, Seen] = {}

    def refresh(self) -> None:
        """Look who is there, and ask those that are new.

        Raises:
            UsageError: One is reached in plain over a network.

        """
        self._seen = self._look()
        for address in self._seen:
            check_plain(address, what="a worker is")
            if address not in self._asked:
                self._asked[address] = threading.Thread(target=self._learn, args=(address,), daemon=True)
                self._asked[address].start()
        for address in [known for known in self._asked if known not in self._seen]:
            del self._asked[address]
            self._answers.pop(address, None)

    def known(self) -> dict[str, Worker]:
        """Return those that are there and have said who they are, by address."""
        found = {}
        for address, seen in self._seen.items():
            identity = self._answers.get(address)
            if isinstance(identity, Identity):
                found[address] = Worker(address=address, seen=seen, identity=identity)
        return found

    def distrust(self, address: str, why: LabError) -> None:
        """Give a worker nothing more."""
        self._answers[address] = why

    def waiting(self) -> bool:
        """Return whether one that is there has not answered yet."""
        return any(address not in self._answers for address in self._seen)

    def place(self, profiles: Sequence[Profile], machines: Sequence[str | None]) -> list[Place]:
        """Give each profile a place, those of one label spread over its workers; a machine that is named is kept to.

        Raises:
            ClusterError: No worker may execute one of them.
            UsageError: Its label is none.

        """
        given: Counter[str] = Counter()
        return [self._placed(profile, wanted, given) for profile, wanted in zip(profiles, machines, strict=True)]

    def _placed(self, profile: Profile, wanted: str | None, given: Counter[str]) -> Place:
        check_label(profile)
        able: list[Worker] = []
        unable: list[tuple[str, str]] = []
        for worker in self.known().values():
            if not worker.slots(profile.on):
                continue
            reason = worker.unfit(profile.on) or _for_another(profile, worker, wanted)
            if reason is None:
                able.append(worker)
            else:
                unable.append((f"the worker at {worker.address} is not used: {reason[0]}", reason[1]))
        if not able:
            raise self._nobody(profile, wanted, unable)
        chosen = min(able, key=lambda worker: given[worker.address] / worker.slots(profile.on))
        given[chosen.address] += len(profile.notebooks)
        return chosen.place()

    def _nobody(self, profile: Profile, wanted: str | None, unable: list[tuple[str, str]]) -> ClusterError:
        asks = f"with the label {profile.on}, which {profile.name} asks for" if profile.on else f"for {profile.name}"
        on = f" on {wanted}, where the batch ran" if wanted else ""
        if unable:
            return ClusterError(f"no worker {asks}, can be used{on}: {unable[0][0]}", remedy=unable[0][1])
        silent = [
            f"the worker at {address} did not say who it is: "
            + (answer.what if isinstance(answer, LabError) else "no answer came")
            for address in self._seen
            if not isinstance(answer := self._answers.get(address), Identity)
        ]
        labels = sorted({label for seen in self._seen.values() for label in seen.resources})
        there = f"{len(self._seen)} workers are there, with the labels: {', '.join(labels) or 'none'}"
        how = f' --resources "{profile.on}=1"' if profile.on else ""
        return ClusterError(
            f"the cluster has no worker {asks}{on}; {'; '.join([there, *silent])}",
            remedy=f"start one on that machine: dask worker ADDRESS{how}; or change `on:` in the profile",
        )

    def _learn(self, address: str) -> None:
        try:
            answer: Identity | LabError = self._ask(address)
        except LabError as error:
            answer = error
        self._answers[address] = answer


def check_label(profile: Profile) -> None:
    """Check that what a profile asks for can be a worker's label.

    Raises:
        UsageError: It cannot: Dask's command reads no other.

    """
    if profile.on is not None and not _LABEL.fullmatch(profile.on):
        raise UsageError(
            f"{profile.name} asks for workers with {profile.on!r}, which is no label",
            remedy="give `on:` a word of letters, digits, dots, dashes and underscores, such as M1",
        )


def _for_another(profile: Profile, worker: Worker, wanted: str | None) -> tuple[str, str] | None:
    found = worker.identity.machine
    try:
        check_machine(profile, found)
    except UsageError as error:
        return error.what, "start a worker on such a machine, or give the profile's `on:` its label"
    if wanted is not None and found.id != wanted:
        return f"it is {found.id}", "start a worker on that machine again, or run without --resume"
    return None
