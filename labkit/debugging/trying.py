"""Debug configurations fed to dlv as an editor feeds them: does the program stop where a breakpoint was set?

The handbook's launch.json is among them, as printed and with one thing changed at a time, beside those that labkit
writes. Nobody's judgement stands here: what is kept is dlv's own words and where the program stopped.
"""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from labkit.debugging import dap, jsonc, vscode
from labkit.debugging.delve import Debugger, adapter, opened
from labkit.debugging.server import lay_out, line_of
from labkit.debugging.session import Dlv, Place, initialize, launch, next_stop, set_breakpoints
from labkit.errors import LabError, ProcessError
from labkit.facts import Facts
from labkit.model.debugging import Trial, TrialOutcome
from labkit.system import proc

#: Where the handbook's configuration looks for the program.
PACKAGE: Final = "cmd/server"
_TIMEOUT_S: Final = 300.0
_SAID_LINES: Final = 8
_TEST: Final = """package main

import (
\t"testing"
\t"time"
)

func TestStartServer(t *testing.T) {
\tfailed := make(chan error, 1)
\tgo func() { failed <- serve() }()
\tselect {
\tcase err := <-failed:
\t\tt.Fatal(err)
\tcase <-time.After(time.Second):
\t}
}
"""
#: launch.json as the handbook prints it (4.4).
HANDBOOK: Final[Mapping[str, Any]] = {
    "name": "Debug gRPC Server (arm64)",
    "type": "go",
    "request": "launch",
    "mode": "test",
    "program": "${workspaceFolder}/cmd/server/main.go",
    "env": {"GOARCH": "arm64"},
    "args": ["-test.run", "^TestStartServer$"],
    "dlvLoadConfig": {"followPointers": True, "maxVariableRecurse": 1, "maxArrayValues": 64, "maxStructFields": -1},
}


def workspace(facts: Facts, folder: Path) -> Path:
    """Lay the generated server out as the handbook's configuration expects it, with a test of its name."""
    lay_out(facts, folder)
    package = folder / PACKAGE
    package.mkdir(parents=True)
    (folder / "main.go").rename(package / "main.go")
    (package / "main_test.go").write_text(_TEST, "utf-8")
    return folder


def handbook_variants() -> dict[str, Mapping[str, Any]]:
    """Return the handbook's configuration by a name: as printed, without GOARCH, of the whole package, ..."""
    without = {key: value for key, value in HANDBOOK.items() if key != "env"}
    package = {"program": "${workspaceFolder}/cmd/server"}
    return {
        "handbook": HANDBOOK,
        "handbook-without-goarch": without,
        "handbook-whole-package": without | package,
        "handbook-goarch-whole-package": {**HANDBOOK, **package},
    }


def try_all(facts: Facts, dlv: Dlv, go: Path, folder: Path) -> tuple[Trial, ...]:
    """Feed labkit's configurations and the handbook's to dlv, and return what came of each.

    Args:
        facts: This machine with its set.
        dlv: The debugger.
        go: The set's go.
        folder: An empty folder to work in.

    Raises:
        LabError: The project could not be laid out.

    """
    root = workspace(facts, folder)
    wanted = vscode.project(root / PACKAGE, workspace=root, arguments=("serve",), go=go, dlv=dlv.path, port=free_port())
    vscode.write(wanted)
    configurations = _read(root / ".vscode/launch.json", "configurations")
    tasks = {task["label"]: task for task in _read(root / ".vscode/tasks.json", "tasks")}
    main = root / PACKAGE / "main.go"
    place = Place(name="serve", file=str(main), line=line_of(main, r"^func serve\(") + 1)
    launching, attaching = configurations
    return (
        try_launch("launch", launching, root, dlv, place),
        try_attach("attach", attaching, tasks, root, dlv, place),
        *(try_launch(id_, each, root, dlv, place) for id_, each in handbook_variants().items()),
    )


def try_launch(id_: str, configuration: Mapping[str, Any], root: Path, dlv: Dlv, place: Place) -> Trial:
    """Feed a ``launch`` configuration to a fresh dlv, resolved as the editor does, and return what came of it."""
    sent, folder = vscode.as_sent(configuration, root)
    started = time.monotonic()
    kept = _Kept()
    try:
        with adapter(dlv.path, env=dlv.env, cwd=folder) as debugger:
            kept.follow(debugger, "launch", sent, place)
    except LabError as error:
        kept.fault = error.what
    return kept.trial(id_, configuration, place, dlv, root, time.monotonic() - started)


def try_attach(  # noqa: PLR0917 - a trial is of all of these
    id_: str,
    configuration: Mapping[str, Any],
    tasks: Mapping[str, Mapping[str, Any]],
    root: Path,
    dlv: Dlv,
    place: Place,
) -> Trial:
    """Run a configuration's task and what it depends on, attach as the editor does, and return what came of it."""
    sent, _ = vscode.as_sent(configuration, root)
    started = time.monotonic()
    kept = _Kept()
    try:
        serve = vscode.resolve(tasks[configuration["preLaunchTask"]], root)
        build = vscode.resolve(tasks[serve["dependsOn"]], root)
        proc.run(
            [build["command"], *build["args"]], env=dlv.env, timeout_s=_TIMEOUT_S, cwd=Path(build["options"]["cwd"])
        )
        with ExitStack() as stack:
            words = [serve["command"], *serve["args"]]
            running = stack.enter_context(proc.start(words, env=dlv.env, cwd=Path(serve["options"]["cwd"])))
            debugger = stack.enter_context(opened(running, port=int(sent["port"])))
            kept.follow(debugger, "attach", sent, place)
    except LabError as error:
        kept.fault = error.what
    return kept.trial(id_, configuration, place, dlv, root, time.monotonic() - started)


class _Kept:
    """What came of one configuration, so far."""

    def __init__(self) -> None:
        self.fault = ""
        self.outputs: list[str] = []
        self.verified = False
        self.launched = False
        self.stopped_in: str | None = None

    def follow(self, debugger: Debugger, request: str, sent: Mapping[str, Any], place: Place) -> None:
        client = debugger.client
        try:
            initialize(client)
            launch(debugger, request, sent)
            self.launched = True
            breakpoints, _ = set_breakpoints(client, [place])
            self.verified = breakpoints[0].verified
            client.request("configurationDone")
            stopped = next_stop(client)
            trace = client.request("stackTrace", {"threadId": stopped.thread_id, "levels": 1}, dap.StackTrace)
            self.stopped_in = trace.stack_frames[0].name if trace.stack_frames else None
        finally:
            self.outputs += [line.output for line in client.outputs]
            self.outputs += debugger.running.output()[0].decode("utf-8", "replace").splitlines()[1:]

    def trial(  # noqa: PLR0917 - one call a way
        self, id_: str, configuration: Mapping[str, Any], place: Place, dlv: Dlv, root: Path, wall_time_s: float
    ) -> Trial:
        outcome = TrialOutcome.NOT_REACHED if self.launched else TrialOutcome.REFUSED
        said = [] if self.stopped_in else [self.fault, *self.outputs]
        return Trial(
            id=id_,
            name=str(configuration.get("name", "")),
            request=str(configuration.get("request", "")),
            mode=str(configuration.get("mode", "")),
            breakpoint=f"{Path(place.file).relative_to(root)}:{place.line}",
            verified=self.verified,
            outcome=TrialOutcome.STOPPED if self.stopped_in else outcome,
            stopped_in=self.stopped_in,
            said=_said(said, root),
            debugger=f"dlv {dlv.version}",
            wall_time_s=wall_time_s,
        )


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on at this moment."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _read(path: Path, key: str) -> list[dict[str, Any]]:
    try:
        return msgspec.convert(jsonc.parse(path.read_text("utf-8"), name=path.name)[key], list[dict[str, Any]])
    except msgspec.ValidationError as error:
        raise ProcessError(f"{path.name} is not what was written: {error}", remedy="try again") from error


def _said(lines: list[str], root: Path) -> str:
    kept = [line.strip() for text in lines for line in text.splitlines() if line.strip()]
    text = "\n".join(dict.fromkeys(kept[:_SAID_LINES])).replace(f"{root}/", "")
    return text.replace(str(root), ".")
