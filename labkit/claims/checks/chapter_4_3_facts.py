"""Chapter 4.3, the facts: what the set's Go resolves, asks and refuses, in module caches of their own."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from labkit.claims import given
from labkit.claims.base import command
from labkit.claims.facts import ClaimFacts, Probe, probe
from labkit.gobuild import resolution
from labkit.gobuild.resolution import modules, stock
from labkit.gobuild.resolution.trial import RefusedError, Trial
from labkit.model.base import Record
from labkit.model.claims import ClaimEvidence
from labkit.model.resolution import Experiment, GoStep, Outcome
from labkit.words import render

T = TypeVar("T")

MODULE: Final = stock.PROTOBUF
COMMIT: Final = stock.COMMIT
OTHER: Final = stock.OTHER
_BUILD: Final = ("build", "-mod=mod", "-trimpath", "-o", os.devnull, ".")
_FILE: Final = "encoding/protowire/wire.go"


class Tried(Record, frozen=True, kw_only=True):
    """Experiments, in their order, and where one could not be made, why."""

    experiments: tuple[Experiment, ...]

    def find(self, id_: str) -> Experiment:
        """Return one experiment."""
        return next(each for each in self.experiments if each.id == id_)

    @property
    def missing(self) -> str | None:
        """Why an experiment could not be made here, None when all were."""
        return next((render(each.reason) for each in self.experiments if each.reason is not None), None)


@cache
def tried(claim: str, *ids: str) -> Probe[Tried]:
    """Return the fact of some experiments of :mod:`labkit.gobuild.resolution`, by the claim that wants them."""

    @probe(f"resolution-{claim}", tools=("git",), recipe={"ids": list(ids)})
    def make(facts: ClaimFacts) -> Tried:
        facts.progress(f"what modules resolve to ({claim})")
        return Tried(experiments=resolution.run(given.current(facts), ids))

    return make


def done(each: Experiment) -> bool:
    """Return whether every command of an experiment ended well."""
    return each.outcome is Outcome.DONE


def saw(step: GoStep, what: str) -> ClaimEvidence:
    """Return a command with what it asked of the proxy, and its own words where it refused."""
    proxy = step.environment.get("GOPROXY", "")
    line = " ".join([*([f"GOPROXY={proxy}"] if proxy else []), *step.command])
    asked = ", ".join(each.path for each in step.asked[:4])
    requests = f"{len(step.asked)} requests of the proxy" + (f" ({asked})" if asked else "")
    said = step.said.splitlines()[0][:200] if step.said and step.exit_code else ""
    return command(
        f"{what}: {line}", "; ".join(each for each in (f"exit code {step.exit_code}", requests, said) if each)
    )


def last(each: Experiment) -> ClaimEvidence:
    """Return the evidence of an experiment's last command."""
    return saw(each.steps[-1], each.id)


class Asked(Record, frozen=True, kw_only=True):
    """The same question put twice, the second time with a module cache that has all that it needs."""

    steps: tuple[GoStep, ...]


@probe("resolution-latest-asked-twice")
def latest_twice(facts: ClaimFacts) -> Asked:
    """Ask for a module's @latest twice, with one module cache and a recording proxy."""
    return _with_trial(facts, _latest_twice)


def _latest_twice(trial: Trial) -> Asked:
    trial.write(require={MODULE: OTHER})
    for _ in range(2):
        trial.go("list", "-mod=mod", "-m", f"{MODULE}@latest")
    return Asked(steps=tuple(trial.steps))


class Tampered(Record, frozen=True, kw_only=True):
    """A build whose proxy serves another zip than before for the version that was pinned."""

    way: str  # go get, replace
    go_sum: bool  # whether the go.sum of the first build was still there
    refused: bool
    step: GoStep


@probe("resolution-tampered-by-way")
def tampered(facts: ClaimFacts) -> tuple[Tampered, ...]:
    """Pin a version in each way, let the proxy change its zip, and build with an empty cache; no checksum database."""
    return tuple(
        _with_trial(facts, lambda trial, way=way, kept=kept: _tamper(trial, way, go_sum=kept))  # type: ignore[misc]
        for way in _WAYS
        for kept in (True, False)
    )


def _get(trial: Trial) -> str:
    trial.write(require={})
    trial.go("get", f"{MODULE}@{OTHER}")
    return OTHER


def _replace(trial: Trial) -> str:
    trial.write(f"replace {MODULE} => {MODULE} {COMMIT}")
    return COMMIT


_WAYS: Final[Mapping[str, Callable[[Trial], str]]] = {"go get": _get, "replace": _replace}


def _tamper(trial: Trial, way: str, *, go_sum: bool) -> Tampered:
    version = _WAYS[way](trial)
    trial.go(*_BUILD)
    if not go_sum:
        (trial.main / "go.sum").unlink()
    original = modules.folder_of(trial.real.download, MODULE) / f"{version}.zip"
    modules.copy_with_another_byte(original, modules.folder_of(trial.own, MODULE) / original.name, _FILE)
    with contextlib.suppress(RefusedError):  # its step is kept
        trial.go(*_BUILD, GOMODCACHE=str(trial.work / "another"))
    step = trial.steps[-1]
    return Tampered(way=way, go_sum=go_sum, refused=step.exit_code != 0, step=step)


def _with_trial(facts: ClaimFacts, ask: Callable[[Trial], T]) -> T:
    toolchain = given.current(facts)
    with tempfile.TemporaryDirectory(prefix="labkit-resolution-") as scratch:
        trial = Trial(toolchain=toolchain, work=Path(scratch), stock=stock.obtain(toolchain))
        trial.main.mkdir()
        try:
            return ask(trial)
        finally:
            trial.close()
