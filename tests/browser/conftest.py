"""A site of real executed notebooks, and a browser without a network to read it in."""

import contextlib
from dataclasses import dataclass, field

import pytest

from labkit.site import publish
from tests.browser import synthetic
from tests.support import missing, need

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
TIMEOUT_MS = 20_000


@dataclass
class Watched:
    """A page, and what went wrong or went out while it was read."""

    page: object
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, path, *, figures=None):
        self.page.goto(path.as_uri())
        if figures:
            self.page.wait_for_selector("html[data-figures=drawn]", state="attached")
        return self.page


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    return synthetic.run_folder(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def site(run_folder, tmp_path_factory):
    """Return the folder of a site of one run; its parent's name holds a space."""
    return publish([run_folder], tmp_path_factory.mktemp("a place") / "site").parent


@pytest.fixture(scope="session")
def chromium():
    """Return a browser with a profile of its own, the tests' alone."""
    program = need("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright", "pip install playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium):
    """Return what opens a page that shares nothing with another, with the network off."""
    with contextlib.ExitStack() as stack:

        def browse(*, width=1280, height=900, **options):
            context = chromium.new_context(viewport={"width": width, "height": height}, offline=True, **options)
            stack.callback(context.close)
            context.set_default_timeout(TIMEOUT_MS)
            watched = Watched(context.new_page())
            page = watched.page
            page.on("console", lambda said: watched.troubles.append(f"{said.type}: {said.text}"))
            page.on("pageerror", lambda error: watched.troubles.append(f"error: {error}"))
            page.on("requestfailed", lambda request: watched.troubles.append(f"failed: {request.url}"))
            page.on("request", lambda request: watched.requests.append(request.url))
            return watched

        yield browse
