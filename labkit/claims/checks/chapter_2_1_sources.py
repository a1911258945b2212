"""Chapter 2.1, what is in Go's runtime: judged by the source trees of every Go, and by a real program."""

from collections.abc import Iterable, Mapping

from labkit.claims.base import ClaimCheck, Value, read_bytes
from labkit.claims.checks.chapter_2_1_facts import APPLE, ARM, Decoded, decoded, found, search, trees, versions
from labkit.claims.facts import ClaimFacts
from labkit.model.claims import Case, ClaimEvidence, PartVerdict


def _counted(sample: Decoded, prefix: str) -> ClaimEvidence:
    seen = {word: n for word, n in sample.counts.items() if word.startswith(prefix)}
    return read_bytes(f"labkit's sample program, {sample.platform} {sample.level}", f"{prefix}: {seen or 'none'}")


class WhereItLives(ClaimCheck):
    """Look for the file in every Go's source tree, and for the one that holds the atomics there."""

    id = "2.1.05"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the trees have it at that path."""
        seen = facts.get(trees)
        cases = []
        places: dict[str, None] = {}
        for tree in seen:
            paths = [each.path for each in search(tree, "cas-arm64-s").occurrences]
            own = next(
                (each.path for each in search(tree, "atomic-arm64-s").occurrences if "/atomic/" in each.path), "-"
            )
            places[own] = None
            holds = "src/runtime/internal/atomic/cas_arm64.s" in paths
            cases.append(Case(facts={"go": tree.go_version}, holds=holds, witness=", ".join([*paths, own])))
        having = {each.facts["go"] for each in cases if each.holds}
        evidence = [found(each, id_) for each in (seen[0], seen[-1]) for id_ in ("cas-arm64-s", "atomic-arm64-s")]

        def has_it(case: Mapping[str, Value]) -> bool:
            return case["go"] in having

        yield self.by_cases(
            cases,
            has_it,
            evidence,
            versions=versions(seen),
            places=", ".join(each.removeprefix("src/") for each in places),
            having=", ".join(map(str, having)) or "-",
        )


class SafePoints(ClaimCheck):
    """Look for the breakpoint in every Go's sources and in a real program, and for what stops a goroutine instead."""

    id = "2.1.06"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether it is anywhere."""
        seen = facts.get(trees)
        arm, apple = facts.get(decoded(ARM)), facts.get(decoded(APPLE))
        inside = sum(each.counts.get("brk #0x1000", 0) for each in (arm, apple))
        in_sources = sum(search(each, "brk-0x1000").found for each in seen)
        newest = seen[-1]
        evidence = [
            *(found(newest, id_) for id_ in ("brk-0x1000", "brk", "async-preempt", "preempt-signal")),
            *(_counted(each, "brk") for each in (arm, apple)),
        ]
        signal = next(
            (each.text.rpartition("=")[2].strip() for each in search(newest, "preempt-signal").occurrences), "-"
        )
        yield self.judged(
            bool(inside or in_sources),
            evidence,
            versions=versions(seen),
            signal=signal.removeprefix("_"),
            others=", ".join(f"{word} ({n})" for word, n in arm.counts.items() if word.startswith("brk")) or "-",
            count=inside + in_sources,
        )


class Translation(ClaimCheck):
    """Look for the address translation in every Go's sources and in a real program, and for instructions of the TLB."""

    id = "2.1.07"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether it is anywhere."""
        seen = facts.get(trees)
        samples = [facts.get(decoded(each)) for each in (ARM, APPLE)]
        count = sum(search(each, "at-s1e1r").found for each in seen)
        count += sum(n for each in samples for word, n in each.counts.items() if word.startswith("at s1e1r"))
        evidence = [found(seen[-1], id_) for id_ in ("at-s1e1r", "tlb-instruction")]
        evidence += [_counted(each, word) for each in samples for word in ("at ", "tlbi")]
        flushing = sum(search(each, "tlb-instruction").found for each in seen)
        yield self.judged(bool(count), evidence, versions=versions(seen), count=count, flushing=flushing)


class PagesAndPadding(ClaimCheck):
    """Look for NOPs in a real program and for aligned code in the sources, and for how the runtime gets large pages.

    An instruction that changes the mapping counts, a call of the system does not.
    """

    id = "2.1.15"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge pages and padding as cases."""
        newest = facts.get(trees)[-1]
        sample = facts.get(decoded(ARM))
        by_instruction = search(newest, "huge-page-instruction").found
        asked = search(newest, "huge-page-call")
        aligned, nops = search(newest, "aligned-code").found, sample.counts.get("nop", 0)
        cases = [
            Case(
                facts={"subject": "large pages"},
                holds=bool(by_instruction),
                witness=f"{by_instruction} instructions, {asked.found} calls of madvise",
            ),
            Case(
                facts={"subject": "NOP alignment"},
                holds=bool(nops and aligned),
                witness=f"{nops} NOPs in a program, {aligned} PCALIGN in the sources",
            ),
        ]
        evidence = [found(newest, id_) for id_ in ("huge-page-instruction", "huge-page-call", "aligned-code")]
        evidence.append(_counted(sample, "nop"))
        yield self.by_cases(
            cases,
            lambda case: case["subject"] == "NOP alignment",
            evidence,
            calls=asked.found,
            files=", ".join(dict.fromkeys(each.path.removeprefix("src/") for each in asked.occurrences)) or "-",
            nops=nops,
        )


class AllocBits(ClaimCheck):
    """Look for allocBits in the write barrier's own files, for what it updates instead, and for who sets allocBits."""

    id = "2.1.16"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the barrier touches it in any Go."""
        seen = facts.get(trees)
        newest = seen[-1]
        touching = [each.go_version for each in seen if search(each, "barrier-alloc-bits").found]
        evidence = [
            found(newest, id_) for id_ in ("barrier-alloc-bits", "barrier-mark-bits", "set-alloc-bits", "shade-bit")
        ]
        setters = dict.fromkeys(each.path.removeprefix("src/") for each in search(newest, "set-alloc-bits").occurrences)
        yield self.judged(
            bool(touching),
            evidence,
            versions=versions(seen),
            setters=", ".join(setters) or "-",
            marks=search(newest, "barrier-mark-bits").found,
            touching=", ".join(touching) or "-",
        )
