"""Chapter 2.5, what is measured here: aligned and other messages through gRPC, padding, and page faults."""

from collections.abc import Iterable
from typing import Final

from labkit.bench.statistics import median
from labkit.claims import ledgers
from labkit.claims.base import ClaimCheck, measured, reckoned
from labkit.claims.checks.chapter_2_1_facts import found, search, versions
from labkit.claims.checks.chapter_2_5_facts import LINE, StructLines
from labkit.claims.checks.chapter_2_5_sources import trees
from labkit.claims.checks.chapter_2_5_times import KERNELS, PaddedMessages, faults, measure, padded, told
from labkit.claims.facts import ClaimFacts
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.model.paired import Clock, Judgement

_MARSHAL, _UNMARSHAL, _ECHO = KERNELS
_SOURCE: Final = "pairs of fresh processes, docs/method.md"
#: Fewer by this share are fewer faults.
_FEWER: Final = 0.9
#: An interval that lies above this share of the time leaves no gain worth having.
_GAIN: Final = 0.9


def _where(said: StructLines) -> str:
    return f"{said.size_bytes} bytes, places after a line's start: {said.starts}"


def _both(said: PaddedMessages) -> ClaimEvidence:
    return measured(
        f"as generated {_where(said.plain)}; padded {_where(said.padded)}", f"{said.plain.objects} small messages each"
    )


class Throughput(ClaimCheck):
    """Send small messages through gRPC that all begin at a line's start, and those that the generator makes, in pairs.

    What begins where is counted. The stated losses make a ratio of times, which is compared with the measured interval
    of CPU time, in which padding would show; wall time is told beside.
    """

    id = "2.5.06"
    turned_by = "a measured interval: the other worker of a pair"
    measures = True

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the interval of the ratio can hold the stated one."""
        said, stated = facts.get(padded), ledgers.own().find(self.id)
        echo = said.of(_ECHO)
        loose, aligned = (1 - stated.number(f"{each}_percent") / 100 for each in ("unaligned", "aligned"))
        wanted, slack = loose / aligned, stated.tolerance or 0.0
        evidence = [
            measured(echo.told, _SOURCE),
            measured(said.of(_ECHO, Clock.WALL).told, _SOURCE),
            reckoned(f"{loose:.2f} / {aligned:.2f} = {wanted:.2f}", "the stated losses"),
            _both(said),
        ]
        if echo.low is None or echo.high is None or echo.ratio is None:
            yield self.untested("untested", would_test="would_test", tried=[echo.told], evidence=evidence)
            return
        values = {
            "ratio": f"{echo.ratio:.2f}", "low": f"{echo.low:.2f}", "high": f"{echo.high:.2f}",
            "wanted": f"{wanted:.2f}", "clock": str(echo.clock),
        }  # fmt: skip
        if echo.low > wanted * (1 + slack):
            yield self.refuted(evidence, **values)
        elif echo.high < wanted * (1 - slack):
            yield self.refuted(evidence, outcome="refuted_more", **values)
        elif echo.low >= wanted * (1 - slack) and echo.high <= wanted * (1 + slack):
            yield self.confirmed(evidence, **values)
        else:
            yield self.untested("untested", would_test="would_test", tried=[echo.told], evidence=evidence)


class Padding(ClaimCheck):
    """Put padding into a generated message, so that each begins at a line's start, and encode and decode it in pairs.

    A plain struct's layouts are compared too, over an array.
    """

    id = "2.5.08"
    turned_by = "a measured interval: the other worker of a pair"
    measures = True

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether encoding or decoding becomes faster and the other not slower; what is wide tells nothing."""
        said, times = facts.get(padded), facts.get(measure)
        both = [said.of(each) for each in (_MARSHAL, _UNMARSHAL)]
        layouts = {at: times.ratio("payload-encode@48", f"payload-encode@{at}") for at in (LINE, 2 * LINE)}
        evidence = [measured(each.told, _SOURCE) for each in both]
        evidence += [
            measured(f"structs of 48 bytes padded to {at}: {told(each)}", "labkit's kernel payload-encode")
            for at, each in layouts.items()
        ]
        evidence.append(_both(said))
        found_ = {each.judgement for each in both}
        shown = "; ".join(each.told for each in both)
        slower = Judgement.SLOWER in found_
        bounded = all(each.low is not None and each.low > _GAIN for each in both)
        if not slower and not bounded and Judgement.FASTER not in found_:
            yield self.untested("untested", would_test="would_test", tried=[shown], evidence=evidence)
            return
        yield self.judged(
            Judgement.FASTER in found_ and not slower, evidence, shown=shown,
            plain=said.plain.size_bytes, padded=said.padded.size_bytes,
        )  # fmt: skip


class DontNeed(ClaimCheck):
    """Count the faults of a program that takes and gives back memory with each setting; read macOS's runtime."""

    id = "2.5.09"
    turned_by = "a worker that takes one setting for the other"
    measures = True

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge this machine by counting, and macOS by whether its runtime reads the setting at all."""
        seen = facts.get(trees)
        off, on = facts.get(faults)
        here = str(facts.machine.system)
        fewer = median(on.faults) < _FEWER * median(off.faults)
        cases = [Case(facts={"system": here}, holds=fewer, witness=f"{off.told}; {on.told}")]
        evidence = [measured(f"{off.told}; {on.told}", "labkit's kernel page-faults, medians of processes")]
        evidence += [found(seen[-1], each) for each in ("advice-asked", "advice-given")]
        if here != "macos" and not any(search(each, "advice-asked").found for each in seen):
            given = "; ".join(each.text for each in search(seen[-1], "advice-given").occurrences)
            cases.append(Case(facts={"system": "macos"}, holds=False, witness=f"mem_darwin.go: {given}"))
        verdict = self.by_cases(
            cases, lambda case: case["system"] == here, evidence, here=here, versions=versions(seen),
            on=f"{median(on.faults):.0f}", off=f"{median(off.faults):.0f}", on_ms=f"{median(on.cpu_ms):.1f}",
            off_ms=f"{median(off.cpu_ms):.1f}",
        )  # fmt: skip
        yield verdict if here == "macos" else self.not_on_hardware(verdict)
