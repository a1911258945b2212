"""Traps as sentences and lines, for a terminal, a job's summary and JSON; runs nothing."""

from collections.abc import Iterator, Mapping
from typing import Final

from labkit.model.check import Status
from labkit.model.traps import Case, StepKind, TrapOutcome, TrapOutput, TrapsOutput, TrapsReport
from labkit.words import Language, render, say

_SIGNS: Final = {Status.PASS: "✓", Status.FAIL: "✗", Status.SKIP: "-"}
#: Traps with a flow that is drawn: the nodes a to d, with what goes between them; the marked arrow is where it breaks.
FLOWS: Final[Mapping[str, str]] = {"configmap": "b_c", "pool": "b_c", "mtls": "a_b", "kafka": "a_b"}
_NODES: Final = ("a", "b", "c", "d")


def output(report: TrapsReport, language: Language | None = None) -> TrapsOutput:
    """Return what ``labkit traps --json`` says."""
    return TrapsOutput(
        machine=report.machine.id,
        traps=tuple(_output(trap, language) for trap in report.traps),
        taken_at=report.taken_at,
        duration_s=report.duration_s,
    )


def _output(trap: TrapOutcome, language: Language | None) -> TrapOutput:
    return TrapOutput(
        id=trap.id,
        status=trap.status,
        symptom=trap.symptom,
        cause=None if trap.cause is None else render(trap.cause, language),
        fix=None if trap.fix is None else render(trap.fix, language),
        verified=trap.verified,
        reason=None if trap.reason is None else render(trap.reason, language),
        reason_kind=trap.reason_kind,
        title=render(trap.title, language),
        duration_s=trap.duration_s,
        steps=trap.steps,
        cases=trap.cases,
        versions=trap.versions,
        sources=trap.sources,
    )


def status(trap: TrapOutcome | Case, language: Language | None = None) -> str:
    """Return a status as sign and word."""
    return f"{_SIGNS[trap.status]} {say(f'present.status.{trap.status}', language)}"


def said(text: str, language: Language | None = None) -> str:
    """Return what a part said, or that it said nothing."""
    return text or say("traps.text.nothing_seen", language)


def lines(trap: TrapOutcome, language: Language | None = None) -> Iterator[str]:
    """Yield one trap whole: before, cause, fix, after and control with their commands and outputs, then its cases."""
    yield f"{status(trap, language)}  {trap.id}  {render(trap.title, language)}"
    if trap.reason is not None:
        yield f"    {render(trap.reason, language)}"
    yield from (f"    {line}" for line in flow(trap.id, language))
    yield from (f"  {line}" for line in step_lines(trap, language))
    for kind, text in (("diagnose", trap.cause), ("fix", trap.fix)):
        if text is not None:
            yield f"  {say(f'traps.step.{kind}', language)}: {render(text, language)}"
    if trap.cases:
        yield f"  {say('traps.text.cases', language)}:"
    for case in trap.cases:
        why = "" if case.reason is None else f": {render(case.reason, language)}"
        yield f"    {status(case, language)}  {render(case.text, language)}{why}"
    if trap.versions:
        shown = ", ".join(f"{name} {version}" for name, version in trap.versions.items())
        yield f"  {say('traps.text.parts', language, versions=shown)}"
    yield from (f"  {render(note, language)}" for note in trap.notes)


def step_lines(trap: TrapOutcome, language: Language | None = None) -> Iterator[str]:
    """Yield the steps that were done: which and what to see in it, its command or change, what that printed."""
    for step in trap.steps:
        yield f"{say(f'traps.step.{step.kind}', language)}: {render(step.text, language)}"
        yield from _indented(step.command, "  " if step.kind is StepKind.FIX else "$ ")
        yield from _indented(said(step.output, language), "  ")


def summary(report: TrapsReport, language: Language | None = None) -> str:
    """Return how many passed, failed and were skipped, and how long it took, in a line."""
    counts = {each: sum(trap.status is each for trap in report.traps) for each in Status}
    return say(
        "traps.text.summary",
        language,
        passed=counts[Status.PASS],
        failed=counts[Status.FAIL],
        skipped=counts[Status.SKIP],
        seconds=f"{report.duration_s:.1f}",
    )


def markdown(report: TrapsReport, language: Language | None = None) -> str:
    """Return a job's summary: a table of the traps, then each that did not pass whole."""
    heads = [
        say(f"traps.column.{head}", language) for head in ("status", "id", "title", "symptom", "reason", "seconds")
    ]
    rows = [
        [
            status(trap, language),
            trap.id,
            render(trap.title, language),
            _one_line(trap.symptom or ""),
            "" if trap.reason is None else render(trap.reason, language),
            f"{trap.duration_s:.1f}",
        ]
        for trap in report.traps
    ]
    table = [heads, ["---"] * len(heads), *rows]
    parts = ["\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in table)]
    parts += [
        "```\n" + "\n".join(lines(trap, language)) + "\n```" for trap in report.traps if trap.status is Status.FAIL
    ]
    return "\n\n".join([*parts, summary(report, language)])


def flow(id_: str, language: Language | None = None) -> Iterator[str]:
    """Yield the drawing of a trap's flow, a line a node, ✗ where it breaks; nothing where no flow is the point."""
    if id_ not in FLOWS:
        return
    for node, after in zip(_NODES, (*_NODES[1:], None), strict=True):
        yield f"[ {say(f'traps.flow.{id_}.{node}', language)} ]"
        if after is not None:
            arrow = f"{node}_{after}"
            sign = "✗" if arrow == FLOWS[id_] else "│"
            yield f"  {sign} {say(f'traps.flow.{id_}.{arrow}', language)}"
            yield "  ▼"


def _indented(text: str, sign: str) -> Iterator[str]:
    first, *more = text.splitlines() or [""]
    yield f"    {sign}{first}"
    yield from (f"      {line}" for line in more)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
