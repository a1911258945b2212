"""Published numbers beside measured ones: compared where benchmark, package and unit agree, else named by the field."""

import tomllib
from pathlib import Path

import pytest

from labkit import compare as room
from labkit.bench.benchfmt import write
from labkit.bench.published import encode, import_bytes, import_file
from labkit.compare import shown
from labkit.model.base import Provenance
from labkit.model.comparison import Axis
from labkit.model.paired import Clock
from labkit.present import comparison as view
from labkit.present.comparison_figures import findings_figure, ratio_figure
from labkit.system import records
from labkit.words import Language

PUBLISHED = Path("tests/data/published").absolute()
RECORD = Path("tests/data/records/current.json").absolute()
TEXTS = {each["file"]: each for each in tomllib.loads((PUBLISHED / "sources.toml").read_text("utf-8"))["text"]}
URL = "https://example.org/page"


@pytest.fixture
def bring(tmp_path):
    """Return a function that imports published texts by their file names."""

    def make(*names: str) -> list[Path]:
        found = []
        for name in names:
            text = TEXTS[name]
            record = import_file(
                PUBLISHED / name,
                source=text["source"],
                chip=text.get("says_chip"),
                package=text.get("says_package"),
            )
            path = tmp_path / f"{name}.json"
            path.write_bytes(encode(record))
            found.append(path)
        return found

    return make


@pytest.fixture
def texts(tmp_path):
    """Return a function that imports texts of the test's own."""

    def make(*bodies: str) -> list[Path]:
        found = []
        for at, body in enumerate(bodies):
            path = tmp_path / f"text-{at}.json"
            path.write_bytes(encode(import_bytes(body.encode(), name=f"text-{at}.md", source=URL)))
            found.append(path)
        return found

    return make


def compared(*paths, **options):
    return room.compare(room.read(paths), **options)


def row_of(comparison, name):
    return next(row for row in comparison.rows if row.name == name)


def test_one_module_on_two_generations_is_compared_and_its_times_are_those_published(bring):
    comparison = compared(
        *bring("xxh3-m1-ultra.md", "xxh3-m4-max.md"), baseline="Apple M1 Ultra (xxh3-m1-ultra.md column old)"
    )
    at = {each.name: place for place, each in enumerate(comparison.columns)}
    base, other = at[comparison.baseline], at["Apple M4 Max (xxh3-m4-max.md column v0.log~)"]
    shared = [row for row in comparison.rows if row.ratios[other].ratio is not None]
    assert len(shared) == 12
    row = row_of(comparison, "Fixed128/0/default")
    assert [row.values[base].value, row.values[other].value] == pytest.approx([2.89e-9, 1.996e-9])
    ratio = row.ratios[other]
    assert ratio.ratio == pytest.approx(1.996 / 2.89)
    assert (ratio.low, ratio.why.id) == (None, "compare.why.summary")
    assert ratio.change is None  # no regression question between publications
    assert {each.values[other].package for each in shared} == {"github.com/zeebo/xxh3"}
    assert [comparison.columns[base].n, comparison.columns[other].n] == [None, 6]
    assert [comparison.columns[base].provenance, comparison.columns[base].source] == [
        Provenance.IMPORTED,
        TEXTS["xxh3-m1-ultra.md"]["source"],
    ]


def test_a_column_that_is_published_does_not_take_the_place_of_what_is_judged(bring):
    comparison = compared(RECORD, *bring("go-http-router.md"))
    assert [each.chip for each in comparison.columns if each.provenance is Provenance.JUDGED] == [
        "Apple M1",
        "Apple M2",
        "Apple M3",
    ]


def test_all_publications_beside_a_real_record_along_each_axis(bring):
    paths = [RECORD, *bring(*TEXTS)]
    for axis in Axis:
        comparison = compared(*paths, axis=axis)
        imported = [at for at, each in enumerate(comparison.columns) if each.provenance is Provenance.IMPORTED]
        assert len(imported) == 18
        for row in comparison.rows:
            for at in imported:
                if row.values[at].value is None:
                    assert row.values[at].why.id == "compare.why.not_published"
                    continue
                # None of them publishes a kernel of ours: each stands beside, and says why.
                assert row.ratios[at].ratio is None
                assert row.ratios[at].why.values == {"field": "benchmark"}


M1 = "goos: darwin\ngoarch: arm64\npkg: a/b\ncpu: Apple M1\n"
M2 = M1.replace("M1", "M2")
LINE = "BenchmarkX-8 1000 {} ns/op\nBenchmarkY-8 1 2 ns/op\n"


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        (M1 + LINE.format(10), M2 + LINE.format(5), None),
        (M1 + LINE.format(10), M2.replace("a/b", "a/c") + LINE.format(5), "package"),
        (M1 + LINE.format(10), M2.replace("pkg: a/b\n", "") + LINE.format(5), "package"),
        (M1.replace("pkg: a/b\n", "") + LINE.format(10), M2.replace("pkg: a/b\n", "") + LINE.format(5), "package"),
        (M1 + LINE.format(10), M2 + LINE.replace("X-8 1000 {} ns/op", "X-8 1000 3 widgets/op"), "unit"),
        (M1 + LINE.format(10), M2 + "BenchmarkZ-8 1 5 ns/op\n", "benchmark"),
        (M1 + LINE.format(10), M2.replace("arm64", "amd64") + LINE.format(5), "translated"),
    ],
    ids=["all agree", "package", "one unsaid", "both unsaid", "unit", "benchmark", "translated"],
)
def test_a_field_in_which_two_texts_do_not_agree_is_named(texts, first, second, field):
    comparison = compared(*texts(first, second), baseline="Apple M1")
    (other,) = [at for at, each in enumerate(comparison.columns) if each.name.startswith("Apple M2")]
    ratio = row_of(comparison, "X").ratios[other]
    if field is None:
        assert ratio.ratio == pytest.approx(0.5)
    else:
        assert (ratio.ratio, ratio.why.id, ratio.why.values["field"]) == (None, "compare.why.not_comparable", field)
    named = [each for each in comparison.refused if each.kernel == "X"]
    assert [each.field for each in named] == ([field] if field in {"package", "translated"} else [])
    assert all((each.wanted, each.found) != (None, None) or not first.count("pkg") for each in named)
    line = [cells for cells in shown.time_rows(comparison) if cells[1].startswith("Apple M2") and "X" in cells[0]]
    assert field is None or field in {"unit", "benchmark"} or f"not comparable: {field}" in line[0]


def test_columns_of_one_text_are_of_one_package_though_it_names_none(texts):
    table = "name   old time/op  new time/op\nFoo-8  10.0ns ± 1%  5.0ns ± 2%\n"
    comparison = compared(*texts(table))
    assert row_of(comparison, "Foo").ratios[1].ratio == pytest.approx(0.5)


def test_nothing_has_no_ratio_to_it(texts):
    line = "BenchmarkX-8 10 5 ns/op {} B/op\n"
    comparison = compared(*texts(M1 + line.format(0), M2 + line.format(16)), baseline="Apple M1")
    ratio = row_of(comparison, "X [B/op]").ratios[1]
    assert (ratio.ratio, ratio.why.id) == (None, "compare.why.zero")
    comparison = compared(*texts(M1 + line.format(0), M2 + line.format(16)), baseline="Apple M2")
    assert row_of(comparison, "X [B/op]").ratios[0].ratio == 0
    drawn = ratio_figure(comparison)
    assert [list(trace.x) for trace in drawn.data] == [[1.0]]  # times alone, and no zero on a logarithmic axis


def test_our_own_kernels_published_in_gos_format_are_compared_with_measured_ones(tmp_path):
    record = records.read(RECORD)
    text = write(record.performance.samples, record.machine)
    text = text.replace("cpu: AMD EPYC", "cpu: Apple M2").replace("goarch: amd64", "goarch: arm64")
    path = tmp_path / "m2.json"
    path.write_bytes(encode(import_bytes(text.encode(), name="m2.txt", source=URL)))
    comparison = compared(RECORD, path)
    row = row_of(comparison, "fft-4096")
    assert row.ratios[1].ratio == pytest.approx(1)
    assert row.ratios[1].low is not None  # every line is a value
    assert row.ratios[1].change is None
    assert row.values[1].provenance is Provenance.IMPORTED
    compared_rows = [each for each in comparison.rows if each.ratios[1].ratio is not None]
    assert {each.name for each in compared_rows} == {each.kernel for each in record.performance.samples}
    assert {each.clock for each in compared_rows} == {Clock.CPU}


@pytest.mark.parametrize("language", list(Language))
def test_tables_show_what_is_there_and_leave_out_what_cannot_be(bring, language):
    comparison = compared(RECORD, *bring("xxh3-m1-ultra.md", "xxh3-m4-max.md", "circl.md"))
    lines = shown.time_rows(comparison, language)
    numbers = sum(value.value is not None for row in comparison.rows for value in row.values)
    assert len(lines) == numbers + 1
    assert len(shown.examined(comparison)) == 4  # this machine, M1, M2, M3
    assert {len(each) for each in shown.finding_rows(comparison, language)} == {5}
    assert {len(each) for each in shown.binary_rows(comparison, language)} == {6}
    assert len(findings_figure(comparison, language).data[0].x) == 4
    assert "nan" not in str(view.columns_frame(comparison)["n"].tolist())


def test_more_columns_than_can_be_drawn_are_said(texts):
    bodies = [M1.replace("M1", f"M{1 + at}") + LINE.format(10 + at) for at in range(16)]
    figure = ratio_figure(compared(*texts(*bodies)))
    assert len(figure.data) == 12
    assert "3 more columns" in figure.layout.title.subtitle.text
