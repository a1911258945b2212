"""Chapter 2.5, what sources, bytes and published texts tell: cores, lines, TLBs, counters, ordering."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from labkit.bench.structure.judging import LEAST_LOAD_CYCLES
from labkit.binary import instructions
from labkit.claims import apple, ledgers
from labkit.claims.base import ClaimCheck, measured, output, read_bytes, reckoned
from labkit.claims.checks.chapter_2_1_facts import found, search, versions
from labkit.claims.checks.chapter_2_5_facts import APPLE, LINE, PAGE, offsets
from labkit.claims.checks.chapter_2_5_times import measure
from labkit.claims.facts import ClaimFacts, probe
from labkit.machine.names import arm_core, arm_vendor
from labkit.model.base import Record
from labkit.model.claims import ClaimEvidence, PartVerdict
from labkit.model.experiments import SourceTree
from labkit.system import environment, proc
from labkit.toolchain import gosource
from labkit.toolchain.gosource import Wanted

_CALLS: Final = r"^src/syscall/zsysnum_{}_arm64\.go$"
_SEARCHES: Final = (
    Wanted(
        id="line-size", pattern=r"(?m)^const CacheLinePadSize = \d+", over="lines",
        among=r"^src/internal/cpu/cpu_arm64\.go$", why="how far apart Go keeps counters on arm64",
    ),
    Wanted(
        id="perf-linux", pattern=r"\bSYS_PERF_EVENT_OPEN\b.*", over="lines", among=_CALLS.format("linux"),
        why="the call that perf counts by, on Linux",
    ),
    Wanted(
        id="perf-darwin", pattern=r"\bSYS_PERF_EVENT_OPEN\b.*", over="lines", among=_CALLS.format("darwin"),
        why="the call that perf counts by, on macOS",
    ),
    Wanted(
        id="calls-darwin", pattern=r"\bSYS_\w+\s*=", over="lines", among=_CALLS.format("darwin"),
        why="whether macOS's calls are listed there at all",
    ),
    Wanted(
        id="advice-asked", pattern=r"\bdebug\.madvdontneed\b", over="lines", among=r"^src/runtime/mem_darwin\.go$",
        why="whether the setting is read on macOS",
    ),
    Wanted(
        id="advice-given", pattern=r"\bmadvise\(v, n, \w+\)", over="lines", among=r"^src/runtime/mem_darwin\.go$",
        why="how memory goes back on macOS",
    ),
)  # fmt: skip
#: The functions of protobuf's runtime that go over a message's fields.
_CODEC: Final = re.compile(
    r"^google\.golang\.org/protobuf/(internal/impl\.(append|size|consume|\(\*MessageInfo\)\.\(?(marshal|unmarshal|size))"
    r"|encoding/protowire\.(Append|Consume))"
)
#: "Markedly": one in twenty of the codec's instructions.
_MARKED: Final = 0.05
#: A miss is made up for when a line in order costs less than half of a load in random order.
_MADE_UP: Final = 0.5


@probe("memory-sources", recipe={"searches": [each.pattern for each in _SEARCHES]})
def trees(facts: ClaimFacts) -> tuple[SourceTree, ...]:
    """Search the sources of every Go that is compared."""
    return tuple(
        gosource.search(facts.go(version).parent.parent, version, _SEARCHES) for version in facts.go_versions()
    )


class Codec(Record, frozen=True, kw_only=True):
    """The codec's functions in one program, decoded."""

    platform: str
    functions: int
    instructions: int
    ordering: dict[str, int]  # those that are atomic, ordered or barriers: how many


@probe("codec-ordering")
def codecs(facts: ClaimFacts) -> tuple[Codec, ...]:
    """Decode protobuf's codec in the generated server for Apple silicon and for a usual server."""
    return tuple(_decoded(facts, platform) for platform in (APPLE, "linux/amd64"))


def _decoded(facts: ClaimFacts, platform: str) -> Codec:
    code = instructions.read(facts.replaced_tool(f"server:{platform}") or Path(facts.lab.server_for(platform).path))
    chosen = [each for each in code.functions if _CODEC.match(each.name)]
    counts: Counter[str] = Counter()
    total = 0
    for function in chosen:
        for each in code.decode(function):
            total += 1
            counts[each.mnemonic] += each.atomic is not None or each.barrier
    ordering = {name: number for name, number in sorted(counts.items()) if number}
    return Codec(platform=platform, functions=len(chosen), instructions=total, ordering=ordering)


def _said(facts: ClaimFacts) -> apple.Published:
    return apple.published(facts.replaced_tool("apple"))


def _is_apple(facts: ClaimFacts) -> bool:
    return (facts.machine.chip or "").startswith("Apple M")


class Cores(ClaimCheck):
    """Name an M1's cores by the numbers they give, read the lines that Macs tell of, and try prefetching here."""

    id = "2.5.03"
    turned_by = "another published text"
    measures = True

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge names and lines by published texts and Go's sources; prefetching only a Mac can show."""
        said = _said(facts)
        makers = {each.chip: arm_vendor(each.implementer) or each.implementer for each in said.cores}
        names = {each.chip: arm_core(each.implementer, each.part) or each.part for each in said.cores}
        evidence = [each.evidence(f"{each.said}: {makers[each.chip]} {names[each.chip]}") for each in said.cores]
        yield self.not_on_hardware(
            self.judged(
                all(each.startswith("Cortex-A") for each in names.values()),
                evidence,
                names=", ".join(names.values()),
                makers=", ".join(dict.fromkeys(makers.values())),
            )
        )
        yield self._line(facts, said)
        yield self._ahead(facts, said)

    def _ahead(self, facts: ClaimFacts, said: apple.Published) -> PartVerdict:
        here = facts.get(measure)
        chip = facts.machine.chip or facts.machine.id
        told = f"{chip}: {here.told('chase-far')}; {here.told('stream')}"
        if _is_apple(facts):
            holds = here.line_ns > _MADE_UP * here.load_ns
            evidence = [measured(told, "labkit's kernels chase and stream-copy")]
            line, load = f"{here.line_ns:.1f}", f"{here.load_ns:.1f}"
            return self.judged(holds, evidence, part="c", chip=chip, line=line, load=load)
        published = [
            f"{each.chip}, published: {each.sequential_gb_per_s} GB/s in order, {each.random_gb_per_s} GB/s here and "
            f"there ({each.source})"
            for each in said.reading
        ]
        return self.untested("untested", would_test="would_test", part="c", tried=[told, *published])

    def _line(self, facts: ClaimFacts, said: apple.Published) -> PartVerdict:
        quoted = int(ledgers.own().find(self.id).number("line_bytes"))
        sizes = {each.chip: each.cache_line_bytes for each in said.sysctl}
        evidence: list[ClaimEvidence] = [
            each.evidence(f"hw.cachelinesize: {each.cache_line_bytes}") for each in said.sysctl
        ]
        here = facts.machine
        if _is_apple(facts) and here.cache_line_bytes is not None:
            sizes[here.chip or ""] = here.cache_line_bytes
            evidence.append(output("sysctl hw.cachelinesize", str(here.cache_line_bytes)))
        seen = facts.get(trees)
        evidence.append(found(seen[-1], "line-size"))
        verdict = self.judged(
            set(sizes.values()) == {quoted}, evidence, part="b",
            sizes=", ".join(str(each) for each in sorted(set(sizes.values()))), chips=", ".join(sizes),
            rule=next((each.text for each in search(seen[-1], "line-size").occurrences), "-"),
        )  # fmt: skip
        return verdict if _is_apple(facts) else self.not_on_hardware(verdict)


class Counters(ClaimCheck):
    """Look in every Go's lists of system calls for the one that perf counts by; see what is out of alignment at all."""

    id = "2.5.04"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether perf can run on macOS; where it could, only an M2 could tell the ratio."""
        seen = facts.get(trees)
        evidence = [found(seen[-1], each) for each in ("perf-linux", "perf-darwin", "calls-darwin")]
        (asked,) = [each for each in facts.get(offsets) if each.platform == APPLE][-1:]
        fields = {each: (asked[f"Offsetof {each}"], asked[f"Alignof {each}"]) for each in ("ID", "Tag", "Data")}
        askew = [name for name, (at, alignment) in fields.items() if at % alignment]
        told = ", ".join(f"{name} {at} % {alignment} = {at % alignment}" for name, (at, alignment) in fields.items())
        evidence.append(reckoned(told, "unsafe.Offsetof, unsafe.Alignof for darwin/arm64"))
        calls = search(seen[-1], "calls-darwin").found
        if any(search(tree, "perf-darwin").found for tree in seen):
            yield self.untested(
                "untested",
                would_test="would_test",
                tried=[told],
                evidence=evidence,
                versions=versions(seen),
                calls=calls,
                askew=", ".join(askew) or "0",
            )
        else:
            yield self.not_on_hardware(
                self.refuted(evidence, versions=versions(seen), calls=calls, askew=", ".join(askew) or "0")
            )


class Reach(ClaimCheck):
    """Reckon what a TLB of so many bytes' reach would do to a published chase of an M1, and look at the curve here."""

    id = "2.5.05"
    turned_by = "another published text"
    measures = True

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the clock that the M1 would need for its loads, if most of them had to walk the page table."""
        said, stated = _said(facts), ledgers.own().find(self.id)
        page = next(each.page_bytes for each in said.sysctl if each.chip == "Apple M1")
        chase, clock = said.chase[0], said.clock[0]
        pages, held = chase.buffer_bytes // page, int(stated.number("m1_kb")) * 1024 // page
        walking = max(0.0, 1 - held / pages)
        cycles = LEAST_LOAD_CYCLES * (1 + walking)
        needed = cycles / chase.load_ns
        evidence = [
            next(each for each in said.sysctl if each.chip == "Apple M1").evidence(f"hw.pagesize: {page}"),
            chase.evidence(f"{chase.load_ns} ns a load, in random order over {chase.buffer_bytes} bytes"),
            clock.evidence(f"at most {clock.hz / 1e9} GHz"),
            reckoned(
                f"{held} of {pages} pages would be held; a load takes {LEAST_LOAD_CYCLES} cycles at least and a walk "
                f"one load more: {cycles:.1f} cycles in {chase.load_ns} ns are {needed:.1f} GHz",
                "page size, load time",
            ),
            output(f"labkit's probe on {facts.machine.chip or facts.machine.id}", facts.get(measure).told("tlb")),
        ]
        needs, has = f"{needed:.1f}", f"{clock.hz / 1e9:.1f}"
        if needed > clock.hz / 1e9:
            verdict = self.refuted(
                evidence, page=page, held=held, bytes=chase.buffer_bytes, time=chase.load_ns, needed=needs, clock=has
            )
            yield self.not_on_hardware(verdict)
        else:
            yield self.untested(
                "untested", would_test="would_test", evidence=evidence, tried=[evidence[-1].text], page=page, held=held,
                bytes=chase.buffer_bytes, time=chase.load_ns, needed=needs, clock=has,
            )  # fmt: skip


class Rates(ClaimCheck):
    """Ask for the counters of this machine, and reckon how many pages messages lie on, aligned and as they are."""

    id = "2.5.10"
    fixed = "the rates are those of chips whose counters no program here can read: only an M1 and an M2 turn it"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Say what is seen here beside; only counters on the chips themselves could judge."""
        (asked,) = [each for each in facts.get(offsets) if each.platform == APPLE][-1:]
        size = asked["Sizeof p"]
        padded = -(-size // LINE) * LINE
        page = PAGE
        told = (
            f"{page} // {size} = {page // size} structs a page as they are, {page} // {padded} = {page // padded} "
            "aligned: more pages, not fewer"
        )
        counted = self._counted(facts)
        for part in ("a", "b", "c", "d"):
            yield self.untested("untested", would_test="would_test", part=part, tried=[told, counted])

    @staticmethod
    def _counted(facts: ClaimFacts) -> str:
        path = facts.has_tool("perf")
        if path is None:
            return "perf: not here"
        events = "dTLB-loads,dTLB-load-misses"
        done = proc.run(
            [facts.tool("perf"), "stat", "-x,", "-e", events, "true"], env=environment.base(), timeout_s=20, check=False
        )
        said = "; ".join(line for line in done.stderr.splitlines() if "dTLB" in line)
        return f"perf stat -e {events}: {said or done.last_words()}"


class Ordering(ClaimCheck):
    """Decode protobuf's codec for Apple silicon and for x86-64, and count the instructions that order memory."""

    id = "2.5.14"
    turned_by = "an altered binary"
    measures = True

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by their share; what two threads on one line cost here is told beside."""
        arm, amd = facts.get(codecs)
        evidence = [
            read_bytes(
                f"the generated server for {each.platform}",
                f"{each.functions} functions of protobuf's codec, {each.instructions} instructions, ordering memory: "
                f"{each.ordering}",
            )
            for each in (arm, amd)
        ]
        evidence.append(output("labkit's kernel false-sharing", facts.get(measure).told("sharing")))
        ordering = sum(arm.ordering.values())
        verdict = self.judged(
            ordering >= _MARKED * arm.instructions, evidence, ordering=ordering, instructions=arm.instructions,
            share=f"{100 * ordering / arm.instructions:.2f}", amd=amd.instructions, marked=f"{100 * _MARKED:.0f}",
            kinds=", ".join(name.upper() for name in arm.ordering) or "-",
        )  # fmt: skip
        yield self.not_on_hardware(verdict)
