"""The pair itself: what each half selects, generates, builds and runs with, alone and within the workspace.

In a workspace Go makes one build list for all modules, each dependency in the highest version that any of them requires
(https://go.dev/ref/mod#workspaces); so the old half is built with the new half's runtime there.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from labkit import binary
from labkit.codegen.side_by_side.trial import RUNTIME, Place, RefusedError, Trial, version_in
from labkit.model.side_by_side import Half
from labkit.system.environment import base

_HALVES: Final = ("old", "new")


class _Says(msgspec.Struct):
    """The part of what a half's program prints that is used."""

    runtime: str


def asked(place: Place) -> Iterator[Callable[[], Half]]:
    """Yield a look at each half, alone and then within the workspace."""
    for workspace in (False, True):
        for name in _HALVES:
            yield partial(_half, place, name, workspace=workspace)


def _half(place: Place, name: str, *, workspace: bool) -> Half:
    trial = Trial(place, f"half-{name}-{'workspace' if workspace else 'alone'}")
    selected = tool = generated_by = built_with = says = None
    tested: bool | None = None
    words = ""
    try:
        selected = version_in(trial.run_go("list", "-m", RUNTIME, module=name, workspace=workspace))
        tool = version_in(trial.run_go("tool", "protoc-gen-go", "--version", module=name, workspace=workspace))
        generate(trial, name, workspace=workspace)
        generated_by = trial.stamp(name)
        program = trial.root / name / "program"
        trial.run_go("build", "-trimpath", "-buildvcs=false", "-o", str(program), ".", module=name, workspace=workspace)
        built_with = _runtime_in(program)
        printed = trial.step([program], cwd=program.parent, env=base())
        says = msgspec.json.decode(printed, type=_Says).runtime
        tested = False
        trial.run_go("test", "-trimpath", ".", module=name, workspace=workspace)
        tested = True
    except RefusedError:
        words = trial.words()
    return Half(
        name=name,
        in_workspace=workspace,
        required=place.required(name),
        selected=selected,
        tool=tool,
        generated_by=generated_by,
        built_with=built_with,
        says=says,
        tested=tested,
        words=words,
        steps=tuple(trial.steps),
    )


def generate(trial: Trial, module: str, *, workspace: bool = False) -> None:
    """Generate in a module by its own go:generate line, with protoc on PATH and no plugin there.

    Raises:
        RefusedError: A tool said no.

    """
    trial.run_go("generate", ".", module=module, path=str(trial.place.protoc.parent), workspace=workspace)


def _runtime_in(program: Path) -> str | None:
    build = binary.inspect(program).go
    return next((each.version for each in build.dependencies if each.path == RUNTIME), None) if build else None
