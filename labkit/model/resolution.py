"""What Go resolved, asked and refused: one record an experiment with replace, commit pins and go.sum."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record, Text
from labkit.model.check import Evidence


class Outcome(StrEnum):
    """How an experiment ended; computed from exit codes, never stated."""

    DONE = "done"  # every step ended with 0
    REFUSED = "refused"  # Go refused the last step
    SKIPPED = "skipped"  # it could not be tried here; ``reason`` says why


class Asked(Record, frozen=True, kw_only=True):
    """One request that Go made of the recording module proxy."""

    path: str  # google.golang.org/protobuf/@v/v1.36.12.info, case-encoded as the proxy's protocol has it
    status: int  # of HTTP


class GoStep(Record, frozen=True, kw_only=True):
    """One command that was run in an experiment, and what it asked of proxy and git."""

    command: tuple[str, ...]  # go, and its arguments
    environment: Mapping[str, str]  # what decides where modules come from: GOPROXY, GOSUMDB, GOFLAGS ...
    exit_code: int
    said: str  # the command's own words, both streams; folders and the proxy's port as $WORK, $PROXY, $MODCACHE ...
    asked: tuple[Asked, ...]  # in the order they came
    git: tuple[str, ...]  # git commands that Go said it ran (-x)


class Experiment(Record, frozen=True, kw_only=True):
    """One question put to the set's Go, in a module cache of its own."""

    id: str
    control: str | None  # the id of the same without the fault, or without the replacement
    toolchain: str  # the set's name
    go_version: str  # the pinned one, 1.27.3
    go_mod: str  # the main module's go.mod as Go left it; empty where there was none
    steps: tuple[GoStep, ...]
    outcome: Outcome
    evidence: tuple[Evidence, ...]  # what was looked at or compared afterwards, over no network
    left: tuple[str, ...]  # of the modules in question: versions in the module cache afterwards, as zip or folder
    reason: Text | None = None  # of a skip
    provenance: Provenance = Provenance.MEASURED
