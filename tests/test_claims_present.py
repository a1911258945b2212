"""A run over the ledger as tables, in both languages, by chapter and by verdict."""

import pytest

from labkit.claims import ClaimFacts, own, run, section
from labkit.model.claims import ClaimVerdict
from labkit.present.claims import (
    claim,
    claims,
    claims_counts,
    claims_evidence,
    claims_facts,
    claims_frame,
    evidence_frame,
    parts_frame,
)
from labkit.words import Language


@pytest.fixture(scope="module")
def record(facts):
    """Chapter 6 judged, and of chapter 1 a confirmed, a refuted and a conditional one."""
    return run(own(), ClaimFacts(facts), only=["6", "1.05", "1.09", "5.1.01"], checks=None)


def test_every_statement_has_a_row_with_what_is_right(record):
    frame = claims_frame(record)
    assert list(frame["id"]) == [each.id for each in record.claims]
    assert list(frame.columns) == ["id", "statement", "verdict", "parts judged", "what is right", "date"]
    assert not (frame == "").any(axis=None)


@pytest.mark.parametrize("verdict", ClaimVerdict)
def test_a_verdict_filters(record, verdict):
    frame = claims_frame(record, verdicts=[verdict])
    assert list(frame["id"]) == [each.id for each in record.claims if each.verdict is verdict]


def test_a_chapter_filters(record):
    assert set(claims_frame(record, chapter="6")["id"]) == {f"6.0{n}" for n in range(1, 6)}


def test_one_statement_is_shown_whole(record):
    (row,) = parts_frame(record, "1.05").to_dict("records")
    assert row["verdict"] == "± conditional"
    assert "holds: imports nothing" in row["condition"]
    evidence = evidence_frame(record, ["1.05"])
    assert set(evidence["id"]) == {"1.05"}
    assert len(evidence) == len(record.claims[0].parts[0].evidence) == 2


def test_the_tables_are_chinese_for_a_chinese_reader(record):
    frame = claims_frame(record, chapter="6", language=Language.CHINESE)
    assert list(frame.columns) == ["编号", "论断", "结论", "已判定的部分", "正确的说法", "日期"]
    assert set(frame["结论"]) == {"✗ 不成立"}
    assert "成立:" in parts_frame(record, "1.05", language=Language.CHINESE)["条件"][0]
    assert "论断" in claims_counts(record, Language.CHINESE).text


def test_the_views_show_themselves(record):
    for view in (claims(record), claim(record, "1.05"), claims_evidence(record)):
        assert "1.05" in view._repr_html_() or "protoc" in view._repr_html_()
    assert "a-test" not in repr(claims_facts(record))
    assert str(len(record.claims)) in claims_counts(record).text


def test_a_notebooks_section_is_a_run_and_has_a_view():
    found = section("6.03")
    assert [each.id for each in found.claims] == ["6.03"]
    assert "arm64e" in repr(claims(found))
