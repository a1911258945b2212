"""Runs a batch on three labelled workers, one of which is killed on the way, and checks every result.

    python -m benchmarks.batch_cluster [--notebooks 40]

A scheduler and three `dask worker` processes on loopback: `a` and `spare` have the label A, `b` has B. Half of the
notebooks ask for A, half for B. When a fifth has ended, `a` is ended with SIGKILL in the middle of its work. Every
notebook must end as done, in a file that holds what that notebook computes, on a worker with its label; every record
must read; and no process of the batch may be left. Prints one JSON document: times, who executed what, and each
fault.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import nbformat

from benchmarks import batch_desk
from benchmarks.batch_kills import marked
from labkit import lab
from labkit.cluster import session
from labkit.model.run import NotebookStatus
from labkit.system import records
from tests.cluster_rig import WORKER, Rig

SOURCE = f"import os\nprint('result', count * 7 + 1, 'on', os.environ['{WORKER}'])"
WORKERS = {"a": "A=1", "spare": "A=1", "b": "B=1"}


def main() -> int:
    """Run it."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--notebooks", type=int, default=40)
    count = arguments.parse_args().notebooks
    with tempfile.TemporaryDirectory(prefix="labkit-cluster-") as name, Rig(Path(name) / "rig") as rig:
        desk = Path(name) / "desk"
        os.environ["LABKIT_HOME"] = str(desk / "home")
        batch_desk.make(desk, {"one": SOURCE}, count // 2)
        text = (desk / "params/many.yaml").read_text("utf-8")
        for label in ("A", "B"):
            (desk / f"params/{label}.yaml").write_text(f"{text}on: {label}\n", encoding="utf-8")
        os.chdir(desk)
        for worker, resources in WORKERS.items():
            rig.worker(worker, resources)
        profiles = [*lab.load_all("A"), *lab.load_all("B")]
        ended: list[float] = []
        killed_after: list[int] = []

        def told(*_: object) -> None:
            ended.append(time.monotonic())
            if len(ended) == max(1, len(profiles) // 5):
                rig.kill("a")
                killed_after.append(len(ended))

        started = time.monotonic()
        with session.opened(rig.address, profiles) as cluster:
            batch = lab.plan(profiles, desk / "runs", placing=cluster.place)
            lab.run(batch, elsewhere=cluster, told=lab.Told(ended=told))
        seconds = time.monotonic() - started
        faults: list[str] = []
        who: Counter[str] = Counter()
        for run in batch.runs:
            record = records.read(run.folder / "record.json")
            (done,) = record.notebooks
            if done.status is not NotebookStatus.DONE:
                faults.append(f"{run.id} is {done.status}: {done.cause}")
                continue
            document = nbformat.read(str(run.folder / done.file), as_version=4)
            printed = "".join(output.get("text", "") for output in document.cells[-1].outputs)
            found = re.fullmatch(r"result (\d+) on (\w+)\n", printed)
            if found is None or int(found[1]) != int(str(run.profile.point["count"])) * 7 + 1:
                faults.append(f"{run.id} holds {printed!r}")
                continue
            who[f"{run.profile.on} on {found[2]}"] += 1
            if not WORKERS[found[2]].startswith(f"{run.profile.on}="):
                faults.append(f"{run.id} asked for {run.profile.on} and ran on {found[2]}")
        deadline = time.monotonic() + 20
        while marked(batch.id) and time.monotonic() < deadline:
            time.sleep(0.1)
        faults += [f"process {pid} is left" for pid in marked(batch.id)]
        os.chdir("/")
    document = {
        "notebooks": len(profiles),
        "seconds": round(seconds, 1),
        "killed_after": killed_after,
        "executed": dict(sorted(who.items())),
        "load_1min": os.getloadavg()[0],
        "faults": faults,
    }
    print(json.dumps(document, indent=1))
    return 1 if faults or sum(who.values()) != len(profiles) or not killed_after else 0


if __name__ == "__main__":
    sys.exit(main())
