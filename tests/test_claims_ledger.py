"""The ledger holds every statement by its permanent id, in both languages; what has no check yet is counted."""

import re
from pathlib import Path

import pytest

from labkit.claims import own, registered
from labkit.claims.base import topic
from labkit.words import Language, catalogue

#: The plain list: an id a line, then the letters of its parts.
IDS = dict([*line.split(), ""][:2] for line in Path("tests/data/claims_ids.txt").read_text("utf-8").splitlines())
#: Statements without a check: this number can only fall.
MOST_UNBOUND = 0


def test_the_ledger_has_every_id_in_order_and_no_other():
    assert [each.id for each in own().statements] == list(IDS)


@pytest.mark.parametrize("statement", own().statements, ids=lambda each: each.id)
def test_a_statement_has_its_parts_and_both_languages(statement):
    assert "".join(statement.parts) == IDS[statement.id]
    for text in (statement, *statement.parts.values()):
        assert re.search(r"[a-z]{2,}", text.en)
        assert re.search(r"[\u4e00-\u9fff]", text.zh)
    assert statement.chapter in own().titles


def test_no_check_is_bound_to_a_statement_that_there_is_not():
    assert set(registered()) <= set(IDS)


def test_fewer_and_fewer_statements_are_without_a_check():
    unbound = sorted(set(IDS) - set(registered()))
    assert len(unbound) <= MOST_UNBOUND, f"without a check: {', '.join(unbound)}"


@pytest.mark.parametrize("check", registered().values(), ids=lambda each: each.id)
def test_a_check_says_its_method_and_how_it_is_turned(check):
    assert type(check).__doc__
    assert bool(check.turned_by) != bool(check.fixed), "a check says what turns it, or why nothing can"


@pytest.mark.parametrize("check", registered().values(), ids=lambda each: each.id)
def test_each_part_of_a_check_has_sentences_for_more_than_one_verdict(check):
    for part in own().find(check.id).letters:
        head = f"{topic(check.id)}.{check.id}.{part}."
        outcomes = {id_.removeprefix(head) for id_ in catalogue(Language.ENGLISH) if id_.startswith(head)}
        verdicts = {name.split("_")[0] for name in outcomes} & {"confirmed", "refuted", "conditional", "untested"}
        assert len(verdicts) > 1 or check.fixed, f"{head} has only {sorted(outcomes)}"
