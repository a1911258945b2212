"""Where log lines go: the terminal by the user's wish, a file a run, and the same file from a notebook's kernel."""

import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import Final

#: Names the log file to a notebook's kernel.
VARIABLE: Final = "LABKIT_LOG"

_FORMAT: Final = "%(asctime)s %(process)d %(levelname)-7s %(name)s: %(message)s"


def to_terminal(level: int) -> None:
    """Show labkit's log lines of a level and above on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    _add(handler)


def to_file(path: Path) -> logging.Handler:
    """Append every log line of labkit to a file, and return the handler to remove in the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = _File(path, encoding="utf-8", delay=True)
    handler.setLevel(logging.DEBUG)
    handler.setFormatter(logging.Formatter(_FORMAT))
    _add(handler)
    return handler


class _File(logging.FileHandler):
    """A log file whose disk may be full: a line that cannot be written is lost, and nothing else is said."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def remove(handler: logging.Handler) -> None:
    """Stop logging to a handler."""
    logging.getLogger("labkit").removeHandler(handler)
    with contextlib.suppress(OSError):
        handler.close()


def from_environment() -> None:
    """Log to the file that the batch named, if one did; calling it again changes nothing."""
    named = os.environ.get(VARIABLE)
    known = [getattr(handler, "baseFilename", "") for handler in logging.getLogger("labkit").handlers]
    if named and str(Path(named).absolute()) not in known:
        to_file(Path(named).absolute())


def _add(handler: logging.Handler) -> None:
    logger = logging.getLogger("labkit")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
