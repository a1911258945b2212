"""Kills a batch by SIGKILL at random instants, the driver, a worker and a kernel in turn, and resumes it.

    python -m benchmarks.batch_kills [--kills 200] [--seed 1]

A batch of two points of two short notebooks, two at a time. Half of the kills come at a random instant, half right
after a file appeared or changed in a run's folder, which is while the batch writes. After each kill every file that has
its final name must read whole. The batch is resumed until it is complete (a killed worker or kernel need not have
stopped it); then no notebook that had been written down as ended may have been executed again or be lost, every record
must read, and no process of the batch may be left. A kernel that was killed is a failure recorded with its cause.
Prints one JSON document: how many kills hit what, and each fault.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec
import nbformat
import psutil

from benchmarks import batch_desk
from labkit.lab.leftovers import VARIABLE
from labkit.model.batch import BatchPlan
from labkit.model.run import NotebookStatus
from labkit.system import records

SOURCE = """
import pathlib, time
with pathlib.Path("executed.txt").open("a") as notes:
    notes.write(f"{name} {{count}}\\n")
time.sleep(0.05)
print("executed", count)
"""
NAMES = ("one", "two")
POINTS = 2
RESUMES = 5


class Desk:
    """One round: a folder, a LABKIT_HOME, and the batch in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"LABKIT_HOME": str(folder / "home"), "PYTHONPATH": str(Path.cwd())}
        batch_desk.make(folder, {name: SOURCE.format(name=name) for name in NAMES}, POINTS)

    def start(self, *more: str) -> "subprocess.Popen[bytes]":
        argv = [sys.executable, "-m", "labkit", "-q", "run", "--params", "many", "--jobs", "2", *more]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(argv, cwd=self.folder, env=self.environment, stdout=quiet, stderr=quiet)

    def runs(self) -> list[Path]:
        return [path for path in self.folder.glob("runs/*/*") if path.parent.name != "batches"]

    def state(self) -> set[tuple[str, int]]:
        found: set[tuple[str, int]] = set()
        for root, _folders, files in os.walk(self.folder / "runs"):
            for name in files:
                try:
                    found.add((f"{root}/{name}", os.stat(f"{root}/{name}").st_mtime_ns))  # noqa: PTH116 - speed
                except OSError:
                    continue
        return found

    def ended(self) -> set[tuple[str, str]]:
        """Return which notebooks of which runs are written down as ended."""
        found = set()
        for run in self.runs():
            found |= {(run.name, path.stem) for path in run.glob(".finished/*.json")}
            if (run / "record.json").is_file():
                record = records.read(run / "record.json")
                found |= {(run.name, one.name) for one in record.notebooks if one.status != "interrupted"}
        return found

    def executions(self) -> Counter[str]:
        try:
            return Counter((self.folder / "executed.txt").read_text("utf-8").splitlines())
        except FileNotFoundError:
            return Counter()

    def torn(self) -> list[str]:
        """Return the files with a final name that do not read whole."""
        faults = []
        for path in (self.folder / "runs").rglob("*"):
            if ".running" in path.parts or not path.is_file() or path.name.startswith("."):
                continue
            try:
                match path.suffix:
                    case ".ipynb":
                        nbformat.validate(nbformat.read(str(path), as_version=4))
                    case ".json":
                        json.loads(path.read_bytes())
                    case ".html" if not path.read_text("utf-8").rstrip().endswith("</html>"):
                        faults.append(f"{path.name} has no end")
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it
                faults.append(f"{path.name}: {error}")
        return faults

    def plan(self) -> BatchPlan | None:
        found = list(self.folder.glob("runs/batches/*/batch.json"))
        return msgspec.json.decode(found[0].read_bytes(), type=BatchPlan) if found else None


def marked(batch: str) -> list[int]:
    """Return the processes that a batch's notebooks started."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(VARIABLE, "").startswith(batch) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def victim(driver: int, kind: str) -> int | None:
    """Return a process of the batch of one kind, or None while there is none."""
    try:
        family = psutil.Process(driver).children(recursive=True)
        words = {child.pid: " ".join(child.cmdline()) for child in family}
    except psutil.Error:
        return None
    wanted = {"worker": "labkit.lab.worker", "kernel": "ipykernel_launcher"}
    if kind == "driver":
        return driver
    return next((pid for pid, line in words.items() if wanted[kind] in line), None)


def kill_one(desk: Desk, running: "subprocess.Popen[bytes]", kind: str, chance: random.Random) -> str:
    """Kill a process of the batch at an instant, and tell what was hit."""
    writing = chance.random() < 0.5
    deadline = time.monotonic() + chance.uniform(0.3, 7.0)
    before, changes = desk.state(), chance.randrange(1, 25)
    while running.poll() is None:
        if writing:
            now = desk.state()
            if now != before:
                before, changes = now, changes - 1
            if changes <= 0:
                break
        elif time.monotonic() > deadline:
            break
    pid = victim(running.pid, kind)
    while pid is None and running.poll() is None:
        pid = victim(running.pid, kind)
    if running.poll() is not None or pid is None:
        return "too late"
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return "too late"
    return f"{kind}, {'writing' if writing else 'at random'}"


def one_round(kind: str, chance: random.Random) -> tuple[str, list[str]]:
    """Kill and resume one batch; return what was hit and what was wrong."""
    with tempfile.TemporaryDirectory(prefix="labkit-kills-") as name:
        desk = Desk(Path(name))
        running = desk.start()
        hit = kill_one(desk, running, kind, chance)
        running.wait(180)
        time.sleep(0.2)
        faults = [f"torn after the kill: {one}" for one in desk.torn()]
        ended, executed, plan = desk.ended(), desk.executions(), desk.plan()
        if plan is None:  # killed before anything was planned: nothing to resume
            assert kind == "driver"
            assert not executed
            return f"{hit} (before the plan)", faults
        count = 0
        while not all(complete(desk, run.run, run.machine) for run in plan.runs) and count < RESUMES:
            count += 1
            desk.start("--resume").wait(180)
        point_of = {run.run: run.point["count"] for run in plan.runs}
        for run, notebook in sorted(ended):
            line = f"{notebook} {point_of[run]}"
            if desk.executions()[line] != executed[line]:
                faults.append(f"{line} was executed again")
        for run in plan.runs:
            if not complete(desk, run.run, run.machine):
                faults.append(f"{run.run} was not completed in {count} resumes")
                continue
            record = records.read(desk.folder / "runs" / run.machine / run.run / "record.json")
            expected = ("the kernel died", "it could not be run")
            faults += [
                f"{one.name} is {one.status}: {one.cause}"
                for one in record.notebooks
                if one.status is not NotebookStatus.DONE and not (one.cause or "").startswith(expected)
            ]
        faults += [f"torn at the end: {one}" for one in desk.torn()]
        deadline = time.monotonic() + 10
        while marked(plan.batch) and time.monotonic() < deadline:
            time.sleep(0.1)
        faults += [f"process {pid} is left" for pid in marked(plan.batch)]
        shutil.rmtree(desk.folder / "home", ignore_errors=True)
        return hit, faults


def complete(desk: Desk, run: str, machine: str) -> bool:
    """Return whether a run's record says how each of its notebooks ended."""
    path = desk.folder / "runs" / machine / run / "record.json"
    if not path.is_file():
        return False
    return {one.name for one in records.read(path).notebooks if one.status != "interrupted"} == set(NAMES)


def main() -> int:
    """Run all rounds."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    chance = random.Random(given.seed)
    hits: Counter[str] = Counter()
    faults: list[str] = []
    number = 0
    while sum(count for what, count in hits.items() if what != "too late") < given.kills:
        kind = ("driver", "worker", "kernel")[number % 3]
        number += 1
        hit, wrong = one_round(kind, chance)
        hits[hit] += 1
        faults += [f"round {number} ({hit}): {each}" for each in wrong]
        for each in wrong:
            sys.stderr.write(f"\nround {number} ({hit}): {each}\n")
        sys.stderr.write(f"\r{number} {hit} {len(faults)} faults   ")
    print(json.dumps({"rounds": number, "hits": dict(sorted(hits.items())), "faults": faults}, indent=1))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
