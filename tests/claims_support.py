"""Runs one check as it is and with something real changed, and asserts that verdict and sentence turn."""

from labkit.claims import ClaimFacts, own, registered
from labkit.claims.running import judge
from labkit.words import Language, render


def result(id_, facts):
    """Return what a check makes of its statement."""
    return judge(own().find(id_), registered()[id_], facts)


def sentences(found, part="a", language=Language.ENGLISH):
    """Return what is said of a part: its sentence, or why it is untested."""
    (chosen,) = (each for each in found.parts if each.part == part)
    text = chosen.instead or chosen.untested.reason
    return render(text, language)


def turned(id_, plain, was, becomes, *, part="a", **own_things):
    """Judge with ``plain`` facts and with facts of which something is replaced; return the second result.

    Args:
        id_: The statement.
        plain: ClaimFacts of this machine.
        was: The verdict of the part as it is.
        becomes: Its verdict with the change.
        part: The part.
        own_things: ``own_gos``, ``own_tools``, ``own_facts``, ``own_machine`` of ClaimFacts.

    """
    before = result(id_, plain)
    after = result(id_, ClaimFacts(plain.lab, **own_things))
    verdicts = [next(each.verdict for each in found.parts if each.part == part) for found in (before, after)]
    assert verdicts == [was, becomes], (sentences(before, part), sentences(after, part))
    for language in Language:
        assert sentences(before, part, language) != sentences(after, part, language)
    return after
