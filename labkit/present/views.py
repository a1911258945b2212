"""What a notebook's cells call: a record in, a view out."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import pandas as pd

from labkit.doctor.symptoms import Cause
from labkit.model.bench import Sample
from labkit.model.binary import Binary
from labkit.model.check import Finding, Status
from labkit.model.codegen import Built, Generated, Served
from labkit.model.host import HostFacts
from labkit.model.machine import Condition, Machine
from labkit.model.toolchain import Newer, Toolchain
from labkit.present.binaries import binaries_table, verdicts_table
from labkit.present.findings import findings_frame
from labkit.present.host import causes_frame, host_tools_frame
from labkit.present.machines import condition_frame, levels_frame, machine_frame
from labkit.present.samples import samples_table
from labkit.present.sets import fit_frame, sets_frame, switching_frame
from labkit.present.table import Source, Table
from labkit.present.toolchains import builds_frame, generated_frame, tools_frame
from labkit.toolchain.compat import Answer
from labkit.toolchain.pins import PinnedSet
from labkit.words import say

_Tried = TypeVar("_Tried")


def machine(machine: Machine) -> Table:
    """Show who a machine is."""
    return Table(machine_frame(machine))


def levels(machine: Machine) -> Table:
    """Show a machine's performance levels and their caches."""
    return Table(levels_frame(machine))


def condition(condition: Condition) -> Table:
    """Show the condition a machine was in."""
    return Table(condition_frame(condition))


def tools(toolchain: Toolchain, newer: Sequence[Newer] = ()) -> Table:
    """Show a set's tools, and what is known of newer ones."""
    return Table(tools_frame(toolchain, newer))


def sets(sets: Sequence[PinnedSet], used: str) -> Table:
    """Show sets side by side, the one of this run first."""
    return Table(sets_frame(sets, used))


def fit(answer: Answer, toolchain: Toolchain) -> Table:
    """Show what the solver chooses for a module beside what a set has, and which bound decided what."""
    return Table(fit_frame(answer, toolchain))


def tried(view: Callable[[_Tried], Table], what: _Tried | None) -> Table | Source:
    """Show what was tried, or say that this run was not asked to."""
    return view(what) if what else Source(say("sets.not_tried"))


def switching(toolchain: Toolchain) -> Table:
    """Show how a set is used in a report, a shell, a module and one call."""
    return Table(switching_frame(toolchain))


def findings(findings: Sequence[Finding], *, skipped: bool = True) -> Table:
    """Show findings, failures first; without those that were skipped when they are many and say little."""
    return Table(findings_frame([each for each in findings if skipped or each.status is not Status.SKIP]))


def host(facts: HostFacts) -> Table:
    """Show the host's own tools."""
    return Table(host_tools_frame(facts))


def causes(causes: Sequence[Cause]) -> Table | Source:
    """Show the causes of an error text, the likeliest first."""
    return Table(causes_frame(causes)) if causes else Source(say("present.host.no_cause"))


def generated(generated: Generated) -> Table:
    """Show generated files."""
    return Table(generated_frame(generated))


def builds(builds: Sequence[Built]) -> Table:
    """Show builds."""
    return Table(builds_frame(builds))


def served(served: Served) -> Table:
    """Show a call to the generated service."""
    values = {
        "method": served.method,
        "request": served.request,
        "reply": served.reply,
        "call_time": f"{served.call_time_s * 1e6:.0f} µs (n = 1)",
    }
    rows = [(say(f"present.served.{name}"), value) for name, value in values.items()]
    heads = [say("present.column.property"), say("present.column.value")]
    return Table(pd.DataFrame(rows, columns=pd.Index(heads), dtype="str"))


def binaries(binaries: Sequence[Binary]) -> Table:
    """Show what the bytes of binaries say."""
    return Table(_brief(binaries_table(binaries)))


def verdicts(binaries: Sequence[Binary]) -> Table:
    """Show where binaries would run, as judged from their bytes."""
    return Table(_brief(verdicts_table(binaries)))


def samples(samples: Sequence[Sample]) -> Table:
    """Show medians, intervals and doubts of samples."""
    return Table(samples_table(samples))


def source(text: str, *, lines: int = 40) -> Source:
    """Show the first lines of a source file."""
    kept = text.splitlines()
    more = [say("present.more_lines", n=len(kept) - lines)] if len(kept) > lines else []
    return Source("\n".join(kept[:lines] + more))


def verdict(findings: Sequence[Finding]) -> Table:
    """Show the verdict of findings: how many passed, failed and were skipped, and what that means."""
    counts = {status: sum(finding.status is status for finding in findings) for status in Status}
    name = "bad" if counts[Status.FAIL] else "good" if counts[Status.PASS] else "nothing"
    row = {
        say("present.verdict.head"): say(f"present.verdict.{name}", n=counts[Status.FAIL]),
        **{say(f"present.status.{status}"): str(count) for status, count in counts.items()},
    }
    return Table(pd.DataFrame([row], dtype="str"))


def measured(samples: Sequence[Sample]) -> Table:
    """Show what samples are worth: how many kernels were measured, and how many of them carry doubts."""
    doubtful = sum(bool(sample.warnings) for sample in samples)
    name = "doubtful" if doubtful else "sound" if samples else "nothing"
    row = {say("present.verdict.head"): say(f"present.measured.{name}", n=len(samples), doubtful=doubtful)}
    return Table(pd.DataFrame([row], dtype="str"))


def _brief(frame: pd.DataFrame) -> pd.DataFrame:
    # A file in labkit's store is known by its name; the record has the whole path.
    first = frame.columns[0]
    return frame.assign(**{first: frame[first].str.replace(r"^\$LABKIT_HOME/store/\S*/", "", regex=True)})
