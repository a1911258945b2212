"""The command: its documents fit their published schemas, its exit codes tell, and its texts are in both languages."""

import json
import os
import sys
from pathlib import Path

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from labkit.cli.doctor import doctor
from labkit.doctor.output import CausesOutput, FindingsOutput, FixesOutput
from labkit.errors import GATE_FAILED, ImpossibleHereError, UsageError
from labkit.system import proc
from labkit.toolchain import program
from labkit.words import Language, catalogue

SCHEMAS = Path("docs/schemas").absolute()
DOCUMENTS = {"doctor": FindingsOutput, "doctor-symptom": CausesOutput, "doctor-fix": FixesOutput}
MISSING = (
    "protoc-gen-go: program not found or is not executable\n--go_out: protoc-gen-go: Plugin failed with status code 1."
)


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A host below this test's folder, with nothing on PATH but what the test names, and a function that asks there."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(doctor)
    for name in [name for name in os.environ if name.startswith(("GO", "CGO_", "CONDA"))]:
        monkeypatch.delenv(name)
    home = os.environ.get("LABKIT_HOME") or str(Path("~/.cache/labkit").expanduser())
    monkeypatch.setenv("LABKIT_HOME", home)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)

    def ask(*arguments, path=(), stdin=None, color=False):
        monkeypatch.setenv("PATH", os.pathsep.join([*map(str, path), "/usr/bin", "/bin"]))
        return CliRunner().invoke(app, arguments, input=stdin, color=color)

    return ask


@pytest.fixture
def whole(toolchain):
    """The folders of a set that is right."""
    return [program(toolchain, tool.name).parent for tool in toolchain.tools]


def document(result, name):
    value = json.loads(result.stdout)
    jsonschema.validate(value, json.loads((SCHEMAS / f"{name}.json").read_text()))
    return value


def test_a_host_that_is_right_ends_with_0(shell, whole):
    result = shell("--json", path=whole)
    value = document(result, "doctor")
    assert [each["id"] for each in value["findings"] if each["status"] == "fail"] == []
    assert result.exit_code == 0
    assert {f"F{number:02}" for number in range(1, 49)} <= {each["id"] for each in value["findings"]}
    assert {each["name"] for each in value["tools"] if each["wins"]} >= {"go", "protoc", "protoc-gen-go"}
    assert any(each["id"].startswith("tool-version.") for each in value["findings"])  # labkit's own set


def test_a_missing_plugin_ends_with_1_and_says_what_to_do(shell, whole):
    result = shell("--json", path=whole[:2])
    findings = {each["id"]: each for each in document(result, "doctor")["findings"]}
    assert result.exit_code == GATE_FAILED
    missing = findings["F20"]
    assert missing["status"] == "fail"
    assert missing["evidence"][0] == {"what": "PATH", "found": "no protoc-gen-go", "wanted": "protoc-gen-go"}
    assert missing["remedy"]["text"]
    assert missing["remedy"]["commands"]
    assert missing["link"].startswith("https://")
    assert missing["confirmed_on_hardware"] is False
    assert findings["F36"]["remedy"] == {"text": "", "commands": []}  # it passes
    assert findings["F44"]["reason"]  # it was skipped


def test_text_shows_failures_first_and_a_summary_last(shell, whole):
    result = shell("--all", path=whole[:2])
    lines = [line for line in result.stdout.splitlines() if line.startswith(("✗", "✓", "-"))]
    signs = [line[0] for line in lines]
    assert signs == sorted(signs, key="✗✓-".index)
    assert {line[0] for line in lines} == {"✗", "✓", "-"}
    assert result.stdout.splitlines()[-1].startswith("2 failed, ")
    assert "no Mac has confirmed this rule" in result.stdout
    assert result.exit_code == GATE_FAILED


def test_without_all_only_failures_are_told_at_length(shell, whole):
    lines = shell(path=whole).stdout.splitlines()
    assert not [line for line in lines if line.startswith(("✗", "✓"))]
    assert lines[-1].startswith("0 failed, ")


def test_chinese(shell, whole, monkeypatch):
    monkeypatch.setenv("LABKIT_LANG", "zh")
    text = shell(path=whole[:2]).stdout
    assert "2 项失败" in text
    assert "protoc-gen-go 在 PATH 上" in text
    assert "尚无 Mac 证实这条规则" in text
    value = document(shell("--json", path=whole[:2]), "doctor")
    assert any("在 PATH 上" in each["title"] for each in value["findings"])


@pytest.mark.parametrize(("color", "no_color"), [(True, None), (True, "1"), (False, None)])
def test_colours_are_for_terminals_that_want_them(shell, whole, monkeypatch, color, no_color):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    text = shell(path=whole[:2], color=color).stdout
    assert ("\x1b[31m" in text) == (color and no_color is None)


def test_a_symptoms_causes_are_ranked_by_what_is_found_here(shell, whole):
    result = shell("--symptom", MISSING, "--json", path=whole[:2])
    causes = document(result, "doctor-symptom")["causes"]
    assert result.exit_code == 0
    assert causes[0]["rule"] == "F20"
    assert [each["confidence"] for each in causes] == sorted((each["confidence"] for each in causes), reverse=True)
    there = document(shell("--symptom", MISSING, "--json", path=whole), "doctor-symptom")["causes"]
    assert {each["rule"]: each["confidence"] for each in there}["F20"] < causes[0]["confidence"]


def test_a_symptom_is_read_from_standard_input(shell):
    result = shell("--symptom", "-", "--json", stdin=MISSING)
    assert document(result, "doctor-symptom")["causes"][0]["rule"] == "F20"


@pytest.mark.parametrize("text", ["", "  \n", "all is well"], ids=["empty", "blank", "unrelated"])
def test_what_is_not_known_gives_no_cause(shell, text):
    result = shell("--symptom", text, "--json")
    assert document(result, "doctor-symptom") == {"causes": [], "claims": [], "traps": []}
    assert result.exit_code == 0
    assert "No cause of this text is known." in shell("--symptom", text).stdout


def test_bytes_that_are_no_text_are_read_all_the_same(shell):
    result = shell("--symptom", "-", "--json", stdin=b"\xff\xfe " + MISSING.encode())
    assert document(result, "doctor-symptom")["causes"]


def test_causes_in_words(shell):
    text = shell("--symptom", MISSING).stdout
    assert "F20" in text
    assert "what would settle it: " in text


def test_a_mend_is_shown_asked_for_and_proved(shell, whole, tmp_path):
    file = tmp_path / ".config/go/env"
    if sys.platform == "darwin":
        file = tmp_path / "Library/Application Support/go/env"
    file.parent.mkdir(parents=True)
    file.write_text("GOARCH=riscv64\n")
    assert shell(path=whole).exit_code == GATE_FAILED
    declined = shell("--fix", "F22", path=whole, stdin="n\n")
    assert declined.exit_code == GATE_FAILED
    assert "Nothing was done." in declined.stdout
    assert file.read_text() == "GOARCH=riscv64\n"
    mended = shell("--fix", "F22", path=whole, stdin="y\n")
    assert mended.exit_code == 0
    assert mended.stdout.index("go env -u GOARCH") < mended.stdout.index("After:")
    assert "Not so: GOOS" in mended.stdout.partition("After:")[0]
    assert "Not so: GOOS" not in mended.stdout.partition("After:")[2]
    assert file.read_text() == ""
    assert shell(path=whole).exit_code == 0


def test_a_mend_as_a_document(shell, whole):
    result = shell("--fix", "F20", "--fix", "F21", "--offline", "--yes", "--json", path=whole[:2])
    fixes = document(result, "doctor-fix")["fixes"]
    assert [(each["id"], each["before"]["status"], each["after"]["status"]) for each in fixes] == [
        ("F20", "fail", "pass"), ("F21", "fail", "pass"),
    ]  # fmt: skip
    assert all(each["path_line"].startswith('export PATH="$PATH:') for each in fixes)
    assert result.exit_code == 0


def test_a_document_cannot_ask(shell, whole):
    assert isinstance(shell("--fix", "F20", "--json", path=whole[:2]).exception, UsageError)


def test_what_passes_is_not_mended(shell, whole):
    assert isinstance(shell("--fix", "F20", "--yes", path=whole).exception, ImpossibleHereError)


def test_the_project_in_the_current_folder_is_looked_at(shell, whole, tmp_path, monkeypatch):
    (tmp_path / "p").mkdir()
    monkeypatch.chdir(tmp_path / "p")
    (tmp_path / "p/go.mod").write_text("module example.com/m\n\ngo 1.22\n\nrequire google.golang.org/grpc v1.60.1\n")
    findings = document(shell("--json", path=whole), "doctor")["findings"]
    assert next(each for each in findings if each["id"] == "F34")["status"] == "fail"


def test_looking_uses_no_network(shell, whole, tmp_path, monkeypatch):
    """Go would have to fetch another toolchain, and says so when it is asked plainly; the doctor does not make it."""
    monkeypatch.setenv("GOTOOLCHAIN", "go1.99.0")
    monkeypatch.setenv("GOPROXY", "http://127.0.0.1:9/")  # nothing listens
    plain = proc.run([whole[0] / "go", "version"], env=dict(os.environ), timeout_s=60, cwd=tmp_path, check=False)
    assert plain.returncode != 0
    assert shell("--json", path=whole).exit_code == 0


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_published_schema_is_the_codes(name, update_golden):
    from labkit.system import records

    text = json.dumps(records.schema_of(DOCUMENTS[name]), indent=1, sort_keys=True) + "\n"
    path = SCHEMAS / f"{name}.json"
    if update_golden:
        path.write_text(text)
    assert path.read_text() == text, "run pytest with --update-golden and read the difference"
    assert f"schemas/{name}.json" in Path("docs/doctor.md").read_text()


def test_every_text_of_the_host_is_used():
    source = "".join(path.read_text() for path in Path("labkit").rglob("*.py"))
    for id_ in catalogue(Language.ENGLISH):
        if id_.startswith("host."):
            name = id_.split(".")[-1]
            assert name in {"title", "fix", "no_linux"} or name in source, id_


def test_the_users_home_is_no_project(shell, whole, tmp_path):
    (tmp_path / "go.mod").write_text("module example.com/m\n\ngo 1.22\n\nrequire google.golang.org/grpc v1.60.1\n")
    assert document(shell("--json", path=whole), "doctor")["project"] is None
