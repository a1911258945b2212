"""How long a comparison of thousands of generated files takes, without generating them.

Copies of the test corpus's files stand for a project: all the same, all with another stamp, or all by another version
of the plugin (each file then parsed on both sides). Run in a quiet hour:

    .venv/bin/python benchmarks/drift_speed.py [--files 5000] [--runs 3]

Prints for each case the least and median wall time of the runs, in seconds, and their spread. The first run of the
program builds it; that is not timed.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from labkit import machine
from labkit.codegen.drift import judge, shapes
from labkit.toolchain import host_platform, provision

MADE = Path(__file__).parents[1] / "tests/data/drift/made"
CASES = {
    "same": ("go-1.36.12", "go-1.36.12", "same"),
    "header": ("go-1.36.6", "go-1.36.12", "header"),
    "another generator": ("go-1.32.0", "go-1.36.12", "semantic"),
}


def copies(folder: Path, name: str, count: int) -> list[Path]:
    """Return that many files of the same content: the reader is to open each."""
    content = (MADE / name / "note.pb.go").read_bytes()
    folder.mkdir(parents=True)
    paths = [folder / f"{number}.pb.go" for number in range(count)]
    for path in paths:
        path.write_bytes(content)
    return paths


def main() -> None:
    """Time every case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    program = shapes.reader(provision("current", host_platform(machine.read())))
    with tempfile.TemporaryDirectory() as scratch:
        for case, (committed, generated, kind) in CASES.items():
            one = copies(Path(scratch) / case / "committed", committed, given.files)
            other = copies(Path(scratch) / case / "generated", generated, given.files)
            pairs = [shapes.Pair(committed=a, generated=b) for a, b in zip(one, other, strict=True)]
            times = []
            for _run in range(given.runs):
                started = time.perf_counter()
                answers = shapes.compare(program, pairs)
                kinds = {str(judge(each.committed, each.generated, each.comparison)[0]) for each in answers}
                times.append(time.perf_counter() - started)
                if kinds != {kind}:
                    raise SystemExit(f"{case}: {kinds}, wanted {kind}")
            least, middle, most = min(times), statistics.median(times), max(times)
            print(f"{case:18} {given.files} files: least {least:.2f} s, median {middle:.2f} s, most {most:.2f} s")


if __name__ == "__main__":
    main()
