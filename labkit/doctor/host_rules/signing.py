"""Rules about what macOS refuses to start: quarantine, signatures, identity, libraries."""

import shlex
from collections.abc import Iterable
from typing import ClassVar, Final

from labkit.doctor.host_rules.base import (
    MACOS,
    PACKAGES,
    SETUP,
    HostRule,
    go_install,
    installed,
    macos_major,
    winners,
)
from labkit.model.base import Text
from labkit.model.binary import SignatureKind
from labkit.model.check import Finding, Need
from labkit.model.host import HostFacts, HostTool

_SIGKILL: Final = 9
_TAHOE: Final = 26
_SEQUOIA: Final = 15
_GITHUB = "https://github.com"


def _fresh_copy(found: HostTool, *between: str) -> tuple[str, ...]:
    """Return the commands that put a copy in a file's place: a new inode, never a change of the old one."""
    old, new = shlex.quote(found.real_path), shlex.quote(f"{found.real_path}.new")
    return (f"cp {old} {new}", *(f"{line} {new}" for line in between), f"mv {new} {old}")


def _resigned(found: HostTool) -> tuple[str, ...]:
    return _fresh_copy(found, "codesign --force --sign -")


def _released(found: HostTool) -> tuple[str, ...]:
    return _fresh_copy(found, "xattr -d com.apple.quarantine")


class _Signed(HostRule):
    needs: ClassVar[tuple[Need, ...]] = (MACOS,)


class Quarantined(_Signed):
    """Asks xattr for com.apple.quarantine on every tool. Fix: a copy without it, once you trust where it came from."""

    id: ClassVar[str] = "F10"
    source: ClassVar[str | None] = f"{_GITHUB}/protocolbuffers/protobuf/issues/6764"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge all tools, on PATH or not; skipped when xattr could not be asked."""
        tools = installed(facts)
        unknown = next((each for each in tools if each.quarantined is None), None)
        if unknown is not None:
            return self.skipped(unknown.missing.get("quarantined", Text(id="host.why.no_macos")))
        return self.by_tools(
            tools,
            bad=lambda each: "com.apple.quarantine" if each.quarantined else None,
            wanted="no com.apple.quarantine",
            command=_released,
        )


class NotNotarised(_Signed):
    """Looks for a quarantined protoc with a developer's signature: Gatekeeper then asks for a ticket it may not have.

    The bytes cannot tell whether a ticket exists; protoc 30.0 had none. Fix: as for quarantine, or another release.
    """

    id: ClassVar[str] = "F11"
    source: ClassVar[str | None] = f"{_GITHUB}/protocolbuffers/protobuf/issues/20576"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge protoc."""
        return self.by_tools(
            [each for each in installed(facts) if each.name == "protoc"],
            bad=_developer_and_quarantined,
            wanted="no com.apple.quarantine, or a notarisation ticket",
            command=_released,
        )


def _developer_and_quarantined(found: HostTool) -> str | None:
    mine = found.quarantined and found.signature is SignatureKind.DEVELOPER_ID
    return f"com.apple.quarantine, signature {found.signature}" if mine else None


def _killed_though_sound(tools: Iterable[HostTool]) -> list[HostTool]:
    return [
        each
        for each in tools
        if each.signal == _SIGKILL
        and each.bad_pages == 0
        and each.signature not in {None, SignatureKind.NONE}
        and not each.quarantined
    ]


class _KilledThoughSound(_Signed):
    """Looks for tools that SIGKILL ended although signature, pages and quarantine are as they should be."""

    newest: ClassVar[bool]

    def judge(self, facts: HostFacts) -> Finding:
        """Judge all tools on a macOS of this rule's age."""
        major = macos_major(facts)
        if (major is not None and major >= _TAHOE) is not self.newest:
            reason = "host.skip.older_macos" if self.newest else "host.skip.newer_macos"
            return self.skipped(Text(id=reason, values={"version": _TAHOE}))
        killed = _killed_though_sound(installed(facts))
        return self.by_tools(
            killed or winners(facts),
            bad=lambda each: f"SIGKILL; signature {each.signature}, 0 bad pages" if each in killed else None,
            wanted="an answer",
            command=_resigned if self.newest else _fresh_copy,
        )


class RewrittenInPlace(_KilledThoughSound):
    """A sound file that is killed on macOS before 26 was written over: the kernel remembers the old pages. Fix: a copy.

    https://developer.apple.com/documentation/security/updating-mac-software
    """

    id: ClassVar[str] = "F12"
    newest: ClassVar[bool] = False
    source: ClassVar[str | None] = f"{_GITHUB}/golang/go/issues/42684"


class KilledUnexplained(_KilledThoughSound):
    """A sound linker-signed file that is killed on macOS 26 has no known cause; signing it again helped. Fix: that."""

    id: ClassVar[str] = "F16"
    newest: ClassVar[bool] = True
    source: ClassVar[str | None] = f"{_GITHUB}/Gentleman-Programming/engram/issues/402"


class _BadPages(_Signed):
    """Hashes the signed pages anew."""

    go_built: ClassVar[bool]

    def judge(self, facts: HostFacts) -> Finding:
        """Judge all tools of this rule's making."""
        tools = [each for each in installed(facts) if (each.go_version is not None) is self.go_built]
        return self.by_tools(
            tools, bad=lambda each: _stale(each, facts), wanted="signed, 0 bad pages", command=_resigned
        )


def _stale(found: HostTool, facts: HostFacts) -> str | None:
    if found.bad_pages:
        return f"{found.bad_pages} bad pages"
    native = any(each.startswith("arm64") for each in found.architectures)
    unsigned = found.signature is SignatureKind.NONE and native and facts.machine.architecture == "arm64"
    return "no signature" if unsigned else None


class GoProgramAltered(_BadPages):
    """Hashes the signed pages of programs that Go built: a tool changed them afterwards. Fix: build or sign it anew."""

    id: ClassVar[str] = "F13"
    go_built: ClassVar[bool] = True
    source: ClassVar[str | None] = f"{_GITHUB}/golang/go/issues/63997"


class SignatureStale(_BadPages):
    """Hashes the signed pages of other programs; Apple silicon also refuses unsigned ones. Fix: sign it anew."""

    id: ClassVar[str] = "F14"
    go_built: ClassVar[bool] = False
    source: ClassVar[str | None] = f"{_GITHUB}/tpoechtrager/osxcross/issues/305"


class LibraryAltered(_Signed):
    """Hashes the pages of the libraries that tools load by path. Fix: sign the libraries first, then the program."""

    id: ClassVar[str] = "F15"
    source: ClassVar[str | None] = f"{_GITHUB}/hahwul/hwaro/issues/782"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the libraries of all tools."""
        return self.by_tools(
            installed(facts),
            bad=lambda each: f"bad pages in {', '.join(each.damaged_libraries)}" if each.damaged_libraries else None,
            wanted="0 bad pages",
            command=lambda each: [
                *(f"codesign --force --sign - {shlex.quote(library)}" for library in each.damaged_libraries),
                f"codesign --force --sign - {shlex.quote(each.real_path)}",
            ],
        )


class _NoUuid(_Signed):
    """Reads whether Mach-O programs have an LC_UUID."""

    since: ClassVar[int]

    def judge(self, facts: HostFacts) -> Finding:
        """Judge all tools on a macOS that minds."""
        major = macos_major(facts)
        if major is not None and major < self.since:
            return self.skipped(Text(id="host.skip.older_macos", values={"version": self.since}))
        return self.by_tools(
            installed(facts),
            bad=lambda each: f"no LC_UUID ({each.go_version or '-'})" if each.has_uuid is False else None,
            wanted="LC_UUID",
            command=lambda each: (go_install(each.name),) if each.name in PACKAGES else SETUP,
        )


class NoUuid(_NoUuid):
    """macOS 26's dyld refuses a program without LC_UUID, which Go before 1.24 left out. Fix: build with a newer Go."""

    id: ClassVar[str] = "F17"
    since: ClassVar[int] = _TAHOE
    source: ClassVar[str | None] = f"{_GITHUB}/onsi/ginkgo/issues/1612"


class NoUuidNoNetwork(_NoUuid):
    """macOS 15 knows programs by LC_UUID when it lets them onto the local network. Fix: build with a newer Go."""

    id: ClassVar[str] = "F18"
    since: ClassVar[int] = _SEQUOIA
    source: ClassVar[str | None] = f"{_GITHUB}/hashicorp/consul/issues/21765"


class LibraryGone(_Signed):
    """Looks for the libraries that tools name by path: an upgrade takes old versions away. Fix: install it anew."""

    id: ClassVar[str] = "F19"
    source: ClassVar[str | None] = f"{_GITHUB}/mobile-shell/mosh/issues/1306"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge all tools."""
        return self.by_tools(
            installed(facts),
            bad=lambda each: f"not there: {', '.join(each.missing_libraries)}" if each.missing_libraries else None,
            wanted="every library it names",
            command=lambda each: ("brew reinstall protobuf",) if each.name == "protoc" else ("labkit setup",),
        )


SIGNING_RULES = (
    Quarantined(), NotNotarised(), RewrittenInPlace(), GoProgramAltered(), SignatureStale(), LibraryAltered(),
    KilledUnexplained(), NoUuid(), NoUuidNoNetwork(), LibraryGone(),
)  # fmt: skip
