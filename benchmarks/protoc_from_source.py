"""Builds protoc from its pinned sources for real, killed once in the middle, and tries the handbook's lines.

    python -m benchmarks.protoc_from_source [--jobs 2] [--kill-at 150] [--home DIR]

Prints one JSON document. A LABKIT_HOME of its own is used, empty at first. The first call runs without any network
where Linux lets us (``unshare -rn``, after archive and tools were fetched), and is ended by SIGKILL once it says that
it has reached that step; the second one goes on. It exits 1 when the second call rebuilt more than the steps that were
under way, or when the result differs from the published build. It takes 10 minutes to an hour.
"""

import argparse
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from labkit import machine
from labkit.model.source import SourceBuild
from labkit.system import proc
from labkit.system.store import Store
from labkit.toolchain import host_platform, wheels
from labkit.toolchain.source import fetch, shipped, tools
from labkit.toolchain.source.lines import try_codesign, try_configure, try_gpg

_STEP = re.compile(r"step (\d+) of (\d+)")
_LONGEST_S = 6 * 3600.0


def _command(jobs: int) -> list[str]:
    return [sys.executable, "-m", "labkit", "setup", "--from-source", "--json", "--jobs", str(jobs)]


def _without_network(environ: dict[str, str]) -> list[str]:
    unshare = shutil.which("unshare")
    if unshare is None or proc.run([unshare, "-rn", "true"], env=environ, timeout_s=30, check=False).returncode != 0:
        return []
    return [unshare, "-rn"]


def _first_call(command: list[str], environ: dict[str, str], kill_at: int) -> int:
    with proc.start(command, env=environ) as running:
        reached = 0

        def there() -> bool:
            nonlocal reached
            steps = _STEP.findall(running.output()[1].decode())
            reached = int(steps[-1][0]) if steps else 0
            time.sleep(0.5)
            return reached >= kill_at or not running.alive()

        proc.wait_until(there, timeout_s=_LONGEST_S, what=f"step {kill_at}")
        os.kill(running.pid, signal.SIGKILL)
    return reached


def _lines(platform: str) -> list[object]:
    pins = shipped()
    archives = [(pin, fetch.obtain(pin)) for pin in (*pins.older, *pins.source)]
    gpg = shutil.which("gpg")
    tried = [try_configure(archives), try_gpg(Path(gpg) if gpg else None)]
    published = pins.source[0].published
    if published is not None:
        macos = platform if platform.startswith("darwin") else "darwin/arm64"
        tried.append(try_codesign(wheels.obtain(Store(), "protoc", published, macos) / published.executable))
    return [msgspec.to_builtins(each) for each in tried]


def main() -> int:
    """Build, kill, go on, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kill-at", type=int, default=150)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    home = asked.home or Path(tempfile.mkdtemp(prefix="labkit-from-source-"))
    os.environ["LABKIT_HOME"] = str(home)
    environ = dict(os.environ)
    here = machine.read()
    platform = host_platform(here)
    pin = shipped().source[0]
    fetch.obtain(pin)
    for name, wheel in shipped().tools.items():
        tools.obtain(name, wheel, machine=here, platform=platform, environ=environ, say=lambda _: None)
    unshared = _without_network(environ)
    started = time.monotonic()
    reached = _first_call([*unshared, *_command(asked.jobs)], environ, asked.kill_at)
    first_s = time.monotonic() - started
    done = proc.run(_command(asked.jobs), env=environ, timeout_s=_LONGEST_S)
    found = msgspec.json.decode(done.stdout_bytes, type=SourceBuild)
    document = {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "machine": here.id,
        "load_average": os.getloadavg()[0],
        "first_call_without_network": bool(unshared),
        "killed_at_step": reached,
        "first_call_s": round(first_s, 1),
        "second_call": done.stderr.splitlines()[:4],
        "second_call_s": round(done.wall_time_s, 1),
        "result": msgspec.to_builtins(found),
        "lines": _lines(platform),
    }
    print(json.dumps(document, indent=1))
    kept = found.build.steps_before >= reached - asked.jobs
    return 0 if kept and found.problem is None and found.same and all(row.same for row in found.same) else 1


if __name__ == "__main__":
    sys.exit(main())
