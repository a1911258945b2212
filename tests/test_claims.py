"""The frame around the checks: verdicts, needs, shared facts, agreed lists, ledgers of one's own, the command."""

import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest

from labkit.claims import ClaimFacts, Probe, agreed, ledgers, owned, probe, run
from labkit.claims.base import ClaimCheck, output, tool
from labkit.claims.document import document
from labkit.claims.ledgers import Ledger, Statement
from labkit.claims.markdown import markdown
from labkit.claims.resuming import Progress
from labkit.claims.running import judge, overall
from labkit.cli.app import main
from labkit.errors import LabError, NetworkError, UsageError, VacuousError
from labkit.model.base import Text
from labkit.model.claims import Case, ClaimVerdict
from labkit.words import Language

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict
SEEN = [output("a command", "an answer")]
TWO = Statement(id="1.01", en="two parts", zh="两个部分", parts=ledgers.own().find("1.01").parts)
ONE = Statement(id="1.09", en="one part", zh="一个部分")


@pytest.fixture
def facts_(facts):
    return ClaimFacts(facts)


class Two(ClaimCheck):
    """A check of two parts, whose verdicts are given."""

    id = "1.01"

    def __init__(self, *verdicts):
        self.verdicts = verdicts

    def parts(self, _facts):
        for part, verdict in zip("ab", self.verdicts, strict=True):
            if verdict is UNTESTED:
                yield self.untested(text("network"), would_test=text("network"), part=part)
            else:
                yield self.judged(verdict is CONFIRMED, SEEN, part=part, go="1", bytes="x")


def text(name):
    return Text(id=f"claims.unmet.{name}", values={"why": "a test"})


@pytest.mark.parametrize(
    ("verdicts", "whole", "judged"),
    [
        ((CONFIRMED, CONFIRMED), CONFIRMED, 2),
        ((REFUTED, REFUTED), REFUTED, 2),
        ((CONFIRMED, REFUTED), CONDITIONAL, 2),
        ((UNTESTED, REFUTED), REFUTED, 1),
        ((UNTESTED, UNTESTED), UNTESTED, 0),
    ],
    ids=str,
)
def test_a_claims_verdict_comes_of_its_judged_parts(facts_, verdicts, whole, judged):
    found = judge(TWO, Two(*verdicts), facts_)
    assert (found.verdict, found.judged_parts, found.all_parts) == (whole, judged, 2)
    assert overall([each.verdict for each in found.parts if each.verdict is not UNTESTED]) is whole


class One(ClaimCheck):
    """A check of one part, made of cases."""

    id = "1.05"

    def __init__(self, cases, predicate, evidence=SEEN):
        self.cases, self.predicate, self.evidence = cases, predicate, evidence

    def parts(self, _facts):
        yield self.by_cases(self.cases, self.predicate, self.evidence, names="x", said="y")


def case(n, holds):
    return Case(facts={"n": n}, holds=holds, witness=str(n))


@pytest.mark.parametrize(
    ("held", "verdict"),
    [((True, True), CONFIRMED), ((False, False), REFUTED), ((True, False), CONDITIONAL)],
    ids=["all", "none", "some"],
)
def test_cases_make_a_verdict_and_a_condition_with_both_sides(facts_, held, verdict):
    cases = [case(n, holds) for n, holds in enumerate(held)]
    (part,) = judge(ONE, One(cases, lambda facts: facts["n"] == 0), facts_).parts
    assert part.verdict is verdict
    if verdict is CONDITIONAL:
        assert (len(part.condition.holds), len(part.condition.fails)) == (1, 1)
    else:
        assert part.condition is None


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (One([case(0, True), case(1, False)], lambda _facts: True), "does not fit what was seen"),
        (One([], lambda _facts: True), "saw no case"),
        (One([case(0, True)], lambda _facts: True, []), "without evidence"),
        (Two(CONFIRMED, CONFIRMED), "judged part 'b' twice, or there is none"),
    ],
    ids=["a condition that does not fit", "no case", "no evidence", "a part that there is not"],
)
def test_a_check_that_contradicts_itself_is_a_fault(facts_, check, words):
    with pytest.raises(LabError, match=words):
        judge(ONE, check, facts_)


class NeedsTool(Two):
    """A check that needs a program."""

    needs = (tool("no-such-program"),)


def test_a_need_that_is_not_met_is_a_reason_not_a_verdict(facts, facts_, executable):
    found = judge(TWO, NeedsTool(CONFIRMED, CONFIRMED), facts_)
    assert (found.verdict, {each.untested.reason.id for each in found.parts}) == (UNTESTED, {"claims.unmet.tool"})
    there = ClaimFacts(facts, own_tools={"no-such-program": executable("no-such-program", "exit 0")})
    assert judge(TWO, NeedsTool(CONFIRMED, CONFIRMED), there).verdict is CONFIRMED


class Offline(Two):
    """A check that must fetch something."""

    def parts(self, _facts):
        raise NetworkError("nobody answers", remedy="connect")


class Crashing(Two):
    """A check that breaks."""

    def parts(self, _facts):
        raise ValueError("a fault")


def ledger(*statements):
    return Ledger(name="a test", titles={}, statements=statements)


def test_no_network_is_untested_and_a_crash_is_an_error_and_no_verdict(facts_):
    assert judge(TWO, Offline(), facts_).verdict is UNTESTED
    found = run(ledger(TWO, ONE), facts_, checks={"1.01": Crashing(), "1.09": One([case(0, True)], bool)})
    assert [each.id for each in found.claims] == ["1.09"]
    assert [(each.id, each.exit_code) for each in found.errors] == [("1.01", 70)]
    assert "ValueError: a fault" in found.errors[0].what


def test_a_statement_without_a_check_is_untested_and_listed(facts_):
    found = run(ledger(TWO), facts_, checks={})
    assert document(found, ledger(TWO)).unbound == ("1.01",)
    assert found.claims[0].verdict is UNTESTED
    assert "docs/claims.md" in document(found, ledger(TWO)).claims[0].parts[0].would_test


COUNTED = []


@probe("a-test", tools=("a-tool",))
def counted(facts: ClaimFacts) -> tuple[str, ...]:
    """Count how often it is gathered."""
    COUNTED.append(1)
    return (str(facts.has_tool("a-tool")),)


def test_a_shared_fact_is_gathered_once_carried_over_and_taken_anew(facts, spaced_home):
    COUNTED.clear()
    first = ClaimFacts(facts)
    assert first.get(counted) == first.get(counted)
    assert [each.carried_over for each in first.uses] == [False]
    again = ClaimFacts(facts)
    assert again.get(counted) == first.get(counted)
    assert [(each.carried_over, each.date) for each in again.uses] == [(True, first.uses[0].date)]
    assert len(COUNTED) == 1
    ClaimFacts(facts, fresh=True).get(counted)
    stale = Probe(name=counted.name, make=counted.make, tools=counted.tools, fresh_for_s=-1.0)
    ClaimFacts(facts).get(stale)
    assert len(COUNTED) == 3


def test_another_tool_on_path_makes_a_shared_fact_anew(facts, spaced_home, executable, monkeypatch):
    COUNTED.clear()
    ClaimFacts(facts).get(counted)
    path = executable("a-tool", "exit 0")
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    assert ClaimFacts(facts).get(counted) == (str(path),)
    path.write_text("#!/bin/sh\nexit 1\n")
    ClaimFacts(facts).get(counted)
    assert len(COUNTED) == 3


@probe("a-test-of-a-test")
def nested(facts: ClaimFacts) -> tuple[str, ...]:
    """Ask another probe."""
    return facts.get(counted)


@pytest.mark.parametrize(
    ("own", "gathered"),
    [
        pytest.param({"own_tools": {"a-tool": None}}, 1, id="its-tool-is-replaced"),
        pytest.param({"own_tools": {"another": None}}, 0, id="another-tool-is-replaced"),
        pytest.param({"own_gos": {"1.20.14": "go"}}, 0, id="a-go-that-it-did-not-ask-for"),
    ],
)
@pytest.mark.parametrize("asked", [counted, nested], ids=lambda each: each.name)
def test_what_is_replaced_is_carried_over_only_where_it_was_not_asked_for(facts, spaced_home, own, gathered, asked):
    ClaimFacts(facts).get(asked)
    COUNTED.clear()
    kept = set((spaced_home / "claims/facts").iterdir())
    ClaimFacts(facts, **own).get(asked)
    assert len(COUNTED) == gathered
    assert set((spaced_home / "claims/facts").iterdir()) == kept, "what a replaced thing made is not kept"


def test_a_replaced_fact_reaches_those_that_ask_for_it(facts, spaced_home):
    ClaimFacts(facts).get(nested)
    assert ClaimFacts(facts, own_facts={counted.name: ("own",)}).get(nested) == ("own",)
    assert ClaimFacts(facts).get(nested) != ("own",)


def test_a_damaged_kept_fact_is_gathered_anew(facts, spaced_home):
    COUNTED.clear()
    ClaimFacts(facts).get(counted)
    (file,) = (spaced_home / "claims/facts").iterdir()
    file.write_text("{")
    ClaimFacts(facts).get(counted)
    assert len(COUNTED) == 2


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["6.01"], ["6.01"]),
        (["6"], ["6.01", "6.02", "6.03", "6.04", "6.05"]),
        (["arm64e for one build"], ["6.03"]),
        (["同一构建"], ["6.03"]),
    ],
    ids=["an id", "a chapter", "its words", "in Chinese"],
)
def test_statements_are_found_by_id_chapter_and_text(words, ids):
    assert [each.id for each in ledgers.own().choose(words)] == ids


def test_a_run_that_was_broken_off_goes_on(facts_, spaced_home):
    kept = Progress(ledgers.own(), facts_)
    first = run(ledgers.own(), facts_, only=["6.01"], keep=kept.keep).claims[0]
    with (next((spaced_home / "claims").glob("run-*.jsonl"))).open("ab") as stream:
        stream.write(b'{"id": "6.0')  # as a killed run leaves it
    whole = run(ledgers.own(), facts_, only=["6"], known=kept.known())
    assert whole.claims[0] == first
    assert len(whole.claims) == 5
    kept.forget()
    assert kept.known() == {}


# The command


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["-q", "claims", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_document_fits_its_schema_and_has_what_it_must(capsys):
    code, out, _ = command(capsys, "--only", "6", "--json")
    value = json.loads(out)
    assert code == 0
    jsonschema.validate(value, json.loads(Path("docs/schemas/claims.json").read_text()))
    wanted = {"id", "verdict", "judged_parts", "all_parts", "parts", "condition", "evidence", "instead", "date"}
    assert {"machine", "claims"} <= set(value)
    for claim in value["claims"]:
        assert wanted <= set(claim)
        assert {"part", "verdict"} <= set(claim["parts"][0])
        assert claim["evidence"]
        assert claim["instead"].endswith(".")


def test_a_verdict_that_is_not_as_agreed_is_a_gate_and_a_line_of_markdown(capsys, tmp_path):
    agreed_on = tmp_path / "agreed.json"
    agreed_on.write_text(command(capsys, "--only", "6", "--json")[1])
    assert command(capsys, "--only", "6", "--expect", str(agreed_on))[0] == 0
    value = json.loads(agreed_on.read_text())
    value["claims"][1]["verdict"] = "confirmed"
    agreed_on.write_text(json.dumps(value))
    summary = tmp_path / "summary.md"
    code, out, _ = command(capsys, "--only", "6", "--expect", str(agreed_on), "--markdown", str(summary), "--json")
    assert code == 1
    changed = {"id": "6.02", "part": None, "agreed": "confirmed", "found": "refuted"}
    assert json.loads(out)["changed"] == [changed]
    assert re.search(r"^\| 6\.02 \| confirmed \| refuted \| They contradict", summary.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("content", "error"),
    [("{", UsageError), ('{"claims": []}', VacuousError), (None, UsageError)],
    ids=["damaged", "empty", "absent"],
)
def test_an_agreed_list_that_is_none_is_refused(tmp_path, content, error):
    file = tmp_path / "agreed.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(error):
        agreed.read(file)


def test_a_list_of_other_statements_is_no_agreement(facts_, tmp_path):
    file = tmp_path / "agreed.json"
    file.write_text('{"claims": [{"id": "x", "verdict": "confirmed"}]}')
    with pytest.raises(VacuousError):
        agreed.changes(run(ledgers.own(), facts_, only=["6.01"]), agreed.read(file), chosen=["6.01"])


def test_markdown_holds_no_markup_of_a_text(facts_):
    found = run(ledger(msgspec.structs.replace(TWO, en="a | b <img src=x> *c*")), facts_, checks={})
    shown = markdown(found, ledger(msgspec.structs.replace(TWO, en="a | b <img src=x> *c*")))
    assert r"a \| b &lt;img src=x&gt; \*c\*" in shown
    assert markdown(found, ledger(TWO), language=Language.CHINESE).startswith("### 论断")


# Ledgers of one's own

EXAMPLE = re.search(r"```toml\n(.*?)```", Path("docs/claims.md").read_text(), re.DOTALL)[1]


def go_benchmark(factor):
    lines = [f"BenchmarkCodec/large-8 100 {1000 * factor + n} ns/op" for n in range(12)]
    return "goos: linux\ngoarch: amd64\npkg: labkit\n" + "\n".join(lines) + "\n"


@pytest.fixture
def wiki(tmp_path):
    """The documented example, with the files that it names."""
    (tmp_path / "wiki.toml").write_text(EXAMPLE)
    (tmp_path / "before.txt").write_text(go_benchmark(1.0))
    (tmp_path / "after.txt").write_text(go_benchmark(0.5))
    return tmp_path / "wiki.toml"


def verdicts(file, facts_, *trusted, only=()):
    own_ledger, checks = owned.load(file, trusted)
    found = run(own_ledger, facts_, checks=checks, only=only)
    assert not found.errors, found.errors
    return {each.id: each for each in found.claims}


def test_the_documented_ledger_is_judged(wiki, facts_):
    found = verdicts(wiki, facts_, "wiki.toml")
    assert {id_: each.verdict for id_, each in found.items()} == {
        "wiki-uninstall": REFUTED,
        "wiki-uname": CONFIRMED,
        "wiki-codec": CONFIRMED,
    }


def test_a_command_runs_only_when_its_file_is_trusted_by_name(wiki, facts_, tmp_path):
    witness = tmp_path / "it ran"
    wiki.write_text(f'name = "x"\n[[claim]]\nid = "w"\nen = "x"\ncommand = ["touch", "{witness}"]\npattern = "^$"\n')
    (part,) = verdicts(wiki, facts_)["w"].parts
    assert (part.verdict, part.untested.reason.id) == (UNTESTED, "claims.own.command_untrusted")
    assert not witness.exists()
    assert verdicts(wiki, facts_, "wiki.toml")["w"].verdict is CONFIRMED
    assert witness.exists()
    with pytest.raises(UsageError, match=re.escape("the ledger's file is wiki.toml")):
        owned.load(wiki, ["other.toml"])


@pytest.mark.parametrize(
    ("factor", "verdict"), [(0.5, CONFIRMED), (1.5, REFUTED), (0.9, UNTESTED)], ids=["within", "outside", "across"]
)
def test_samples_are_judged_by_their_interval(wiki, facts_, factor, verdict):
    (wiki.parent / "after.txt").write_text(go_benchmark(factor))
    assert verdicts(wiki, facts_, only=["wiki-codec"])["wiki-codec"].verdict is verdict


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('check = "1.06"', 'check = "9.99"', "no check of labkit"),
        ('check = "1.06"', 'check = "1.06"\ncommand = ["true"]', "bound in 2 ways"),
        ('check = "1.06"', "", "bound in 0 ways"),
        ("pattern = '^(Linux|Darwin)$'", "pattern = '('", "no regular expression"),
        ("pattern = '^(Linux|Darwin)$'", "", "no pattern"),
        ("at_most_percent = -10", "", "states no change"),
        ('clock = "wall"', 'clock = "moon"', "wall or cpu"),
        ('id = "wiki-uname"', 'id = "wiki-uninstall"', "stands there twice"),
        ('name = "our wiki"', 'title = "our wiki"', "unknown field"),
    ],
    ids=lambda value: value[:20],
)
def test_a_ledger_that_is_not_right_is_refused(wiki, old, new, words):
    text_ = wiki.read_text()
    assert old in text_
    wiki.write_text(text_.replace(old, new, 1))
    with pytest.raises(UsageError, match=words):
        owned.load(wiki, [])
