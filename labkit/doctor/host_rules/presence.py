"""Rules about what PATH gives: which tools it has, which it passes over, and whether they answer."""

import shlex
from pathlib import Path
from typing import ClassVar

from labkit.doctor.host_rules.base import PLUGINS, SETUP, HostRule, go_install, seen, winner, winners
from labkit.doctor.host_rules.settings import settings
from labkit.model.check import Evidence, Finding
from labkit.model.host import HostFacts, HostTool, Place

_GITHUB = "https://github.com"


class _PluginOnPath(HostRule):
    """Looks for a plugin in PATH's folders, and for one that lies elsewhere or may not be executed."""

    plugin: ClassVar[str]

    def judge(self, facts: HostFacts) -> Finding:
        """Judge one plugin's place."""
        found = winner(facts, self.plugin)
        if found is not None:
            return self.passed(seen(found))
        others = [each for each in facts.tools if each.name == self.plugin]
        evidence = [Evidence(what="PATH", found=f"no {self.plugin}", wanted=self.plugin)]
        evidence += [Evidence(what=each.path, found=_state(each)) for each in others]
        evidence += [Evidence(what=where, found=f"{name}={value}") for name, value, where in settings(facts, "GOPATH")]
        locked = [each for each in others if not each.executable]
        away = [each for each in others if each.executable]
        if away:
            folder = shlex.quote(str(Path(away[0].path).parent))
            return self.failed(*evidence, commands=(f'export PATH="$PATH:"{folder}',), fix="path")
        if locked:
            return self.failed(*evidence, commands=(f"chmod +x {shlex.quote(locked[0].path)}",), fix="mode")
        return self.failed(*evidence, commands=(go_install(self.plugin), 'export PATH="$PATH:$(go env GOPATH)/bin"'))


def _state(found: HostTool) -> str:
    if not found.executable:
        return "not executable"
    return "on PATH" if found.on_path else "not on PATH"


class MessagePluginOnPath(_PluginOnPath):
    """Looks for protoc-gen-go on PATH, and elsewhere when it is not there. Fix: the folder on PATH, or install it."""

    id: ClassVar[str] = "F20"
    plugin: ClassVar[str] = "protoc-gen-go"
    source: ClassVar[str | None] = f"{_GITHUB}/golang/protobuf/issues/795"


class ServicePluginOnPath(_PluginOnPath):
    """Looks for protoc-gen-go-grpc on PATH, which is a plugin of its own. Fix: the folder on PATH, or install it."""

    id: ClassVar[str] = "F21"
    plugin: ClassVar[str] = "protoc-gen-go-grpc"
    source: ClassVar[str | None] = f"{_GITHUB}/golang/protobuf/issues/1053"


class _OnPath(HostRule):
    name: ClassVar[str]

    def judge(self, facts: HostFacts) -> Finding:
        """Judge one tool's place."""
        found = winner(facts, self.name)
        if found is not None:
            return self.passed(seen(found))
        others = [each for each in facts.tools if each.name == self.name and each.place is not Place.MAVEN]
        evidence = [Evidence(what="PATH", found=f"no {self.name}", wanted=self.name)]
        evidence += [Evidence(what=each.path, found=_state(each)) for each in others]
        folders = [str(Path(each.path).parent) for each in others if each.executable]
        paths = [f'export PATH="$PATH:"{shlex.quote(folder)}' for folder in folders[:1]]
        return self.failed(*evidence, commands=paths or SETUP)


class GoOnPath(_OnPath):
    """Looks for go on PATH. Fix: its folder on PATH, or install it."""

    id: ClassVar[str] = "L20"
    name: ClassVar[str] = "go"
    source: ClassVar[str | None] = "https://go.dev/doc/install"


class ProtocOnPath(_OnPath):
    """Looks for protoc on PATH. Fix: its folder on PATH, or install it."""

    id: ClassVar[str] = "L02"
    name: ClassVar[str] = "protoc"
    source: ClassVar[str | None] = "https://protobuf.dev/installation/"


class ExecutableBit(HostRule):
    """Looks for files of a tool's name on PATH that this user may not execute. Fix: chmod +x.

    A shell passes such a file over, and protoc says that the plugin was not found.
    """

    id: ClassVar[str] = "L04"
    source: ClassVar[str | None] = "https://man7.org/linux/man-pages/man2/execve.2.html"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge what lies on PATH."""
        return self.by_tools(
            [each for each in facts.tools if each.on_path],
            bad=lambda each: None if each.executable else "not executable",
            wanted="executable",
            command=lambda each: (f"chmod +x {shlex.quote(each.path)}",),
        )


class Answers(HostRule):
    """Asks every tool that PATH gives its version. Fix: install anew what does not answer.

    protoc-gen-go before 1.20 has no --version: it says that it got no files, and that is an answer.
    """

    id: ClassVar[str] = "L21"
    source: ClassVar[str | None] = f"{_GITHUB}/golang/protobuf/issues/598"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the tools that PATH gives; quarantined ones were not asked."""
        return self.by_tools(
            winners(facts),
            bad=lambda each: None if "no files to generate" in (each.error or "") else each.error,
            wanted="a version",
            command=lambda each: (go_install(each.name),) if each.name in PLUGINS else SETUP,
        )


PRESENCE_RULES = (
    MessagePluginOnPath(),
    ServicePluginOnPath(),
    ProtocOnPath(),
    ExecutableBit(),
    GoOnPath(),
    Answers(),
)
