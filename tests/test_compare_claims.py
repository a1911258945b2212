"""Statements side by side: who differs comes first, gaps are said, and nothing stands where nobody judged."""

import json
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from labkit import compare as room
from labkit.claims.compared import claim_rows, count_line
from labkit.cli.app import main
from labkit.model.claims import ClaimResult, ClaimsRecord
from labkit.model.comparison import Axis, ClaimStanding
from labkit.present import comparison as view
from labkit.system import records
from labkit.words import Language

#: What labkit claims --only 2.5 --json printed on a real machine.
HERE = Path("tests/data/claims/linux-amd64.json").absolute()
RECORD = Path("tests/data/records/current.json").absolute()


@pytest.fixture
def other(tmp_path):
    """Return a function that writes the same document as of another machine, with other verdicts."""

    def make(*, verdicts=None, without=(), date=None, name="other", ours=False):
        document = json.loads(HERE.read_text())
        if not ours:
            document["machine"] |= {"id": "apple-m2-8c-24g-macos14", "chip": "Apple M2"}
        document["claims"] = [each for each in document["claims"] if each["id"] not in without]
        for each in document["claims"]:
            each["date"] = date or each["date"]
            for part, verdict in (verdicts or {}).get(each["id"], {}).items():
                next(one for one in each["parts"] if one["part"] == part)["verdict"] = verdict
                each["verdict"] = verdict
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
        return tmp_path / f"{name}.json"

    return make


def ended(words):
    with pytest.raises(SystemExit) as end:
        main(words)
    return end.value.code


def compared(*paths, axis=Axis.MACHINE):
    return room.compare(room.read(paths), axis=axis)


def standing(found, id_):
    return next(each.standing for each in found.claims if each.id == id_)


def test_those_that_differ_come_first_then_those_that_some_have_not_judged(other):
    verdicts = {"2.5.02": {"a": "refuted"}, "2.5.04": {"a": "untested"}}
    found = compared(HERE, other(verdicts=verdicts, without=("2.5.07",)))
    assert [each.id for each in found.claims[:3]] == ["2.5.02", "2.5.04", "2.5.07"]
    assert [standing(found, each) for each in ("2.5.02", "2.5.04", "2.5.07", "2.5.01", "2.5.10")] == [
        "differs", "partly", "partly", "alike", "untested",
    ]  # fmt: skip


def test_one_part_that_differs_makes_the_statement_differ(other):
    assert standing(compared(HERE, other(verdicts={"2.5.03": {"b": "confirmed"}})), "2.5.03") is ClaimStanding.DIFFERS
    assert standing(compared(HERE, other()), "2.5.03") is ClaimStanding.ALIKE


def test_a_cell_has_its_date_and_tools_and_a_gap_its_reason(other):
    found = compared(HERE, other(without=("2.5.07",)))
    (row,) = [each for each in found.claims if each.id == "2.5.07"]
    by_column = dict(zip([each.name for each in found.columns], row.cells, strict=True))
    here, there = by_column["amd-epyc-2c-24g-debian12"], by_column["apple-m2-8c-24g-macos14"]
    assert (here.verdict, here.date[:4], here.run) == ("refuted", "2026", "linux-amd64.json")
    assert here.toolchain.startswith("go 1.20.14 - ")  # every Go that is compared
    (row,) = [each for each in found.claims if each.id == "2.5.02"]
    assert "protoc-gen-go-grpc " in row.cells[0].toolchain
    assert (there.verdict, there.why.id) == (None, "compare.why.no_claim")
    assert by_column["m1-macos14"].why.id == "compare.why.no_record"


def test_the_latest_run_of_a_column_counts(other):
    later = other(verdicts={"2.5.01": {"a": "confirmed"}}, date="2027-01-01T00:00:00+00:00", ours=True)
    for order in ((HERE, later), (later, HERE)):
        found = compared(*order)
        (row,) = [each for each in found.claims if each.id == "2.5.01"]
        assert row.cells[0].verdict == "confirmed"


def test_a_machine_alone_differs_from_nobody():
    found = compared(HERE)
    assert {each.standing for each in found.claims} == {ClaimStanding.ALIKE, ClaimStanding.UNTESTED}


@pytest.fixture
def carrying(tmp_path):
    """A real run's record that carries the claims of the document."""
    document = json.loads(HERE.read_text())
    known = set(ClaimResult.__struct_fields__)
    strip = ("wording", "instead_text", "instead", "untested_reason", "would_test", "tried")

    def part(of):
        untested = None
        if of["verdict"] == "untested":
            text = {"id": "claims.unmet.tool", "values": {"name": "x"}}
            untested = {"reason": text, "would_test": text, "tried": of["tried"]}
        kept = {key: value for key, value in of.items() if key not in strip}
        return kept | {"instead": of["instead_text"], "untested": untested}

    claims = [
        {key: value for key, value in each.items() if key in known} | {"parts": [part(of) for of in each["parts"]]}
        for each in document["claims"]
    ]
    made = {
        "ledger": document["ledger"], "ledger_digest": "0" * 16, "machine": document["machine"],
        "toolchain": "0" * 16, "date": document["date"], "wall_time_s": 1.0, "claims": claims, "facts": [],
    }  # fmt: skip
    section = msgspec.convert(made, ClaimsRecord)
    record = msgspec.structs.replace(records.read(RECORD), claims=section)
    path = tmp_path / "record.json"
    path.write_bytes(records.encode(record))
    (tmp_path / "claims-record.json").write_bytes(msgspec.json.encode(section))
    return path


def test_records_and_documents_of_claims_are_read_alike(carrying):
    of_record, of_document, of_claims = (
        room.load(each)[0].claims for each in (carrying, HERE, carrying.with_name("claims-record.json"))
    )
    assert len(of_record) == len(of_document) == len(of_claims) == 14
    for key, judged in of_record.items():
        assert (judged.verdict, judged.parts) == (of_document[key].verdict, of_document[key].parts)


@pytest.mark.parametrize(("axis", "there"), [(Axis.DAY, True), (Axis.TOOLCHAIN, True)])
def test_along_other_axes(axis, there, carrying):
    assert bool(compared(carrying, axis=axis).claims) is there


@pytest.mark.parametrize("name", ["linux-amd64.json", "damaged.json"])
def test_check_says_whether_it_is_one(name, tmp_path, capsys):
    path = tmp_path / name
    document = json.loads(HERE.read_text())
    if name == "damaged.json":
        del document["claims"][0]["verdict"]
    path.write_text(json.dumps(document))
    code = ended(["compare", str(path), "--check", "--json"])
    (said,) = json.loads(capsys.readouterr().out)["files"]
    assert (code, said["kind"], bool(said["faults"])) == (
        (0, "claims", False) if name != "damaged.json" else (1, "claims", True)
    )


@pytest.mark.parametrize("language", list(Language))
def test_rows_are_in_the_readers_language(language, other):
    found = compared(HERE, other(verdicts={"2.5.02": {"a": "refuted"}}))
    heads, first = claim_rows(found, language, changed=True)
    assert len(heads) == 2 + 4  # two machines, and two that nobody has sent a record of
    assert ("crosses" in first[0]) is (language is Language.ENGLISH)
    assert "1" in count_line(found, language)
    assert len(claim_rows(found, language)) == 15


def test_the_terminal_shows_what_differs(other, capsys):
    code = ended(["compare", str(HERE), str(other(verdicts={"2.5.02": {"a": "refuted"}}))])
    said = capsys.readouterr().out
    assert code == 0
    assert "2.5.02" in said
    assert "2.5.12" not in said
    assert "1 differ between columns" in said


def test_files_page_and_table_hold_all(other, tmp_path):
    found = compared(HERE, other(verdicts={"2.5.02": {"a": "refuted"}}))
    view.write(found, tmp_path / "out")
    frame = pd.read_csv(tmp_path / "out/claims.csv", dtype=str, keep_default_na=False)
    assert frame["id"].iloc[0] == "2.5.02"
    assert len(frame["id"].unique()) == 14
    assert set(frame[frame["verdict"] == ""]["why"]) != {""}
    page = (tmp_path / "out/index.html").read_text()
    assert "2.5.14" in page
    assert "2.5.14" in view.compared_claims(found)._repr_html_()
    assert "labkit claims --json" in view.compared_claims(compared(RECORD))._repr_html_()
