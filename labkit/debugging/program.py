"""Whether a program can be debugged here, by its bytes, before anything is started; each no is a line and a remedy."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.binary import inspect
from labkit.errors import UsageError
from labkit.model.binary import Binary, Format
from labkit.model.machine import Machine, System

_REBUILD: Final = "build it with `go build -gcflags='all=-N -l'` and without -ldflags=-s or -w"
_GO_NAMES: Final = {"x86_64": "amd64", "i386": "386"}
_SYSTEMS: Final = {Format.ELF: "linux", Format.MACHO: "darwin"}


@dataclass(frozen=True, kw_only=True)
class Program:
    """A Go program that has debug information and is for this machine."""

    path: Path
    platform: str
    go: str


def check(path: Path, machine: Machine) -> Program:
    """Return a program that can be debugged on a machine.

    Raises:
        UsageError: It is not there, not executable, no Go program, for another machine, or without debug information.

    """
    binary = inspect(path, pages=False, machines=())
    if binary.error is not None:
        raise UsageError(f"{path} cannot be debugged: {binary.error}", remedy="name a Go program that was built here")
    if binary.format is Format.OTHER or not binary.slices:
        kind = f" ({binary.kind})" if binary.kind else ""
        raise UsageError(f"{path} is not a Go program{kind}", remedy="name what `go build` made, not its source")
    if not os.access(path, os.X_OK):
        raise UsageError(f"{path} is not executable", remedy=f"chmod +x {shlex.quote(str(path))}")
    if binary.go is None:
        raise UsageError(
            f"{path} is not a Go program: it holds no build information of Go", remedy="debug it with gdb or lldb"
        )
    named = _platform(binary, machine)
    piece = next(piece for piece in binary.slices if _go_name(piece.architecture) == named.split("/")[1])
    if not piece.dwarf:
        raise UsageError(f"{path} has no debug information: -ldflags=-s or -w left it out", remedy=_REBUILD)
    return Program(path=path.absolute(), platform=named, go=binary.go.version)


def _platform(binary: Binary, machine: Machine) -> str:
    architectures = [_go_name(piece.architecture) for piece in binary.slices]
    here = _go_name(machine.architecture)
    own = "darwin" if machine.system is System.MACOS else "linux"
    stated = binary.go.settings.get("GOOS") if binary.go is not None else None
    system = stated or _SYSTEMS.get(binary.format, binary.format)  # old or foreign build information states none
    if system != own or here not in architectures:
        mine = f"{own}/{here}"
        raise UsageError(
            f"{binary.path} is for {system}/{','.join(architectures)}, and dlv here debugs {mine} programs only",
            remedy=f"build it with GOOS={own} GOARCH={here}, or debug it on such a machine",
        )
    return f"{system}/{here}"


def _go_name(architecture: str) -> str:
    return _GO_NAMES.get(architecture, architecture)
