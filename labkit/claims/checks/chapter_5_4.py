"""Chapter 5.4, Prometheus: a timeout below a slow target's latency and one above, what is kept, what curl prints."""

import re
from collections.abc import Iterable
from typing import Final

from labkit.claims import scrapes, trap_cases
from labkit.claims.base import output
from labkit.claims.facts import ClaimFacts
from labkit.claims.ledgers import own
from labkit.claims.scrapes import Curled, Scraped, Scrapes, seconds
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.traps import nginx
from labkit.traps.scrape import Scrape

_UP: Final = "up"
_NUMBER: Final = re.compile(r"\d+\.\d+")


class _Scraping(trap_cases.CaseCheck):
    """Base: judges what was seen of two servers."""

    trap = "scrape"
    wants = Scrape.needs

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the one run."""
        yield self.judge(facts.get(scrapes.scrapes))

    def judge(self, seen: Scrapes) -> PartVerdict:
        """Judge by what was seen."""
        raise NotImplementedError


def _told(each: Scraped) -> ClaimEvidence:
    age = "no sample" if each.latest_age_s is None else f"the latest sample is {each.latest_age_s:.1f} s old"
    return output(
        f"prometheus, scrape_timeout {each.timeout}, a target that answers in {each.latency_s:.3f} s",
        f"health {each.health} {each.last_error}".strip()
        + f"; up in {each.succeeded} of {each.scrapes} scrapes; {age}",
    )


class TimeoutAboveLatency(_Scraping):
    """Scrape a slow target with a timeout below its latency and with one above; only the timeouts differ."""

    id = "5.4.01"
    turned_by = "a target that fails where it is given much time"

    def judge(self, seen: Scrapes) -> PartVerdict:
        """Judge by which of the two servers loses its target."""
        evidence = [_told(each) for each in seen.scraped]
        above = next(each for each in seen.scraped if seconds(each.timeout) > each.latency_s)
        below = [each for each in seen.scraped if seconds(each.timeout) < each.latency_s]
        if not below or all(each.health == _UP for each in seen.scraped):
            return self.untested("untested", would_test="would_test", evidence=evidence)
        return self.judged(
            above.health != _UP and all(each.health == _UP for each in below),
            evidence,
            above=above.timeout,
            above_said=above.last_error or above.health,
            below=below[0].timeout,
            below_said=below[0].last_error or below[0].health,
            latency=f"{above.latency_s:.1f}",
        )


class Delay(_Scraping):
    """Ask a server whose target times out, and one whose target does not, how old the latest sample is."""

    id = "5.4.02"
    turned_by = "a target whose samples carry old timestamps"

    def judge(self, seen: Scrapes) -> PartVerdict:
        """Judge by whether any sample is as old as stated."""
        stated_s = float(str(own().find(self.id).quoted["delay_s"]))
        evidence = [_told(each) for each in seen.scraped]
        cut = min(seen.scraped, key=lambda each: seconds(each.timeout))
        kept = max(seen.scraped, key=lambda each: seconds(each.timeout))
        ages = [each.latest_age_s for each in seen.scraped if each.latest_age_s is not None]
        oldest = max(ages, default=None)
        return self.judged(
            oldest is not None and oldest > stated_s,
            evidence,
            timeout=cut.timeout,
            samples=cut.samples,
            scrapes=cut.scrapes,
            succeeded=cut.succeeded,
            age="-" if kept.latest_age_s is None else f"{kept.latest_age_s:.1f}",
            oldest="-" if oldest is None else f"{oldest:.0f}",
            interval=seen.interval,
        )


class PrintedCurl(trap_cases.CaseCheck):
    """Run the command as it is printed, without the file that it takes its format from and with it.

    On a target whose every answer is slower than the timeout, and on one of which one answer in six is. The unsteady
    target's turn begins with quick answers, which is what most single requests meet.
    """

    id = "5.4.03"
    trap = "scrape"
    wants = (nginx.CURL,)
    turned_by = "a curl that asks more than once"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether what is printed is a time above the timeout that cuts answers off."""
        yield self.judge(facts.get(scrapes.printed_curl))

    def judge(self, curled: tuple[Curled, ...]) -> PartVerdict:
        """Judge by what was printed."""
        limit_s = seconds(scrapes.BELOW)
        evidence = [
            output(
                f"curl -w @{scrapes.FORMAT_FILE} -o /dev/null -s URL ({each.target} target, "
                f"{'with' if each.format_file else 'without'} the file)",
                f"{each.printed}; of {each.requests} requests {each.slow} took longer than {limit_s} s",
            )
            for each in curled
        ]
        if any(not each.slow for each in curled):
            return self.untested("untested", would_test="would_test", evidence=evidence)
        cases = [
            Case(
                facts={"format_file": each.format_file, "steady": each.slow == each.requests},
                holds=_shows(each, limit_s),
                witness=each.printed,
            )
            for each in curled
        ]
        printed = {(each.format_file, each.slow == each.requests): each for each in curled}
        unsteady = printed[True, False]
        return self.by_cases(
            cases,
            lambda case: bool(case["format_file"] and case["steady"]),
            evidence,
            file=scrapes.FORMAT_FILE,
            bare=printed[False, True].printed,
            steady=printed[True, True].printed,
            unsteady=unsteady.printed,
            slow=unsteady.slow,
            requests=unsteady.requests,
        )


def _shows(each: Curled, limit_s: float) -> bool:
    time = _NUMBER.search(each.printed)
    return time is not None and float(time[0]) > limit_s
