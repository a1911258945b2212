"""The workflow of continuous integration: its form by actionlint, its Linux steps by running them as they stand."""

import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest
import yaml

from labkit.lab import load, profile_names
from labkit.system import proc, records
from labkit.system.environment import base
from labkit.system.store import Store
from labkit.toolchain import find, golang, program
from labkit.toolchain.pins import PluginTool

ROOT = Path(__file__).parent.parent
WORKFLOW = ROOT / ".github/workflows/lab.yml"
PIN = PluginTool(**tomllib.loads((Path(__file__).parent / "data/actionlint/pin.toml").read_text("utf-8")))
STEP_TIMEOUT_S = 900.0
#: What is made in a checkout, and is not of it.
MADE = {".git", ".venv", "runs", "site", "comparison", "dist", "build"}
#: Two notebooks that measure nothing and need nothing built: what is tested is the way, not the machine.
ONLY = "01_install 03_binaries"


@pytest.fixture(scope="module")
def jobs():
    return yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]


@pytest.fixture(scope="module")
def lint(toolchain):
    """Return what runs actionlint, built from its pinned module, on a file."""
    version = str(find(toolchain, "go").version)
    folder = golang.install(Store(), program(toolchain, "go"), version, PIN, toolchain.platform)

    def lint(file):
        # what it finds in shell scripts would hang on whether shellcheck is installed here
        argv = [folder / PIN.name, "-shellcheck=", "-pyflakes=", "-no-color", "-oneline", file]
        return proc.run(argv, env=base(), timeout_s=60, check=False)

    return lint


def test_actionlint_finds_nothing(lint):
    done = lint(WORKFLOW)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-24.O4", "label"),
        ("matrix.machine }}", "matrix.machina }}", "machina"),
        ("needs: record", "needs: records", "records"),
        ("if: ${{ !cancelled() }}", "if: ${{ !canceled() }}", "canceled"),
    ],
)
def test_actionlint_finds_what_is_wrong(lint, tmp_path, good, bad, said):
    text = WORKFLOW.read_text("utf-8")
    assert good in text
    (tmp_path / "lab.yml").write_text(text.replace(good, bad), "utf-8")
    done = lint(tmp_path / "lab.yml")
    assert done.returncode == 1
    assert said in done.stdout


def shell_steps(job):
    return [step["run"].strip() for step in job["steps"] if "run" in step]


def test_every_shell_step_is_a_make_target(jobs):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    steps = [step for job in jobs.values() for step in shell_steps(job)]
    assert steps == ["make ci", "make report", "make compare", "make site"]
    assert {step.removeprefix("make ") for step in steps} <= targets


def test_actions_are_pinned_by_commit_and_only_publishing_may_write(jobs):
    used = re.findall(r"uses: (.*)", WORKFLOW.read_text("utf-8"))
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in used)
    assert yaml.safe_load(WORKFLOW.read_text("utf-8"))["permissions"] == {"contents": "read"}
    assert [name for name, job in jobs.items() if "permissions" in job] == ["publish"]


def test_every_machine_has_a_runner_and_a_profile(jobs):
    job = jobs["record"]
    machines = job["strategy"]["matrix"]["machine"]
    runners = yaml.safe_load(re.search(r"\{\"m1\".*?\}", job["runs-on"], re.DOTALL)[0])
    assert set(runners) == set(machines)
    assert {"m1", "m2", "linux", "quick"} <= set(profile_names())
    for machine in machines:
        if machine.startswith("m"):
            assert load(machine).machine == f"Apple {machine.upper()}"  # another chip is refused by the profile
            assert "macos" in runners[machine]


class Runner:
    """What GitHub's runner does between shell steps, for the two actions that carry files."""

    def __init__(self, checkout, artifacts, environment):
        self.checkout, self.artifacts, self.environment = checkout, artifacts, environment
        self.said = []

    def run(self, job, machine=None):
        for step in job["steps"]:
            given = {
                key: str(value).replace("${{ matrix.machine }}", machine or "")
                for key, value in step.get("with", {}).items()
            }
            match step.get("uses", "").partition("@")[0]:
                case "":
                    self.shell(step["run"])
                case "actions/upload-artifact":
                    shutil.copytree(self.checkout / given["path"], self.artifacts / given["name"])
                case "actions/download-artifact":
                    assert given["merge-multiple"] == "True"
                    for folder in sorted(self.artifacts.glob(given["pattern"])):
                        shutil.copytree(folder, self.checkout / given["path"], dirs_exist_ok=True)
                case "actions/upload-pages-artifact":
                    shutil.copytree(self.checkout / given["path"], self.artifacts / "github-pages")
                case other:
                    assert other in {"actions/checkout", "actions/setup-python"}, other

    def shell(self, script):
        """Run a step as the runner does: a file, bash, ending at the first error."""
        done = proc.run(
            [shutil.which("bash"), "-e", "-c", script],
            env=self.environment,
            cwd=self.checkout,
            timeout_s=STEP_TIMEOUT_S,
        )
        self.said.append(done.stdout)


def checkout(folder):
    """Return a copy of the sources with this environment in it, so that nothing is installed twice."""

    def ignored(where, names):
        made = MADE if Path(where) == ROOT else set()
        return [name for name in names if name in made or name == "__pycache__" or name.endswith("_cache")]

    shutil.copytree(ROOT, folder, ignore=ignored, symlinks=True)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        os.utime(folder / name, (0, 0))  # older than the environment: it is not to be installed from this copy
    return folder


def test_the_linux_steps_make_records_compare_and_publish_them(jobs, tmp_path):
    """Each job in a checkout of its own, verbatim; both Linux machines are this one, at different times."""
    linux = [name for name in jobs["record"]["strategy"]["matrix"]["machine"] if name.startswith("linux")]
    assert len(linux) == 2
    environment = base() | {name: os.environ[name] for name in ("LABKIT_HOME",) if name in os.environ}
    for machine in linux:
        given = environment | {"PARAMS": "quick", "ONLY": ONLY}
        runner = Runner(checkout(tmp_path / machine), tmp_path / "artifacts", given)
        runner.run(jobs["record"], machine)
        index = Path(runner.said[-1].strip().splitlines()[-1])
        assert index.name == "index.html"
        assert index.is_file()
    runner = Runner(checkout(tmp_path / "compare"), tmp_path / "artifacts", environment)
    runner.run(jobs["compare"])
    site = tmp_path / "artifacts/github-pages"
    assert len(list(site.glob("*/record.json"))) == 2
    found = [records.read(path) for path in site.glob("*/record.json")]
    assert all({one.name for one in each.notebooks} == set(ONLY.split()) for each in found)
    assert len({each.run for each in found}) == 2
    assert all(each.run in (site / "index.html").read_text("utf-8") for each in found)
    assert (tmp_path / "compare/comparison").is_dir()


def test_a_site_of_no_run_is_refused_with_its_remedy(tmp_path):
    done = proc.run(
        [shutil.which("make"), "site", "OUT=nothing"],
        env=base(),
        cwd=checkout(tmp_path / "c"),
        timeout_s=60,
        check=False,
    )
    assert done.returncode != 0
    assert "no run with a record lies in nothing" in done.stdout + done.stderr
    assert "make report" in done.stdout + done.stderr
