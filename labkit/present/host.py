"""The host's own tools, and the causes of an error text, as frames of text."""

from collections.abc import Sequence

import pandas as pd

from labkit.doctor.symptoms import Cause
from labkit.model.check import Evidence
from labkit.model.host import HostFacts
from labkit.present.table import text_frame
from labkit.system.store import shown, shown_command
from labkit.words import Language, render, say


def host_tools_frame(facts: HostFacts, language: Language | None = None) -> pd.DataFrame:
    """Return one row a tool that was found, those that PATH gives first.

    Columns (all str, heads in the reader's language): tool, whether PATH gives it, what it answers, architecture, path,
    what it shadows.
    """
    ordered = sorted(facts.tools, key=lambda tool: (not tool.wins, tool.name, tool.path))
    rows = [
        {
            "tool": tool.name,
            "wins": say("present.host.wins" if tool.wins else "present.host.elsewhere", language),
            "reported": tool.reported or tool.error or "-",
            "architecture": " ".join(tool.architectures) or "-",
            "path": shown(tool.path),
            "shadows": shown(", ".join(tool.shadows)) or "-",
        }
        for tool in ordered
    ]
    return text_frame(rows, ("tool", "wins", "reported", "architecture", "path", "shadows"), "present.host", language)


def causes_frame(causes: Sequence[Cause], language: Language | None = None) -> pd.DataFrame:
    """Return one row a cause, the likeliest first.

    Columns (all str): rule, share of the belief, cause, evidence for and against, what to do, what would settle it.
    """
    rows = [
        {
            "rule": cause.rule,
            "confidence": f"{cause.confidence:.0%}",
            "title": render(cause.title, language),
            "evidence": _evidence(cause.evidence) + (f" / {_evidence(cause.against)}" if cause.against else ""),
            "remedy": " ".join(
                [render(cause.remedy.text, language), *(f"`{shown_command(line)}`" for line in cause.remedy.commands)]
            ),
            "settles": render(cause.settles, language),
        }
        for cause in causes
    ]
    return text_frame(rows, ("rule", "confidence", "title", "evidence", "remedy", "settles"), "present.host", language)


def _evidence(items: Sequence[Evidence]) -> str:
    return "; ".join(shown(f"{item.what}: {item.found}") for item in items)
