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
