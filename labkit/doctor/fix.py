"""Mends what can be mended safely, and proves it by running the same check again.

Safe is: taking a leftover out of the file of ``go env -w``; provisioning labkit's set; making a file executable; on a
Mac, putting a signed or released copy in a file's place (a new file, renamed: never a change of the old one). All else
is refused with the commands to copy. A shell's start-up files are never touched: a line for PATH is shown instead.
"""

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from labkit.doctor.host_rules import HOST_RULES, HostRule
from labkit.doctor.host_rules.settings import settings
from labkit.errors import ImpossibleHereError, UsageError
from labkit.model.base import Record
from labkit.model.check import Finding, Status
from labkit.model.host import HostFacts, HostTool, Place
from labkit.model.machine import System
from labkit.system import proc
from labkit.system.environment import base, host
from labkit.system.store import saying_why, write_atomically
from labkit.toolchain import host_platform, program, provision
from labkit.toolchain.inventory import take_inventory
from labkit.toolchain.look import in_store

_SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "F22": ("GOOS", "GOARCH"),
    "F29": ("GOROOT",),
    "F44": ("GOPROXY",),
    "F46": ("GOFLAGS", "CGO_LDFLAGS", "CGO_CFLAGS"),
    "L13": ("GOPROXY",),
    "L22": ("GOFLAGS",),
    "L23": ("GOTOOLCHAIN",),
    "L24": ("GOPATH", "GOBIN"),
}
_INSTALLS: Final[Mapping[str, str]] = {
    "F20": "protoc-gen-go", "F21": "protoc-gen-go-grpc", "L02": "protoc", "L20": "go",
}  # fmt: skip
_RELEASES: Final = frozenset({"F10", "F11"})
_COPIES: Final = frozenset({"F12"})
_SIGNS: Final = frozenset({"F13", "F14", "F16"})
_NOT_THE_USERS: Final = frozenset({Place.MAVEN, Place.LABKIT})
_TIMEOUT_S: Final = 60.0


class Offer(Record, frozen=True, kw_only=True):
    """What would be done about a finding, before it is done."""

    id: str
    steps: tuple[str, ...]  # in the order in which they are done, as commands that do the same


class Mended(Record, frozen=True, kw_only=True):
    """What was done, with the same check's finding before and after. Without consent nothing was done."""

    id: str
    done: tuple[str, ...]
    before: Finding
    after: Finding
    path_line: str | None = None  # to copy into the shell, where what was installed is not on PATH


class _Repair:
    """An offer and the work behind it; the work returns the folders that PATH would need."""

    def __init__(self, id_: str, steps: Iterable[str], work: Callable[[], tuple[str, ...]]) -> None:
        self.offer = Offer(id=id_, steps=tuple(steps))
        self.work = work


def fixes(findings: Iterable[Finding], facts: HostFacts) -> tuple[Offer, ...]:
    """Return what could be done about each failed finding that labkit may mend itself."""
    offers: list[Offer] = []
    for finding in findings:
        if finding.status is Status.FAIL:
            with contextlib.suppress(ImpossibleHereError):
                offers.append(_repair(finding, facts, root=Path("/"), offline=False).offer)
    return tuple(offers)


def apply(
    id_: str,
    facts: HostFacts,
    *,
    confirm: Callable[[Offer], bool],
    environ: Mapping[str, str] | None = None,
    root: Path = Path("/"),
    offline: bool = False,
) -> Mended:
    """Mend one failed finding, after showing what would be done, and check again.

    Args:
        id_: The finding's id.
        facts: The host as it was found.
        confirm: Shown the offer; nothing is done unless it returns True.
        environ: The user's environment, for the second look; this process's own when None.
        root: As for :func:`labkit.toolchain.inventory.take_inventory`.
        offline: Refuse what would use the network.

    Raises:
        UsageError: No rule has that id.
        ImpossibleHereError: It passes, or only the user can mend it; the remedy holds the commands to copy.
        StoreError: A file could not be written.
        ProvisionError: A tool could not be had.

    """
    rule = _rule(id_)
    before = rule.check(facts)
    if before.status is not Status.FAIL:
        raise ImpossibleHereError(f"{id_} does not fail here: there is nothing to mend", remedy="run `labkit doctor`")
    repair = _repair(before, facts, root=root, offline=offline)
    if not confirm(repair.offer):
        return Mended(id=id_, done=(), before=before, after=before)
    folders = repair.work()
    around = dict(host() if environ is None else environ)
    if folders:
        around["PATH"] = os.pathsep.join([around["PATH"], *folders] if around.get("PATH") else folders)
    project = Path(facts.project.folder) if facts.project else None
    after = rule.check(take_inventory(facts.machine, root=root, environ=around, project=project))
    line = f'export PATH="$PATH:{os.pathsep.join(folders)}"' if folders else None
    return Mended(id=id_, done=repair.offer.steps, before=before, after=after, path_line=line)


def _rule(id_: str) -> HostRule:
    known = {rule.id: rule for rule in HOST_RULES}
    if id_ not in known:
        raise UsageError(f"no rule about the host has the id {id_!r}", remedy="take an id that `labkit doctor` shows")
    return known[id_]


def _repair(finding: Finding, facts: HostFacts, *, root: Path, offline: bool) -> _Repair:
    id_ = finding.id
    if id_ in _SETTINGS:
        return _unset(finding, facts)
    if id_ in _INSTALLS:
        return _install(finding, facts, offline=offline)
    if id_ == "L04":
        return _executable(finding)
    if id_ in _RELEASES | _COPIES | _SIGNS and facts.machine.system is System.MACOS:
        return _replace(finding, facts, root)
    raise _refusal(finding)


def _refusal(finding: Finding, why: str = "labkit does not mend it by itself") -> ImpossibleHereError:
    commands = finding.remedy.commands if finding.remedy else ()
    remedy = "; ".join(commands) or "see what `labkit doctor` says of it"
    return ImpossibleHereError(f"{finding.id}: {why}", remedy=f"do it yourself: {remedy}" if commands else remedy)


def _unset(finding: Finding, facts: HostFacts) -> _Repair:
    """Take leftovers out of the file of ``go env -w``; those of the environment are the shell's."""
    blamed = {name for each in finding.evidence for name in _SETTINGS[finding.id] if each.found.startswith(f"{name}=")}
    made = [(name, where) for name, _, where in settings(facts, *_SETTINGS[finding.id]) if name in blamed]
    names = [name for name, where in made if where != "environment"]
    if not names or facts.go_env_file is None:
        raise _refusal(finding, "the shell's own environment holds it, which labkit cannot change")
    file = Path(facts.go_env_file)

    def work() -> tuple[str, ...]:
        with saying_why(f"cannot read {file}"):
            lines = file.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.strip().partition("=")[0] not in names]
        write_atomically(file.resolve(), "".join(kept))
        return ()

    return _Repair(finding.id, [f"go env -u {name}" for name in names], work)


def _install(finding: Finding, facts: HostFacts, *, offline: bool) -> _Repair:
    """Provision the set, unless the tool is there and only its folder is not on PATH."""
    name = _INSTALLS[finding.id]
    if any(each.name == name and each.executable and each.place not in _NOT_THE_USERS for each in facts.tools):
        raise _refusal(finding, "it is installed; only your shell can put its folder on PATH")
    if any(each.name == name and each.on_path for each in facts.tools):
        raise _refusal(finding, "it is there but not executable: mend L04")
    platform = host_platform(facts.machine)
    if offline and in_store("current", platform) is None:
        raise _refusal(finding, "labkit's store does not hold it, and the network is not to be used")

    def work() -> tuple[str, ...]:
        return (str(program(provision("current", platform), name).parent),)

    return _Repair(finding.id, ["labkit setup"], work)


def _executable(finding: Finding) -> _Repair:
    paths = [Path(each.what) for each in finding.evidence]

    def work() -> tuple[str, ...]:
        for path in paths:
            with saying_why(f"cannot make {path} executable"):
                mode = stat.S_IMODE(path.stat().st_mode)
                path.chmod(mode | (mode & 0o444) >> 2)  # whoever may read it may execute it
        return ()

    return _Repair(finding.id, [f"chmod +x {path}" for path in paths], work)


def _replace(finding: Finding, facts: HostFacts, root: Path) -> _Repair:
    """Put a copy of each blamed file in its place: released from quarantine, or signed anew."""
    blamed = {each.what for each in finding.evidence}
    tools = [each for each in facts.tools if each.path in blamed]
    sign = finding.id in _SIGNS

    def work() -> tuple[str, ...]:
        for each in tools:
            _put_copy(each, root, sign=sign)
        return ()

    return _Repair(finding.id, finding.remedy.commands if finding.remedy else (), work)


def _put_copy(tool: HostTool, root: Path, *, sign: bool) -> None:
    old = Path(tool.real_path)
    new = old.with_name(f".{old.name}.{secrets.token_hex(4)}.part")
    with saying_why(f"cannot put a copy in the place of {old}"):
        try:
            shutil.copy2(old, new)  # on a Mac without extended attributes: quarantine stays behind
            if sign:
                signer = root / "usr/bin/codesign"
                proc.run([signer, "--force", "--sign", "-", new], env=base(), timeout_s=_TIMEOUT_S)
            else:
                remover = root / "usr/bin/xattr"
                # that the copy has no such attribute is no fault: the check that follows decides
                proc.run([remover, "-d", "com.apple.quarantine", new], env=base(), timeout_s=_TIMEOUT_S, check=False)
            new.replace(old)
        finally:
            new.unlink(missing_ok=True)
