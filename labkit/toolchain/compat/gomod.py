"""What a go.mod asks for, as the Go command reads it (``go mod edit -json``); there is no parser of our own here.

Only what the file says: that the module graph may raise a version further, `go list -m` alone can tell.
"""

from pathlib import Path

import msgspec

from labkit.errors import ProcessError, UsageError
from labkit.model.base import Record
from labkit.system import proc
from labkit.toolchain import golang

#: The axis of each runtime module.
RUNTIMES = {"google.golang.org/protobuf": "protobuf", "google.golang.org/grpc": "grpc"}


class GoMod(Record, frozen=True, kw_only=True):
    """What a go.mod says, as far as the solver asks. Versions have no leading v."""

    module: str
    go: str | None
    toolchain: str | None  # 1.24.3
    requires: dict[str, str]  # axis: the version required, or the one that replaces it
    replaced: dict[str, str]  # axis: by what, when that is another module or a folder, whose version says nothing
    tools: tuple[str, ...]
    godebug: bool
    ignore: bool


class _Path(msgspec.Struct):
    Path: str = ""
    Version: str = ""


class _Replace(msgspec.Struct):
    Old: _Path
    New: _Path


class _Named(msgspec.Struct):
    Path: str = ""


class _File(msgspec.Struct):
    """The part of what Go prints that is used; Go leaves out what is empty, or writes null."""

    Module: _Path = msgspec.field(default_factory=_Path)
    Go: str = ""
    Toolchain: str = ""
    Require: tuple[_Path, ...] | None = None
    Replace: tuple[_Replace, ...] | None = None
    Tool: tuple[_Named, ...] | None = None
    GoDebug: tuple[object, ...] | None = None
    Ignore: tuple[object, ...] | None = None


def parse(printed: str | bytes) -> GoMod:
    """Return what ``go mod edit -json`` printed, as far as it is used."""
    file = msgspec.json.decode(printed, type=_File)
    requires = {
        RUNTIMES[line.Path]: line.Version.removeprefix("v") for line in file.Require or () if line.Path in RUNTIMES
    }
    replaced: dict[str, str] = {}
    for line in file.Replace or ():
        axis = RUNTIMES.get(line.Old.Path)
        if axis is None or (line.Old.Version and line.Old.Version.removeprefix("v") != requires.get(axis)):
            continue
        if line.New.Path == line.Old.Path:
            requires[axis] = line.New.Version.removeprefix("v")
        else:
            replaced[axis] = f"{line.New.Path} {line.New.Version}".strip()
    return GoMod(
        module=file.Module.Path,
        go=file.Go or None,
        toolchain=file.Toolchain.removeprefix("go") or None,
        requires={axis: version for axis, version in requires.items() if axis not in replaced},
        replaced=replaced,
        tools=tuple(tool.Path for tool in file.Tool or ()),
        godebug=bool(file.GoDebug),
        ignore=bool(file.Ignore),
    )


def read(path: Path, *, go: Path) -> GoMod:
    """Return what a go.mod says.

    Raises:
        UsageError: There is no such file, or Go does not understand it.

    """
    if not path.is_file():
        raise UsageError(f"{path} is no file", remedy="name a module's go.mod")
    try:
        done = proc.run(
            [go, "mod", "edit", "-json", path.resolve()],
            env=golang.environment(go),
            timeout_s=60,
            cwd=path.resolve().parent,
        )
    except ProcessError as error:
        raise UsageError(
            f"Go cannot read {path}: {error.what}", remedy="mend the file: `go mod edit -json` must print it"
        ) from error
    return parse(done.stdout_bytes)
