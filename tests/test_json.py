"""What --json prints fits the published schemas, and the schemas are those of the code."""

import json
from pathlib import Path

import jsonschema
import pytest

from labkit.cli.app import main
from labkit.model.claims import ClaimsOutput
from labkit.model.collecting import Collection
from labkit.model.comparison import CheckOutput, Comparison
from labkit.model.debugging import Debugging, Written
from labkit.model.drift import Drift
from labkit.model.errorlog import ErrorLogOutput
from labkit.model.generation import Generation
from labkit.model.imported import ImportedRecord
from labkit.model.listing import RunsListOutput
from labkit.model.output import ErrorOutput, MachineOutput, PublishOutput, RunsOutput
from labkit.model.regression import BenchOutput
from labkit.model.toolchain import Toolchain
from labkit.model.traps import PreparedOutput, TrapsOutput
from labkit.system import records
from labkit.toolchain.compat import CHOSEN, Answer, catalogue

SCHEMAS = Path("docs/schemas").absolute()
DOCUMENTS = {
    "machine": MachineOutput,
    "setup": Toolchain,
    "setup-for": Answer,
    "run": RunsOutput,
    "runs": RunsListOutput,
    "gc": Collection,
    "publish": PublishOutput,
    "generate": Generation,
    "drift": Drift,
    "bench": BenchOutput,
    "debug": Debugging,
    "debug-vscode": Written,
    "claims": ClaimsOutput,
    "compare": Comparison,
    "compare-check": CheckOutput,
    "import": ImportedRecord,
    "traps": TrapsOutput,
    "traps-prepare": PreparedOutput,
    "traps-log": ErrorLogOutput,
    "error": ErrorOutput,
}


def schema_of(kind) -> str:
    return json.dumps(records.schema_of(kind), indent=1, sort_keys=True) + "\n"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_published_schema_is_the_codes(name, update_golden):
    path = SCHEMAS / f"{name}.json"
    if update_golden:
        path.write_text(schema_of(DOCUMENTS[name]))
    assert path.read_text() == schema_of(DOCUMENTS[name]), "run pytest with --update-golden and read the difference"
    assert f"schemas/{name}.json" in Path("docs/json.md").read_text()


def document(capsys, *arguments: str):
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--json"])
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out)


def fits(name: str, value) -> None:
    jsonschema.validate(value, json.loads((SCHEMAS / f"{name}.json").read_text()))


def test_machine_and_setup(capsys, toolchain):
    for name in ("machine", "setup"):
        code, value = document(capsys, name)
        assert code == 0
        fits(name, value)


def test_what_fits_a_go_mod(capsys):
    code, value = document(capsys, "setup", "--for", "labkit/codegen/hello/go.mod", "--on", "m3-macos26")
    assert code == 0
    fits("setup-for", value)
    assert (value["result"]["kind"], value["chosen_set"], value["machine"]) == ("solution", "current", "m3-macos26")
    assert [choice["axis"] for choice in value["result"]["choices"]] == list(CHOSEN)


def test_a_conflict_is_an_answer_too(capsys):
    arguments = ("setup", "--for", "labkit/codegen/hello/go.mod", "--want", "go=1.21.13")
    code, value = document(capsys, *arguments)
    assert code == 0
    fits("setup-for", value)
    result = value["result"]
    assert (result["kind"], value["chosen_set"]) == ("conflict", None)
    assert set(result["bounds"]) <= {bound.id for bound in catalogue().bounds}
    assert set(result["axes"]) <= set(value["wish"]["values"])
    assert all(fit["excluded_by"] for fit in value["sets"])


def test_run_and_publish(capsys, tmp_path, monkeypatch, spaced_home):
    monkeypatch.chdir(tmp_path)
    code, value = document(capsys, "-q", "run", "--only", "01_install")
    assert code == 0
    fits("run", value)
    (run,) = value["runs"]
    assert Path(run["index"]).is_file()
    code, value = document(capsys, "runs")
    assert code == 0
    fits("runs", value)
    assert [each["run"] for each in value["runs"]] == [run["run"]]
    folder = Path(run["record"]).parent
    code, value = document(capsys, "publish", str(folder), "--out", str(tmp_path / "site"))
    assert code == 0
    fits("publish", value)
    assert Path(value["index"]).is_file()


@pytest.mark.parametrize(
    "arguments",
    [
        ("setup", "--toolchain", "curent"),
        ("setup", "--for", "no/such/go.mod"),
        ("setup", "--for", "labkit/codegen/hello/go.mod", "--want", "colour=red"),
        ("setup", "--for", "labkit/codegen/hello/go.mod", "--env", "current"),
        ("run", "--params", "quik"),
        ("publish", "nowhere", "--out", "x"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_errors(capsys, arguments):
    code, value = document(capsys, *arguments)
    assert code == 2
    fits("error", value)
    assert value["error"]["remedy"]


def test_a_nonsensical_document_does_not_fit():
    with pytest.raises(jsonschema.ValidationError):
        fits("error", {"error": {"what": "no remedy"}})
