"""The ways to name one module's plugin: the tool line, a module file of its own, and protoc's --plugin."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from labkit.codegen.side_by_side import marker
from labkit.codegen.side_by_side.halves import generate
from labkit.codegen.side_by_side.trial import (
    PLUGIN,
    RUNTIME,
    Asked,
    Place,
    RefusedError,
    Trial,
    attempt,
    not_tried,
    version_in,
)
from labkit.errors import LabError
from labkit.model.base import Text
from labkit.system.environment import SYSTEM_PATH
from labkit.toolchain import find, golang


def asked(place: Place, other_go: Sequence[str]) -> Iterator[Asked]:
    """Yield each way with the set's Go, and those that depend on the Go with each of the others too."""
    old, apart, go = place.required("old"), place.required("apart"), place.go_version
    for version in dict.fromkeys((*other_go, go)):
        yield from _by_go(place, version)
    yield partial(attempt, place, "tool-line-moves-runtime", partial(_get_tool, version=old), wanted=apart, go=go)
    yield partial(attempt, place, "tool-modfile-leaves-runtime", _selected_apart, wanted=apart, go=go)
    yield partial(attempt, place, "one-plugin-for-both", _one_plugin, wanted="ok", go=go)
    # What protoc makes of --plugin has nothing to do with Go: the set's own plugin serves.
    own = f"v{find(place.toolchain, 'protoc-gen-go').pinned_version}"
    yield partial(attempt, place, "plugin-named", partial(_plugin, option="protoc-gen-go"), wanted=own)
    yield partial(attempt, place, "plugin-short-name", partial(_plugin, option="go"), wanted=own)
    yield partial(attempt, place, "plugin-short-name-alone", partial(_plugin, option="go", on_path=False), wanted=own)
    yield partial(attempt, place, "plugin-not-named", _path_decides, wanted=old)


def _by_go(place: Place, version: str) -> Iterator[Asked]:
    old = place.required("old")
    questions = {
        "tool-line": (_tool_line, old),
        "tool-path-at-first": (_path_at_first, None),
        "tool-modfile": (_tool_modfile, old),
        "build-modfile": (_build_modfile, old),
    }
    missing = _missing(place, version)
    for id_, (ask, wanted) in questions.items():
        if missing is None:
            yield partial(attempt, place, id_, ask, wanted=wanted, go=version)
        else:
            reason = Text(id="side_by_side.reason.no_go", values={"version": version})
            yield partial(not_tried, id_, reason, go=version, wanted=wanted, words=missing)


def _missing(place: Place, version: str) -> str | None:
    # What Go says when another version of it cannot be had, or does not run here.
    if version == place.go_version:
        return None
    trial = Trial(place, f"go{version}", version)
    try:
        trial.run_go("version", module="proto")
    except RefusedError:
        return trial.words()
    return None


def _tool_line(trial: Trial) -> str | None:
    trial.run_go("tool", "protoc-gen-go", "--version", module="old")
    path = trial.run_go("tool", "-n", "protoc-gen-go", module="old")
    return trial.protoc(f"--plugin=protoc-gen-go={path}", path=_empty(trial))


def _path_at_first(trial: Trial) -> str | None:
    # A constant that no build has seen makes a tool that no cache holds.
    source = trial.root / "old/cmd/who/main.go"
    source.write_text(source.read_text("utf-8") + f'\nconst _ = "{secrets.token_hex(16)}"\n', "utf-8")
    at_first = trial.run_go("tool", "-n", "who", module="old")
    there = Path(at_first).is_file()
    trial.run_go("tool", "who", module="old")
    trial.wanted = trial.run_go("tool", "-n", "who", module="old")
    return at_first if there or at_first != trial.wanted else None


def _tool_modfile(trial: Trial) -> str | None:
    options = ("tool", "-modfile=tools.mod")
    trial.run_go(*options, "protoc-gen-go", "--version", module="apart")
    path = trial.run_go(*options, "-n", "protoc-gen-go", module="apart")
    return trial.protoc(f"--plugin=protoc-gen-go={path}", path=_empty(trial), module="apart")


def _build_modfile(trial: Trial) -> str | None:
    path = trial.root / "apart/bin/protoc-gen-go"
    trial.run_go("build", "-modfile=before124.mod", "-o", str(path), PLUGIN, module="apart")
    return trial.protoc(f"--plugin=protoc-gen-go={path}", path=_empty(trial), module="apart")


def _get_tool(trial: Trial, *, version: str) -> str | None:
    # Go would ask the proxy for newer versions and the checksum database for these; what it needs is here already.
    sums = trial.root / "apart/go.sum"
    sums.write_text(sums.read_text("utf-8") + (trial.root / "old/go.sum").read_text("utf-8"), "utf-8")
    wanted = ("get", "-tool", f"{PLUGIN}@{version}")
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch).resolve() / "apart"
        shutil.copytree(trial.root / "apart", copy)
        try:
            golang.run(trial.place.go, *wanted, cwd=copy, variables={"GOPROXY": "off"})
        except LabError:  # on a machine that has not done this before, a dependency's archive is not here yet
            golang.run(trial.place.go, *wanted, cwd=copy)
    trial.run_go(*wanted, module="apart", offline=True)
    trial.tell()
    return version_in(trial.run_go("list", "-m", RUNTIME, module="apart"))


def _selected_apart(trial: Trial) -> str | None:
    trial.run_go("tool", "-modfile=tools.mod", "protoc-gen-go", "--version", module="apart")
    return version_in(trial.run_go("list", "-m", RUNTIME, module="apart"))


def _one_plugin(trial: Trial) -> str | None:
    # The new half's plugin for both, as one that was installed for all would be.
    generate(trial, "new")
    shutil.copytree(trial.root / "new/pb", trial.root / "old/pb")
    return trial.run_go("test", "-trimpath", ".", module="old").split()[0]


def _plugin(trial: Trial, *, option: str, on_path: bool = True) -> str | None:
    path = find(trial.place.toolchain, "protoc-gen-go").path
    folders = f"{marker.plugin(trial.root / 'marker')}:{SYSTEM_PATH}" if on_path else _empty(trial)
    return trial.protoc(f"--plugin={option}={path}", path=folders)


def _path_decides(trial: Trial) -> str | None:
    return trial.protoc(path=f"{marker.plugin(trial.root / 'marker')}:{SYSTEM_PATH}")


def _empty(trial: Trial) -> str:
    # A PATH with nothing on it: the system's folders may hold a plugin.
    folder = trial.root / "nothing on PATH"
    folder.mkdir(exist_ok=True)
    return str(folder)
