"""The whole chain here: the generated server natively and for arm64, the editor's files, and the findings."""

import tempfile
from pathlib import Path

from labkit import toolchain
from labkit.debugging import emulated, trying
from labkit.debugging.permission import NotPermittedError
from labkit.debugging.rules import (
    Answered,
    Configuration,
    InSymbol,
    Locals,
    NothingLeft,
    Registers,
    Stops,
)
from labkit.debugging.server import MODULE, Progress, build, debugger, server
from labkit.debugging.session import Watch, debug
from labkit.errors import ImpossibleHereError
from labkit.facts import Facts
from labkit.model.base import Text
from labkit.model.check import Evidence, Finding, Status
from labkit.model.debugging import Debugging, Session, Trial, Way

_OWN = ("launch", "attach")


def examine(
    facts: Facts,
    *,
    configurations: bool = True,
    port: int = 0,
    progress: Progress = lambda _line: None,
    watch: Watch = lambda _moment: None,
) -> Debugging:
    """Debug the generated server now, feed the editor's configurations to dlv, and judge what came of it.

    That this machine lets nobody trace a program is a finding, not an error.

    Args:
        facts: This machine with its set.
        configurations: Whether configurations are tried too (some seconds each).
        port: Where dlv listens; a free one when 0.
        progress: Called with one line before each step that may take long.
        watch: Told of each moment of the sessions.

    Raises:
        LabError: A tool cannot be had, the server does not compile, or a session came to no end.

    """
    try:
        native = debug_server(facts, port=port, progress=progress, watch=watch)
    except NotPermittedError as error:
        return Debugging(sessions=(), findings=(refused(error),))
    sessions, not_emulated = [native], None
    if native.platform.endswith("/arm64"):
        not_emulated = Text(id="debugging.reason.native", values={"platform": native.platform})
    else:
        try:
            sessions.append(debug_arm64(facts, progress=progress, watch=watch))
        except ImpossibleHereError as error:
            values = {"what": error.what, "remedy": error.remedy}
            not_emulated = Text(id="debugging.reason.no_qemu", values=values)
    trials: tuple[Trial, ...] = ()
    if configurations:
        progress("configurations of VS Code under dlv")
        trials = try_configurations(facts)
    return Debugging(
        sessions=tuple(sessions),
        not_emulated=not_emulated,
        trials=trials,
        findings=judge(sessions, trials, not_emulated),
    )


def debug_server(
    facts: Facts,
    *,
    port: int = 0,
    progress: Progress = lambda _line: None,
    watch: Watch = lambda _moment: None,
) -> Session:
    """Debug the generated server under dlv on this machine, called once; raises as :func:`labkit.debugging.debug`."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        made = server(facts, Path(scratch).resolve(), progress=progress)
        return debug(
            made.program,
            debugger(facts, progress=progress),
            made.places,
            arguments=("serve",),
            call=made.call,
            substitute={str(made.sources): MODULE},
            port=port,
            watch=watch,
        )


def debug_arm64(
    facts: Facts, *, progress: Progress = lambda _line: None, watch: Watch = lambda _moment: None
) -> Session:
    """Debug the generated server for linux/arm64 under qemu, called by this machine's own build.

    Raises:
        ImpossibleHereError: qemu's user mode is not here.

    """
    qemu = emulated.find_qemu()
    other, own = (build(facts, platform, progress=progress) for platform in (emulated.PLATFORM, None))
    go = f"go{toolchain.find(facts.toolchain, 'go').pinned_version}"
    return emulated.debug_emulated(Path(other.path), Path(own.path), go=go, qemu=qemu, watch=watch)


def try_configurations(facts: Facts) -> tuple[Trial, ...]:
    """Feed labkit's configurations and the handbook's to the set's dlv; raises as :func:`trying.try_all`."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        folder = Path(scratch).resolve() / "workspace"
        return trying.try_all(facts, debugger(facts), toolchain.program(facts.toolchain, "go"), folder)


def judge(sessions: list[Session], trials: tuple[Trial, ...], not_emulated: Text | None) -> tuple[Finding, ...]:
    """Return the findings about sessions and labkit's own configurations; the handbook's are shown, not judged."""
    findings: list[Finding] = []
    for session in sessions:
        rules = (Stops(), Locals(), Registers(), Answered(), NothingLeft())
        findings += [rule.check(session) for rule in rules]
        if session.way is Way.GDB_STUB:
            findings.append(InSymbol().check(session))
    if not_emulated is not None and not_emulated.id == "debugging.reason.no_qemu":
        title = Text(id="debugging.debug_symbol", values={"platform": emulated.PLATFORM, "debugger": emulated.QEMU})
        id_ = f"{InSymbol.id}.linux-arm64"
        findings.append(Finding(id=id_, status=Status.SKIP, title=title, evidence=(), reason=not_emulated))
    return (*findings, *(Configuration().check(trial) for trial in trials if trial.id in _OWN))


def refused(error: NotPermittedError) -> Finding:
    """Return the finding that this machine lets nobody trace a program."""
    return Finding(
        id="debug-permission",
        status=Status.FAIL,
        title=Text(id="debugging.debug_permission"),
        evidence=(Evidence(what="dlv", found=error.said), *_known(error)),
        remedy=error.mending,
        reason=error.cause,
    )


def _known(error: NotPermittedError) -> tuple[Evidence, ...]:
    known = error.rights
    pairs = (
        ("kernel.yama.ptrace_scope", known.yama, "0, 1"),
        ("/proc/self/status: Seccomp", known.seccomp, "0"),
        ("DevToolsSecurity -status", known.developer_mode, "enabled"),
    )
    return tuple(
        Evidence(what=what, found=str(found), wanted=wanted) for what, found, wanted in pairs if found is not None
    )
