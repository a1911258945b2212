"""Where a trap's parts run: a folder of its own, free ports of 127.0.0.1, children that the rig ends. Knows no trap."""

import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self, TypeVar

from labkit.errors import ProcessError, TimeoutExpiredError
from labkit.system import environment, proc
from labkit.system.proc import Completed, Running

_T = TypeVar("_T")

#: Seconds that a part may take to be ready, and a condition to come true; wide, for a machine may be busy.
PATIENCE_S = 60.0
_POLL_S = 0.02

#: Ports that rigs of this process were given; traps run side by side.
_GIVEN: Final[set[int]] = set()
_GUARD: Final = threading.Lock()


class Rig:
    """A context manager; at its end every child and the folder are gone, whatever happened in between."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stack = contextlib.ExitStack()
        self._children: list[tuple[str, Running]] = []

    def __enter__(self) -> Self:
        # Short, for the path of a UNIX socket has at most 104 bytes on macOS.
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix=f"lk-{self._name}-")))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @staticmethod
    def environment(**variables: str) -> dict[str, str]:
        """Return the environment that children get: the base one, in C's language, and these."""
        return dict(environment.base(**{"LC_ALL": "C", **variables}))

    @staticmethod
    def port() -> int:
        """Return a port of 127.0.0.1 that is free now and that no rig of this process was given before.

        The system may name one port twice while nothing listens there yet, and nginx takes two servers on one.
        """
        with _GUARD:
            while True:
                with socket.socket() as taken:
                    taken.bind(("127.0.0.1", 0))
                    found = int(taken.getsockname()[1])
                if found not in _GIVEN:
                    _GIVEN.add(found)
                    return found

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout_s: float = PATIENCE_S,
        stdin: bytes | None = None,
    ) -> Completed:
        """Run a program to its end in the rig's folder; errors as :func:`labkit.system.proc.run`."""
        return proc.run(
            argv, env=env or self.environment(), cwd=self.folder, check=check, timeout_s=timeout_s, stdin=stdin
        )

    def start(self, what: str, argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> Running:
        """Start a part that stays; the rig ends it, and :meth:`until` fails when it ends by itself."""
        child = self._stack.enter_context(proc.start(argv, env=env or self.environment(), cwd=self.folder))
        self._children.append((what, child))
        return child

    def enter(self, part: contextlib.AbstractContextManager[_T]) -> _T:
        """Enter what a part needs; it is left at the rig's end, before all that was there earlier."""
        return self._stack.enter_context(part)

    def end(self, child: Running) -> None:
        """End a part now, on purpose."""
        self._children = [(what, other) for what, other in self._children if other is not child]
        child.stop()

    def until(self, what: str, condition: Callable[[], _T | None], *, timeout_s: float = PATIENCE_S) -> _T:
        """Return the condition's first value that is true.

        Raises:
            TimeoutExpiredError: It did not come in time.
            ProcessError: A part ended meanwhile.

        """
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            self.check_parts()
            if time.monotonic() > deadline:
                raise TimeoutExpiredError(
                    f"{self._name}: {what} did not come within {timeout_s:g} s",
                    remedy="run it once more when the machine is less busy; with -v the log shows what the parts said",
                )
            time.sleep(_POLL_S)
        return value

    def listening(self, port: int) -> None:
        """Wait until something accepts connections on a port of 127.0.0.1."""
        self.until(f"a listener on port {port}", lambda: _accepts(port))

    def check_parts(self) -> None:
        """Raise a ProcessError when a part has ended by itself: a crash is no pass."""
        for what, child in self._children:
            if not child.alive():
                said = child.completed()
                raise ProcessError(
                    f"{self._name}: {what} ended by itself with {proc.describe_exit(said.returncode)}: "
                    f"{said.last_words()}",
                    remedy="run it once more with -v and read the log for its whole output",
                )


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
