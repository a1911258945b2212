"""Chapter 4.2, what it says of macOS: programs for Apple, read by bytes, judged for chips and systems."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from labkit import binary
from labkit.binary.judging import rules
from labkit.claims.base import ClaimCheck, Value, command, output, read_bytes, read_source
from labkit.claims.builds import APPLE, SERVER, Build, built
from labkit.claims.facts import ClaimFacts
from labkit.claims.static_line import (
    INTEL,
    c_for_apple,
    either_way,
    line,
    missing_library,
    native,
    oldest,
    without_a,
)
from labkit.model.binary import Binary, Runs
from labkit.model.claims import Case, ClaimEvidence, PartVerdict

#: Which system versions each chip has had from its first day to now.
SYSTEMS: Final = {"m1": (11, 12, 13, 14, 15, 26), "m2": (12, 13, 14, 15, 26)}
_SOURCE: Final = "src/runtime/sys_darwin.go"
_SYSTEMS_OWN: Final = ("/usr/lib/", "/System/Library/")
_LIBRARIES: Final = ("libc", "libpthread")
_NEEDS_UUID: Final = "macho-uuid-absent"


def _programs(facts: ClaimFacts) -> list[Build]:
    ways = (line(APPLE), without_a(APPLE, SERVER), without_a(INTEL))
    return [facts.get(built(way)) for way in ways]


def _on_mac(facts: ClaimFacts) -> bool:
    return facts.lab.toolchain.platform == APPLE


class NothingDynamic(ClaimCheck):
    """Read the load commands of programs made by the line for macOS, the generated service's too.

    Go's own sources are searched for the places where its packages name a library of the system.
    """

    id = "4.2.06"
    turned_by = "an altered binary"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether any names a library or asks for a loader."""
        seen = _programs(facts)
        functions = _named_in_sources(facts)
        evidence = [each.evidence() for each in seen]
        if functions:
            evidence.append(read_source(_SOURCE, f"{len(functions)} functions of libraries, such as: {functions[0]}"))
        named = [each.libraries for each in seen if each.libraries]
        nothing = not named and all(each.piece is not None for each in seen)
        service = [name for name in seen[1].libraries.split(", ") if name not in seen[0].libraries]
        verdict = self.judged(
            nothing,
            evidence,
            count=len(seen),
            named=named[0] if named else "-",
            service=", ".join(service) or "-",
            functions=len(functions),
        )
        yield verdict if _on_mac(facts) else self.not_on_hardware(verdict)


def _named_in_sources(facts: ClaimFacts) -> list[str]:
    """Return the lines of Go's runtime that name a function of a library of macOS, none without Go's sources."""
    file = facts.go().parent.parent / _SOURCE
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return [each for each in lines if re.match(r"//go:cgo_import_dynamic \w+ \w+ \S", each)]


class NoLoadDylib(ClaimCheck):
    """List the load commands of programs made by the line for macOS, as ``otool -l`` does, and search for the command.

    Where there is neither otool nor LLVM's, the bytes are read by labkit alone.
    """

    id = "4.2.08"
    turned_by = "an altered binary"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether any of them has the command."""
        seen = _programs(facts)
        found = [_commands(each) for each in seen]
        evidence = [
            output(
                f"load commands as otool -l lists them, of {each.line} ({each.platform})", said or "no LC_LOAD_DYLIB"
            )
            for each, said in zip(seen, found, strict=True)
        ]
        evidence += [each.evidence() for each in seen]
        nothing = not any(found) and all(each.piece is not None for each in seen)
        verdict = self.judged(nothing, evidence, count=len(seen), said=next(filter(None, found), "-"))
        yield verdict if _on_mac(facts) else self.not_on_hardware(verdict)


def _commands(seen: Build) -> str:
    libraries = () if seen.piece is None else seen.piece.libraries
    listed = seen.witnesses.get("load-commands", "; ".join(f"LC_LOAD_DYLIB {each}" for each in libraries))
    return listed if "LC_LOAD_DYLIB " in listed else ""


class AnyChip(ClaimCheck):
    """Judge the line's program by its bytes for an M1 and an M2 under each system that they have had.

    Its lowest system version, its UUID and its signature are read; so are those of a program by the oldest Go that is
    compared. What a system does with them is labkit's own rules of binaries, each with its source.
    """

    id = "4.2.09"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each pair of a program and a machine by whether it would run."""
        now, then = facts.get(built(line(APPLE))), facts.get(oldest)
        made = [(_go(now.program), now.program, now.line), (then.go, then.program, then.tried.line)]
        cases, evidence = [], []
        for go, program, words in made:
            if program is None or not program.slices:
                evidence.append(command(words, "no program"))
                continue
            piece = program.slices[0]
            evidence.append(
                read_bytes(
                    f"{words} (Go {go})",
                    f"lowest system {piece.minimum_os}, UUID {piece.uuid or 'none'}, signed by {piece.signature.kind}, "
                    f"{piece.signature.bad_pages} bad pages, needs {', '.join(piece.libraries) or 'nothing'}",
                )
            )
            cases += [_case(go, program, chip, macos) for chip, systems in SYSTEMS.items() for macos in systems]
        lowest = [str(case.facts["minimum"]) for case in cases if case.facts["go"] == made[0][0]]
        failing = {str(case.facts["go"]): case.witness for case in reversed(cases) if not case.holds}
        verdict = self.by_cases(
            cases,
            _fits,
            evidence,
            minimum=lowest[0] if lowest else "-",
            go=made[0][0],
            old=then.go,
            macos=int(rules()[_NEEDS_UUID]["from_macos"]),
            why=failing.get(made[0][0], "-"),
            why_old=failing.get(then.go, "-"),
        )
        yield self.not_on_hardware(verdict)


def _go(program: Binary | None) -> str:
    return program.go.version.removeprefix("go") if program is not None and program.go is not None else "-"


def _case(go: str, program: Binary, chip: str, macos: int) -> Case:
    piece = program.slices[0]
    verdict = binary.judge(program, f"{chip}-macos{macos}")
    minimum = int((piece.minimum_os or "macos 0").split()[-1].partition(".")[0])
    return Case(
        facts={"go": go, "chip": chip, "macos": macos, "minimum": minimum, "uuid": piece.uuid is not None},
        holds=verdict.runs is Runs.YES,
        witness=f"{chip}-macos{macos}: {verdict.rule}",
    )


def _fits(case: Mapping[str, Value]) -> bool:
    new_enough = int(case["macos"]) >= int(case["minimum"])
    return new_enough and (bool(case["uuid"]) or int(case["macos"]) < int(rules()[_NEEDS_UUID]["from_macos"]))


class NotLoaded(ClaimCheck):
    """Read what programs for macOS with cgo on load, one that calls C among them, beside those with it off.

    On Linux the error is brought about: a program with cgo on is made to name a C library that is not there.
    """

    id = "4.2.10"
    turned_by = "an altered binary"

    def prepare(self, facts: ClaimFacts) -> None:
        """Have the C compiler fetched."""
        facts.get(c_for_apple)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether one with cgo on names libc or libpthread, or a library that is not the system's own."""
        here = native(facts)
        on, off = (facts.get(built(either_way("names", APPLE, cgo=cgo))) for cgo in (True, False))
        with_c = facts.get(c_for_apple)
        linux, missing = facts.get(built(either_way("c", here, cgo=True))), facts.get(missing_library)
        evidence = [each.evidence() for each in (on, off, linux)]
        evidence += [
            _with_c(with_c.tried.line, with_c.compiler, with_c.program, with_c.tried.first()),
        ]
        if missing:
            evidence.append(output(f"{linux.line}, libc.so.6 in its bytes made libc.so.9, started", missing))
        named = {name for program in (on.program, with_c.program) for name in _libraries(program)}
        risky = sorted(name for name in named if _risky(name))
        verdict = self.judged(
            bool(risky),
            evidence,
            risky=", ".join(risky) or "-",
            on=", ".join(sorted(named)) or "-",
            off=", ".join(sorted(_libraries(off.program))) or "-",
            linux=linux.libraries or "-",
            said=missing or "-",
        )
        yield verdict if _on_mac(facts) else self.not_on_hardware(verdict)


def _with_c(words: str, compiler: str, program: Binary | None, said: str) -> ClaimEvidence:
    if program is None:
        return command(words, said)
    return read_bytes(f"{words} ({compiler})", f"needs {', '.join(_libraries(program)) or 'nothing'}")


def _libraries(program: Binary | None) -> tuple[str, ...]:
    return () if program is None or not program.slices else program.slices[0].libraries


def _risky(name: str) -> bool:
    base = name.rpartition("/")[2].partition(".")[0]
    return base in _LIBRARIES or not name.startswith(_SYSTEMS_OWN)
