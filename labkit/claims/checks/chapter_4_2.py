"""Chapter 4.2, the line for a static program: built with each of its words and without, read by bytes and by tools."""

from collections.abc import Iterable, Mapping
from itertools import compress
from typing import Final

from labkit.claims import ledgers
from labkit.claims.base import ClaimCheck, Value, output, read_bytes, tool
from labkit.claims.builds import APPLE, SERVER, Build, Way, built
from labkit.claims.facts import ClaimFacts
from labkit.claims.static_line import (
    asks,
    either_way,
    external,
    line,
    native,
    needs,
    other,
    pie,
    static_pie,
    unnamed,
    without_a,
)
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.model.matrix import Outcome

_HASH: Final = 12  # hex digits that are shown
_LOOKS_UP: Final = "lookup"  # a program whose package net is another one with cgo on


def on_linux(case: Mapping[str, Value]) -> bool:
    """Return whether a case is a program for Linux."""
    return case["system"] == "linux"


def _static(seen: Build) -> bool:
    """Return whether there is a program that asks for no loader and no library, and starts with nothing beside it."""
    alone = seen.alone is None or seen.alone.outcome is Outcome.RAN
    return seen.piece is not None and not seen.libraries and alone


def _hash(seen: Build) -> str:
    return (seen.sha256 or "-")[:_HASH]


class StaticLine(ClaimCheck):
    """Build by the line for Linux on two processors and for Apple, and read what each program asks for.

    Two more are built without ``-a``: the generated service, and a program by CGO_ENABLED=0 and nothing else that could
    matter. What can be started here is started in a root folder that holds nothing else.
    """

    id = "4.2.01"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each by its bytes, and by the empty root."""
        here = native(facts)
        ways = (line(here), line(other(facts)), line(APPLE), without_a(here, SERVER), unnamed(here, flag=False))
        seen = [facts.get(built(way)) for way in ways]
        evidence = [each.evidence() for each in seen]
        alone = [(each, each.alone) for each in seen]
        evidence += [output(f"{each.line}, in an {tried.place}", tried.said or "-") for each, tried in alone if tried]
        cases = [
            Case(
                facts={"system": each.system, "platform": each.platform, "built": " ".join((*way.words, way.program))},
                holds=_static(each),
                witness=needs(each),
            )
            for way, each in zip(ways, seen, strict=True)
        ]
        verdict = self.by_cases(
            cases,
            on_linux,
            evidence,
            count=sum(on_linux(each.facts) for each in cases),
            linux=asks(seen[0]),
            apple=asks(seen[2]),
        )
        yield self.not_on_hardware(verdict)


class CompiledAgain(ClaimCheck):
    """Build by the line with ``-a`` and without it, and compare the bytes.

    A program with package net is built without ``-a`` and with cgo off right after it was built with cgo on.
    """

    id = "4.2.02"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether a program is static with it and not without it."""
        platforms = (native(facts), other(facts), APPLE)
        pairs = [(facts.get(built(line(each))), facts.get(built(without_a(each)))) for each in platforms]
        before = facts.get(built(either_way(_LOOKS_UP, native(facts), cgo=True)))
        after = facts.get(built(without_a(native(facts), _LOOKS_UP)))
        evidence = [
            read_bytes(f"{each.line} ({each.platform})", f"sha256 {_hash(each)}, {needs(each)}")
            for pair in pairs
            for each in pair
        ]
        evidence += [each.evidence() for each in (before, after)]
        needed = any(_static(with_a) and not _static(without) for with_a, without in pairs)
        yield self.judged(
            needed or not _static(after),
            evidence,
            same=sum(with_a.sha256 is not None and with_a.sha256 == without.sha256 for with_a, without in pairs),
            count=len(pairs),
            on=asks(before),
            off=asks(after),
            without=asks(pairs[0][1]),
        )


def _count(seen: Build) -> str:
    return "-" if seen.piece is None else str(len(seen.libraries.split(", ")) if seen.libraries else 0)


class NothingToSay(ClaimCheck):
    """Build with cgo off with the linker's word and without it, for three platforms, and compare the bytes.

    Go's build id is reckoned from the flags themselves, so it is left out of both. A program with C that the C compiler
    links is the control: there the word has to do something.
    """

    id = "4.2.03"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether all pairs have the same bytes."""
        platforms = (native(facts), other(facts), APPLE)
        pairs = [[facts.get(built(unnamed(each, flag=flag))) for flag in (False, True)] for each in platforms]
        control = [facts.get(built(external(native(facts), flag=flag))) for flag in (False, True)]
        evidence = [
            read_bytes(f"{each.line} ({each.platform})", f"sha256 {_hash(each)}, {needs(each)}")
            for pair in (*pairs, control)
            for each in pair
        ]
        same = [plain.sha256 is not None and plain.sha256 == flagged.sha256 for plain, flagged in pairs]
        yield self.judged(
            all(same),
            evidence,
            count=len(same),
            differ=", ".join(name for name, alike in zip(platforms, same, strict=True) if not alike) or "-",
            without=_count(control[0]),
            given=_count(control[1]),
            names=asks(control[0]),
        )


class FileSays(ClaimCheck):
    """Ask ``file`` about programs made by the line: for Linux on two processors, as a PIE, and for Apple."""

    id = "4.2.04"
    needs = (tool("file"),)
    turned_by = "a tool on PATH"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each by the words, which are taken from the statement."""
        wanted = str(ledgers.own().find(self.id).quoted["says"])
        ways = (line(native(facts)), line(other(facts)), pie(native(facts)), line(APPLE))
        cases, evidence = _asked(facts, "file", wanted, ways)
        yield self.by_cases(
            cases,
            lambda case: on_linux(case) and not case["pie"],
            evidence,
            linux=cases[0].witness,
            pie=cases[2].witness,
            apple=cases[3].witness,
        )


def _asked(facts: ClaimFacts, name: str, wanted: str, ways: Iterable[Way]) -> tuple[list[Case], list[ClaimEvidence]]:
    cases, evidence = [], []
    for way in ways:
        seen = facts.get(built(way))
        said = seen.witnesses.get(name, seen.first())
        about: dict[str, Value] = {"system": seen.system, "platform": seen.platform}
        about |= {"pie": "-buildmode=pie" in way.words, "here": seen.platform == facts.lab.toolchain.platform}
        cases.append(Case(facts=about, holds=wanted in said, witness=said))
        evidence.append(output(f"{name} (of {seen.line}, {seen.platform}, which {needs(seen)})", said))
    return cases, evidence


class LddSays(ClaimCheck):
    """Ask ldd about programs made by the line: for Linux, for Apple, as a PIE for this and for another processor.

    A PIE with cgo that is static is asked about too. What each needs is read in its bytes, to see whether ldd's words
    can tell one that stands alone from one that does not.
    """

    id = "4.2.05"
    needs = (tool("ldd"),)
    turned_by = "a tool on PATH"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each by the words, which are taken from the statement."""
        wanted = str(ledgers.own().find(self.id).quoted["says"])
        here, away = native(facts), other(facts)
        ways = [line(here), line(away), line(APPLE), pie(away), pie(here), static_pie(here)]
        cases, evidence = _asked(facts, "ldd", wanted, ways)
        seen = [facts.get(built(way)) for way in ways]
        told = [f"{each.platform}: {asks(each)}" for each in seen]
        untrue = [case.holds and bool(each.libraries) for case, each in zip(cases, seen, strict=True)]
        wrong = list(compress(told, untrue))
        yield self.by_cases(
            cases,
            lambda case: not (case["pie"] and case["here"]),
            evidence,
            linux=cases[0].witness,
            pie=cases[4].witness,
            loader=asks(seen[4]),
            wrong="; ".join(wrong) or "-",
        )
