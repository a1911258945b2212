"""The structure probes and the cost of translation as figures and tables. What is made up says synthetic."""

import msgspec
import pytest

from labkit import present, words
from labkit.bench import structure
from labkit.bench.structure import judging, knees, ratios
from labkit.facts import performance
from labkit.model.base import Provenance, Text
from labkit.model.machine import System, Translation
from labkit.model.paired import ArmFacts, Clock, Judgement, Stop, Translator, Verdict
from labkit.model.paired import Difference as PairedDifference
from labkit.model.structure import Field, LayoutDifference, Structure
from labkit.words import Language
from tests.structure_synthetic import SIZES
from tests.test_structure import APPLE, CALM, HERE, SCATTERED, STEADY, curve, mac

SYNTHETIC = msgspec.structs.replace(APPLE, provenance=Provenance.SYNTHETIC)
PAGES = tuple(
    msgspec.structs.replace(
        curve([knees.point(2**power, [low if 2**power <= edge else high] * 6) for power in range(4, 13)], probe),
        unit="pages",
    )
    for probe, edge, low, high in (("tlb", 128, 1.0, 4.0), ("tlb-dense", 2048, 1.0, 4.0), ("tlb-cost", 128, 1.0, 4.0))
)
WHOLE = Structure(
    curves=(SYNTHETIC, *PAGES),
    said=judging.beside(mac(), APPLE),
    doubts=judging.doubts(mac("Apple M3"), APPLE, None),
    cache_line_bytes=64,
    process_count=6,
)
REFUSED = Structure(refused=structure.refusal(msgspec.structs.replace(HERE, translation=Translation.QEMU)))


@pytest.mark.parametrize("language", list(Language))
def test_the_figures_name_their_units_and_mark_knees_and_sizes(language):
    latency, pages = present.latency_figure(WHOLE, language), present.tlb_figure(WHOLE, language)
    said = [each.text for each in latency.layout.annotations]
    assert sum(words.say("structure.figure.knee", language, at="").strip() in text for text in said) == 2
    assert "L1d 128 KiB" in said
    assert "L2 12 MiB" in said
    assert {shape.line.dash for shape in latency.layout.shapes} == {"dash", "dot"}  # told apart without colour
    assert words.say("structure.figure.synthetic", language) in latency.layout.title.subtitle.text
    assert {trace.marker.symbol[0] for trace in pages.data if trace.mode == "lines+markers"} == {"circle", "square"}
    assert [shape.line.dash for shape in pages.layout.shapes] == ["dash"]
    assert latency.layout.xaxis.type == latency.layout.yaxis.type == "log"


@pytest.mark.parametrize(
    ("record", "expected"), [(REFUSED, "qemu"), (Structure(), "no curve")], ids=["refused", "empty"]
)
@pytest.mark.parametrize("figure", [present.latency_figure, present.tlb_figure])
def test_what_was_not_measured_says_why_in_its_figures_place(figure, record, expected):
    shown = figure(record)
    assert not shown.data
    assert expected in shown.layout.annotations[0].text.replace("<br>", " ")


def test_the_tables_stand_beside_the_figures():
    assert len(present.curve_points(WHOLE, "chase").frame) == len(SIZES)
    assert present.beside(WHOLE).frame["Within a factor of 2"].tolist() == ["yes", "yes"]
    assert len(present.knees(WHOLE).frame) == 3
    assert present.doubts(WHOLE).frame.iloc[0, 2] == "no"
    for table in (present.curve_points(REFUSED, "chase"), present.beside(REFUSED), present.layouts(REFUSED)):
        assert "qemu" in table.frame.iloc[0, 0]


def difference(base, other, *, noisy=False):
    return LayoutDifference(
        kernel="payload-encode",
        base=48,
        other=64,
        clock=Clock.CPU,
        ratio=ratios.ratio(base, other),
        cpu_share=1.0,
        too_noisy=noisy,
        warnings=(),
    )


@pytest.mark.parametrize(
    ("one", "said"),
    [
        pytest.param(difference(STEADY, [1.2 * t for t in STEADY]), "20.0 % more time, 95 % interval", id="slower"),
        pytest.param(difference(STEADY, [0.8 * t for t in STEADY]), "20.0 % less time", id="faster"),
        pytest.param(difference(STEADY, STEADY), "no difference shown; could have seen", id="the same"),
        pytest.param(difference(STEADY, SCATTERED, noisy=True), "too noisy to say", id="noisy"),
        pytest.param(difference(STEADY[:3], STEADY[:3]), "too few processes", id="few"),
    ],
)
def test_a_layouts_answer_in_words(one, said):
    assert said in present.layouts(Structure(differences=(one,))).frame["Answer"][0]


@pytest.mark.parametrize(("offset", "expected"), [(24, "no"), (60, "yes")])
def test_a_field_crosses_a_line_by_its_offset(offset, expected):
    field = Field(name="Tag", offset_bytes=offset, size_bytes=16, claimed_offset_bytes=None)
    frame = present.fields(Structure(fields=(field,), cache_line_bytes=64)).frame
    assert frame["Crosses a line"].tolist() == [expected]


def compared(ratio=9.0, *, translator=Translator.QEMU, pairs=8):
    arm = ArmFacts(
        label="native",
        kernel="tanh-go",
        suite_version=3,
        units=100,
        environment={},
        iterations=10,
        platform="linux/amd64",
        go_version="go1.27.3",
        gomaxprocs=2,
        worker_sha256="",
        translator=None,
        translator_program=None,
        witnesses={},
    )
    verdict = Verdict(
        clock=Clock.CPU,
        judgement=Judgement.SLOWER if ratio else Judgement.TOO_NOISY,
        reason=Text(id="paired.reason.few", values={"pairs": 3, "least": 8})
        if ratio is None
        else Text(id="paired.reason.slower", values={"percent": 800}),
        ratio=ratio,
        low=ratio and 0.9 * ratio,
        high=ratio and 1.1 * ratio,
        confidence=ratio and 0.95,
        pairs=pairs,
        looks=(),
        holm_p_value=None,
        compared_with=1,
        could_have_seen=None,
    )
    return PairedDifference(
        kernel="tanh-go",
        baseline=arm,
        changed=msgspec.structs.replace(arm, label="translated", translator=translator),
        verdict=verdict,
        other=verdict,
        stopped=Stop.CLEAR,
        cpu_share=1.0,
        core_share=None,
        involuntary_switches_per_s=0.0,
        drift=0.0,
        warnings=(Text(id="paired.warning.qemu"),) if translator is Translator.QEMU else (),
        before=CALM,
        after=CALM,
        pairs=(),
        pairs_planned=32,
        slice_time_us=500,
        seed=1,
        time_limit_s=10,
        duration_s=1,
        taken_at="",
        provenance=Provenance.SYNTHETIC,
    )


@pytest.mark.parametrize(
    ("translator", "said"),
    [(Translator.QEMU, "qemu is not Rosetta 2"), (Translator.ROSETTA, "By Rosetta 2")],
    ids=["qemu", "rosetta"],
)
def test_translation_is_a_dot_and_an_interval_on_an_axis_of_ratios(translator, said):
    figure = present.translated_figure([compared(translator=translator)], None)
    assert said in figure.layout.title.subtitle.text
    assert "Synthetic" in figure.layout.title.subtitle.text
    assert figure.layout.xaxis.type == "log"
    assert list(figure.data[0].x) == [9.0]
    assert figure.data[0].error_x.array[0] == pytest.approx(0.9)
    assert "9.00 times, 95.0 % interval 8.10 \u2013 9.90" in figure.layout.annotations[0].text
    assert present.translated([compared()], None).frame["Times as long"].tolist() == ["9.00"]


def test_a_ratio_that_could_not_be_had_says_why_in_its_row():
    figure = present.translated_figure([compared(None), compared()], None)
    assert "not said: Only 3 pairs" in figure.layout.annotations[0].text
    assert len(figure.data[0].x) == 1


def test_nothing_to_translate_with_is_said_with_its_reason(facts, monkeypatch, tmp_path):
    if facts.machine.system is System.MACOS:
        pytest.skip("impossible here: on a Mac the system translates by itself")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = performance.compare_translated(facts, every=False, seed=1)
    assert done.differences == ()
    figure = present.translated_figure(done.differences, done.missing)
    assert "is not on PATH" in figure.layout.annotations[0].text.replace("<br>", " ")
    assert "apt-get" in present.translated(done.differences, done.missing).frame.iloc[0, 0]
