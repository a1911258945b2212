"""The quick form: statements are judged by what is kept here, and the others say what gathers it."""

import msgspec
import pytest

from labkit.claims import ClaimFacts, probe, section
from labkit.claims.base import ClaimCheck, reckoned
from labkit.claims.kept import KeptFacts, NotGatheredError
from labkit.claims.ledgers import own
from labkit.claims.running import attempt, is_gathered, judge
from labkit.errors import LabError, UsageError
from labkit.model.claims import ClaimVerdict
from labkit.words import Language, render

MADE = []


@probe("a-test-of-keeping")
def slow(_facts: ClaimFacts) -> tuple[str, ...]:
    """Something that takes long."""
    MADE.append(1)
    return ("seen",)


class Asks(ClaimCheck):
    """Ask for a shared fact."""

    id = "6.03"

    def parts(self, facts):
        yield self.judged(facts.get(slow) == ("seen",), [reckoned("x", "y")], one="a", two="b")


class AsksAndHides(Asks):
    """Ask, and make a verdict of what went wrong."""

    def parts(self, facts):
        try:
            yield from super().parts(facts)
        except LabError:
            yield self.refuted([reckoned("x", "y")], one="a", two="b")


class WantsAnotherGo(Asks):
    """Ask for a Go that is not here."""

    def parts(self, facts):
        yield self.judged(facts.go("1.2.3").is_file(), [reckoned("x", "y")], one="a", two="b")


@pytest.fixture
def statement():
    return own().find("6.03")


@pytest.fixture
def kept(spaced_home, facts, monkeypatch):
    """Facts in a home where nothing was gathered; the set is that of the session."""
    monkeypatch.setattr("labkit.claims.facts._Shared", lambda _name, **_: facts)
    return KeptFacts()


@pytest.mark.parametrize("check", [Asks(), AsksAndHides(), WantsAnotherGo()], ids=lambda each: type(each).__name__)
def test_what_is_not_here_is_not_gathered_and_gives_no_verdict(kept, statement, check):
    MADE.clear()
    found = attempt(statement, check, kept)
    assert (found.verdict, is_gathered(found), MADE) == (ClaimVerdict.UNTESTED, False, [])
    for language in Language:
        reason = render(found.parts[0].untested.reason, language)
        assert "`labkit claims --only 6.03`" in reason
    assert found.bound


def test_what_was_gathered_before_is_judged_now(kept, statement, facts):
    assert not is_gathered(judge(statement, Asks(), kept))
    assert is_gathered(judge(statement, Asks(), ClaimFacts(facts)))
    found = judge(statement, Asks(), KeptFacts())
    assert (found.verdict, is_gathered(found)) == (ClaimVerdict.CONFIRMED, True)


def test_what_is_refused_names_itself(kept):
    with pytest.raises(NotGatheredError, match=slow.name):
        kept.get(slow)


def test_a_section_is_a_run_over_what_was_chosen():
    assert [each.id for each in section("6.03, 6.05").claims] == ["6.03", "6.05"]
    assert section("none").claims == ()
    assert {each.chapter for each in section("6").claims} == {"6"}


@pytest.mark.parametrize(
    ("chosen", "facts", "what"), [("9.99", "kept", "9.99"), ("all", "cold", "cold")], ids=["claim", "way"]
)
def test_what_there_is_not_is_refused(chosen, facts, what):
    with pytest.raises(UsageError, match=what):
        section(chosen, facts=facts)


def test_a_section_goes_through_json(kept):
    record = section("6")
    assert msgspec.json.decode(msgspec.json.encode(record), type=type(record)) == record
