"""Experiments with replace, commit pins and go.sum as a table: what was asked, refused and said."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from labkit.model.check import Evidence
from labkit.model.resolution import Experiment, GoStep, Outcome
from labkit.present.table import Table, text_frame
from labkit.words import Language, render, say

_HEADS: Final = ("experiment", "outcome", "control", "settings", "asked", "said", "compared")
_SHOWN_SETTINGS: Final = ("GOPROXY", "GOSUMDB", "GOFLAGS", "GOPRIVATE", "GONOSUMDB")


def resolution(experiments: Sequence[Experiment]) -> Table:
    """Show experiments in the reader's language."""
    return Table(resolution_frame(experiments))


def resolution_frame(experiments: Sequence[Experiment], language: Language | None = None) -> pd.DataFrame:
    """Return one row an experiment.

    Columns (all str): its title; its outcome; the outcome of its control; the settings of its last Go command; what
    that asked of the recording proxy and how often of git; its own words, or why it was not tried; what was looked at
    afterwards.
    """
    outcomes = {each.id: each.outcome for each in experiments}
    rows = [_row(each, outcomes, language) for each in experiments]
    return text_frame(rows, _HEADS, "resolution.column", language)


def _row(each: Experiment, outcomes: Mapping[str, Outcome], language: Language | None) -> dict[str, str]:
    last = each.steps[-1] if each.steps else None
    control = outcomes.get(each.control or "")
    return {
        "experiment": say(f"resolution.title.{each.id}", language),
        "outcome": _outcome(each, language),
        "control": say(f"resolution.outcome.{control}", language) if control else "-",
        "settings": _settings(last) if last else "-",
        "asked": _asked(last, language) if last else "-",
        "said": render(each.reason, language) if each.reason else _said(last),
        "compared": "; ".join(_compared(item) for item in each.evidence) or "-",
    }


def _outcome(each: Experiment, language: Language | None) -> str:
    outcome = say(f"resolution.outcome.{each.outcome}", language)
    if each.outcome is Outcome.REFUSED:
        return say("resolution.refused_by", language, outcome=outcome, code=each.steps[-1].exit_code)
    return outcome


def _settings(step: GoStep) -> str:
    return " ".join(f"{name}={step.environment[name]}" for name in _SHOWN_SETTINGS if name in step.environment)


def _asked(step: GoStep, language: Language | None) -> str:
    paths = sorted({asked.path for asked in step.asked})
    commands = [say("resolution.git", language, n=len(step.git))] if step.git else []
    return ", ".join([*paths, *commands]) or say("resolution.none", language)


def _said(step: GoStep | None) -> str:
    lines = [line.strip() for line in step.said.splitlines() if line.strip()] if step else []
    # What Go downloads is in the column beside; the security error's advice is in the record.
    kept = [line for line in lines if not line.startswith("go: downloading")]
    return " | ".join(kept[:4]) or "-"


def _compared(item: Evidence) -> str:
    unlike = f" != {item.wanted}" if item.wanted not in {None, item.found} else ""
    return f"{item.what}: {item.found}{unlike}"
