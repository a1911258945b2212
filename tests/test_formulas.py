"""Formulas of notebooks: drawn without a script, harmless whoever wrote them."""

import pytest
from bs4 import BeautifulSoup

from labkit.site import formulas, notebook
from labkit.site.sanitise import clean


@pytest.mark.parametrize(
    ("latex", "elements", "text"),
    [
        (r"\frac{a}{b}", {"mfrac", "mi"}, "ab"),
        (r"\sum_{i=1}^{n} x_i", {"msubsup", "msub"}, "∑i=1nxi"),
        (r"\sqrt{2} \le \pi", {"msqrt", "mn", "mo"}, "2≤π"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", {"mtable", "mtr", "mtd"}, "(1234)"),
        (r"\text{a < b & c}", {"mtext"}, "a\xa0<\xa0b\xa0&\xa0c"),
    ],
    ids=["fraction", "sum", "root", "matrix", "text"],
)
def test_a_formula_is_drawn(latex, elements, text):
    drawn = BeautifulSoup(formulas.mathml(latex), "html.parser").math
    assert elements <= {tag.name for tag in drawn.find_all(True)}
    assert drawn.get_text() == text
    assert drawn["alttext"] == latex


@pytest.mark.parametrize(
    "latex",
    [
        "", r"\frac{", r"\left( x", "x_y_z", r"\color", r"\left", "{" * 500, r"\sqrt" * 400, "x" * 2_001,
        r"\def\a{xx}\def\b{\a\a}\b", r"\newcommand{\a}{x}\a",
        r"\begin{matrix}" + r"&" * 5_100 + r"\end{matrix}",
    ],
)  # fmt: skip
def test_what_is_no_formula_stays_text(latex):
    assert formulas.mathml(latex) == f'<code class="lk-formula">{latex.replace("&", "&amp;")}</code>'


@pytest.mark.parametrize(
    "latex",
    [
        r"\href{javascript:alert(1)}{x}", r"\style{position:fixed}{x}", r"\color{url(x)}{x}", r"\class{lk-head}{x}",
        r"\text{<img src=x onerror=alert(1)>}", r"\hspace{-99em}x", r"\hspace{1000000em}x", r"\cssId{document}{x}",
        r'\text{"><script>alert(1)</script>}',
    ],
)  # fmt: skip
def test_nothing_but_the_drawing_passes(latex):
    drawn = BeautifulSoup(formulas.mathml(latex), "html.parser")
    for tag in drawn.find_all(True):
        assert tag.name in {"math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mstyle", "code"}
        assert not {"href", "style", "class", "id", "mathcolor", "src"} & set(tag.attrs) or tag.name == "code"
        assert "99" not in tag.get("width", "")
        assert "1000" not in tag.get("width", "")


def test_it_stands_where_it_stood_in_the_text():
    html = notebook.markdown(
        "The ratio $\\frac{a}{b}$ of\n\n$$\\sum_i x_i$$\n\n## Of $x^2$\n\n`$no$` and 3 \\$ and 4 \\$", {}, set()
    )
    soup = BeautifulSoup(html, "html.parser")
    assert soup.p.get_text() == "The ratio ab of"
    assert soup.select_one(".lk-scroll math[display=block] munder, .lk-scroll math[display=block] msub")
    assert soup.h2["id"] == "s-of-x2"
    assert "$no$" in soup.code.get_text()
    assert "3 $ and 4 $" in soup.get_text()


def test_in_an_attribute_stands_its_source():
    """No element may come into one: its quotes would end it."""
    soup = BeautifulSoup(
        notebook.markdown('![of $\\text{" onerror="x}$](data:image/png;base64,AAAA)', {}), "html.parser"
    )
    assert soup.img.attrs.keys() <= {"alt", "src"}
    assert soup.find("math") is None


def test_an_output_of_latex_is_drawn():
    for source, display in (("$x^2$", False), ("$$x^2$$", True), (r"\[x^2\]", True), (r"\(x^2\)", False)):
        drawn = BeautifulSoup(formulas.of_output(source), "html.parser").math
        assert drawn.get_text() == "x2"
        assert (drawn.get("display") == "block") is display


def test_somebodys_own_mathml_does_not_pass():
    assert clean("<p>a<math><mi>x</mi></math></p>") == "<p>a</p>"
