"""Chapter 5.5, Kafka: what a column of jstat is, and what a pause does to a group."""

from collections.abc import Iterable, Mapping
from typing import Final

from labkit.claims import ledgers, trap_cases
from labkit.claims.base import output
from labkit.claims.facts import ClaimFacts, Probe
from labkit.claims.trap_runs import TrapCheck, case, skipped, step, witnessed
from labkit.model.claims import PartVerdict
from labkit.model.traps import Case, Step, StepKind, TrapOutcome
from labkit.traps import jdk
from labkit.traps.kafka import collector

#: What the columns end with that are times, in seconds, of collections so far (jstat's manual page).
_TIME: Final = "GCT"


def columns() -> Probe[Case]:
    """Return the probe of jstat's columns before a collection and after it, on the JDK that is here now."""

    def seen(facts: ClaimFacts) -> Case:
        facts.replaced_tool("jdk")  # what a test has put in its place is not to be kept
        with trap_cases.rig("jstat") as rig:
            return collector.case(rig)

    recipe = {"jdk": str(jdk.folder()), "sources": trap_cases.sources("kafka")}
    return Probe(name="jstat-columns", make=seen, tools=("java", "jstat"), recipe=recipe)


class Column(trap_cases.CaseCheck):
    """Run a JVM, let it collect once, and read jstat's columns by name before and after; the JVM's log beside."""

    id = "5.5.01"
    trap = "kafka"
    wants = (jdk.part(),)
    turned_by = "another jstat"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the column is a time of collections."""
        seen = facts.get(columns())
        number = ledgers.own().find(self.id).quoted["column"]
        head = seen.output.splitlines()[0].split()
        name = head[int(number) - 1]
        rows = [line for line in seen.output.splitlines()[1:] if line.strip()]
        evidence = [output(seen.command.partition(" -gc")[0] + " -gc", " ".join(head))]
        change = f"{name}: {_of(seen, 'column_10_before')} before, {_of(seen, 'column_10_after')} after; {rows[-1]}"
        evidence.append(output("java -Xlog:gc, one collection", change))
        yield self.judged(
            name.endswith(_TIME),
            evidence,
            number=number,
            name=name,
            before=_of(seen, "column_10_before"),
            after=_of(seen, "column_10_after"),
            times=", ".join(f"{each} ({place})" for place, each in enumerate(head, 1) if each.endswith(_TIME)) or "-",
            logged=rows[-1].partition("] ")[2] or rows[-1],
        )


def _of(seen: Case, name: str) -> str:
    return str(seen.facts[name])


class Rebalance(TrapCheck):
    """Pause one of two consumers for longer than its session and for less, and see who has the partitions then."""

    id = "5.5.02"
    trap = "kafka"
    turned_by = "a run in which the group keeps still"

    def shown(self, run: TrapOutcome, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the pauses that are longer; those that are shorter show whether it is the limit."""
        _ = facts
        seen = [step(run, kind) for kind in (StepKind.REPRODUCE, StepKind.VERIFY, StepKind.CONTROL)]
        pauses: list[Step | Case] = [*seen, case(run, "short")]
        longer = [each for each in pauses if float(each.facts["pause_ms"]) > float(each.facts["session_ms"])]
        shorter = [each for each in pauses if each not in longer]
        evidence = [witnessed(each) for each in pauses]
        broker = case(run, "broker")
        if not skipped(broker):
            evidence.append(witnessed(broker))
        told = step(run, StepKind.DIAGNOSE).facts
        yield self.judged(
            bool(longer) and all(each.facts["rebalanced"] for each in longer),
            evidence,
            longer="; ".join(_pause(each.facts) for each in longer) or "-",
            kept="; ".join(_pause(each.facts) for each in shorter if not each.facts["rebalanced"]) or "-",
            after_ms=told["out_after_ms"],
            library=run.versions.get("librdkafka", "-"),
        )


def _pause(facts: Mapping[str, str | int | float | bool]) -> str:
    return f"{facts['pause_ms']} ms (session.timeout.ms={facts['session_ms']})"
