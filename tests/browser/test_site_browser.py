"""The site in a real browser, opened from disk with the network off."""

import shutil

import pytest

from tests.browser import synthetic

INSTALL = "20261123-140000-0123abcd/01_install.html"
CODEGEN = "20261123-140000-0123abcd/02_codegen.html"
PAGES = ("index.html", INSTALL, CODEGEN)
DRAWN = "() => [...document.querySelectorAll('[data-figure]')].map(at => at.querySelectorAll('.trace path').length)"
BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"
INK = "() => getComputedStyle(document.querySelector('.main-svg .xtick text')).fill"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 28)"


@pytest.fixture(scope="module")
def pages(chromium, site):
    """The site's pages, open side by side, for tests that only look."""
    context = chromium.new_context(offline=True)
    opened = {}
    for name in PAGES:
        opened[name] = context.new_page()
        opened[name].goto((site / name).as_uri())
    opened[INSTALL].wait_for_selector("html[data-figures=drawn]", state="attached")
    yield opened
    context.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_page_opens_without_trouble_and_without_a_network(site, browse, name, scheme, width):
    watched = browse(width=width, color_scheme=scheme)
    page = watched.open(site / name, figures=name == INSTALL)
    assert watched.troubles == []
    assert [url for url in watched.requests if not url.startswith(("file:", "data:"))] == []
    assert page.evaluate("() => document.documentElement.scrollWidth") == width  # the page does not scroll sideways
    assert page.evaluate(BACKGROUND) == (DARK if scheme == "dark" else LIGHT)


def test_figures_are_drawn(pages):
    page = pages[INSTALL]
    assert page.locator("[data-figure] .main-svg").count() > 0
    bars, lines = page.evaluate(DRAWN)
    assert bars >= 4  # one a bar, and their intervals
    assert lines >= 3  # one a trace, WebGL ones drawn as SVG
    assert page.locator("figcaption").all_inner_texts() == [
        "How long does each kernel take?\nmedian of 5 processes, µs, lower is better",
        "Is it alert(1) steady?",
    ]


def test_a_figure_that_cannot_be_drawn_says_why(site, browse, tmp_path):
    shutil.copytree(site, tmp_path / "site")
    (tmp_path / "site" / "assets" / "plotly.min.js").unlink()
    page = browse().open(tmp_path / "site" / INSTALL, figures=True)
    said = page.locator("[data-figure]").all_inner_texts()
    assert said == ["This figure could not be drawn: Plotly is not defined"] * 2


def test_nothing_of_a_notebook_or_record_runs(pages):
    for page in pages.values():
        assert page.evaluate("() => window.injected") is None
        assert "injected" not in page.title()
        assert page.locator("iframe, form, input, object, embed, svg[onload], [onerror], [onclick]").count() == 0
        assert page.locator("a[href^='javascript']").count() == 0


def test_the_pages_policy_stops_what_slips_through(site, browse):
    """The second wall: markup put into the open page, as if the sanitiser had let it pass."""
    watched = browse()
    page = watched.open(site / "index.html")
    page.evaluate(
        f"""() => {{
            document.body.insertAdjacentHTML("beforeend", `<img src="data:," onerror="{synthetic.RAN}">`);
            document.body.insertAdjacentHTML("beforeend", `<img src="https://example.org/pixel.png">`);
            const script = document.createElement("script");
            script.textContent = "{synthetic.RAN}";
            document.body.append(script);
        }}"""
    )
    page.wait_for_function(
        "() => document.images.length === 2 && [...document.images].every((image) => image.complete)"
    )
    assert page.evaluate("() => window.injected") is None
    assert sum("Content Security Policy" in trouble for trouble in watched.troubles) == 3


@pytest.mark.parametrize("name", [INSTALL, "index.html"])
def test_wide_tables_scroll_in_a_box_of_their_own_on_a_phone(site, browse, name):
    page = browse(width=390, height=844).open(site / name)
    wide = page.evaluate(
        "() => [...document.querySelectorAll('.lk-scroll')].filter(at => at.scrollWidth > at.clientWidth)"
        ".map(at => at.tabIndex)"
    )
    assert wide
    assert set(wide) == {0}  # reachable by keyboard
    sizes = "() => [...document.querySelectorAll('td, th')].map(at => parseFloat(getComputedStyle(at).fontSize))"
    assert min(page.evaluate(sizes)) >= 12


def test_the_theme_is_switched_by_hand_and_remembered_and_the_figures_follow(site, browse):
    watched = browse(color_scheme="light")
    page = watched.open(site / INSTALL, figures=True)
    ink = page.evaluate(INK)
    button = page.locator("[data-theme-switch]")
    assert button.inner_text() == "Theme: system"
    button.click()
    assert page.evaluate(BACKGROUND) == LIGHT
    button.click()
    assert button.inner_text() == "Theme: dark"
    assert page.evaluate(BACKGROUND) == DARK
    page.wait_for_function(f"ink => ({INK})() !== ink", arg=ink)
    page = watched.open(site / "index.html")
    assert page.evaluate(BACKGROUND) == DARK
    page.locator("[data-theme-switch]").click()
    assert page.evaluate(BACKGROUND) == LIGHT


def test_the_language_is_switched_on_the_same_place_and_remembered(site, browse):
    watched = browse()
    page = watched.open(site / "index.html")
    page.evaluate("() => { location.hash = 'findings' }")
    page.locator("[data-language-switch]").click()
    page.wait_for_url((site / "zh/index.html").as_uri() + "#findings")
    assert page.evaluate("() => document.documentElement.lang") == "zh-Hans"
    assert page.locator("[data-theme-switch]").inner_text().startswith("配色")
    page.goto((site / INSTALL).as_uri() + "#content")
    page.wait_for_url((site / "zh" / INSTALL).as_uri() + "#content")
    page.wait_for_selector("html[data-figures=drawn]", state="attached")  # a load that is cut off is a trouble too
    page.locator("[data-language-switch]").click()
    page.wait_for_url((site / INSTALL).as_uri() + "#content")
    page.wait_for_selector("html[data-figures=drawn]", state="attached")
    page.goto((site / "zh/index.html").as_uri())
    page.wait_for_url((site / "index.html").as_uri())
    assert watched.troubles == []


def test_figures_follow_the_system(site, browse):
    page = browse(color_scheme="light").open(site / INSTALL, figures=True)
    ink = page.evaluate(INK)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"ink => ({INK})() !== ink", arg=ink)


def test_code_is_folded_and_shown_by_one_button_or_one_by_one(site, browse):
    page = browse().open(site / CODEGEN)
    codes = page.locator("details.lk-code")
    opened = "() => [...document.querySelectorAll('details.lk-code')].map(at => at.open)"
    assert page.evaluate(opened) == [False, True, False]  # the cell that failed is open
    page.locator("[data-code-switch]").click()
    assert page.evaluate(opened) == [True, True, True]
    codes.nth(0).locator("summary").click()
    assert page.evaluate(opened) == [False, True, True]


def test_a_failed_notebook_shows_its_error_plainly(pages):
    page = pages[CODEGEN]
    banner = page.locator(".lk-banner-failed")
    assert "This notebook failed after 1 min 11 s." in banner.inner_text()
    assert "Remedy: run labkit setup" in banner.inner_text()
    assert page.locator("#error").inner_text().startswith("RuntimeError: the plug-in <i>is</i> not there")
    assert "(not run)" in page.locator(".lk-cell").last.inner_text()


def test_streams_keep_their_colours_and_stay_apart(pages):
    page = pages[INSTALL]
    assert page.locator(".ansi-green-intense-fg.ansi-bold").inner_text() == "green and bold"
    assert page.locator(".lk-stderr .ansi-red-fg").inner_text() == "red on stderr"
    assert "progress 100 %" in page.locator(".lk-stderr").inner_text()
    assert "progress 90 %" not in page.locator(".lk-stderr").inner_text()


def test_the_keyboard_reaches_everything_and_is_seen(site, browse):
    page = browse().open(site / "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "lk-skip"
    assert page.evaluate("() => document.activeElement.getBoundingClientRect().left") == 0
    page.keyboard.press("Tab")
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_print_is_light_and_whole(site, browse):
    page = browse(color_scheme="dark").open(site / INSTALL, figures=True)
    page.emulate_media(media="print")
    assert (
        page.evaluate("() => getComputedStyle(document.documentElement).getPropertyValue('--page').trim()") == "#ffffff"
    )
    assert page.locator("[data-theme-switch]").is_hidden()
    assert page.evaluate("() => getComputedStyle(document.querySelector('.lk-scroll')).overflowX") == "visible"


def test_pages_read_without_a_script(site, browse):
    page = browse(java_script_enabled=False).open(site / INSTALL)
    assert "the tables hold the same numbers" in page.locator("noscript").inner_text()
    assert page.locator("[data-theme-switch]").is_hidden()
    page = browse(java_script_enabled=False).open(site / "index.html")
    assert "1 of 2 notebooks did not complete" in page.locator("main").inner_text()
