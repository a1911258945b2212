"""Provisions a real set as roughly as it can be: many at once, killed in every phase, then without a network.

    python -m benchmarks.provision_storm [--set current] [--at-once 16] [--kills 50] [--longest-s 5] [--seed 1]

Prints one JSON document. Stores of its own in a temporary folder are used, empty at first; so are Go's caches. The
kills come in blocks, one a phase: while it starts, and after each step that it says on standard error (Go, protoc, then
each plugin) a random time. What a block's step had made is removed before its next kill, so that it is made again; the
second store shares fetched modules with the first but compiles with an empty cache. It exits 1 when something was
installed twice, broken, or could not be had offline, or when no kill fell in some phase.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from labkit.system import proc
from labkit.system.environment import base
from labkit.toolchain import pins

_NO_NETWORK = {"PIP_NO_INDEX": "1", "GOPROXY": "off"}
_START = "start"
_ENDED = "ended by itself"
_STEP = re.compile(r"^labkit setup: \[ *[\d.]+ s\] (.+) \.\.\.$", re.MULTILINE)


def _environ(home: Path, **more: str) -> dict[str, str]:
    return base(LABKIT_HOME=str(home), PYTHONPATH=str(Path.cwd()), **more)


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "labkit", "setup", "--toolchain", name, "--json"]


def _entries(home: Path) -> list[str]:
    root = home / "store"
    return sorted(each.name for each in root.iterdir() if each.name != "locks") if root.is_dir() else []


def _broken(home: Path) -> list[str]:
    # An entry under its final name must be whole: its seal is written last but one, its recipe last.
    names = [name for name in _entries(home) if not name.startswith(".")]
    return [name for name in names if not (home / "store" / name / "recipe.json").is_file()]


def phases(name: str) -> list[str]:
    """Return the phases of provisioning a set: its start, then the steps as `labkit setup` says them."""
    wanted = pins.named(name)
    plugins = [f"{pin.name} {pin.version}" for pin in wanted.plugins]
    return [_START, f"Go {wanted.go.version}", f"protoc {wanted.protoc.version}", *plugins]


def steps(said: str) -> list[str]:
    """Return the steps that were begun, from what `labkit setup` said on standard error."""
    return _STEP.findall(said)


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


def _forget(home: Path, phase: str) -> None:
    # Removes what a phase makes, so that the next process makes it again.
    for entry in (home / "store").glob(f"{phase.lower().replace(' ', '-')}-*"):
        shutil.rmtree(entry)


def _kill(home: Path, name: str, phase: str, choose: random.Random, longest_s: float) -> tuple[str, float]:
    """Kill one process a random time after a phase began; return where it fell, and the time since its last step."""
    with proc.start(_command(name), env=_environ(home), cwd=Path.cwd()) as running:
        if phase != _START:
            running.wait_for(rf"\] {re.escape(phase)} \.\.\.$", timeout_s=1800, remedy="see what holds it up")
        began = time.monotonic()
        threading.Event().wait(choose.uniform(0, longest_s))
        if not running.alive():
            return _ENDED, time.monotonic() - began
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGKILL)
        said = steps(running.output()[1].decode())
    return (said[-1] if said else _START), time.monotonic() - began


def killed(home: Path, name: str, *, kills: int, longest_s: float, seed: int) -> dict[str, object]:
    """Kill one after another at random instants of each phase; what is in the store must be whole each time."""
    choose = random.Random(seed)
    broken: list[str] = []
    fell: Counter[str] = Counter(dict.fromkeys(phases(name), 0))
    blocks = phases(name)
    for number, phase in enumerate(blocks):
        within_s = 0.5 if phase == _START else longest_s
        for _ in range(kills * (number + 1) // len(blocks) - kills * number // len(blocks)):
            _forget(home, phase)
            where, after_s = _kill(home, name, phase, choose, within_s)
            fell[where] += 1
            broken += _broken(home)
            if where != phase:  # it was through sooner here: the next ones are to fall within
                within_s = max(0.05, min(within_s, after_s) * 0.7)
    return {
        "kills": kills,
        "at_work": kills - fell[_ENDED],
        "fell_in": dict(fell),
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
        "steps": steps(done.stderr),
        "entries": _entries(home),
        "wall_time_s": round(done.wall_time_s, 1),
    }


def main() -> int:
    """Run the storm and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="current")
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--longest-s", type=float, default=5)
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
        (other / "go").mkdir(parents=True)
        (other / "go" / "mod").symlink_to(home / "go" / "mod")  # fetched modules; what is compiled is not shared
        told["killed"] = second = killed(
            other, wanted.set, kills=wanted.kills, longest_s=wanted.longest_s, seed=wanted.seed
        )
        told["completed"] = third = once(other, wanted.set)
        told["offline"] = fourth = once(other, wanted.set, **_NO_NETWORK)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    fell = second["fell_in"]
    assert isinstance(fell, dict)
    good = (
        first["succeeded"] == wanted.at_once
        and first["different_answers"] == 1
        and not second["broken_entries"]
        and (wanted.kills < len(fell) or all(fell[phase] for phase in phases(wanted.set)))
        and third["returncode"] == fourth["returncode"] == 0
        and not third["problems"]
        and not fourth["problems"]
        and not fourth["steps"]
        and third["entries"] == fourth["entries"] == first["entries"]
    )
    told["good"] = good
    print(json.dumps(told, indent=1))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
