"""Chapter 5.1, Spring's half: what the refresh endpoint takes and answers, which beans change, what is logged."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from labkit.claims import beans, ledgers, trap_cases
from labkit.claims.base import Value, output
from labkit.claims.beans import Call, Refreshed
from labkit.claims.facts import ClaimFacts
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.traps import jars, jdk
from labkit.traps.configmap import ConfigMap

_SCOPED: Final = "scoped"
#: The ways that have no @RefreshScope, as the program names them.
_UNSCOPED: Final = {"plain": "@Value", "bound": "@ConfigurationProperties", "environment": "Environment"}


class _Spring(trap_cases.CaseCheck):
    """Base: judges what the application did."""

    trap = "configmap"
    wants = (*ConfigMap.needs, jdk.part(), jars.part("Spring Boot's libraries", beans.PACKAGE))
    turned_by = "another application"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the one update."""
        yield self.judge(facts.get(beans.refreshed))

    def judge(self, seen: Refreshed) -> PartVerdict:
        """Judge by what is recorded of an update."""
        raise NotImplementedError


def _line(call: Call) -> str:
    where = "" if call.exposed else " (the endpoint not exposed)"
    return f"curl -X {call.method} http://127.0.0.1:8080{beans.REFRESH}{where}"


def _said(call: Call) -> ClaimEvidence:
    body = call.body if call.status == 200 else ""  # noqa: PLR2004 - an error's body holds the time
    return output(_line(call), f"HTTP {call.status} {body} {_values(call.values)}")


def _values(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(values.items()))


def _posted(seen: Refreshed) -> Call:
    return next(call for call in seen.calls if call.method == "POST" and call.exposed)


class RefreshAnswer(_Spring):
    """Update the volume of a running Spring Boot application, call the endpoint, and read the answer as JSON."""

    id = "5.1.03"

    def judge(self, seen: Refreshed) -> PartVerdict:
        """Judge by the keys of the answer."""
        key = str(ledgers.own().find(self.id).quoted["key"])
        call = _posted(seen)
        answer = msgspec.json.decode(call.body)
        holds = isinstance(answer, dict) and key in answer
        kind = "array" if isinstance(answer, list) else "object" if isinstance(answer, dict) else "value"
        again = seen.calls[-1]
        evidence = [_said(call), _said(again)]
        return self.judged(holds, evidence, key=key, kind=kind, answer=call.body, again=again.body)


class RefreshScope(_Spring):
    """Refresh an application whose beans read one property in four ways, and see which have the new value.

    The statement holds for a way without the scope that keeps the old value; the bean with it is the control.
    """

    id = "5.1.05"

    def judge(self, seen: Refreshed) -> PartVerdict:
        """Judge each way without the scope."""
        call = _posted(seen)
        evidence = [output("after the update, before any call", _values(seen.stale)), _said(call)]
        if call.values.get(_SCOPED) != seen.second:
            return self.untested("untested", would_test="would_test", evidence=evidence)
        cases = [
            Case(
                facts={"read_by": read_by},
                holds=call.values.get(way) != seen.second,
                witness=f"{read_by}: {seen.stale.get(way, '-')} -> {call.values.get(way, '-')}",
            )
            for way, read_by in _UNSCOPED.items()
        ]
        names = {
            holds: ", ".join(str(case.facts["read_by"]) for case in cases if case.holds is holds)
            for holds in (True, False)
        }
        return self.by_cases(
            cases,
            lambda case: case["read_by"] == "@Value",
            evidence,
            stale=names[True] or "-",
            fresh=names[False] or "-",
        )


class RefreshCall(_Spring):
    """Call the endpoint by GET, by POST where it is not exposed and where it is, and ask for the values each time."""

    id = "5.1.06"

    def judge(self, seen: Refreshed) -> PartVerdict:
        """Judge each call by each way of reading."""
        cases = [
            Case(
                facts={"method": call.method, "exposed": call.exposed, "bean": bean},
                holds=call.values.get(bean) == seen.second,
                witness=f"HTTP {call.status}, {bean}={call.values.get(bean, '-')}",
            )
            for call in seen.calls
            for bean in (_SCOPED, *_UNSCOPED)
        ]

        def taken(case: Mapping[str, Value]) -> bool:
            return case["method"] == "POST" and bool(case["exposed"]) and case["bean"] != "plain"

        status = {(call.method, call.exposed): call.status for call in seen.calls}
        evidence = [output("after the update, before any call", _values(seen.stale)), *map(_said, seen.calls)]
        return self.by_cases(cases, taken, evidence, got=status["GET", True], hidden=status["POST", False])


class NothingLogged(_Spring):
    """Read what the application logs between the update and the first call, when a watcher has seen the update."""

    id = "5.1.07"

    def judge(self, seen: Refreshed) -> PartVerdict:
        """Judge by what is logged while the values are those of before."""
        stale = sorted(way for way, value in seen.stale.items() if value == seen.first)
        evidence = [
            output("the application's log from the update on", seen.logged or "(nothing)"),
            output("the values meanwhile", _values(seen.stale)),
            output("a process that watches the folder", "saw the update" if seen.noticed else "saw nothing"),
        ]
        if not seen.noticed:
            return self.untested("untested", would_test="would_test", evidence=evidence)
        first = next(iter(seen.logged.splitlines()), "-")
        return self.judged(not seen.logged, evidence, stale=len(stale), of=len(seen.stale), first=first)
