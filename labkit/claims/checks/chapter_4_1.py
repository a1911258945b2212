"""Chapter 4.1: plugin versions side by side, by what two modules in a workspace generate and what gopls starts."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from labkit.claims.base import ClaimCheck, command, output, read_bytes, read_source, toolchain
from labkit.claims.checks.chapter_4_1_facts import (
    MODULES,
    Global,
    asked_of_gopls,
    both_halves,
    editing,
    one_plugin,
    plain,
)
from labkit.claims.facts import ClaimFacts
from labkit.codegen.side_by_side import PAIR
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.model.side_by_side import Experiment, Half

GOPLS: Final = (toolchain("current+gopls"),)
NOTHING: Final = "-"


class EditorsPlugin(ClaimCheck):
    """Open two modules in gopls over LSP, with marked programs and a recording go on PATH, and count completions.

    It is done before there is generated code and, to see that the question works, with it.
    """

    id = "4.1.01"
    needs = GOPLS
    turned_by = "another gopls"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether gopls started anything that generates, and so could complete what was not there."""
        seen = facts.get(editing)
        before, after = seen.before, seen.after
        offered = [f"{module} {count}" for module, count in before.completions.items()]
        later = [f"{module} {count}" for module, count in after.completions.items()]
        asked = ", ".join(f"go {name} {count}" for name, count in before.asked_of_go.items())
        line = f"gopls {seen.gopls}: textDocument/completion behind pb."
        evidence = [
            output(f"{line}, nothing generated", f"completions: {', '.join(offered)}"),
            output(f"{line}, generated", f"completions: {', '.join(later)}"),
            output("gopls check old/main.go new/main.go, nothing generated", before.diagnostics or "nothing"),
            command(
                f"what gopls {seen.gopls} started", f"{asked}; what generates: {', '.join(before.started) or 'nothing'}"
            ),
        ]
        if not all(after.completions.values()):
            yield self.untested("untested", would_test="would_test", tried=[each.text for each in evidence])
            return
        questions = facts.get(asked_of_gopls)
        imported = _find(questions, "gopls-import-workspace")
        evidence.append(_last(imported))
        yield self.judged(
            bool(before.started) and all(before.completions.values()),
            evidence,
            gopls=seen.gopls,
            started=", ".join(before.started) or NOTHING,
            before=", ".join(offered),
            after=", ".join(later),
            asked=", ".join(f"go {name}" for name in before.asked_of_go),
            runtime=imported.answered or NOTHING,
        )


def _find(experiments: Sequence[Experiment], id_: str) -> Experiment:
    return next(each for each in experiments if each.id == id_)


def _last(each: Experiment) -> ClaimEvidence:
    step = each.steps[-1]
    first, *rest = step.command
    line = " ".join([Path(first).name, *rest])
    return output(f"{each.id}: {line}", f"answered {each.answered or 'nothing'}, wanted {each.wanted or 'nothing'}")


class OwnPlugin(ClaimCheck):
    """Let each of two modules of a workspace say and run its plugin: go tool in the workspace, and with GOWORK=off."""

    id = "4.1.02"
    turned_by = "another Go"

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the modules."""
        facts.get(both_halves)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each way by whether both modules got what their go.mod requires; PATH's plugin stands beside."""
        halves = facts.get(both_halves)
        within, alone = ([each for each in halves if each.in_workspace is inside] for inside in (True, False))
        ways = {
            "go tool": ("on", {each.name: each.tool for each in within}, within),
            "GOWORK=off go tool": ("off", {each.name: each.tool for each in alone}, alone),
            "go generate, whose script sets GOWORK=off": (
                "off",
                {each.name: each.generated_by for each in within},
                within,
            ),
        }
        cases, evidence = [], []
        for way, (gowork, got, of) in ways.items():
            witness = _got(of, got)
            holds = all(got[each.name] == each.required for each in of)
            cases.append(Case(facts={"way": way, "gowork": gowork}, holds=holds, witness=witness))
            evidence.append(output(f"{way}, in each module of the workspace", witness))
        on_path = [each for each in facts.get(plain) if each.plugin_on_path]
        evidence += [
            output(f"{each.module}: go generate, whose line calls protoc alone", f"made by {each.answered or 'nobody'}")
            for each in on_path
        ]
        yield self.by_cases(
            cases,
            lambda case: case["gowork"] == "off",
            evidence,
            inside=_got(within, ways["go tool"][1]),
            outside=_got(within, ways["go generate, whose script sets GOWORK=off"][1]),
            path=", ".join(sorted({each.answered or NOTHING for each in on_path})),
        )


def _got(halves: Sequence[Half], got: Mapping[str, str | None]) -> str:
    return "; ".join(f"{each.name} (go.mod {each.required}): {got[each.name] or NOTHING}" for each in halves)


class OneForAll(ClaimCheck):
    """Generate one file with each plugin for two modules of other runtimes, then build and run it in both."""

    id = "4.1.03"
    turned_by = "another generator"

    def prepare(self, facts: ClaimFacts) -> None:
        """Build the generators and fetch the modules."""
        facts.get(one_plugin)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether some module cannot build or run what a plugin made."""
        groups: dict[tuple[str, str], list[Global]] = {}
        for each in facts.get(one_plugin):
            groups.setdefault((each.plugin, each.syntax), []).append(each)
        cases, evidence, refused = [], [], []
        for (version, syntax), found in groups.items():
            witness = "; ".join(f"{each.module} ({each.runtime}): {_ran(each)}" for each in found)
            evidence.append(output(f"protoc-gen-go {version}, {syntax}, for all", witness))
            if not all(each.made for each in found):
                refused.append(f"{version} ({syntax})")
                continue
            holds = not all(each.fits for each in found)
            cases.append(Case(facts={"plugin": version, "edition": syntax != "proto3"}, holds=holds, witness=witness))
        misfits = [f"protoc-gen-go {each.facts['plugin']}: {each.witness}" for each in cases if each.holds]
        yield self.by_cases(
            cases,
            lambda case: bool(case["edition"]),
            evidence,
            plugins=", ".join(dict.fromkeys(version for version, _ in groups)),
            runtimes=", ".join(dict.fromkeys(each.runtime for each in facts.get(one_plugin))),
            misfit=misfits[0] if misfits else NOTHING,
            refused=", ".join(refused) or NOTHING,
        )


def _ran(each: Global) -> str:
    if not each.made:
        return f"no code, {each.said}"
    return "builds and runs" if each.fits else each.said


class OwnRuntime(ClaimCheck):
    """Ask the build list of each module of a workspace, and the bytes of what was built there, for the runtime."""

    id = "4.1.04"
    turned_by = "another Go"

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the modules."""
        facts.get(both_halves)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether both are what the module's own go.mod requires."""
        halves = facts.get(both_halves)
        evidence: list[ClaimEvidence] = []
        for each in halves:
            where = "in the workspace" if each.in_workspace else "GOWORK=off"
            evidence.append(output(f"{each.name}, {where}: go list -m", f"{each.selected} (go.mod: {each.required})"))
            evidence.append(read_bytes(f"{each.name}, {where}: the program", f"built with {each.built_with}"))
        within, alone = ([each for each in halves if each.in_workspace is inside] for inside in (True, False))
        yield self.judged(
            all(each.selected == each.built_with == each.required for each in within),
            evidence,
            inside=_got(within, {each.name: each.built_with for each in within}),
            outside=_got(alone, {each.name: each.built_with for each in alone}),
        )


class ByItself(ClaimCheck):
    """Run a go:generate line that only calls protoc in the workspace's modules: no plugin on PATH, then a marked one.

    Beside it: what stands in the pair's own files, which do generate by module.
    """

    id = "4.1.05"
    turned_by = "another protoc"

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the modules."""
        facts.get(plain)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether each module's own plugin answered with nothing but go.work and go.mod."""
        tried = facts.get(plain)
        evidence = [
            command(
                f"{each.module}: go generate, {'a marked' if each.plugin_on_path else 'no'} plugin on PATH",
                f"exit code {each.step.exit_code}, made by {each.answered or 'nobody'} (go.mod: {each.wanted}); "
                f"{each.step.said.splitlines()[0] if each.step.said else 'nothing said'}",
            )
            for each in tried
        ]
        script = (PAIR / "generate.sh").read_text("utf-8").splitlines()
        needed = [line.partition(" #")[0].strip() for line in script if "GOWORK=" in line and not line.startswith("#")]
        needed += [word for line in script for word in line.split() if word.startswith("--plugin=")]
        evidence.append(read_source("generate.sh of the pair, which generates by module", "; ".join(needed)))
        lines = {each: (PAIR / each / "go.mod").read_text("utf-8").splitlines() for each in MODULES}
        evidence += [
            read_source(f"{module}/go.mod of the pair", f"tool {line.strip()}")
            for module, all_lines in lines.items()
            for line in all_lines
            if "cmd/protoc-gen-go" in line
        ]
        bare = [each for each in tried if not each.plugin_on_path]
        said = next((each.step.said.splitlines()[0] for each in bare if each.step.said), NOTHING)
        yield self.judged(
            all(each.answered == each.wanted for each in bare),
            evidence,
            made="; ".join(f"{each.module} {each.answered or NOTHING}" for each in bare),
            said=said,
            path=", ".join(sorted({each.answered or NOTHING for each in tried if each.plugin_on_path})),
            needed=", ".join(needed),
        )


class ByPath(ClaimCheck):
    """Let a recording go note the PATH that gopls gives to what it starts, and its code lens run a protoc line."""

    id = "4.1.06"
    needs = GOPLS
    turned_by = "another gopls"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether a folder was added to PATH that holds the plugin."""
        seen = facts.get(editing)
        questions = facts.get(asked_of_gopls)
        lens = _find(questions, "gopls-lens-plain")
        both = (seen.before, seen.after)
        runs = sum(sum(each.asked_of_go.values()) for each in both)
        added = list(dict.fromkeys(Path(folder).name for each in both for folder in each.added))
        evidence = [
            output(
                f"PATH of {runs} go commands that gopls {seen.gopls} started",
                f"folders that gopls was not started with: {', '.join(added) or 'none'}",
            ),
            read_bytes(
                f"gopls {seen.gopls}",
                f"protoc-gen-go stands there {seen.names_plugin} times, go generate {seen.names_go_generate} times",
            ),
            _last(lens),
        ]
        if not runs:
            yield self.untested("untested", would_test="would_test", tried=[each.text for each in evidence])
            return
        yield self.judged(
            any(each.added_with_plugin for each in both),
            evidence,
            gopls=seen.gopls,
            added=", ".join(added) or NOTHING,
            answered=lens.answered or NOTHING,
            wanted=lens.wanted or NOTHING,
        )
