"""What others wrote, tried in a real browser: nothing runs, loads, leaves or dresses up, and the harmless is whole."""

import contextlib
import re

import pytest
from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from labkit import compare
from labkit.bench import published
from labkit.present.comparison import write
from labkit.site import figures, notebook, pages, publish
from labkit.words import Language
from tests.browser import payloads, untrusted
from tests.browser.conftest import TIMEOUT_MS

#: At least so many fire where nothing holds them.
FIRE = 60
#: Those of them that fire on one page of all, with the ones that take the page away left out.
FIRE_TOGETHER = 60
#: How long a payload is given where nothing holds it, in milliseconds: a busy machine runs it later, not never.
PATIENCE_MS = (0, 200, 1_000, 3_000)

HOVER = """() => [...document.querySelectorAll('[data-figure].js-plotly-plot')].forEach(at => {
  try { Plotly.Fx.hover(at, [{curveNumber: 0, pointNumber: 0}]) } catch { /* a kind without points */ } })"""


class Reader:
    """A browser's page that counts what ran, what left and what was said."""

    def __init__(self, context):
        self.ran, self.left, self.said = set(), set(), []
        context.set_default_timeout(TIMEOUT_MS)
        context.expose_binding("canary", lambda _, name: self.ran.add(str(name)))
        context.route(re.compile(r"^(?!file:|data:|blob:|about:)"), self._leaving)
        context.on("page", self._watch)
        self.page = context.new_page()

    def _leaving(self, route):
        self.left.add(route.request.url)
        route.fulfill(status=200, content_type="text/plain", body="")

    def _watch(self, page):
        page.on("dialog", lambda dialog: (self.ran.add("dialog"), dialog.dismiss()))
        page.on("popup", lambda popup: self.left.add(f"popup {popup.url}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("console", lambda said: self.said.append(f"{said.type}: {said.text}"))

    def fired(self):
        """Return the ids of what ran or left."""
        return self.ran | {url.split("example.org/", 1)[1].strip("/") for url in self.left if "example.org/" in url}


@pytest.fixture
def reader(chromium):
    context = chromium.new_context()
    yield Reader(context)
    context.close()


def opened(reader, path, *, touch=True):
    """Open a page from disk, wait for its figures and touch everything on it."""
    reader.page.goto(path.as_uri())
    if reader.page.locator("[data-figure]").count():
        reader.page.wait_for_selector("html[data-figures=drawn]", state="attached")
    if touch:
        reader.page.evaluate(untrusted.TOUCH)
    return reader.page


def looked_at(reader, site, *, patience_ms=0):
    """Open every page, broken as it may be, and let it come to rest."""
    for path in site.rglob("*.html"):
        if "zh" in path.relative_to(site).parts:
            continue  # the same in Chinese, which is looked at by itself
        reader.page.goto(path.as_uri())
        reader.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        reader.page.wait_for_timeout(patience_ms)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return untrusted.run_folders(tmp_path_factory.mktemp("untrusted"))


BENCH = """goos: darwin
goarch: arm64
pkg: {package}
cpu: Apple M1
Benchmark{name}-8 \t 1000 \t 12.5 ns/op
BenchmarkKept-8 \t 1000 \t {time} ns/op
PASS
"""


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """Return two imported texts whose names mean ill."""
    place = tmp_path_factory.mktemp("documents")
    named = [text for text in payloads.texts().values() if text.isprintable()]
    paths = []
    for at, chip in enumerate((named[18], named[45])):
        text = "".join(
            BENCH.format(name="X" + re.sub(r"\s", "/", name), package=re.sub(r"\s", "/", name), time=12.5 + at)
            for name in named
        )
        made = published.import_bytes(
            text.encode(), name=named[at], source="https://example.org/" + "'\"><script>canary(1)</script>", chip=chip
        )
        path = place / f"<img src=x: onerror=canary({at})>.json"
        path.write_bytes(published.encode(made))
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def spoilt(runs, documents, tmp_path_factory):
    """Return a site of runs and documents in which every text means ill."""
    return publish([*runs, *documents], tmp_path_factory.mktemp("site") / "site", language=Language.ENGLISH).parent


@pytest.fixture(scope="module")
def spoilt_in_chinese(spoilt):
    return spoilt / "zh"


def test_there_are_enough_payloads():
    assert len(payloads.TEXTS) >= 60
    assert len(payloads.FIGURES) >= 20


def test_without_any_wall_they_do_run(chromium):
    """The control: the same browser and the same look, nothing sanitised and no policy."""
    context = chromium.new_context()
    reader = Reader(context)
    from playwright.sync_api import Error

    some = payloads.texts(payloads.HTML)
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True, attachments={})
    for name, text in payloads.texts(payloads.MARKDOWN).items():
        if "attachment" not in name:
            some[name] = MarkdownWithMath(renderer=renderer).render(text)
    fired = set()
    for patience_ms in PATIENCE_MS:
        for name in [name for name in some if name.replace(" ", "-") not in fired]:
            with contextlib.suppress(Error):  # it has navigated away, which is what it wanted
                reader.page.goto("about:blank")
                reader.page.set_content(f"<!doctype html><body>{some[name]}")
                reader.page.evaluate(untrusted.TOUCH)
                reader.page.wait_for_timeout(patience_ms)
        fired = reader.fired()
        if len(fired) >= FIRE:
            break
    context.close()
    assert len(fired) >= FIRE, sorted({name.replace(" ", "-") for name in some} - fired)


def unwalled(monkeypatch, place, *, policy):
    """Publish with nothing sanitised or escaped, and with this policy."""
    kept = {name: text for name, text in payloads.TEXTS.items() if name not in payloads.WHOLE}
    spoilt = untrusted.run_folders(place / "runs", kept)
    monkeypatch.setattr(notebook, "clean", lambda html, **_: Markup(html))
    monkeypatch.setattr(figures, "_harmless", lambda value: value)
    monkeypatch.setattr(pages, "POLICY", policy)
    return publish(spoilt, place / "site", language=Language.ENGLISH).parent


def test_without_the_sanitiser_and_the_policy_they_run_on_a_published_page(monkeypatch, reader, tmp_path):
    site = unwalled(monkeypatch, tmp_path, policy="")
    for patience_ms in PATIENCE_MS:
        looked_at(reader, site, patience_ms=patience_ms)
        if len(reader.fired()) >= FIRE_TOGETHER:
            break
    assert len(reader.fired()) >= FIRE_TOGETHER, sorted(reader.fired())


def test_the_policy_alone_holds_them(monkeypatch, reader, tmp_path):
    """The second wall by itself: what the sanitiser would have let pass stands on the page and does nothing."""
    site = unwalled(monkeypatch, tmp_path, policy=pages.POLICY)
    looked_at(reader, site)
    assert reader.ran == set()
    assert reader.left == set()
    assert any("Content Security Policy" in said for said in reader.said)


@pytest.mark.parametrize("language", Language)
def test_nothing_runs_leaves_or_dresses_up_on_any_page(language, spoilt, spoilt_in_chinese, reader):
    site = spoilt if language is Language.ENGLISH else spoilt_in_chinese
    for path in sorted(site.rglob("*.html")):
        if language is Language.CHINESE and "data-figure" in path.read_text("utf-8"):
            continue  # a notebook's own texts are in no other language
        page = opened(reader, path)
        page.evaluate(HOVER)
        assert reader.fired() == set(), path.name
        assert reader.left == set(), path.name
        assert page.evaluate(untrusted.FAULTS) == [], path.name
        assert page.url.startswith(path.as_uri()), path.name
        # plotly tells its developers what it draws otherwise: "trace: WARN: too many auto-margin redraws"
        assert [said for said in reader.said if not said.startswith("trace: WARN")] == [], path.name


def test_nothing_runs_in_what_the_search_finds(spoilt, reader):
    page = opened(reader, spoilt / "search.html", touch=False)
    for word in ("canary", "script", "onerror", "javascript:", "img"):
        page.locator("#search").fill(word)
        results = page.locator("#results li")
        assert results.count() >= 10, word
        page.evaluate(untrusted.TOUCH)
        assert reader.fired() == set()
        assert reader.left == set()
        assert page.locator("#results :not(li, span, a)").count() == 0
        hrefs = page.locator("#results a").evaluate_all("all => all.map(at => at.getAttribute('href'))")
        assert all(re.fullmatch(r"\./[\w./-]+(#\S+)?", each) for each in hrefs), word


def test_what_is_harmless_is_whole(spoilt, reader):
    shown = 0
    for path in (each for each in spoilt.rglob("*.html") if "zh" not in each.relative_to(spoilt).parts):
        if "Harmless" not in path.read_text("utf-8"):
            continue
        shown += 1
        page = opened(reader, path, touch=False)
        assert page.locator("h1#s-harmless").inner_text() == "Harmless"
        assert page.locator(".lk-prose strong", has_text="bold").count()
        assert page.locator(".highlight .kn").first.inner_text() == "import"
        cell = page.locator("table.dataframe td", has_text="protoc").first
        assert cell.evaluate("at => getComputedStyle(at).color") == "rgb(255, 0, 0)"
        assert page.locator(".lk-output a[href='https://example.org/kept']").first.inner_text() == "link"
        assert page.locator("img[alt=dot]").first.evaluate("at => at.naturalWidth") == 1
        assert page.locator(".ansi-red-fg", has_text="kept red").count()
        drawn = page.locator("[data-figure]").first
        assert drawn.locator(".trace path").count() == 3
        assert drawn.locator("a[target]").get_attribute("xlink:href") == "https://example.org/kept"
        assert "two" in drawn.inner_text()
    assert shown == 3


@pytest.fixture(scope="module")
def compared(documents, tmp_path_factory):
    """Return the page of two published texts whose names mean ill, side by side."""
    place = tmp_path_factory.mktemp("compared")
    write(compare.compare(compare.read(documents)), place / "out", language=Language.ENGLISH)
    return place / "out" / "index.html"


def test_nothing_of_imported_texts_runs_on_a_comparisons_page(compared, reader):
    page = reader.page
    page.goto(compared.as_uri())
    page.wait_for_selector(".main-svg")
    page.evaluate(untrusted.TOUCH)
    page.evaluate(HOVER)
    assert reader.fired() == set()
    assert reader.left == set()
    assert page.locator("main :is(script:not([type]), iframe, img, form, object)").count() == 0
    assert page.locator("[onerror], [onload], [onclick], a[href^=javascript]").count() == 0
    assert [said for said in reader.said if not said.startswith("trace: WARN")] == []
    assert "<script>" in page.locator("table").first.inner_text()
    assert page.locator("[data-figure] .trace").count() >= 1
    linked = "() => [...document.querySelectorAll('.main-svg a')].filter(at => at.getAttribute('xlink:href')).length"
    assert page.evaluate(linked) == 0
    slip = "canary(/slip/.source)"
    page.evaluate("at => document.body.insertAdjacentHTML('beforeend', `<img src=x: onerror=${at}>`)", slip)
    script = "at => document.body.append(Object.assign(document.createElement('script'), {textContent: at}))"
    page.evaluate(script, slip)
    assert reader.fired() == set()  # the policy holds what slips through
