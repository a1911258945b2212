"""Rules about a project's own files: .proto files, build lines, locks, generated code. Nothing of it is run."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import ClassVar, Final

from labkit.doctor.host_rules.base import (
    ARM,
    MACOS,
    ProjectRule,
    go_install,
    numbers,
    seen,
    tool,
    winner,
)
from labkit.model.check import Evidence, Finding, Need
from labkit.model.host import HostFacts, Project, ProjectLine
from labkit.model.machine import Architecture, System

_GITHUB = "https://github.com"
_FIRST_ARM_ARTEFACT: Final = (3, 17, 3)
_ARTEFACT: Final = re.compile(r"com\.google\.protobuf:protoc:v?(\d[\w.\-]*)")
_CHECKSUM: Final = re.compile(r"sha256|checksum|[0-9a-f]{64}", re.IGNORECASE)
_PLATFORM: Final = re.compile(r"\b(?:osx|linux|win|darwin|macos)[-_](?:aarch_64|aarch64|arm64|x86_64|amd64|x64)\b")


def _evidence(lines: Iterable[ProjectLine], wanted: str | None = None) -> list[Evidence]:
    return [Evidence(what=f"{line.file}:{line.number}", found=line.text, wanted=wanted) for line in lines]


class ArtefactWithoutArm(ProjectRule):
    """Reads the protoc artefact's version in build files: there is one for osx-aarch_64 from 3.17.3 on. Fix: newer."""

    id: ClassVar[str] = "F03"
    needs: ClassVar[tuple[Need, ...]] = (MACOS, ARM)
    source: ClassVar[str | None] = f"{_GITHUB}/protocolbuffers/protobuf/issues/8062"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:  # noqa: ARG002 - a rule's shape
        """Judge the lines that name the artefact; one that names osx-x86_64 itself gets that."""
        lines = [(line, found) for line in project.lines if (found := _ARTEFACT.search(line.text))]
        if not lines:
            return self.nothing("com.google.protobuf:protoc", project)
        old = [
            line
            for line, found in lines
            if numbers(found[1].split("-")[0]) < _FIRST_ARM_ARTEFACT and "osx-x86_64" not in line.text
        ]
        if old:
            return self.failed(*_evidence(old, "3.17.3 or newer; native from 3.21.12"))
        return self.passed(*_evidence(line for line, _ in lines))


class OldPluginFlag(ProjectRule):
    """Looks for plugins=grpc in build lines: protoc-gen-go takes it no more since 1.20. Fix: --go-grpc_out."""

    id: ClassVar[str] = "F30"
    source: ClassVar[str | None] = f"{_GITHUB}/golang/protobuf/issues/1070"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:
        """Judge the lines by the plugin that would get them: the first generation still takes the flag."""
        lines = [line for line in project.lines if re.search(r"plugins=[\w,+]*grpc", line.text)]
        found = winner(facts, "protoc-gen-go")
        if not lines:
            uses = [line for line in project.lines if "go_out" in line.text]
            return self.passed(*_evidence(uses)) if uses else self.nothing("--go_out", project)
        if found is not None and (found.module or "").startswith("github.com/golang/protobuf@"):
            return self.passed(*_evidence(lines), seen(found))
        return self.failed(
            *_evidence(lines, "--go_out=DIR --go-grpc_out=DIR"), commands=(go_install("protoc-gen-go-grpc"),)
        )


class NoGoPackage(ProjectRule):
    """Looks for .proto files without go_package, and for an M option that gives one instead. Fix: add the option."""

    id: ClassVar[str] = "F31"
    source: ClassVar[str | None] = f"{_GITHUB}/golang/protobuf/issues/1294"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:  # noqa: ARG002 - a rule's shape
        """Judge every .proto file."""
        if not project.protos:
            return self.nothing("*.proto", project)
        mapped = " ".join(line.text for line in project.lines)
        bad = [
            each.path
            for each in project.protos
            if not each.go_package
            and not re.search(rf"\bM(?:\S*/)?{re.escape(PurePosixPath(each.path).name)}=", mapped)
        ]
        if bad:
            wanted = 'option go_package = "example.com/module/package";'
            return self.failed(*(Evidence(what=path, found="no go_package", wanted=wanted) for path in bad))
        return self.passed(*(Evidence(what=each.path, found=each.go_package or "M...=") for each in project.protos))


class BareGoPackage(ProjectRule):
    """Reads each go_package's import path, which must hold a period or a slash. Fix: the package's full path."""

    id: ClassVar[str] = "F32"
    source: ClassVar[str | None] = f"{_GITHUB}/golang/protobuf/issues/1316"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:  # noqa: ARG002 - a rule's shape
        """Judge every go_package; what follows a semicolon is the package's name and may be bare."""
        named = [each for each in project.protos if each.go_package]
        if not named:
            return self.nothing("go_package", project)
        bad = [each for each in named if not re.search(r"[./]", (each.go_package or "").split(";")[0])]
        if bad:
            wanted = "a path with . or /"
            return self.failed(*(Evidence(what=each.path, found=each.go_package or "", wanted=wanted) for each in bad))
        return self.passed(*(Evidence(what=each.path, found=each.go_package or "") for each in named))


class InstallWithoutVersion(ProjectRule):
    """Looks for `go install` of a tool without @version where there is no go.mod. Fix: add @ and the version."""

    id: ClassVar[str] = "F35"
    source: ClassVar[str | None] = f"{_GITHUB}/grpc/grpc.io/issues/1343"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:  # noqa: ARG002 - a rule's shape
        """Judge the lines that install; within a module its requirement gives the version."""
        pattern = re.compile(r"go install\s+(?:-\S+\s+)*((?:[\w-]+\.)+[\w-]+/\S+)")
        lines = [(line, found[1].strip("\"'")) for line in project.lines if (found := pattern.search(line.text))]
        if not lines:
            return self.nothing("go install", project)
        bad = [(line, package) for line, package in lines if "@" not in package and project.go_mod is None]
        if bad:
            commands = [f"go install {package}@latest" for _, package in bad]
            return self.failed(*_evidence((line for line, _ in bad), "@version"), commands=commands)
        return self.passed(*_evidence(line for line, _ in lines))


class RegisteredTwice(ProjectRule):
    """Reads which .proto each generated file was made from: one in two packages is registered twice. Fix: one of them.

    The panic comes only in a program that links both; that is not looked at.
    """

    id: ClassVar[str] = "F39"
    source: ClassVar[str | None] = f"{_GITHUB}/golang/protobuf/issues/1122"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:  # noqa: ARG002 - a rule's shape
        """Judge the messages' files; the services' beside them register nothing."""
        files = [each for each in project.generated if each.source and "protoc-gen-go-grpc" not in each.made_by]
        if not files:
            return self.nothing("*.pb.go", project)
        by_source: dict[str, list[str]] = {}
        for each in files:
            by_source.setdefault(each.source or "", []).append(each.path)
        twice = {source: paths for source, paths in by_source.items() if len(paths) > 1}
        if twice:
            evidence = [Evidence(what=source, found=", ".join(paths), wanted="one") for source, paths in twice.items()]
            return self.failed(*evidence)
        return self.passed(*(Evidence(what=each.path, found=each.source or "") for each in files))


class HeaderDrift(ProjectRule):
    """Compares the versions in generated files' heads with those of the tools on PATH. Fix: pin the tools.

    Whether the code differs as well, only generating it anew can tell: that is what `labkit drift` does.
    """

    id: ClassVar[str] = "F41"
    needs: ClassVar[tuple[Need, ...]] = (tool("protoc-gen-go"),)
    source: ClassVar[str | None] = f"{_GITHUB}/golang/protobuf/issues/1185"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:
        """Judge each stamp by the last two numbers of its version: protoc 30.2 signs as v6.30.2."""
        stamped = [each for each in project.generated if each.made_by]
        if not stamped:
            return self.nothing("*.pb.go", project)
        here = {each.name: each for each in facts.tools if each.wins}
        evidence: list[Evidence] = []
        for each in stamped:
            for name, version in each.made_by.items():
                found = here.get(name)
                if found is None or found.version is None:
                    continue
                stamp = numbers(version)[1:] if name == "protoc" and numbers(version)[:1] > (3,) else numbers(version)
                if stamp != numbers(found.version)[: len(stamp)]:
                    evidence.append(Evidence(what=f"{each.path}: {name}", found=version, wanted=found.version))
        if evidence:
            return self.failed(*evidence)
        return self.passed(*(Evidence(what=each.path, found=str(dict(each.made_by))) for each in stamped))


class LockWithoutPlatform(ProjectRule):
    """Reads which platforms a lock has checksums for: this machine's must be among them. Fix: lock it there too."""

    id: ClassVar[str] = "F47"
    source: ClassVar[str | None] = f"{_GITHUB}/googleapis/google-cloud-node/issues/9380"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:
        """Judge each file that names platforms beside checksums."""
        checked = {line.file for line in project.lines if _CHECKSUM.search(line.text)}
        named: dict[str, set[str]] = {}
        for line in project.lines:
            if line.file in checked:
                named.setdefault(line.file, set()).update(map(str, _PLATFORM.findall(line.text)))
        named = {file: platforms for file, platforms in named.items() if platforms}
        if not named:
            return self.nothing("sha256", project)
        own = _own_names(facts)
        evidence = [
            Evidence(what=file, found=", ".join(sorted(platforms)), wanted=min(own))
            for file, platforms in named.items()
            if not platforms & own
        ]
        if evidence:
            return self.failed(*evidence)
        return self.passed(*(Evidence(what=file, found=", ".join(sorted(each))) for file, each in named.items()))


def _own_names(facts: HostFacts) -> set[str]:
    systems = ("osx", "darwin", "macos") if facts.machine.system is System.MACOS else ("linux",)
    arm = facts.machine.architecture is Architecture.ARM64
    names = ("aarch_64", "aarch64", "arm64") if arm else ("x86_64", "amd64", "x64")
    return {f"{system}{joint}{name}" for system in systems for joint in "-_" for name in names}


class SkippedPlatform(ProjectRule):
    """Reads aqua's supported_envs: a tool whose list leaves this platform out is passed over silently. Fix: add it.

    Only lists on one line are read.
    """

    id: ClassVar[str] = "F48"
    source: ClassVar[str | None] = f"{_GITHUB}/aquaproj/aqua-registry/issues/33247"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:
        """Judge every list."""
        lists = [
            (line, found[1]) for line in project.lines if (found := re.search(r"supported_envs:\s*\[(.*)\]", line.text))
        ]
        if not lists:
            return self.nothing("supported_envs", project)
        goos = "darwin" if facts.machine.system is System.MACOS else "linux"
        goarch = "arm64" if facts.machine.architecture is Architecture.ARM64 else "amd64"
        own = {"all", goos, goarch, f"{goos}/{goarch}"}
        bad = [line for line, names in lists if not own & {name.strip(" \"'") for name in names.split(",")}]
        if bad:
            return self.failed(*_evidence(bad, f"{goos}/{goarch}"))
        return self.passed(*_evidence(line for line, _ in lists))


PROJECT_RULES = (
    ArtefactWithoutArm(), OldPluginFlag(), NoGoPackage(), BareGoPackage(), InstallWithoutVersion(), RegisteredTwice(),
    HeaderDrift(), LockWithoutPlatform(), SkippedPlatform(),
)  # fmt: skip
