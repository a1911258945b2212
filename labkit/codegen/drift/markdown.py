"""A comparison as Markdown, for a pull request's comment or a job's summary.

Bounded, and safe to show: nothing of a file's text is read as Markdown or HTML.
"""

import re
from collections.abc import Iterator
from typing import Final

from labkit.codegen.drift.shown import difference, maker, reasons, summary
from labkit.model.drift import Drift, DriftFile, DriftKind
from labkit.words import Language, render, say

#: GitHub refuses a comment of more than 65,536 characters; a job's summary may hold 1 MiB.
MOST_CHARACTERS: Final = 60_000
_MOST_FILES: Final = 100
_MOST_DIFFERENCES: Final = 20
_ORDER: Final = (DriftKind.SEMANTIC, DriftKind.MISSING, DriftKind.ORPHAN, DriftKind.FORMAT, DriftKind.HEADER)


def markdown(drift: Drift, *, command: str | None = None, language: Language | None = None) -> str:
    """Return a heading, the counts by kind, a table of the files that differ (the gravest first) and where they do.

    Args:
        drift: The comparison.
        command: What generates the code anew, to be shown where something differs.
        language: The reader's language.

    """
    sign = "✅" if drift.clean else "❌"
    lines = [f"### {sign} {_safe(say('drift.title', language))}", "", _safe(summary(drift, language)) + ".", ""]
    lines += _table(
        ("kind", "n", "meaning"),
        [
            (f"**{say(f'drift.kind.{kind}', language)}**", str(n), _safe(say(f"drift.meaning.{kind}", language)))
            for kind, n in drift.counts.items()
            if n
        ],
        language,
    )
    differing = sorted(
        (file for file in drift.files if file.kind is not DriftKind.SAME), key=lambda file: _ORDER.index(file.kind)
    )
    rows = [
        (say(f"drift.kind.{file.kind}", language), _code(file.path), *map(_safe, _said(file, language)))
        for file in differing[:_MOST_FILES]
    ]
    if rows:
        lines += _table(("kind", "path", "reason", "made_by"), rows, language)
    if len(differing) > _MOST_FILES:
        lines += [_safe(say("drift.more_files", language, n=len(differing) - _MOST_FILES)), ""]
    if differing and command:
        lines += [say("drift.mend", language), "", "```sh", command.replace("```", "` ` `"), "```", ""]
    lines += _refused(drift, language)
    return _within(lines, differing[:_MOST_FILES], language)


def _said(file: DriftFile, language: Language | None) -> tuple[str, str]:
    return reasons(file, language), maker(file, language)


def _refused(drift: Drift, language: Language | None) -> list[str]:
    if not drift.refused:
        return []
    lines = [f"**{say('drift.refused_head', language)}**", ""]
    for each in drift.refused[:_MOST_FILES]:
        where = each.source + (f":{each.line}" if each.line else "")
        lines.append(f"- {_code(where)}: {_safe(render(each.reason, language))}")
    return [*lines, ""]


def _within(lines: list[str], files: list[DriftFile], language: Language | None) -> str:
    text = "\n".join(lines)
    for block in _details(files, language):
        if len(text) + len(block) > MOST_CHARACTERS:
            return text + "\n" + _safe(say("drift.more_files", language, n=len(files))) + "\n"
        text += "\n" + block
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS].rsplit("\n", 1)[0] + "\n"


def _details(files: list[DriftFile], language: Language | None) -> Iterator[str]:
    for file in files:
        if not file.differences:
            continue
        lines = [f"<details><summary>{_code_html(file.path)}</summary>", ""]
        lines += [f"- {_code(difference(each, language))}" for each in file.differences[:_MOST_DIFFERENCES]]
        left = len(file.differences) - _MOST_DIFFERENCES + file.left_out
        if left > 0:
            lines.append(f"- {_safe(say('drift.more', language, n=left))}")
        yield "\n".join([*lines, "", "</details>", ""])


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]], language: Language | None) -> list[str]:
    first = "| " + " | ".join(say(f"drift.head.{head}", language) for head in heads) + " |"
    return [first, "|" + "---|" * len(heads), *("| " + " | ".join(row) + " |" for row in rows), ""]


def _safe(text: str) -> str:
    """Return text that Markdown shows as it is, within one cell of a table."""
    flat = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]#|~@])", r"\\\1", flat)


def _code(text: str) -> str:
    """Return text as code, within one cell of a table; a fence longer than any within holds it."""
    flat = " ".join(text.split()).replace("|", "\\|") or " "
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {flat} {fence}" if longest else f"{fence}{flat}{fence}"


def _code_html(text: str) -> str:
    flat = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<code>{flat}</code>"
