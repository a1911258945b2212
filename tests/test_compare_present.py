"""Frames keep their documented columns and dtypes, files are written, figures are readable without colour."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from labkit import compare as room
from labkit.bench.benchfmt import read
from labkit.model.comparison import Axis
from labkit.present import comparison as view
from labkit.present.comparison_figures import curves_figure, findings_figure, ratio_figure
from labkit.words import Language, say

DATA = Path("tests/data/records").absolute()
CLAIMS = Path("tests/data/claims/linux-amd64.json").absolute()


@pytest.fixture(scope="module")
def sets():
    return room.compare(room.read([DATA / "current.json", DATA / "handbook.json"]), axis=Axis.TOOLCHAIN)


@pytest.fixture(scope="module")
def structured():
    return room.compare(room.read([DATA / "translated-b.json", DATA / "current.json", CLAIMS]))


@pytest.mark.parametrize("name", view.FRAMES)
def test_a_frames_columns_are_those_that_are_documented(structured, name):
    frame = view.FRAMES[name](structured)
    told = re.findall(r"``(\w+)``", view.FRAMES[name].__doc__)
    extra = set(structured.identity) if name == "columns" else set()
    assert set(frame.columns) - extra <= set(told)
    assert len(frame)


def test_numbers_are_numbers_and_what_is_not_there_says_why(structured):
    frame = view.times_frame(structured)
    kinds = {name: str(frame[name].dtype) for name in ("value", "ratio", "n", "runs")}
    assert kinds == {"value": "float64", "ratio": "float64", "n": "Int64", "runs": "int64"}
    absent = frame[frame["value"].isna()]
    assert len(absent)
    assert (absent["why"].str.len() > 0).all()
    assert set(absent["provenance"]) == {"judged"}


def test_an_empty_frame_has_its_columns(sets):
    assert list(view.curves_frame(sets).columns)
    assert len(view.curves_frame(sets)) == 0


def test_files_are_written_and_read_back(sets, tmp_path):
    written = view.write(sets, tmp_path / "a folder", go="goos: linux\nBenchmarkKernel/x-2 1 1 ns/op\n")
    assert {path.name for path in written} >= {"comparison.json", "times.csv", "index.html", "benchmarks.txt"}
    frame = pd.read_csv(tmp_path / "a folder/times.csv")
    assert len(frame) == len(view.times_frame(sets))
    assert pd.read_parquet(tmp_path / "a folder/times.parquet")["value"].tolist() == frame["value"].tolist()
    assert json.loads((tmp_path / "a folder/comparison.json").read_text())["axis"] == "toolchain"
    assert len(read(tmp_path / "a folder/benchmarks.txt").results) == 1


@pytest.mark.parametrize("language", list(Language))
def test_a_page_opens_without_a_network_and_holds_every_table(sets, language):
    page = view.page(sets, language)
    assert not re.findall(r"<(?:script|link|img)[^>]+https?://", page)
    assert page.count("<table") >= 4
    assert page.count("<div data-figure ") == page.count('<script type="application/json">') == 2
    assert "default-src 'none'; script-src 'sha256-" in page
    assert "unsafe-inline" not in page.split("script-src", 1)[1].split(";")[0]
    assert say("compare.figure.ratio_axis", language) in page or "\\u" in page


def test_ratios_lie_on_a_logarithmic_axis_with_their_intervals(sets):
    figure = ratio_figure(sets)
    assert figure.layout.xaxis.type == "log"
    (trace,) = figure.data
    ratios = [row.ratios[1] for row in sets.rows]
    assert list(trace.x) == [each.ratio for each in ratios]
    assert list(trace.error_x.array) == pytest.approx([each.high - each.ratio for each in ratios])
    assert list(trace.error_x.arrayminus) == pytest.approx([each.ratio - each.low for each in ratios])


def test_series_differ_in_more_than_colour():
    comparison = room.compare(
        room.read([DATA / "translated-a.json", DATA / "translated-b.json"]), axis=Axis.TRANSLATION
    )
    figure = ratio_figure(comparison)
    assert len({str(trace.marker.symbol) for trace in figure.data}) == len(figure.data)
    hollow = [symbol.endswith("-open") for symbol in figure.data[0].marker.symbol]
    assert hollow == [row.ratios[1].low is None for row in comparison.rows]


@pytest.mark.parametrize("probe", ["chase", "tlb"])
def test_curves_lie_over_each_other(structured, probe):
    figure = curves_figure(structured, probe)
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [trace.name for trace in lines] == [structured.columns[0].name]
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"


def test_the_matrix_of_checks_has_a_sign_in_each_cell(structured):
    figure = findings_figure(structured)
    signs = {sign for row in figure.data[0].text for sign in row}
    assert signs <= {"✓", "✗", "-", "?"}
    assert "?" in signs


def test_a_figure_without_data_says_why(sets, structured):
    def said(figure):
        return figure.layout.annotations[0].text.replace("<br>", " ")

    assert "no record has structure probes" in said(curves_figure(sets))
    assert "no other column" in said(ratio_figure(structured))


def test_no_line_of_a_title_is_longer_than_a_phone_shows(sets, structured):
    for figure in (ratio_figure(sets), curves_figure(structured), findings_figure(structured), curves_figure(sets)):
        texts = [figure.layout.title.text, figure.layout.title.subtitle.text or ""]
        assert max(len(line) for text in texts for line in text.split("<br>")) <= 44


def test_the_points_of_curves_stand_in_a_table_too(structured):
    for probe in ("chase", "tlb"):
        table = view.compared_curves(structured, probe).frame
        frame = view.curves_frame(structured)
        points = frame[frame["probe"] == probe]
        assert len(table) == len(points) > 0
        assert list(table.columns)[1:] == [structured.curves[0].column]
        doubtful = [str(cell).endswith("?") for cell in table.iloc[:, 1]]
        assert doubtful == [not stable for stable in points["stable"]]
    assert "no record" in view.compared_curves(room.compare(room.read([DATA / "suite-1-a.json"]))).text
