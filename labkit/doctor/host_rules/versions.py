"""Rules about versions that do not go together, and about the wrong one of several being first on PATH."""

import re
from typing import ClassVar, Final

from labkit.doctor.host_rules.base import (
    PACKAGES,
    PLUGINS,
    SETUP,
    HostRule,
    ProjectRule,
    go_install,
    numbers,
    seen,
    tool,
    winner,
    winners,
)
from labkit.model.base import Text
from labkit.model.check import Evidence, Finding, Need
from labkit.model.host import HostFacts, HostTool, Place, Project

_GITHUB = "https://github.com"
_OPTIONAL_WITHOUT_FLAG: Final = (3, 15)
_CALENDAR: Final = 21
#: From which version on protoc-gen-go-grpc's output needs which grpc: its support-package constant.
#: https://github.com/grpc/grpc-go/blob/master/cmd/protoc-gen-go-grpc/grpc.go
_NEEDED_GRPC: Final = (((1, 5), (1, 64)), ((1, 4), (1, 62)), ((1, 0), (1, 32)))


class PluginNewerThanGrpc(ProjectRule):
    """Compares go.mod's grpc with what the plugin's output calls: its support-package constant. Fix: a newer grpc."""

    id: ClassVar[str] = "F34"
    needs: ClassVar[tuple[Need, ...]] = (tool("protoc-gen-go-grpc"),)
    source: ClassVar[str | None] = f"{_GITHUB}/grpc/grpc-go/issues/8935"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:
        """Judge go.mod's requirement; skipped where it has none."""
        found = winner(facts, "protoc-gen-go-grpc")
        required = project.requires.get("google.golang.org/grpc")
        if required is None:
            return self.nothing("google.golang.org/grpc", project)
        version = numbers(found.version if found else None)
        wanted = next((grpc for plugin, grpc in _NEEDED_GRPC if version >= plugin), None)
        evidence = Evidence(what=f"{project.go_mod} google.golang.org/grpc", found=required)
        if wanted is None or numbers(required) >= wanted:
            return self.passed(evidence, *([seen(found)] if found else []))
        text = f"v{'.'.join(map(str, wanted))}.0"
        evidence = Evidence(what=evidence.what, found=required, wanted=f"{text} or newer")
        return self.failed(
            evidence,
            *([seen(found)] if found else []),
            commands=(f"go get google.golang.org/grpc@{text}", "go mod tidy"),
        )


class IncludeBeside(HostRule):
    """Looks for google/protobuf/*.proto where protoc itself does, beside its real file. Fix: the whole release.

    A protoc that was copied alone, without include/, finds none of the well-known types.
    """

    id: ClassVar[str] = "F36"
    needs: ClassVar[tuple[Need, ...]] = (tool("protoc"),)
    source: ClassVar[str | None] = f"{_GITHUB}/protocolbuffers/protobuf/issues/19361"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge protoc."""
        found = winner(facts, "protoc")
        assert found is not None  # noqa: S101 - a need
        if found.include is not None:
            return self.passed(Evidence(what=found.path, found=found.include))
        wanted = "google/protobuf/descriptor.proto beside it or in ../include"
        return self.failed(Evidence(what=found.real_path, found="-", wanted=wanted), commands=SETUP)


class ProtocTooOld(HostRule):
    """Compares protoc's version with 3.15, the first to take proto3 optional without a flag. Fix: a newer protoc."""

    id: ClassVar[str] = "F37"
    needs: ClassVar[tuple[Need, ...]] = (tool("protoc"),)
    source: ClassVar[str | None] = f"{_GITHUB}/golang/protobuf/issues/1595"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge protoc; skipped when it named no version."""
        found = winner(facts, "protoc")
        assert found is not None  # noqa: S101 - a need
        version = numbers(found.version)
        if not version:
            return self.skipped(Text(id="host.skip.no_version", values={"tool": "protoc"}), seen(found))
        if version >= _OPTIONAL_WITHOUT_FLAG:
            return self.passed(seen(found))
        return self.failed(
            Evidence(what=found.path, found=found.reported or "", wanted="3.15 or newer"), commands=SETUP
        )


class PluginTooOld(HostRule):
    """Reads which module each plugin was built from: the first generation knows no proto3 optional. Fix: install it.

    protoc-gen-go knows it since v1.22 of google.golang.org/protobuf; github.com/golang/protobuf did before 1.4 not.
    """

    id: ClassVar[str] = "F38"
    source: ClassVar[str | None] = f"{_GITHUB}/grpc/grpc-go/issues/3739"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the plugins that PATH gives."""
        plugins = winners(facts, *PLUGINS)
        if not plugins:
            return self.skipped(Text(id="host.skip.no_tool", values={"tool": " / ".join(PLUGINS)}))
        return self.by_tools(
            plugins,
            bad=lambda each: each.module if _first_generation(each) else None,
            wanted="google.golang.org/protobuf v1.22 or newer, protoc-gen-go-grpc v1.0 or newer",
            command=lambda each: (go_install(each.name),),
        )


def _first_generation(found: HostTool) -> bool:
    module, _, version = (found.module or "").partition("@")
    oldest = {
        "github.com/golang/protobuf": (1, 4),
        "google.golang.org/protobuf": (1, 22),
        "google.golang.org/grpc/cmd/protoc-gen-go-grpc": (1, 0),
    }
    known = numbers(version)
    return module in oldest and bool(known) and known < oldest[module]


class WrongPluginRuns(HostRule):
    """Compares the plugin that PATH gives with those behind it, and reads how a project names plugins to protoc.

    ``--plugin=go=...`` names no plugin that protoc asks for: it is passed over without a word. Fix: one version, or
    ``--plugin=protoc-gen-go=...``.
    """

    id: ClassVar[str] = "F40"
    source: ClassVar[str | None] = f"{_GITHUB}/livekit/protocol/issues/1733"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge PATH, and the project where one was named."""
        evidence: list[Evidence] = []
        commands: list[str] = []
        for found in winners(facts, *PLUGINS):
            behind = [each for each in facts.tools if each.path in found.shadows and each.version != found.version]
            if behind:
                evidence += [seen(found), *(seen(each) for each in behind)]
                commands.append(f"which -a {found.name}")
        for line in facts.project.lines if facts.project else ():
            wrong = re.search(r"--plugin[= ](?!protoc-gen-)([\w-]+)=", line.text)
            if wrong:
                wanted = f"--plugin=protoc-gen-{wrong[1]}=..."
                evidence.append(Evidence(what=f"{line.file}:{line.number}", found=line.text, wanted=wanted))
        if evidence:
            return self.failed(*evidence, commands=commands)
        return self.passed(*(seen(each) for each in winners(facts, *PLUGINS)))


class VersionScheme(ProjectRule):
    """Looks for build lines that compare protoc's version with 3.x while protoc counts 21, 22, ...

    Fix: the comparison.
    """

    id: ClassVar[str] = "F42"
    needs: ClassVar[tuple[Need, ...]] = (tool("protoc"),)
    source: ClassVar[str | None] = f"{_GITHUB}/nexi-lab/nexus/issues/3862"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:
        """Judge the lines that compare."""
        found = winner(facts, "protoc")
        pattern = re.compile(r"protoc.*(?:>=|>|-lt|-ge|VERSION_LESS|require|minimum).*?\b3\.\d+", re.IGNORECASE)
        lines = [line for line in project.lines if pattern.search(line.text)]
        if not lines:
            return self.nothing("protoc >= 3.x", project)
        evidence = [Evidence(what=f"{line.file}:{line.number}", found=line.text) for line in lines]
        if found is not None and numbers(found.version)[:1] >= (_CALENDAR,):
            return self.failed(*evidence, seen(found))
        return self.passed(*evidence)


class ShadowedProtoc(HostRule):
    """Compares the protoc that PATH gives with those behind it, and looks whether a Python environment brought it.

    Fix: leave the environment, or put the wanted folder first.
    """

    id: ClassVar[str] = "F43"
    needs: ClassVar[tuple[Need, ...]] = (tool("protoc"),)
    source: ClassVar[str | None] = f"{_GITHUB}/facebookarchive/caffe2/issues/1223"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge what is first on PATH."""
        found = winner(facts, "protoc")
        assert found is not None  # noqa: S101 - a need
        behind = [each for each in facts.tools if each.path in found.shadows and each.version != found.version]
        brought = found.place in {Place.CONDA, Place.PYTHON} and numbers(found.version)[:1] == (3,)
        if not behind and not brought:
            return self.passed(seen(found))
        leave = {Place.CONDA: ("conda deactivate",), Place.PYTHON: ("deactivate",)}.get(found.place, ())
        return self.failed(seen(found), *(seen(each) for each in behind), commands=("which -a protoc", *leave))


class PluginVersionIsItsOwn(ProjectRule):
    """Looks for `go install .../protoc-gen-go-grpc` with a version of grpc: the plugin has versions of its own."""

    id: ClassVar[str] = "F33"
    source: ClassVar[str | None] = f"{_GITHUB}/grpc/grpc-go/issues/3668"

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:  # noqa: ARG002 - a rule's shape
        """Judge the lines that install the plugin."""
        pattern = re.compile(re.escape(PACKAGES["protoc-gen-go-grpc"]) + r"@v1\.(\d+)\.")
        lines = [(line, found) for line in project.lines if (found := pattern.search(line.text))]
        if not lines:
            return self.nothing("protoc-gen-go-grpc@", project)
        # The plugin's own versions are v1.0 to v1.6 so far; what is far beyond is a version of grpc itself.
        bad = [line for line, found in lines if int(found[1]) >= 20]  # noqa: PLR2004
        evidence = [
            Evidence(what=f"{line.file}:{line.number}", found=line.text) for line in bad or [each for each, _ in lines]
        ]
        return self.failed(*evidence, commands=(go_install("protoc-gen-go-grpc"),)) if bad else self.passed(*evidence)


VERSION_RULES = (
    PluginVersionIsItsOwn(), PluginNewerThanGrpc(), IncludeBeside(), ProtocTooOld(), PluginTooOld(), WrongPluginRuns(),
    VersionScheme(), ShadowedProtoc(),
)  # fmt: skip
