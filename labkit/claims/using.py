"""What one check has asked, in the thread that it runs in: shared facts by name, tools with their versions."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Using:
    """What was asked."""

    def __init__(self) -> None:
        self.facts: dict[str, None] = {}
        self.tools: dict[str, str] = {}
        self.asked: set[str] = set()
        self.refused: str = ""


_using: ContextVar[Using | None] = ContextVar("labkit-claims-using", default=None)


@contextmanager
def watching() -> Iterator[Using]:
    """Collect what is asked within, in this thread."""
    outer, seen = _using.get(), Using()
    token = _using.set(seen)
    try:
        yield seen
    finally:
        _using.reset(token)
        if outer is not None:
            outer.tools.update(seen.tools)
            outer.asked.update(seen.asked)
            outer.refused = outer.refused or seen.refused


def current() -> Using | None:
    """Return what collects in this thread now, None where nothing does."""
    return _using.get()


def note_tool(name: str, version: str) -> None:
    """Note that a tool was asked for."""
    using = _using.get()
    if using is not None:
        using.tools[name] = version


def note_asked(*names: str) -> None:
    """Note what was asked for that a test could replace."""
    using = _using.get()
    if using is not None:
        using.asked.update(names)


def note_refused(what: str) -> None:
    """Note that something is not here and is not to be gathered now."""
    using = _using.get()
    if using is not None:
        using.refused = using.refused or what
