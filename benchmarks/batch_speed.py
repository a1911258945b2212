"""Times a batch of short notebooks against papermill in a loop, in one run on one machine.

    python -m benchmarks.batch_speed [--notebooks 40] [--jobs 3] [--rounds 3] [--memory 400]

Each way is a fresh process timed from its start to its end, the ways in turn within a round: papermill's
``execute_notebook`` in a loop, its command in a loop, and ``labkit run`` (which also gathers the records and publishes
a site of them). Then one notebook by papermill and by labkit, and the driver's peak memory for 40 and for 400 points.
Prints one JSON document of ratios, each the median over the rounds with the least and the greatest.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks import batch_desk

LOOP = """
import papermill
for number in range({count}):
    out, given = f"out-{{number}}.ipynb", dict(count=number)
    papermill.execute_notebook("notebooks/one.ipynb", out, parameters=given, progress_bar=False)
"""


def timed(*commands: list[str], folder: Path) -> float:
    """Return the seconds that commands take one after the other."""
    environment = os.environ | {"LABKIT_HOME": str(folder / "home"), "PYTHONPATH": str(Path.cwd())}
    started = time.perf_counter()
    for command in commands:
        done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    return time.perf_counter() - started


def papermill_loop(count: int) -> float:
    with desk(count) as folder:
        return timed([sys.executable, "-c", LOOP.format(count=count)], folder=Path(folder))


def papermill_command(count: int) -> float:
    with desk(count) as folder:
        commands = [
            [
                sys.executable,
                "-m",
                "papermill",
                "notebooks/one.ipynb",
                f"out-{number}.ipynb",
                "-p",
                "count",
                str(number),
            ]
            for number in range(count)
        ]
        return timed(*commands, folder=Path(folder))


def labkit(count: int, jobs: int) -> float:
    with desk(count) as folder:
        return timed(labkit_command(jobs), folder=Path(folder))


def labkit_command(jobs: int) -> list[str]:
    return [sys.executable, "-m", "labkit", "-q", "run", "--params", "many", "--jobs", str(jobs)]


def desk(count: int) -> "tempfile.TemporaryDirectory[str]":
    folder = tempfile.TemporaryDirectory(prefix="labkit-speed-")
    batch_desk.make(Path(folder.name), {"one": "print(count)"}, count)
    return folder


def driver_peak_mib(count: int, jobs: int) -> float:
    """Return the driver's own peak resident memory, without its workers and kernels."""
    with desk(count) as name:
        folder = Path(name)
        environment = os.environ | {"LABKIT_HOME": str(folder / "home"), "PYTHONPATH": str(Path.cwd())}
        quiet = subprocess.DEVNULL
        with subprocess.Popen(labkit_command(jobs), cwd=folder, env=environment, stdout=quiet, stderr=quiet) as running:
            process, peak = psutil.Process(running.pid), 0
            while running.poll() is None:
                try:
                    peak = max(peak, process.memory_info().rss)
                except psutil.Error:
                    break
                time.sleep(0.02)
        assert running.returncode == 0
        return peak / 2**20


def ratio(ours: list[float], theirs: list[float]) -> dict[str, float]:
    found = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {
        "median": round(statistics.median(found), 3),
        "least": round(min(found), 3),
        "greatest": round(max(found), 3),
    }


def main() -> None:
    """Run all of it."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--notebooks", type=int, default=40)
    arguments.add_argument("--commands", type=int, default=10, help="papermill's command is timed over so many")
    arguments.add_argument("--jobs", type=int, default=3)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--memory", type=int, default=400)
    given = arguments.parse_args()
    count = given.notebooks
    loops, commands, ours, one_theirs, one_ours = [], [], [], [], []
    papermill_loop(1), labkit(1, 1)  # both warm
    for _ in range(given.rounds):
        loops.append(papermill_loop(count) / count)
        ours.append(labkit(count, given.jobs) / count)
        commands.append(papermill_command(given.commands) / given.commands)
        one_theirs.append(papermill_loop(1))
        one_ours.append(labkit(1, 1))
    document = {
        "notebooks": count,
        "jobs": given.jobs,
        "cores": os.cpu_count(),
        "load_1min": os.getloadavg()[0],
        "seconds_a_notebook": {
            name: [round(value, 2) for value in values]
            for name, values in (("papermill loop", loops), ("papermill command", commands), ("labkit", ours))
        },
        "throughput_to_papermill_loop": ratio(loops, ours),
        "throughput_to_papermill_command": ratio(commands, ours),
        "one_notebook_to_papermill": ratio(one_ours, one_theirs),
    }
    if given.memory:
        document["driver_peak_mib"] = {
            str(points): round(driver_peak_mib(points, given.jobs), 1) for points in (count, given.memory)
        }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
