"""Chapter 5.6, nginx's 502: what a line of the log points to, and whether the handbook's tree names the fault."""

from collections.abc import Iterable, Mapping
from typing import Final

from labkit.claims import gateways, trap_cases
from labkit.claims.base import Value, output
from labkit.claims.facts import ClaimFacts
from labkit.claims.trap_runs import TrapCheck, case, step, witnessed
from labkit.model.claims import Case, PartVerdict
from labkit.model.traps import Case as Seen
from labkit.model.traps import StepKind, TrapOutcome
from labkit.traps.http502 import Http502

_NO_LIVE: Final = "no live upstreams"
_CLOSED: Final = "upstream prematurely closed connection"
_BAD_GATEWAY: Final = 502
_UNAVAILABLE: Final = 503
#: What was put in to bring each fault about, in the words of the handbook's leaves: the upstream's definition, DNS,
#: a reset; ``other`` is none of them. It is how a fault was made (labkit/traps/http502/faults.py), not how it ends.
_ABOUT: Final[Mapping[str, str]] = {
    "marked-down": "definition",
    "two-peers-down": "peers",
    "name-unknown": "DNS",
    "resolver-fails": "DNS",
    "resolver-silent": "DNS",
    "no-resolver": "DNS",
    "name-at-start": "DNS",
    "resets": "reset",
}


class NoLive(TrapCheck):
    """Put in faults of the definition, of DNS and of peers, and look which of them log the line."""

    id = "5.6.01"
    trap = "http502"
    turned_by = "a run with another line"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each fault: one of the definition or of DNS must log it, another must not."""
        _ = facts
        seen = [each for each in run.cases if _ABOUT.get(each.id, "") in {"definition", "DNS", "peers"}]
        cases = [
            Case(
                facts={"fault": each.id, "about": _ABOUT[each.id]},
                holds=(_NO_LIVE in each.output) is (_ABOUT[each.id] != "peers"),
                witness=_line(each),
            )
            for each in seen
        ]
        with_line = [each.id for each in seen if _NO_LIVE in each.output]
        yield self.by_cases(
            cases,
            lambda one: one["about"] == "definition",
            [witnessed(each) for each in seen],
            logged=", ".join(with_line) or "-",
            holding=", ".join(str(each.facts["fault"]) for each in cases if each.holds) or "-",
            silent=", ".join(each.id for each in seen if each.id not in with_line and _ABOUT[each.id] == "DNS") or "-",
            said=_line(case(run, "name-unknown")),
            nginx=run.versions.get("nginx", "-"),
        )


def _line(seen: Seen) -> str:
    lines = [line for line in seen.output.splitlines() if "[" in line and "]" in line]
    text = lines[-1] if lines else seen.output.strip().partition("\n")[0]
    return (text.partition("*")[2].partition(" ")[2] or text).partition(", client:")[0]


class TreeNames(TrapCheck):
    """Walk the handbook's tree with the lines of every fault that ended in a 502, and compare leaf and fault."""

    id = "5.6.02"
    trap = "http502"
    turned_by = "a run with other lines"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each fault by whether the leaf is what was put in."""
        _ = facts
        faults = [each for each in run.cases if each.facts.get("status") == _BAD_GATEWAY]
        health = step(run, StepKind.DIAGNOSE)
        walked = {each.id: _leaf(each.output) for each in faults}
        reached = {"idle-connection-reused": _leaf(step(run, StepKind.REPRODUCE).output)} | walked
        cases = [
            Case(
                facts={"fault": fault, "about": _ABOUT.get(fault, "other"), "line": leaf},
                holds=_ABOUT.get(fault, "other") in _MEANT[leaf],
                witness=leaf,
            )
            for fault, leaf in reached.items()
        ]
        hits = [str(each.facts["fault"]) for each in cases if each.holds]
        missed = [each for each in cases if not each.holds]
        wrong = [str(each.facts["fault"]) for each in missed if each.facts["line"] != _NOWHERE]

        kinds = {(each.facts["line"], each.facts["about"]): None for each in cases if each.holds}

        def hit(one: Mapping[str, Value]) -> bool:
            return (one["line"], one["about"]) in kinds

        yield self.by_cases(
            cases,
            hit,
            [witnessed(health), *(witnessed(each) for each in faults)],
            hits=len(hits),
            count=len(cases),
            names=", ".join(hits) or "-",
            wrong=", ".join(wrong) or "-",
            nowhere=len(missed) - len(wrong),
            kinds="; ".join(f'"{line}", {about}' for line, about in kinds) or "-",
        )


_NOWHERE: Final = "none"
#: The handbook's leaves by the line that leads to each, and the faults that they would name.
_MEANT: Final[Mapping[str, frozenset[str]]] = {
    _CLOSED: frozenset({"reset", "threads"}),
    _NO_LIVE: frozenset({"definition", "DNS"}),
    _NOWHERE: frozenset(),
}


def _leaf(said: str) -> str:
    return next((line for line in (_NO_LIVE, _CLOSED) if line in said), _NOWHERE)


class _Health(trap_cases.CaseCheck):
    """Base: judges what was seen of upstreams by their health."""

    trap = "http502"
    wants = Http502.needs


class Unavailable(_Health):
    """Let 503 be answered for other reasons than threads and databases, and keep all threads busy; compare."""

    id = "5.6.03"
    turned_by = "another nginx"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether busy threads, and nothing else, say 503."""
        seen = facts.get(gateways.gateway).busy
        others = [each.cause for each in seen if each.about == "other" and each.status == _UNAVAILABLE]
        busy = [each for each in seen if each.about == "threads"]
        yield self.judged(
            not others and all(each.status == _UNAVAILABLE for each in busy),
            [output(f"curl /{each.cause}", f"HTTP {each.status}; error.log: {each.logged}") for each in seen],
            others=", ".join(others) or "-",
            busy=", ".join(f"{each.cause} {each.status}" for each in busy),
        )


class LookForResets(_Health):
    """Let upstreams whose health is 200 end requests in several ways, and count packets with RST on the wire."""

    id = "5.6.04"
    turned_by = "another nginx"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each way that the tree leads to this leaf by whether there is a reset to be found."""
        seen = facts.get(gateways.gateway).closed
        led = [each for each in seen if _CLOSED in each.logged and each.status == _BAD_GATEWAY and each.health == 200]  # noqa: PLR2004
        evidence = [
            output(
                f"curl; tcpdump 'tcp[tcpflags] & tcp-rst != 0' ({each.cause}, health {each.health})",
                f"HTTP {each.status}; RST {'not watched' if each.resets is None else each.resets}; {each.logged}",
            )
            for each in seen
        ]
        if any(each.resets is None for each in seen):
            tried = [f"{each.cause}: {each.logged}" for each in seen]
            yield self.untested("untested", would_test="would_test", tried=tried, evidence=evidence)
            return
        cases = [
            Case(facts={"cause": each.cause}, holds=bool(each.resets), witness=f"RST {each.resets}") for each in led
        ]
        other = next((each.logged for each in seen if each.leaves == "reset"), "-")
        yield self.by_cases(
            cases,
            lambda one: one["cause"] == "idle-connection-reused",
            evidence,
            having=", ".join(str(each.facts["cause"]) for each in cases if each.holds) or "-",
            lacking=", ".join(str(each.facts["cause"]) for each in cases if not each.holds) or "-",
            other=other.partition(", client:")[0],
        )
