"""Experiments with a dependency's ``replace``, and with `go install` beside a replacement: whose go.mod counts."""

import os
from typing import Final

from labkit.gobuild.resolution import modules
from labkit.gobuild.resolution.stock import OTHER, PROTOBUF, go_directive
from labkit.gobuild.resolution.trial import Trial, question

_LIBRARY: Final = "example.com/library"
_TOOL: Final = "example.com/plugin"
_PLUGIN: Final = f"{PROTOBUF}/cmd/protoc-gen-go"


def _library(trial: Trial) -> dict[str, str]:
    text = f"module {_LIBRARY}\n\n{go_directive(trial.toolchain)}\n\nrequire {PROTOBUF} {trial.real.pinned}\n"
    return {
        "go.mod": f"{text}\nreplace {PROTOBUF} => {PROTOBUF} {OTHER}\n",
        "library.go": 'package library\n\nimport _ "google.golang.org/protobuf/encoding/protowire"\n',
    }


@question("replace-in-main", "stock")
def _in_main(trial: Trial) -> None:
    for name, text in _library(trial).items():
        (trial.main / name).write_text(text, "utf-8")
    trial.go("build", "-mod=mod", "-trimpath", "-o", os.devnull, ".")
    trial.look(PROTOBUF)


@question("replace-in-dependency", "stock", control="replace-in-main")
def _in_dependency(trial: Trial) -> None:
    modules.write(trial.own, _LIBRARY, "v1.0.0", _library(trial))
    trial.write(require={_LIBRARY: "v1.0.0"}, source=f'package main\n\nimport _ "{_LIBRARY}"\n\nfunc main() {{}}\n')
    trial.go("build", "-mod=mod", "-trimpath", "-o", os.devnull, ".")
    trial.look(PROTOBUF)


def _tool(trial: Trial, *lines: str) -> None:
    trial.watched = [_TOOL]
    go_mod = "\n".join([f"module {_TOOL}", "", "go 1.21", *lines, ""])
    modules.write(trial.own, _TOOL, "v1.2.3", {"go.mod": go_mod, "main.go": "package main\n\nfunc main() {}\n"})


@question("install-plain")
def _install_plain(trial: Trial) -> None:
    _tool(trial)
    trial.go("install", "-trimpath", f"{_TOOL}@v1.2.3")


@question("install-replace", control="install-plain")
def _install_replace(trial: Trial) -> None:
    _tool(trial, "", "replace example.com/other => ../other")
    trial.go("install", "-trimpath", f"{_TOOL}@v1.2.3")


@question("install-exclude", control="install-plain")
def _install_exclude(trial: Trial) -> None:
    _tool(trial, "", "exclude example.com/other v1.0.0")
    trial.go("install", "-trimpath", f"{_TOOL}@v1.2.3")


@question("install-in-module", "stock", control="install-at-version")
def _install_in_module(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {PROTOBUF} {OTHER}")
    trial.go("install", "-mod=mod", "-trimpath", _PLUGIN)
    trial.ask_version("protoc-gen-go")


@question("install-at-version", "stock")
def _install_at_version(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {PROTOBUF} {OTHER}")
    trial.go("install", "-trimpath", f"{_PLUGIN}@{trial.real.pinned}")
    trial.ask_version("protoc-gen-go")
