"""The handbook's diagrams: bound to statements that there are, and drawn as these stand in a run."""

import re
from xml.etree import ElementTree as ET

import msgspec
import pytest

from labkit.claims import own
from labkit.claims.diagrams import diagrams, drawing, standing
from labkit.model.claims import ClaimResult, ClaimsRecord, ClaimVerdict, PartVerdict
from labkit.words import Language
from tests.browser.synthetic import machine, made

ARROWS = [(diagram, edge) for diagram in diagrams() for edge in diagram.edge]
STATING = [(diagram, edge) for diagram, edge in ARROWS if edge.claim]
SVG = "{http://www.w3.org/2000/svg}"


def name(value):
    return getattr(value, "statement", None) or getattr(value, "chapter", "")


def run(**verdicts):
    """Return a run in which statements have these verdicts, those of a part written 3.3.06a."""
    claims = {}
    for id_, verdict in verdicts.items():
        part = made(PartVerdict, part=id_[-1] if id_[-1].isalpha() else "a", verdict=verdict)
        claim = claims.setdefault(id_.rstrip("ab"), [])
        claim.append(part)
    return made(
        ClaimsRecord,
        machine=machine(),
        claims=[
            made(ClaimResult, id=id_, chapter=own().find(id_).chapter, verdict=parts[0].verdict, parts=parts)
            for id_, parts in claims.items()
        ],
    )


def arrow(svg, claim):
    """Return the drawn arrow of a statement: its verdict, its line's dashes and colour, whether it is struck."""
    found = next(each for each in ET.fromstring(svg).iter(f"{SVG}g") if each.get("data-claim") == claim)
    line, *_ = found.iter(f"{SVG}path")
    text = list(found.iter(f"{SVG}text"))
    return {
        "verdict": found.get("data-verdict"),
        "dashes": line.get("stroke-dasharray"),
        "colour": re.search(r"--(\w+)", line.get("style"))[1],
        "crosses": sum(path.get("stroke-width") == "2.6" for path in found.iter(f"{SVG}path")),
        "struck": [each.text for each in text if each.get("text-decoration")],
        "said": [each.text for each in text],
    }


@pytest.mark.parametrize(("diagram", "edge"), ARROWS, ids=name)
def test_an_arrow_goes_from_a_box_to_one_of_the_next_row(diagram, edge):
    assert diagram.find(edge.target).at[1] == diagram.find(edge.source).at[1] + 1


@pytest.mark.parametrize(("diagram", "edge"), STATING, ids=name)
def test_an_arrow_is_bound_to_a_statement_of_its_chapter(diagram, edge):
    statement = own().find(edge.claim)
    assert statement.chapter == diagram.chapter
    assert not edge.part or edge.part in statement.letters


def test_there_are_the_handbooks_ten_in_its_order():
    assert [each.chapter for each in diagrams()] == [
        "2.1",
        "2.2",
        "2.3",
        "3.1",
        "3.2",
        "3.3",
        "4.2",
        "4.3",
        "4.4",
        "5.6",
    ]


@pytest.mark.parametrize("each", diagrams(), ids=name)
def test_texts_are_in_both_languages(each):
    for one in (*each.node, *each.edge):
        assert bool(one.en) == bool(one.zh)
    assert re.search("[\u4e00-\u9fff]", each.title.zh)


@pytest.mark.parametrize(
    ("verdict", "looks"),
    [
        (ClaimVerdict.CONFIRMED, {"dashes": None, "colour": "good", "crosses": 0, "struck": []}),
        (ClaimVerdict.REFUTED, {"dashes": None, "colour": "bad", "crosses": 1, "struck": ["makes"]}),
        (ClaimVerdict.CONDITIONAL, {"dashes": "8 5", "colour": "mid", "crosses": 0, "struck": []}),
        (ClaimVerdict.UNTESTED, {"dashes": "2 4", "colour": "quiet", "crosses": 0, "struck": []}),
    ],
    ids=list(ClaimVerdict),
)
def test_an_arrow_turns_with_its_statements_verdict(verdict, looks):
    diagram = next(each for each in diagrams() if each.chapter == "4.4")
    drawn = arrow(drawing.svg(diagram, run(**{"4.4.09": verdict}), Language.ENGLISH), "4.4.09")
    assert drawn["verdict"] == verdict
    assert {key: drawn[key] for key in looks} == looks
    assert drawn["said"][-1] == f"{drawing.STYLES[verdict].sign} 4.4.09"


def test_an_arrow_turns_with_its_part_not_with_the_others():
    diagram = next(each for each in diagrams() if each.chapter == "3.3")
    record = run(**{"3.3.06a": "confirmed", "3.3.06b": "refuted"})
    verdicts = {edge.statement: standing(edge, record) for edge in diagram.edge if edge.claim}
    assert verdicts == {"3.3.06 (a)": ClaimVerdict.CONFIRMED, "3.3.06 (b)": ClaimVerdict.REFUTED}


def test_what_was_not_judged_is_untested_and_what_states_nothing_is_neither():
    assert {standing(edge, run()) for _, edge in STATING} == {ClaimVerdict.UNTESTED}
    assert {standing(edge, run()) for _, edge in ARROWS if not edge.claim} == {None}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("each", diagrams(), ids=name)
def test_a_diagram_fits_a_phone_and_leads_to_its_statements(each, language):
    judged = run(**{edge.claim: "confirmed" for edge in each.edge if edge.claim})
    svg = drawing.svg(each, judged, language, links=True)
    root = ET.fromstring(svg)
    assert float(root.get("width")) <= 400
    assert f"{root.find(f'{SVG}title').text}" == each.title.say(language)
    links = {link.get("href") for link in root.iter(f"{SVG}a")}
    assert links == {f"#claim-{edge.claim}" for edge in each.edge if edge.claim}
    assert "<a " not in drawing.svg(each, judged, language)
    assert "<a " not in drawing.svg(each, run(), language, links=True), "there is nothing to lead to"


def test_the_sheet_holds_all_and_the_legend():
    said = "".join(ET.fromstring(drawing.sheet(run(), Language.ENGLISH)).itertext())
    assert all(each.title.en in said for each in diagrams())
    assert "refuted: struck" in said


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("github.com/golang/protobuf: deprecated", ["github.com/", "golang/protobuf:", "deprecated"]),
        ("把每一个汉字都当作可以断开的地方", ["把每一个汉字都", "当作可以断开的", "地方"]),
        ("x" * 20, ["x" * 13, "x" * 7]),
        ("", []),
    ],
    ids=["short", "path", "chinese", "endless", "nothing"],
)
def test_a_text_is_broken_to_its_box(text, lines):
    assert drawing.wrap(text, 100) == lines


def test_a_text_of_a_diagram_is_no_markup():
    diagram = diagrams()[0]
    node = msgspec.structs.replace(diagram.node[0], en="<b>bold</b>")
    changed = msgspec.structs.replace(diagram, node=(node, *diagram.node[1:]))
    assert "&lt;b&gt;" in drawing.svg(changed, run(), Language.ENGLISH)
