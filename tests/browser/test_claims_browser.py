"""The claims' page in a real browser, opened from disk: found by words, chapter and id, by verdict, and by its link."""

import re

import pytest

from labkit.claims import own
from labkit.claims.base import saw
from labkit.model.claims import ClaimResult, ClaimsRecord, EvidenceKind, PartVerdict
from labkit.site import publish
from labkit.system import records
from tests.browser.synthetic import RAN, machine, made, record

BAD = f'<script>{RAN}</script><img src=x onerror="{RAN}">'
VERDICTS = {"1.06": "refuted", "1.07": "confirmed", "2.3.05": "untested", "2.3.09": "refuted", "9.99": "confirmed"}


def claim(id_, verdict):
    evidence = saw(EvidenceKind.OUTPUT, f"said {BAD}", BAD)
    chapter = own().find(id_).chapter if id_ != "9.99" else "9"
    return made(
        ClaimResult, id=id_, chapter=chapter, verdict=verdict, bound=True, judged_parts=1, all_parts=1,
        command=f"labkit claims --only {id_}", method=BAD,
        parts=[made(PartVerdict, part="a", verdict=verdict, evidence=[evidence])],
    )  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    judged = made(ClaimsRecord, machine=machine(), claims=[claim(*each) for each in VERDICTS.items()])
    written = record(notebooks=(), claims=judged)
    folder = tmp_path_factory.mktemp("claims") / written.machine.id / written.run
    folder.mkdir(parents=True)
    records.write(folder / "record.json", written)
    return next(publish([folder], folder.parent / "site").parent.rglob("claims.html"))


@pytest.fixture
def page(browse, address):
    return browse(width=390).open(address)


def seen(page):
    return page.evaluate(
        "() => [...document.querySelectorAll('.lk-claim')]"
        ".filter((at) => at.checkVisibility()).map((at) => at.dataset.id)"
    )


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("", list(VERDICTS)),
        ("2.3.", ["2.3.05", "2.3.09"]),
        ("1.06", ["1.06"]),
        ("UNINSTALL", ["1.06"]),
        ("移除", ["1.06"]),
        ("no such words", []),
    ],
)  # fmt: skip
def test_a_statement_is_found_by_words_chapter_or_id(page, typed, ids):
    page.keyboard.press("/")
    page.keyboard.type(typed)
    assert page.evaluate("() => document.activeElement.id") == "find"
    assert seen(page) == ids
    page.keyboard.press("Escape")
    assert seen(page) == list(VERDICTS)


def test_verdicts_are_chosen_and_a_link_shows_what_they_hide(page, address):
    page.locator("button[data-kind=refuted]").click()
    assert seen(page) == ["1.06", "2.3.09"]
    page.evaluate("() => { location.hash = 'claim-1.07'; }")
    page.wait_for_function("() => document.getElementById('claim-1.07').checkVisibility()")
    assert page.locator("[id='claim-1.07'] a.lk-anchor").get_attribute("href") == "#claim-1.07"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_of_it_runs_leaves_or_scrolls_sideways(browse, address, scheme):
    watched = browse(width=390, color_scheme=scheme)
    page = watched.open(address)
    for fold in page.locator("details").all():
        fold.evaluate("(at) => { at.open = true; }")
    assert page.evaluate("() => window.injected") is None
    assert watched.troubles == []
    assert [url for url in watched.requests if not url.startswith(("file:", "data:"))] == []
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    assert "<script>" in page.locator("[id='claim-1.06'] details").inner_text()


def test_each_arrow_that_was_judged_leads_to_a_statement_of_the_page(address):
    text = address.read_text("utf-8")
    ids = set(re.findall(r'id="(claim-[\d.]+)"', text))
    assert ids == {f"claim-{each}" for each in VERDICTS}
    assert set(re.findall(r'href="#(claim-[\d.]+)"', text)) <= ids
