"""The notebooks as they are: under plain nbclient (by nbmake) they run with their defaults, and say what a batch says.

What was measured differs from run to run; :data:`MEASURED` names each such field, and everything else is equal. Both
runs are taken once, side by side, from what the store holds.
"""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
from msgspec.structs import replace

from labkit import model, scraps
from labkit.model.base import Record
from labkit.model.check import Status
from labkit.system import records
from tests.test_notebooks import NOTEBOOKS

pytestmark = pytest.mark.slow(budget_s=420)

LIMIT_S = 900
#: What the machine and the hour decide. A field that is not here is the same whoever executes the notebook.
MEASURED = {
    "Condition": {"taken_at", "load_1min", "load_5min", "load_15min", "cpu_pressure_percent", "cpu_frequency_hz"},
    "Newer": {"asked_at"},
    # 01_install, 02_codegen
    "Generated": {"wall_time_s"},
    "Served": {"call_time_s"},
    "GeneratorSurvey": {"wall_time_s"},
    "CollectionCost": {"protoc_time_s", "plugin_time_s", "wall_time_s", "peak_memory_bytes"},
    "Matrix": {"wall_time_s"},
    # 04_performance: numbers, and what is concluded from them
    "Interval": {"median", "low", "high"},
    "Slice": {"iterations", "wall_time_ns", "cpu_time_ns"},
    "ProcessSample": {
        "allocated_bytes_per_op", "allocations_per_op", "involuntary_switches", "minor_faults", "peak_memory_bytes",
    },
    "Sample": {"warnings", "taken_at"},
    "ArmFacts": {"iterations"},
    "Difference": {
        "verdict", "other", "pairs", "cpu_share", "involuntary_switches_per_s", "drift", "duration_s", "taken_at",
        "warnings", "stopped",
    },
    "Point": {"least_ns", "stable", "time_ns"},
    "Curve": {"knees", "unstable_from", "points"},
    "Said": {"found_bytes"},
    "LayoutDifference": {"ratio", "cpu_share", "warnings", "too_noisy"},
    "Structure": {"taken_at", "doubts"},
    "Quiet": {"reasons", "verdict"},
    # 05_debugging: where the system laid things
    "Register": {"value"},
    "Session": {"wall_time_s"},
    "Trial": {"wall_time_s"},
    # 06_traps: how long, and how often within that
    "TrapOutcome": {"duration_s"},
    "TrapsReport": {"taken_at", "duration_s"},
    "Step": {"facts"},
    "Case": {"facts"},
    # 07_claims
    "ClaimsRecord": {"date", "wall_time_s"},
    "ClaimResult": {"date"},
    "FactUse": {"date", "carried_over"},
}  # fmt: skip
#: In texts of tools the numbers are ports, processes, clock times and addresses, and a server that answers twice, or in
#: another order, repeats its lines.
NUMBERED = {"Step", "Case", "TrapOutcome", "Trial", "Session", "Stop", "Frame", "Breakpoint"}
#: A scratch folder's name is drawn.
SCRATCH = re.compile(r"(/[\w./-]*?/)labkit-[a-z0-9_]{8}")


def differences(one, other, path=""):
    """Return the paths at which two records differ in what was not measured."""
    if type(one) is not type(other):
        return [f"{path}: {one!r} != {other!r}"]
    if isinstance(one, Record):
        kind = type(one).__name__
        found = []
        for name in one.__struct_fields__:
            if name in MEASURED.get(kind, ()):
                continue
            pair = [even(getattr(each, name), kind) for each in (one, other)]
            if kind == "CollectionRun" and name == "parts":  # by how long they took
                pair = [tuple(sorted(parts, key=lambda part: part.folder)) for parts in pair]
            found += differences(*pair, f"{path}.{name}")
        return found
    if isinstance(one, tuple | list):
        if len(one) != len(other):
            return [f"{path}: {len(one)} != {len(other)} of them"]
        return [
            each for at, pair in enumerate(zip(one, other, strict=True)) for each in differences(*pair, f"{path}[{at}]")
        ]
    if isinstance(one, dict):
        return [
            each
            for key in sorted(one.keys() | other.keys(), key=str)
            if not str(key).endswith("_s")  # seconds
            for each in differences(even(one.get(key)), even(other.get(key)), f"{path}[{key}]")
        ]
    return [] if even(one) == even(other) else [f"{path}: {one!r} != {other!r}"]


def even(value, kind=""):
    """Return a text without what is drawn anew each time; anything else as it is."""
    if isinstance(value, tuple) and value and all(isinstance(each, str) for each in value):
        return tuple(even(each, kind) for each in value)
    if not isinstance(value, str) or type(value) is not str:
        return value
    value = re.sub(r'(?<="call_time_ns":)\d+', "#", SCRATCH.sub(r"\1labkit-", value))
    if kind not in NUMBERED:
        return value
    return "\n".join(sorted(set(re.sub(r"0x[0-9a-f]+|\d+", "#", value).splitlines())))


def command(*words, cwd):
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)], cwd=cwd, env={**os.environ, "LABKIT_PROGRESS": "off"},
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip


def nbmake(folder, *more):
    options = ("--nbmake", f"--nbmake-timeout={LIMIT_S}", "-q", "-p", "no:cacheprovider", "--rootdir", folder)
    return command("pytest", *options, *more, folder, cwd=folder)


@pytest.fixture(scope="module")
def runs(tmp_path_factory, facts):
    """Return the notebooks' folder and what nbmake said of it, and the record of a batch with the same parameters."""
    assert facts.toolchain  # provisioned before any time is counted
    desk, out = tmp_path_factory.mktemp("desk"), tmp_path_factory.mktemp("out")
    for notebook in NOTEBOOKS:
        shutil.copy(notebook, desk)
    with ThreadPoolExecutor() as pool:
        plain = pool.submit(nbmake, desk, "--overwrite")
        batch = pool.submit(command, "labkit", "run", "--params", "quick", "--out", out, cwd=desk)
    assert batch.result().returncode == 0, batch.result().stderr
    (record,) = (path for path in out.rglob("record.json") if "report" not in path.parts)
    return desk, plain.result(), records.read(record)


def test_every_notebook_runs_under_nbmake_as_it_is(runs):
    _, said, _ = runs
    assert said.returncode == 0, said.stdout
    assert f"{len(NOTEBOOKS)} passed" in said.stdout


def test_a_notebook_that_fails_is_red_under_nbmake(tmp_path):
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("raise ValueError('the control')")])
    nbformat.write(document, str(tmp_path / "red.ipynb"))
    said = nbmake(tmp_path)
    assert said.returncode == 1
    assert "the control" in said.stdout


@pytest.mark.parametrize("section", scraps.SECTIONS)
def test_its_record_is_equal_but_for_what_was_measured(runs, section):
    desk, _, record = runs
    (plain,) = (found[section] for path in desk.glob("*.ipynb") if section in (found := scraps.read(path)))
    assert differences(plain, getattr(record, section), section) == []


def test_a_difference_in_anything_else_is_found(runs):
    _, _, record = runs
    tool, *tools = record.install.toolchain.tools
    other = replace(record.install.toolchain, tools=(replace(tool, version="0.0.0"), *tools))
    assert len(differences(record.install, replace(record.install, toolchain=other))) == 1
    finding, *findings = record.codegen.findings
    other = replace(record.codegen, findings=(replace(finding, status=Status.FAIL), *findings))
    assert len(differences(record.codegen, other)) == 1
    sample, *samples = record.performance.samples
    other = replace(record.performance, samples=(replace(sample, processes=sample.processes[1:]), *samples))
    assert len(differences(record.performance, other)) == 1
    assert len(differences(record.claims, replace(record.claims, claims=record.claims.claims[1:]))) == 1


def test_what_counts_as_measured_is_there():
    modules = [import_module(f"labkit.model.{path.stem}") for path in Path(model.__path__[0]).glob("*.py")]
    known = {
        f"{name}.{field}"
        for module in modules
        for name, kind in vars(module).items()
        for field in getattr(kind, "__struct_fields__", ())
    }
    assert {f"{kind}.{field}" for kind, names in MEASURED.items() for field in names} - known == set()
    assert {each.partition(".")[0] for each in known} >= NUMBERED
