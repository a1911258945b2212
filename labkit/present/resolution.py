"""Experiments with replace, commit pins and go.sum as a table: what was asked, refused and said."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

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

    Columns (all str): its title; its outcome; the outcome of its control; the settings of its last Go command; what was
    asked of the recording proxy and how much of git, in all its commands; the last command's own words, or why it
    was not tried; what was compared afterwards.
    """
    outcomes = {each.id: each.outcome for each in experiments}
    rows = [_row(each, outcomes, language) for each in experiments]
    return text_frame(rows, _HEADS, "resolution.column", language)


def _row(each: Experiment, outcomes: Mapping[str, Outcome], language: Language | None) -> dict[str, str]:
    last = next((step for step in reversed(each.steps) if step.environment), None)
    control = outcomes.get(each.control or "")
    return {
        "experiment": say(f"resolution.title.{each.id}", language),
        "outcome": _outcome(each, language),
        "control": say(f"resolution.outcome.{control}", language) if control else "-",
        "settings": _settings(last) if last else "-",
        "asked": _asked(each.steps, language) if each.steps else "-",
        "said": render(each.reason, language) if each.reason else _said(each.steps),
        "compared": "; ".join(
            f"{item.what} {item.found}" + ("" if item.found == item.wanted else f" != {item.wanted}")
            for item in each.evidence
        )
        or "-",
    }


def _outcome(each: Experiment, language: Language | None) -> str:
    outcome = say(f"resolution.outcome.{each.outcome}", language)
    if each.outcome is Outcome.REFUSED:
        return say("resolution.refused_by", language, outcome=outcome, code=each.steps[-1].exit_code)
    return outcome


def _settings(step: GoStep) -> str:
    return " ".join(f"{name}={step.environment[name]}" for name in _SHOWN_SETTINGS if name in step.environment)


def _asked(steps: Sequence[GoStep], language: Language | None) -> str:
    paths = dict.fromkeys(asked.path for step in steps for asked in step.asked)
    commands = sum(len(step.git) for step in steps)
    told = [*sorted(paths), *([say("resolution.git", language, n=commands)] if commands else [])]
    return ", ".join(told) or say("resolution.none", language)


def _said(steps: Sequence[GoStep]) -> str:
    lines = [line.strip() for line in steps[-1].said.splitlines() if line.strip()]
    # What Go downloads is in the column beside; the security error's advice is in the record.
    kept = [line for line in lines if not line.startswith("go: downloading")]
    return " | ".join(kept[:4]) or "-"
