"""Why a debugger may not look into a program here, and what to do: Linux's Yama and seccomp, macOS's developer mode."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.errors import ImpossibleHereError, ProcessError
from labkit.model.base import Text
from labkit.model.check import Remedy
from labkit.model.machine import System
from labkit.system import proc
from labkit.system.environment import base

#: dlv's and the systems' words when they let nobody trace.
_REFUSED: Final = (
    "operation not permitted",
    "permission denied",
    "not permitted to attach",
    "could not attach",
    "ptrace_scope",
    "developer mode",
    "stub exited while waiting for connection",
    "unable to attach",
)
_TOOLS_SECURITY: Final = Path("/usr/sbin/DevToolsSecurity")


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What the system says of tracing; None where it says nothing."""

    system: System
    yama: int | None = None  # /proc/sys/kernel/yama/ptrace_scope
    seccomp: int | None = None  # of this process: 2 is a filter
    developer_mode: str | None = None  # what DevToolsSecurity -status says


class NotPermittedError(ImpossibleHereError):
    """The system lets dlv trace no program; ``rights`` says what is known of it."""

    def __init__(self, said: str, rights: Rights) -> None:
        self.said, self.rights = said, rights
        self.cause, self.mending = explain(rights)
        super().__init__(f"dlv may not trace a program here: {said}", remedy="; ".join(self.mending.commands) or said)


def is_refusal(said: str) -> bool:
    """Return whether dlv's words mean that tracing is not permitted."""
    return any(sign in said.lower() for sign in _REFUSED)


def rights(system: System) -> Rights:
    """Return what this system says of tracing."""
    if system is System.MACOS:
        return Rights(system=system, developer_mode=_developer_mode())
    status = _read(Path("/proc/self/status"))
    filters = next((line.split()[1] for line in status.splitlines() if line.startswith("Seccomp:")), "")
    yama = _read(Path("/proc/sys/kernel/yama/ptrace_scope")).strip()
    return Rights(
        system=system,
        yama=int(yama) if yama.isdigit() else None,
        seccomp=int(filters) if filters.isdigit() else None,
    )


def explain(known: Rights) -> tuple[Text, Remedy]:
    """Return the likely cause of a refusal and what to do about it."""
    if known.system is System.MACOS:
        return _texts("macos", {"said": known.developer_mode or "-"}, _MACOS)
    if known.yama is not None and known.yama > 1:
        return _texts("yama", {"scope": known.yama}, ("sudo sysctl kernel.yama.ptrace_scope=1",))
    if known.seccomp == 2:  # noqa: PLR2004 - SECCOMP_MODE_FILTER
        return _texts("seccomp", {}, ("docker run --cap-add=SYS_PTRACE --security-opt seccomp=unconfined ...",))
    return _texts("unknown", {}, ())


_MACOS: Final = (
    "sudo DevToolsSecurity -enable",
    'sudo dscl . append /Groups/_developer GroupMembership "$(whoami)"',
    "xcode-select --install",
)


def _texts(name: str, values: Mapping[str, str | int | float], commands: tuple[str, ...]) -> tuple[Text, Remedy]:
    remedy = Remedy(text=Text(id=f"debugging.permission.fix_{name}"), commands=commands)
    return Text(id=f"debugging.permission.{name}", values=values), remedy


def _developer_mode() -> str | None:
    try:
        done = proc.run([_TOOLS_SECURITY, "-status"], env=base(), timeout_s=20, check=False)
    except ProcessError:
        return None
    return (done.stdout + done.stderr).strip() or None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
