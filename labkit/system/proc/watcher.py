"""The watcher: one tiny process that ends our children's groups once this process is gone, however it went."""

import atexit
import contextlib
import os
import signal
import subprocess
import threading

# Reads "+ PGID" and "- PGID" lines; at the end of its input the groups that were not taken back are ended.
_WATCHER = """
trap '' INT TERM HUP
groups=" "
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
  esac
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
exit 0
"""


class _Watcher:
    """The watcher process of this labkit process, started with the first child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._groups: set[int] = set()

    def ready(self) -> None:
        """Start the watcher if it does not run, so that a child that is started next is told of at once."""
        with self._lock:
            self._ensure()

    def tell(self, sign: str, group: int) -> None:
        """Name a group that is to be ended with this process (``+``), or take it back (``-``)."""
        with self._lock:
            self._ensure()
            assert self._process is not None  # noqa: S101 - for the type checker
            assert self._process.stdin is not None  # noqa: S101 - for the type checker
            self._process.stdin.write(f"{sign} {group}\n".encode())
            self._process.stdin.flush()
            if sign == "+":
                self._groups.add(group)
            else:
                self._groups.discard(group)

    def groups(self) -> frozenset[int]:
        """Return the groups that were named and not taken back."""
        with self._lock:
            return frozenset(self._groups)

    def own(self) -> frozenset[int]:
        """Return the group of the watcher itself; none when it does not run."""
        with self._lock:
            return frozenset() if self._process is None else frozenset({self._process.pid})

    def _ensure(self) -> None:
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            self._start()

    def _start(self) -> None:
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin"},
            cwd="/",
            start_new_session=True,
        )
        atexit.register(self._stop, self._process)

    @staticmethod
    def _stop(process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2)


#: The watcher of this process.
watcher = _Watcher()


def end_group(group: int, how: signal.Signals) -> None:
    """Send a signal to a whole process group; that nobody is left in it is fine."""
    # ESRCH: nobody is left. EPERM: macOS says so when only a zombie is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, how)
