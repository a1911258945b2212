"""Batches: matrices, notebooks side by side and alone, what is carried over, what is resumed, and what goes wrong."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import nbformat
import psutil
import pytest

from labkit import lab
from labkit.errors import StoreError, UsageError
from labkit.lab import leftovers, matrix
from labkit.model.batch import BatchPlan
from labkit.model.run import NotebookStatus
from labkit.system import proc, records
from labkit.system.environment import base
from tests.support import impossible
from tests.test_lab import write_notebook

PROFILE = """\
machine: any
notebooks: [one, two]
parameters: {count: 3, name: x}
"""
#: Each execution leaves a line: the notebook, its parameters, and when it began and ended.
NOTES = """
import time, pathlib
with pathlib.Path("executed.txt").open("a") as notes:
    began = time.time()
    time.sleep(PAUSE)
    notes.write(f"NAME {count} {name} {began} {time.time()}\\n")
print("executed NAME")
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A current folder with two notebooks that measure nothing and one that does, and a LABKIT_HOME of its own."""
    folder = tmp_path / "my desk"
    (folder / "params").mkdir(parents=True)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(folder)
    for name in ("one", "two", "slow"):
        write(folder, name)
    measuring(folder, "slow")
    profile(folder, PROFILE)
    return folder


def write(folder, name, *more, pause=0.0):
    path = write_notebook(folder, name, NOTES.replace("NAME", name).replace("PAUSE", str(pause)), *more)
    said(path, measures=False)
    return path


def measuring(folder, name):
    said(folder / f"notebooks/{name}.ipynb", measures=True)


def said(path, *, measures):
    document = nbformat.read(str(path), as_version=4)
    document.metadata["labkit"] = {"measures": measures}
    nbformat.write(document, str(path))


def profile(folder, text, name="mine"):
    (folder / f"params/{name}.yaml").write_text(text)


def planned(desk, name="mine"):
    return lab.plan(lab.load_all(name), desk / "runs")


def executed(desk) -> list[str]:
    try:
        return [" ".join(line.split()[:3]) for line in (desk / "executed.txt").read_text().splitlines()]
    except FileNotFoundError:
        return []


def times(desk) -> dict[str, tuple[float, float]]:
    lines = [line.split() for line in (desk / "executed.txt").read_text().splitlines()]
    return {f"{name} {count}": (float(began), float(ended)) for name, count, _x, began, ended in lines}


AXES = {"a": (1, 2), "b": ("x", "y")}


@pytest.mark.parametrize(
    ("axes", "exclude", "include", "expected"),
    [
        ({}, (), (), [{}]),
        (AXES, (), (), [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"}]),
        (AXES, ({"a": 2},), (), [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}]),
        (AXES, ({"a": 1, "b": "x"}, {"a": 2}), ({"a": 9, "c": 0},), [{"a": 1, "b": "y"}, {"a": 9, "c": 0}]),
        ({}, (), ({"a": 1}, {"a": 2}), [{"a": 1}, {"a": 2}]),
        ({"a": (1, True, 1.0)}, ({"a": True},), (), [{"a": 1}, {"a": 1.0}]),
    ],
    ids=["none", "product", "excluded", "both", "named alone", "truth is no number"],
)
def test_the_points_of_a_matrix(axes, exclude, include, expected):
    found = matrix.points(matrix.Matrix(axes, exclude, include), "m.yaml")
    assert [[(key, type(value), value) for key, value in point.items()] for point in found] == [
        [(key, type(value), value) for key, value in point.items()] for point in expected
    ]


@pytest.mark.parametrize(
    ("axes", "exclude", "include", "what"),
    [
        ({"a": ()}, (), (), "the axis a has no value"),
        ({"a": (1, 1)}, (), (), "a value twice"),
        (AXES, ({"a": 3},), (), "excludes a: 3, which is no point"),
        (AXES, ({},), (), "excludes nothing"),
        (AXES, ({"a": 1}, {"a": 2}), (), "no point left"),
        (AXES, (), ({"a": 1, "b": "x"},), "includes a: 1, b: x, which is there already"),
        ({"a": tuple(range(101)), "b": tuple(range(100))}, (), (), "10100 points"),
    ],
)
def test_a_matrix_that_is_a_slip_is_refused(axes, exclude, include, what):
    with pytest.raises(UsageError, match=what) as caught:
        matrix.points(matrix.Matrix(axes, exclude, include), "m.yaml")
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("axes: {count: [1, two]}", r"count is 'two' \(str\)"),
        ("axes: {counts: [1]}", "'counts', which no notebook of it declares"),
        ("axes: {count: [1]}\ninclude: [{name: 4}]", r"name is 4 \(int\)"),
        ("repeats: 0", "repeats"),
        ("run_timeout_s: 0", "run_timeout_s"),
    ],
)
def test_every_point_is_checked_before_anything_runs(desk, more, what):
    profile(desk, f"{PROFILE}{more}\n")
    with pytest.raises(UsageError, match=what):
        lab.load_all("mine")
    assert not (desk / "runs").exists()


def test_a_matrix_is_a_run_for_each_point_and_repeat(desk):
    profile(desk, f"{PROFILE}axes: {{count: [1, 2]}}\nrepeats: 2\n")
    batch = planned(desk)
    found = lab.run(batch, jobs=2)
    assert [(record.point, record.repeat) for record in found] == [
        ({"count": 1}, 1), ({"count": 1}, 2), ({"count": 2}, 1), ({"count": 2}, 2),
    ]  # fmt: skip
    assert sorted(executed(desk)) == sorted(f"{name} {count} x" for name in ("one", "two") for count in (1, 1, 2, 2))
    assert len({record.run for record in found}) == 4
    assert {record.batch for record in found} == {batch.id}
    assert all(
        records.read(run.folder / "record.json") == record for run, record in zip(batch.runs, found, strict=True)
    )
    ids = {notebook.id for record in found for notebook in record.notebooks}
    assert len(ids) == 8  # a repeat is not what it repeats


def test_what_measures_runs_alone(desk):
    for name in ("one", "two", "slow"):
        write(desk, name, pause=0.5)
    measuring(desk, "slow")
    profile(desk, PROFILE.replace("[one, two]", "[one, slow, two]") + "axes: {count: [1, 2]}\n")
    lab.run(planned(desk), jobs=3)
    found = times(desk)
    assert len(found) == 6

    def overlaps(one: str) -> list[str]:
        began, ended = found[one]
        return [other for other in found if other != one and found[other][0] < ended and began < found[other][1]]

    assert overlaps("slow 1") == overlaps("slow 2") == []
    assert any(overlaps(name) for name in found)  # the control: the others do share


def test_a_notebook_that_says_nothing_is_taken_to_measure(desk):
    path = write_notebook(desk, "one", "print(count, name)")
    assert lab.plan(lab.load_all("mine"), desk / "runs").runs[0].jobs[0].measures
    said(path, measures=False)
    assert not planned(desk).runs[0].jobs[0].measures


def test_a_finished_notebook_is_carried_over_and_says_so(desk):
    profile(desk, PROFILE.replace("[one, two]", "[one, slow]"))
    (first,) = lab.run(planned(desk))
    (second,) = lab.run(planned(desk))
    assert executed(desk) == ["one 3 x", "slow 3 x", "slow 3 x"]
    one, slow = second.notebooks
    assert (one.carried_from, slow.carried_from) == (first.run, None)
    assert one.carried_at
    assert one.id == first.notebooks[0].id
    assert "executed one" in (desk / "runs" / second.machine.id / second.run / "one.ipynb").read_text()
    (third,) = lab.run(planned(desk), force=True)
    assert executed(desk)[3:] == ["one 3 x", "slow 3 x"]
    assert third.notebooks[0].carried_from is None


@pytest.mark.parametrize(
    "change",
    [
        lambda desk: profile(desk, PROFILE.replace("count: 3", "count: 4")),
        lambda desk: profile(desk, f"{PROFILE}repeats: 2\n"),
        lambda desk: write(desk, "one", "print('changed')"),
        lambda desk: [path.write_text("{}") for path in (desk.parent / "home/finished").glob("*/notebook.ipynb")],
        lambda desk: [path.write_text("no JSON") for path in (desk.parent / "home/finished").glob("*/finished.json")],
    ],
    ids=["a parameter", "a repeat", "the notebook", "what was kept", "what was said of it"],
)
def test_nothing_is_carried_over_when_something_changed(desk, change):
    lab.run(planned(desk))
    change(desk)
    found = lab.run(planned(desk))
    assert all(notebook.status is NotebookStatus.DONE for record in found for notebook in record.notebooks)
    assert [one.carried_from for one in found[-1].notebooks if one.name == "one"] == [None]


def test_a_failure_is_recorded_and_the_batch_goes_on_or_stops_when_asked(desk):
    write_notebook(desk, "one", "1 / 0")
    profile(desk, f"{PROFILE}axes: {{count: [1, 2]}}\n")
    found = lab.run(planned(desk))
    assert [[one.status for one in record.notebooks] for record in found] == [["failed", "done"]] * 2
    stopped = lab.run(planned(desk), fail_fast=True, force=True)
    assert [[one.status for one in record.notebooks] for record in stopped] == [["failed"], []]
    resumed = lab.resume(lab.load_all("mine"), desk / "runs")
    (first, second) = lab.run(resumed)
    assert [one.status for one in first.notebooks] == ["failed", "done"]
    assert [one.status for one in second.notebooks] == ["failed", "done"]


TROUBLES = {
    "flood": ("while True: print('x' * 1_000_000)", "flooded its output: the notebook holds more than 20 MiB"),
    "flood of 100 MB": ("for _ in range(100): print('x' * 1_000_000)", "flooded its output"),
    "dead kernel": ("import os; os._exit(3)", "the kernel died"),
    "never ends": ("import time\nwhile True: time.sleep(1)", "did not end within 8 s"),
    "deaf": (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: time.sleep(1)",
        "did not end within 8 s",
    ),
}
CHILDREN = """
import subprocess, sys
line = "import time, os; {}; open(f'child-{{os.getpid()}}', 'w').close(); time.sleep(600)"
for first in ("pass", "os.setsid()", "os.setsid(); os.fork() and os._exit(0)"):
    subprocess.Popen([sys.executable, "-c", line.format(first)])
import pathlib, time
while len(list(pathlib.Path().glob("child-*"))) < 3: time.sleep(0.05)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_goes_wrong_is_recorded_with_its_cause_and_the_batch_goes_on(desk, jobs):
    names = [f"bad{number}" for number in range(len(TROUBLES))]
    for name, (source, _cause) in zip(names, TROUBLES.values(), strict=True):
        said(write_notebook(desk, name, "print('before')", source), measures=False)
    text = PROFILE.replace("[one, two]", f"[one, {', '.join(names)}, two]")
    profile(desk, f"{text}run_timeout_s: 60\ncell_timeout_s: 8\n")
    (record,) = lab.run(planned(desk), jobs=jobs)
    assert [one.status for one in record.notebooks] == ["done", *["failed"] * len(TROUBLES), "done"]
    for done, (_source, cause) in zip(record.notebooks[1:-1], TROUBLES.values(), strict=True):
        assert cause in done.cause
        assert done.remedy
    folder = desk / "runs" / record.machine.id / record.run
    assert all("before" in (folder / f"{name}.ipynb").read_text() for name in names[2:])
    assert all((folder / f"{name}.ipynb").stat().st_size < 30_000_000 for name in names)


def test_a_notebook_that_does_not_end_is_ended_by_its_whole_time(desk):
    said(write_notebook(desk, "one", *["import time; time.sleep(1)"] * 9), measures=False)
    profile(desk, f"{PROFILE}run_timeout_s: 4\n")
    (record,) = lab.run(planned(desk))
    assert record.notebooks[0].cause == "the notebook did not end within 4 s"
    assert record.notebooks[1].status is NotebookStatus.DONE


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_notebook_started_ends_with_it(desk, jobs):
    said(write_notebook(desk, "one", CHILDREN), measures=False)
    (record,) = lab.run(planned(desk), jobs=jobs)
    assert record.notebooks[0].status is NotebookStatus.DONE
    children = [int(path.name.removeprefix("child-")) for path in desk.glob("child-*")]
    assert len(children) == 3
    for pid in children:
        proc.wait_until(lambda pid=pid: ended(pid), timeout_s=10, what=f"the end of {pid}")


HIDDEN = """
import os, pathlib, subprocess, sys, time
line = "import time, os; {}; open(f'child-{{os.getpid()}}', 'w').close(); time.sleep(600)"
for first in FIRST:
    subprocess.Popen([sys.executable, "-c", line.format(first)], env={}, start_new_session=True)
while len(list(pathlib.Path().glob("child-*"))) < len(FIRST): time.sleep(0.05)
END
"""
PARENT_GONE = "os.fork() and os._exit(0)"
FORKS_ON = "os.fork() and os._exit(0); os.setsid(); os.fork()"


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(("end", "status"), [("", "done"), ("os._exit(3)", "failed"), ("1 / 0", "failed")])
def test_what_hid_its_origin_ends_with_its_notebook(desk, jobs, end, status):
    """Sessions of their own and no environment; on Linux also when the parent is gone, or the kernel unforeseen."""
    first = ["pass", PARENT_GONE, FORKS_ON] if sys.platform == "linux" else ["pass"]
    said(write_notebook(desk, "one", f"FIRST = {first!r}\n{HIDDEN.replace('END', end)}"), measures=False)
    if sys.platform != "linux" and "exit" in end:
        impossible("only Linux gives a process without a parent to who asked for it")
    (record,) = lab.run(planned(desk), jobs=jobs)
    assert record.notebooks[0].status == status
    children = [int(path.name.removeprefix("child-")) for path in desk.glob("child-*")]
    assert len(children) >= len(first)
    for pid in children:
        proc.wait_until(lambda pid=pid: ended(pid), timeout_s=10, what=f"the end of {pid}")
    assert not [child for child in psutil.Process().children() if child.pid in children]  # waited for as well


@pytest.mark.parametrize("long", [False, True])
def test_a_kernel_takes_no_port_that_another_could_have_been_given(desk, tmp_path, monkeypatch, long):
    """But where the temporary folder's path is too long for a socket."""
    temporary = tmp_path / ("a" * 120 if long else "b")
    if not long:
        temporary = Path(tempfile.mkdtemp(dir="/tmp"))
    temporary.mkdir(exist_ok=True)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    source = "import json, ipykernel\nprint(json.load(open(ipykernel.get_connection_file()))['transport'])"
    said(write_notebook(desk, "one", source), measures=False)
    (record,) = lab.run(planned(desk))
    executed = nbformat.read(desk / "runs" / record.machine.id / record.run / "one.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].text.strip() == ("tcp" if long else "ipc")
    assert not list(temporary.iterdir())
    if not long:
        temporary.rmdir()


def test_where_nobody_inherits_them_children_are_known_from_before_the_kernels_end(desk, monkeypatch):
    monkeypatch.setattr(leftovers, "_heir", contextlib.nullcontext)  # as on macOS
    said(write_notebook(desk, "one", f"FIRST = ['pass']\n{HIDDEN.replace('END', '')}"), measures=False)
    lab.run(planned(desk))
    (child,) = (int(path.name.removeprefix("child-")) for path in desk.glob("child-*"))
    proc.wait_until(lambda: ended(child), timeout_s=10, what="its end")


def test_what_ran_before_a_notebook_and_beside_it_stays(desk):
    write_notebook(desk, "one", "1")
    with proc.start([sys.executable, "-c", "import time; time.sleep(600)"], env={}) as before:
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        try:
            with (
                leftovers.ending("no such mark"),
                proc.start([sys.executable, "-c", "input()"], env={}, stdin=b"") as one,
            ):
                one.wait(30)
            lab.run(planned(desk))
            assert before.alive()
            assert other.poll() is None
        finally:
            other.kill()
            other.wait()


def ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_only_marked_processes_are_left_behind(desk):
    assert leftovers.end(leftovers.mark("no such batch")) == 0


def start_batch(desk, *more):
    command = [sys.executable, "-m", "labkit", "run", "--params", "mine", *more]
    return proc.start(command, env=base(path=os.environ["PATH"], LABKIT_HOME=os.environ["LABKIT_HOME"]), cwd=desk)


def the_plan(desk) -> BatchPlan:
    (path,) = desk.glob("runs/batches/*/batch.json")
    return msgspec.json.decode(path.read_bytes(), type=BatchPlan)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_killed_batch_is_resumed_where_it_was(desk, jobs):
    write(desk, "two", pause=0.3)
    profile(desk, f"{PROFILE}axes: {{count: [1, 2, 3]}}\n")
    with start_batch(desk, "--jobs", jobs) as running:
        proc.wait_until(
            lambda: len(list(desk.glob("runs/*/*/.finished/*.json")) + list(desk.glob("runs/*/*/record.json"))) >= 2,
            timeout_s=60,
            what="the end of some notebooks",
        )
        os.kill(running.pid, signal.SIGKILL)
        running.wait(60)
    finished = [
        (path.parent.parent.name, json.loads(path.read_bytes())["notebook"]["name"])
        for path in desk.glob("runs/*/*/.finished/*.json")
    ]
    assert finished
    with start_batch(desk, "--jobs", jobs, "--resume", "--force") as running:
        assert running.wait(60) == 2  # the two contradict each other
    with start_batch(desk, "--jobs", jobs, "--resume") as running:
        assert running.wait(120) == 0, running.output()[1].decode()
    plan = the_plan(desk)
    found = [records.read(desk / "runs" / run.machine / run.run / "record.json") for run in plan.runs]
    assert [[one.status for one in record.notebooks] for record in found] == [["done", "done"]] * 3
    counts = {line: executed(desk).count(line) for line in executed(desk)}
    point_of = {run.run: run.point["count"] for run in plan.runs}
    assert all(counts[f"{name} {point_of[run]} x"] == 1 for run, name in finished)
    assert not list(desk.glob("runs/*/*/.running/*"))
    with start_batch(desk, "--resume") as running:
        assert running.wait(60) == 2
        assert "no unfinished batch that was to do this" in running.output()[1].decode()


def test_a_batch_of_something_else_is_not_resumed(desk):
    write_notebook(desk, "one", "1 / 0")
    lab.run(planned(desk), fail_fast=True)
    write(desk, "one")
    with pytest.raises(UsageError, match="no unfinished batch that was to do this; 1 others there are"):
        lab.resume(lab.load_all("mine"), desk / "runs")


def test_two_processes_do_not_work_on_one_batch(desk):
    write_notebook(desk, "one", "1 / 0")
    lab.run(planned(desk), fail_fast=True)
    resumed = lab.resume(lab.load_all("mine"), desk / "runs")
    said_so: list[str] = []

    def meanwhile(_run, _job):
        with pytest.raises(StoreError, match="another process is at work on the batch") as caught:
            lab.run(resumed)
        said_so.append(caught.value.remedy)

    lab.run(resumed, told=lab.Told(started=meanwhile))
    assert said_so


def test_two_batches_share_a_folder(desk):
    profile(desk, f"{PROFILE}axes: {{count: [1, 2]}}\n")
    profile(desk, f"{PROFILE}axes: {{count: [5, 6]}}\n", "other")
    with start_batch(desk, "--jobs", "2") as one, start_batch(desk, "--params", "other") as two:
        assert (one.wait(120), two.wait(120)) == (0, 0)
    found = [records.read(path) for path in desk.glob("runs/*/*/record.json")]
    assert sorted(record.point["count"] for record in found if record.point) == [1, 1, 2, 2, 5, 6]


def worker_of(pid: int) -> list[int]:
    return [
        child.pid
        for child in psutil.process_iter()
        if child.ppid() == pid and "labkit.lab.worker" in " ".join(child.cmdline())
    ]


def test_a_worker_that_is_killed_is_replaced_and_its_notebook_executed_again(desk):
    for name in ("one", "two"):
        write(desk, name, pause=1.0)
    killed: list[int] = []
    import threading

    def kill():
        proc.wait_until(lambda: bool(list(desk.glob("runs/*/*/.running/*"))), timeout_s=60, what="a notebook's start")
        killed.extend(worker_of(os.getpid())[:1])
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    (record,) = lab.run(planned(desk), jobs=2)
    killer.join()
    assert killed
    assert [one.status for one in record.notebooks] == ["done", "done"]
    assert not list(Path(record.run).glob("*"))


def test_the_command_shows_progress_and_ends_with_the_reports_path(desk):
    with start_batch(desk) as running:
        assert running.wait(120) == 0
        out, err = (stream.decode() for stream in running.output())
    assert Path(out.strip().splitlines()[-1]).is_file()
    assert re.search(r"\[1/2\] one: done", err)
    with start_batch(desk) as running:
        assert running.wait(120) == 0
        err = running.output()[1].decode()
    assert re.search(r"\[1/2\] one: carried over from \S+ \(2\S+\)", err)
