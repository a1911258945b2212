"""How long ten thousand records take to compare, and how much memory, against scrapbook.read_notebooks on a sample.

The records are made up (provenance synthetic, asked for by name) from a real one: a hundred machines, a hundred runs
each, with times scattered about a factor of the machine's own. scrapbook reads executed notebooks, one a record, that
hold the same sections as scraps; it decodes them, and compares nothing. Its time for all is extrapolated in proportion.
The real record is a shortened one, 56 KB with all its times and findings; a whole run's, with evidence, listings and
curves, has some 500 KB, most of which is passed over.

    python -m benchmarks.compare_scale [RECORDS [MACHINES]]
"""

import json
import math
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import scrapbook
from nbformat.v4 import new_code_cell, new_notebook, new_output

from labkit import compare
from labkit.compare.reading import find
from labkit.model.base import Provenance

SOURCE = Path("tests/data/records/current.json")
MOST_SECONDS = 5.0
MOST_BYTES = 1 << 30
SAMPLE = 100
SECTIONS = ("install", "codegen", "binaries", "performance")


def make(folder: Path, records: int, machines: int) -> None:
    source = json.loads(SOURCE.read_text())
    draw = random.Random(1)
    for at in range(records):
        machine, factor = at % machines, math.exp(draw.gauss(0, 0.02)) * (1 + (at % machines) / machines)
        document = json.loads(json.dumps(source))
        document |= {"run": f"made-up-{at}", "provenance": "synthetic"}
        document["machine"] |= {"chip": f"Made-up {machine}", "id": f"made-up-{machine}", "provenance": "synthetic"}
        for sample in document["performance"]["samples"]:
            sample["taken_at"] = f"2026-11-{1 + at % 20:02}T00:00:00+00:00"
            for process in sample["processes"]:
                scatter = factor * math.exp(draw.gauss(0, 0.03))
                for piece in process["slices"]:
                    piece["cpu_time_ns"] = round(piece["cpu_time_ns"] * scatter)
                    piece["wall_time_ns"] = round(piece["wall_time_ns"] * scatter)
        (folder / f"{at:05}.json").write_text(json.dumps(document))


def notebooks(folder: Path, records: list[Path]) -> None:
    for path in records:
        document = json.loads(path.read_text())
        outputs = [
            new_output(
                "display_data",
                data={"application/scrapbook.scrap.json+json": {"name": name, "data": document[name], "encoder": "json",
                                                                "version": 1}},
                metadata={"scrapbook": {"name": name, "data": True, "display": False}},
            )
            for name in SECTIONS
        ]  # fmt: skip
        nbformat.write(new_notebook(cells=[new_code_cell("", outputs=outputs)]), folder / f"{path.stem}.ipynb")


def main() -> int:
    records, machines = (int(each) for each in (*sys.argv[1:], "10000", "100")[:2]) if len(sys.argv) != 2 else (
        int(sys.argv[1]), 100)  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        folder, books = Path(place) / "records", Path(place) / "notebooks"
        folder.mkdir()
        books.mkdir()
        make(folder, records, machines)
        paths = list(find([folder]))
        size = sum(path.stat().st_size for path in paths)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start, cpu = time.perf_counter(), time.process_time()
        entries = compare.read(paths)
        read = time.perf_counter() - start
        comparison = compare.compare(entries, include=(Provenance.SYNTHETIC,))
        took, cpu = time.perf_counter() - start, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        kinds = {each.provenance for each in comparison.columns}
        print(f"{records} made-up records ({size / 1e6:.0f} MB), {len(comparison.columns)} columns {sorted(kinds)}")
        print(f"labkit: {took:.2f} s ({read:.2f} s of it reading; {cpu:.2f} s CPU), peak {peak / 2**20:.0f} MiB "
              f"({before / 1024:.0f} MiB before)")  # fmt: skip
        notebooks(books, paths[:SAMPLE])
        start, cpu_books = time.perf_counter(), time.process_time()
        scraps = [book.scraps.data_dict for book in scrapbook.read_notebooks(str(books)).notebooks]
        sample, cpu_books = time.perf_counter() - start, time.process_time() - cpu_books
        assert all(len(each) == len(SECTIONS) for each in scraps)
        whole = sample * records / SAMPLE
        print(f"scrapbook.read_notebooks: {sample:.2f} s ({cpu_books:.2f} s CPU) for {SAMPLE}, so {whole:.0f} s for "
              f"all (extrapolated): {whole / took:.0f} times as long, and nothing compared")  # fmt: skip
    good = took <= MOST_SECONDS and peak <= MOST_BYTES
    print("within 5 s and 1 GiB" if good else "NOT within 5 s and 1 GiB")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
