"""Every error text that the handbook quotes leads to a cause, a statement or a trap, that there are."""

import json
import tomllib

import pytest

from labkit.claims import own
from labkit.cli.app import main
from labkit.doctor.symptoms import diagnose, leads
from labkit.doctor.symptoms.pointers import Leads, Pointer, patterns, pointers
from labkit.doctor.symptoms.ruleset import rules
from labkit.traps import TRAPS
from labkit.words import Language, catalogue
from tests.test_symptoms import DATA, UNRELATED
from tests.test_symptoms_rules import unbounded

HANDBOOK = tomllib.loads((DATA / "handbook.toml").read_text("utf-8"))["text"]


def lead(text, **more):
    return leads(text, diagnose(text), **more)


@pytest.mark.parametrize("entry", HANDBOOK, ids=lambda entry: f"{entry['chapter']} {entry['text']}")
def test_each_text_of_the_handbook_leads_on(entry):
    found = lead(entry["text"])
    assert set(entry["claims"]) <= set(found.claims)
    assert set(entry.get("traps", ())) <= set(found.traps)
    for id_ in found.claims:  # of the chapter itself, for the same words stand elsewhere
        assert own().find(id_).chapter.partition(".")[0] == entry["chapter"].partition(".")[0]
    assert lead(entry["text"], known=()) == Leads()


def test_the_table_names_only_what_there_is():
    for each in pointers():
        assert each.claims or each.traps
        assert each.rules or each.patterns
        assert set(each.rules) <= set(rules())
        assert set(each.traps) <= set(TRAPS)
        for id_ in each.claims:
            own().find(id_)
    assert {trap for each in pointers() for trap in each.traps} == set(TRAPS)
    for language in Language:
        assert {f"trap_{id_}.title" for id_ in TRAPS} <= set(catalogue(language))


@pytest.mark.parametrize("text", list(patterns()))
def test_a_pattern_is_bounded_and_is_looked_for_by_a_literal(text):
    pattern = patterns()[text]
    assert not unbounded(pattern.expression.pattern)
    assert all(len(key) >= 3 for key in pattern.keys)


def test_unrelated_lines_lead_nowhere():
    assert len([text for _, text in UNRELATED if lead(text) != Leads()]) <= 2


@pytest.mark.parametrize(
    ("text", "traps"),
    [
        ("client SSL certificate verify error: (21:unable to verify the first certificate)", ("mtls",)),
        ("HikariPool-1 - Connection is not available, request timed out after 30001ms", ("pool",)),
        ("recv() failed (104: Connection reset by peer) while reading response header from upstream", ("http502",)),
        ("connect() failed (111: Connection refused) while connecting to upstream, client: 127.0.0.1", ("http502",)),
        ("Preparing to rebalance group g: Member m's heartbeat session expired", ("kafka",)),
        ('Error: Secret "s" is invalid: data: Forbidden: field is immutable when `immutable` is set', ("helm",)),
        ("java.time.zone: unknown time zone Asia/Shanghai", ("timezone",)),
        ("scrape timeout greater than scrape interval for job a", ("scrape",)),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_the_parts_own_words_lead_to_their_trap(text, traps):
    assert lead(text).traps == traps


def test_a_rule_that_is_not_among_the_first_causes_leads_nowhere():
    causes = diagnose("Plugin failed with status code 1.")
    table = (Pointer(rules=(causes[-1].rule,), claims=("1.01",)), Pointer(rules=(causes[0].rule,), claims=("1.11",)))
    assert leads("Plugin failed with status code 1.", causes, known=table).claims == ("1.11",)


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("statement 5.3.01", "trap mtls")), ("zh", ("论断 5.3.01", "陷阱 mtls"))]
)
def test_the_answer_names_statements_and_traps_with_their_commands(capsys, monkeypatch, language, words):
    monkeypatch.setenv("LABKIT_LANG", language)
    text = "21 (unable to verify the first certificate)"

    def answer(*more):
        with pytest.raises(SystemExit) as ended:
            main(["doctor", "--symptom", text, *more])
        assert ended.value.code == 0
        return capsys.readouterr().out

    said = answer()
    for each in (*words, "labkit claims --only 5.3.01", "labkit traps mtls"):
        assert each in said
    document = json.loads(answer("--json"))
    assert document["causes"] == []
    assert [each["command"] for each in document["claims"]] == ["labkit claims --only 5.3.01"]
    assert [each["id"] for each in document["traps"]] == ["mtls"]
    assert document["claims"][0]["title"] == own().find("5.3.01").say(Language(language))
