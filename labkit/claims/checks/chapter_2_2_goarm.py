"""Chapter 2.2, GOARM: one small program built with each value, on every Go that is compared."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from labkit.claims import ledgers
from labkit.claims.base import ClaimCheck, Value, command, output, read_bytes
from labkit.claims.facts import ClaimFacts, Probe, probe
from labkit.gobuild.levels import levels
from labkit.model.base import Record
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.model.experiments import LevelBuild, LevelExperiment
from labkit.toolchain import golang

LINUX: Final = "linux/arm"
APPLE: Final = "darwin/arm64"
#: The platforms on which one Go is asked whether the value matters; two systems with GOARCH=arm among them.
_PLATFORMS: Final = (LINUX, "freebsd/arm", APPLE)
_VALUES: Final = ("5", "7", "8", "99")
_TWO: Final = ("GOARM=5", "GOARM=7")


class Goarm(Record, frozen=True, kw_only=True):
    """What GOARM does on one Go."""

    go: str
    default: str  # `go env GOARM` for linux/arm; empty where there is none
    documented: str  # the values in `go help environment`, empty where there are none
    experiment: LevelExperiment

    def build(self, platform: str, value: str) -> LevelBuild:
        """Return the build with a value."""
        return next(
            each for each in self.experiment.builds if (each.platform, each.setting) == (platform, f"GOARM={value}")
        )


@cache
def goarm(version: str) -> Probe[Goarm]:
    """Return the fact of one version of Go."""

    @probe(f"goarm-{version}")
    def make(facts: ClaimFacts) -> Goarm:
        go = facts.go(version)
        facts.progress(f"GOARM on Go {version}")
        settings = ("", *(f"GOARM={each}" for each in _VALUES))
        experiment = levels(
            go, version, settings=settings, platforms=(LINUX, APPLE), compared=((LINUX, "GOARM=5", "GOARM=7"),)
        )
        said = golang.run(go, "env", "GOARM", cwd=Path("/"), GOOS="linux", GOARCH="arm").stdout.strip()
        helped = golang.run(go, "help", "environment", cwd=Path("/")).stdout
        section = re.search(r"^\s*GOARM\n(?:\s+(?!GO).*\n)*?\s+(Valid values are .*)$", helped, re.MULTILINE)
        documented = section[1] if section else ""
        return Goarm(go=version, default=said, documented=documented, experiment=experiment)

    return make


@probe("goarm-by-platform")
def by_platform(facts: ClaimFacts) -> LevelExperiment:
    """Build with two values for several platforms, and compare instruction by instruction."""
    compared = [(platform, *_TWO) for platform in _PLATFORMS]
    return levels(facts.go(), "", settings=_TWO, platforms=_PLATFORMS, compared=compared)


def _build(found: Goarm, platform: str, value: str) -> ClaimEvidence:
    build = found.build(platform, value)
    system, architecture = platform.split("/")
    line = f"GOOS={system} GOARCH={architecture} GOARM={value} go build (Go {found.go})"
    return command(line, f"built, sha256 {(build.sha256 or '')[:12]}" if build.built else build.said)


def _number(version: str) -> int:
    return int(version.split(".")[1])


class Removed(ClaimCheck):
    """Ask every Go from the stated one on for its GOARM, its help, and two builds that are compared by instructions."""

    id = "2.2.01"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the value still changes instructions."""
        stated = _number(str(ledgers.own().find(self.id).quoted["go"]))
        found = [facts.get(goarm(each)) for each in facts.go_versions() if _number(each) >= stated]
        evidence, alive = [], []
        for each in found:
            changed = sum(one.instructions_differing for one in each.experiment.differences)
            total = sum(one.instructions for one in each.experiment.differences)
            evidence.append(output(f"go env GOARM (Go {each.go}, {LINUX})", each.default or "nothing"))
            evidence.append(read_bytes(f"Go {each.go}, {LINUX}", f"{' and '.join(_TWO)}: {changed} of {total} differ"))
            if changed:
                alive.append((each, changed, total))
        evidence.append(output(f"go help environment (Go {found[-1].go})", found[-1].documented or "no GOARM"))
        newest = alive[-1] if alive else (found[-1], 0, 0)
        yield self.judged(
            not alive,
            evidence,
            first=found[0].go,
            last=newest[0].go,
            changed=newest[1],
            total=newest[2],
            default=newest[0].default or "-",
        )


class Ignored(ClaimCheck):
    """Build for Apple silicon with each value, those that Go does not know too, on every Go, and compare the bytes."""

    id = "2.2.02"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each value on each Go as a case."""
        cases, evidence = [], []
        for version in facts.go_versions():
            found = facts.get(goarm(version))
            plain = next(each for each in found.experiment.builds if (each.platform, each.setting) == (APPLE, ""))
            for value in _VALUES:
                build = found.build(APPLE, value)
                evidence.append(_build(found, APPLE, value))
                cases.append(
                    Case(
                        facts={"go": _number(version), "version": version, "value": int(value)},
                        holds=build.built and build.sha256 == plain.sha256,
                        witness="the same bytes" if build.sha256 == plain.sha256 else build.said or "other bytes",
                    )
                )
        broken = [each for each in cases if not each.holds]
        last = max((int(each.facts["go"]) for each in broken), default=0)
        valid = max((int(each.facts["value"]) for each in cases if each.holds and each.facts["go"] == last), default=0)

        def fine(case: Mapping[str, Value]) -> bool:
            return int(case["go"]) > last or int(case["value"]) <= valid

        refused = broken[0].witness if broken else "-"
        verdict = self.by_cases(cases, fine, evidence, last=f"1.{last}", valid=valid, refused=refused, count=len(cases))
        yield self.not_on_hardware(verdict)


class OnlyLinux(ClaimCheck):
    """Build with two values for linux, for another system with GOARCH=arm, and for arm64; compare by instructions."""

    id = "2.2.03"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the platforms whose instructions the value changes."""
        found = facts.get(by_platform)
        built = [
            each for each in _PLATFORMS if len([one for one in found.builds if one.platform == each and one.built]) > 1
        ]
        changed = {
            platform: each.instructions_differing for platform, each in zip(built, found.differences, strict=True)
        }
        evidence = [
            read_bytes(f"Go, {platform}, {' and '.join(_TWO)}", f"{n} instructions differ")
            for platform, n in changed.items()
        ]
        acting = [platform for platform, n in changed.items() if n]
        yield self.judged(
            acting == [LINUX],
            evidence,
            platforms=", ".join(acting) or "-",
            none=", ".join(p for p in changed if p not in acting) or "-",
        )


class Values(ClaimCheck):
    """Build for linux/arm with both values on every Go."""

    id = "2.2.08"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each value on each Go as a case: it is one when Go's help names it and the build takes it."""
        stated = ledgers.own().find(self.id)
        low, high = (str(int(stated.number(each))) for each in ("low", "high"))
        cases, evidence = [], []
        unchecked: list[tuple[str, str]] = []
        refusing: list[tuple[str, str]] = []
        everyone = [facts.get(goarm(version)) for version in facts.go_versions()]
        for found in everyone:
            for value in (low, high):
                build = found.build(LINUX, value)
                evidence.append(_build(found, LINUX, value))
                meant = build.built and value in re.findall(r"\d+", found.documented)
                if not meant:
                    (unchecked if build.built else refusing).append((found.go, build.said))
                witness = "built" if meant else "built, and not in the help" if build.built else build.said
                cases.append(Case(facts={"go": found.go, "value": int(value)}, holds=meant, witness=witness))
        documented = everyone[-1].documented
        evidence.append(output("go help environment", documented or "no GOARM"))

        def is_low(case: Mapping[str, Value]) -> bool:
            return case["value"] == int(low)

        yield self.by_cases(
            cases,
            is_low,
            evidence,
            low=low,
            high=high,
            refusing=_span([version for version, _said in refusing]),
            said=refusing[0][1] if refusing else "-",
            unchecked=_span([version for version, _said in unchecked]),
            documented=documented or "-",
        )


def _span(versions: list[str]) -> str:
    return " - ".join(dict.fromkeys((versions[0], versions[-1]))) if versions else "-"
