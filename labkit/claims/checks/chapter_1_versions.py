"""Chapter 1, versions: which there are, which Go lists the platform, and what an answer to --version shows."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from labkit import binary
from labkit.claims import ledgers, trying
from labkit.claims.base import ClaimCheck, command, output, read_bytes
from labkit.claims.checks.chapter_1 import APPLE, PLUGIN, before, brief, go_programs, made_for_apple, plugins
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.model.claims import PartVerdict
from labkit.toolchain.golang import run as run_go


class NewestAndFirst(ClaimCheck):
    """Ask the module proxy for the dated list of versions; build an older version for Apple silicon and read it."""

    id = "1.18"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge whether it is the newest, and whether it is the first for Apple silicon."""
        stated = str(ledgers.own().find(self.id).quoted["version"])
        versions = facts.get(plugin_versions)
        newest = versions.versions[-1]
        evidence = [
            output(versions.line, f"{len(versions.versions)} versions, the last {', '.join(versions.versions[-3:])}")
        ]
        yield self.judged(newest == stated, evidence, stated=stated, newest=newest)
        older = next(each for each in facts.get(plugins) if each.version == trying.OLDER_GENERATOR)
        seen = [command(older.tried.line, older.tried.ended), read_bytes("protoc-gen-go", brief(older.program))]
        works = made_for_apple(older.program)
        yield self.not_on_hardware(self.judged(not works, seen, part="b", older=older.version, stated=stated))


class Versions(Record, frozen=True, kw_only=True):
    """The released versions of a module, the oldest first."""

    line: str
    versions: tuple[str, ...]  # without a leading v; no pre-releases


@probe("plugin-versions", fresh_for_s=86_400)
def plugin_versions(facts: ClaimFacts) -> Versions:
    """Ask the module proxy for the plugin's versions; the answer is a day old at most where there is a network."""
    words = ("list", "-m", "-versions", "google.golang.org/protobuf")
    said = run_go(facts.go(), *words, cwd=Path("/"), timeout_s=60).stdout.split()[1:]
    released = [each.removeprefix("v") for each in said if "-" not in each]
    return Versions(
        line=f"go {' '.join(words)}",
        versions=tuple(sorted(released, key=lambda each: tuple(map(int, each.split("."))))),
    )


class NativeSince(ClaimCheck):
    """Ask every Go that is compared whether it lists the platform, and build for it with the older ones."""

    id = "1.19"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the versions before the stated one."""
        stated = str(ledgers.own().find(self.id).quoted["go"])
        found = facts.get(go_programs)
        evidence = [
            output(f"go {each.go} tool dist list", f"{APPLE}: {'listed' if each.listed else 'not listed'}; {each.said}")
            for each in found
        ]
        older = [each for each in found if before(each.go, stated)]
        able = [each for each in older if each.listed and made_for_apple(each.program)]
        yield self.judged(not able, evidence, older=", ".join(each.go for each in able or older), stated=stated)


class Foreign(Record, frozen=True, kw_only=True):
    """A plugin for a processor that is not arm64, and what it answers here."""

    installed: trying.Tried
    architecture: str  # of its bytes; - where there is no program
    answer: trying.Tried | None


@probe("plugin-that-is-not-arm64")
def foreign_plugin(facts: ClaimFacts) -> Foreign:
    """Install the stated plugin for amd64 and run it as the system does."""
    stated = str(ledgers.own().find("1.07").quoted["version"])
    system = facts.lab.toolchain.platform.partition("/")[0]
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        tried, program = trying.install(
            facts, f"{PLUGIN}@{stated}", Path(scratch).resolve(), GOOS=system, GOARCH="amd64"
        )
        pieces = () if program is None else binary.inspect(program, machines=()).slices
        answer = None if program is None else trying.asked(program, "--version")
    return Foreign(installed=tried, architecture=pieces[0].architecture if pieces else "-", answer=answer)


class AnswersSoNative(ClaimCheck):
    """Build the plugin for a processor that is not arm64, and see whether it answers without an error all the same.

    It is run as the system runs it: natively, or translated.
    """

    id = "1.16"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by a program that answers and is not ARM64."""
        found = facts.get(foreign_plugin)
        tried, answer = found.installed, found.answer
        if answer is None:
            yield self.untested("untested", would_test="would_test", tried=[f"{tried.line}: {tried.first()}"])
            return
        real = found.architecture
        evidence = [
            command(tried.line, tried.ended),
            read_bytes("protoc-gen-go", real),
            output(answer.line, f"{answer.ended}: {answer.first()}"),
        ]
        if answer.code != 0:
            seen = [f"{real}: {answer.first()}"]
            yield self.untested("untested", would_test="would_test", evidence=evidence, tried=seen)
            return
        yield self.judged(real == "arm64", evidence, real=real, said=answer.first())
