"""VS Code's files for debugging a Go program: launch.json and tasks.json, written or added to, and resolved as it does.

Two ways are written: *launch* (dlv builds, starts and ends the program) and *attach* (a task builds the program and
starts a headless dlv, to which the editor connects). Attributes are those of the Go extension
(https://github.com/golang/vscode-go/wiki/debugging); ``debugAdapter`` is named because a remote attach would
otherwise take the extension's older adapter. Names of ours begin with ``labkit: ``; a configuration that is there by
such a name is left alone.
"""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from labkit.debugging import jsonc
from labkit.errors import UsageError
from labkit.model.debugging import Written
from labkit.system.store import saying_why, write_atomically

PORT: Final = 2345
LAUNCH_NAME: Final = "labkit: launch"
ATTACH_NAME: Final = "labkit: attach to a headless dlv"
BUILD_TASK: Final = "labkit: build for debugging"
SERVE_TASK: Final = "labkit: headless dlv"
_FOLDER: Final = "${workspaceFolder}"
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, kw_only=True)
class Project:
    """What is to be debugged from an editor.

    Attributes:
        workspace: The folder that is open in the editor.
        package: The main package's folder below it, such as ``cmd/server``; ``.`` for the workspace itself.
        arguments: The program's own.
        go: The go that builds, by its path.
        dlv: The dlv that fits it, by its path.
        port: Of 127.0.0.1, where the headless dlv listens.

    """

    workspace: Path
    package: str
    arguments: tuple[str, ...]
    go: Path
    dlv: Path
    port: int = PORT


def project(program: Path, *, workspace: Path, arguments: Sequence[str], go: Path, dlv: Path, port: int = 0) -> Project:
    """Return the project of a main package's folder (or a file in it) below a workspace.

    Raises:
        UsageError: It lies elsewhere, or holds no Go file.

    """
    root, named = workspace.resolve(), program.resolve()
    folder = named.parent if named.is_file() and named.suffix == ".go" else named
    if not folder.is_relative_to(root):
        raise UsageError(f"{folder} is not below {root}", remedy="start labkit in the folder that VS Code has open")
    if not folder.is_dir() or not any(folder.glob("*.go")):
        raise UsageError(
            f"{folder} holds no Go file", remedy="name the folder of a main package: labkit debug --vscode ./cmd/server"
        )
    package = folder.relative_to(root).as_posix()
    return Project(workspace=root, package=package, arguments=tuple(arguments), go=go, dlv=dlv, port=port or PORT)


def launch_json(wanted: Project) -> dict[str, Any]:
    """Return launch.json's content."""
    common = {"type": "go", "debugAdapter": "dlv-dap", "showRegisters": True}
    return {
        "version": "0.2.0",
        "configurations": [
            {
                "name": LAUNCH_NAME,
                **common,
                "request": "launch",
                "mode": "debug",
                "program": _below(wanted.package),
                "cwd": _FOLDER,
                "args": list(wanted.arguments),
            },
            {
                "name": ATTACH_NAME,
                **common,
                "request": "attach",
                "mode": "remote",
                "host": "127.0.0.1",
                "port": wanted.port,
                "preLaunchTask": SERVE_TASK,
            },
        ],
    }


def tasks_json(wanted: Project) -> dict[str, Any]:
    """Return tasks.json's content; both programs are started without a shell."""
    name = wanted.workspace.name if wanted.package == "." else wanted.package.rsplit("/", 1)[-1]
    binary = f"{_FOLDER}/__debug_bin_{name}"  # a name that the usual .gitignore of Go leaves out
    package = "." if wanted.package == "." else f"./{wanted.package}"
    listen = f"--listen=127.0.0.1:{wanted.port}"
    return {
        "version": "2.0.0",
        "tasks": [
            {
                "label": BUILD_TASK,
                "type": "process",
                "command": _of_home(wanted.go),
                "args": ["build", "-gcflags=all=-N -l", "-o", binary, package],
                "options": {"cwd": _FOLDER},
                "group": "build",
                "problemMatcher": ["$go"],
            },
            {
                "label": SERVE_TASK,
                "type": "process",
                "command": _of_home(wanted.dlv),
                "args": ["exec", binary, "--headless", listen, "--api-version=2", "--", *wanted.arguments],
                "options": {"cwd": _FOLDER},
                "dependsOn": BUILD_TASK,
                "isBackground": True,
                "problemMatcher": {
                    "owner": "labkit-dlv",
                    "pattern": {"regexp": "^(never)$", "message": 1},
                    "background": {
                        "activeOnStart": True,
                        "beginsPattern": "^$",
                        "endsPattern": "server listening at:",
                    },
                },
            },
        ],
    }


def write(wanted: Project) -> Written:
    """Write both files, or add to those that are there; what a file holds stays as it is, comments and all.

    Raises:
        UsageError: A file that is there cannot be read or added to; neither file is changed then.
        StoreError: A file could not be written.

    """
    folder = wanted.workspace / ".vscode"
    made: list[tuple[Path, str]] = []
    added: list[str] = []
    kept: list[str] = []
    plans = (
        ("launch.json", "configurations", "name", launch_json(wanted)),
        ("tasks.json", "tasks", "label", tasks_json(wanted)),
    )
    for file, key, name, content in plans:
        path = (folder / file).resolve()  # a link is written through, not replaced
        if not path.exists():
            made.append((path, msgspec.json.format(msgspec.json.encode(content), indent=4).decode() + "\n"))
            added += [str(item[name]) for item in content[key]]
            continue
        with saying_why(f"cannot read {path}"):
            text = _decoded(path.read_bytes(), path)
        there = {item.get(name) for item in jsonc.parse(text, name=str(path)).get(key, []) if isinstance(item, dict)}
        new = [item for item in content[key] if item[name] not in there]
        kept += [str(item[name]) for item in content[key] if item[name] in there]
        added += [str(item[name]) for item in new]
        if new:
            made.append((path, jsonc.added(text, key, new, name=str(path))))
    for path, text in made:
        write_atomically(path, text)
    return Written(files=tuple(str(path) for path, _ in made), added=tuple(added), kept=tuple(kept))


def resolve(value: Any, workspace: Path) -> Any:  # noqa: ANN401 - JSON values are what they are
    """Return a configuration with VS Code's variables replaced, in every text below it.

    Raises:
        UsageError: A variable is none that stands for a path or the environment.

    """
    match value:
        case str():
            return _VARIABLE.sub(lambda match: _value_of(match.group(1), workspace), value)
        case list():
            return [resolve(item, workspace) for item in value]
        case dict():
            return {key: resolve(item, workspace) for key, item in value.items()}
        case _:
            return value


def as_sent(configuration: Mapping[str, Any], workspace: Path) -> tuple[dict[str, Any], Path]:
    """Return a configuration as the Go extension sends it to dlv, and the folder that it starts dlv in.

    It starts dlv in the package's folder and names the program relative to it (``__buildDir`` in the extension's
    goDebugConfiguration.ts).
    """
    sent: dict[str, Any] = resolve(dict(configuration), workspace)
    if sent.get("request") != "launch" or sent.get("mode", "debug") not in {"debug", "test", "auto"}:
        return sent, workspace
    program = Path(str(sent.get("program", "")))
    if program.suffix == ".go":
        return sent | {"program": f".{os.sep}{program.name}"}, program.parent
    return sent | {"program": "."}, program


def _value_of(variable: str, workspace: Path) -> str:
    kind, _, name = variable.partition(":")
    fixed = {
        "workspaceFolder": str(workspace),
        "workspaceRoot": str(workspace),
        "workspaceFolderBasename": workspace.name,
        "userHome": str(Path.home()),
        "pathSeparator": os.sep,
        "/": os.sep,
    }
    if kind == "env":
        return os.environ.get(name, "")
    if variable in fixed:
        return fixed[variable]
    raise UsageError(f"${{{variable}}} depends on what is open in the editor", remedy="use ${workspaceFolder}")


def _below(package: str) -> str:
    return _FOLDER if package == "." else f"{_FOLDER}/{package}"


def _of_home(path: Path) -> str:
    home = Path.home()
    return "${env:HOME}/" + path.relative_to(home).as_posix() if path.is_relative_to(home) else str(path)


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8", remedy=f"save {shlex.quote(str(path))} as UTF-8") from error
