"""Chapter 2.5, where fields lie: judged by the compiler's own offsets and by the addresses that Go's heap gives."""

import math
from collections.abc import Iterable
from typing import Final

from labkit.claims import ledgers
from labkit.claims.base import ClaimCheck, measured, output, reckoned
from labkit.claims.checks.chapter_2_5_facts import (
    APPLE,
    LINE,
    PRAGMA,
    TARGETS,
    Asked,
    FieldLines,
    StructLines,
    lines,
    offsets,
)
from labkit.claims.facts import ClaimFacts
from labkit.model.claims import Case, PartVerdict

_APPLE_LINE: Final = 128
#: A page of Apple silicon's macOS, and of most Linux.
_PAGES: Final = (16384, 4096)
#: "Often" is every second time at least.
_OFTEN: Final = 0.5


def _of(asked: tuple[Asked, ...], platform: str) -> tuple[Asked, ...]:
    return tuple(each for each in asked if each.platform == platform)


def _span(asked: tuple[Asked, ...]) -> str:
    return " - ".join(dict.fromkeys((asked[0].go, asked[-1].go)))


def _field(struct: StructLines, name: str) -> FieldLines:
    return next(each for each in struct.fields if each.name == name)


def _numbers(values: Iterable[int]) -> str:
    return ", ".join(str(each) for each in sorted(set(values)))


class Offset(ClaimCheck):
    """Let every Go's compiler say at which offset the field lies, for Apple silicon and for other targets."""

    id = "2.5.01"
    turned_by = "another struct"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by what it says for Apple silicon; targets with pointers of four bytes are told beside."""
        asked = facts.get(offsets)
        quoted = ledgers.own().find(self.id).number("offset_bytes")
        apple, narrow = _of(asked, APPLE), _of(asked, TARGETS[-1])
        found = {each["Offsetof Data"] for each in apple}
        evidence = [
            output(f"Go {each.go}: {each.line}", f"unsafe.Offsetof(p.Data) is {each['Offsetof Data']}")
            for each in (apple[0], apple[-1], _of(asked, TARGETS[1])[-1], narrow[-1])
        ]
        evidence.append(
            reckoned(
                f"Tag ends at {apple[-1]['Offsetof Tag'] + apple[-1]['Sizeof Tag']}; the next multiple of "
                f"{apple[-1]['Alignof Data']}, a slice's alignment, is {apple[-1]['Offsetof Data']}",
                "the compiler's own numbers",
            )
        )
        verdict = self.judged(
            found == {int(quoted)}, evidence, offset=_numbers(found), versions=_span(asked),
            ends=apple[-1]["Offsetof Tag"] + apple[-1]["Sizeof Tag"], alignment=apple[-1]["Alignof Data"],
            narrow=_numbers(each["Offsetof Data"] for each in narrow), size=apple[-1]["Sizeof p"],
        )  # fmt: skip
        yield self.not_on_hardware(verdict)


def _starts(facts: ClaimFacts) -> tuple[StructLines, FieldLines, list[Case]]:
    """Return the struct, Tag, and for each place in a line where a struct began whether Tag crosses the line's end."""
    struct = facts.get(lines).payload
    tag = _field(struct, "Tag")
    cases = []
    for start, count in sorted(struct.starts.items(), key=lambda each: int(each[0])):
        first, last = int(start) + tag.offset_bytes, int(start) + tag.offset_bytes + tag.size_bytes - 1
        crosses = first // LINE != last // LINE
        witness = f"{count} structs: Tag at {first} to {last} after the line's start"
        cases.append(Case(facts={"start": int(start)}, holds=crosses, witness=witness))
    return struct, tag, cases


class Crossing(ClaimCheck):
    """Allocate the struct many times, and see for each place in a line where it begins whether Tag crosses the end."""

    id = "2.5.02"
    turned_by = "another struct"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge the places in a line where Go's heap lets the struct begin as cases."""
        struct, tag, cases = _starts(facts)
        begin, end = tag.offset_bytes, tag.offset_bytes + tag.size_bytes - 1
        evidence = [
            reckoned(
                f"at a line's start Tag takes bytes {begin} to {end}: {begin} // {LINE} = {begin // LINE}, "
                f"{end} // {LINE} = {end // LINE}",
                "unsafe.Offsetof, unsafe.Sizeof",
            ),
            output(f"{struct.objects} structs on Go's heap, their addresses modulo {LINE}", str(struct.starts)),
        ]
        last = LINE - (begin + tag.size_bytes)
        yield self.not_on_hardware(
            self.by_cases(
                cases,
                lambda case: int(case["start"]) + begin < LINE <= int(case["start"]) + end,
                evidence,
                begin=begin,
                end=end,
                crossing=tag.crossing[str(LINE)],
                objects=struct.objects,
                apple=tag.crossing[str(_APPLE_LINE)],
                last=last,
                starts=", ".join(str(each.facts["start"]) for each in cases if each.holds) or "-",
            )
        )


class Misses(ClaimCheck):
    """Count over real addresses on how many lines Tag lies: a line that is not in the cache is missed once."""

    id = "2.5.11"
    turned_by = "another struct"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the number of lines at each place where the heap lets the struct begin."""
        struct, tag, cases = _starts(facts)
        quoted = int(ledgers.own().find(self.id).number("misses"))
        counted = [_lines_of(int(each.facts["start"]) + tag.offset_bytes, tag.size_bytes) for each in cases]
        found = [
            Case(
                facts={"start": each.facts["start"], "lines": number},
                holds=number == quoted,
                witness=f"{each.witness}, on {number} lines",
            )
            for each, number in zip(cases, counted, strict=True)
        ]
        evidence = [
            output(f"{struct.objects} structs on Go's heap, their addresses modulo {LINE}", str(struct.starts)),
            reckoned(
                f"Tag has {tag.size_bytes} bytes at {tag.offset_bytes}: on two lines of {LINE} for "
                f"{tag.crossing[str(LINE)]} of {struct.objects}, on two of {_APPLE_LINE} for "
                f"{tag.crossing[str(_APPLE_LINE)]}",
                "addresses on Go's heap",
            ),
        ]
        yield self.not_on_hardware(
            self.by_cases(
                found,
                lambda case: case["lines"] == quoted,
                evidence,
                quoted=quoted,
                objects=struct.objects,
                crossing=tag.crossing[str(LINE)],
                apple=tag.crossing[str(_APPLE_LINE)],
                most=max(counted),
            )
        )


def _lines_of(begin: int, size: int) -> int:
    return (begin + size - 1) // LINE - begin // LINE + 1


class Directive(ClaimCheck):
    """Write the directive over a struct and let every Go's compiler say what the struct's alignment then is."""

    id = "2.5.07"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each Go as a case."""
        asked = _of(facts.get(offsets), APPLE)
        wanted = int(PRAGMA.split()[1])
        cases = [
            Case(
                facts={"go": each.go, "minor": int(each.go.split(".")[1])},
                holds=each["Alignof a"] == wanted,
                witness=f"unsafe.Alignof is {each['Alignof a']}, unsafe.Sizeof {each['Sizeof a']}",
            )
            for each in asked
        ]
        evidence = [
            output(f"Go {each.go}: {each.line}, {PRAGMA} over struct {{ ID uint32 }}", case.witness)
            for each, case in zip(asked, cases, strict=True)
            if each in (asked[0], asked[-1])
        ]
        first = min((int(each.facts["minor"]) for each in cases if each.holds), default=0)
        verdict = self.by_cases(
            cases, lambda case: int(case["minor"]) >= first, evidence, versions=_span(asked), directive=PRAGMA,
            alignment=_numbers(each["Alignof a"] for each in asked), first=f"1.{first}",
        )  # fmt: skip
        yield self.not_on_hardware(verdict)


class Pages(ClaimCheck):
    """Reckon for an array of the struct how often Data's header lies on two pages, at its offset and at every other."""

    id = "2.5.12"
    turned_by = "another struct"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether another offset in the same struct would be better."""
        (said,) = _of(facts.get(offsets), APPLE)[-1:]
        size, own, header = said["Sizeof p"], said["Offsetof Data"], said["Sizeof Data"]
        evidence, worse = [], False
        for page in _PAGES:
            shares = {at: _share(size, at, header, page) for at in range(0, size - header + 1, said["Alignof Data"])}
            others = [share for at, share in shares.items() if at != own]
            worse |= shares[own] > min(others, default=shares[own])
            told = ", ".join(f"{at}: {count} of {_period(size, page)}" for at, count in shares.items())
            evidence.append(
                reckoned(
                    f"structs of {size} bytes in an array, a header of {header} on two pages of {page}, by offset: "
                    f"{told}",
                    "unsafe.Sizeof, unsafe.Offsetof",
                )
            )
        page = _PAGES[0]
        verdict = self.judged(
            worse, evidence, offset=own, count=_share(size, own, header, page), period=_period(size, page), page=page,
            least=min(_share(size, at, header, page) for at in range(0, size - header + 1, said["Alignof Data"])),
        )  # fmt: skip
        yield self.not_on_hardware(verdict)


def _period(size: int, page: int) -> int:
    """Return after how many structs an array lies towards its pages as at its start."""
    return page // math.gcd(size, page)


def _share(size: int, at: int, header: int, page: int) -> int:
    """Return how many structs of a period have the header on two pages."""
    begins = (each * size + at for each in range(_period(size, page)))
    return sum(begin // page != (begin + header - 1) // page for begin in begins)


class Often(ClaimCheck):
    """Allocate every message of gRPC-Go, of protobuf and of labkit's kernels, and count its fields across lines."""

    id = "2.5.13"
    turned_by = "other messages"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the share of fields, over all objects, that lie on two lines."""
        found = facts.get(lines).messages
        fields = [(each, struct) for struct in found for each in struct.fields if each.size_bytes]
        all_ = sum(struct.objects for _each, struct in fields)
        crossing = {edge: sum(each.crossing[str(edge)] for each, _ in fields) for edge in (LINE, _APPLE_LINE)}
        split = sum(each.split_words for each, _ in fields)
        share = 100 * crossing[LINE] / all_
        evidence = [
            measured(
                f"{len(found)} messages with {len(fields)} fields, {all_ // max(1, len(fields))} of each: "
                f"{crossing[LINE]} of {all_} fields on two lines of {LINE}, {crossing[_APPLE_LINE]} on two of "
                f"{_APPLE_LINE}; aligned words of 8 bytes on two lines: {split}",
                "addresses on Go's heap",
            )
        ]
        verdict = self.judged(
            crossing[LINE] >= _OFTEN * all_, evidence, messages=len(found), fields=len(fields), share=f"{share:.0f}",
            apple=f"{100 * crossing[_APPLE_LINE] / all_:.0f}", split=split, often=f"{100 * _OFTEN:.0f}",
        )  # fmt: skip
        yield self.not_on_hardware(verdict)
