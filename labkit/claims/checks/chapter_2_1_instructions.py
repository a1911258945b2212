"""Chapter 2.1, what Go compiles to: judged by the instructions of labkit's sample program, decoded from its bytes."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from labkit.claims.base import ClaimCheck, Value, read_bytes
from labkit.claims.checks.chapter_2_1_facts import AMD, APPLE, ARM, ARM_LATER, Decoded, decoded, found, line, trees
from labkit.claims.checks.chapter_2_1_facts import search as search_of
from labkit.claims.facts import ClaimFacts
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.model.instructions import Atomicity

_SWAP: Final = "main.CompareAndSwap64"
_BARRIER: Final = ("runtime.gcWriteBarrier", "gcWriteBarrier")


def _said(sample: Decoded, text: str) -> ClaimEvidence:
    return read_bytes(f"labkit's sample program, {sample.platform} {sample.level}", text)


def _is_arm(case: Mapping[str, Value]) -> bool:
    return case["architecture"] == "arm64"


class Width(ClaimCheck):
    """Decode the whole text section of a real program for arm64 and count the lengths of its instructions.

    The same program for x86-64 shows that the count can see other lengths.
    """

    id = "2.1.01"
    turned_by = "an altered binary"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the lengths that occur, and by where functions begin."""
        arm, amd = facts.get(decoded(ARM)), facts.get(decoded(AMD))
        evidence = [
            _said(each, f"{each.widths_bytes}, {each.odd_functions} functions not at a multiple of 4 bytes")
            for each in (arm, amd)
        ]
        yield self.judged(
            set(arm.widths_bytes) == {"4"} and not arm.odd_functions,
            evidence,
            count=arm.instruction_count,
            widths=", ".join(arm.widths_bytes),
            others=", ".join(amd.widths_bytes),
            literals=arm.undecoded_bytes,
        )


class ArmSwap(ClaimCheck):
    """Decode what sync/atomic's compare-and-swap compiles to, for processors with Armv8.1's atomics and without."""

    id = "2.1.02"
    turned_by = "an altered binary"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each level by which instructions there are for which processor."""
        cases, evidence = [], []
        singles: dict[str, None] = {}
        for target in (ARM, ARM_LATER, APPLE):
            sample = facts.get(decoded(target))
            listing = sample.named(_SWAP)
            evidence.append(_said(sample, f"{_SWAP}: {line(listing)}"))
            kinds = {each.atomic for each in listing.instructions}
            pair = Atomicity.EXCLUSIVE in kinds
            single = Atomicity.LSE in kinds
            singles |= {each.mnemonic.upper(): None for each in listing.instructions if each.atomic is Atomicity.LSE}
            where = {"platform": sample.platform, "level": sample.level}
            words = ", ".join(each.mnemonic for each in listing.atomic)
            cases.append(Case(facts={**where, "atomics": True}, holds=pair and not single, witness=words))
            if pair:
                cases.append(Case(facts={**where, "atomics": False}, holds=True, witness=words))
        pairs = sorted({f"{each.facts['level']}" for each in cases if each.facts["atomics"] is False})
        yield self.by_cases(
            cases,
            lambda case: case["atomics"] is False,
            evidence,
            levels=", ".join(pairs) or "-",
            with_atomics=", ".join(singles) or "-",
        )


class FramePointer(ClaimCheck):
    """Read in every Go's sources for which architectures the frame pointer is kept, and decode a prologue of each."""

    id = "2.1.08"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge X29 and %rbp as cases of their architectures."""
        seen = facts.get(trees)
        evidence = [found(each, "frame-pointer-rule") for each in (seen[0], seen[-1])]
        cases = []
        for target, register, architecture in ((ARM, "x29", "arm64"), (AMD, "rbp", "amd64")):
            sample = facts.get(decoded(target))
            prologue = line(sample.named("main.Framed"))
            evidence.append(_said(sample, f"main.Framed: {prologue}"))
            rules = [each.text for tree in seen for each in search_of(tree, "frame-pointer-rule").occurrences]
            kept = bool(rules) and all(f'GOARCH == "{architecture}"' in rule for rule in rules)
            sets_it = re.search(rf"(sub|mov) {register}, (sp|rsp)", prologue) is not None
            forced = kept and sets_it
            cases.append(
                Case(
                    facts={"architecture": architecture},
                    holds=forced if architecture == "arm64" else not forced,
                    witness=f"{register}: {'kept' if kept else 'not kept'} by the rule, "
                    f"{'set' if sets_it else 'not set'} by the prologue",
                )
            )
        yield self.by_cases(cases, _is_arm, evidence, first=seen[0].go_version, last=seen[-1].go_version)


class Barrier(ClaimCheck):
    """Look through the whole program of each architecture for the quoted barrier, but for where a clock is read."""

    id = "2.1.09"
    turned_by = "an altered binary"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each architecture as a case."""
        cases, evidence, instead = [], [], {}
        for target, quoted, architecture in ((ARM, "dmb ish", "arm64"), (AMD, "mfence", "amd64")):
            sample = facts.get(decoded(target))
            held = (
                "; ".join(f"{word} in {', '.join(names[:3])}" for word, names in sample.barriers.items())
                or "no barrier"
            )
            stores = line(sample.named("main.Store64"))
            evidence.append(_said(sample, f"{held}; main.Store64: {stores}; all: {sample.counts}"))
            cases.append(Case(facts={"architecture": architecture}, holds=quoted in sample.barriers, witness=held))
            instead[f"{architecture}_barriers"] = ", ".join(sample.barriers) or "-"
            instead[f"{architecture}_store"] = stores.partition(";")[0]
        held_by_arm = cases[0].holds
        yield self.by_cases(cases, lambda case: _is_arm(case) is held_by_arm, evidence, **instead)


class AmdSwap(ClaimCheck):
    """Decode what sync/atomic's compare-and-swaps compile to on x86-64."""

    id = "2.1.10"
    turned_by = "an altered binary"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the locked instruction in each width."""
        sample = facts.get(decoded(AMD))
        names = (_SWAP, "main.CompareAndSwap32")
        each_has = all("lock cmpxchg" in line(sample.named(name)) for name in names)
        yield self.judged(each_has, [_said(sample, sample.shown(*names))], seen=line(sample.named(_SWAP)))


class WriteBarrier(ClaimCheck):
    """Decode the write barrier and a store of a pointer on arm64, look for STLR in them, and for the bit in sources."""

    id = "2.1.11"
    turned_by = "an altered binary"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the stores in it."""
        evidence: list[ClaimEvidence] = []
        released, stores = [], []
        for target in (ARM, APPLE):
            sample = facts.get(decoded(target))
            both = (sample.named(*_BARRIER), sample.named("main.StorePointer"))
            evidence.append(_said(sample, "; ".join(f"{each.function}: {line(each)[:240]}" for each in both)))
            words = [one.mnemonic for each in both for one in each.instructions]
            released += [word for word in words if word.startswith("stlr")]
            stores += [word for word in words if word.startswith("st")]
        newest = facts.get(trees)[-1]
        evidence.append(found(newest, "shade-bit"))
        yield self.judged(
            bool(released),
            evidence,
            stores=", ".join(sorted(set(stores))),
            released=len(released),
            named=search_of(newest, "shade-bit").found,
            go=newest.go_version,
        )


class Conversions(ClaimCheck):
    """Decode conversions between 32 and 64 bits and a wide constant, and look where MOVZ is.

    It is told by its encoding, for a disassembler shows it as mov.
    """

    id = "2.1.13"
    turned_by = "an altered binary"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by MOVZ in the conversions."""
        sample = facts.get(decoded(ARM))
        names = ("main.WidenSigned", "main.WidenUnsigned", "main.Narrow")
        zeroing = [
            f"{name} ({each.mnemonic} {each.operands})"
            for name in (*names, "main.Constant")
            for each in sample.named(name).instructions
            if _is_movz(each.bytes_hex)
        ]
        converting = [each for each in zeroing if not each.startswith("main.Constant")]
        yield self.judged(
            bool(converting),
            [
                _said(sample, sample.shown(*names, "main.Constant")),
                _said(sample, f"MOVZ: {', '.join(zeroing) or 'none'}"),
            ],
            signed=_first(sample, names[0]),
            unsigned=_first(sample, names[1]),
            movz=", ".join(zeroing) or "-",
        )


def _first(sample: Decoded, name: str) -> str:
    return line(sample.named(name)).partition(";")[0]


def _is_movz(bytes_hex: str) -> bool:
    # MOVZ: sf 10 100101 hw imm16 Rd (Arm ARM, C6.2.258).
    word = int.from_bytes(bytes.fromhex(bytes_hex.replace(" ", "")), "little")
    return word & 0x7F80_0000 == 0x5280_0000  # noqa: PLR2004 - the encoding


class OnlyWide(ClaimCheck):
    """Count in a real program the instructions that name a W register, the lower half of one."""

    id = "2.1.14"
    turned_by = "an altered binary"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether there is any."""
        sample = facts.get(decoded(ARM))
        share = 100 * sample.narrow / max(sample.instruction_count, 1)
        evidence = [_said(sample, f"{sample.narrow} of {sample.instruction_count} instructions name a W register")]
        evidence.append(_said(sample, sample.shown("main.Load32", "main.Store32", "main.WidenUnsigned")))
        yield self.judged(
            sample.narrow == 0, evidence, narrow=sample.narrow, count=sample.instruction_count, share=f"{share:.0f}"
        )
