"""A comparison as Markdown, for a pull request's comment or a job's summary: bounded, and nothing in it is markup."""

import re
from typing import Final

from labkit.bench.regression.shown import Rows, change_rows, notes, summary
from labkit.model.regression import Regression, Verdict
from labkit.words import Language, say

#: GitHub refuses a comment of more than 65,536 characters.
MOST_CHARACTERS: Final = 60_000
_MOST_ROWS: Final = 100
_GRAVEST: Final = (Verdict.SLOWER, Verdict.FASTER, Verdict.TOO_FEW, Verdict.NONE)


def markdown(regression: Regression, *, language: Language | None = None) -> str:
    """Return a heading, whether a slowdown is shown, a table of the kernels, the slower first, and what differs."""
    sign = "❌" if regression.slower else "✅"
    title = say("benchcli.regression.title", language, baseline=regression.baseline)
    heads, *rows = change_rows(regression, language)
    order = sorted(range(len(rows)), key=lambda i: _GRAVEST.index(regression.changes[i].verdict))
    kept = tuple(rows[i] for i in order[:_MOST_ROWS])
    lines = [
        f"### {sign} {_safe(title)}",
        "",
        f"**{_safe(summary(regression, language))}**",
        "",
        *_table((heads, *kept)),
    ]
    if len(rows) > len(kept):
        lines += [_safe(say("benchcli.regression.more", language, n=len(rows) - len(kept))), ""]
    for note in notes(regression, language):
        line = f"- {_safe(note)}"
        if sum(map(len, lines)) + len(lines) + len(line) < MOST_CHARACTERS:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _table(rows: Rows) -> list[str]:
    lines = ["| " + " | ".join(_safe(cell)[:500] for cell in row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:], ""]


def _safe(text: str) -> str:
    """Return text that Markdown shows as it is, within one cell of a table."""
    flat = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]#|~@])", r"\\\1", flat)
