"""Compares labkit's decoding with llvm-objdump's, instruction by instruction over whole text sections.

Writes docs/decoding.md and exits with 1 when an instruction differs that no rule explains, or when LLVM, with its
extensions switched on, does not know one that capstone knows.

    python -m benchmarks.decoding_agreement [--large]

With --large also the generated gRPC server and protoc-gen-go, which are millions of instructions. Needs go and
llvm-objdump; a few minutes, with --large half an hour.
"""

import platform
import sys
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path

from labkit.facts import Facts
from labkit.gobuild import listings
from labkit.toolchain import find, program
from tests.binary_oracles import program as llvm
from tests.binary_oracles import run
from tests.decoding_oracle import FEATURES, RULES, Agreement, compare

_SHELLS = ("/bin/bash", "/usr/bin/bash", "/bin/dash")


def main(*, large: bool) -> int:
    facts = Facts("current")
    chain = facts.toolchain
    files: list[tuple[str, Path]] = [
        (f"sample, {target} {level}", Path(listings.sample(chain, target, level).path))
        for target, level in (*listings.TARGETS, ("darwin/amd64", "GOAMD64=v1"))
    ]
    if large:
        files += [("the generated gRPC server, linux/arm64", Path(facts.server_for("linux/arm64").path))]
        files += [("protoc-gen-go, this machine's", program(chain, "protoc-gen-go"))]
    shell = next((Path(each) for each in _SHELLS if Path(each).read_bytes()[:4] == b"\x7fELF"), None)
    files += [] if shell is None else [(f"C: {shell}", shell)]
    found: dict[str, tuple[Agreement, Agreement | None]] = {}
    for name, path in files:
        print(f"{name} ...", file=sys.stderr)
        bare = compare(path)
        found[name] = (bare, compare(path, options=FEATURES) if bare.unknown or "arm64" in name else None)
    report = _report(found, go=str(find(chain, "go").version))
    Path("docs/decoding.md").write_text(report, "utf-8")
    print(report)
    best = [extended or bare for bare, extended in found.values()]
    return 1 if any(each.different or each.unknown or each.bytes_compared != each.text_bytes for each in best) else 0


def _report(found: dict[str, tuple[Agreement, Agreement | None]], *, go: str) -> str:
    version = next(line.strip() for line in run([llvm("llvm-objdump"), "--version"]).splitlines() if "version" in line)
    rules: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    differing: list[str] = []
    rows = []
    for name, (bare, extended) in found.items():
        best = extended or bare
        rules.update(best.by_rule)
        unknown.update(bare.unknown)
        differing += [f"- {name}: {each}" for examples in best.differing.values() for each in examples]
        lacking = bare.unknown.total() + bare.different
        rows.append(
            f"| {name} | {best.instructions:,} | {best.same:,} | {best.both_data:,} | {best.build_id:,} "
            f"| {best.different:,} | {best.unknown.total():,} | {lacking if extended else 0:,} |"
        )

    head = (
        "instructions | same | both: no instruction | build ID | different | LLVM knows none | LLVM as it comes lacks"
    )
    lines = [
        "# Agreement of labkit's decoding with llvm-objdump",
        "",
        "Written by `python -m benchmarks.decoding_agreement`: every instruction of whole text sections, padding and",
        "literals between functions too, by capstone (what labkit uses) and by llvm-objdump, from the same bytes.",
        "",
        f"On {datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, Go {go}, {version},",
        f"capstone {installed('capstone')}.",
        "",
        f"| text section | {head} |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        "Go's linker begins a Mach-O's text section with the build ID, a text: it is counted, and not compared.",
        f"arm64 was compared twice: as llvm-objdump comes, and with `{' '.join(FEATURES)}`.",
        "The last column counts what it does not name as it comes; the others are with the extensions.",
        "",
        "## What LLVM does not know without its extensions",
        "",
        "By capstone's name.",
        "",
        "| instruction | how often |",
        "|---|---|",
        *(f"| {name} | {count:,} |" for name, count in unknown.most_common()),
        "",
        "## Rules under which two spellings are the same",
        "",
        "Each is applied to both sides and skips nothing; counted are the instructions that agree only because of it.",
        "",
        "| rule | why | instructions |",
        "|---|---|---|",
        *(f"| {rule.id} | {rule.why} | {rules[rule.id]:,} |" for rule in RULES),
        "",
        "## Every difference",
        "",
        *(differing or ["None."]),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(large="--large" in sys.argv[1:]))
