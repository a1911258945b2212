"""Tables of the small experiments with Go's tool chain: the printed compare-and-swap, GOARM, sources, go install."""

from collections.abc import Sequence

import pandas as pd

from labkit.model.experiments import CasReading, InstallJudgement, LevelBuild, LevelExperiment, PrintedCas, SourceTree
from labkit.model.instructions import Census
from labkit.present.table import Table, text_frame
from labkit.words import Language, render, say

_TOPIC = "instructions.column"


def printed_cas(found: PrintedCas, language: Language | None = None) -> Table:
    """Show what the printed routine did in each reading: its first line, alone, contended, on a conflict (str)."""
    heads = ("reading", "first", "alone", "contended", "conflict", "verdict")
    return Table(text_frame([_reading(each, language) for each in found.readings], heads, _TOPIC, language))


def _reading(each: CasReading, language: Language | None) -> dict[str, str]:
    right = sum(case.right for case in each.cases)
    many = each.contended
    statuses = ", ".join(
        say(
            "instructions.cas.conflict" if one.other_wrote else "instructions.cas.undisturbed",
            language,
            status=one.status,
            loads=one.loads,
        )
        for one in each.conflicts
    )
    return {
        "reading": each.id,
        "first": each.lines[0] if each.lines else "-",
        "alone": say("instructions.cas.alone", language, right=right, of=len(each.cases)),
        "contended": say("instructions.cas.contended", language, successes=many.successes, final=many.final),
        "conflict": statuses or "-",
        "verdict": ("✓ " if each.correct else "✗ ")
        + say(f"instructions.cas.{'right' if each.correct else 'wrong'}", language),
    }


def goarm(experiments: Sequence[LevelExperiment], language: Language | None = None) -> Table:
    """Show one row a Go and setting, one column a platform: the bytes by the first digits of their sha256 (str)."""
    platforms = tuple(dict.fromkeys(each.platform for one in experiments for each in one.builds))
    rows: list[dict[str, str]] = []
    for one in experiments:
        for setting in dict.fromkeys(each.setting for each in one.builds):
            of = {each.platform: each for each in one.builds if each.setting == setting}
            cells = {platform: _level(of[platform], language) for platform in platforms if platform in of}
            rows.append({"go": one.go_version, "setting": setting or "-"} | cells)
    frame = text_frame(rows, ("go", "setting", *platforms), _TOPIC, language)
    return Table(frame.rename(columns={f"{_TOPIC}.{platform}": platform for platform in platforms}).fillna("-"))


def _level(each: LevelBuild, language: Language | None) -> str:
    if each.sha256 is None:
        return "✗ " + say("instructions.level.refused", language, said=each.said)
    return each.sha256[:12]


def sources(trees: Sequence[SourceTree], language: Language | None = None) -> Table:
    """Show one row a thing that was looked for, one column a Go: how often, and where first (str)."""
    rows = []
    for at, first in enumerate(trees[0].searches if trees else ()):
        row = {"looked_for": first.id, "pattern": first.pattern}
        for tree in trees:
            found = tree.searches[at]
            where = [f"{each.path}:{each.line}" if each.line else each.path for each in found.occurrences[:1]]
            row[tree.go_version] = ", ".join([str(found.found), *where])
        rows.append(row)
    versions = tuple(tree.go_version for tree in trees)
    frame = text_frame(rows, ("looked_for", "pattern", *versions), _TOPIC, language)
    return Table(frame.rename(columns={f"{_TOPIC}.{version}": version for version in versions}))


def installs(judgements: Sequence[InstallJudgement], language: Language | None = None) -> Table:
    """Show what `go install` on a Mac would make: program, architecture, judged statement, evidence, certainty."""
    rows = [
        {
            "program": each.program,
            "architecture": each.architecture,
            "statement": render(each.statement, language),
            "evidence": "; ".join(each.evidence),
            "certainty": say(f"instructions.{'only_mac' if each.only_a_mac_can_tell else 'judged'}", language),
        }
        for each in judgements
    ]
    return Table(text_frame(rows, ("program", "architecture", "statement", "evidence", "certainty"), _TOPIC, language))


def census_frame(censuses: Sequence[Census]) -> pd.DataFrame:
    """Return one row a file and counted instruction.

    Columns: ``file``, ``architecture``, ``instruction``: string; ``count``: Int64.
    """
    rows = [
        {"file": each.file, "architecture": each.architecture, "instruction": name, "count": count}
        for each in censuses
        for name, count in each.counts.items()
    ]
    types = {"file": "string", "architecture": "string", "instruction": "string", "count": "Int64"}
    return pd.DataFrame(rows, columns=list(types)).astype(types)
