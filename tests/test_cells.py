"""Records show themselves as a notebook's cell does, and what there is teaches itself by Tab and by help."""

import doctest
import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import labkit
from labkit import compare, present
from labkit.model.base import Record, Text
from labkit.model.check import Evidence, Finding, Remedy, Status
from labkit.model.comparison import Axis
from labkit.present import cells
from labkit.system import progress, records

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """IPython as a kernel has it, with labkit imported."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = plain_shell()
    labkit.load_ipython_extension(shell)
    shell.user_ns["labkit"] = labkit
    shell.user_ns["present"] = present
    return shell


def plain_shell():
    return InteractiveShell(config=Config(HistoryManager={"enabled": False, "hist_file": ":memory:"}))


def shown(shell, value):
    return shell.display_formatter.format(value)[0]


@pytest.fixture(scope="module")
def record():
    return records.read(GOLDEN / "record-1.json")


FINDING = Finding(
    id="go.arch",
    status=Status.FAIL,
    title=Text(id="present.verdict.good"),
    evidence=(Evidence(what="<b>go</b>", found="amd64", wanted="arm64"),),
    remedy=Remedy(text=Text(id="present.verdict.nothing"), commands=("brew install go",)),
)


@pytest.mark.parametrize(
    ("value", "text", "html"),
    [
        pytest.param(FINDING, "brew install go", "<table", id="a finding"),
        pytest.param((FINDING, FINDING), "brew install go", "<table", id="findings"),
        pytest.param(FINDING.evidence[0], "arm64", "&lt;b&gt;go&lt;/b&gt;", id="a record without a view of its own"),
        pytest.param(FINDING.evidence, "arm64", "&lt;b&gt;go&lt;/b&gt;", id="several of those"),
        pytest.param((FINDING, FINDING.evidence[0]), "Finding(id=go.arch)", "Evidence(", id="of several kinds"),
        pytest.param(Text(id="present.verdict.good"), "All that was checked is right.", "<pre", id="a text"),
    ],
)
def test_a_record_shows_itself(shell, value, text, html):
    bundle = shown(shell, value)
    assert text in bundle["text/plain"]
    assert html in bundle["text/html"]
    assert "<b>go" not in bundle["text/html"]


@pytest.mark.parametrize(
    "value",
    [(), (1, 2), ("a", FINDING), [FINDING], {"a": (FINDING,)}, 3],
    ids=["empty", "numbers", "mixed", "a list", "within a dictionary", "a number"],
)
def test_other_values_stay_as_they_are(shell, value):
    assert shown(shell, value) == shown(plain_shell(), value)


def everything(value):
    """Return one value of each record type within a value, itself first."""
    found = {}
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Record):
            found.setdefault(type(each), each)
            waiting += [getattr(each, name) for name in each.__struct_fields__]
        elif isinstance(each, tuple | list):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
    return list(found.values())


def test_each_record_of_a_run_shows_itself_in_both_languages(record, monkeypatch):
    values = everything(record)
    assert len(values) > 20
    for language in ("en", "zh"):
        monkeypatch.setenv("LABKIT_LANG", language)
        for value in values:
            for bundle in (cells.bundle(value), cells.bundle((value, value))):
                assert bundle["text/plain"].strip(), type(value)
                assert "<" in bundle["text/html"]
                json.dumps(bundle)


@pytest.mark.parametrize("kind", ["binaries", "findings", "samples", "comparison"])
def test_what_the_lab_is_about_has_a_view_and_where_it_says_more_a_figure(record, kind, tmp_path):
    other = msgspec.structs.replace(
        record, run="other", machine=msgspec.structs.replace(record.machine, chip="Apple M9")
    )
    records.write(tmp_path / "other.json", other)
    value = {
        "binaries": lambda: record.binaries.servers,
        "findings": lambda: record.install.findings,
        "samples": lambda: record.performance.samples,
        "comparison": lambda: compare.compare(
            compare.read([GOLDEN / "record-1.json", tmp_path / "other.json"]), axis=Axis.MACHINE
        ),
    }[kind]()
    bundle = cells.bundle(value)
    assert (cells.PLOTLY in bundle) is (kind in {"samples", "comparison"})
    if cells.PLOTLY in bundle:
        assert bundle[cells.PLOTLY]["data"]


def test_a_record_without_a_view_is_short():
    many = tuple(msgspec.structs.replace(FINDING.evidence[0], found="x" * 5000) for _ in range(200))
    bundle = cells.bundle(many)
    assert len(bundle["text/html"]) < 50_000
    assert "150" in bundle["text/plain"]


def test_importing_labkit_in_ipython_loads_nothing_heavy_until_a_record_is_shown():
    said = subprocess.run(
        [sys.executable, "-c", """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import labkit")
print([name for name in ("pandas", "plotly", "msgspec") if name in sys.modules])
shell.run_cell("record = labkit.inspect('/no/such/file')")
print("pandas" in sys.modules)
shell.run_cell("record")
print("pandas" in sys.modules)
"""], capture_output=True, text=True, check=True, timeout=120,
    ).stdout.splitlines()  # fmt: skip
    assert (said[0], said[1], said[-1]) == ("[]", "False", "True")
    assert "/no/such/file: " in "\n".join(said)


def complete(shell, text):
    with provisionalcompleter():
        return {completion.text.lstrip(".") for completion in shell.Completer.completions(text, len(text))}


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        pytest.param("labkit.", {"Facts", "inspect", "present", "doctor", "read"}, {"importlib", "sys"}, id="labkit"),
        pytest.param("labkit.ins", {"inspect"}, {"read"}, id="a beginning"),
        pytest.param("present.", {"findings", "samples_figure", "parameters"}, {"pd", "views"}, id="present"),
        pytest.param("labkit.Facts.", {"tool_binaries", "measure", "generated"}, set(), id="facts"),
    ],
)
def test_tab_offers_what_a_reader_wants(shell, text, wanted, unwanted):
    offered = complete(shell, text)
    assert wanted <= offered
    assert not offered & unwanted


PUBLIC = [(module, name) for module in (labkit, present) for name in dir(module) if name != "__version__"]


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=[f"{module.__name__}.{name}" for module, name in PUBLIC])
def test_help_says_what_a_name_is_for(module, name):
    value = getattr(module, name)
    assert inspect.getdoc(value), "no docstring"
    if inspect.isfunction(value):
        missing = [each for each in inspect.signature(value).parameters.values() if each.annotation is each.empty]
        assert not missing


def test_a_name_that_is_not_there_says_what_is():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'; it has Facts, bench"):
        _ = labkit.nonsense


@pytest.mark.parametrize(
    "module", [labkit, present, cells, progress, "labkit.present.parameters", "labkit.binary.inspecting"], ids=str
)
def test_the_examples_of_the_help_run(module, monkeypatch):
    monkeypatch.setenv("LABKIT_PROGRESS", "off")
    module = importlib.import_module(module) if isinstance(module, str) else module
    done = doctest.testmod(module)
    assert done.attempted
    assert not done.failed


def test_parameters_are_explained_in_the_order_in_which_they_are_set(monkeypatch):
    given = {"seed": 7, "toolchain": "current", "structure": False, "claims": json, "other": 1}
    frame = present.parameters(given).frame
    assert frame.iloc[:, 0].tolist() == ["seed", "toolchain", "structure"]
    assert frame.iloc[:, 1].tolist() == ["7", "'current'", "False"]
    assert frame.iloc[2, 2] == "True or False"
    monkeypatch.setenv("LABKIT_LANG", "zh")
    assert "种子" in present.parameters(given).frame.iloc[0, 3]
