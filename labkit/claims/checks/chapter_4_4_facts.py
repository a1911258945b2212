"""What the checks of chapter 4.4 share: the debugged server, headless dlv, configurations fed to it. No verdicts."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from labkit import debugging, toolchain
from labkit.claims import headless
from labkit.claims.facts import ClaimFacts, probe
from labkit.claims.headless import Served
from labkit.debugging import Dlv, NotPermittedError, emulated, jsonc, server, trying, vscode
from labkit.errors import ImpossibleHereError, LabError, NetworkError
from labkit.model.base import Record
from labkit.model.debugging import Session, Trial
from labkit.toolchain import golang

#: What an arm64 program's registers are called (Arm ARM, B1.2.1; the stack pointer and the program counter with them).
ARM64: Final = (*(f"X{number}" for number in range(31)), "SP", "PC")
_TINY: Final = {
    "go.mod": "module labkit.dev/tiny\n\ngo 1.21\n",
    "main.go": 'package main\n\nfunc main() {\n\tprint("")\n}\n',
}
_RANDOM: Final = re.compile(r"__debug_bin\d+")


class Debugged(Record, frozen=True, kw_only=True):
    """A session, or why there was none."""

    session: Session | None = None
    said: str = ""
    not_permitted: bool = False  # the system lets nobody trace a program: nothing is known of the statement


class Headless(Record, frozen=True, kw_only=True):
    """Headless dlvs as their client saw them, each without GOARCH in its environment and with it."""

    plain: tuple[Served, ...] = ()
    given: tuple[Served, ...] = ()
    said: str = ""  # the system's refusal to let anybody trace a program


def dlv(facts: ClaimFacts) -> Dlv:
    """Return the current set's dlv, or what a test has put in its place under ``current:dlv``; Go is the facts' own."""
    given = debugging.debugger(facts.lab)
    own = facts.replaced_tool("current:dlv")
    return Dlv(path=own or given.path, version=given.version, env=golang.environment(facts.go()))


def registers(names: tuple[str, ...]) -> bool:
    """Return whether X0 to X30, SP and PC are among some registers."""
    return {each.upper() for each in ARM64} <= {each.upper() for each in names}


@probe("debug-server", recipe={"program": "hello-debug"})
def debugged(facts: ClaimFacts) -> Debugged:
    """Debug the generated server here: breakpoints by file and line in what was generated, and a call."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        made = server.server(facts.lab, Path(scratch).resolve(), progress=facts.progress)
        own = facts.replaced_tool("debug:server")
        program = made.program if own is None else _program(made, own)
        try:
            session = debugging.debug(
                program,
                dlv(facts),
                made.places,
                arguments=("serve",),
                call=made.call,
                substitute={str(made.sources): server.MODULE},
            )
        except NotPermittedError as error:
            return Debugged(said=error.what, not_permitted=True)
        except NetworkError:
            raise
        except LabError as error:
            return Debugged(said=error.what.replace(f"{made.sources}/", ""))
    return Debugged(session=session)


def _program(made: server.Server, own: Path) -> debugging.Program:
    """Return the program of a server with another file in its place."""
    return debugging.Program(path=own, platform=made.program.platform, go=made.program.go)


@probe("debug-arm64", tools=("qemu-aarch64",), recipe={"program": "hello-debug"})
def emulated_arm64(facts: ClaimFacts) -> Debugged:
    """Debug the generated server for linux/arm64 through qemu's gdb server."""
    qemu = facts.has_tool(emulated.QEMU)
    if qemu is None:
        return Debugged(said=f"{emulated.QEMU} is not on PATH")
    other, own = (server.build(facts.lab, platform, progress=facts.progress) for platform in (emulated.PLATFORM, None))
    version = toolchain.find(facts.lab.toolchain, "go").pinned_version
    try:
        session = emulated.debug_emulated(Path(other.path), Path(own.path), go=f"go{version}", qemu=qemu)
    except ImpossibleHereError as error:
        return Debugged(said=error.what)
    return Debugged(session=session)


@probe("debug-headless", recipe={"tiny": _TINY})
def served(facts: ClaimFacts) -> Headless:
    """Start headless dlvs with the stated words, of a built program and of sources, and be their client."""
    program = Path(server.build(facts.lab, progress=facts.progress).path)
    debugger = dlv(facts)
    seen: dict[str, list[Served]] = {"": [], "arm64": []}
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        root = Path(scratch).resolve()
        for name, text in _TINY.items():
            (root / name).write_text(text, "utf-8")
        for goarch, found in seen.items():
            more = {"GOARCH": goarch} if goarch else {}
            try:
                found.append(
                    headless.serve(
                        debugger,
                        "exec",
                        program,
                        where={"functionName": "main.serve"},
                        cwd=root,
                        program_words=("serve",),
                        variables=more,
                    )
                )
                found.append(
                    headless.serve(debugger, "debug", where={"functionName": "main.main"}, cwd=root, variables=more)
                )
            except NotPermittedError as error:
                return Headless(said=error.what)
    return Headless(plain=_steady(seen[""]), given=_steady(seen["arm64"]))


def _steady(found: list[Served]) -> tuple[Served, ...]:
    return tuple(msgspec.structs.replace(each, said=_RANDOM.sub("__debug_bin", each.said)) for each in found)


@probe("debug-launch", recipe={"printed": dict(trying.HANDBOOK)})
def launched(facts: ClaimFacts) -> tuple[Trial, ...]:
    """Feed the printed configuration to dlv as the editor does, and the same with one thing changed at a time."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        root, place = _workspace(facts, Path(scratch).resolve() / "workspace")
        debugger = dlv(facts)
        trials = [
            trying.try_launch(id_, each, root, debugger, place) for id_, each in trying.handbook_variants().items()
        ]
    return tuple(msgspec.structs.replace(each, said=_RANDOM.sub("__debug_bin", each.said)) for each in trials)


@probe("debug-attach", recipe={})
def attached(facts: ClaimFacts) -> Trial:
    """Start a headless dlv by the task that labkit writes, and attach to it as the editor does."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        root, place = _workspace(facts, Path(scratch).resolve() / "workspace")
        debugger = dlv(facts)
        go = facts.go()
        wanted = vscode.project(
            root / trying.PACKAGE,
            workspace=root,
            arguments=("serve",),
            go=go,
            dlv=debugger.path,
            port=trying.free_port(),
        )
        vscode.write(wanted)
        tasks = {task["label"]: task for task in _written(root, "tasks.json", "tasks")}
        configurations = _written(root, "launch.json", "configurations")
        configuration = next(each for each in configurations if each["request"] == "attach")
        return trying.try_attach("attach", configuration, tasks, root, debugger, place)


def _workspace(facts: ClaimFacts, folder: Path) -> tuple[Path, debugging.Place]:
    root = trying.workspace(facts.lab, folder)
    main = root / trying.PACKAGE / "main.go"
    line = server.line_of(main, r"^func serve\(") + 1
    return root, debugging.Place(name="serve", file=str(main), line=line)


def _written(root: Path, name: str, key: str) -> list[Mapping[str, Any]]:
    text = (root / ".vscode" / name).read_text("utf-8")
    return msgspec.convert(jsonc.parse(text, name=name)[key], list[Mapping[str, Any]])
