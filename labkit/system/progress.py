"""Progress on standard error: lines for steps, bars for counts; nothing when ``LABKIT_PROGRESS`` is ``off``.

The batch switches it off for its kernels, whose notebooks would keep what they print, and ``labkit --quiet`` for
itself.
"""

import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, Final

VARIABLE: Final = "LABKIT_PROGRESS"
OFF: Final = "off"


def wanted() -> bool:
    """Return whether progress is to be shown."""
    return os.environ.get(VARIABLE) != OFF


def steps(title: str) -> Callable[[str], None]:
    """Return a function that shows one line a step of work whose length nobody knows, with the time since the start."""
    started = time.monotonic()

    def show(line: str) -> None:
        if wanted():
            sys.stderr.write(f"{title}: [{time.monotonic() - started:5.1f} s] {line} ...\n")
            sys.stderr.flush()

    return show


def bar(title: str, *, unit: str = "process") -> Callable[[int, int, str], None]:
    """Return a function of (done, all, what now) that moves a bar, which counts in a unit.

    Examples:
        >>> move = bar("measuring", unit="kernel")
        >>> move(1, 2, "fft")
        >>> move(2, 2, "marshal")

    """
    if not wanted():
        return lambda _done, _all, _what: None
    shown: Any = None

    def move(done: int, everything: int, what: str) -> None:
        nonlocal shown
        if shown is None:  # work that turns out to be none shows no bar, and does not wait for the library
            shown = _tqdm()(desc=title, unit=unit, leave=False, dynamic_ncols=True)
        shown.total = everything
        shown.set_postfix_str(what, refresh=False)
        shown.update(done - shown.n)
        if done >= everything:
            shown.close()

    return move


def _tqdm() -> Any:  # noqa: ANN401 - a class that tqdm chooses
    """Return the bar that suits: a widget in a notebook where ipywidgets is installed, else a line of text."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")  # the line of text is what is wanted then
        from tqdm.auto import tqdm
    return tqdm
