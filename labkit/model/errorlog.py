"""A line of nginx's error.log, with the leaf of the decision tree that it is."""

from labkit.model.base import Record


class Classified(Record, frozen=True, kw_only=True):
    """One line. ``leaf`` is None for a line that the tree does not know; its cause and fix are texts by the leaf."""

    line_number: int  # from 1, in the text that was read
    line: str
    leaf: str | None
    statuses: tuple[int, ...] = ()  # what a client gets; 0: no answer that is HTTP
    command: str | None = None  # what to type next
    upstream: str | None = None  # the one that the line names


class ErrorLogLine(Record, frozen=True, kw_only=True):
    """One line as ``labkit traps http502 --log FILE --json`` says it."""

    line_number: int  # from 1
    line: str
    leaf: str | None  # None: the tree does not know it
    cause: str | None
    fix: str | None
    command: str | None
    statuses: tuple[int, ...]
    upstream: str | None


class ErrorLogOutput(Record, frozen=True, kw_only=True):
    """``labkit traps http502 --log FILE --json``; the exit code is 0 whatever the lines are."""

    lines: tuple[ErrorLogLine, ...]
    unknown: int  # how many of them the tree does not know
