"""Runs ninja, shows how far it is, and says in the compiler's own words what failed.

Ninja puts each command into a process group of its own (subprocess-posix.cc, POSIX_SPAWN_SETPGROUP), so that compilers
outlive a ninja that was killed, for as long as their step takes. All of them inherit an open FIFO; the next call waits
until nobody holds it, for two compilers must not write one object.
"""

import errno
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.errors import ProvisionError
from labkit.system import proc
from labkit.system.store import saying_why
from labkit.toolchain.source import offline

_STEP: Final = re.compile(r"^\[(\d+)/(\d+)\]", re.MULTILINE)
_TIMEOUT_S: Final = 6 * 3600.0
_EVERY_S: Final = 10.0
_LOOK_S: Final = 0.5
_MAX_WORDS: Final = 4
_ORPHANS_TIMEOUT_S: Final = 900.0
_HOLDING: Final = 'exec 9<> "$0"; exec "$@"'  # a fixed text: what it opens and starts are its arguments


@dataclass(frozen=True, kw_only=True)
class Run:
    """One call of ninja."""

    ninja: Path
    build: Path
    target: str
    jobs: int
    steps: int  # of the whole build, those made before included
    log: Path  # where all that it says is kept when it fails


def remaining(ninja: Path, build: Path, target: str, environ: Mapping[str, str]) -> int:
    """Return how many steps a build still has before it, by a dry run.

    Raises:
        ProvisionError: Ninja cannot read the build's files.

    """
    command: list[str | Path] = [ninja, "-C", build, "-n", target]
    done = proc.run(command, env=_environment(environ), timeout_s=300, check=False)
    if done.returncode != 0:
        raise ProvisionError(
            f"ninja cannot go on with {build}: {done.last_words()}", remedy=f"delete {build.parent}, then run it again"
        )
    steps = _STEP.findall(done.stdout)
    return int(steps[-1][1]) if steps else 0


def run(wanted: Run, environ: Mapping[str, str], say: Callable[[str], None]) -> tuple[int, float]:
    """Build, and return the number of steps that were done before, and the seconds that this call took.

    Raises:
        ProvisionError: A step failed; the words are the compiler's.

    """
    before = max(0, wanted.steps - remaining(wanted.ninja, wanted.build, wanted.target, environ))
    if before:
        say(f"{before} of {wanted.steps} steps were done before and are kept")
    command: list[str | Path] = ["/bin/sh", "-c", _HOLDING, _held_by_all(wanted.build, say)]
    command += [wanted.ninja, "-C", wanted.build, "-j", str(wanted.jobs), wanted.target]
    shown_at = 0.0
    looked_at = 0.0
    with proc.start(command, env=_environment(environ)) as running:

        def ended() -> bool:
            nonlocal shown_at, looked_at
            now = time.monotonic()
            if now - looked_at < _LOOK_S:
                return False
            looked_at = now
            if now - shown_at >= _EVERY_S:
                steps = _STEP.findall(running.output()[0].decode("utf-8", "replace"))
                if steps:
                    say(f"step {before + int(steps[-1][0])} of {wanted.steps}")
                    shown_at = now
            return not running.alive()

        proc.wait_until(ended, timeout_s=_TIMEOUT_S, what=f"the end of {wanted.target}'s build")
        done = running.completed()
    if done.returncode != 0:
        with saying_why(f"cannot write {wanted.log}"):
            wanted.log.write_text(done.stdout + done.stderr, "utf-8")
        raise ProvisionError(
            f"{wanted.target} could not be built ({proc.describe_exit(done.returncode)}): {failure(done.stdout)}",
            remedy=f"mend what the compiler names (with too little memory: --jobs 1), then run the same command again: "
            f"it goes on where it stopped; all that was said is in {wanted.log}",
        )
    return before, done.wall_time_s


def failure(said: str) -> str:
    """Return the compiler's own words of ninja's output: its first errors, else what follows the failed step."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    said_errors = [line for line in lines if re.search(r"\b(fatal )?error\b:", line, re.IGNORECASE)]
    errors = [line for line in said_errors if not re.search(r"collect2: error|linker command failed", line)]
    if errors:
        return " | ".join(errors[:_MAX_WORDS])
    failed = next((at for at, line in enumerate(lines) if line.startswith("FAILED:")), None)
    if failed is None:
        return " | ".join(lines[-_MAX_WORDS:]) or "it printed nothing"
    return " | ".join(lines[failed + 2 : failed + 2 + _MAX_WORDS] or lines[failed : failed + 1])


def _held_by_all(build: Path, say: Callable[[str], None]) -> Path:
    held = build / "held.fifo"
    with saying_why(f"cannot work in {build}"):
        if not held.exists():
            os.mkfifo(held, 0o600)
        if _is_held(held):
            say("waiting for compilers that the interrupted call left")
            proc.wait_until(lambda: not _is_held(held), timeout_s=_ORPHANS_TIMEOUT_S, what="their end")
    return held


def _is_held(fifo: Path) -> bool:
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        if error.errno == errno.ENXIO:  # open(2): nobody has it open for reading
            return False
        raise
    return True


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return offline.environment(environ) | {"NINJA_STATUS": "[%f/%t] "}
