"""The pages of a site as a whole: machines side by side, statements by machine, and the index of the search."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from msgspec.structs import replace

from labkit.bench import published
from labkit.claims.ledgers import own
from labkit.errors import LabError
from labkit.model.base import Provenance, Text
from labkit.model.claims import ClaimVerdict, Untested
from labkit.site import publish
from labkit.site.search import Line, script
from labkit.system import records
from labkit.words import Language
from tests.browser import synthetic
from tests.browser.synthetic import machine, made, record
from tests.browser.untrusted import plain_claims

ODD = "</script><script>alert(1)</script>\u2028"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of one machine with statements and notebooks, and one of another without."""
    root = tmp_path_factory.mktemp("runs")
    first = synthetic.run_folder(root, record(claims=plain_claims()))
    found = records.read(first / "record.json")
    folders = [first]
    for name, of in (("20261124-140000-0123abcd", found.machine), ("20261123-150000-0123abcd", machine(id="other"))):
        written = record(
            run=name, machine=of, provenance=found.provenance, started_at=f"2026-11-24T0{len(name) % 9}:00:00Z"
        )
        folder = root / of.id / name
        folder.mkdir(parents=True)
        records.write(folder / "record.json", written)
        (folder / "01_install.ipynb").write_text('{"nbformat": 4, "cells": []}')
        (folder / "02_codegen.ipynb").write_text('{"nbformat": 4, "cells": []}')
        folders.append(folder)
    return folders


@pytest.fixture(scope="module")
def site(runs, tmp_path_factory):
    return publish(runs, tmp_path_factory.mktemp("whole") / "site").parent


def lines(site, language):
    text = (site / f"assets/search-{language}.js").read_text()
    return [Line(*each) for each in json.loads(text.removeprefix("globalThis.labkitIndex = ").rstrip(";\n"))]


@pytest.mark.parametrize("below", ["", "zh"])
def test_the_index_leads_to_machines_comparison_statements_and_search(site, below):
    html = (site / below / "index.html").read_text()
    assert len(re.findall('<section id="machine-', html)) == 2
    for page in ("compare.html", "search.html"):
        assert f'href="{page}"' in html
        assert (site / below / page).is_file()


@pytest.mark.parametrize("language", Language)
def test_every_line_of_the_search_leads_to_something_that_is_there(site, language):
    root = site if language is Language.ENGLISH else site / "zh"
    found = lines(site, language)
    assert {each.kind for each in found} >= {"machine", "finding", "notebook"}
    for each in found:
        page, _, id_ = each.address.partition("#")
        html = (root / page).read_text()
        assert not id_ or f'id="{id_}"' in html, each


def test_the_search_holds_no_line_that_ends_its_script():
    text = script([Line("finding", ODD, "", "index.html", ODD)])
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text.removeprefix("globalThis.labkitIndex = ").rstrip(";\n"))[0][1] == ODD


def test_columns_stand_side_by_side_in_both_languages(site):
    english, chinese = (unescape((site / below / "compare.html").read_text()) for below in ("", "zh"))
    assert 'id="columns"' in english
    assert "What is compared" in english
    assert "对比的对象" in chinese


def test_a_document_is_compared_and_gets_no_page(runs, tmp_path):
    """A document's fault is said by its name; a good one makes an index, even beside one run."""
    (tmp_path / "published.json").write_text("{}")
    with pytest.raises(LabError, match=r"published\.json"):
        publish([runs[0], tmp_path / "published.json"], tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_a_runs_own_record_names_its_folder(runs, tmp_path):
    assert publish([runs[0] / "record.json"], tmp_path / "site").is_file()


def test_of_mixed_runs_made_up_ones_are_refused_by_name(runs, tmp_path):
    real = tmp_path / "runs" / "real"
    real.mkdir(parents=True)
    records.write(real / "record.json", record(run="20261125-real", provenance=Provenance.MEASURED))
    assert len({each.id for each in own().statements}) > 100
    index = publish([runs[0], real], tmp_path / "site")
    said = unescape((index.parent / "compare.html").read_text())
    assert "synthetic" in said


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A site of real runs of two toolchains, one with translated arms, and of two published texts."""
    root = tmp_path_factory.mktemp("measured")
    folders = []
    for name in ("current", "handbook", "translated-a"):
        (root / name).mkdir()
        (root / name / "record.json").write_bytes(Path(f"tests/data/records/{name}.json").read_bytes())
        folders.append(root / name)
    texts = []
    for name in ("circl.md", "gob.go.txt"):
        found = published.import_file(Path("tests/data/published") / name, source="https://example.org/published")
        texts.append(root / f"{name}.json")
        texts[-1].write_bytes(published.encode(found))
    return publish([*folders, *texts], root / "site", language=Language.ENGLISH).parent


def test_a_page_for_each_axis_along_which_two_columns_have_times(measured):
    pages = {page.name for page in measured.glob("compare*.html")}
    assert {"compare.html", "compare-toolchain.html", "compare-translation.html"} <= pages
    for page in pages:
        html = unescape((measured / page).read_text())
        assert all(f'href="{other}"' in html for other in pages - {page}), page
        assert f'href="{page}"' in (measured / "index.html").read_text()
    assert "circl.md" in (measured / "compare.html").read_text()
    assert "circl.md" not in (measured / "compare-translation.html").read_text()


def test_what_only_one_publication_has_is_folded_and_counted(measured):
    html = (measured / "compare.html").read_text()
    open_, _, folded = html.partition("Benchmarks that only one column has (")
    rows = folded.partition("</details>")[0].count("<tr>") - 1
    assert folded.startswith(f"{rows})")
    assert "MulBy2toD" in folded
    assert "MulBy2toD" not in open_
    assert "fft-4096" in open_


def test_documents_are_listed_with_their_chip_origin_and_source(measured):
    listed = (measured / "index.html").read_text().partition('<section id="documents">')[2]
    for expected in ("circl.md", "Apple M1 Pro", "lk-badge-imported", 'href="https://example.org/published"'):
        assert expected in listed


def test_the_statements_have_a_column_for_each_machine_that_judged_and_say_which_did_not(site):
    html = (site / "ledger.html").read_text()
    heads = re.findall(r'<th scope="col">([^<]*)</th>', html)
    assert heads[0] == "Statement"
    assert not [head for head in heads if head.startswith(("m1-", "m2-", "m3-"))]
    assert "m1-macos14: no record from this chip yet" in html
    assert 'lk-mark-refuted">✗ refuted' in html


def test_a_statement_is_found_where_its_machine_judged_it_last(tmp_path):
    """A later run that gathered nothing for it does not hide what an earlier one found."""
    whole = plain_claims()
    first, second, *_ = whole.claims
    reason = made(Text, id="claimpage.not_gathered")
    nothing = tuple(
        replace(
            part, verdict=ClaimVerdict.UNTESTED, untested=made(Untested, reason=reason, would_test=reason, tried=())
        )
        for part in first.parts
    )
    poor = replace(first, verdict=ClaimVerdict.UNTESTED, parts=nothing, judged_parts=0)
    folders = []
    for day, claims in (("20261123", whole.claims), ("20261124", (poor, second))):
        started = f"{day[:4]}-{day[4:6]}-{day[6:]}T14:00:00+00:00"
        at = f"{day[:4]}-{day[4:6]}-{day[6:]}T14:01:00+00:00"
        dated = tuple(replace(each, date=at) for each in claims)
        kept = replace(whole, claims=dated, date=at)
        folders.append(synthetic.run_folder(tmp_path, record(run=f"{day}-run", started_at=started, claims=kept)))
    index = publish(folders, tmp_path / "site")
    found = {
        each.title.split()[0]: each.address for each in lines(index.parent, Language.ENGLISH) if each.kind == "claim"
    }
    assert found[first.id].startswith("20261123-run/")
    assert found[second.id].startswith("20261124-run/")
    ledger = (index.parent / "ledger.html").read_text()
    assert f'href="20261124-run/claims.html#claim-{second.id}"' in ledger
    for id_, address in re.findall(r'id="claim-([\d.]+)".*?href="(\d+-run/claims.html)#', ledger):
        assert f'id="claim-{id_}"' in (index.parent / address).read_text()
