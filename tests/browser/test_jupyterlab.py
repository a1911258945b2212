"""JupyterLab as ``labkit lab`` opens it: every notebook runs with its defaults there, and its figures are seen.

It executes everything once, in the order of the names, from what the store holds; about half of the time goes into
measuring, which is what 04_performance does. ``LABKIT_SHOTS`` names a folder for pictures of each notebook.
"""

import contextlib
import json
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

from tests.lab_server import Server
from tests.test_notebooks import NOTEBOOKS

pytestmark = pytest.mark.slow(budget_s=360)

OPEN_MS = 60_000
RUN_MS = 240_000
#: Every cell is in the page, whether it is in sight or not; nothing is restored from before.
SETTINGS = {"@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"}}
RAN = """() => {
  const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')].map(e => e.textContent);
  return prompts.length && prompts.every(text => /^\\[\\d+\\]:$/.test(text));
}"""
FAILED = ".jp-Notebook .jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']"
OVER = f"() => document.querySelector(`{FAILED}`) || ({RAN})()"
DRAWN = """figures => {
  const drawn = [...document.querySelectorAll('.jp-Notebook .js-plotly-plot')];
  return drawn.length === figures && drawn.every(each => each.querySelector('.gtitle, .annotation'));
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory, facts):
    assert facts.toolchain  # provisioned before any time is counted
    folder = tmp_path_factory.mktemp("lab")
    for name, value in SETTINGS.items():
        file = folder / "settings" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    environ = {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    server = Server(folder, environ, "--new", "mine")
    yield server
    assert server.end() == 0, server.said()


class Lab:
    """A browser's page of JupyterLab, and every request that left it."""

    def __init__(self, page, server):
        self.page, self.server = page, server
        self.requests, self.errors = [], []
        page.set_default_timeout(OPEN_MS)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, name):
        self.page.goto(
            f"{self.server.told['url']}lab/tree/notebooks/{name}.ipynb?token={self.server.told['token']}&reset"
        )
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell .jp-InputPrompt")
        # Run before there is a session, JupyterLab asks which kernel is wanted.
        self.server.wait_for(lambda: json.loads(self.server.ask("api/sessions")))
        self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")

    def run_all(self):
        self.page.locator(".jp-Notebook .jp-MarkdownCell").first.click()
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
        self.page.locator('li[data-command="runmenu:run-all"]').click()
        self.page.wait_for_function(OVER, timeout=RUN_MS)
        failed = self.page.locator(FAILED)
        assert not failed.count(), failed.first.inner_text()

    def save(self, name):
        self.page.keyboard.press("Control+s")
        file = Path(self.server.told["root_dir"]) / "notebooks" / f"{name}.ipynb"
        self.page.wait_for_selector(".jp-mod-current:not(.jp-mod-dirty)")

        def saved():
            document = nbformat.read(str(file), as_version=4)
            return document if document.cells[-1].execution_count else None

        return self.server.wait_for(saved)

    def shoot(self, name):
        if "LABKIT_SHOTS" not in os.environ:
            return
        folder = Path(os.environ["LABKIT_SHOTS"])
        folder.mkdir(parents=True, exist_ok=True)
        height = self.page.evaluate(
            "() => Math.max(0, ...[...document.querySelectorAll('.jp-NotebookPanel *')].map(at => at.scrollHeight))"
        )
        self.page.set_viewport_size({"width": 1280, "height": min(int(height) + 160, 16_000)})
        self.page.evaluate("() => document.querySelectorAll('.jp-NotebookPanel *').forEach(at => { at.scrollTop = 0 })")
        self.page.screenshot(path=str(folder / f"{name}.png"))
        self.page.set_viewport_size({"width": 1280, "height": 900})


@pytest.fixture
def lab(chromium, server):
    with contextlib.closing(chromium.new_context(viewport={"width": 1280, "height": 900})) as context:
        lab = Lab(context.new_page(), server)
        yield lab
    for session in json.loads(server.ask("api/sessions")):
        server.ask(f"api/sessions/{session['id']}", method="DELETE")


def elsewhere(lab):
    own = urlsplit(lab.server.told["url"]).netloc
    return [
        url
        for url in lab.requests
        if urlsplit(url).scheme in {"http", "https", "ws", "wss"} and urlsplit(url).netloc != own
    ]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_with_its_defaults_and_shows_its_figures(lab, notebook):
    source = nbformat.read(str(notebook), as_version=4)
    figures = sum(cell.source.count("_figure(") for cell in source.cells if cell.cell_type == "code")
    lab.open(notebook.stem)
    assert lab.page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts() == []  # nobody is asked about news
    lab.run_all()
    lab.page.wait_for_function(DRAWN, arg=figures)
    saved = lab.save(notebook.stem)
    lab.shoot(notebook.stem)
    code = [cell for cell in saved.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    shown = lab.page.locator(".jp-Notebook .jp-CodeCell").nth(1).locator(".jp-OutputArea-output table.labkit")
    assert shown.count() == 1  # the parameters, explained
    formulas = sum(cell.source.count("$$") // 2 for cell in source.cells if cell.cell_type == "markdown")
    assert lab.page.locator(".jp-Notebook .jp-MarkdownCell mjx-container[display=true]").count() == formulas
    assert lab.page.locator(".jp-Notebook .jp-OutputArea mjx-container").count() == 0  # $HOME/a$b is no formula
    assert elsewhere(lab) == []
    assert lab.errors == []


def test_a_new_notebook_runs_and_records_show_themselves(lab):
    lab.open("mine")
    lab.run_all()
    assert lab.page.locator(".jp-Notebook .labkit-binaries summary").count() > 3
    assert lab.page.locator(".jp-Notebook table.labkit").count() >= 3
    lab.shoot("mine")


def test_the_launcher_offers_this_environments_python(lab):
    lab.page.goto(f"{lab.server.told['url']}lab?token={lab.server.told['token']}&reset")
    card = lab.page.locator(".jp-LauncherCard[data-category='Notebook']")
    card.first.wait_for()
    assert "Python 3 (labkit)" in card.first.inner_text()
    lab.shoot("launcher")
