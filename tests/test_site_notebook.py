"""A notebook's cells and outputs as parts of a page, whatever state the file is in."""

import json

import pandas as pd
import pytest
from markupsafe import Markup

from labkit.present.table import Table
from labkit.site import figures, notebook, pages

FIGURE = {"data": [{"type": "bar", "x": [1], "y": ["a"]}], "layout": {"title": {"text": "How fast?<br><sup>ns</sup>"}}}


def code(*outputs, source="1 + 1", count=1, **more):
    cell = {"cell_type": "code", "source": source, "outputs": list(outputs), "execution_count": count, "metadata": {}}
    return cell | more


def display(**data):
    return {"output_type": "display_data", "metadata": {}, "data": {key.replace("__", "/"): data[key] for key in data}}


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


@pytest.fixture
def read(tmp_path):
    def read(*cells, **book):
        path = tmp_path / "a.ipynb"
        path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells} | book))
        return notebook.read(path)

    return read


@pytest.fixture
def only_output(read):
    def only_output(*outputs):
        (cell,) = read(code(*outputs)).cells
        (output,) = cell.outputs
        return output

    return only_output


@pytest.mark.parametrize(
    ("data", "field", "expected"),
    [
        ({"text/html": "<b>x</b><script>y</script>", "text/plain": "x"}, "html", "<b>x</b>"),
        ({"text/html": ["<b>x", "</b>"]}, "html", "<b>x</b>"),
        ({"text/markdown": "**x** <script>y</script>"}, "html", "<p><strong>x</strong> </p>\n"),
        ({"text/plain": "<b>x</b>"}, "text", "&lt;b&gt;x&lt;/b&gt;"),
        (
            {"text/latex": "$<x$", "text/plain": "<x"},
            "html",
            '<math alttext="&lt;x"><mrow><mo>&lt;</mo><mi>x</mi></mrow></math>',
        ),
        ({"application/json": {"a": "<b>"}}, "text", "{\n &#34;a&#34;: &#34;&lt;b&gt;&#34;\n}"),
        ({"image/png": "iVBO\nRw0="}, "image", "data:image/png;base64,iVBORw0="),
        ({"image/svg+xml": "<svg/>"}, "image", "data:image/svg+xml;base64,PHN2Zy8+"),
        ({"image/png": '"><script>', "text/plain": "x"}, "text", "x"),
        ({"application/javascript": "alert(1)"}, "not_shown", "application/javascript"),
        ({"application/javascript": "alert(1)", "text/plain": "<Javascript>"}, "text", "&lt;Javascript&gt;"),
        ({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "50 %"}, "text", "50 %"),
        ({"application/vnd.plotly.v1+json": {"data": 7}}, "left_out", "broken"),
        ({"application/vnd.plotly.v1+json": {"data": [{"type": "scattermap"}]}}, "left_out", "map"),
        ({"application/vnd.plotly.v1+json": {"data": [{"type": "choropleth"}]}}, "left_out", "map"),
        ({"application/vnd.plotly.v1+json": {"data": [{"type": "unheard-of"}]}}, "left_out", "broken"),
        ({}, "not_shown", "?"),
    ],
    ids=lambda value: ",".join(value) or "nothing" if isinstance(value, dict) else None,
)
def test_each_kind_of_output_has_its_safe_form(only_output, data, field, expected):
    output = only_output({"output_type": "display_data", "metadata": {}, "data": data})
    assert getattr(output, field) == expected


def test_a_table_of_labkits_keeps_its_classes(only_output):
    html = Table(pd.DataFrame({"a": ["$HOME/b:$TMPDIR"]}))._repr_html_()
    output = only_output({"output_type": "display_data", "metadata": {}, "data": {"text/html": html}})
    assert 'class="dataframe labkit tex2jax_ignore mathjax_ignore"' in output.html


def test_a_figure_is_kept_beside_its_other_forms(only_output):
    data = {figures.MIME: FIGURE, "text/html": "<div>x</div>"}
    output = only_output({"output_type": "execute_result", "metadata": {}, "execution_count": 1, "data": data})
    assert output.figure.caption == ("How fast?", "ns")
    assert output.html is None


def test_scraps_are_not_for_eyes(read):
    (cell,) = read(code(display(**{"application/scrapbook.scrap.json+json": {"data": 1}}))).cells
    assert cell.outputs == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", '<span class="ansi-red-fg">red</span>'),
        ("\x1b[1;38;5;196mx\x1b[0m", '<span class="ansi-bold" style="color: rgb(255,0,0)">x</span>'),
        ("10 %\r20 %\r30 %\ndone\r\n", "30 %\ndone\n"),
        ("\x1b]8;;https://example.org\x07name\x1b]8;;\x07", "name"),
        ("a\x00b\x08c", "abc"),
        ("<script>", "&lt;script&gt;"),
        ("\x1b[38;5mx", "x"),
        ("\x1b[99999999mx\x1b[", "x["),
    ],
    ids=["colour", "256 colours", "overwritten", "hyperlink", "control", "markup", "half a colour", "no colour"],
)
def test_terminal_output(text, expected):
    assert notebook.terminal(text) == expected


def test_pieces_of_one_stream_are_one_and_the_streams_stay_apart(read):
    (cell,) = read(code(stream("a"), stream(["b", "\r"]), stream("c\n"), stream("no", "stderr"), stream("d"))).cells
    assert [(output.text, output.stderr) for output in cell.outputs] == [("c\n", None), (None, "no"), ("d", None)]


def test_an_error_is_said_in_one_line_with_its_traceback_apart(read):
    error = {
        "output_type": "error",
        "ename": "E",
        "evalue": "\x1b[1m<b>why\x1b[0m",
        "traceback": ["\x1b[31mat <x>\x1b[0m"],
    }
    book = read(code(error), code(count=None))
    failed, not_run = book.cells
    assert book.failed
    assert failed.failed
    assert failed.outputs[0].error == "E: <b>why"
    assert failed.outputs[0].traceback == '<span class="ansi-red-fg">at &lt;x&gt;</span>'
    assert not not_run.ran


def test_papermills_own_cells_are_left_out(read):
    banner = {"cell_type": "markdown", "source": "failed", "metadata": {"tags": ["papermill-error-cell-tag"]}}
    assert read(banner).cells == ()


def test_markdown_is_rendered_and_prices_are_no_formulas(read):
    (cell,) = read(
        {"cell_type": "markdown", "source": "# One\n\nIt costs $5 or $6 <script>x</script>.", "metadata": {}}
    ).cells
    assert '<h1 id="s-one">One</h1>' in cell.prose
    assert "It costs $5 or $6 ." in cell.prose


@pytest.mark.parametrize("attachments", [{}, {"a.png": {"image/png": "iVBORw0KGgo="}}], ids=["missing", "there"])
def test_an_attachment_is_embedded_or_its_text_shown(read, attachments):
    cell = {"cell_type": "markdown", "source": "![a dot](attachment:a.png)", "metadata": {}, "attachments": attachments}
    (shown,) = read(cell).cells
    assert ('src="data:image/png;base64,iVBORw0KGgo="' in shown.prose) == bool(attachments)
    assert "a dot" in shown.prose


def test_code_is_highlighted_and_escaped(read):
    (cell,) = read(code(source='print("<b>")')).cells
    assert "&lt;b&gt;" in cell.code
    assert 'class="nb"' in cell.code


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Expecting value"),
        (b'{"nbformat": 4, "cells": [{"cell_ty', "Unterminated string"),
        (b"\xff\xfe\x00", "decode"),
        (b"[]", "Expected `object`"),
        (b'{"nbformat": 4}', "cells"),
        (b'{"nbformat": 3, "worksheets": [], "cells": []}', "nbformat 3"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": 7}]}', "Expected `array`"),
        (b'{"nbformat": 4, "cells": ' + b"[" * 100_000, "recursion"),
    ],
    ids=["empty", "cut off", "no text", "no object", "no cells", "an old format", "wrong type", "nested without end"],
)
def test_a_damaged_file_is_a_note(tmp_path, content, why):
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    book = notebook.read(path)
    assert book.cells == ()
    assert why in book.unreadable


def test_a_missing_file_is_a_note(tmp_path):
    assert notebook.read(tmp_path / "none.ipynb").unreadable == "No such file or directory"


def test_nan_in_an_output_does_not_lose_the_notebook(read):
    assert read(code(display(**{"application/json": {"a": float("nan")}}))).cells[0].outputs[0].text


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u2028", "&lt;"])
def test_a_figures_data_cannot_leave_its_script_element(text):
    figure = figures.read({"data": [{"type": "bar", "name": text}], "layout": {}})
    assert not set(figure.json) & set("<>&\u2028")
    assert json.loads(figure.json)["data"][0]["name"] == text


@pytest.mark.parametrize(
    ("layout", "caption", "height_px"),
    [
        ({"title": "One"}, ("One",), 420),
        (
            {"title": {"text": "One<br>two &amp; <b>three</b>", "subtitle": {"text": "<i>sub</i>"}}},
            ("One two & three", "sub"),
            420,
        ),
        ({"title": "a long<br>title<br><sup>smaller<br>still</sup>"}, ("a long title", "smaller still"), 420),
        ({"height": 700, "width": 2000}, (), 700),
        ({"height": 1e9}, (), 2400),
        ({"height": "1px;position:fixed"}, (), 420),
        ({"title": 7}, (), 420),
        (None, (), 420),
    ],
    ids=["text", "lines", "smaller letters", "size", "a huge one", "no number", "no text", "none"],
)
def test_a_figures_title_becomes_its_caption_and_its_size_the_pages(layout, caption, height_px):
    figure = figures.read({"data": [], "layout": layout})
    assert figure.caption == caption
    assert figure.height_px == height_px
    assert not {"title", "width", "height"} & set(json.loads(figure.json)["layout"])


def test_webgl_traces_become_svg():
    figure = figures.read({"data": [{"type": "scattergl"}, {"type": "bar"}, {}], "layout": {}})
    assert [trace["type"] for trace in json.loads(figure.json)["data"]] == ["scatter", "bar", "scatter"]


@pytest.mark.parametrize("value", [None, [], {"data": {}}, {"data": [1]}, {"layout": {}}], ids=str)
def test_what_is_no_figure_is_none(value):
    assert figures.read(value) is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("<a href='javascript:x'>a</a>", "<a>a</a>"),
        ("<a href='https://example.org/x' target=_self popup='width=9'>a</a>", '<a href="https://example.org/x">a</a>'),
        ("<a href='&#106;avascript:x'>a</a>", "<a>a</a>"),
        ("<span style='color: red; fill: url(x)'>a</span>", '<span style="color: red">a</span>'),
        ("<img src=x onerror=y>", "<img>"),
        ("<b>a</b><br>b<sup>2</sup>", "<b>a</b><br>b<sup>2</sup>"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
    ],
    ids=["script", "link", "entities", "style", "other tag", "plotly's own", "no tag"],
)
def test_a_figures_texts_keep_plain_markup_and_links_to_the_web(text, kept):
    read = figures.read({"data": [{"type": "bar", "text": [text]}], "layout": {"annotations": [{"text": text}]}})
    drawn = json.loads(read.json)
    assert drawn["data"][0]["text"] == [kept]
    assert drawn["layout"]["annotations"][0]["text"] == kept


@pytest.mark.parametrize(
    "kind", ["choropleth", "scattergeo", "scattermap", "scattermapbox", "densitymap", "unheard-of"]
)
def test_a_figure_that_would_ask_a_server_is_none(kind):
    assert figures.read({"data": [{"type": kind}], "layout": {}}) is None


@pytest.mark.parametrize("dropped", ["updatemenus", "sliders", "modebar", "geo", "map2", "mapbox", "__proto__"])
def test_a_figure_loses_what_loads_sends_or_sets(dropped):
    layout = {dropped: {"style": "x"}, "template": {"layout": {"modebar": {}}}, "hovermode": "x"}
    drawn = json.loads(figures.read({"data": [{"type": "bar", "x": [1]}], "layout": layout}).json)
    assert drawn == {"data": [{"type": "bar", "x": [1]}], "layout": {"template": {"layout": {}}, "hovermode": "x"}}


@pytest.mark.parametrize(
    ("source", "stays"),
    [("data:image/png;base64,iVBORw0=", True), ("https://example.org/x", False), ("data:image/svg+xml,<svg/>", False)],
    ids=["bitmap", "elsewhere", "svg"],
)
def test_a_figures_pictures_are_bitmaps_of_its_own(source, stays):
    drawn = json.loads(figures.read({"data": [{"type": "bar"}], "layout": {"images": [{"source": source}]}}).json)
    assert ("source" in drawn["layout"]["images"][0]) == stays


def test_a_flow_keeps_its_sources():
    flow = {"type": "sankey", "link": {"source": [0, 1], "target": [2, 2]}}
    assert json.loads(figures.read({"data": [flow], "layout": {}}).json)["data"] == [flow]


def test_characters_that_turn_a_text_over_are_shown_by_their_numbers():
    assert pages.seen("a\u202eb\x1bc\n") == "a\\u202eb\\u001bc\n"
    assert isinstance(pages.seen(Markup("<b>\u2066</b>")), Markup)
    assert pages.seen("多快") == "多快"


@pytest.mark.parametrize(
    "text",
    [
        "x" * 2_000_000,
        "x\r" * 500_000,
        "\x1b]" * 500_000,
        "\x1b]0;x" * 200_000 + "\x07",
        "\x1b[31m" * 20_000,
        "x\n" * 300_000,
    ],
    ids=["one line", "overwritten", "commands without end", "a command with an end", "colours", "lines"],
)  # fmt: skip
def test_a_flood_of_text_is_shown_in_time_that_grows_as_it_does(text):
    """Under a pattern that looks again from every letter this test would take hours."""
    assert "\x1b" not in notebook.terminal(text)
