"""Runs chapter 2's experiments on many versions of Go: what GOARM does, what the source tree and the programs hold.

Writes docs/instructions.md. A version that is not a set's own is had as GOTOOLCHAIN has it, by the current set's Go.

    python -m benchmarks.instruction_experiments [VERSION ...]
"""

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from labkit.errors import LabError
from labkit.facts import Facts
from labkit.gobuild import listings
from labkit.gobuild.levels import levels
from labkit.gobuild.printed_cas import printed_cas
from labkit.model.experiments import LevelExperiment, PrintedCas, SourceTree
from labkit.model.instructions import Census
from labkit.toolchain import find, golang, gosource, program

_VERSIONS = ("1.20.14", "1.22.12", "1.23.12", "1.24.9", "1.25.3", "1.26.6")
_SETS = ("handbook", "current")
_CONFLICT = "status without and with another's store | loads on a conflict"
_CENSUS = (("darwin/arm64", ""), ("linux/arm64", ""), ("linux/amd64", ""))


def main(versions: tuple[str, ...]) -> int:
    facts = [Facts(name) for name in _SETS]
    gos = {str(find(each.toolchain, "go").version): program(each.toolchain, "go") for each in facts}
    bootstrap = program(facts[-1].toolchain, "go")
    for version in versions:
        try:
            root = golang.run(bootstrap, "env", "GOROOT", cwd=Path("/"), GOTOOLCHAIN=f"go{version}").stdout.strip()
            gos[version] = Path(root) / "bin/go"
        except LabError as error:
            print(f"Go {version} cannot be had: {error.what}", file=sys.stderr)
    ordered = sorted(gos.items(), key=lambda each: tuple(map(int, each[0].split("."))))
    trees, experiments = [], []
    for version, go in ordered:
        print(f"Go {version} ...", file=sys.stderr)
        trees.append(gosource.search(go.parent.parent, f"go{version}"))
        experiments.append(levels(go, f"go{version}"))
    chains = [each.toolchain for each in facts]
    censuses = [
        (f"Go {find(chain, 'go').version}, {target}", listings.census(chain, target, level))
        for chain in chains
        for target, level in _CENSUS
    ]
    text = _report(trees, experiments, censuses, [printed_cas(chain) for chain in chains])
    Path("docs/instructions.md").write_text(text, "utf-8")
    print(text)
    return 0


def _report(
    trees: list[SourceTree],
    experiments: list[LevelExperiment],
    censuses: list[tuple[str, Census]],
    printed: list[PrintedCas],
) -> str:
    lines = [
        "# Instructions: what was built, run and searched",
        "",
        "Written by `python -m benchmarks.instruction_experiments`; nothing in it is written by hand.",
        f"On {datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}.",
        "No Mac has run any of it: programs for darwin were built and read here.",
        "",
        "## The handbook's compare-and-swap",
        "",
        "```",
        *printed[0].printed,
        "```",
        "",
        *_assembled(printed[-1]),
        "",
        f"Read in every way that it can be, and run by {printed[0].started_by}.",
        "`torn` and `sync/atomic` are controls: the first is no compare-and-swap, the second is Go's own.",
        "",
        f"| Go | reading | first line | right | contended: won, counted | {_CONFLICT} | yes? |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in printed:
        for one in each.readings:
            statuses = ", ".join(str(conflict.status) for conflict in one.conflicts) or "-"
            loads = ", ".join(str(conflict.loads) for conflict in one.conflicts if conflict.other_wrote) or "-"
            right = f"{sum(case.right for case in one.cases)} of {len(one.cases)}"
            many = f"{one.contended.successes:,}, {one.contended.final:,}"
            lines.append(
                f"| {each.go_version} | {one.id} | {one.lines[0] if one.lines else '-'} | {right} | {many} "
                f"| {statuses} | {loads} | {'yes' if one.correct else 'no'} |"
            )
    lines += ["", "Status 99: the conditional store was not reached.", "", "## GOARM", ""]
    lines += ["The sha256 of one program's file, its first 8 digits, or Go's own words.", ""]
    lines += ["| Go | setting | darwin/arm64 | linux/arm64 | linux/arm |", "|---|---|---|---|---|"]
    for experiment in experiments:
        for setting in dict.fromkeys(build.setting for build in experiment.builds):
            cells = [
                (build.sha256 or "")[:8] if build.built else f"refused: {build.said}"
                for build in experiment.builds
                if build.setting == setting
            ]
            lines.append(f"| {experiment.go_version} | {setting or 'none'} | {' | '.join(cells)} |")
    lines += ["", "How builds for linux/arm differ:", ""]
    lines += ["| Go | builds | functions in both | with other instructions | instructions | of these different |"]
    lines += ["|---|---|---|---|---|---|"]
    lines += [
        f"| {experiment.go_version} | {each.one}, {each.other} | {each.functions_in_both:,} "
        f"| {each.functions_differing:,} | {each.instructions:,} | {each.instructions_differing:,} |"
        for experiment in experiments
        for each in experiment.differences
    ]
    lines += ["", "## Named things in Go's sources", ""]
    lines += ["How often the pattern occurs in `GOROOT/src`, and where first.", ""]
    lines += [f"| looked for | {' | '.join(tree.go_version for tree in trees)} |", "|---" * (len(trees) + 1) + "|"]
    for at, first in enumerate(trees[0].searches):
        cells = []
        for tree in trees:
            where = tree.searches[at].occurrences[:1]
            place = (
                f", {where[0].path.removeprefix('src/')}" + (f":{where[0].line}" if where[0].line else "")
                if where
                else ""
            )
            cells.append(f"{tree.searches[at].found}{place}")
        lines.append(f"| {first.id} | {' | '.join(cells)} |")
    lines += ["", "## What the programs hold", ""]
    lines += ["The sample's whole text section, decoded from the first byte to the last.", ""]
    lines += ["| program | instructions | lengths in bytes | breakpoints | barriers | AT | exclusive loads | CAS |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    lines += [_census_row(name, census) for name, census in censuses]
    return "\n".join([*lines, ""])


def _assembled(printed: PrintedCas) -> list[str]:
    return [
        f"- {each.assembler} ({each.version or 'not here'}): "
        f"{'accepted' if each.accepted else 'not tried' if each.accepted is None else 'refused'}: "
        f"`{each.said.splitlines()[0] if each.said else ''}`"
        for each in printed.assembled
    ]


def _census_row(name: str, census: Census) -> str:
    def of(*starts: str) -> str:
        chosen = {
            each: n for each, n in census.counts.items() if each.split(" ")[-1 if "lock" in each else 0] in starts
        }
        return ", ".join(f"{each}: {n}" for each, n in chosen.items()) or "0"

    widths = (
        ", ".join(census.widths_bytes) if len(census.widths_bytes) > 1 else f"all {next(iter(census.widths_bytes))}"
    )
    columns = (of("brk", "int3"), of("dmb", "dsb", "mfence", "lfence", "sfence"), of("at"))
    exclusive = of("ldaxr", "ldaxrb", "ldaxrh", "ldxr")
    swaps = of("casal", "casalb", "cmpxchg")
    return f"| {name} | {census.instruction_count:,} | {widths} | {' | '.join(columns)} | {exclusive} | {swaps} |"


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:]) or _VERSIONS))
