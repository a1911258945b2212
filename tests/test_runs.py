"""The list of runs: what is there, what fits, what cannot be read; and the tables that other tools read."""

import json
import re
from pathlib import Path

import msgspec
import pandas as pd
import pyarrow.parquet as pq
import pytest

from labkit.cli import main
from labkit.model.run import NotebookStatus
from labkit.present.exports import COLUMNS
from labkit.system import listing, records
from labkit.system.listing import Wanted, listed

GOLDEN = Path(__file__).parent / "golden/record-1.json"


@pytest.fixture(scope="module")
def golden():
    return records.read(GOLDEN)


@pytest.fixture
def out(tmp_path, golden):
    """A folder of four runs of two machines (one real record under other names), a broken one and one at work."""
    folder = tmp_path / "runs"
    (failed, *others) = golden.notebooks
    broken = msgspec.structs.replace(failed, status=NotebookStatus.FAILED, cause="it broke")
    carried = msgspec.structs.replace(failed, carried_from="a", carried_at="2026-11-20T00:00:00+00:00")
    for run, machine, day, more in (
        ("a", "here", 20, {}),
        ("b", "here", 21, {"notebooks": (broken, *others), "batch": "batch-1", "point": {"count": 2}, "repeat": 2}),
        ("c", "m1-mac", 22, {"params_name": "linux"}),
        ("d", "m1-mac", 23, {"notebooks": (carried, *others), "batch": "batch-1"}),
    ):
        record = msgspec.structs.replace(
            golden,
            run=run,
            machine=msgspec.structs.replace(golden.machine, id=machine),
            started_at=f"2026-11-{day}T10:00:00+00:00",
            **more,
        )
        (folder / machine / run).mkdir(parents=True)
        records.write(folder / machine / run / "record.json", record)
    (folder / "here/torn").mkdir()
    (folder / "here/torn/record.json").write_text('{"run": "torn"')
    (folder / "here/working").mkdir()
    (folder / "batches/batch-1").mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Wanted(), ["d", "c", "b", "a", "working", "torn"]),
        (Wanted(machine="M1"), ["d", "c"]),
        (Wanted(profile="linux"), ["c"]),
        (Wanted(batch="batch-1"), ["d", "b"]),
        (Wanted(since="2026-11-22"), ["d", "c"]),
        (Wanted(failed=True), ["b", "working", "torn"]),
        (Wanted(machine="m9"), []),
    ],
)
def test_runs_are_listed_newest_first_and_filtered(out, wanted, names):
    assert [run.run for run in listed(out, wanted)] == names


def test_a_list_says_what_a_run_is(out, golden):
    runs = {run.run: run for run in listed(out)}
    assert runs["a"].chip == golden.machine.chip
    assert (runs["a"].notebooks, runs["a"].notebooks_done) == (len(golden.notebooks),) * 2
    assert (runs["b"].notebooks_done, runs["b"].point, runs["b"].repeat) == (len(golden.notebooks) - 1, {"count": 2}, 2)
    assert runs["d"].notebooks_carried == 1
    assert runs["working"].unreadable == "it has no record yet"
    assert runs["torn"].unreadable.startswith("its record cannot be read: ")


def test_what_was_read_is_remembered_until_the_record_changes(out, monkeypatch):
    first = listed(out)
    reads = []
    real = listing._read
    monkeypatch.setattr(listing, "_read", lambda folder: reads.append(folder.name) or real(folder))
    assert listed(out) == first
    assert reads == []
    path = out / "here/a/record.json"
    path.write_text(re.sub(r'"params_name":\s*"', '"params_name":"other-', path.read_text(), count=1))
    assert {run.run: run.profile for run in listed(out)}["a"].startswith("other-")
    assert reads == ["a"]
    (out / ".runs.json").write_text("no JSON")
    assert len(listed(out)) == 6


def test_a_folder_in_which_nothing_can_be_remembered_is_listed(out):
    (out / ".runs.json").mkdir()
    assert len(listed(out)) == 6


def run(capsys, *argv):
    with pytest.raises(SystemExit) as ended:
        main(["runs", *argv])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_the_command(capsys, out):
    code, told, err = run(capsys, str(out), "--limit", "2")
    lines = told.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == ["run", "d", "c"]
    assert "2 shown of 6 that fit, of 6" in err
    code, told, _err = run(capsys, str(out), "--machine", "here", "--json")
    document = json.loads(told)
    assert (code, document["all"]) == (0, 6)
    assert [each["run"] for each in document["runs"]] == ["b", "a", "working", "torn"]


@pytest.mark.parametrize(
    ("argv", "what"), [(["nowhere"], "nowhere is no folder"), ([".", "--since", "yesterday"], "yesterday is no date")]
)
def test_wrong_use_is_said(capsys, argv, what):
    code, _out, err = run(capsys, *argv)
    assert code == 2
    assert what in err


def test_tables_are_parquet_with_the_columns_that_they_say(capsys, out, golden, tmp_path):
    code, told, _err = run(capsys, str(out), "--export", str(tmp_path / "tables"), "--limit", "1")
    assert code == 0
    assert told.count("written: ") == len(COLUMNS)
    for name, columns in COLUMNS.items():
        schema = pq.read_schema(tmp_path / f"tables/{name}.parquet")
        assert schema.names == list(columns)
        for column, dtype in columns.items():
            found = str(schema.field(column).type)
            assert found in {"str": ("string", "large_string"), "Int64": ("int64",), "float64": ("double",)}[dtype]
    runs = pd.read_parquet(tmp_path / "tables/runs.parquet")
    samples = pd.read_parquet(tmp_path / "tables/samples.parquet")
    assert len(runs) == 6  # the limit is for eyes
    assert runs.set_index("run").loc["torn", "unreadable"].startswith("its record cannot be read")
    assert json.loads(runs.set_index("run").loc["b", "point"]) == {"count": 2}
    assert len(samples) == 4 * len(golden.performance.samples)
    first = golden.performance.samples[0]
    row = samples[(samples.run == "a") & (samples.kernel == first.kernel)].iloc[0]
    assert row.wall_ns_per_op == first.wall.median
    assert row.provenance == "measured"
    assert not list((tmp_path / "tables").glob("*.part"))
