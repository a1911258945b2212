"""Chapter 2.3, what a program does when it starts: names looked up, programs moved, who loads and who complains."""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from labkit.claims import ledgers, trying
from labkit.claims.base import ClaimCheck, Value, command, output, read_bytes, read_source, toolchain
from labkit.claims.builds import Build, Way, built
from labkit.claims.checks.chapter_2_3_linking import gnu, linux, musl
from labkit.claims.facts import ClaimFacts, probe
from labkit.codegen.generators.pinned import pinned
from labkit.model.base import Record
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.model.matrix import Outcome, Trial

#: What GNU's linker says of a function that loads libraries of the C library when it is called.
_LOADS_LATER: Final = re.compile(r"Using '(\w+)' in statically linked applications requires at runtime")
_COMMENT: Final = re.compile(r"//.*")
_SUFFIXES: Final = frozenset({".go", ".c", ".h", ".s", ".S"})
_MESSAGE: Final = "symbol not found"


def _ran(trial: Trial | None) -> bool:
    return trial is not None and trial.outcome is Outcome.RAN


def _said(trial: Trial | None, build: Build) -> str:
    return build.first() if trial is None else trial.said or trial.outcome.value


class LookupHost(ClaimCheck):
    """Build with cgo off and on a program that looks up localhost and a name of a DNS server of its own; run both."""

    id = "2.3.05"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the program without cgo finds both names."""
        here = facts.lab.toolchain.platform
        off, on = (
            facts.get(built(Way(name=f"names-cgo{int(cgo)}", program="names", platform=here, cgo=cgo)))
            for cgo in (False, True)
        )
        evidence = [output(f"{each.line}, then started", _said(each.here, each)) for each in (off, on)]
        yield self.judged(not _ran(off.here), [*evidence, off.evidence()], said=_said(off.here, off))


class MovedStatic(ClaimCheck):
    """Link programs with cgo and -static, with the system's C library and with musl, and start each in an empty root.

    One asks C for a number, the other looks up a user, for which a C library may load more; its linker says so.
    """

    id = "2.3.06"
    turned_by = "another Go"

    def prepare(self, facts: ClaimFacts) -> None:
        """Have the C compiler for musl fetched."""
        facts.get(built(musl("c", linux(facts))))

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each program by where it started, and by what its linker says that it needs later."""
        target = linux(facts)
        seen = [
            (libc, program, facts.get(built(way(program, target))))
            for libc, way in (("gnu", gnu), ("musl", musl))
            for program in ("c", "users")
        ]
        cases, evidence = [], []
        for libc, program, each in seen:
            later = ", ".join(sorted(set(_LOADS_LATER.findall(each.said))))
            said = _said(each.alone, each)
            evidence.append(output(f"{each.line} ({libc}, {program}), in an empty root", said))
            if later:
                evidence.append(output(f"{each.line} ({libc}, {program})", f"needs at run time, for {later}: glibc"))
            if each.alone is None or (program == "users" and libc == "musl"):
                continue  # without /etc/passwd there is no user to be found, with any libc
            case: dict[str, Value] = {"libc": libc, "loads_later": later or "nothing"}
            cases.append(Case(facts=case, holds=bool(later) or not _ran(each.alone), witness=later or said))
        if not cases:
            yield self.untested("untested", would_test="would_test", evidence=evidence)
            return
        verdict = self.by_cases(
            cases,
            lambda case: case["loads_later"] != "nothing",
            evidence,
            moved=", ".join(str(each.facts["libc"]) for each in cases if not each.holds) or "-",
            functions=next((each.witness for each in cases if each.facts["loads_later"] != "nothing"), "-"),
            said=next((each.witness for each in cases if each.facts["loads_later"] == "nothing"), "-"),
        )
        yield verdict


class Spoken(Record, frozen=True, kw_only=True):
    """What one Go's runtime has in its sources: lines by their place."""

    go: str
    dlopen: tuple[str, ...]
    vdso: tuple[str, ...]
    message: tuple[str, ...]


@probe("linking-sources", tools=(), recipe={})
def spoken(facts: ClaimFacts) -> tuple[Spoken, ...]:
    """Read the runtime of every Go for calls of dlopen, the stated symbol, and the stated message."""
    symbol = str(ledgers.own().find("2.3.10").quoted["symbol"])
    found = []
    for version in facts.go_versions():
        root = facts.go(version).parent.parent
        hits: dict[str, list[str]] = {"dlopen(": [], symbol: [], _MESSAGE: []}
        for file in sorted((root / "src" / "runtime").rglob("*")):
            if file.suffix not in _SUFFIXES or "_test" in file.name or "testdata" in file.parts:
                continue
            if file.stem.endswith("_android"):  # neither of the systems that are spoken of
                continue
            text = _COMMENT.sub("", file.read_text("utf-8", "replace"))
            for word, places in hits.items():
                if word in text:
                    places.append(file.relative_to(root).as_posix())
        dlopen, vdso, message = (tuple(each) for each in hits.values())
        found.append(Spoken(go=version, dlopen=dlopen, vdso=vdso, message=message))
    return tuple(found)


def _found(seen: Spoken, word: str, places: tuple[str, ...]) -> ClaimEvidence:
    return read_source(f"Go {seen.go}, src/runtime", f"{word}: {', '.join(places) or 'nowhere'}")


class Dlopen(ClaimCheck):
    """Read every Go's runtime for dlopen, and start a usual cgo program where its libraries are not."""

    id = "2.3.07"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the runtime loads anything, or the program starts without what it needs."""
        seen = facts.get(spoken)
        cgo = facts.get(built(Way(name="c-cgo1", program="c", platform=linux(facts), cgo=True, calls=True)))
        calling = [each for each in seen if each.dlopen]
        said = _said(cgo.alone, cgo)
        evidence = [_found(each, "dlopen(", each.dlopen) for each in seen]
        evidence += [cgo.evidence(), output(f"{cgo.line}, in an empty root", said)]
        yield self.judged(
            bool(calling) or _ran(cgo.alone),
            evidence,
            count=len(seen),
            calling=", ".join(f"Go {each.go}: {', '.join(each.dlopen)}" for each in calling) or "-",
            needs=cgo.libraries or "-",
            said=said,
        )


class Generated(Record, frozen=True, kw_only=True):
    """What one protoc-gen-go generates: the lines that a build is conditional on, and who else says cgo."""

    version: str
    tried: trying.Tried
    conditions: tuple[str, ...]
    cgo: int  # lines with cgo in them


@probe("generated-build-tags", tools=(), recipe={})
def generated(facts: ClaimFacts) -> tuple[Generated, ...]:
    """Generate a message with every protoc-gen-go that is pinned, and read the file."""
    found = []
    for version in [each.tool.version for each in pinned() if each.tool.name == "protoc-gen-go"]:
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            folder = Path(scratch).resolve()
            words = (f"--plugin=protoc-gen-go={trying.generator(facts, version)}", "--go_out=.", "h.proto")
            tried = trying.protoc(facts, words, {"h.proto": trying.proto()}, folder / "out")
            lines = [
                line
                for name in tried.files
                if name.endswith(".go")
                for line in (folder / "out" / name).read_text("utf-8").splitlines()
            ]
        conditions = tuple(each for each in lines if each.startswith(("//go:build", "// +build")))
        tried = trying.Tried(line="protoc --go_out=. h.proto", code=tried.code, said=tried.first(), files=tried.files)
        count = sum("cgo" in each.lower() for each in lines)
        found.append(Generated(version=version, tried=tried, conditions=conditions, cgo=count))
    return tuple(found)


class BuildTag(ClaimCheck):
    """Generate with protoc-gen-go of several days and read the build constraints; see which tag Go itself minds.

    One program with a file for cgo and another without it, built both ways, is the control.
    """

    id = "2.3.09"
    needs = (toolchain("handbook"),)
    turned_by = "another generator"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether any generated file has the stated tag."""
        seen = facts.get(generated)
        tag = str(ledgers.own().find(self.id).quoted["tag"])
        here = facts.lab.toolchain.platform
        control = [
            facts.get(built(Way(name=f"either-cgo{int(cgo)}", program="either", platform=here, cgo=cgo)))
            for cgo in (False, True)
        ]
        evidence = [
            read_source(
                f"{', '.join(each.tried.files) or each.tried.said} of protoc-gen-go {each.version}",
                f"build constraints: {', '.join(each.conditions) or 'none'}; {each.cgo} lines with cgo",
            )
            for each in seen
        ]
        evidence += [command(each.line, each.ended) for each in control]
        having = [each.version for each in seen if any(tag in line for line in each.conditions)]
        made = [each.version for each in seen if each.tried.files]
        yield self.judged(bool(having), evidence, tag=tag, versions=", ".join(made), having=", ".join(having) or "-")


class VdsoMessage(ClaimCheck):
    """Start static programs with cgo, and read every Go's runtime for the symbol and for the message."""

    id = "2.3.10"
    turned_by = "another Go tree"

    def prepare(self, facts: ClaimFacts) -> None:
        """Have the C compiler for musl fetched."""
        facts.get(built(musl("c", linux(facts))))

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether a program says it, or anything in the runtime can."""
        seen = facts.get(spoken)
        symbol = str(ledgers.own().find(self.id).quoted["symbol"])
        architecture = facts.lab.toolchain.platform.partition("/")[2]
        programs = [facts.get(built(way("c", linux(facts)))) for way in (gnu, musl)]
        started = [(each, trial) for each in programs for trial in (each.here, each.alone) if trial is not None]
        saying = [each for each in seen if each.message]
        evidence = [_found(each, _MESSAGE, each.message) for each in seen]
        evidence += [_found(each, symbol, each.vdso) for each in seen]
        evidence += [output(f"{each.line}, {trial.place}", _said(trial, each)) for each, trial in started]
        evidence += [read_bytes(each.line, f"needs {each.libraries or 'nothing'}") for each in programs]
        produced = [_said(trial, each) for each, trial in started if _MESSAGE in _said(trial, each)]
        if not started:
            yield self.untested("untested", would_test="would_test", evidence=evidence)
            return
        yield self.judged(
            bool(produced or saying),
            evidence,
            symbol=symbol,
            count=len(seen),
            place=next((name for name in seen[-1].vdso if f"_{architecture}." in name), "-"),
            said=_said(started[0][1], started[0][0]),
            saying=", ".join([*produced, *(f"Go {each.go}: {each.message[0]}" for each in saying)]) or "-",
        )
