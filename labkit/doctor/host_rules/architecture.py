"""Rules about programs made for another processor or system, and about what translates them."""

import shlex
from typing import ClassVar

from labkit.doctor.host_rules.base import (
    ARM,
    LINUX,
    MACOS,
    PLUGINS,
    SETUP,
    HostRule,
    architectures,
    fits,
    own_platform,
    seen,
    tool,
    translated,
    winner,
    winners,
)
from labkit.model.base import Text
from labkit.model.binary import Format
from labkit.model.check import Evidence, Finding, Need
from labkit.model.host import HostFacts, HostTool, Place
from labkit.model.machine import Translation

_GITHUB = "https://github.com"


def _foreign(found: HostTool, facts: HostFacts) -> str | None:
    return None if fits(found, facts) else architectures(found)


class ProtocForIntelMac(HostRule):
    """Reads the slices of the protoc that PATH gives: on Apple silicon one must be arm64. Fix: a newer protoc."""

    id: ClassVar[str] = "F01"
    needs: ClassVar[tuple[Need, ...]] = (MACOS, ARM, tool("protoc"))
    source: ClassVar[str | None] = f"{_GITHUB}/protocolbuffers/protobuf/issues/9893"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge protoc."""
        found = winner(facts, "protoc")
        assert found is not None  # noqa: S101 - a need
        if found.format is Format.MACHO and not fits(found, facts):
            return self.failed(
                Evidence(what=found.path, found=architectures(found), wanted=own_platform(facts)),
                *([Evidence(what=f"{found.name} --version", found=found.error)] if found.error else []),
                commands=(*SETUP, "softwareupdate --install-rosetta"),
            )
        return self.passed(seen(found))


class MavenProtocForIntelMac(HostRule):
    """Reads the bytes of the macOS protoc artefacts in Maven's and Gradle's caches. Fix: protoc 3.21.12 or newer."""

    id: ClassVar[str] = "F02"
    needs: ClassVar[tuple[Need, ...]] = (MACOS, ARM)
    source: ClassVar[str | None] = f"{_GITHUB}/google/protobuf-gradle-plugin/issues/543"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the artefacts for macOS; those for other systems lie there unused."""
        artefacts = [each for each in facts.tools if each.place is Place.MAVEN and each.format is Format.MACHO]
        if not artefacts:
            return self.skipped(Text(id="host.skip.no_artefact"))
        return self.by_tools(
            artefacts,
            bad=lambda each: _foreign(each, facts),
            wanted=own_platform(facts),
            command=lambda each: (f"rm {shlex.quote(each.path)}",),
        )


class LinuxProgramOnMac(HostRule):
    """Reads the format of every program that PATH gives: on a Mac none is ELF. Fix: the macOS build of the tool."""

    id: ClassVar[str] = "F04"
    needs: ClassVar[tuple[Need, ...]] = (MACOS,)
    source: ClassVar[str | None] = f"{_GITHUB}/zeromicro/zero-doc/issues/153"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge what PATH gives."""
        return self.by_tools(
            winners(facts),
            bad=lambda each: architectures(each) if each.format is Format.ELF else None,
            wanted=own_platform(facts),
            command=lambda _each: SETUP,
        )


class ForeignProgramOnLinux(HostRule):
    """Compares each program's format and architecture with the kernel's, where nothing translates. Fix: its own build.

    Plugins are judged by L03, for protoc says another thing of them; where a translator is registered, F06 to F08.
    """

    id: ClassVar[str] = "F05"
    needs: ClassVar[tuple[Need, ...]] = (LINUX,)
    source: ClassVar[str | None] = f"{_GITHUB}/devcontainers-extra/features/issues/83"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge what PATH gives, plugins apart."""
        tools = [each for each in winners(facts) if each.name not in PLUGINS]
        if facts.translators and any(_foreign(each, facts) and each.format is Format.ELF for each in tools):
            names = ", ".join(facts.translators)
            return self.skipped(Text(id="host.skip.translator", values={"names": names}), *map(seen, tools))
        return self.by_tools(
            tools,
            bad=lambda each: _foreign(each, facts),
            wanted=own_platform(facts),
            command=lambda _each: SETUP,
        )


class _NoInterpreterUnder(HostRule):
    """Reads the interpreter that a foreign program names, where a translator is registered: it must be there too."""

    translator: ClassVar[str]
    needs: ClassVar[tuple[Need, ...]] = (LINUX,)

    def judge(self, facts: HostFacts) -> Finding:
        """Judge foreign programs under this translator."""
        if not any(each.startswith(self.translator) for each in facts.translators):
            return self.skipped(Text(id="host.skip.no_translator", values={"name": self.translator}))
        return self.by_tools(
            winners(facts),
            bad=lambda each: each.missing_interpreter if _foreign(each, facts) else None,
            wanted=own_platform(facts),
            command=lambda _each: SETUP,
        )


class RosettaWithoutLoader(_NoInterpreterUnder):
    """Under Rosetta for Linux, a dynamic amd64 program needs amd64's loader. Fix: the arm64 build of the tool."""

    id: ClassVar[str] = "F06"
    translator: ClassVar[str] = "rosetta"
    source: ClassVar[str | None] = f"{_GITHUB}/stephenh/ts-proto/issues/849"


class QemuWithoutLoader(_NoInterpreterUnder):
    """Under qemu-user, a dynamic program of another architecture needs that one's loader.

    Fix: the image's own build.
    """

    id: ClassVar[str] = "F07"
    translator: ClassVar[str] = "qemu-"
    source: ClassVar[str | None] = f"{_GITHUB}/github/proto-gen-go/issues/10"


class EmulatedPlugin(HostRule):
    """Looks for Go plugins that qemu-user would run: emulated Go programs crash at random. Fix: the native plugin."""

    id: ClassVar[str] = "F08"
    needs: ClassVar[tuple[Need, ...]] = (LINUX,)
    source: ClassVar[str | None] = f"{_GITHUB}/jaegertracing/docker-protobuf/issues/81"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge plugins; of a wholly emulated image every one is."""
        emulated = facts.machine.translation is Translation.QEMU
        if not emulated and not any(each.startswith("qemu-") for each in facts.translators):
            return self.skipped(Text(id="host.skip.no_translator", values={"name": "qemu-"}))
        return self.by_tools(
            winners(facts, *PLUGINS),
            bad=lambda each: _foreign(each, facts) if each.format is Format.ELF else None,
            wanted=own_platform(facts),
            command=lambda _each: SETUP,
        )


class NoLoader(HostRule):
    """Reads the loader that a native program names (musl has no glibc's), and what it said. Fix: a static build.

    A loader that is there but lacks symbols says so when the program is asked its version.
    """

    id: ClassVar[str] = "F09"
    needs: ClassVar[tuple[Need, ...]] = (LINUX,)
    source: ClassVar[str | None] = f"{_GITHUB}/protocolbuffers/protobuf/issues/5053"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge native programs."""
        return self.by_tools(
            winners(facts),
            bad=lambda each: None if _foreign(each, facts) else each.missing_interpreter or _unresolved(each),
            wanted="its loader and symbols",
            command=lambda _each: (*SETUP, "apk add gcompat"),
        )


def _unresolved(found: HostTool) -> str | None:
    signs = ("Error relocating", "symbol not found", "version `GLIBC", "cannot open shared object file")
    return found.error if any(sign in (found.error or "") for sign in signs) else None


class GoForIntelMac(HostRule):
    """Reads the slices of the go that PATH gives and asks its host architecture. Fix: Go for darwin/arm64."""

    id: ClassVar[str] = "F23"
    needs: ClassVar[tuple[Need, ...]] = (MACOS, ARM, tool("go"))
    source: ClassVar[str | None] = f"{_GITHUB}/Homebrew/homebrew-core/issues/80706"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge go."""
        found = winner(facts, "go")
        assert found is not None  # noqa: S101 - a need
        host = facts.go_env.get("GOHOSTARCH")
        other = found.format is Format.MACHO and not fits(found, facts)
        if other or host == "amd64" or (found.reported or "").endswith("darwin/amd64"):
            shell = [Evidence(what="sysctl.proc_translated", found="1", wanted="0")] if translated(facts) else []
            return self.failed(
                Evidence(what=found.path, found=architectures(found), wanted=own_platform(facts)),
                Evidence(what="go version", found=found.reported or found.error or "-", wanted="darwin/arm64"),
                *shell,
                commands=("arch -arm64 /opt/homebrew/bin/brew install go", *SETUP),
            )
        return self.passed(seen(found))


class ForeignPlugin(HostRule):
    """Compares each plugin's format and architecture with the hardware's: protoc says only that it was not found."""

    id: ClassVar[str] = "L01"
    source: ClassVar[str | None] = f"{_GITHUB}/golang/go/issues/57485"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the plugins that PATH gives."""
        plugins = winners(facts, *PLUGINS)
        if not plugins:
            return self.skipped(Text(id="host.skip.no_tool", values={"tool": " / ".join(PLUGINS)}))
        return self.by_tools(
            plugins,
            bad=lambda each: _foreign(each, facts),
            wanted=own_platform(facts),
            command=lambda _each: ("go env -u GOOS GOARCH", "unset GOOS GOARCH", *SETUP),
        )


ARCHITECTURE_RULES = (
    ProtocForIntelMac(), MavenProtocForIntelMac(), LinuxProgramOnMac(), ForeignProgramOnLinux(), RosettaWithoutLoader(),
    QemuWithoutLoader(), EmulatedPlugin(), NoLoader(), GoForIntelMac(), ForeignPlugin(),
)  # fmt: skip
