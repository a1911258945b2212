"""Provisions a real set as roughly as it can be: many at once, killed at random instants, then without a network.

    python benchmarks/provision_storm.py [--set current] [--at-once 16] [--kills 50] [--longest-s 6] [--seed 1]

Prints one JSON document. A store of its own in a temporary folder is used, empty at first; so are Go's caches. Takes a
quarter of an hour at most. It exits 1 when something was installed twice, broken, or could not be had offline.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from labkit.system import proc
from labkit.system.environment import base

_NO_NETWORK = {"PIP_NO_INDEX": "1", "GOPROXY": "off"}


def _environ(home: Path, **more: str) -> dict[str, str]:
    return base(LABKIT_HOME=str(home), PYTHONPATH=str(Path.cwd()), **more)


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "labkit", "-q", "setup", "--toolchain", name, "--json"]


def _entries(home: Path) -> list[str]:
    root = home / "store"
    return sorted(each.name for each in root.iterdir() if each.name != "locks") if root.is_dir() else []


def _broken(home: Path) -> list[str]:
    # An entry under its final name must be whole: its seal is written last but one, its recipe last.
    names = [name for name in _entries(home) if not name.startswith(".")]
    return [name for name in names if not (home / "store" / name / "recipe.json").is_file()]


def at_once(home: Path, name: str, count: int) -> dict[str, object]:
    """Start many on an empty store; all must succeed with the same answer."""
    started = time.monotonic()
    running = [proc.start(_command(name), env=_environ(home), cwd=Path.cwd()) for _ in range(count)]
    codes, answers = [], set()
    for each in running:
        codes.append(each.wait(1800))
        answers.add(each.completed().stdout)
        each.__exit__()
    return {
        "processes": count,
        "succeeded": codes.count(0),
        "different_answers": len(answers),
        "entries": _entries(home),
        "wall_time_s": round(time.monotonic() - started, 1),
    }


def killed(home: Path, name: str, *, kills: int, longest_s: float, seed: int) -> dict[str, object]:
    """Kill one after another at random instants; what is in the store must be whole each time."""
    choose = random.Random(seed)
    broken: list[str] = []
    at_work = 0
    for _ in range(kills):
        with proc.start(_command(name), env=_environ(home), cwd=Path.cwd()) as running:
            threading.Event().wait(choose.uniform(0, longest_s))
            at_work += running.alive()
            with contextlib.suppress(ProcessLookupError):
                os.kill(running.pid, signal.SIGKILL)
        broken += _broken(home)
    return {
        "kills": kills,
        "at_work": at_work,
        "longest_s": longest_s,
        "seed": seed,
        "broken_entries": broken,
        "then": _entries(home),
    }


def once(home: Path, name: str, **more: str) -> dict[str, object]:
    """Provision once and say how it went."""
    done = proc.run(_command(name), env=_environ(home, **more), timeout_s=1800, cwd=Path.cwd(), check=False)
    problems = [tool["problem"] for tool in json.loads(done.stdout).get("tools", [])] if done.stdout else ["no answer"]
    return {
        "returncode": done.returncode,
        "tools": len(problems),
        "problems": [problem for problem in problems if problem],
        "entries": _entries(home),
        "wall_time_s": round(done.wall_time_s, 1),
    }


def main() -> int:
    """Run the storm and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default="current")
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--longest-s", type=float, default=6)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="a storm "))
    try:
        home, other = folder / "first home", folder / "second home"
        told: dict[str, object] = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            "set": wanted.set,
        }
        told["at_once"] = first = at_once(home, wanted.set, wanted.at_once)
        other.mkdir()
        (other / "go").symlink_to(home / "go")  # the kills are of an empty store; modules need not be fetched again
        told["killed"] = second = killed(
            other, wanted.set, kills=wanted.kills, longest_s=wanted.longest_s, seed=wanted.seed
        )
        told["completed"] = third = once(other, wanted.set)
        told["offline"] = fourth = once(other, wanted.set, **_NO_NETWORK)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    good = (
        first["succeeded"] == wanted.at_once
        and first["different_answers"] == 1
        and not second["broken_entries"]
        and third["returncode"] == fourth["returncode"] == 0
        and not third["problems"]
        and not fourth["problems"]
        and third["entries"] == fourth["entries"] == first["entries"]
    )
    told["good"] = good
    print(json.dumps(told, indent=1))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
