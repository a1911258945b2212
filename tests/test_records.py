"""The record: its schema is published, its past is readable, its future is refused, and nonsense is named."""

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from labkit.errors import RecordError
from labkit.model.run import SCHEMA, RunRecord
from labkit.system import records

GOLDEN = Path("tests/golden")
PUBLISHED = Path("docs/record.schema.json")
RECORDS = sorted(GOLDEN.glob("record-*.json"))


def test_the_published_schema_is_the_records(update_golden):
    text = json.dumps(records.schema_of(RunRecord), indent=1, sort_keys=True) + "\n"
    if update_golden:
        PUBLISHED.write_text(text)
    assert PUBLISHED.read_text() == text, "run pytest with --update-golden and read the difference"


def test_each_past_schema_has_a_golden_record():
    assert {json.loads(path.read_text())["schema"] for path in RECORDS} == set(range(1, SCHEMA + 1))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_golden_record_is_readable_and_fits_the_schema(path):
    record = records.read(path)
    jsonschema.validate(json.loads(records.encode(record)), json.loads(PUBLISHED.read_text()))
    assert records.decode(records.encode(record), name="again") == record


@pytest.fixture
def document():
    return json.loads(RECORDS[-1].read_text())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(schema=SCHEMA + 1), f"schema {SCHEMA + 1}; this labkit reads schemas up to {SCHEMA}"),
        (lambda d: d.update(schema=0), "never existed"),
        (lambda d: d.pop("schema"), "schema"),
        (lambda d: d.update(colour="red"), "colour"),
        (lambda d: d["machine"].update(memory_bytes="much"), r"\$.machine.memory_bytes"),
        (lambda d: d["machine"].pop("id"), "id"),
        (lambda d: d["performance"]["samples"][0]["wall"].update(median=None), r"\$.performance.samples\[0\]"),
        (lambda d: d.update(provenance="guessed"), "guessed"),
    ],
    ids=["newer", "older than the first", "none", "unknown field", "wrong type", "missing", "no number", "provenance"],
)
def test_a_damaged_record_is_refused_with_the_field(document, change, words):
    change(document)
    with pytest.raises(RecordError, match=words):
        records.decode(json.dumps(document).encode(), name="it")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_what_is_no_record_is_refused(data):
    with pytest.raises(RecordError, match="is not a labkit record"):
        records.decode(data, name="it")


def test_a_record_that_would_not_be_readable_is_not_written(tmp_path, document):
    record = records.decode(json.dumps(document).encode(), name="it")
    sections = msgspec.structs.replace(record.performance.samples[0].wall, median=float("nan"))
    sample = msgspec.structs.replace(record.performance.samples[0], wall=sections)
    broken = msgspec.structs.replace(record, performance=msgspec.structs.replace(record.performance, samples=(sample,)))
    with pytest.raises(RecordError):
        records.write(tmp_path / "record.json", broken)
    assert not list(tmp_path.iterdir())


def test_records_are_frozen(document):
    record = records.decode(json.dumps(document).encode(), name="it")
    assert isinstance(record, RunRecord)
    with pytest.raises(AttributeError):
        record.run = "another"
