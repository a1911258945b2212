"""The rules: each says in its docstring how it judges, and turns a subject into a finding with evidence.

A rule's id is permanent; where it judges many subjects, the finding's id carries the subject's name after a dot.
"""

from typing import ClassVar, Final

from labkit.doctor.subjects import CodegenSubject, IncludeSubject, ToolSubject
from labkit.model.base import Text
from labkit.model.binary import Format
from labkit.model.check import Evidence, Finding, Need, NeedKind, Remedy, Status
from labkit.model.machine import System
from labkit.model.toolchain import ToolOrigin

SETUP: Final = ("labkit setup",)
TOOLCHAIN: Final = (Need(kind=NeedKind.TOOLCHAIN, name="current"),)
_FORMATS: Final = {System.MACOS: Format.MACHO, System.LINUX: Format.ELF}


def pass_or_fail(*, good: bool) -> Status:
    """Return the status of what was judged."""
    return Status.PASS if good else Status.FAIL


class ToolVersion:
    """Asks the tool its version and compares the answer with the pin. Fix: provision the set again."""

    id: ClassVar[str] = "tool-version"
    needs: ClassVar[tuple[Need, ...]] = TOOLCHAIN
    source: ClassVar[str | None] = None
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: ToolSubject) -> Finding:
        """Judge one tool."""
        tool = facts.tool
        good = tool.problem is None and tool.version == tool.pinned_version
        found = tool.problem or tool.reported_version or ""
        return Finding(
            id=f"{self.id}.{tool.name}",
            status=pass_or_fail(good=good),
            title=Text(id="doctor.tool_version", values={"tool": tool.name, "version": tool.pinned_version}),
            evidence=(Evidence(what=tool.path, found=found, wanted=tool.pinned_version),),
            remedy=None if good else Remedy(text=Text(id="doctor.fix_setup"), commands=SETUP),
        )


class ToolUnaltered:
    """Compares the tool's sha256 with the one it had when it entered the store.

    Fix: delete the entry, provision again.
    """

    id: ClassVar[str] = "tool-unaltered"
    needs: ClassVar[tuple[Need, ...]] = TOOLCHAIN
    source: ClassVar[str | None] = None
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: ToolSubject) -> Finding:
        """Judge one tool; the host's own has no earlier digest and is skipped."""
        tool = facts.tool
        title = Text(id="doctor.tool_unaltered", values={"tool": tool.name})
        if tool.origin is ToolOrigin.HOST:
            reason = Text(id="doctor.host_tool", values={"tool": tool.name})
            return Finding(id=f"{self.id}.{tool.name}", status=Status.SKIP, title=title, evidence=(), reason=reason)
        good = tool.sha256 is not None and tool.sha256 == tool.installed_sha256
        found = tool.sha256 or tool.problem or ""
        entry = tool.path.split("/store/", 1)[-1].split("/", 1)[0]
        return Finding(
            id=f"{self.id}.{tool.name}",
            status=pass_or_fail(good=good),
            title=title,
            evidence=(Evidence(what=f"sha256 {tool.path}", found=found, wanted=tool.installed_sha256),),
            remedy=None
            if good
            else Remedy(text=Text(id="doctor.fix_altered", values={"entry": entry}), commands=SETUP),
        )


class ToolNative:
    """Reads the tool's bytes: format and architecture must be the machine's own, so that nothing is translated."""

    id: ClassVar[str] = "tool-native"
    needs: ClassVar[tuple[Need, ...]] = TOOLCHAIN
    source: ClassVar[str | None] = "https://support.apple.com/en-us/102527"
    confirmed_on_hardware: ClassVar[bool | None] = False

    def check(self, facts: ToolSubject) -> Finding:
        """Judge one tool."""
        wanted = f"{_FORMATS[facts.machine.system]} {facts.machine.architecture}"
        found = [f"{facts.binary.format} {piece.architecture}" for piece in facts.binary.slices]
        good = wanted in found
        return Finding(
            id=f"{self.id}.{facts.tool.name}",
            status=pass_or_fail(good=good),
            title=Text(id="doctor.tool_native", values={"tool": facts.tool.name}),
            evidence=(
                Evidence(what=facts.tool.path, found=", ".join(found) or facts.binary.error or "", wanted=wanted),
            ),
            remedy=None if good else Remedy(text=Text(id="doctor.fix_setup"), commands=SETUP),
            link=self.source,
            confirmed_on_hardware=facts.machine.system is System.MACOS if good else self.confirmed_on_hardware,
        )


class ProtocInclude:
    """Looks for protoc's well-known types beside it; a file that imports one does not compile without."""

    id: ClassVar[str] = "protoc-include"
    needs: ClassVar[tuple[Need, ...]] = TOOLCHAIN
    source: ClassVar[str | None] = "https://github.com/protocolbuffers/protobuf/issues/19361"
    confirmed_on_hardware: ClassVar[bool | None] = None
    wanted: ClassVar[str] = "google/protobuf/timestamp.proto"

    def check(self, facts: IncludeSubject) -> Finding:
        """Judge the include folder."""
        good = self.wanted in facts.files
        return Finding(
            id=self.id,
            status=pass_or_fail(good=good),
            title=Text(id="doctor.protoc_include"),
            evidence=(Evidence(what=facts.folder, found=f"{len(facts.files)} .proto files", wanted=self.wanted),),
            remedy=None if good else Remedy(text=Text(id="doctor.fix_setup"), commands=SETUP),
            link=self.source,
        )


class GeneratedFiles:
    """Compares the generated files' names, and the versions in their headers, with what the set should make."""

    id: ClassVar[str] = "generated-files"
    needs: ClassVar[tuple[Need, ...]] = TOOLCHAIN
    source: ClassVar[str | None] = None
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: CodegenSubject) -> Finding:
        """Judge one run of protoc."""
        stamps = {name: version for file in facts.generated.files for name, version in file.made_by.items()}
        evidence = [
            Evidence(
                what="files",
                found=", ".join(file.path for file in facts.generated.files),
                wanted=", ".join(facts.wanted_files),
            )
        ]
        evidence += [
            Evidence(what=f"header: {name}", found=stamps.get(name, ""), wanted=version)
            for name, version in facts.pins.items()
        ]
        good = all(item.found == item.wanted for item in evidence)
        return Finding(
            id=self.id,
            status=pass_or_fail(good=good),
            title=Text(id="doctor.generated_files"),
            evidence=tuple(evidence),
            remedy=None if good else Remedy(text=Text(id="doctor.fix_setup"), commands=SETUP),
        )


class ServerAnswers:
    """Compares the reply of the compiled service, called over loopback, with what its code should say."""

    id: ClassVar[str] = "server-answers"
    needs: ClassVar[tuple[Need, ...]] = TOOLCHAIN
    source: ClassVar[str | None] = None
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: CodegenSubject) -> Finding:
        """Judge one call."""
        served = facts.served
        good = served.reply == served.expected_reply
        return Finding(
            id=self.id,
            status=pass_or_fail(good=good),
            title=Text(id="doctor.server_answers"),
            evidence=(Evidence(what=served.method, found=served.reply, wanted=served.expected_reply),),
            remedy=None if good else Remedy(text=Text(id="doctor.fix_server")),
        )


TOOL_RULES: Final = (ToolVersion(), ToolUnaltered(), ToolNative())
CODEGEN_RULES: Final = (GeneratedFiles(), ServerAnswers())
