"""Findings as a frame; each status has a sign and a word, so that colour is not needed."""

from collections.abc import Sequence

import pandas as pd

from labkit.model.check import Evidence, Finding, Status
from labkit.present.table import text_frame
from labkit.system.store import shown, shown_command
from labkit.words import Language, render, say

_SIGNS = {Status.PASS: "✓", Status.FAIL: "✗", Status.SKIP: "-"}
_ORDER = (Status.FAIL, Status.SKIP, Status.PASS)


def status_word(status: Status, language: Language | None = None) -> str:
    """Return a status as sign and word."""
    return f"{_SIGNS[status]} {say(f'present.status.{status}', language)}"


def findings_frame(findings: Sequence[Finding], language: Language | None = None) -> pd.DataFrame:
    """Return one row a finding, failures first.

    Columns (all str, heads in the reader's language): status, id, what was checked, what was found, what to do (the
    remedy of a failure, the reason of a skip, else a dash).
    """
    ordered = sorted(findings, key=lambda finding: _ORDER.index(finding.status))
    rows = [
        {
            "status": status_word(finding.status, language),
            "id": finding.id,
            "title": render(finding.title, language),
            "evidence": "; ".join(_evidence(item, language) for item in finding.evidence) or "-",
            "remedy": _advice(finding, language),
        }
        for finding in ordered
    ]
    heads = ("status", "id", "title", "evidence", "remedy")
    return text_frame(rows, heads, "present.finding", language)


def _evidence(item: Evidence, language: Language | None) -> str:
    found = shown(f"{item.what}: {item.found}")
    if item.wanted is None or item.wanted in item.found:
        return found
    return found + say("present.finding.wanted", language, wanted=item.wanted)


def _advice(finding: Finding, language: Language | None) -> str:
    if finding.remedy is not None:
        return " ".join(
            [render(finding.remedy.text, language), *(f"`{shown_command(line)}`" for line in finding.remedy.commands)]
        )
    return "-" if finding.reason is None else render(finding.reason, language)
