"""The search, the links to copy and what a link leads to, in a browser without a network."""

import pytest

from labkit.site import publish
from labkit.system import records
from tests.browser.synthetic import machine, record


@pytest.fixture(scope="module")
def whole(run_folder, tmp_path_factory):
    """Return the folder of a site of two machines."""
    first = records.read(run_folder / "record.json")
    other = tmp_path_factory.mktemp("other") / "20261124-140000-0123abcd"
    other.mkdir()
    made = record(run=other.name, machine=machine(id="other"), provenance=first.provenance, notebooks=())
    records.write(other / "record.json", made)
    return publish([run_folder, other], tmp_path_factory.mktemp("whole") / "site").parent


@pytest.mark.parametrize(("below", "word"), [("", "finding"), ("zh", "检查")])
def test_the_slash_key_leads_to_a_search_that_finds(browse, whole, below, word):
    watched = browse()
    page = watched.open(whole / below / "index.html")
    page.keyboard.press("/")
    page.wait_for_url("**/search.html")
    page.locator("#search").press_sequentially("F")
    page.wait_for_selector("#results li a")
    first = page.locator("#results li").first.inner_text()
    assert page.evaluate("document.activeElement.id") == "search"
    assert page.url.endswith("#F")
    page.locator("#results li a").first.click()
    page.wait_for_load_state()
    assert "search.html" not in page.url, first
    page.go_back()
    assert page.locator("#search").input_value() == "F"
    page.locator("#search").fill("no line has these words")
    assert page.locator("#results li").count() == 0
    assert page.locator("#told").inner_text()
    assert not [each for each in watched.requests if not each.startswith("file:")]
    assert not watched.troubles


def test_a_link_opens_the_fold_that_holds_it_and_is_copied(browse, whole):
    watched = browse(permissions=["clipboard-read", "clipboard-write"])
    report = next(each for each in whole.glob("2*/index.html") if "lk-passing" in each.read_text())
    page = watched.open(report)
    anchors = page.locator(".lk-fold:not([open]) .lk-passing .lk-permalink")
    address = anchors.first.get_attribute("href")
    assert not page.locator(f'[href="{address}"]').is_visible()
    page.goto(page.url.partition("#")[0] + address)
    link = page.locator(f'[href="{address}"]')
    link.click()
    assert page.evaluate("navigator.clipboard.readText()").endswith(address)
    assert page.locator("[data-told]").inner_text() == "Link copied"
    assert not watched.troubles
