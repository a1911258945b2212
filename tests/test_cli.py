"""The command line: help, exit codes, one-line errors, JSON errors, gates; light to start."""

import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest

from labkit.cli.app import COMMANDS, application, main
from labkit.cli.rows import lines
from labkit.errors import LabError, exit_codes
from labkit.system import proc, records
from labkit.system.environment import base

NOTEBOOKS = Path("notebooks").absolute()
HEAVY = {
    "pandas", "plotly", "numpy", "papermill", "nbclient", "nbformat", "nbconvert", "scrapbook", "pyarrow", "elftools",
    "IPython", "jupyterlab", "jupyter_client", "lief", "yaml", "tqdm", "rich",
}  # fmt: skip


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        pytest.param([], [], id="none"),
        pytest.param([("a", "b"), ("long", "")], ["a     b", "long"], id="no blank ends a line"),
        pytest.param([("芯片", "M1"), ("chip", "M2")], ["芯片  M1", "chip  M2"], id="a Chinese character takes two"),
    ],
)
def test_rows_stand_in_columns(rows, shown):
    assert list(lines(rows)) == shown


def test_a_command_that_is_named_is_the_only_one_that_is_declared():
    assert [command.name for command in application(["-q", "generate", "x"]).registered_commands] == ["generate"]
    assert commands() == sorted(COMMANDS)
    assert len(application(["generat"]).registered_commands) == len(COMMANDS)


def commands() -> list[str]:
    return sorted(str(command.name) for command in application().registered_commands)


def modules_after(code: str) -> set[str]:
    script = f"{code}\nimport sys; print(' '.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = proc.run([sys.executable, "-c", script], env=base(), timeout_s=60, cwd=Path.cwd())
    return set(done.stdout.split("\n")[-2].split())


def test_importing_labkit_loads_nothing_heavy():
    assert not modules_after("import labkit") & (HEAVY | {"typer", "msgspec"})


def test_help_loads_nothing_heavy():
    code = "from labkit.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert not modules_after(code) & HEAVY


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help_and_stands_in_the_readme(capsys, command):
    code, out, _err = run(capsys, command, "--help")
    assert code == 0
    assert len(out.split("\n\n")[1].split()) > 4, "no description"
    assert f"labkit {command}" in Path("README.md").read_text()


def test_the_help_lists_every_exit_code(capsys):
    _code, out, _err = run(capsys, "--help")
    for code, meaning in exit_codes().items():
        assert f"{code} {meaning}" in " ".join(out.split())


def test_each_error_class_has_a_code_of_its_own():
    kinds = [LabError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    codes = [kind.exit_code for kind in kinds if kind.__module__ == "labkit.errors"]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["nonsense"], 2, "nonsense"),
        (["run", "--nonsense"], 2, "nonsense"),
        (["run", "--params", "quik"], 2, "'quik'"),
        (["run", "--only", "05_debuging"], 2, "'05_debuging'"),
        (["setup", "--toolchain", "curent"], 2, "'curent'"),
        (["publish", "nowhere", "--out", "site"], 2, "nowhere"),
    ],
    ids=["command", "option", "profile", "notebook", "toolchain", "run"],
)
def test_wrong_use_is_one_line_and_its_remedy(capsys, tmp_path, monkeypatch, arguments, code, what):
    monkeypatch.chdir(tmp_path)
    ended, out, err = run(capsys, *arguments)
    assert (ended, out) == (code, "")
    first, second = err.strip().split("\n")
    assert first.startswith("labkit: ")
    assert what in first
    assert second.startswith("  remedy: ")
    assert not list(tmp_path.iterdir())


def test_with_json_an_error_is_a_document_too(capsys):
    code, out, err = run(capsys, "setup", "--toolchain", "curent", "--json")
    assert (code, err) == (2, "")
    error = json.loads(out)["error"]
    assert "'curent'" in error["what"]
    assert "current" in error["remedy"]


def test_a_fault_nobody_foresaw_is_said_to_be_one(capsys, monkeypatch):
    import labkit.machine

    def broken():
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr(labkit.machine, "read", broken)
    code, _out, err = run(capsys, "machine")
    assert code == 70
    assert "did not foresee this: ZeroDivisionError: surprise" in err
    assert "Traceback" in err


def test_setup_names_every_tool(capsys, toolchain):
    code, out, _err = run(capsys, "setup")
    assert code == 0
    for tool in toolchain.tools:
        assert tool.name in out
    code, out, _err = run(capsys, "setup", "--json")
    assert [tool["name"] for tool in json.loads(out)["tools"]] == [tool.name for tool in toolchain.tools]


def labkit(*arguments: str, cwd: Path, **environ: str) -> proc.Completed:
    command = [sys.executable, "-m", "labkit", *arguments]
    return proc.run(command, env=base(path=os.environ["PATH"], **environ), timeout_s=300, cwd=cwd, check=False)


def test_a_run_in_a_home_with_a_space_ends_with_the_reports_path(tmp_path, spaced_home):
    home = tmp_path / "home sweet home"
    home.mkdir()
    done = labkit("-q", "run", "--only", "02_codegen", cwd=tmp_path, HOME=str(home), LABKIT_HOME=str(spaced_home))
    assert done.returncode == 0, done.stderr
    *_, record_line, last = done.stdout.strip().split("\n")
    assert Path(last).is_file()
    assert Path(last).name == "index.html"
    assert record_line.startswith("record: ")
    assert "docs/record.md" in record_line
    record = records.read(Path(last).parent.parent / "record.json")
    assert record.codegen is not None
    assert record.codegen.served.reply == "Hello, labkit!"


def spoil(home: Path, name: str, content: bytes) -> None:
    """Give a home's store one altered tool: the entry is copied, the rest stays behind links."""
    shelf = (home / "store").resolve()
    (home / "store").unlink()
    (home / "store").mkdir()
    for entry in shelf.iterdir():
        if entry.name.startswith(f"{name}-1"):
            shutil.copytree(entry, home / "store" / entry.name)
            program = next((home / "store" / entry.name).rglob(name))
            program.unlink()
            if content:
                program.write_bytes(content)
                program.chmod(0o755)
        else:
            (home / "store" / entry.name).symlink_to(entry)


@pytest.mark.parametrize("gate", ["a missing plugin", "a wrong-architecture plugin"])
def test_each_gate_fails_when_it_should(tmp_path, spaced_home, facts, gate):
    other = next(built for built in facts.servers if built.platform.startswith("darwin"))
    content = b"" if gate == "a missing plugin" else Path(other.path).read_bytes()
    spoil(spaced_home, "protoc-gen-go", content)
    done = labkit("-q", "run", "--only", "01_install", "--gate", cwd=tmp_path, LABKIT_HOME=str(spaced_home))
    assert done.returncode == 1, done.stderr
    assert "tool-version.protoc-gen-go" in done.stderr
    assert ("tool-native.protoc-gen-go" in done.stderr) or content == b""
    index = Path(done.stdout.strip().split("\n")[-1])
    assert "FAIL" in (index.parent / index.parent.parent.name / "01_install.html").read_text()


def test_without_the_gate_a_failing_finding_is_content(tmp_path, spaced_home):
    spoil(spaced_home, "protoc-gen-go-grpc", b"")
    done = labkit("-q", "run", "--only", "01_install", cwd=tmp_path, LABKIT_HOME=str(spaced_home))
    assert done.returncode == 0, done.stderr


def test_no_go_and_no_network_is_one_line_and_its_remedy(tmp_path):
    done = labkit("setup", cwd=tmp_path, LABKIT_HOME=str(tmp_path / "home"), PATH="/nowhere", PIP_NO_INDEX="1")
    assert done.returncode == 11
    error = [line for line in done.stderr.split("\n") if line.startswith(("labkit: ", "  remedy"))]
    assert len(error) == 2
    assert "could not be fetched" in error[0]
    assert "PIP_INDEX_URL" in error[1]
    assert "Traceback" not in done.stderr


def test_a_notebook_that_fails_gives_a_report_its_cause_and_an_exit_code(tmp_path, spaced_home):
    spoil(spaced_home, "protoc-gen-go", b"")
    done = labkit("-q", "run", "--only", "02_codegen", cwd=tmp_path, LABKIT_HOME=str(spaced_home))
    assert done.returncode == 16
    assert "02_codegen: cell" in done.stderr
    assert "protoc failed" in done.stderr
    assert Path(done.stdout.strip().split("\n")[-1]).is_file()


def test_output_into_a_closed_pipe_is_no_fault(tmp_path):
    command = f"{sys.executable} -m labkit --help | head -c 1"
    done = proc.run(["/bin/sh", "-c", command], env=base(), timeout_s=60, cwd=tmp_path)
    assert "Traceback" not in done.stderr


def test_jupyterlab_opens_with_the_notebooks(tmp_path):
    options = ["--no-browser", ".", "--", "--allow-root", "--port=0", "--port-retries=0"]
    home = tmp_path / "home"
    home.mkdir()
    environ = base(path=os.environ["PATH"]) | {"HOME": str(home), "JUPYTER_TOKEN": "secret"}
    names: list[str] = []
    with proc.start([sys.executable, "-m", "labkit", "lab", *options], env=environ, cwd=tmp_path) as server:
        address = server.wait_for(r"http://127\.0\.0\.1:(\d+)/lab", timeout_s=60, remedy="-")
        url = f"http://127.0.0.1:{address.group(1)}/api/contents/notebooks?token=secret"

        def answers() -> bool:  # the address is printed a little before anybody listens there
            try:
                with urllib.request.urlopen(url, timeout=20) as answer:
                    names.extend(entry["name"] for entry in json.load(answer)["content"])
            except ConnectionError:
                return False
            except urllib.error.URLError as error:
                if isinstance(error.reason, ConnectionError):
                    return False
                raise
            return True

        proc.wait_until(answers, timeout_s=60, what="JupyterLab's answer")
    assert sorted(names) == sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
    assert names


@pytest.mark.parametrize("name", ["02_codegen"])
def test_a_notebook_runs_by_hand_with_its_defaults(tmp_path, name):
    """Without papermill and its parameters, as a person runs it."""
    from nbclient import NotebookClient

    document = nbformat.read(str(NOTEBOOKS / f"{name}.ipynb"), as_version=4)
    NotebookClient(document, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in document.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("Hello, labkit!" in str(output) for output in shown)
    assert not [output for output in shown if output.output_type == "error"]


def test_python_m_labkit_is_the_command(tmp_path):
    assert labkit("--version", cwd=tmp_path).stdout.startswith("labkit ")
