"""Chapter 3.3, modules: the plugin's former path, what @latest is, both protobuf modules together, older runtimes."""

from collections.abc import Iterable, Sequence

from labkit.claims import ledgers
from labkit.claims.base import ClaimCheck, command, output, read_bytes, read_source
from labkit.claims.both_protobufs import (
    GRPC,
    NEW,
    OLD,
    OLD_VERSIONS,
    ModuleTold,
    PluginModules,
    by_old_path,
    plugin_modules,
    runtimes,
    together,
    told,
)
from labkit.claims.facts import ClaimFacts
from labkit.model.claims import Case, ClaimEvidence, PartVerdict


def _asked(each: ModuleTold) -> ClaimEvidence:
    notice = "" if each.deprecated == "-" else f"; deprecated: {each.deprecated}"
    seen = each.said if each.version == "-" else f"{each.version} of {each.date}{notice}"
    return output(f"go list -m -u -json {each.asked}", seen)


class FormerPath(ClaimCheck):
    """Install the former path with several Gos, and ask the module for its notice."""

    id = "3.3.02"
    turned_by = "another Go; another module proxy"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether it is installed, and by whether its newest version is deprecated by its makers."""
        tried = facts.get(by_old_path)
        old = str(ledgers.own().find(self.id).quoted["old"])
        evidence = [
            command(f"Go {each.go}: {each.tried.line}", "installed" if each.installed else each.tried.first())
            for each in tried
        ]
        cases = [
            Case(
                facts={"go": each.go}, holds=not each.installed, witness=each.tried.first() if each.tried.code else "-"
            )
            for each in tried
        ]
        refusing = {each.go for each in tried if not each.installed}
        yield self.by_cases(
            cases,
            lambda case: case["go"] in refusing,
            evidence,
            old=old,
            version=OLD_VERSIONS[-1],
            versions=", ".join(each.go for each in tried),
            said=next((each.witness for each in cases if each.holds), "-"),
        )
        notice = next(each for each in facts.get(told) if each.asked == f"{OLD}@latest")
        yield self.judged(
            notice.deprecated != "-",
            [_asked(notice)],
            part="b",
            version=notice.version,
            date=notice.date,
            notice=notice.deprecated,
        )


class Latest(ClaimCheck):
    """Ask what @latest is, for the module, for its v2, and for modules with and without a release (made here)."""

    id = "3.3.03"
    turned_by = "another module proxy"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether @latest is a pre-release, or a v2."""
        asked = facts.get(told)
        by_question = {each.asked: each for each in asked}
        latest, second = by_question[f"{NEW}@latest"], by_question[f"{NEW}/v2@latest"]
        both, only = (each for each in asked if each.module not in {NEW, OLD, f"{NEW}/v2"})
        yield self.judged(
            "-" in latest.version or not latest.version.startswith(("v0.", "v1.")),
            [_asked(each) for each in asked],
            module=NEW,
            latest=latest.version,
            v2=second.version if second.version != "-" else second.said,
            both="v1.0.0, v1.1.0-alpha.1",
            release=both.version,
            only="v1.1.0-alpha.1",
            prerelease=only.version,
        )


class LeastRuntime(ClaimCheck):
    """Build code of the stated generator with older runtimes, run it, and read what it asks for in its header."""

    id = "3.3.04"
    turned_by = "another generator"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether an older runtime than the stated one serves."""
        seen = facts.get(runtimes)
        stated = f"v{ledgers.own().find(self.id).quoted['version']}"
        older = [each for each in seen.built if _number(each.version) < _number(stated)]
        working = [each.version for each in older if each.works]
        yield self.judged(
            not working,
            [
                *(command(f"go build, {NEW} {each.version}; run", each.first()) for each in seen.built),
                read_source("hello.pb.go, its header", f"at least {seen.enforced}"),
            ],
            generator=seen.generator,
            stated=stated,
            older=", ".join(each.version for each in older),
            least=min(working, key=_number, default="-"),
            works=", ".join(working) or "-",
            enforced=seen.enforced,
        )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split("."))


class BothInOne(ClaimCheck):
    """Build and run programs that use both modules: three versions of the older one, and once with names alike."""

    id = "3.3.05"
    turned_by = "another module proxy"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each program as a case."""
        seen = facts.get(together)
        cases = [
            Case(
                facts={"version": each.version, "same_name_in_one_file": each.same_name},
                holds=not each.works,
                witness=each.first(),
            )
            for each in seen
        ]
        yield self.by_cases(
            cases,
            lambda case: bool(case["same_name_in_one_file"]),
            [
                command(
                    f"go build, {OLD} {each.version} and {NEW}"
                    f"{', both imported as proto in one file' if each.same_name else ''}; run",
                    each.first(),
                )
                for each in seen
            ],
            said=next((each.witness for each in cases if each.holds), "-"),
            works=", ".join(each.version for each in seen if each.works) or "-",
        )


class PluginsModules(ClaimCheck):
    """Read the modules in two plugins' build information, and the go.mod of the module that each is of."""

    id = "3.3.06"
    turned_by = "another protoc-gen-go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each module by whether a plugin is built of it, or its go.mod names it."""
        seen = facts.get(plugin_modules)
        evidence = [
            item
            for each in seen
            for item in (
                read_bytes(f"protoc-gen-go {each.version}, build information", ", ".join(each.linked)),
                read_source(f"its go.mod, {each.version}", ", ".join(each.required) or "(no requirement)"),
            )
        ]
        versions = ", ".join(dict.fromkeys(each.version for each in seen))
        for letter, module in (("a", GRPC), ("b", OLD)):
            yield self.by_cases(
                _cases(seen, module),
                lambda case: case["where"] == "go.mod" and bool(case["named"]),
                evidence,
                part=letter,
                module=module,
                versions=versions,
                where=", ".join(
                    f"protoc-gen-go {each.version}" for each in seen if module in each.linked or module in each.required
                )
                or "-",
            )


def _cases(seen: Sequence[PluginModules], module: str) -> list[Case]:
    return [
        Case(
            facts={"plugin": each.version, "where": where, "named": module in names},
            holds=module in names,
            witness=", ".join(names) or "-",
        )
        for each in seen
        for where, names in (("program", each.linked), ("go.mod", each.required))
    ]


class Archived(ClaimCheck):
    """Ask the go command what it is told of the module: that its repository is archived, nobody tells it."""

    id = "3.3.07"
    fixed = "only the repository's host knows whether it is archived"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Say what would test it, and what is known here."""
        notice = next(each for each in facts.get(told) if each.asked == f"{OLD}@latest")
        yield self.untested(
            "untested",
            would_test="would_test",
            tried=(f"go list -m -u -json {notice.asked}",),
            evidence=[_asked(notice)],
            notice=f"{notice.version}, {notice.date}: {notice.deprecated}",
        )
