"""Kills ``labkit generate`` by SIGKILL at many instants and looks at what it leaves.

    python -m benchmarks.generate_kills [--kills 100] [--work FOLDER]

Needs the folder that benchmarks/generate_vs_buf.py makes (its slice aiplatform). Every run finds all sources changed.
After a kill each file in the output folder must be wholly the old one or wholly the new one, nothing else may lie
there, and the next run must finish the work. Prints how many kills left all old, a mixture, or all new.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from labkit.system import store


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--work", type=Path, default=store.home() / "bench-generate")
    given = arguments.parse_args()
    work = given.work.absolute()
    protos, out = work / "kill-protos", work / "out-kills"
    shutil.rmtree(protos, ignore_errors=True)
    shutil.copytree(work / "aiplatform", protos)
    names = sorted(protos.glob("google/cloud/aiplatform/v1/schema/**/*.proto"))
    originals = {name: name.read_bytes() for name in names}
    command = [
        sys.executable,
        "-m",
        "labkit",
        "-q",
        "generate",
        "google/cloud/aiplatform/v1/schema",
        "-I",
        ".",
        "--out",
        str(out),
    ]

    def start() -> "subprocess.Popen[bytes]":
        environ = os.environ | {"PYTHONPATH": str(Path.cwd())}
        return subprocess.Popen(command, cwd=protos, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def change(number: int) -> None:
        for name, data in originals.items():
            name.write_bytes(data + b"message Round%d%s {}\n" % (number, name.stem.replace(".", "_").encode()))

    change(0)
    started = time.perf_counter()
    assert start().wait() == 0
    longest = time.perf_counter() - started
    seen: Counter[str] = Counter()
    chance = random.Random(1)
    for number in range(1, given.kills + 1):
        old = _contents(out)
        change(number)
        process = start()
        time.sleep(chance.uniform(0, longest * 1.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = _contents(out)
        assert start().wait() == 0
        new = _contents(out)
        assert set(found) == set(old) == set(new), "something else lies in the output folder"
        assert not list(work.glob(".out-kills*")), "something lies beside the output folder"
        assert new != old
        kinds = {"old" if data == old[path] else "new" for path, data in found.items() if old[path] != new[path]}
        assert all(data in (old[path], new[path]) for path, data in found.items()), "half a file"
        seen["a mixture" if len(kinds) > 1 else f"all {kinds.pop()}"] += 1
    print(
        f"{given.kills} kills of a run of {longest:.2f} s: "
        + ", ".join(f"{count} left {kind}" for kind, count in seen.items())
    )
    return 0


def _contents(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


if __name__ == "__main__":
    sys.exit(main())
