"""Rules about Go's settings: what a leftover turns around, in the environment or from ``go env -w``."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final

from labkit.doctor.host_rules.base import (
    MACOS,
    SETUP,
    HostRule,
    numbers,
    seen,
    tool,
    winner,
)
from labkit.model.base import Text
from labkit.model.check import Evidence, Finding, Need
from labkit.model.host import HostFacts

_GITHUB = "https://github.com"
_GO_NAMES: Final = {"arm64": "arm64", "x86_64": "amd64"}
_GO_SYSTEMS: Final = {"macos": "darwin", "linux": "linux"}
_FIRST_WITH_TOOLCHAIN_LINE: Final = (1, 21)
_PARTS_SINCE: Final = 3  # numbers in a go line, from then on


def settings(facts: HostFacts, *names: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and where it is set, of each setting that a user made: the environment before the file."""
    for name in names:
        if facts.environment.get(name):
            yield name, facts.environment[name], "environment"
        elif facts.go_env_written.get(name):
            yield name, facts.go_env_written[name], facts.go_env_file or "go env -w"


def unset(name: str, where: str) -> str:
    """Return the command that takes a setting back."""
    if name == "GOROOT" and where != "environment":  # Go 1.27 refuses `go env -u GOROOT`, and still heeds the file
        return f"sed -i.old /^GOROOT=/d {shlex.quote(where)}"
    return f"unset {name}" if where == "environment" else f"go env -u {name}"


class CrossLeftover(HostRule):
    """Compares GOOS and GOARCH, as they are set for good, with the hardware. Fix: take them back, set them per command.

    With GOBIN set as well `go install` refuses; without, what it installs lies in a folder that PATH does not have.
    """

    id: ClassVar[str] = "F22"
    source: ClassVar[str | None] = f"{_GITHUB}/golang/go/issues/57485"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the settings."""
        own = {"GOOS": _GO_SYSTEMS[facts.machine.system], "GOARCH": _GO_NAMES[facts.machine.architecture]}
        made = list(settings(facts, "GOOS", "GOARCH"))
        bad = [(name, value, where) for name, value, where in made if value != own[name]]
        if not bad:
            return self.passed(*(Evidence(what=where, found=f"{name}={value}") for name, value, where in made))
        evidence = [Evidence(what=where, found=f"{name}={value}", wanted=own[name]) for name, value, where in bad]
        evidence += [Evidence(what=where, found=f"{name}={value}") for name, value, where in settings(facts, "GOBIN")]
        return self.failed(*evidence, commands=[unset(name, where) for name, _, where in bad])


class StaleGoroot(HostRule):
    """Compares the VERSION in a GOROOT that was set by hand with the version of the go on PATH. Fix: unset GOROOT."""

    id: ClassVar[str] = "F29"
    needs: ClassVar[tuple[Need, ...]] = (tool("go"),)
    source: ClassVar[str | None] = f"{_GITHUB}/golang/go/issues/34214"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge GOROOT; what is not set cannot be stale."""
        found = winner(facts, "go")
        assert found is not None  # noqa: S101 - a need
        made = next(settings(facts, "GOROOT"), None)
        if made is None:
            return self.passed(seen(found))
        name, value, where = made
        if facts.goroot_version is not None and facts.goroot_version == found.version:
            return self.passed(Evidence(what=where, found=f"{name}={value}: {facts.goroot_version}"))
        reason = facts.missing.get("goroot_version")
        said = facts.goroot_version or (str(reason.values.get("what", "")) if reason else "-")
        return self.failed(
            Evidence(what=where, found=f"{name}={value}: {said}", wanted=found.version or found.reported),
            seen(found),
            commands=(unset(name, where),),
        )


def _proxy(facts: HostFacts) -> tuple[str, Evidence]:
    """Return the first proxy that Go would ask, and the whole setting as evidence."""
    value = facts.environment.get("GOPROXY") or facts.go_env_written.get("GOPROXY") or facts.go_env.get("GOPROXY") or ""
    where = next((where for _, _, where in settings(facts, "GOPROXY")), "go env GOPROXY")
    return value.replace("|", ",").split(",")[0].strip(), Evidence(what=where, found=f"GOPROXY={value}")


class ModuleProxy(HostRule):
    """Reads GOPROXY, without asking it: of a folder it can be told whether it is there. Fix: another proxy."""

    id: ClassVar[str] = "F44"
    source: ClassVar[str | None] = f"{_GITHUB}/goproxy/goproxy.cn/issues/142"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge a folder; whether a proxy on the network answers is not asked."""
        first, evidence = _proxy(facts)
        if not first.startswith("file://"):
            return self.skipped(Text(id="host.skip.network"), evidence)
        if Path(first.removeprefix("file://")).is_dir():
            return self.passed(evidence)
        wanted = Evidence(what=evidence.what, found=evidence.found, wanted="a folder that is there")
        return self.failed(wanted, commands=(unset("GOPROXY", evidence.what),))


class ProxyOff(HostRule):
    """Reads GOPROXY: `off` forbids Go to look any module up. Fix: take it back."""

    id: ClassVar[str] = "L13"
    source: ClassVar[str | None] = "https://go.dev/ref/mod#environment-variables"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the first proxy."""
        first, evidence = _proxy(facts)
        return (
            self.failed(evidence, commands=(unset("GOPROXY", evidence.what),))
            if first == "off"
            else self.passed(evidence)
        )


class ToolchainLine(HostRule):
    """Compares Go's version with 1.21, the first that reads a toolchain line and three-part go lines. Fix: newer Go."""

    id: ClassVar[str] = "F45"
    needs: ClassVar[tuple[Need, ...]] = (tool("go"),)
    source: ClassVar[str | None] = f"{_GITHUB}/clouditor/clouditor/issues/1222"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge go; an old one only by a go.mod that asks for more."""
        found = winner(facts, "go")
        assert found is not None  # noqa: S101 - a need
        version = numbers(found.version)
        if not version or version >= _FIRST_WITH_TOOLCHAIN_LINE:
            return self.passed(seen(found))
        if facts.project is None or facts.project.go_mod is None:
            return self.skipped(Text(id="host.skip.no_project"), seen(found))
        project = facts.project
        asks = project.toolchain or (project.go_version if len(numbers(project.go_version)) == _PARTS_SINCE else None)
        if asks is None:
            return self.passed(seen(found))
        wanted = f"Go 1.21 or newer, not {found.version}"
        return self.failed(Evidence(what=project.go_mod or "go.mod", found=asks, wanted=wanted), commands=SETUP)


class StaticOnMac(HostRule):
    """Looks for -static among the flags that Go and the linker get on a Mac, which has no static libc.

    Fix: unset it.
    """

    id: ClassVar[str] = "F46"
    needs: ClassVar[tuple[Need, ...]] = (MACOS,)
    source: ClassVar[str | None] = f"{_GITHUB}/golang/go/issues/50669"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the flags."""
        made = list(settings(facts, "GOFLAGS", "CGO_LDFLAGS", "CGO_CFLAGS"))
        bad = [each for each in made if "-static" in re.split(r"[\s'\"=]+", each[1])]
        evidence = [Evidence(what=where, found=f"{name}={value}") for name, value, where in bad or made]
        if bad:
            return self.failed(*evidence, commands=[unset(name, where) for name, _, where in bad])
        return self.passed(*evidence)


class VendorLeftover(HostRule):
    """Looks for -mod=vendor in GOFLAGS as it is set for good: `go install module@version` refuses it. Fix: unset it."""

    id: ClassVar[str] = "L22"
    source: ClassVar[str | None] = "https://go.dev/ref/mod#build-commands"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge GOFLAGS."""
        made = list(settings(facts, "GOFLAGS"))
        evidence = [Evidence(what=where, found=f"{name}={value}") for name, value, where in made]
        if any("-mod=vendor" in value for _, value, _ in made):
            return self.failed(*evidence, commands=[unset(name, where) for name, _, where in made])
        return self.passed(*evidence)


class ToolchainChoice(HostRule):
    """Compares the Go that go.mod asks for with the one on PATH where GOTOOLCHAIN forbids to switch. Fix: unset it."""

    id: ClassVar[str] = "L23"
    needs: ClassVar[tuple[Need, ...]] = (tool("go"),)
    source: ClassVar[str | None] = "https://go.dev/doc/toolchain#select"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the setting by the project; where nothing is set, Go fetches what go.mod asks for."""
        found = winner(facts, "go")
        assert found is not None  # noqa: S101 - a need
        made = next(settings(facts, "GOTOOLCHAIN"), None)
        if made is None:
            return self.passed(seen(found))
        name, value, where = made
        setting = Evidence(what=where, found=f"{name}={value}")
        asked = facts.project.go_version if facts.project else None
        if asked is None:
            return self.skipped(Text(id="host.skip.no_project"), setting)
        fixed = found.version if value == "local" else value.removeprefix("go") if value[:3] == "go1" else None
        if fixed is None or fixed.endswith(("+auto", "+path")) or numbers(fixed) >= numbers(asked):
            return self.passed(setting)
        wanted = Evidence(what=facts.project.go_mod or "go.mod", found=f"go {asked}") if facts.project else setting
        return self.failed(setting, seen(found), wanted, commands=(unset(name, where),))


class RelativePlaces(HostRule):
    """Reads GOPATH and GOBIN: every folder must be absolute, and go refuses to install otherwise. Fix: unset them."""

    id: ClassVar[str] = "L24"
    source: ClassVar[str | None] = "https://pkg.go.dev/cmd/go#hdr-GOPATH_environment_variable"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge what is set; an empty part of a list is passed over, as Go does."""
        made = list(settings(facts, "GOPATH", "GOBIN"))
        bad = [each for each in made if any(part and not part.startswith("/") for part in each[1].split(":"))]
        evidence = [Evidence(what=where, found=f"{name}={value}") for name, value, where in bad or made]
        return (
            self.failed(*evidence, commands=[unset(name, where) for name, _, where in bad])
            if bad
            else self.passed(*evidence)
        )


SETTINGS_RULES = (
    CrossLeftover(),
    StaleGoroot(),
    ModuleProxy(),
    ToolchainLine(),
    StaticOnMac(),
    ProxyOff(),
    VendorLeftover(),
    ToolchainChoice(),
    RelativePlaces(),
)
