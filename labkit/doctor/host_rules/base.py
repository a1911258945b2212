"""The shape that all rules about the host share: needs decide skipping, texts go by the rule's id."""

from collections.abc import Callable, Iterable
from typing import ClassVar, Final

from labkit.model.base import Text
from labkit.model.binary import Format
from labkit.model.check import Evidence, Finding, Need, NeedKind, Remedy, Status
from labkit.model.host import HostFacts, HostTool, Place, Project
from labkit.model.machine import System, Translation
from labkit.toolchain import pins

MACOS: Final = Need(kind=NeedKind.SYSTEM, name="macos")
LINUX: Final = Need(kind=NeedKind.SYSTEM, name="linux")
ARM: Final = Need(kind=NeedKind.ARCHITECTURE, name="arm64")
SETUP: Final = ("labkit setup",)
PLUGINS: Final = ("protoc-gen-go", "protoc-gen-go-grpc")
#: What `go install` takes for each tool that Go builds.
PACKAGES: Final = {
    "protoc-gen-go": "google.golang.org/protobuf/cmd/protoc-gen-go",
    "protoc-gen-go-grpc": "google.golang.org/grpc/cmd/protoc-gen-go-grpc",
    "dlv": "github.com/go-delve/delve/cmd/dlv",
    "gopls": "golang.org/x/tools/gopls",
}


def tool(name: str) -> Need:
    """Return the need of a tool that PATH gives."""
    return Need(kind=NeedKind.TOOL, name=name)


def unmet(needs: Iterable[Need], facts: HostFacts) -> Text | None:
    """Return why the first need that is not met is not, None when all are."""
    for need in needs:
        match need.kind:
            case NeedKind.SYSTEM if facts.machine.system != need.name:
                return Text(id=f"host.skip.no_{need.name}")
            case NeedKind.ARCHITECTURE if facts.machine.architecture != need.name:
                return Text(id="host.skip.architecture", values={"architecture": need.name})
            case NeedKind.TOOL if winner(facts, need.name) is None:
                return Text(id="host.skip.no_tool", values={"tool": need.name})
            case NeedKind.NETWORK:
                return Text(id="host.skip.network")
            case _:
                continue
    return None


class HostRule:
    """Base of the rules about the host. A rule says in its docstring by what it judges, and the fix."""

    id: ClassVar[str]
    needs: ClassVar[tuple[Need, ...]] = ()
    source: ClassVar[str | None] = None
    confirmed_on_hardware: ClassVar[bool | None] = False  # no Mac has confirmed any of them

    def check(self, facts: HostFacts) -> Finding:
        """Judge the host, or skip with the need that is not met."""
        reason = unmet(self.needs, facts)
        return self.judge(facts) if reason is None else self.skipped(reason)

    def judge(self, facts: HostFacts) -> Finding:
        """Judge a host that has what the rule needs."""
        raise NotImplementedError

    def skipped(self, reason: Text, *evidence: Evidence) -> Finding:
        """Return that it could not be judged, and why."""
        return self._finding(Status.SKIP, evidence, reason=reason)

    def passed(self, *evidence: Evidence) -> Finding:
        """Return that all is well."""
        return self._finding(Status.PASS, evidence)

    def failed(self, *evidence: Evidence, commands: Iterable[str] = (), fix: str = "fix") -> Finding:
        """Return what is wrong, with the commands that mend it; ``fix`` names the sentence to say."""
        remedy = Remedy(text=Text(id=f"host.{self.id}.{fix}"), commands=tuple(dict.fromkeys(commands)))
        return self._finding(Status.FAIL, evidence, remedy=remedy)

    def by_tools(
        self, tools: Iterable[HostTool], *, bad: Callable[[HostTool], str | None], wanted: str,
        command: Callable[[HostTool], Iterable[str]],
    ) -> Finding:  # fmt: skip
        """Judge tools alike: ``bad`` says what is wrong with one, or None; one bad tool fails the rule."""
        looked = tuple(tools)
        faults = [(each, fault) for each in looked if (fault := bad(each)) is not None]
        if not faults:
            return self.passed(*(seen(each) for each in looked))
        evidence = [Evidence(what=each.path, found=fault, wanted=wanted) for each, fault in faults]
        return self.failed(*evidence, commands=[line for each, _ in faults for line in command(each)])

    def _finding(
        self,
        status: Status,
        evidence: tuple[Evidence, ...],
        *,
        remedy: Remedy | None = None,
        reason: Text | None = None,
    ) -> Finding:
        return Finding(
            id=self.id,
            status=status,
            title=Text(id=f"host.{self.id}.title"),
            evidence=evidence,
            remedy=remedy,
            reason=reason,
            link=self.source,
            confirmed_on_hardware=self.confirmed_on_hardware,
        )


class ProjectRule(HostRule):
    """Base of the rules about a project's own files, skipped where no folder was named."""

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the project, or skip without one."""
        if facts.project is None:
            return self.skipped(Text(id="host.skip.no_project"))
        return self.judge_project(facts.project, facts)

    def judge_project(self, project: Project, facts: HostFacts) -> Finding:
        """Judge a project on this host."""
        raise NotImplementedError

    def nothing(self, what: str, project: Project) -> Finding:
        """Return that the project has nothing of what the rule judges."""
        return self.skipped(Text(id="host.skip.not_in_project", values={"what": what, "folder": project.folder}))


def go_install(name: str) -> str:
    """Return the command that installs a tool as it is pinned, or its newest version where labkit has no pin."""
    pinned = {pin.name: f"v{pin.version}" for pin in pins.named("current").plugins}
    return f"go install {PACKAGES[name]}@{pinned.get(name, 'latest')}"


def winner(facts: HostFacts, name: str) -> HostTool | None:
    """Return the tool that PATH gives for a name."""
    return next((each for each in facts.tools if each.name == name and each.wins), None)


def winners(facts: HostFacts, *names: str) -> tuple[HostTool, ...]:
    """Return the tools that PATH gives, of these names or of all."""
    return tuple(each for each in facts.tools if each.wins and (not names or each.name in names))


def installed(facts: HostFacts) -> tuple[HostTool, ...]:
    """Return the user's tools: not the artefacts in Maven's caches, and not labkit's own, which other rules judge."""
    return tuple(each for each in facts.tools if each.place not in {Place.MAVEN, Place.LABKIT})


def seen(found: HostTool) -> Evidence:
    """Return a tool as evidence of itself."""
    said = found.reported or found.error or "-"
    return Evidence(what=found.path, found=f"{said}; {architectures(found)}")


def architectures(found: HostTool) -> str:
    """Return format and architectures in words: ``macho arm64, x86_64``; ``script`` for what is neither."""
    return " ".join((str(found.format), ", ".join(found.architectures))).strip()


def fits(found: HostTool, facts: HostFacts) -> bool:
    """Return whether a program has a slice for the hardware; a script fits everywhere."""
    if found.format is Format.OTHER:
        return True
    wanted = Format.MACHO if facts.machine.system is System.MACOS else Format.ELF
    own = any(each.startswith(facts.machine.architecture) for each in found.architectures)
    return found.format is wanted and own


def how_it_runs(found: HostTool, facts: HostFacts) -> str:
    """Return how the hardware would run a tool: ``native``, ``translated`` (it is foreign, and answered), ``wrong``.

    A script is ``script``: what it starts is not looked at.
    """
    if found.format is Format.OTHER:
        return "script"
    if fits(found, facts):
        return "native"
    return "translated" if found.reported is not None else "wrong"


def own_platform(facts: HostFacts) -> str:
    """Return the hardware's format and architecture in the words of :func:`architectures`."""
    return f"{Format.MACHO if facts.machine.system is System.MACOS else Format.ELF} {facts.machine.architecture}"


def macos_major(facts: HostFacts) -> int | None:
    """Return 14 of macOS 14.5, None where it is not known."""
    major = (facts.machine.system_version or "").split(".")[0]
    return int(major) if major.isdigit() else None


def translated(facts: HostFacts) -> bool:
    """Return whether this very process is translated, and so the shell that started it."""
    return facts.machine.translation is not Translation.NATIVE


def numbers(version: str | None) -> tuple[int, ...]:
    """Return the leading numbers of a version: (1, 36, 12) of v1.36.12; empty for None and what names none."""
    parts: list[int] = []
    for part in (version or "").removeprefix("v").removeprefix("go").split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        parts.append(int(digits))
        if digits != part:
            break
    return tuple(parts)
