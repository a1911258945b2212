"""Production traps in a notebook: all in a table, and each one whole with its flow, steps and cases."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from labkit.model.check import Status
from labkit.model.traps import TrapOutcome, TrapsReport
from labkit.present.table import Source, Table, text_frame
from labkit.system.store import shown as without_places
from labkit.traps import http502, shown
from labkit.words import Language, render, say

_COLUMNS = "traps.column"


@dataclass(frozen=True)
class Views:
    """Several views that are shown one after the other."""

    parts: Sequence[Source | Table]

    def _repr_html_(self) -> str:
        return "\n".join(part._repr_html_() for part in self.parts)

    def __repr__(self) -> str:
        return "\n\n".join(repr(part) for part in self.parts)


@dataclass(frozen=True)
class Drawing:
    """A drawing, and the text that says the same where none can be shown."""

    svg: str
    text: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return self.text


def error_log_tree(report: TrapsReport | None = None) -> Drawing:
    """Draw which fault a line of nginx's error.log is; bold, with counts, those that the trap's faults led to."""
    cases = [case for trap in (report.traps if report else ()) if trap.id == "http502" for case in trap.cases]
    leaves = [leaf for case in cases for leaf in str(case.facts.get("leaves", "")).split(", ") if leaf]
    return Drawing(svg=http502.svg(seen=Counter(leaves)), text=http502.outline())


def traps(report: TrapsReport | None) -> Table | Source:
    """Show what became of each trap."""
    return Source(say("traps.none_run")) if report is None else Table(traps_frame(report))


def traps_frame(report: TrapsReport, language: Language | None = None) -> pd.DataFrame:
    """Return one row a trap, in the order of the report.

    Columns (all str, heads in the reader's language): status, trap, what it is, symptom, cause, fix, why it was not run
    or did not pass, seconds.
    """
    rows = [
        {
            "status": shown.status(trap, language),
            "id": trap.id,
            "title": render(trap.title, language),
            "symptom": without_places(_one_line(trap.symptom or "-")),
            "cause": "-" if trap.cause is None else render(trap.cause, language),
            "fixed_by": "-" if trap.fix is None else render(trap.fix, language),
            "reason": "-" if trap.reason is None else without_places(render(trap.reason, language)),
            "seconds": f"{trap.duration_s:.1f}",
        }
        for trap in report.traps
    ]
    heads = ("status", "id", "title", "symptom", "cause", "fixed_by", "reason", "seconds")
    return text_frame(rows, heads, _COLUMNS, language)


def trap(report: TrapsReport | None, id_: str, chosen: str = "") -> Views | Source:
    """Show one trap whole: its flow, its five steps, what else its parts show; or why it was not run."""
    found = next((each for each in report.traps if each.id == id_), None) if report is not None else None
    if found is None:
        return Source(say("traps.not_run", id=id_, chosen=chosen))
    views: list[Source | Table] = [Table(about_frame(found))]
    if drawing := list(shown.flow(id_)):
        views.append(Source("\n".join(drawing)))
    if found.steps:
        views.append(Source(without_places("\n".join(shown.step_lines(found)))))
    if found.cases:
        views.append(Table(cases_frame(found)))
    return Views(views)


def about_frame(trap: TrapOutcome, language: Language | None = None) -> pd.DataFrame:
    """Return what is said of a trap as a whole (all str): what, and in words; only what there is to say."""
    versions = ", ".join(f"{name} {version}" for name, version in trap.versions.items())
    said = {
        "status": f"{shown.status(trap, language)}  {render(trap.title, language)}",
        "reason": "" if trap.reason is None else without_places(render(trap.reason, language)),
        "cause": "" if trap.cause is None else render(trap.cause, language),
        "fixed_by": "" if trap.fix is None else render(trap.fix, language),
        "parts": versions,
        "note": " ".join(render(note, language) for note in trap.notes),
    }
    rows = [{"about": say(f"{_COLUMNS}.{name}", language), "words": text} for name, text in said.items() if text]
    return text_frame(rows, ("about", "words"), _COLUMNS, language)


def cases_frame(trap: TrapOutcome, language: Language | None = None) -> pd.DataFrame:
    """Return one row a case (all str): its status, id, what to see in it, what its part said or why it was skipped."""
    rows = [
        {
            "status": shown.status(case, language),
            "case": case.id,
            "text": render(case.text, language),
            "output": without_places(
                _one_line(shown.said(case.output, language)) if case.reason is None else render(case.reason, language)
            ),
        }
        for case in trap.cases
    ]
    return text_frame(rows, ("status", "case", "text", "output"), _COLUMNS, language)


def traps_verdict(report: TrapsReport | None) -> Table:
    """Show the verdict: how many passed, failed and were skipped, and what that means."""
    outcomes = () if report is None else report.traps
    counts = {status: sum(each.status is status for each in outcomes) for status in Status}
    name = "bad" if counts[Status.FAIL] else "good" if counts[Status.PASS] else "nothing"
    row = {
        say("present.verdict.head"): say(f"traps.verdict.{name}", n=counts[Status.FAIL]),
        **{say(f"present.status.{status}"): str(count) for status, count in counts.items()},
    }
    return Table(pd.DataFrame([row], dtype="str"))


def _one_line(text: str) -> str:
    # A table's cell shows an end of line as two letters.
    return " ⏎ ".join(line.rstrip() for line in text.splitlines())
