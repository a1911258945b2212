"""Runs `labkit traps` many times in a row: does each run pass, and is no process, listening port or file left behind?

    python benchmarks/traps_runs.py [--runs 20] [--jobs N] [--quiet] [ID...]

Before and after each run the processes and listening ports are read from /proc, and the temporary folder, which
is one of this program's own. What carries that folder's name in its environment, arguments or current folder is the
traps'; with --quiet, on a machine where nothing else runs, any new process or port counts. One JSON line a run on
standard output, and a last one for all; exit code 1 when a run failed or left something. Linux only.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labkit.system import proc

_LISTEN = "0A"  # include/net/tcp_states.h
_SETTLE_S = 5.0


@dataclass(frozen=True)
class Seen:
    """What a machine has at one moment."""

    processes: frozenset[tuple[int, str]]
    ports: frozenset[int]
    files: frozenset[str]


def processes() -> Iterator[tuple[int, str, str]]:
    """Yield each process: its id and start, its command, and all that could name its folder."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
                about = command + (folder / "environ").read_bytes().decode("utf-8", "replace")
                with contextlib.suppress(OSError):
                    about += str((folder / "cwd").readlink())
                if command:  # a kernel's thread or a zombie has none
                    yield int(folder.name), command, about


def ports() -> Iterator[int]:
    """Yield the TCP ports that something listens on."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                _, local, _, state, *_ = line.split()
                if state == _LISTEN:
                    yield int(local.rsplit(":", 1)[1], 16)


def look(folder: Path, *, everything: bool) -> Seen:
    """Return what is there now: the traps' own, or everything."""
    return Seen(
        processes=frozenset((pid, cmd) for pid, cmd, about in processes() if everything or str(folder) in about),
        ports=frozenset(ports()),
        files=frozenset(str(path.relative_to(folder)) for path in folder.rglob("*")),
    )


def once(ids: list[str], jobs: int | None, folder: Path, *, quiet: bool) -> dict[str, object]:
    """Run all traps once and return how it went and what was left."""
    before = look(folder, everything=quiet)
    command = [sys.executable, "-m", "labkit", "-q", "traps", *ids, "--json", *(["--jobs", str(jobs)] if jobs else [])]
    environ = dict(os.environ) | {"TMPDIR": str(folder)}
    done = proc.run(command, env=environ, timeout_s=900, cwd=Path.cwd(), check=False)
    deadline = time.monotonic() + _SETTLE_S
    while (left := look(folder, everything=quiet)) != before and time.monotonic() < deadline:
        time.sleep(0.1)
    document = json.loads(done.stdout) if done.stdout.strip() else {"traps": []}
    # The watcher of this program itself was started with its first child.
    new = [f"{pid} {cmd[:120]}" for pid, cmd in left.processes - before.processes if "groups=" not in cmd]
    return {
        "exit_code": done.returncode,
        "wall_time_s": round(done.wall_time_s, 2),
        "statuses": {trap["id"]: trap["status"] for trap in document["traps"]},
        "durations_s": {trap["id"]: trap["duration_s"] for trap in document["traps"]},
        "reasons": {trap["id"]: trap["reason"] for trap in document["traps"] if trap["reason"]},
        "left_processes": new,
        "left_ports": sorted(left.ports - before.ports) if quiet or new else [],
        "new_ports_on_the_machine": sorted(left.ports - before.ports),
        "left_files": sorted(left.files - before.files),
        "stderr": done.stderr[-500:] if done.returncode not in {0, 1} else "",
    }


def main() -> int:
    """Run, print, and say whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ids", nargs="*")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--quiet", action="store_true")
    given = parser.parse_args()
    results: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="lk-runs-") as name:
        Path(name).chmod(0o1777)  # as the system's own: PostgreSQL, which refuses root, must pass through it
        for number in range(given.runs):
            result = once(given.ids, given.jobs, Path(name), quiet=given.quiet)
            results.append(result)
            print(json.dumps({"run": number + 1} | result), flush=True)
    fine = [
        each["exit_code"] == 0 and not (each["left_processes"] or each["left_ports"] or each["left_files"])
        for each in results
    ]
    times = [float(str(each["wall_time_s"])) for each in results]
    print(
        json.dumps(
            {"runs": len(fine), "fine": sum(fine), "median_s": statistics.median(times), "longest_s": max(times)}
        )
    )
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
