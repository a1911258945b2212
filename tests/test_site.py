"""A site from run folders: its files, its pages' words, and what it refuses."""

import json
import re
from html import unescape
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from labkit.cli.publish import publish as publish_command
from labkit.errors import LabError, RecordError, StoreError, UsageError
from labkit.model.base import Provenance
from labkit.model.check import Status
from labkit.model.run import InstallSection, NotebookRun
from labkit.site import publish
from labkit.site.pages import POLICY
from labkit.system import records
from labkit.words import Language, catalogue
from tests.browser.synthetic import finding, machine, made, record

PLOTLY = {"data": [{"type": "bar", "x": [1], "y": ["a"]}], "layout": {"title": {"text": "How fast?"}}}


def write_notebook(path, *cells):
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))


def markdown(source):
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def shows(**data):
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    return {"cell_type": "code", "source": "show()", "outputs": [output], "execution_count": 1, "metadata": {}}


@pytest.fixture
def run(tmp_path):
    def run(**changed):
        written = record(**changed)
        folder = tmp_path / "runs" / written.machine.id / written.run
        folder.mkdir(parents=True)
        records.write(folder / "record.json", written)
        write_notebook(folder / "01_install.ipynb", markdown("# Is it right?"))
        write_notebook(folder / "02_codegen.ipynb", shows(**{"application/vnd.plotly.v1+json": PLOTLY}))
        return folder

    return run


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def text(page):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page.read_text())))


def test_one_run_is_its_report_and_a_page_a_notebook(run, tmp_path):
    index = publish([run()], tmp_path / "site")
    assert index == tmp_path / "site" / "index.html"
    assert files(tmp_path / "site") == [
        ".labkit-site",
        "20261123-140000-0123abcd/01_install.html",
        "20261123-140000-0123abcd/02_codegen.html",
        "20261123-140000-0123abcd/record.json",
        "assets/claims.js",
        "assets/plotly.min.js",
        "assets/search-en.js",
        "assets/search-zh.js",
        "assets/search.js",
        "assets/site.css",
        "assets/site.js",
        "assets/theme.js",
        "index.html",
        "search.html",
        "zh/20261123-140000-0123abcd/01_install.html",
        "zh/20261123-140000-0123abcd/02_codegen.html",
        "zh/index.html",
        "zh/search.html",
    ]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_record_is_copied_as_it_is(run, tmp_path):
    folder = run()
    publish([folder], tmp_path / "site")
    copy = tmp_path / "site" / "20261123-140000-0123abcd" / "record.json"
    assert copy.read_bytes() == (folder / "record.json").read_bytes()


def test_several_runs_are_an_index_by_machine_and_a_report_each(run, tmp_path):
    other = machine(id="another", chip="Another chip")
    folders = [run(), run(run="20261124-120000-00000000", started_at="2026-11-24T12:00:00Z"), run(machine=other)]
    index = publish(folders, tmp_path / "site").read_text()
    addresses = re.findall(r'<a href="([^"]+/index\.html)"', index)
    assert addresses == [
        "20261123-140000-0123abcd-2/index.html",  # the same id on another machine
        "20261124-120000-00000000/index.html",  # the newest first
        "20261123-140000-0123abcd/index.html",
    ]
    for address in addresses:
        page = tmp_path / "site" / address
        assert 'href="../index.html"' in page.read_text()
        assert (page.parent / "record.json").is_file()
        assert '<a href="01_install.html"' in page.read_text()


def test_a_run_named_twice_is_one(run, tmp_path):
    folder = run()
    index = publish([folder, folder / ".." / folder.name], tmp_path / "site")
    assert "Report of" in index.read_text()


def test_every_link_leads_to_a_file_of_the_site(run, tmp_path):
    index = publish([run(), run(run="two")], tmp_path / "site")
    for page in index.parent.rglob("*.html"):
        for address in re.findall(r'(?:href|src)="([^"]*)"', page.read_text()):
            if address.startswith(("https://go.dev/", "data:,")):
                continue
            path, _, anchor = address.partition("#")
            assert (page.parent / path).exists(), (page, address)
            assert not anchor or f'id="{anchor}"' in page.read_text(), (page, address)


def test_pages_load_nothing_from_elsewhere_and_say_so_to_the_browser(run, tmp_path):
    index = publish([run()], tmp_path / "site")
    for page in index.parent.rglob("*.html"):
        html = page.read_text()
        assert unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]) == POLICY
        assert not re.search(r'(?:src|data|action)="(?:https?:)?//', html)
        for tag in re.findall(r"<script[^>]*>", html):
            assert re.search(r'src="[\w./]*assets/[\w.-]+\.js"|type="application/json"', tag), tag


def test_plotlys_script_is_there_only_when_a_page_draws(run, tmp_path):
    folder = run()
    write_notebook(folder / "02_codegen.ipynb", markdown("nothing"))
    publish([folder], tmp_path / "site")
    assert not (tmp_path / "site" / "assets" / "plotly.min.js").exists()


def test_only_pages_with_figures_load_plotlys_script_and_they_do_it_late(run, tmp_path):
    index = publish([run()], tmp_path / "site")
    loading = {page.name for page in index.parent.rglob("*.html") if "plotly.min.js" in page.read_text()}
    assert loading == {"02_codegen.html"}
    for page in index.parent.rglob("02_codegen.html"):
        address = re.search(r'<html [^>]*data-plotly="([^"]+)"', page.read_text())[1]
        assert (page.parent / address).resolve() == index.parent / "assets/plotly.min.js"
        assert not re.search(r"<script[^>]*plotly", page.read_text())  # its script asks for it when the page is there


def test_the_report_says_who_how_and_what(run, tmp_path):
    said = text(publish([run()], tmp_path / "site"))
    for expected in (
        "1 of 2 notebooks did not complete; the run took 2 min 5 s.",
        "02_codegen : RuntimeError: the plug-in is not there",
        "Remedy: run labkit setup",
        "Cores 8 (8 logical): 4 Performance, 4 of level 2",
        "Memory 16 GiB",
        "translated: x86_64 code on arm64 by qemu",
        "3 passed 1 failed 1 skipped",
        "Remedy: synthetic.remedy labkit setup hash -r",
        "not confirmed on hardware",
        "protobuf marshal 812 ns/op 788 \u2013 844 ns/op 93.8 % 5 812 ns/op",
        "FFT of 4096 points 55.1 ms/op none: n is too small \u2013 3 55.1 ms/op",
        "it answered nothing",
        "helloworld.Greeter/SayHello: asked you, answered Hello you in 1.20 ms.",
        "yes : m1-macos14 no : linux-amd64",
        "could not be read: no executable",
        "record.json holds everything on this page",
    ):
        assert expected in said, expected


def test_a_complete_run_says_so(run, tmp_path):
    done = made(NotebookRun, name="01_install", file="01_install.ipynb", status="done", wall_time_s=1.0)
    said = text(publish([run(notebooks=[done])], tmp_path / "site"))
    assert "complete All 1 notebooks completed in 2 min 5 s." in said


def test_a_notebook_carried_over_says_from_which_run_and_when(run, tmp_path):
    carried = made(
        NotebookRun, name="01_install", file="01_install.ipynb", status="done", wall_time_s=1.0,
        carried_from="20260101T000000Z-quick-0", carried_at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    site = publish([run(notebooks=[carried])], tmp_path / "site").parent
    pages = [page for page in site.rglob("*.html") if "zh" not in page.parts and page.name != "search.html"]
    assert len(pages) == 2
    for page in pages:
        assert "carried over from 2026-01-01" in text(page)
        assert "20260101T000000Z-quick-0" in text(page)


def test_sections_that_a_run_did_not_reach_say_so(run, tmp_path):
    empty = run(notebooks=[], install=None, codegen=None, binaries=None, performance=None)
    said = text(publish([empty], tmp_path / "site"))
    assert said.count("Not in this run: its notebook did not run or did not complete") == 3
    assert "No notebook was run." in said
    assert "No finding was recorded." in said


@pytest.mark.parametrize("provenance", [Provenance.SYNTHETIC, Provenance.MEASURED])
def test_synthetic_runs_are_told_apart_on_every_page(run, tmp_path, provenance):
    index = publish([run(provenance=provenance)], tmp_path / "site")
    synthetic = provenance is Provenance.SYNTHETIC
    for page in index.parent.rglob("*.html"):
        said = "合成数据" if "zh" in page.parts else "everything on this page was made up"
        assert (said in page.read_text()) is synthetic
        assert page.name == "search.html" or f"lk-badge-{provenance}" in page.read_text()


def test_what_a_record_holds_is_shown_as_text(run, tmp_path):
    index = publish([run()], tmp_path / "site")
    for page in index.parent.rglob("*.html"):
        html = page.read_text()
        assert "<script>" not in html
        assert "<img src=x" not in html
        assert "<b>of the tests</b>" not in html
        assert 'href="javascript:' not in html
    assert (
        "&lt;/script&gt;&lt;script&gt;alert(1)"
        in (index.parent / "20261123-140000-0123abcd/01_install.html").read_text()
    )


def test_a_text_whose_values_do_not_fit_shows_its_id(run, tmp_path):
    known = next(id_ for id_, sentence in catalogue(Language.ENGLISH).items() if "{" in sentence)
    odd = finding("odd", Status.FAIL)
    odd = msgspec.structs.replace(odd, title=msgspec.structs.replace(odd.title, id=known, values={"other": 1}))
    install = msgspec.structs.replace(record().install, findings=(odd,))
    assert isinstance(install, InstallSection)
    assert known in text(publish([run(install=install)], tmp_path / "site"))


def test_the_chosen_language_is_that_of_the_sites_sentences(run, tmp_path):
    index = publish([run()], tmp_path / "site", language=Language.CHINESE).read_text()
    assert '<html lang="zh-Hans">' in index
    assert "关键数字" in index
    assert "Key numbers" not in index


ADDRESS = re.compile(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)">')


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("first", Language)
def test_every_page_is_there_in_both_languages_and_leads_to_the_other(run, tmp_path, first, several):
    folders = [run(), run(run="two")] if several else [run()]
    site = publish(folders, tmp_path / "site", language=first).parent
    pages = sorted(site.rglob("*.html"))
    langs = {page: re.search(r'<html lang="([^"]+)"', page.read_text())[1] for page in pages}
    assert sorted(langs.values()).count("en") == sorted(langs.values()).count("zh-Hans") == len(pages) / 2
    for page in pages:
        lang, address = ADDRESS.search(page.read_text()).groups()
        other = (page.parent / address).resolve()
        assert langs[other] == lang != langs[page]
        back = ADDRESS.search(other.read_text())[2]
        assert (other.parent / back).resolve() == page
        switch = f'href="{address}" hreflang="{lang}" lang="{lang}" data-language-switch'
        assert page.read_text().count(switch) == 1


def test_every_sentence_of_the_site_is_used():
    source = "".join(
        path.read_text()
        for path in Path(publish.__code__.co_filename).parent.rglob("*")
        if path.suffix in {".py", ".j2"}
    )
    made_up = re.compile(
        r"(status|notebook|runs|side|trap|figure)_\w+|search_[a-z]+|(measured|imported|judged|synthetic)(_help)?"
    )
    ids = [id_.removeprefix("site.") for id_ in catalogue(Language.ENGLISH) if id_.startswith("site.")]
    assert [id_ for id_ in ids if f'{id_}"' not in source and not made_up.fullmatch(id_)] == []


@pytest.mark.parametrize(
    "file", ["../../secret.ipynb", "/etc/hostname", "gone.ipynb"], ids=["above", "elsewhere", "gone"]
)
def test_a_notebook_that_is_not_the_runs_is_a_note(run, tmp_path, file):
    (tmp_path / "runs" / "secret.ipynb").parent.mkdir(exist_ok=True)
    write_notebook(tmp_path / "runs" / "secret.ipynb", markdown("the secret"))
    named = made(NotebookRun, name="01_install", file=file, status="done")
    index = publish([run(notebooks=[named])], tmp_path / "site")
    page = text(index.parent / "20261123-140000-0123abcd" / "01_install.html")
    assert "could not be read: No such file or directory" in page
    assert "the secret" not in page


@pytest.mark.parametrize("name", ["../../up", "/tmp/x", "a b<c>", "..", "", "ASSETS", "index.html"], ids=repr)
def test_a_runs_and_a_notebooks_name_make_one_harmless_file_name(run, tmp_path, name):
    folder = run()
    odd = [made(NotebookRun, name=name, file="01_install.ipynb", status="done")] * 2
    records.write(folder / "record.json", record(run=name, notebooks=odd))
    publish([folder], tmp_path / "place" / "site")
    assert [path.name for path in (tmp_path / "place").iterdir()] == ["site"]
    found = [one for one in files(tmp_path / "place" / "site") if one.endswith(".html") and "/" in one]
    pages = [one for one in found if not one.startswith("zh/")]
    assert len(pages) == 2
    assert [one for one in found if one not in pages] == [
        *sorted(f"zh/{one}" for one in [*pages, "index.html", "search.html"])
    ]
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+\.html", page) for page in pages)


def test_an_earlier_site_is_replaced_whole(run, tmp_path):
    publish([run()], tmp_path / "site")
    publish([run(run="later")], tmp_path / "site")
    assert not (tmp_path / "site" / "20261123-140000-0123abcd").exists()
    assert (tmp_path / "site" / "later" / "01_install.html").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "site"]


def test_an_earlier_site_stays_when_the_new_one_fails(run, tmp_path, monkeypatch):
    publish([run()], tmp_path / "site")
    before = files(tmp_path / "site")
    monkeypatch.setattr("labkit.site.build._ASSETS", ("none.css",))
    with pytest.raises(StoreError, match="cannot write the site"):
        publish([run(run="later")], tmp_path / "site")
    assert files(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "site"]


def test_a_folder_of_the_users_is_not_replaced(run, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years")
    with pytest.raises(StoreError, match="holds no site"):
        publish([run()], mine)
    assert files(mine) == ["thesis.txt"]


def test_an_empty_folder_serves_and_a_file_does_not(run, tmp_path):
    (tmp_path / "empty").mkdir()
    folder = run()
    assert publish([folder], tmp_path / "empty").is_file()
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="is a file"):
        publish([folder], tmp_path / "file")


def damaged(folder, **changed):
    content = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps(content | changed))


@pytest.mark.parametrize(
    ("spoil", "kind", "match"),
    [
        (lambda folder: (folder / "record.json").unlink(), RecordError, "holds no record.json"),
        (lambda folder: (folder / "record.json").write_text('{"schema": 1, '), RecordError, "not a labkit record"),
        (lambda folder: damaged(folder, schema=99), RecordError, "has schema 99"),
        (lambda folder: damaged(folder, surprise=1), RecordError, "surprise"),
    ],
    ids=["no record", "cut off", "a newer schema", "an unknown field"],
)
def test_what_is_no_readable_run_is_refused_in_one_line(run, tmp_path, spoil, kind, match):
    folder = run()
    spoil(folder)
    with pytest.raises(kind, match=match) as caught:
        publish([folder], tmp_path / "site")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    ("folders", "match"),
    [([], "no run was named"), (["nowhere"], "not a folder"), (["a.txt"], "no run was named")],
    ids=["none", "nowhere", "a file"],
)
def test_what_is_no_run_folder_is_refused(tmp_path, folders, match):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(UsageError, match=match):
        publish([tmp_path / name for name in folders], tmp_path / "site")


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(publish_command)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_prints_the_index_last(command, run, tmp_path):
    result = command(run(), "--out", tmp_path / "site")
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == str(tmp_path / "site" / "index.html")


def test_the_command_leaves_a_fault_to_the_command_line(command, tmp_path):
    result = command(tmp_path / "nowhere", "--out", tmp_path / "site")
    assert isinstance(result.exception, LabError)
