"""Chapter 5.8, a container's time zone: judged by what a run of labkit's trap saw of date and of a cron that fires."""

from collections.abc import Iterable, Mapping
from typing import Final

from labkit.claims import ledgers
from labkit.claims.base import Value
from labkit.claims.facts import ClaimFacts
from labkit.claims.trap_runs import TrapCheck, case, skipped, step, witnessed
from labkit.model.claims import Case as Witnessed
from labkit.model.claims import PartVerdict
from labkit.model.traps import Case, StepKind, TrapOutcome

#: The zone that the statements are about, as its own label.
_LABEL: Final = "CST"
_EIGHT: Final = 8


class _TimeZone(TrapCheck):
    trap = "timezone"

    def lacks(self, run: TrapOutcome, *ids: str) -> Case | None:
        """Return the first of these cases that was skipped."""
        return next((found for found in (case(run, id_) for id_ in ids) if skipped(found)), None)


def _local(found: Case) -> bool:
    return bool(found.facts["local"])


class ShowsCst(_TimeZone):
    """Ask date for its zone's label where no zone data are: nothing set, TZ by name or by offset, a copied file."""

    id = "5.8.01"
    turned_by = "another date"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the run alone
        """Judge each as a case of what it has instead of the data."""
        means = {
            "bare": "nothing",
            "tz_without_data": "TZ by the zone's name",
            "tz_cst": "TZ that says CST itself",
            "tz_cst_8": "TZ that says CST itself",
            "localtime_without_data": "a copied /etc/localtime",
        }
        lacking = self.lacks(run, *means)
        if lacking is not None:
            yield self.lacking(lacking)
            return
        seen = {id_: case(run, id_) for id_ in means}
        cases = [
            Witnessed(facts={"has": means[id_]}, holds=found.facts["label"] == _LABEL, witness=found.output)
            for id_, found in seen.items()
        ]
        yield self.by_cases(
            cases,
            lambda each: each["has"] in {means["tz_cst"], means["localtime_without_data"]},
            [*(witnessed(each) for each in seen.values()), witnessed(step(run, StepKind.VERIFY))],
            bare=seen["bare"].output,
            named=seen["tz_without_data"].output,
            told=seen["tz_cst"].output,
            cured=step(run, StepKind.VERIFY).output,
        )


class Recipe(_TimeZone):
    """Ask date in images with and without each thing that the recipe makes: the data, the one file and the other."""

    id = "5.8.02"
    turned_by = "another date"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the run alone
        """Judge what is needed by images that lack it."""
        ids = ("recipe", "data_only", "etc_timezone", "etc_localtime", "localtime_without_data", "tz_with_data")
        lacking = self.lacks(run, *ids, "tz_without_data")
        if lacking is not None:
            for part in "abc":
                yield self.lacking(lacking, part=part)
            return
        seen = {id_: case(run, id_) for id_ in (*ids, "tz_without_data")}
        whole, cured = witnessed(seen["recipe"]), _local(seen["recipe"])
        absent = step(run, StepKind.DIAGNOSE)

        def without(at: Mapping[str, Value], id_: str, *, works: str) -> Witnessed:
            """Return a case: what ``id_`` lacks is needed when the time is wrong there and right in ``works``."""
            needed = _local(seen[works]) and not _local(seen[id_])
            return Witnessed(
                facts=at, holds=needed, witness=f"{id_}: {seen[id_].output}; {works}: {seen[works].output}"
            )

        data = [
            Witnessed(
                facts={"at": "copying"},
                holds=bool(absent.seen) and not absent.facts["zone_file"] and cured,
                witness=absent.output,
            ),
            without({"at": "run time, /etc/localtime is a copy"}, "localtime_without_data", works="recipe"),
        ]
        if _local(seen["tz_with_data"]):  # a means that does not work says nothing of what it needs
            data.append(without({"at": "run time, TZ names the zone"}, "tz_without_data", works="tz_with_data"))
        yield self.by_cases(
            data,
            lambda each: each["at"] != "run time, /etc/localtime is a copy",
            [
                whole,
                witnessed(absent),
                *(witnessed(seen[id_]) for id_ in ("tz_without_data", "localtime_without_data")),
            ],
        )
        link = [
            without({"tz": False}, "data_only", works="recipe"),
            without({"tz": True}, "tz_with_data", works="recipe"),
        ]
        evidence = [whole, witnessed(seen["data_only"]), witnessed(seen["tz_with_data"])]
        yield self.by_cases(link, lambda each: each["tz"] is False, evidence, part="b")
        yield self.judged(
            _local(seen["recipe"]) and not _local(seen["etc_localtime"]),
            [whole, witnessed(seen["etc_localtime"]), witnessed(seen["etc_timezone"])],
            part="c",
            alone=seen["etc_timezone"].output,
            without=seen["etc_localtime"].output,
        )


class Listed(_TimeZone):
    """Let a cron come to eight o'clock of the zone, and see whether what `crontab -l` shows has effect."""

    id = "5.8.03"
    turned_by = "another cron"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the run alone
        """Judge by whether the job fires at eight wherever the listing names the zone."""
        ids = ("cron_not_at_eight", "cron_tz_line", "cron_etc_timezone", "cron_localtime")
        lacking = self.lacks(run, *ids)
        if lacking is not None:
            yield self.lacking(lacking)
            return
        seen = [case(run, id_) for id_ in ids]
        listing = [each for each in seen if "CRON_TZ=" in each.output]
        fired = [each for each in seen if each.facts["fired_at_eight"]]
        yield self.judged(
            bool(listing) and all(each in fired for each in listing),
            [witnessed(each) for each in seen],
            listing=len(listing),
            both=sum(each in fired for each in listing),
            others=sum(each not in listing for each in fired),
        )


class Late(_TimeZone):
    """Let a cron without zone data come to eight o'clock of the zone and of UTC, and see when the job fires."""

    id = "5.8.04"
    turned_by = "another cron"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the run alone
        """Judge by the zone's hour at which it fires."""
        lacking = self.lacks(run, "cron_not_at_eight", "cron_eight_hours_late")
        if lacking is not None:
            yield self.lacking(lacking)
            return
        seen = [case(run, id_) for id_ in ("cron_not_at_eight", "cron_eight_hours_late")]
        hours = [int(each.facts["shanghai_hour"]) for each in seen if each.facts["fired_at_eight"]]
        late = min(hours) - _EIGHT if hours else 0
        yield self.judged(
            late == ledgers.own().find(self.id).number("hours"),
            [witnessed(each) for each in seen],
            late=late,
            hour=min(hours) if hours else "-",
        )


class NoTz(_TimeZone):
    """Set TZ by the zone's name in images with and without zone data and /etc/localtime, and see whether that helps."""

    id = "5.8.05"
    turned_by = "another date"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the run alone
        """Judge each image as a case: its absence is a cause where the time is wrong without TZ and right with it."""
        lacking = self.lacks(run, "bare", "tz_without_data", "data_only", "tz_with_data", "etc_localtime")
        if lacking is not None:
            yield self.lacking(lacking)
            return
        pairs = (
            (False, False, "bare", "tz_without_data"),
            (True, False, "data_only", "tz_with_data"),
            (True, True, "etc_localtime", "etc_localtime"),
        )
        cases, evidence = [], []
        for data, localtime, unset, named in pairs:
            before, after = case(run, unset), case(run, named)
            cases.append(
                Witnessed(
                    facts={"data": data, "localtime": localtime},
                    holds=not _local(before) and _local(after),
                    witness=f"without TZ: {before.output}" + (f"; with TZ: {after.output}" if named != unset else ""),
                )
            )
            evidence += [witnessed(before), *([] if named == unset else [witnessed(after)])]
        yield self.by_cases(
            cases,
            lambda each: each["data"] is True and each["localtime"] is False,
            evidence,
            named=case(run, "tz_without_data").output,
        )
