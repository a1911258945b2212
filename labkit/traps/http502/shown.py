"""An error.log by the leaves of its lines, for a terminal and as a document. Prints nothing itself."""

from collections.abc import Iterator

from labkit.model.errorlog import Classified, ErrorLogLine, ErrorLogOutput
from labkit.traps.http502.tree import classify, tree
from labkit.words import Language, render, say


def output(text: str, language: Language | None = None) -> ErrorLogOutput:
    """Return every line of an error.log with its leaf, cause and fix."""
    lines = tuple(_line(found, language) for found in classify(text))
    return ErrorLogOutput(lines=lines, unknown=sum(line.leaf is None for line in lines))


def _line(found: Classified, language: Language | None) -> ErrorLogLine:
    leaf = None if found.leaf is None else tree().by_id(found.leaf)
    return ErrorLogLine(
        line_number=found.line_number,
        line=found.line,
        leaf=found.leaf,
        cause=render(leaf.cause, language) if leaf else None,
        fix=render(leaf.fix, language) if leaf else None,
        command=found.command,
        statuses=found.statuses,
        upstream=found.upstream,
    )


def lines(text: str, language: Language | None = None) -> Iterator[str]:
    """Return the leaves of an error.log, the most frequent first, each with its first line; last what is unknown."""
    by_leaf: dict[str, list[ErrorLogLine]] = {}
    for line in output(text, language).lines:
        by_leaf.setdefault(line.leaf or "", []).append(line)
    unknown = by_leaf.pop("", [])
    for leaf, found in sorted(by_leaf.items(), key=lambda item: -len(item[1])):
        first = found[0]
        status = "/".join(str(code) if code else "-" for code in first.statuses)
        yield say("trap_http502.log.leaf", language, leaf=leaf, count=len(found), status=status)
        yield f"  {first.line_number}: {first.line}"
        yield f"  {say('trap_http502.log.cause', language)}: {first.cause}"
        yield f"  {say('trap_http502.log.fix', language)}: {first.fix}"
        yield f"  $ {first.command}"
    if unknown:
        yield say("trap_http502.log.unknown", language, count=len(unknown))
        yield f"  {unknown[0].line_number}: {unknown[0].line}"
    if not by_leaf and not unknown:
        yield say("trap_http502.log.empty", language)
