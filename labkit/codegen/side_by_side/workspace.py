"""What `go tool` runs in a workspace, where the tools of all its modules are one list."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from labkit.codegen.side_by_side.trial import Asked, Place, Trial, attempt, version_in

_WHO: Final = "labkit.dev/pair/old/cmd/who"


def asked(place: Place) -> Iterator[Asked]:
    """Yield questions for tools, asked in the old half, alone and within the workspace."""
    ask = partial(attempt, place, go=place.go_version)
    old = place.required("old")
    yield partial(ask, "workspace-tool", _plugin, wanted=old)
    yield partial(ask, "workspace-modfile", _modfile, wanted=old)
    yield partial(ask, "other-halfs-tool-alone", partial(_run, tool="only", workspace=False), wanted="new")
    yield partial(ask, "other-halfs-tool", partial(_run, tool="only"), wanted="new")
    yield partial(ask, "tool-of-both-alone", partial(_run, tool="who", workspace=False), wanted="old")
    yield partial(ask, "tool-of-both", partial(_run, tool="who"), wanted="old")
    yield partial(ask, "tool-of-both-whole-path", partial(_run, tool=_WHO), wanted="old")


def _plugin(trial: Trial) -> str | None:
    return version_in(trial.run_go("tool", "protoc-gen-go", "--version", module="old", workspace=True))


def _modfile(trial: Trial) -> str | None:
    arguments = ("tool", "-modfile=../apart/tools.mod", "protoc-gen-go", "--version")
    return version_in(trial.run_go(*arguments, module="old", workspace=True))


def _run(trial: Trial, *, tool: str, workspace: bool = True) -> str | None:
    return trial.run_go("tool", tool, module="old", workspace=workspace)
