"""benchstat itself, of golang.org/x/perf, on the file that a comparison exports: what it says beside what we say."""

import csv
import io
from pathlib import Path

import msgspec
import pytest

from labkit import compare as room
from labkit.compare.export import benchmarks
from labkit.model.comparison import Axis
from labkit.model.regression import Verdict
from labkit.system import proc, records
from labkit.system.environment import base
from tests import benchstat_oracle as oracle

DATA = Path("tests/data/records").absolute()
replace = msgspec.structs.replace


def benchstat(folder: Path, column: str) -> dict[str, list[str]]:
    """Return benchstat's rows of CPU time: center and CI of each column, then vs base and P."""
    words = ["-format", "csv", "-table", "pkg", "-col", column, "-ignore", "/gomaxprocs", "benchmarks.txt"]
    said = proc.run([oracle.benchstat_program(), *words], env=base(), timeout_s=60, cwd=folder).stdout
    rows = list(csv.reader(io.StringIO(said)))
    start = next(at for at, row in enumerate(rows) if "cpu-sec/op" in row)
    heads = [each for each in rows[start - 1] if each]
    found = {"": heads}
    for row in rows[start + 1 :]:
        if not row or row[0] == "geomean":
            break
        found[row[0].partition("/")[2]] = row[1:]
    return found


@pytest.fixture
def another_chip(tmp_path):
    """The first run as another machine's: half the time, another system and more threads."""
    record = records.read(DATA / "suite-1-a.json")
    machine = replace(
        record.machine, chip="Apple M2", id="apple-m2-8c-24g-macos15", system="macos", system_name="macOS"
    )
    samples = tuple(
        replace(
            each,
            platform="darwin/arm64",
            gomaxprocs=8,
            processes=tuple(
                replace(p, slices=tuple(replace(s, cpu_time_ns=s.cpu_time_ns // 2) for s in p.slices))
                for p in each.processes
            ),
        )
        for each in record.performance.samples
    )
    path = tmp_path / "other.json"
    record = replace(record, run="other", machine=machine, performance=replace(record.performance, samples=samples))
    path.write_bytes(records.encode(record))
    return path


@pytest.mark.parametrize(
    ("axis", "column"), [(Axis.MACHINE, "machine"), (Axis.TOOLCHAIN, "go"), (Axis.TOOLCHAIN, "toolchain")], ids=str
)
def test_benchstat_compares_the_columns_that_we_compare(tmp_path, another_chip, axis, column):
    paths = {
        Axis.MACHINE: [DATA / "suite-1-a.json", another_chip],
        Axis.TOOLCHAIN: [DATA / "current.json", DATA / "handbook.json"],
    }
    entries = room.read(paths[axis])
    comparison = room.compare(entries, axis=axis)
    (tmp_path / "benchmarks.txt").write_text(benchmarks(entries, comparison))
    theirs = benchstat(tmp_path, column)
    heads = {
        "machine": [each.name for each in comparison.columns[:2]],
        "go": ["go1.27.3", "go1.21.13"],
        "toolchain": [entry.facts["toolchain"] for entry in entries],
    }
    assert theirs.pop("") == heads[column]
    assert set(theirs) == {row.name for row in comparison.rows}
    for row in comparison.rows:
        first, _ci, second, _ci, change, p = theirs[row.name]
        ours = [value.value for value in row.values[:2]]
        assert [float(first) * 1e9, float(second) * 1e9] == pytest.approx(ours, rel=1e-9)
        ratio = row.ratios[1]
        if change != "~":
            assert 1 + float(change.rstrip("%")) / 100 == pytest.approx(ratio.ratio, abs=1e-4)
        if axis is Axis.MACHINE:
            assert ratio.change is None  # two chips: how much, not whether
            continue
        # One test, theirs for each kernel by itself, ours over the family: what we show, it shows too.
        assert float(p.removeprefix("p=").split()[0]) == pytest.approx(ratio.change.p, abs=5e-4)
        assert ratio.change.p_adjusted >= ratio.change.p
        if ratio.change.verdict in {Verdict.SLOWER, Verdict.FASTER}:
            assert change.startswith("+" if ratio.change.verdict is Verdict.SLOWER else "-")


def test_what_benchstat_says_of_the_handbooks_compiler(tmp_path):
    """On these real runs both show that the FFT is slower, and nothing else."""
    entries = room.read([DATA / "current.json", DATA / "handbook.json"])
    comparison = room.compare(entries, axis=Axis.TOOLCHAIN)
    (tmp_path / "benchmarks.txt").write_text(benchmarks(entries, comparison))
    theirs = benchstat(tmp_path, "go")
    shown = {name for name, cells in theirs.items() if name and cells[4] != "~"}
    ours = {row.name for row in comparison.rows if row.ratios[1].change.verdict is Verdict.SLOWER}
    assert shown == ours == {"fft-4096"}


def test_the_command_in_the_docs_is_the_one_that_is_tested():
    assert "benchstat -table pkg -col machine -ignore /gomaxprocs benchmarks.txt" in Path("docs/compare.md").read_text()
