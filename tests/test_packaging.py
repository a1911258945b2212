"""What is shipped: the wheel is whole and works outside the checkout; lock files and environment.yml say the same."""

import os
import re
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from labkit.system import proc
from labkit.system.environment import base
from tests.support import need

PROJECT = tomllib.loads(Path("pyproject.toml").read_text())
# the extras are locked and in environment.yml like the others
EXTRAS = [line for extra in PROJECT["project"]["optional-dependencies"].values() for line in extra]
DEPENDENCIES = {canonicalize_name(r.name): r for r in map(Requirement, [*PROJECT["project"]["dependencies"], *EXTRAS])}
ENVIRONMENT = yaml.safe_load(Path("environment.yml").read_text())
LOCKS = ("requirements.lock", "requirements-dev.lock")


def pip_environment() -> dict[str, str]:
    passed = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return base(path=os.environ["PATH"], **passed) | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), "."]
    proc.run(command, env=pip_environment(), timeout_s=120, cwd=Path.cwd())
    (path,) = out.glob("*.whl")
    return path


def test_the_wheel_holds_everything_that_a_run_needs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tracked = {str(path) for path in Path("labkit").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    shipped = {f"labkit/_shipped/{path}" for folder in ("notebooks", "params") for path in Path(folder).glob("*.*")}
    assert {name for name in names if ".dist-info/" not in name} == tracked | shipped
    for needed in (
        "labkit/_shipped/notebooks/01_install.ipynb",
        "labkit/_shipped/params/quick.yaml",
        "labkit/bench/kernels/go.sum",
        "labkit/codegen/hello/proto/helloworld.proto",
        "labkit/toolchain/sets/current.toml",
        "labkit/words/zh/doctor.toml",
        "labkit/py.typed",
    ):
        assert needed in names


def test_the_wheel_works_in_an_empty_environment_outside_the_checkout(wheel, tmp_path, spaced_home):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (tmp_path / "home").mkdir()
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env/bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--no-compile"]
    lock = Path("requirements.lock").absolute()
    proc.run([*pip, "--require-hashes", "-r", lock], env=pip_environment(), timeout_s=600, cwd=folder)
    proc.run([*pip, "--no-deps", wheel], env=pip_environment(), timeout_s=120, cwd=folder)
    labkit = tmp_path / "env/bin/labkit"
    environ = base(path=os.environ["PATH"], LABKIT_HOME=str(spaced_home)) | {"HOME": str(tmp_path / "home")}
    machine = proc.run([labkit, "machine", "--json"], env=environ, timeout_s=60, cwd=folder)
    assert '"architecture"' in machine.stdout
    done = proc.run([labkit, "-q", "run", "--only", "02_codegen"], env=environ, timeout_s=300, cwd=folder)
    index = Path(done.stdout.strip().split("\n")[-1])
    assert index.is_file()
    assert folder in index.parents
    proc.run([python, "-m", "pip", "check"], env=pip_environment(), timeout_s=60, cwd=folder)


def pins(lock: str) -> dict[str, list[str]]:
    """Return each locked requirement with its hashes."""
    found: dict[str, list[str]] = {}
    for block in Path(lock).read_text().replace("\\\n", " ").splitlines():
        if "==" in block:
            requirement, *hashes = block.split("--hash=")
            found[requirement.strip()] = [text.strip() for text in hashes]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_names_versions_and_hashes_and_no_address(lock):
    text = Path(lock).read_text()
    assert "://" not in text
    assert "index" not in re.sub(r"^\S+==", "", text, flags=re.MULTILINE)
    for requirement, hashes in pins(lock).items():
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", text) for text in hashes)


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize(
    ("system", "machine"), [("Darwin", "arm64"), ("Darwin", "x86_64"), ("Linux", "aarch64"), ("Linux", "x86_64")]
)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_a_lock_serves_every_platform(lock, system, machine, python):
    """Every dependency is locked once, within its bound, under each platform's markers."""
    platform = {"Darwin": "darwin", "Linux": "linux"}[system]
    environ = {
        "platform_system": system,
        "platform_machine": machine,
        "sys_platform": platform,
        "python_version": python,
        "python_full_version": f"{python}.9",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    locked: dict[str, str] = {}
    for text in pins(lock):
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(environ):
            name = canonicalize_name(requirement.name)
            assert name not in locked, f"{name} is locked twice"
            locked[name] = next(iter(requirement.specifier)).version
    for name, wanted in DEPENDENCIES.items():
        assert wanted.specifier.contains(locked[name]), name


def test_the_development_lock_agrees_with_the_other():
    both = {canonicalize_name(Requirement(text).name): text for text in pins("requirements-dev.lock")}
    for text in pins("requirements.lock"):
        name = canonicalize_name(Requirement(text).name)
        if ";" not in text:
            assert both[name] == text


def environment_requirements() -> tuple[list[Requirement], list[Requirement]]:
    conda = [Requirement(item) for item in ENVIRONMENT["dependencies"] if isinstance(item, str)]
    (pip,) = [item["pip"] for item in ENVIRONMENT["dependencies"] if isinstance(item, dict)]
    return conda, [Requirement(item) for item in pip]


def test_environment_yml_has_pyprojects_names_and_bounds():
    conda, pip = environment_requirements()
    python = next(item for item in conda if item.name == "python")
    assert str(python.specifier) == PROJECT["project"]["requires-python"]
    named = {canonicalize_name(item.name): item for item in [*conda, *pip] if item.name != "python"}
    assert {name: (r.specifier, r.extras) for name, r in named.items()} == {
        name: (r.specifier, r.extras) for name, r in DEPENDENCIES.items()
    }
    assert "No conda solve was run" in Path("environment.yml").read_text()


def test_the_pip_part_of_environment_yml_resolves(tmp_path):
    _conda, pip = environment_requirements()
    command = [
        sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed",
        *(str(item) for item in pip),
    ]  # fmt: skip
    proc.run(command, env=pip_environment(), timeout_s=120, cwd=tmp_path)


def make(folder: Path, path: str) -> proc.Completed:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        (folder / name).write_text(Path(name).read_text())
    return proc.run([need("make"), "report"], env=base(path=path), timeout_s=60, cwd=folder, check=False)


def test_make_tries_an_interpreter_by_running_it(tmp_path, executable):
    """macOS has a python3 on PATH that does not run, and a system's own may be too old."""
    stub = executable("python3", "exit 1")
    executable("python3.12", "exit 1")
    done = make(tmp_path, str(stub.parent))
    said = done.stdout + done.stderr
    assert done.returncode == 2
    assert "no Python 3.11 or later" in said
    assert "remedy:" in said
    assert not (tmp_path / ".venv").exists()


TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".txt", ".ipynb", ".lock", ".json", ".go", ".mod", ".sum", ".proto", ""}


def test_no_file_names_a_package_registrys_host():
    hosts = re.compile(r"https?://[\w.-]*(pypi|pythonhosted|npmjs|proxy\.golang|sum\.golang|crates\.io|repo1?\.maven)")
    listed = proc.run(["/usr/bin/env", "git", "ls-files"], env=base(), timeout_s=30, cwd=Path.cwd())
    for name in listed.stdout.splitlines():
        path = Path(name)
        if path.suffix in TEXT and path.is_file():
            assert not hosts.search(path.read_text("utf-8", "replace")), name
