"""VS Code's files: what is written works with dlv as it stands, and nothing that a user wrote is lost."""

import json
import shutil
from pathlib import Path

import pytest

from labkit.cli.app import main
from labkit.debugging import debugger, jsonc, trying, vscode
from labkit.debugging.rules import Configuration
from labkit.debugging.session import Place
from labkit.errors import UsageError
from labkit.model.check import Status
from labkit.model.debugging import TrialOutcome
from labkit.toolchain import program

HANDBOOK = json.loads("""
{
"name": "Debug gRPC Server (arm64)",
"type": "go",
"request": "launch",
"mode": "test",
"program": "${workspaceFolder}/cmd/server/main.go",
"env": { "GOARCH": "arm64" },
"args": ["-test.run", "^TestStartServer$"],
"dlvLoadConfig": {
"followPointers": true,
"maxVariableRecurse": 1,
"maxArrayValues": 64,
"maxStructFields": -1
}
}
""")


@pytest.fixture(scope="module")
def dlv(facts):
    return debugger(facts)


@pytest.fixture(scope="module")
def small(facts, dlv, tmp_path_factory):
    """A small module with a main package in cmd/server, and the files that `labkit debug --vscode` writes for it."""
    root = tmp_path_factory.mktemp("my project")
    package = root / "cmd/server"
    package.mkdir(parents=True)
    shutil.copy("tests/data/debugging/main.go.txt", package / "main.go")
    (root / "go.mod").write_text("module example.com/small\n\ngo 1.21\n")
    wanted = vscode.project(
        package,
        workspace=root,
        arguments=["serve"],
        go=program(facts.toolchain, "go"),
        dlv=dlv.path,
        port=trying.free_port(),
    )
    vscode.write(wanted)
    return root


@pytest.fixture
def place(small):
    main_go = small / "cmd/server/main.go"
    return Place(name="serve", file=str(main_go), line=trying.line_of(main_go, r"^func serve\(") + 1)


def read(path):
    return json.loads(path.read_text())


def test_launch_works_as_it_is(small, dlv, place):
    launch, _ = read(small / ".vscode/launch.json")["configurations"]
    trial = trying.try_launch("launch", launch, small, dlv, place)
    assert (trial.outcome, trial.stopped_in, trial.verified) == (TrialOutcome.STOPPED, "main.serve", True)
    assert Configuration().check(trial).status is Status.PASS
    assert not list(small.rglob("__debug_bin*"))


def test_attach_works_as_it_is_with_its_tasks(small, dlv, place):
    _, attach = read(small / ".vscode/launch.json")["configurations"]
    tasks = {task["label"]: task for task in read(small / ".vscode/tasks.json")["tasks"]}
    trial = trying.try_attach("attach", attach, tasks, small, dlv, place)
    assert (trial.outcome, trial.stopped_in) == (TrialOutcome.STOPPED, "main.serve")


def test_a_task_that_refers_to_nothing_fails(small, dlv, place):
    _, attach = read(small / ".vscode/launch.json")["configurations"]
    tasks = {task["label"]: task for task in read(small / ".vscode/tasks.json")["tasks"]}
    build = tasks[vscode.BUILD_TASK]
    tasks[vscode.BUILD_TASK] = build | {"args": [*build["args"][:-1], "./cmd/absent"]}
    trial = trying.try_attach("attach", attach, tasks, small, dlv, place)
    assert trial.outcome is TrialOutcome.REFUSED
    assert "cmd/absent" in trial.said
    assert Configuration().check(trial).status is Status.FAIL


def test_the_handbooks_configuration_is_the_printed_one():
    assert trying.HANDBOOK == HANDBOOK


def test_a_test_configuration_of_one_file_has_nothing_to_start(small, dlv, place):
    """The handbook's without GOARCH: of one file that holds no test, go makes no program."""
    variant = trying.handbook_variants()["handbook-without-goarch"]
    trial = trying.try_launch("handbook-without-goarch", variant, small, dlv, place)
    assert trial.outcome is TrialOutcome.REFUSED
    assert "not an executable file" in trial.said
    assert str(small) not in trial.said


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        ({"request": "launch", "mode": "exec", "program": "${workspaceFolder}/absent"}, "absent"),
        ({"request": "launch", "mode": "nonsense", "program": "${workspaceFolder}"}, "unsupported 'mode' attribute"),
        ({"request": "launch", "mode": "exec"}, "program attribute is missing"),
    ],
    ids=["no program", "mode", "no attribute"],
)
def test_what_dlv_says_to_a_wrong_configuration_is_kept(configuration, says, small, dlv, place):
    trial = trying.try_launch("x", configuration, small, dlv, place)
    assert trial.outcome is TrialOutcome.REFUSED
    assert says in trial.said


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("${workspaceFolder}/a", "/w s/a"),
        ("${workspaceFolderBasename}", "w s"),
        ("${env:LABKIT_TEST_NAME}-${env:LABKIT_ABSENT}", "value-"),
        ("a${/}b", "a/b"),
        ("plain", "plain"),
    ],
)
def test_variables_are_resolved_as_vs_code_does(written, means, monkeypatch):
    monkeypatch.setenv("LABKIT_TEST_NAME", "value")
    assert vscode.resolve({"x": [written, 1, None]}, Path("/w s")) == {"x": [means, 1, None]}


def test_a_variable_of_the_open_file_is_refused():
    with pytest.raises(UsageError, match=r"\$\{file\} depends on what is open"):
        vscode.resolve("${file}", Path("/"))


MINE = """// mine
{
    "version": "0.2.0", /* as ever */
    "configurations": [
        {
            "name": "my own", // with a "quote and a ] in it
            "type": "go",
            "args": ["-x", "a // no comment"],
        }%s
    ],
    "compounds": [],
}
"""  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        MINE % "",
        MINE % ",",
        MINE % ", // the last one",
        (MINE % "").replace("\n", "\r\n"),
        "\ufeff" + MINE % "",
        '{"configurations":[]}',
        '{"configurations": [\n // none yet\n ]}',
        '{"other": {"configurations": [1]}, "configurations": [{"name": "a"}], "inputs": [{"configurations": 2}]}',
    ],
    ids=["plain", "trailing comma", "comma and comment", "CRLF", "BOM", "empty", "a comment only", "other arrays"],
)
def test_what_a_user_wrote_stays(text):
    made = jsonc.added(text, "configurations", [{"name": "new", "args": ["x, y]"]}], name="launch.json")
    before, after = jsonc.parse(text, name="-"), jsonc.parse(made, name="-")
    assert after["configurations"] == [*before["configurations"], {"name": "new", "args": ["x, y]"]}]
    assert {key: value for key, value in after.items() if key != "configurations"} == {
        key: value for key, value in before.items() if key != "configurations"
    }
    for line in text.splitlines():
        for comment in ("// mine", "/* as ever */", "// with a", "// the last one", "// none yet"):
            assert comment not in line or comment in made


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "[]", "{}", '{"configurations": {}}', '{"configurations": [1', '{"other": {"configurations": []}}'],
)
def test_what_cannot_be_added_to_is_refused(text):
    with pytest.raises(UsageError):
        jsonc.added(text, "configurations", [{"name": "new"}], name="launch.json")


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "main.go").write_text("package main\n\nfunc main() {}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["-q", "debug", "--vscode", *arguments])
    return int(ended.value.code or 0)


def test_files_are_written_once_and_then_left_alone(project, capsys):
    assert write() == 0
    first = capsys.readouterr().out
    assert f"added: {vscode.LAUNCH_NAME}" in first
    files = [project / ".vscode" / name for name in ("launch.json", "tasks.json")]
    before = [file.read_bytes() for file in files]
    assert write("--port", "4444") == 0
    assert f"{vscode.LAUNCH_NAME} is there already" in capsys.readouterr().out
    assert [file.read_bytes() for file in files] == before
    assert read(files[0])["configurations"][0]["program"] == "${workspaceFolder}"


def test_a_users_file_is_added_to_and_a_link_is_written_through(project):
    (project / ".vscode").mkdir()
    real = project / "shared launch.json"
    real.write_text(MINE % ",")
    (project / ".vscode/launch.json").symlink_to(real)
    assert write("--port", "4444", ".", "--", "-listen", ":1") == 0
    assert (project / ".vscode/launch.json").is_symlink()
    names = [each["name"] for each in jsonc.parse(real.read_text(), name="-")["configurations"]]
    assert names == ["my own", vscode.LAUNCH_NAME, vscode.ATTACH_NAME]
    added = jsonc.parse(real.read_text(), name="-")["configurations"]
    assert (added[1]["args"], added[2]["port"]) == (["-listen", ":1"], 4444)


@pytest.mark.parametrize(
    "content", [b"{ broken", b'{"version": 1}', b"\xff\xfe{}"], ids=["broken", "no array", "UTF-16"]
)
def test_a_file_that_cannot_be_added_to_is_refused_and_nothing_written(content, project, capsys):
    (project / ".vscode").mkdir()
    (project / ".vscode/tasks.json").write_bytes(content)
    assert write() == 2
    assert "tasks.json" in capsys.readouterr().err
    assert (project / ".vscode/tasks.json").read_bytes() == content
    assert not (project / ".vscode/launch.json").exists()


@pytest.mark.parametrize(
    ("asked", "says"), [("empty", "holds no Go file"), ("absent", "holds no Go file"), ("..", "is not below")]
)
def test_what_is_no_package_here_is_refused(asked, says, project, capsys):
    (project / "empty").mkdir()
    assert write(asked) == 2
    assert says in capsys.readouterr().err
    assert not (project / ".vscode").exists()
