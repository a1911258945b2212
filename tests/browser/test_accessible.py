"""Each kind of page judged by axe-core: no serious or critical fault, in both themes, languages and widths."""

from importlib import resources
from pathlib import Path

import pytest

from labkit import compare
from labkit.present.comparison import write
from labkit.site import publish
from labkit.system import records
from labkit.words import Language
from tests.browser import synthetic, untrusted
from tests.support import missing

GRAVE = {"serious", "critical"}
RECORDS = (
    "tests/data/records/translated-b.json",
    "tests/data/records/current.json",
    "tests/data/claims/linux-amd64.json",
)
KINDS = ("index", "report", "notebook", "claims", "comparison", "side by side", "ledger", "search")


@pytest.fixture(scope="module")
def axe():
    """Return axe-core's script, from the package that brings it."""
    try:
        return (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    except ModuleNotFoundError:
        missing("axe-playwright-python", "pip install axe-playwright-python")


@pytest.fixture(scope="module", params=list(Language))
def kinds(request, tmp_path_factory, run_folder):
    """Return a page of each kind in one language."""
    place = tmp_path_factory.mktemp(f"kinds-{request.param}")
    judged = synthetic.record("20261123-150000-0123abcd", notebooks=(), claims=untrusted.plain_claims())
    second = place / "second"
    second.mkdir()
    records.write(second / "record.json", judged)
    site = publish([run_folder, second], place / "site", language=request.param).parent
    first = site / "20261123-140000-0123abcd"
    compared = compare.compare(compare.read([Path(name).absolute() for name in RECORDS]))
    write(compared, place / "comparison", language=request.param)
    return {
        "index": site / "index.html",
        "report": first / "index.html",
        "notebook": first / "01_install.html",
        "claims": site / judged.run / "claims.html",
        "side by side": site / "compare.html",
        "ledger": site / "ledger.html",
        "search": site / "search.html",
        "comparison": place / "comparison" / "index.html",
    }


def faults(page, axe):
    """Return the grave faults that axe-core finds: rule, and where."""
    page.evaluate("() => { for (const at of document.querySelectorAll('details')) at.open = true }")
    page.evaluate(f"() => {{ {axe}\n }}")
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        (one["id"], one["impact"], node["target"], node["failureSummary"][-200:])
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_a_page_has_no_grave_fault(kinds, browse, axe, kind, scheme, width):
    page = browse(width=width, color_scheme=scheme).open(kinds[kind], figures=kind == "notebook")
    assert faults(page, axe) == []


def test_a_fault_is_found(browse, axe, kinds):
    """The gate closes: a page that has faults is not let through."""
    page = browse().open(kinds["index"])
    page.evaluate("""() => document.querySelector('main').insertAdjacentHTML('beforeend',
        '<img src="data:,"><button></button>'
        + '<p style="color:#eee;background:#fff">Some words that are hard to see</p>')""")
    assert {rule for rule, *_ in faults(page, axe)} >= {"image-alt", "button-name", "color-contrast"}
