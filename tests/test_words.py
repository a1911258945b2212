"""The catalogues of both languages hold the same ids, with the same slots."""

import re
from string import Formatter

import pytest

from labkit.model.base import Text
from labkit.words import Language, catalogue, preferred_language, render, say


def slots(sentence):
    return sorted({name for _, name, _, _ in Formatter().parse(sentence) if name})


def test_both_languages_have_the_same_ids():
    assert set(catalogue(Language.ENGLISH)) == set(catalogue(Language.CHINESE))


@pytest.mark.parametrize("id_", sorted(catalogue(Language.ENGLISH)))
def test_a_text_is_translated_and_keeps_its_slots(id_):
    english, chinese = catalogue(Language.ENGLISH)[id_], catalogue(Language.CHINESE)[id_]
    assert slots(english) == slots(chinese)
    if re.search(r"[a-z]{2,} [a-z]{2,}", english):  # a sentence, not a name or a unit
        assert re.search(r"[\u4e00-\u9fff]", chinese), f"{id_} is not in Chinese"


def test_an_unknown_id_shows_itself_with_its_values():
    assert "7" in say("of.another.version", n=7)
    assert say("of.another.version") == "of.another.version"
    assert "7" in say("present.more_lines", count=7)
    assert render(Text(id="site.title"), Language.ENGLISH) == "labkit report"


@pytest.mark.parametrize(
    ("environ", "language"),
    [({}, "en"), ({"LABKIT_LANG": "zh"}, "zh"), ({"LABKIT_LANG": "zh_CN.UTF-8"}, "zh"), ({"LABKIT_LANG": "fr"}, "en")],
)
def test_the_language_is_chosen_by_one_variable(environ, language):
    assert preferred_language(environ) == language
