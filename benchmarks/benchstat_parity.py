"""Compares labkit's benchstat tables and reader with benchstat and golang.org/x/perf/benchfmt themselves.

    python -m benchmarks.benchstat_parity [--files N] [--seed S]

Draws files from seeds, adds the module's own test data, and compares every line of both forms (text and CSV), and every
record that the readers make of them. Exits with 1 when a line differs. A minute or two, most of it starting processes.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests import benchstat_oracle as oracle


def main(*, files: int, seed: int) -> int:
    compared = {"text": 0, "csv": 0}
    lines = {"text": 0, "csv": 0}
    last = records = read = 0
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        own = Path(scratch) / "own"
        own.mkdir()
        oracle.copy_own(own)
        cases = [(own, names, options, name) for name, (names, options) in oracle.OWN.items()]
        for drawn in range(seed, seed + files):
            folder = Path(scratch) / str(drawn)
            folder.mkdir()
            cases.append((folder, oracle.draw(folder, drawn), {}, f"seed {drawn}"))
        for folder, names, options, name in cases:
            for form in compared:
                got, wanted = (of(folder, names, form, **options) for of in (oracle.ours, oracle.theirs))
                compared[form] += 1
                lines[form] += len(wanted.splitlines())
                wrong += [f"{name}, {form}: {each}" for each in oracle.differences(got, wanted, form)]
                last += oracle.last_digits(got, wanted) if form == "csv" and not wrong else 0
        paths = sorted(Path(scratch).glob("*/*.txt"))
        paths += sorted(path for path in (oracle.own_data() / "benchfmt/testdata").rglob("*") if path.is_file())
        for path, theirs in zip(paths, oracle.read_by_go(*paths), strict=True):
            mine = oracle.read_by_us(path)
            read, records = read + 1, records + len(theirs)
            wrong += [f"{path.name}: read {a}, wanted {b}" for a, b in zip(mine, theirs, strict=False) if a != b]
            wrong += [f"{path.name}: {len(mine)} records, wanted {len(theirs)}"] if len(mine) != len(theirs) else []
    print(f"benchstat {oracle.PIN.version}: {len(cases)} cases")
    for form, count in compared.items():
        print(f"{form}: {count} outputs, {lines[form]} lines")
    if not wrong:
        print(f"csv: {last} geomean lines differ after the 14th of 17 digits")
    print(f"reader: {read} files, {records} records")
    print(f"{len(wrong)} differences")
    for each in wrong[:20]:
        print(each)
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200, help="how many draws, of one to three files each")
    parser.add_argument("--seed", type=int, default=1)
    sys.exit(main(**vars(parser.parse_args())))
