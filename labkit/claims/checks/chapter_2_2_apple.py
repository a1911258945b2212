"""Chapter 2.2, what Go has for Apple silicon: judged by source trees and builds; what only a Mac tells is said so."""

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from labkit import binary
from labkit.claims import ledgers, trying
from labkit.claims.base import ClaimCheck, Value, command, output, read_bytes
from labkit.claims.checks.chapter_2_1_facts import found, search, trees, versions
from labkit.claims.facts import ClaimFacts
from labkit.gobuild import levels
from labkit.model.claims import Case, PartVerdict
from labkit.model.experiments import Occurrence
from labkit.system.store import file_digest

APPLE: Final = "darwin/arm64"
_TARGET: Final = {"GOOS": "darwin", "GOARCH": "arm64"}
_ABOUT_APPLE: Final = re.compile(r"Darwin|Ios|Apple", re.IGNORECASE)
_CGO: Final = 'package main\n\n// int two(void) { return 2; }\nimport "C"\n\nfunc main() { println(C.two()) }\n'


class ByHand(ClaimCheck):
    """Read in the sources of each Go up to the stated one what it builds for when nothing is set."""

    id = "2.2.04"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the default is that of the go command itself."""
        stated = _minor(str(ledgers.own().find(self.id).quoted["go"]))
        older = [each for each in facts.get(trees) if _minor(each.go_version) <= stated]
        evidence, fixed = [], []
        for tree in older:
            rules = [each.text for each in search(tree, "default-goarch").occurrences]
            evidence.append(found(tree, "default-goarch"))
            if not rules or not all(rule.endswith("= runtime.GOARCH") for rule in rules):
                fixed.append(tree.go_version)
        rule = next((each.text for tree in older for each in search(tree, "default-goarch").occurrences), "-")
        names = ", ".join(each.go_version for each in older)
        yield self.not_on_hardware(self.judged(bool(fixed), evidence, versions=names, rule=rule))


def _minor(version: str) -> int:
    return int(version.split(".")[1])


class Constants(ClaimCheck):
    """Look for the constants and their file in every Go's sources."""

    id = "2.2.05"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each constant, and the file."""
        seen = facts.get(trees)
        newest, span = seen[-1], versions(seen)
        named = [each for tree in seen for each in search(tree, "is-apple-silicon").occurrences]
        yield self.judged(
            any(re.search(r"=\s*true\b", each.text) for each in named),
            [found(newest, "is-apple-silicon")],
            versions=span,
            count=len(named),
        )
        files = sorted({each.path for tree in seen for each in search(tree, "arch-arm64-go").occurrences})
        holding = sorted({each.path for each in named} & set(files))
        evidence = [found(newest, id_) for id_ in ("arch-arm64-go", "is-apple-silicon")]
        yield self.judged(bool(holding), evidence, part="b", versions=span, files=", ".join(holding or files) or "-")
        guards = [each for tree in seen for each in search(tree, "stack-guard-multiplier").occurrences]
        own = [each for each in guards if each.path in files or _ABOUT_APPLE.search(each.text)]
        last = (own or guards)[-1:]
        evidence = [found(each, "stack-guard-multiplier") for each in (seen[0], newest)]
        where = last[0].path if last else "-"
        yield self.judged(bool(own), evidence, part="c", text=last[0].text if last else "-", path=where)


class AbiTag(ClaimCheck):
    """Look for the tag in every Go's sources, for how Apple's own code is chosen, and for what a call into C takes."""

    id = "2.2.06"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge its being, what it changes, and the cost of calls by the steps around each."""
        seen = facts.get(trees)
        newest, span = seen[-1], versions(seen)
        tagged = [each for tree in seen for each in search(tree, "darwin-arm64-tag").occurrences]
        yield self.judged(bool(tagged), [found(newest, "darwin-arm64-tag")], versions=span, count=len(tagged))
        used = [each.path for each in tagged if re.search(r"\bif\b|//go:build", each.text)]
        own = search(newest, "apple-files")
        evidence = [found(newest, id_) for id_ in ("darwin-arm64-tag", "apple-files")]
        yield self.judged(bool(used), evidence, part="b", files=own.found, first=_first_path(own.occurrences))
        steps = search(newest, "cgo-call-steps")
        texts = ", ".join(dict.fromkeys(_call(each.text) for each in steps.occurrences))
        verdict = self.judged(
            not steps.found, [found(newest, "cgo-call-steps")], part="c", steps=texts or "-", go=newest.go_version
        )
        yield self.not_on_hardware(verdict)


def _call(text: str) -> str:
    return text.partition("//")[0].rpartition("= ")[2].partition("(")[0].strip()


def _first_path(occurrences: Iterable[Occurrence]) -> str:
    return next((each.path for each in occurrences), "-")


class NamingTheTarget(ClaimCheck):
    """Build a small program with and without naming this machine's own platform and another; compare the bytes."""

    id = "2.2.07"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge the machine's own platform and another one as cases."""
        here = facts.lab.toolchain.platform
        other = APPLE if here != APPLE else "linux/arm64"
        cases, evidence = [], []
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            tree = Path(scratch).resolve()
            for file in levels.MODULE.iterdir():
                (tree / file.name).write_bytes(file.read_bytes())
            plain = _digest(facts, tree, "plain", {})
            for target in (here, other):
                system, architecture = target.split("/")
                named = _digest(facts, tree, target.replace("/", "-"), {"GOOS": system, "GOARCH": architecture})
                same = named == plain
                evidence.append(
                    command(f"GOOS={system} GOARCH={architecture} go build (on {here})", f"sha256 {named[:12]}")
                )
                cases.append(
                    Case(
                        facts={"target": target, "machine": here},
                        holds=not same,
                        witness="the same bytes as without" if same else "other bytes than without",
                    )
                )
            evidence.append(command(f"go build (on {here})", f"sha256 {plain[:12]}"))

        def elsewhere(case: Mapping[str, Value]) -> bool:
            return case["target"] != case["machine"]

        yield self.not_on_hardware(self.by_cases(cases, elsewhere, evidence, here=here, other=other))


def _digest(facts: ClaimFacts, tree: Path, name: str, variables: Mapping[str, str]) -> str:
    tried = trying.go(facts, "build", "-trimpath", "-buildvcs=false", "-o", name, ".", cwd=tree, **variables)
    made = tree / name
    return file_digest(made) if made.is_file() else f"{tried.ended}: {tried.first()}"


class CrossChain(ClaimCheck):
    """Ask Go for its C compiler and cgo when the target is Apple silicon, then build a cgo program for it.

    It is built with cgo as Go has it by itself, and with cgo asked for.
    """

    id = "2.2.09"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether Go turns cgo on for another platform and a program for it comes of that."""
        here = facts.lab.toolchain.platform
        target = {"GOOS": "darwin", "GOARCH": "amd64"} if here == APPLE else _TARGET
        name = "/".join(target.values())
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            tree = Path(scratch).resolve()
            (tree / "go.mod").write_text("module labkit.dev/cross\n\ngo 1.20\n", "utf-8")
            (tree / "main.go").write_text(_CGO, "utf-8")
            asked = trying.go(facts, "env", "CC", "CGO_ENABLED", cwd=tree, CGO_ENABLED="", **target)
            words = asked.said.split()
            compiler, cgo = (words[0], words[-1]) if len(words) > 1 else ("-", "-")
            built = [
                trying.go(facts, "build", "-o", f"cgo{setting}", ".", cwd=tree, CGO_ENABLED=setting, **target)
                for setting in ("", "1")
            ]
            made = tree / "cgo"
            pieces = binary.inspect(made, machines=()).slices if made.is_file() else ()
        evidence = [output(asked.line, asked.said)]
        evidence += [command(each.line, f"{each.ended}: {each.first().partition(' in /')[0]}") for each in built]
        if pieces:
            evidence.append(read_bytes("the program", ", ".join(each.architecture for each in pieces)))
        wanted = "arm64" if target["GOARCH"] == "arm64" else "x86_64"
        holds = cgo == "1" and any(each.architecture == wanted for each in pieces)
        yield self.judged(
            holds,
            evidence,
            target=name,
            cgo=cgo,
            compiler=compiler,
            default=built[0].first().partition(" in /")[0],
            forced=_short(built[1]),
        )


def _short(tried: trying.Tried) -> str:
    lines = [each.strip() for each in tried.said.splitlines() if each.strip() and not each.startswith("#")]
    return f"{tried.ended}: {lines[0] if lines else '-'}"


class MmuAndThreads(ClaimCheck):
    """Look in every Go's runtime for code of its own for Apple's MMU and for calls that hand a thread's state over."""

    id = "2.2.10"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether both are in any tree."""
        seen = facts.get(trees)
        newest = seen[-1]
        mmu = sum(search(each, "apple-mmu").found for each in seen)
        state = sum(search(each, "thread-state").found for each in seen)
        evidence = [found(newest, id_) for id_ in ("apple-mmu", "thread-state", "apple-page-size")]
        page = search(newest, "apple-page-size").occurrences[:1]
        verdict = self.judged(
            bool(mmu and state),
            evidence,
            versions=versions(seen),
            mmu=mmu,
            state=state,
            page=f"{page[0].path.removeprefix('src/')}: {page[0].text}" if page else "-",
        )
        yield verdict
