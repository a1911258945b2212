"""A record that came from outside: each fault has its line, and a real record has none."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from labkit.cli.app import main
from labkit.compare import check

RECORD = Path("tests/data/records/current.json").absolute()
NOW = datetime(2026, 11, 24, tzinfo=UTC)
PROCESS = ("performance", "samples", 0, "processes", 0)


def put(document, path, value):
    *folders, last = path
    for each in folders:
        document = document[each]
    if value is KeyError:
        del document[last]
    else:
        document[last] = value


@pytest.fixture
def changed(tmp_path):
    def make(*changes):
        document = json.loads(RECORD.read_text())
        for path, value in changes:
            put(document, path, value)
        file = tmp_path / "theirs.json"
        file.write_text(json.dumps(document))
        return file

    return make


@pytest.mark.parametrize("path", sorted(RECORD.parent.glob("*.json")), ids=lambda path: path.stem)
def test_a_real_record_has_no_fault(path):
    assert check(path, now=NOW).faults == ()


@pytest.mark.parametrize(
    ("path", "value", "fault", "field"),
    [
        ((*PROCESS, "slices", 0, "wall_time_ns"), -5, "negative", "wall_time_ns"),
        ((*PROCESS, "slices", 0, "wall_time_ns"), 0, "zero", "wall_time_ns"),
        ((*PROCESS, "slices", 0, "iterations"), 0, "zero", "iterations"),
        ((*PROCESS, "allocated_bytes_per_op"), -1.0, "negative", "allocated_bytes_per_op"),
        (("performance", "samples", 0, "wall", "median"), "NaN", "not_finite", "median"),
        (("performance", "samples", 0, "wall", "median"), 10.0**9, "interval", "samples[0]"),
        (("performance", "samples", 0, "wall", "n"), 60, "count", "wall.n"),
        (("performance", "samples", 0, "worker"), "", "digest", "worker"),
        (("performance", "samples", 0, "platform"), "darwin/arm64", "platform", "platform"),
        (("performance", "samples", 0, "taken_at"), "2026-11-23T23:00:00+00:00", "after_its_run", "taken_at"),
        (("performance", "samples", 0, "provenance"), "synthetic", "provenance", "provenance"),
        (("install", "condition", "taken_at"), "2031-01-01T00:00:00+00:00", "future", "taken_at"),
        (("started_at"), "1999-01-01T00:00:00+00:00", "past", "started_at"),
        (("started_at"), "2026-11-23T20:00:00+00:00", "ends_first", "ended_at"),
        (("ended_at"), "yesterday", "date", "ended_at"),
        (("machine", "memory_bytes"), -1, "negative", "memory_bytes"),
        (("params_digest"), "x", "digest", "params_digest"),
        (("notebooks"), [], "no_notebook", "notebooks"),
        (("machine", "serial"), "C02", "schema", "$"),
        (("machine", "chip"), 7, "schema", "$"),
        (("run"), KeyError, "no_record", "$"),
        (("schema"), 99, "schema", "$"),
    ],
)
def test_each_fault_is_named_at_its_field(changed, path, value, fault, field):
    found = check(changed(((path,) if isinstance(path, str) else path, value)), now=NOW).faults
    assert [each for each in found if each.what.id == f"compare.fault.{fault}" and field in each.field], found


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", '{"run": NaN}', '{"run": "x", "schema": 1, "machine": {"memory_bytes": 1e999}}']
)
def test_what_is_no_json_or_overflows_is_a_fault_and_no_crash(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    assert check(path, now=NOW).faults


def test_the_command_prints_a_line_a_fault_and_is_a_gate(capsys, changed):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["compare", *map(str, arguments), "--check"])
        return int(ended.value.code or 0), capsys.readouterr().out

    code, said = run(RECORD)
    assert (code, said.count("\n")) == (0, 1)
    bad = changed(((*PROCESS, "slices", 0, "wall_time_ns"), -5), (("machine", "memory_bytes"), -1))
    code, said = run(bad)
    assert (code, said.count("\n")) == (1, 2)
    assert "performance.samples[0].processes[0].slices[0].wall_time_ns: is less than nothing: -5" in said
    code, said = run(bad, "--json")
    document = json.loads(said)
    assert (code, len(document["files"][0]["faults"])) == (1, 2)
    jsonschema.validate(document, json.loads(Path("docs/schemas/compare-check.json").read_text()))
