"""What was tried to hold versions side by side by module, and what answered; nothing here is judged beyond that."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record, Text


class Outcome(StrEnum):
    """How an experiment ended, by what was wanted and what answered."""

    AS_WANTED = "as-wanted"  # what was asked for answered
    ANOTHER = "another"  # something else answered, and every program ended with exit code 0
    REFUSED = "refused"  # a program said no
    NOTHING_RAN = "nothing-ran"  # nothing answered, and every program ended with exit code 0
    NOT_TRIED = "not-tried"  # something that it needs is not here


class Step(Record, frozen=True, kw_only=True):
    """One program that was run in an experiment. Paths below the experiments' folder are written relative to it."""

    command: tuple[str, ...]
    folder: str
    environment: Mapping[str, str]  # what was set for this step: PATH, GOWORK, GOTOOLCHAIN
    exit_code: int  # negative: ended by that signal
    said: str  # standard output, then standard error; cut after 2,000 characters
    wall_time_s: float


class Experiment(Record, frozen=True, kw_only=True):
    """One thing that was tried with the real tools."""

    id: str
    go: str | None  # the Go that it ran with, 1.24.9; None when no Go took part
    wanted: str | None  # v1.28.1, a path, a word; None when it was asked what happens by itself
    answered: str | None  # the same sort of thing, as a tool gave it
    outcome: Outcome
    words: str  # the tools' own words for it; empty when they said nothing of it
    reason: Text | None = None  # why it was not tried
    steps: tuple[Step, ...] = ()
    provenance: Provenance = Provenance.MEASURED


class Half(Record, frozen=True, kw_only=True):
    """One half of the pair, alone (GOWORK=off) or within the workspace. Versions are of google.golang.org/protobuf.

    What a tool refused is None, and ``words`` says what it said.
    """

    name: str  # old, new
    in_workspace: bool
    required: str  # by its own go.mod
    selected: str | None  # by the build list: go list -m
    tool: str | None  # what `go tool protoc-gen-go` runs
    generated_by: str | None  # the plugin's version in the header of what generate.sh made
    built_with: str | None  # in the build information of the program's bytes
    says: str | None  # the runtime's version, as the running program says
    tested: bool | None  # whether `go test` passed
    words: str
    steps: tuple[Step, ...]
    provenance: Provenance = Provenance.MEASURED


class SideBySide(Record, frozen=True, kw_only=True):
    """All of it: the pair's halves both ways, and every experiment."""

    toolchain: str
    toolchain_digest: str
    platform: str  # linux/amd64, as Go names it
    go: str
    protoc: str
    gopls: str | None  # None: the set was provisioned without it
    halves: tuple[Half, ...]
    experiments: tuple[Experiment, ...]
    wall_time_s: float
    provenance: Provenance = Provenance.MEASURED
