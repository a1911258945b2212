"""What is removed of finished runs, and what never is: runs at work, batches to resume, whatever is not labkit's."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import filelock
import msgspec
import pytest

from labkit.cli import main
from labkit.lab import finished
from labkit.lab.collecting import collect
from labkit.model.batch import BatchPlan, PlannedNotebook, PlannedRun
from labkit.model.collecting import Kind
from labkit.model.run import NotebookStatus
from labkit.system import records
from labkit.system.listing import listed

GOLDEN = Path(__file__).parent / "golden/record-1.json"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
replace = msgspec.structs.replace
#: As an ordinary user, who owns nothing there; the program itself is read before.
ORDINARY = """
import os, sys
from labkit.cli.app import main
from labkit.cli import gc
from labkit.lab import collecting
if os.geteuid() == 0:
    os.seteuid(65534)
else:
    os.chmod(sys.argv[1] + "/here", 0o555)
main(["gc", sys.argv[1], "--keep", "1", "--yes"])
"""
COLLECT = """
import sys
import tempfile
from pathlib import Path
from labkit.lab.collecting import collect
print("now", flush=True)
print(*[each.path for each in collect(Path(sys.argv[1]), keep=1, remove=sys.argv[2] == "1").goes])
"""


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture(scope="module")
def golden():
    return records.read(GOLDEN)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def put(out, golden):
    """Return a function that writes a finished run: a real record under another name, with its notebooks."""

    def make(run, day, machine="here", **changes):
        folder = out / machine / run
        folder.mkdir(parents=True)
        record = replace(
            golden, run=run, machine=replace(golden.machine, id=machine),
            started_at=f"2026-11-{day:02}T10:00:00+00:00", **changes,
        )  # fmt: skip
        records.write(folder / "record.json", record)
        (folder / "log.txt").write_text("said\n")
        for notebook in record.notebooks:
            (folder / notebook.file).write_text("{}")
        (folder / "report").mkdir()
        (folder / "report/index.html").write_text("<p>")
        return folder

    return make


def plan(out, name, *runs, machine="here", notebooks=("01_install",), day=20):
    """Write a batch's plan."""
    jobs = tuple(PlannedNotebook(name=each, id="0", measures=False) for each in notebooks)
    planned = tuple(
        PlannedRun(run=run, machine=machine, params_name="quick", parameters={}, point={}, repeat=1, notebooks=jobs)
        for run in runs
    )
    folder = out / "batches" / name
    folder.mkdir(parents=True)
    batch = BatchPlan(
        batch=name, digest="0", labkit_version="0", started_at=f"2026-11-{day:02}T10:00:00+00:00", runs=planned
    )
    (folder / "batch.json").write_bytes(msgspec.json.encode(batch))
    return folder


def tree(folder):
    return {
        str(path.relative_to(folder)): path.lstat().st_mtime_ns
        for path in folder.rglob("*")
        if path.name != ".runs.json"
    }


def paths(those):
    return [each.path for each in those]


def test_the_newest_of_each_machine_profile_and_point_stay(out, put):
    for day in (1, 2, 3, 4, 5):
        put(f"a{day}", day)
    put("other-machine", 1, machine="there")
    put("other-profile", 1, params_name="linux")
    put("other-point", 1, point={"count": 2})
    before = tree(out)
    found = collect(out, keep=3, now=NOW)
    assert sorted(paths(found.goes)) == ["here/a1", "here/a2"]
    assert tree(out) == before  # a dry run
    assert not found.removed
    done = collect(out, keep=3, remove=True, now=NOW)
    assert done == replace(found, removed=True)
    assert sorted(run.run for run in listed(out)) == ["a3", "a4", "a5", "other-machine", "other-point", "other-profile"]
    assert collect(out, keep=3, now=NOW).goes == ()
    assert found.size_bytes == sum(each.size_bytes for each in found.goes) > 1000


def test_only_what_is_older_goes(out, put):
    for day in (1, 10, 20, 23):
        put(f"a{day}", day)
    assert paths(collect(out, keep=1, older_than=timedelta(days=10), now=NOW).goes) == ["here/a10", "here/a1"]


def test_what_a_batch_can_still_resume_stays_whole(out, put):
    for day in (1, 2, 3):
        put(f"a{day}", day)
    (out / "here/working").mkdir()
    plan(out, "batch-1", "a1", "working")
    found = collect(out, keep=1, remove=True, now=NOW)
    assert paths(found.goes) == ["here/a2"]
    assert {each.path: each.why.id for each in found.stays} == {
        "here/a1": "gc.why.resumable", "here/working": "gc.why.resumable",
    }  # fmt: skip
    assert (out / "batches/batch-1/batch.json").is_file()


def test_a_run_of_which_a_notebook_was_never_started_can_be_resumed_too(out, put, golden):
    """Its record names all of them, as --fail-fast leaves it."""
    stopped = replace(golden.notebooks[0], status=NotebookStatus.INTERRUPTED)
    put("a1", 1, notebooks=(stopped, *golden.notebooks[1:]))
    put("a2", 2)
    plan(out, "batch-1", "a1", notebooks=[each.name for each in golden.notebooks])
    found = collect(out, keep=1, now=NOW)
    assert found.goes == ()
    assert {each.path: each.why.id for each in found.stays} == {"here/a1": "gc.why.resumable"}


def test_a_complete_batch_goes_with_the_last_of_its_runs(out, put, golden):
    names = [each.name for each in golden.notebooks]
    for day in (1, 2, 3):
        put(f"a{day}", day)
    plan(out, "batch-1", "a1", notebooks=names)
    plan(out, "batch-2", "a2", "a3", notebooks=names)
    assert sorted(paths(collect(out, keep=1, remove=True, now=NOW).goes)) == ["batches/batch-1", "here/a1", "here/a2"]
    assert [path.name for path in (out / "batches").iterdir()] == ["batch-2"]


def test_a_batch_at_work_stays(out, put):
    folder = plan(out, "batch-1", "gone")
    put("a1", 1)
    with filelock.FileLock(folder / ".lock"):
        said = subprocess.run(
            [sys.executable, "-c", COLLECT, out, "0"], capture_output=True, text=True, check=True, timeout=60
        )
    assert said.stdout.split() == ["now"]
    assert paths(collect(out, now=NOW).goes) == ["batches/batch-1"]


def test_what_labkit_did_not_write_stays_and_is_named(out, put, tmp_path):
    for day in (1, 2, 3, 4):
        put(f"a{day}", day)
    (out / "here/a1/notes.md").write_text("mine")
    (out / "mine.txt").write_text("mine")
    (out / "here/letter.txt").write_text("mine")
    (out / "here/torn").mkdir()
    (out / "here/torn/record.json").write_text('{"run": "torn"')
    elsewhere = tmp_path / "elsewhere"
    put("linked", 1).rename(elsewhere)
    (out / "here/linked").symlink_to(elsewhere)
    (out / "batches/strange").mkdir(parents=True)
    found = collect(out, keep=1, remove=True, now=NOW)
    assert sorted(paths(found.goes)) == ["here/a2", "here/a3"]
    assert {each.path: each.why.id.removeprefix("gc.why.") for each in found.stays} == {
        "here/a1": "more", "mine.txt": "foreign", "here/letter.txt": "foreign", "here/torn": "unreadable",
        "here/linked": "foreign", "batches/strange": "foreign",
    }  # fmt: skip
    assert (elsewhere / "record.json").is_file()
    assert (out / "here/a1/notes.md").read_text() == "mine"


def test_kept_notebooks_go_with_age(out, put, store, golden, tmp_path):
    out.mkdir()
    (tmp_path / "n.ipynb").write_text("{}")
    for id_ in ("young", "old"):
        finished.keep(replace(golden.notebooks[0], id=id_), "run", tmp_path / "n.ipynb")
    entry = store / "finished/old/finished.json"
    text = json.loads(entry.read_text())
    entry.write_text(json.dumps(text | {"at": "2026-10-01T00:00:00+00:00"}))
    (store / "finished/strange").mkdir()
    moment = datetime.fromisoformat(text["at"]) + timedelta(days=1)
    found = collect(out, remove=True, now=moment)
    assert [(each.kind, each.path) for each in found.goes] == [(Kind.NOTEBOOK, "finished/old")]
    assert sorted(path.name for path in (store / "finished").iterdir()) == ["strange", "young"]


def test_killed_at_any_instant_it_leaves_whole_runs_and_the_next_one_finishes(out, put):
    """The process is killed a little later each time; a run is there whole or gone, and no list shows a half one."""
    for turn in range(6):
        for day in range(1, 9):
            with contextlib.suppress(FileExistsError):
                put(f"a{day}", day)
        child = subprocess.Popen([sys.executable, "-c", COLLECT, out, "1"], stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "now\n"
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.004 * turn)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        for run in listed(out):
            assert run.unreadable is None
            assert (out / run.folder / "report/index.html").is_file()
        assert "a8" in {run.run for run in listed(out)}
    collect(out, keep=1, remove=True, now=NOW)
    assert [path.name for path in (out / "here").iterdir()] == ["a8"]


def test_a_leftover_of_a_killed_one_is_not_listed_and_goes_next(out, put):
    put("a1", 1).rename(out / "here/.gc-a1.0123")
    put("a2", 2)
    assert [run.run for run in listed(out)] == ["a2"]
    assert [each.kind for each in collect(out, remove=True, now=NOW).goes] == [Kind.LEFTOVER]
    assert [path.name for path in (out / "here").iterdir()] == ["a2"]


@pytest.fixture
def readable(out, put, monkeypatch):
    """A folder of runs that others may read."""
    for day in (1, 2):
        put(f"a{day}", day)
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        monkeypatch.setenv("LABKIT_HOME", f"{place}/store")
        shutil.copytree(out, Path(place) / "runs")
        yield Path(place) / "runs"


def test_a_folder_that_may_not_be_written_is_one_line(readable):
    out = readable
    said = subprocess.run(
        [sys.executable, "-c", ORDINARY, out], capture_output=True, text=True, check=False, timeout=60
    )
    assert said.returncode != 0
    assert "here/a1 cannot be removed: Permission denied" in said.stderr
    assert "remedy:" in said.stderr
    assert "Traceback" not in said.stderr
    assert (out / "here/a1/record.json").is_file()


def told(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(["gc", *map(str, words)])
    return ended.value.code, capsys.readouterr()


@pytest.mark.parametrize("age", ["12h", "30d", "8w"])
def test_an_age(out, put, capsys, age):
    put("a1", 1)
    code, said = told(capsys, out, "--keep", "1", f"--older-than={age}")
    assert code == 0
    assert "Nothing may go" in said.out


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1.5d"])
def test_what_is_no_age(out, put, capsys, age):
    put("a1", 1)
    code, said = told(capsys, out, f"--older-than={age}")
    assert code == 2
    assert "write it so: 12h, 30d or 8w" in said.err


def test_it_prints_what_went(out, put, capsys):
    for day in (1, 2):
        put(f"a{day}", day)
    _, said = told(capsys, out, "--keep", "1")
    assert "here/a1" in said.out
    assert "With --yes 1 would be removed" in said.out
    assert "1 removed" in told(capsys, out, "--keep", "1", "--yes")[1].out
    assert json.loads(told(capsys, out, "--keep", "1", "--json")[1].out)["goes"] == []
    code, said = told(capsys, out / "nowhere")
    assert code != 0
    assert "is no folder" in said.err
