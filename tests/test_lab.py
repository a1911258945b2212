"""Profiles are checked whole before anything runs; a notebook's end is what it really was."""

import os
import re
import signal
import sys
from pathlib import Path

import msgspec
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labkit import lab
from labkit.errors import UsageError
from labkit.lab.profile import check_machine, declared
from labkit.model.run import NotebookStatus
from labkit.system import proc, records
from labkit.system.environment import base

PROFILE = """\
machine: any
notebooks: [one]
parameters:
  count: 3
  name: x
"""


def write_notebook(folder: Path, name: str, *sources: str, parameters: str = 'count = 1  # a\nname = "y"  # b') -> Path:
    cells = [new_markdown_cell("# A title"), new_code_cell(parameters), *map(new_code_cell, sources)]
    cells[1].metadata["tags"] = ["parameters"]
    document = new_notebook(cells=cells)
    document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(exist_ok=True)
    nbformat.write(document, str(path))
    return path


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A current folder with a notebook and a profile of its own; its name holds a space."""
    folder = tmp_path / "my desk"
    (folder / "params").mkdir(parents=True)
    (folder / "params/mine.yaml").write_text(PROFILE)
    write_notebook(folder, "one", "print(count, name)")
    monkeypatch.chdir(folder)
    return folder


def test_the_current_folder_comes_first_and_labkits_own_after(desk):
    assert "one" in lab.notebook_names()
    assert "01_install" in lab.notebook_names()
    assert {"mine", "quick", "linux"} <= set(lab.profile_names())
    assert lab.load("mine") == lab.load("params/mine.yaml")


@pytest.mark.parametrize(
    ("old", "new", "what", "remedy"),
    [
        ("count: 3", "counts: 3", "'counts', which no notebook of it declares", "'count'"),
        ("  name: x\n", "", "does not set 'name', which one declares", "name: 'y'"),
        ("count: 3", "count: three", r"count is 'three' \(str\)", "int"),
        ("count: 3", "count: true", r"count is True \(bool\)", "int"),
        ("count: 3", "count: 3.5", r"count is 3.5 \(float\)", "int"),
        ("name: x", "name: 2026-11-23", "parameters", "fields"),
        ("notebooks: [one]", "notebooks: [oen]", "no notebook 'oen'", "'one'"),
        ("machine: any\n", "", "machine", "fields"),
        ("machine: any", "machine: any\nflavour: 1", "flavour", "fields"),
        ("machine: any", "machine: [", "is not YAML", "mend"),
        ("  count: 3", "  'count=0; print(1); y': 3", "is not a parameter's name", "letters"),
        ("  count: 3", "  'class': 3", "is not a parameter's name", "letters"),
    ],
    ids=[
        "unknown", "missing", "text for a number", "truth for a number", "fraction for a count", "a date",
        "unknown notebook", "no machine", "unknown field", "broken YAML", "code in a name", "a keyword",
    ],
)  # fmt: skip
def test_a_wrong_profile_is_refused_before_anything_runs(desk, old, new, what, remedy):
    assert old in PROFILE
    (desk / "params/mine.yaml").write_text(PROFILE.replace(old, new, 1))
    with pytest.raises(UsageError, match=what) as caught:
        lab.load("mine")
    assert remedy in caught.value.remedy
    assert not (desk / "runs").exists()


@pytest.mark.parametrize(
    ("parameter", "value", "what"),
    [("toolchain", "curent", "no toolchain named 'curent'"), ("processes", "2", "processes is 2")],
)
def test_values_that_a_room_refuses_are_refused_before_anything_runs(desk, parameter, value, what):
    quick = (Path(lab.shipped.profile("quick"))).read_text()
    lines = [
        f"  {parameter}: {value}" if line.strip().startswith(f"{parameter}:") else line for line in quick.split("\n")
    ]
    (desk / "params/mine.yaml").write_text("\n".join(lines))
    with pytest.raises(UsageError, match=what):
        lab.load("mine")


def test_an_unknown_profile_names_the_nearest(desk):
    with pytest.raises(UsageError, match="'quik'") as caught:
        lab.load("quik")
    assert "quick" in caught.value.remedy


def test_only_chooses_among_the_profiles_notebooks(desk):
    assert lab.load("quick", only=["02_codegen"]).notebooks == ("02_codegen",)
    with pytest.raises(UsageError, match="'02_codgen'") as caught:
        lab.load("quick", only=["02_codgen"])
    assert "02_codegen" in caught.value.remedy


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("count = 1 + 1", "not a literal"),
        ("import os", "more than assignments"),
        ("print(1)", "more than assignments"),
    ],
)
def test_a_parameters_cell_holds_literals_only(desk, source, what):
    with pytest.raises(UsageError, match=what):
        declared(write_notebook(desk, "bad", parameters=source))


def test_a_notebook_without_a_parameters_cell_is_refused(desk):
    path = desk / "notebooks/bare.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("x = 1")]), str(path))
    with pytest.raises(UsageError, match="0 cells tagged"):
        declared(path)
    path.write_text("{}")
    with pytest.raises(UsageError, match="not a notebook"):
        declared(path)


@pytest.mark.parametrize(
    ("wanted", "fits"), [("any", True), ("linux", None), ("macos", None), ("Apple M1", None), ("beos", False)]
)
def test_a_profile_for_another_machine_is_refused_with_both_names(desk, this_machine, wanted, fits):
    (desk / "params/mine.yaml").write_text(PROFILE.replace("any", wanted))
    profile = lab.load("mine")
    if fits is None:
        fits = wanted in {this_machine.system.value, this_machine.chip}
    if fits:
        check_machine(profile, this_machine)
    else:
        with pytest.raises(UsageError, match=f"for {wanted}, this machine is .*{this_machine.system}"):
            check_machine(profile, this_machine)


@pytest.mark.parametrize(("name", "chip"), [("m1", "Apple M1"), ("m2", "Apple M2"), ("m3", "Apple M3")])
def test_the_profiles_of_macs_are_whole_and_run_on_their_chip_alone(desk, this_machine, name, chip):
    profile = lab.load(name)
    assert set(profile.parameters) == set(lab.load("linux").parameters)
    for own in (chip, f"{chip} Pro"):
        check_machine(profile, msgspec.structs.replace(this_machine, chip=own))
    for other in ("AMD EPYC", f"{chip}0", "Apple M9", None):
        with pytest.raises(UsageError, match=f"for {chip}, this machine is {other}") as caught:
            check_machine(profile, msgspec.structs.replace(this_machine, chip=other))
        assert caught.value.exit_code == 2


def run_here(desk, *sources: str):
    write_notebook(desk, "one", *sources)
    batch = lab.plan([lab.load("mine")], desk / "runs")
    (record,) = lab.run(batch)
    return batch.runs[0], record


def files(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_run_keeps_notebook_record_and_log(desk):
    planned, record = run_here(desk, "print(count, name)")
    (notebook,) = record.notebooks
    assert (notebook.status, notebook.cause) == (NotebookStatus.DONE, None)
    assert files(planned.folder) == ["log.txt", "one.ipynb", "record.json"]
    assert records.read(planned.folder / "record.json") == record
    executed = nbformat.read(str(planned.folder / "one.ipynb"), as_version=4)
    assert executed.cells[-1].outputs[0].text == "3 x\n"
    assert planned.folder.parent.name == record.machine.id
    assert "profile" not in record.parameters
    assert dict(record.parameters) == {"count": 3, "name": "x"}
    assert "notebook one: done" in (planned.folder / "log.txt").read_text()


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("1 / 0", "cell .* failed: ZeroDivisionError: division by zero"),
        ("import os; os._exit(3)", "the kernel died"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the kernel died"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        (
            "from labkit.errors import BuildError\nraise BuildError('it broke', remedy='mend it')",
            r"it broke \(mend it\)",
        ),
    ],
    ids=["an error", "exit", "killed", "interrupt within", "a foreseen fault"],
)
def test_a_notebook_that_fails_is_recorded_with_its_cause_and_kept(desk, source, cause):
    planned, record = run_here(desk, "print('before')", source, "print('never')")
    (notebook,) = record.notebooks
    assert notebook.status is NotebookStatus.FAILED
    assert re.search(cause, notebook.cause)
    assert notebook.remedy
    executed = nbformat.read(str(planned.folder / "one.ipynb"), as_version=4)
    assert "before" in str(executed.cells)
    assert files(planned.folder) == ["log.txt", "one.ipynb", "record.json"]


def test_the_others_run_when_one_fails(desk):
    write_notebook(desk, "two", "print('two')")
    write_notebook(desk, "one", "1 / 0")
    (desk / "params/mine.yaml").write_text(PROFILE.replace("[one]", "[one, two]"))
    (record,) = lab.run(lab.plan([lab.load("mine")], desk / "runs"))
    assert [notebook.status for notebook in record.notebooks] == ["failed", "done"]


def test_a_cell_that_takes_too_long_is_ended_with_its_cause(desk):
    (desk / "params/mine.yaml").write_text(f"cell_timeout_s: 1\n{PROFILE}")
    _planned, record = run_here(desk, "import time; time.sleep(60)")
    assert "did not end within 1 s" in record.notebooks[0].cause


WAITING = ("import os; print('kernel', os.getpid(), flush=True)", "import time; time.sleep(60)")


def start_run(desk):
    """Start a batch of three notebooks whose second one waits."""
    write_notebook(desk, "one", "print('finished')")
    write_notebook(desk, "two", *WAITING)
    write_notebook(desk, "three", "print('never')")
    (desk / "params/mine.yaml").write_text(PROFILE.replace("[one]", "[one, two, three]"))
    command = [sys.executable, "-m", "labkit", "run", "--params", "mine"]
    return proc.start(command, env=base(path=os.environ["PATH"]), cwd=desk)


def kernel_of_two(desk) -> int:
    """Wait for the second notebook's kernel to name itself, and return its process id."""
    found: list[int] = []

    def named() -> bool:
        for path in desk.glob("runs/*/*/.running/two.ipynb"):
            match = re.search(r"kernel (\d+)", path.read_text())
            if match:
                found.append(int(match.group(1)))
        return bool(found)

    proc.wait_until(named, timeout_s=60, what="the second notebook's start")
    return found[0]


def run_folders(desk) -> list[Path]:
    return [path for path in desk.glob("runs/*/*") if path.parent.name != "batches"]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_ctrl_c_keeps_what_is_finished_and_exits_with_130(desk):
    with start_run(desk) as running:
        kernel = kernel_of_two(desk)
        os.kill(running.pid, signal.SIGINT)
        assert running.wait(60) == 130
        said = running.output()[1].decode()
    assert "labkit: interrupted" in said
    assert "Traceback" not in said
    (folder,) = run_folders(desk)
    record = records.read(folder / "record.json")
    assert [notebook.status for notebook in record.notebooks] == ["done", "interrupted"]
    assert files(folder) == [".finished", "log.txt", "one.ipynb", "record.json", "two.ipynb"]
    assert "finished" in (folder / "one.ipynb").read_text()
    proc.wait_until(lambda: gone(kernel), timeout_s=20, what="the kernel's end")


def test_a_killed_batch_leaves_no_kernel_and_nothing_half_written_under_its_name(desk):
    with start_run(desk) as running:
        kernel = kernel_of_two(desk)
        os.kill(running.pid, signal.SIGKILL)
        running.wait(60)
        proc.wait_until(lambda: gone(kernel), timeout_s=20, what="the kernel's end")
    (folder,) = run_folders(desk)
    assert files(folder) == [".finished", ".running", "log.txt", "one.ipynb"]
    nbformat.validate(nbformat.read(str(folder / "one.ipynb"), as_version=4))
