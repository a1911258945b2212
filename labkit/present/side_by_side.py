"""Versions side by side as tables: the pair's halves both ways, and everything that was tried."""

import pandas as pd

from labkit.model.side_by_side import Experiment, Half, SideBySide
from labkit.present.table import Table, text_frame
from labkit.system.store import shown
from labkit.words import Language, render, say

_TOPIC = "side_by_side"
_COLUMNS = f"{_TOPIC}.column"


def halves(record: SideBySide) -> Table:
    """Show which versions each half gets, alone and within the workspace."""
    return Table(halves_frame(record))


def side_by_side(record: SideBySide) -> Table:
    """Show what was tried, what answered, and how it ended."""
    return Table(experiments_frame(record))


def halves_frame(record: SideBySide, language: Language | None = None) -> pd.DataFrame:
    """Return one row a half and way of building.

    Columns (all str, heads in the reader's language): half, how it is built, the runtime's version by go.mod and by the
    build list, the plugin that go tool runs, the one that generated, the runtime in the program's bytes and by its own
    word, whether its tests passed (else the tools' own words).
    """
    rows = [
        {
            "half": half.name,
            "mode": say(f"{_TOPIC}.mode.{'workspace' if half.in_workspace else 'alone'}", language),
            "required": half.required,
            "selected": half.selected or "-",
            "tool": half.tool or "-",
            "generated_by": half.generated_by or "-",
            "built_with": half.built_with or "-",
            "says": half.says or "-",
            "tested": _tested(half, language),
        }
        for half in record.halves
    ]
    heads = ("half", "mode", "required", "selected", "tool", "generated_by", "built_with", "says", "tested")
    return text_frame(rows, heads, _COLUMNS, language)


def experiments_frame(record: SideBySide, language: Language | None = None) -> pd.DataFrame:
    """Return one row an experiment.

    Columns (all str, heads in the reader's language): what was tried, the Go, what was wanted, what answered, the
    outcome, the tools' own words or why it was not tried.
    """
    rows = [
        {
            "experiment": say(f"{_TOPIC}.experiment.{each.id}", language),
            "go": each.go or "-",
            "wanted": shown(each.wanted or "-"),
            "answered": shown(each.answered or "-"),
            "outcome": say(f"{_TOPIC}.outcome.{each.outcome}", language),
            "words": _words(each, language),
        }
        for each in record.experiments
    ]
    return text_frame(rows, ("experiment", "go", "wanted", "answered", "outcome", "words"), _COLUMNS, language)


def _tested(half: Half, language: Language | None) -> str:
    name = "none" if half.tested is None else "yes" if half.tested else "no"
    word = say(f"{_TOPIC}.tested.{name}", language)
    return f"{word}: {_line(half.words)}" if half.words else word


def _words(experiment: Experiment, language: Language | None) -> str:
    reason = [] if experiment.reason is None else [render(experiment.reason, language)]
    return " ".join([*reason, _line(experiment.words)]).strip() or "-"


def _line(text: str) -> str:
    return shown(" / ".join(line.strip() for line in text.splitlines() if line.strip()))
