"""The rules of the symptoms as data, and the document about them."""

import re
from pathlib import Path

import pytest

from labkit.doctor.symptoms.ruleset import expand, key_of, rules
from labkit.doctor.symptoms.table import markdown
from labkit.words import Language, catalogue
from tests.test_symptoms import HANDBOOK, UNRELATED, ranked, score

DOCS = Path(__file__).parents[1] / "docs/symptoms.md"
F_RULES = [f"F{number:02}" for number in range(1, 49)]


def test_every_failure_mode_has_a_rule():
    assert [id_ for id_ in rules() if id_.startswith("F")] == F_RULES
    assert all(re.fullmatch(r"L\d\d", id_) for id_ in rules() if not id_.startswith("F"))


@pytest.mark.parametrize("id_", list(rules()))
def test_a_rule_is_whole(id_):
    rule = rules()[id_]
    for language in Language:
        assert {f"symptoms.{id_}.{part}" for part in ("title", "remedy", "settles")} <= set(catalogue(language))
    for link in (rule.link, *rule.more):
        assert link.startswith("https://")
    assert 0 < rule.prior <= 1
    slots = set(re.findall(r"(?<!\{)\{(\w+)\}", " ".join(rule.commands)))
    captured = {name for pattern in rule.patterns for name in pattern.expression.groupindex}
    assert slots <= set(rule.defaults), f"{slots} without a default"
    assert slots <= captured | set(rule.defaults)
    for pattern in rule.patterns:
        assert 0 < pattern.share <= 1
        assert all(len(key) >= 3 and key == key.lower() for key in pattern.keys), pattern
    assert all(word == word.lower() for word in (*rule.speaks_for, *rule.speaks_against))
    if rule.confirmed_on_hardware:
        assert not re.search(
            r"\bMac(OS)?\b|Xcode|Homebrew|Gatekeeper", catalogue(Language.ENGLISH)[f"symptoms.{id_}.title"]
        )


@pytest.mark.parametrize(
    ("pattern", "key"),
    [
        ("bad cpu type", "bad cpu type"),
        (r"a{version} lives?{gap} in \.m2/x", " in .m2/x"),
        ("(?:one|two) and three", " and three"),
        (r"[abc]{3}long word", "long word"),
        ("this|that", ""),
        (r"code {number}\b", "code "),
    ],
)
def test_the_literal_of_a_pattern(pattern, key):
    assert key_of(pattern) == key


def repeats(tree):
    """Yield (most, inner tree) of every repeat of a parsed expression."""
    for name, value in tree:
        if str(name) in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            yield int(value[1]), value[2]
            yield from repeats(value[2])
        elif str(name) == "SUBPATTERN":
            yield from repeats(value[-1])
        elif str(name) == "BRANCH":
            for branch in value[1]:
                yield from repeats(branch)
        elif str(name) in {"ASSERT", "ASSERT_NOT"}:
            yield from repeats(value[1])


def unbounded(expression):
    from re import _parser as parser  # no public way leads to a parsed expression

    for most, inner in repeats(parser.parse(expression)):
        nested = max((each for each, _ in repeats(inner)), default=1)
        if most > 400 or (most > 1 and most * nested > 400):
            return True
    return False


def test_no_pattern_repeats_without_a_bound():
    for rule in rules().values():
        for pattern in rule.patterns:
            assert not unbounded(expand(pattern.source)), pattern.source


@pytest.mark.parametrize("bad", ["a.*b", r"\S+x", "(?:a{1,50}){1,50}b", "(a|b.+)c"])
def test_an_unbounded_pattern_would_be_seen(bad):
    assert unbounded(bad)


# --- the document


def generated(name):
    if name == "rules":
        return markdown()
    if name == "handbook":
        rows = "".join(
            f"| {each['chapter']} | `{each['text']}` | {each.get('answer') or each['open']} | "
            f"{', '.join(each['claims'])} | {', '.join(each.get('traps', ())) or '-'} |\n"
            for each in HANDBOOK
        )
        head = "| chapter | text | cause, or why it has none here | statements | traps |\n|---|---|---|---|---|\n"
        return head + rows
    rows = ""
    for held_out, label in ((False, "open to tuning"), (True, "held out")):
        asked, right, first = score(held_out=held_out)
        rows += f"| {label} | {asked} | {right} ({right / asked:.1%}) | {first} ({first / asked:.1%}) |\n"
    matched = sum(bool(ranked(text)) for _, text in UNRELATED)
    table = "| variants | texts | right rule among the first three | right rule first |\n|---|---|---|---|\n"
    return f"{table}{rows}\nOf {len(UNRELATED)} unrelated error lines, {matched} match a rule.\n"


@pytest.mark.parametrize("name", ["scores", "handbook", "rules"])
def test_the_document_is_true(name, update_golden):
    text = DOCS.read_text("utf-8")
    part = re.compile(rf"(?<=<!-- {name} -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)
    if update_golden:
        DOCS.write_text(part.sub(lambda _: generated(name), text, count=1), "utf-8")
        text = DOCS.read_text("utf-8")
    found = part.search(text)
    assert found is not None
    assert found.group(1) == generated(name), "run pytest tests/test_symptoms.py --update-golden"


def test_the_documents_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    exec(compile(example, str(DOCS), "exec"), {})
