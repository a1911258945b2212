"""Rules about what comes from Apple and Homebrew: prefixes, developer tools, the C compiler."""

from pathlib import Path
from typing import ClassVar, Final

from labkit.doctor.host_rules.base import ARM, MACOS, HostRule, fits, seen, tool, translated, winner
from labkit.doctor.host_rules.settings import settings
from labkit.model.base import Text
from labkit.model.check import Evidence, Finding, Need
from labkit.model.host import HostFacts
from labkit.model.machine import Architecture

_GITHUB = "https://github.com"
_ARM_PREFIX: Final = "/opt/homebrew"
_INTEL_PREFIX: Final = "/usr/local"
_LICENCE: Final = 69


class MixedUnderCgo(HostRule):
    """Compares Go's architecture with that of the Homebrew whose libraries cgo would link. Fix: one architecture."""

    id: ClassVar[str] = "F24"
    needs: ClassVar[tuple[Need, ...]] = (MACOS, ARM, tool("go"))
    source: ClassVar[str | None] = f"{_GITHUB}/davidbyttow/govips/issues/263"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the settings and prefixes that cgo goes by."""
        found = winner(facts, "go")
        assert found is not None  # noqa: S101 - a need
        if facts.go_env.get("CGO_ENABLED") == "0":
            return self.passed(Evidence(what="go env CGO_ENABLED", found="0"))
        other = _INTEL_PREFIX if fits(found, facts) else _ARM_PREFIX
        flags = [
            Evidence(what=where, found=f"{name}={value}", wanted=f"nothing of {other}")
            for name, value, where in settings(facts, "CGO_LDFLAGS", "CGO_CFLAGS")
            if f"{other}/" in value
        ]
        only = (
            [Evidence(what=f"{other}/bin/brew", found="the only Homebrew")]
            if facts.homebrew_prefixes == (other,)
            else []
        )
        if flags or only:
            return self.failed(
                seen(found), *flags, *only, commands=("unset CGO_LDFLAGS CGO_CFLAGS", "export CGO_ENABLED=0")
            )
        return self.passed(
            seen(found), *(Evidence(what=prefix, found="Homebrew") for prefix in facts.homebrew_prefixes)
        )


class HomebrewPrefix(HostRule):
    """Looks which Homebrew this shell would use, and whether it is translated: /opt/homebrew, natively, is right."""

    id: ClassVar[str] = "F25"
    needs: ClassVar[tuple[Need, ...]] = (MACOS,)
    source: ClassVar[str | None] = f"{_GITHUB}/Homebrew/homebrew-core/issues/66500"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the first Homebrew of PATH; skipped without one."""
        if not facts.homebrew_prefixes:
            return self.skipped(Text(id="host.skip.no_tool", values={"tool": "brew"}))
        arm = facts.machine.architecture is Architecture.ARM64
        wanted = _ARM_PREFIX if arm else _INTEL_PREFIX
        first = _first_prefix(facts)
        evidence = [Evidence(what="brew", found=first, wanted=wanted)]
        evidence += [Evidence(what=each, found="Homebrew") for each in facts.homebrew_prefixes if each != first]
        if translated(facts):
            evidence.append(Evidence(what="sysctl.proc_translated", found="1", wanted="0"))
        if first != wanted or (arm and translated(facts)):
            return self.failed(*evidence, commands=("arch -arm64 zsh", f'eval "$({wanted}/bin/brew shellenv)"'))
        return self.passed(*evidence)


def _first_prefix(facts: HostFacts) -> str:
    """Return the prefix whose brew PATH gives; else the only or native one."""
    for folder in facts.path:
        for prefix in facts.homebrew_prefixes:
            if Path(folder) == Path(prefix) / "bin":
                return prefix
    return facts.homebrew_prefixes[0]


class DeveloperFolder(HostRule):
    """Asks xcode-select for the developer folder, which must be there. Fix: install the command line tools."""

    id: ClassVar[str] = "F26"
    needs: ClassVar[tuple[Need, ...]] = (MACOS,)
    source: ClassVar[str | None] = f"{_GITHUB}/QuilibriumNetwork/monorepo/issues/73"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the folder."""
        if facts.developer_folder is not None:
            return self.passed(Evidence(what="xcode-select -p", found=facts.developer_folder))
        reason = facts.missing.get("developer_folder")
        said = str(reason.values.get("what", "-")) if reason else "-"
        return self.failed(
            Evidence(what="xcode-select -p", found=said, wanted="a folder that is there"),
            commands=("xcode-select --install",),
        )


class XcodeLicence(HostRule):
    """Asks clang its version through xcrun: 69 is what it ends with until the licence is agreed to. Fix: agree."""

    id: ClassVar[str] = "F27"
    needs: ClassVar[tuple[Need, ...]] = (MACOS,)
    source: ClassVar[str | None] = f"{_GITHUB}/golang/go/issues/13099"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge the exit code; skipped where clang was not asked."""
        code = facts.clang_exit_code
        if code is None:
            return self.skipped(Text(id="host.skip.no_clang"))
        evidence = Evidence(what="xcrun clang --version", found=facts.clang_said or f"exit code {code}")
        if code == _LICENCE:
            return self.failed(evidence, commands=("sudo xcodebuild -license accept",))
        return self.passed(evidence)


class CompilerName(HostRule):
    """Asks xcrun where clang is: anything but one path on its output becomes the compiler's name. Fix: its cache.

    Go takes the first word of what it is given for the compiler, and a log line begins with a date.
    """

    id: ClassVar[str] = "F28"
    needs: ClassVar[tuple[Need, ...]] = (MACOS,)
    source: ClassVar[str | None] = f"{_GITHUB}/golang/go/issues/53316"

    def judge(self, facts: HostFacts) -> Finding:
        """Judge what xcrun printed; skipped where it was not asked."""
        if facts.clang_path is None:
            return self.skipped(Text(id="host.skip.no_clang"))
        good = facts.clang_path.startswith("/") and "\n" not in facts.clang_path
        evidence = Evidence(what="xcrun --find clang", found=facts.clang_path, wanted=None if good else "one path")
        return (
            self.passed(evidence)
            if good
            else self.failed(evidence, commands=("xcrun --kill-cache", "xcodebuild -runFirstLaunch"))
        )


APPLE_RULES = (MixedUnderCgo(), HomebrewPrefix(), DeveloperFolder(), XcodeLicence(), CompilerName())
