"""Batches on a full disk, in a folder that may not be written, with a clock set back, and two in one folder."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest

from benchmarks.batch_desk import make
from labkit.model.run import NotebookStatus
from labkit.system import records
from labkit.system.store import file_digest
from tests.support import impossible, missing, need

LIMIT_S = 90
POINTS = 4
#: Each execution leaves a line on another disk than the one that may be full, and puts out what fills that.
SOURCE = """
import os
with open(os.environ["LABKIT_TEST_EXECUTED"], "a") as notes:
    notes.write(f"{count}\\n")
print("x" * 300_000)
"""

#: A clock that was set is the driver's alone: under the library, a kernel's waiting hangs.
DRIVER = """
import os, sys
os.environ.pop("LD_PRELOAD", None)
from labkit.cli.app import main
main(sys.argv[1:])
"""


@pytest.fixture
def desk(tmp_path):
    folder = tmp_path / "desk"
    folder.mkdir()
    make(folder, {"one": SOURCE}, POINTS)
    return folder


def environment(desk):
    return {
        **os.environ, "LABKIT_HOME": str(desk / "home"), "LABKIT_TEST_EXECUTED": str(desk / "executed.txt"),
        "LABKIT_PROGRESS": "off",
    }  # fmt: skip


def run(desk, *words, under=(), **environ):
    """Run labkit's batch in a folder, and return what it said."""
    return subprocess.run(
        [*under, sys.executable, "-c", DRIVER, "run", "--params", "many", *map(str, words)], cwd=desk,
        capture_output=True, text=True, timeout=LIMIT_S, check=False, env=environment(desk) | environ,
    )  # fmt: skip


def executed(desk):
    """Return the points in the order of their executions."""
    try:
        return (desk / "executed.txt").read_text().split()
    except FileNotFoundError:
        return []


def ended(out):
    """Return how many notebooks have ended by what lies there; nothing under a final name is torn."""
    for path in out.rglob("*.ipynb"):
        if not {".running", "report"} & set(path.relative_to(out).parts):
            nbformat.validate(nbformat.read(str(path), as_version=4))
    done = [path for path in out.rglob("record.json") if "report" not in path.parts]
    whole = {path.parent for path in done if records.read(path).notebooks[0].status is not NotebookStatus.INTERRUPTED}
    for path in out.rglob(".finished/*.json"):
        told = json.loads(path.read_bytes())
        assert told["sha256"] == file_digest(path.parents[1] / told["notebook"]["file"])
        whole.add(path.parents[1])
    return len(whole)


def complete(out):
    found = [records.read(path) for path in out.rglob("record.json") if "report" not in path.parts]
    return sorted((int(record.point["count"]), str(record.notebooks[0].status)) for record in found)


ALL_DONE = [(count, "done") for count in range(POINTS)]


def clear(said):
    """The end is one line with its remedy, and no traceback."""
    assert "Traceback" not in said.stderr
    assert "labkit: " in said.stderr
    assert "remedy: " in said.stderr


@pytest.fixture
def small_disk():
    """A file system of a megabyte; a function makes it larger."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        impossible("only root may mount a small file system")
    with tempfile.TemporaryDirectory() as place:
        made = subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=1100k", "tmpfs", place], capture_output=True, text=True, check=False
        )
        if made.returncode:
            impossible(f"this machine lets nobody mount a small file system: {made.stderr.strip()}")
        try:
            yield Path(place), lambda: subprocess.run([mount, "-o", "remount,size=64m", place], check=True)
        finally:
            subprocess.run([shutil.which("umount"), "-l", place], check=True)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_full_disk_ends_it_clearly_and_a_resume_completes(desk, small_disk, jobs):
    disk, enlarge = small_disk
    said = run(desk, "--out", disk / "runs", "--jobs", jobs)
    assert said.returncode != 0
    clear(said)
    assert "No space left on device" in said.stderr
    before = executed(desk)
    whole = ended(disk / "runs")
    assert 0 < whole < POINTS
    enlarge()
    said = run(desk, "--out", disk / "runs", "--jobs", jobs, "--resume")
    assert said.returncode == 0, said.stderr
    assert complete(disk / "runs") == ALL_DONE
    assert len(executed(desk)) - len(before) <= POINTS - whole  # nothing that had ended was executed again


def ordinary():
    """Return what makes a command obey permissions, as an ordinary user's does."""
    if os.geteuid():
        return ()
    rights = "-dac_override,-dac_read_search"
    return (str(need("setpriv")), f"--bounding-set={rights}", f"--inh-caps={rights}")


def test_a_folder_that_may_not_be_written_is_one_line(desk, tmp_path):
    place = tmp_path / "read only"
    place.mkdir(mode=0o555)
    said = run(desk, "--out", place / "runs", under=ordinary())
    assert said.returncode != 0
    clear(said)
    assert "Permission denied" in said.stderr
    assert executed(desk) == []
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("command", ["runs", "gc"])
@pytest.mark.parametrize(("place", "why"), [("closed", "is not readable"), ("closed/runs", "Permission denied")])
def test_a_folder_that_may_not_be_looked_into_is_one_line(desk, tmp_path, command, place, why):
    (tmp_path / "closed/runs").mkdir(parents=True)
    (tmp_path / "closed").chmod(0)
    try:
        said = subprocess.run(
            [*ordinary(), sys.executable, "-m", "labkit", command, tmp_path / place],
            cwd=desk, capture_output=True, text=True, timeout=LIMIT_S, check=False, env=environment(desk),
        )  # fmt: skip
    finally:
        (tmp_path / "closed").chmod(0o755)
    assert said.returncode != 0
    first, second = said.stderr.splitlines()
    assert str(tmp_path / place) in first
    assert why in first
    assert second.startswith("  remedy: ")


def ahead():
    """Return the variables of a process whose clock is an hour ahead of the host's."""
    for library in sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")):
        return {"LD_PRELOAD": str(library), "FAKETIME": "+1h"}
    return missing("libfaketime", "install it with `apt-get install libfaketime`")


def test_a_clock_set_back_mixes_nothing_up(desk):
    """A batch an hour from now, one now: the second takes over what the first finished, and both are complete."""
    out = desk / "runs"
    first = run(desk, "--out", out, **ahead())
    assert first.returncode == 0, first.stderr
    assert complete(out) == ALL_DONE
    second = run(desk, "--out", out, "--resume")
    assert second.returncode == 2  # complete as it is: there is nothing to resume
    clear(second)
    third = run(desk, "--out", out)
    assert third.returncode == 0, third.stderr
    assert complete(out) == sorted(ALL_DONE * 2)
    assert sorted(executed(desk)) == [str(count) for count in range(POINTS)]  # each once


def test_a_batch_that_stopped_before_the_clock_was_set_back_is_resumed(desk):
    out = desk / "runs"
    notebook = desk / "notebooks/one.ipynb"
    stops = "assert count < 2 or os.path.exists('go')"
    notebook.write_text(notebook.read_text().replace("print(", f"{stops}\\nprint("))
    first = run(desk, "--out", out, "--fail-fast", **ahead())
    assert first.returncode != 0
    (desk / "go").touch()
    second = run(desk, "--out", out, "--resume")
    assert {count for count, _ in complete(out)} == set(range(POINTS)), second.stderr
    assert executed(desk) == [str(count) for count in range(POINTS)]


def test_two_batches_in_one_folder_at_once_are_both_complete(desk):
    out = desk / "runs"
    command = [sys.executable, "-m", "labkit", "run", "--params", "many", "--out", str(out), "--force"]
    both = [
        subprocess.Popen(
            command, cwd=desk, env=environment(desk), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for child in both:
        _, stderr = child.communicate(timeout=LIMIT_S)
        assert child.returncode == 0, stderr
    assert complete(out) == sorted(ALL_DONE * 2)
    assert len(list((out / "batches").glob("*/batch.json"))) == 2
    assert ended(out) == 2 * POINTS
