"""Chapter 2.4, what translation costs: judged by Rosetta's times where it is, else untested beside another's times."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

from labkit.claims import foreign, ledgers
from labkit.claims.base import ClaimCheck, measured, reckoned
from labkit.claims.checks.chapter_2_4_times import FRAME, MESSAGE, TANH, Slowed, kernels, loop
from labkit.claims.facts import ClaimFacts
from labkit.model.claims import ClaimEvidence, PartVerdict
from labkit.model.paired import Clock

_SOURCE: Final = "pairs of fresh processes, docs/method.md"
_ROSETTA: Final = "rosetta"


def _of(found: Sequence[Slowed], what: str, clock: Clock) -> Slowed | None:
    return next((each for each in found if each.what == what and each.clock is clock), None)


def _evidence(found: Iterable[Slowed | None]) -> list[ClaimEvidence]:
    return [measured(each.told, _SOURCE) for each in found if each is not None]


class _Longer(ClaimCheck):
    """Base: compare the interval of a kernel's times with the stated per cent."""

    clock: ClassVar[Clock]
    terms: ClassVar[tuple[str, str]]  # of the stated per cent: native, translated
    measures = True
    turned_by = "a measured interval: what Rosetta's pairs said"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the interval lies in what is stated, or beside it; only Rosetta's does."""
        stated, seen = ledgers.own().find(self.id), facts.get(kernels)
        slow = _of(seen, FRAME, self.clock)
        native, translated = (stated.number(each) for each in self.terms)
        evidence = _evidence([slow])
        percent = 100 * (translated / native - 1)
        evidence.append(reckoned(f"{translated:g} / {native:g} - 1 = {percent:.0f} %", "the statement's own numbers"))
        if slow is None or slow.translator != _ROSETTA:
            tried = [slow.told] if slow else []
            yield self.untested("untested", would_test="would_test", tried=tried, evidence=evidence)
            return
        values = {"wanted": stated.number("more_percent"), "low": slow.percent[0], "high": slow.percent[1]}
        yield _by_interval(self, values, slow, evidence, facts)


def _by_interval(
    check: ClaimCheck, percent: Mapping[str, float], slow: Slowed, evidence: list[ClaimEvidence], facts: ClaimFacts
) -> PartVerdict:
    """Judge an interval of per cent against a stated number with its tolerance; across a bound it tells nothing."""
    wanted, low, high = (percent[each] for each in ("wanted", "low", "high"))
    slack = wanted * (ledgers.own().find(check.id).tolerance or 0.0)
    least, most = wanted - slack, wanted + slack
    values = {key: f"{value:.0f}" for key, value in percent.items()} | {"chip": facts.machine.chip or "-"}
    if least <= low and high <= most:
        return check.confirmed(evidence, **values)
    if high < least or low > most:
        return check.refuted(evidence, **values)
    return check.untested("untested_across", would_test="would_more", tried=[slow.told], evidence=evidence, **values)


class Frame(_Longer):
    """Time frames of a 4096-point FFT, native and translated, in pairs of fresh processes."""

    id = "2.4.01"
    clock = Clock.WALL
    terms = ("native_us", "translated_us")


class Busy(_Longer):
    """Compare the CPU time of the same frames: at a fixed rate the share of a processor grows as that does."""

    id = "2.4.02"
    clock = Clock.CPU
    terms = ("native_percent", "translated_percent")


class Bandwidth(ClaimCheck):
    """Reckon what memory traffic the stated load can need; what a chip really moves, its counters alone tell."""

    id = "2.4.03"
    fixed = "only counters of a Mac's memory controller could turn it, which no program may read without privileges"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the statement alone
        """Say what the numbers would mean."""
        stated, frame = ledgers.own().find(self.id), ledgers.own().find("2.4.04")
        rate, points = frame.number("rate_hz"), frame.number("points")
        native, translated = (stated.number(f"{each}_gb_per_s") for each in ("native", "translated"))
        samples = rate * 4 / 1e9
        times, kibibytes = native / samples, points * 8 / 1024
        lines = (
            f"{translated:g} / {native:g} - 1 = {100 * (translated / native - 1):.0f} %",
            f"{rate:.0f} samples of 4 bytes a second are {samples:.4f} GB/s, {native:g} GB/s {times:.0f} times that",
            f"a frame of {points:.0f} complex numbers has {kibibytes:.0f} KiB, which a first cache holds",
        )
        evidence = [reckoned(each, "the statement's own numbers") for each in lines]
        yield self.untested("untested", would_test="would_test", tried=lines, evidence=evidence)


class TanhLoop(foreign.ForeignCheck):
    """Time the printed loop, native and translated in turn, each with its own C library."""

    id = "2.4.07"
    measures = True
    turned_by = "a measured interval: what Rosetta's pairs said"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the interval lies in what is stated, or beside it; only Rosetta's does."""
        slow = facts.get(loop)
        evidence = _evidence([slow])
        if slow is None or slow.translator != _ROSETTA:
            tried = [slow.told] if slow else []
            yield self.untested("untested", would_test="would_test", tried=tried, evidence=evidence)
            return
        wanted = ledgers.own().find(self.id).number("less_percent")
        values = {"wanted": wanted, "low": 100 * (1 - 1 / slow.low), "high": 100 * (1 - 1 / slow.high)}
        yield _by_interval(self, values, slow, evidence, facts)


class LosesMost(ClaimCheck):
    """Compare how much longer numeric kernels and a message's encoding take translated."""

    id = "2.4.09"
    measures = True
    turned_by = "a measured interval: what Rosetta's pairs said"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether both numeric intervals lie above the other's, or one below; only Rosetta's do."""
        seen = facts.get(kernels)
        numeric = [each for what in (FRAME, TANH) if (each := _of(seen, what, Clock.CPU))]
        other = _of(seen, MESSAGE, Clock.CPU)
        evidence = _evidence([*numeric, other])
        tried = [each.text for each in evidence]
        if other is None or not numeric or other.translator != _ROSETTA:
            yield self.untested("untested", would_test="would_test", tried=tried, evidence=evidence)
            return
        values = {
            "numeric": ", ".join(f"{each.what} {each.ratio:.2f}" for each in numeric),
            "other": f"{other.what} {other.ratio:.2f}",
        }
        if all(each.low > other.high for each in numeric):
            yield self.confirmed(evidence, **values)
        elif any(each.high < other.low for each in numeric):
            yield self.refuted(evidence, **values)
        else:
            yield self.untested("untested_across", would_test="would_more", tried=tried, evidence=evidence, **values)


class Causes(ClaimCheck):
    """Say what was measured here; where a translated program's time goes, a Mac's counters alone tell."""

    id = "2.4.11"
    measures = True
    fixed = "only a Mac's counters of branches, read with privileges while Rosetta runs, could turn it"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Say what another translator cost here, which tells nothing of the cause."""
        evidence = _evidence([facts.get(loop)])
        tried = [each.text for each in evidence]
        yield self.untested("untested", would_test="would_test", tried=tried, evidence=evidence)
