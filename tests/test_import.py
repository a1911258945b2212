"""Published benchmark output: what is read, what is listed as unreadable, and what is never guessed."""

import json
import random
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import msgspec
import pytest

from labkit.bench.published import MOST_BYTES, decode, encode, import_bytes, import_file, is_imported, load, parse
from labkit.bench.published.machines import apple_chip
from labkit.cli.app import main
from labkit.errors import RecordError, UsageError
from labkit.model.imported import Form
from labkit.words import Language, catalogue, render

DATA = Path(__file__).parent / "data" / "published"
TEXTS = tomllib.loads((DATA / "sources.toml").read_text("utf-8"))["text"]
URL = "https://example.org/page"
LINE = "BenchmarkX-8 1000 35.1 ns/op"
M1 = "goos: darwin\ngoarch: arm64\npkg: a/b\ncpu: Apple M1\n"


def read(text: str, **given: str):
    return parse(text.encode(), **given)


def seconds(text: str) -> dict[str, float]:
    return {sample.name: sample.value for sample in read(text).samples if sample.unit == "sec/op"}


def reasons(text: str) -> list[tuple[int, str]]:
    return [(line.line, line.why.id.removeprefix("import.why.")) for line in read(text).unreadable]


# ---- published texts


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text["file"])
def test_a_published_text_reads_as_counted_by_hand(text):
    record = import_file(
        DATA / text["file"],
        source=text["source"],
        chip=text.get("says_chip"),
        package=text.get("says_package"),
    )
    assert len(record.samples) == text["samples"]
    assert len(record.unreadable) == text["unreadable"]
    assert max(sample.block for sample in record.samples) == text["blocks"]
    assert {sample.processors for sample in record.samples} == {text.get("processors")}
    (machine,) = record.machines
    assert machine == record.machine
    assert machine.chip == text.get("chip", text.get("says_chip"))
    assert machine.chip_stated_by == ("text" if "chip" in text else "importer" if "says_chip" in text else None)
    assert machine.translated is text.get("translated")
    assert record.source == text["source"]


def test_every_file_has_its_source_and_every_source_its_file():
    assert {path.name for path in DATA.iterdir()} - {"sources.toml"} == {text["file"] for text in TEXTS}
    assert all(text["source"].startswith("https://") and text["left_out"] for text in TEXTS)


def test_the_texts_come_from_at_least_ten_publications_on_m1_m2_and_m3():
    chips = [text.get("chip") or text.get("says_chip") for text in TEXTS]
    generations = [match[1] for chip in chips if (match := re.match(r"Apple (M[123])\b", chip or ""))]
    assert len(generations) >= 10
    assert set(generations) == {"M1", "M2", "M3"}


def test_one_module_is_seen_on_two_generations_at_one_version():
    base = [
        {
            (sample.package, sample.name, sample.unit)
            for sample in read((DATA / text["file"]).read_text("utf-8"), package="github.com/zeebo/xxh3").samples
            if sample.column == text["base_column"]
        }
        for text in TEXTS
        if text.get("pair") == "xxh3"
    ]
    assert len(base) == 2
    assert len(base[0] & base[1]) == 12


# ---- lines


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        LINE.replace(" ", "\t"),
        LINE + "\r",
        "    " + LINE,
        "// " + LINE,
        "//\t" + LINE,
        " * " + LINE,
        "/* " + LINE + " */",
        "- " + LINE,
        "• " + LINE,
        "> > " + LINE,
        "# " + LINE,
        "`" + LINE + "`",
        "\x1b[32m" + LINE + "\x1b[0m",
        "\u00a0" + LINE.replace(" ", "\u00a0"),
        "| BenchmarkX-8 | 1000 | 35.1 ns/op |",
        "BenchmarkX-8 35.1 ns/op",
        "BenchmarkX-8 35.1ns/op",
        "BenchmarkX-8 1,000 35.1 ns/op",
        "BenchmarkX-8\n  1000 35.1 ns/op",
        "BenchmarkX-8\nBenchmarkX-8 1000 35.1 ns/op",
        "BenchmarkX-8\n\n1000 35.1 ns/op",
        LINE + "  // baseline",
        LINE + " (1.2x faster)",
        LINE + " | |",
        LINE + ".",
        "BenchmarkX-8 1000 0.0351 µs/op",
        "\ufeff" + LINE,
    ],
    ids=repr,
)
def test_a_line_is_read_whatever_people_put_around_it(line):
    found = read(f"Some words.\n{line}\nMore words, 35.1 ns/op faster.\n")
    ((sample,), unreadable) = (found.samples, found.unreadable)
    assert unreadable == ()
    assert (sample.name, sample.processors, sample.unit, sample.n) == ("X", 8, "sec/op", 1)
    assert sample.value == pytest.approx(35.1e-9, rel=1e-12)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("BenchmarkX-8 1000 1,234 ns/op", "comma"),
        ("BenchmarkX-8 1000 35,1 ns/op", "comma"),
        ("BenchmarkX-8 1000 35.1", "no_units"),
        ("| BenchmarkX | 27364 | 0 | 0 |", "no_units"),
        ("BenchmarkX 8 1000 35 ns/op", "too_many_numbers"),
        ("BenchmarkX-8 3 times", "no_benchmark_unit"),
        ("BenchmarkX-8 3 times faster", "not_a_value"),
        ("BenchmarkX-8 1000 35 ns/op and more", "not_a_value"),
        ("BenchmarkX-8 1000 NaN ns/op", "not_a_value"),
        ("BenchmarkX-8 1000 35 ns/op 12 ns/op", "unit_twice"),
        ("BenchmarkX-8 1000 -35 ns/op", "negative"),
        ("BenchmarkX-8 1000 1e305 MB/s", "not_finite"),
        ("BenchmarkX-8 1.5 35 ns/op", "strict"),
        ("1000 35.1 ns/op", "no_name"),
        ("BenchmarkX-8 1000 35 ns/op " + "x" * 5000, "too_long"),
    ],
)
def test_a_line_that_is_not_clear_is_listed_with_its_reason(line, why):
    found = read(f"{M1}{line}\nBenchmarkGood-8 10 1 ns/op\n")
    assert [sample.name for sample in found.samples] == ["Good"]
    (listed,) = found.unreadable
    assert (listed.line, listed.why.id) == (5, f"import.why.{why}")
    assert listed.text == line.strip()[:200]
    for language in Language:
        assert "{" not in render(listed.why, language)


@pytest.mark.parametrize(
    "line",
    [
        "Benchmark 1: echo f",
        "Benchmarks were run 3 times",
        "BenchmarkX",
        "func BenchmarkX(b *testing.B) {",
        "it takes 35 ns/op",
        "ok  \ta/b\t1.5s",
        "geomean   1.0n",
    ],
)
def test_prose_is_no_benchmark(line):
    found = read(line)
    assert (found.samples, found.unreadable) == ((), ())


def test_every_reason_can_be_given():
    given = {mark.args[1][i][1] for mark in test_a_line_that_is_not_clear_is_listed_with_its_reason.pytestmark
             for i in range(len(mark.args[1]))} | {"cells", "cell_unit"}  # fmt: skip
    assert {
        id_.removeprefix("import.why.") for id_ in catalogue(Language.ENGLISH) if id_.startswith("import.why.")
    } == given


# ---- values, blocks, machines


def test_lines_of_one_name_are_the_values_of_one_sample():
    (sample,) = read(
        "BenchmarkX-8 1 10 ns/op\n  x_test.go:9: said\nBenchmarkX-8 1 30 ns/op\nBenchmarkX-8 1 14 ns/op"
    ).samples
    assert (sample.n, sample.lines) == (3, (1, 3, 4))
    assert sample.values == pytest.approx((1e-8, 3e-8, 1.4e-8))
    assert sample.value == pytest.approx(1.4e-8)
    assert sample.original == ("10 ns/op", "30 ns/op", "14 ns/op")


@pytest.mark.parametrize("between", ["```\n\n```", "After loop unrolling:", "PASS", M1, "pkg: a/b", "### New"])
def test_one_name_in_two_blocks_is_two_samples(between):
    found = read(f"```\n{M1}{LINE}\n{between}\n{LINE}\n").samples
    assert [(sample.n, sample.block) for sample in found] == [(1, 1), (1, 2)]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["A-8", "B-8"], [("A", 8), ("B", 8)]),
        (["fft-1024", "fft-4096"], [("fft-1024", None), ("fft-4096", None)]),
        (["A-8", "B"], [("A-8", None), ("B", None)]),
        (["fft-4096"], [("fft-4096", None)]),
        (["A-1"], [("A-1", None)]),
    ],
    ids=str,
)
def test_the_number_of_processors_is_what_all_names_share(names, shown):
    found = read("\n".join(f"Benchmark_{name} 1 5 ns/op" for name in names)).samples
    assert [(sample.name.removeprefix("_"), sample.processors) for sample in found] == shown


@pytest.mark.parametrize(
    ("config", "chip", "translated"),
    [
        ("goarch: arm64\ncpu: Apple M1 Pro", "Apple M1 Pro", False),
        ("goarch: arm64\ncpu: apple m3 max", "Apple M3 Max", False),
        ("goarch: arm64\ncpu: Apple M9", "Apple M9", False),
        ("goarch: arm64\ncpu: Apple M3 Pro; Go 1.24.0", "Apple M3 Pro", False),
        ("```goarch: arm64\ncpu: Apple M1", "Apple M1", False),
        ("goarch: amd64\ncpu: Apple M1", "Apple M1", True),
        ("goos: darwin goarch: amd64 pkg: a/b cpu: VirtualApple @ 2.50GHz", None, True),
        ("goos: linux\ngoarch: amd64\ncpu: VirtualApple @ 2.50GHz processor", None, True),
        ("cpu: Apple M2", "Apple M2", None),
        ("goarch: arm64", None, None),
        (
            "goarch: amd64\ncpu: Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz",
            "Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz",
            False,
        ),
        ("goarch: arm64\ncpu: Neoverse-N1", "Neoverse-N1", None),
        ("CPU: Apple M3 Pro", None, None),
        ("", None, None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_whose_numbers_they_are(config, chip, translated):
    (machine,) = read(f"{config}\n{LINE}").machines
    assert (machine.chip, machine.translated) == (chip, translated)


def test_a_virtual_machine_is_said_to_be_one():
    (machine,) = read(f"goarch: arm64\ncpu: Apple M1 (Virtual)\n{LINE}").machines
    assert (machine.chip, machine.virtual, machine.cpu) == ("Apple M1", True, "Apple M1 (Virtual)")


def test_the_importer_names_a_chip_only_where_the_text_does_not():
    found = read(f"{LINE}\ncpu: Apple M2\n{LINE}", chip="Apple M1 Max")
    assert [(machine.chip, machine.chip_stated_by) for machine in found.machines] == [
        ("Apple M1 Max", "importer"),
        ("Apple M2", "text"),
    ]
    assert [sample.machine for sample in found.samples] == [0, 1]


@pytest.mark.parametrize(
    ("text", "chip"),
    [("M1", "Apple M1"), ("m2 ultra", "Apple M2 Ultra"), ("Apple  M3 Pro", "Apple M3 Pro"), ("A17", None), ("M", None)],
)
def test_chips_are_named_as_labkit_names_them(text, chip):
    assert apple_chip(text) == chip


def test_a_fence_keeps_its_machine_to_itself():
    found = read(f"```\n{M1}{LINE}\n```\nOn another one:\n```\n{LINE}\n```\n")
    assert [machine.chip for machine in found.machines] == ["Apple M1", None]


def test_a_configuration_above_the_fences_holds_in_them():
    found = read(
        f"- goos: darwin\n- goarch: arm64\n- cpu: Apple M1\n```\n{LINE}\n```\n```\ncpu: Apple M2\n```\n```\n{LINE}\n```"
    )
    assert [machine.chip for machine in found.machines] == ["Apple M1", "Apple M2"]


def test_a_new_goos_line_after_benchmarks_starts_anew():
    first, second = read(f"{M1}{LINE}\ngoos: linux\n{LINE}").samples
    assert (first.package, second.package) == ("a/b", None)
    assert [machine.chip for machine in read(f"{M1}{LINE}\ngoos: linux\n{LINE}").machines] == ["Apple M1", None]


def test_several_machines_share_what_is_the_same():
    text = f"{M1}{LINE}\n{M1.replace('M1', 'M2')}{LINE}"
    record = import_bytes(text.encode(), name="x", source=URL)
    assert [machine.chip for machine in record.machines] == ["Apple M1", "Apple M2"]
    assert (record.machine.chip, record.machine.goarch, record.machine.translated) == (None, "arm64", False)


# ---- tables

OLD = """
name    old time/op    new time/op    delta
Foo-8     10.1ns ± 1%    9.05ns ± 2%  -10.40%  (p=0.000 n=10+9)
Bar-8     1.20µs ± 0%    1.20µs ± 3%     ~     (p=0.700 n=3+3)

name    old alloc/op   new alloc/op   delta
Foo-8      16.0B ± 0%     1.1kB ± 0%  +6775.00%  (p=0.000 n=10+10)
Bar-8      0.00B          0.00B          ~     (all equal)

name    old speed      new speed      delta
Foo-8    133MB/s ± 1%   140MB/s ± 1%   +5.26%  (p=0.000 n=10+10)
[Geo mean]  10ns           9ns        -10%
"""


@pytest.mark.parametrize("spaces", ["as printed", "single", "tabs"])
def test_benchstats_old_tables(spaces):
    text = {"as printed": OLD, "single": re.sub(" +", " ", OLD), "tabs": re.sub(" {2,}", "\t", OLD)}[spaces]
    found = read(text)
    assert found.unreadable == ()
    rows = {(sample.name, sample.unit, sample.column): (sample.value, sample.n) for sample in found.samples}
    assert rows == {
        ("Foo", "sec/op", "old"): (pytest.approx(10.1e-9), 10),
        ("Foo", "sec/op", "new"): (pytest.approx(9.05e-9), 9),
        ("Bar", "sec/op", "old"): (pytest.approx(1.2e-6), 3),
        ("Bar", "sec/op", "new"): (pytest.approx(1.2e-6), 3),
        ("Foo", "B/op", "old"): (16, 10),
        ("Foo", "B/op", "new"): (1100, 10),
        ("Bar", "B/op", "old"): (0, None),
        ("Bar", "B/op", "new"): (0, None),
        ("Foo", "B/s", "old"): (133e6, 10),
        ("Foo", "B/s", "new"): (140e6, 10),
    }
    assert {sample.form for sample in found.samples} == {Form.BENCHSTAT}
    assert found.samples[0].original == ("10.1ns ± 1%",)


def test_benchstats_old_table_of_one_file_and_of_three():
    assert seconds("name   time/op\nFoo-8  10.1ns ± 1%\n") == {"Foo": pytest.approx(10.1e-9)}
    found = read("name \\ time/op  a.txt  b.txt  c.txt\nFoo-8  1.0ns ± 1%  2.0ns ± 1%  3.0ns ± 1%\n").samples
    assert [(sample.column, sample.value) for sample in found] == [
        ("a.txt", pytest.approx(1e-9)),
        ("b.txt", pytest.approx(2e-9)),
        ("c.txt", pytest.approx(3e-9)),
    ]


NEW = """
        │   a.txt      │            b.txt             │
        │    sec/op    │   sec/op     vs base         │
Foo-8     96.43n ± ∞ ¹   104.50n ± ∞ ¹  +8.37% (p=0.016 n=5)
geomean   63.17n          69.44n        +9.92%
¹ need >= 6 samples for confidence interval at level 0.95

        │    a.txt     │            b.txt             │
        │     B/op     │     B/op      vs base        │
Foo-8     2.000Ki ± 0%   1.000Ki ± 0%  -50.00% (p=0.000 n=10+9)
"""


def test_benchstats_new_tables():
    found = read(NEW)
    assert found.unreadable == ()
    assert [(each.name, each.unit, each.column, each.value, each.n, each.spread_percent) for each in found.samples] == [
        ("Foo", "sec/op", "a.txt", pytest.approx(96.43e-9), 5, None),
        ("Foo", "sec/op", "b.txt", pytest.approx(104.5e-9), 5, None),
        ("Foo", "B/op", "a.txt", 2048, 10, 0),
        ("Foo", "B/op", "b.txt", 1024, 9, 0),
    ]


def test_a_new_table_of_one_file_says_no_n():
    (sample,) = read("      │   a.txt   │\n      │   sec/op  │\nFoo-8   1.5µ ± 2%\n").samples
    assert (sample.value, sample.n, sample.spread_percent, sample.column) == (pytest.approx(1.5e-6), None, 2, "a.txt")


def test_a_table_in_a_comment_is_read():
    text = "".join(f"// {line}\n" for line in NEW.splitlines())
    assert len(read(text).samples) == 4


@pytest.mark.parametrize(
    ("table", "row", "why"),
    [
        (NEW, "Only-8   1.884µ ± 1%", "cells"),
        (OLD, "Only-8   10.0ns ± 1%", "cells"),
        (
            "name  old time/op  new time/op\nFoo-8  1.0ns ± 1%  1.0ns ± 1%\n",
            "Bar-8   10.0B ± 1%   3.0B ± 2%",
            "cell_unit",
        ),
    ],
    ids=["new", "old", "unit"],
)
def test_a_row_that_does_not_fit_its_table_is_listed(table, row, why):
    assert [reason for _line, reason in reasons(table.rstrip() + "\n" + row)] == [why]


def test_a_line_of_go_test_below_a_table_is_no_row_of_it():
    for table in (OLD, NEW, "name  old allocs/op  new allocs/op\nFoo-8  1.00 ± 0%  1.00 ± 0%\n",
                  "benchmark old ns/op new ns/op delta\nBenchmarkFoo-8 10 9 -10.00%\n"):  # fmt: skip
        last = read(table.rstrip() + "\n" + LINE).samples[-1]
        assert (last.form, last.unit, last.value) == (Form.LINES, "sec/op", pytest.approx(35.1e-9))


@pytest.mark.parametrize("table", [OLD, NEW], ids=["old", "new"])
def test_a_blank_line_ends_a_table(table):
    assert reasons(table.rstrip() + "\n\nIt took 5.0ms ± 1% here.\n") == []


def test_a_second_row_of_one_name_is_no_second_value():
    row = "Foo-8   1.500µ ± 2%   1.400µ ± 1%  -6.67% (p=0.000 n=10)\n"
    found = read("      │ a.txt │ b.txt │\n      │ sec/op │ sec/op vs base │\n" + row + row).samples
    assert [(sample.column, sample.n, len(sample.values)) for sample in found] == [
        ("a.txt", 10, 1),
        ("b.txt", 10, 1),
    ] * 2


def test_benchcmp():
    text = "benchmark      old MB/s  new MB/s  speedup\nBenchmarkFoo-8   143.97    158.69    1.10x\n"
    assert [(each.column, each.unit, each.value, each.n) for each in read(text).samples] == [
        ("old", "B/s", 143.97e6, None),
        ("new", "B/s", 158.69e6, None),
    ]


# ---- nothing raises, nothing is lost

_LOOK = re.compile(r"[\s/*>#-]*Benchmark[A-Z0-9_]\S*[ \t]+\d")


def mutated(text: str, rng: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(lines))
        line = lines[at]
        spot = rng.randrange(len(line) + 1)
        lines[at] = rng.choice([
            line[:spot] + rng.choice("│|±,.-+%:`/~\t \x00\x1b[é🙂0123456789\n\r\u2028\ufeff") + line[spot:],
            line[:spot] + line[spot + 1 :],
            line[spot:] + line[:spot],
            line * 2,
            "",
            rng.choice(lines),
            line.upper(),
        ])  # fmt: skip
    return "".join(lines)


@pytest.mark.parametrize("name", [text["file"] for text in TEXTS])
def test_no_mutation_raises_and_no_benchmark_line_is_lost(name):
    text = (DATA / name).read_text("utf-8") + OLD + NEW
    rng = random.Random(name)
    for _ in range(60):
        changed = mutated(text, rng)
        found = read(changed)
        taken = {line for sample in found.samples for line in sample.lines} | {each.line for each in found.unreadable}
        looking = {
            number
            for number, line in enumerate(re.split(r"\r\n|\n|\r", changed), 1)
            if _LOOK.match(line.lstrip("\ufeff"))
        }
        lost = [(number, re.split(r"\r\n|\n|\r", changed)[number - 1]) for number in looking - taken]
        assert not lost
        assert all(sample.values and (sample.n is None or sample.n >= 1) for sample in found.samples)
        if found.samples:
            record = import_bytes(changed.replace("\0", "").encode(), name="x", source=URL)
            assert decode(encode(record), name="x") == record


def test_bytes_that_are_no_text_raise_nothing():
    rng = random.Random(7)
    for _ in range(200):
        parse(bytes(rng.choices(range(256), k=rng.randrange(400))))


def test_no_value_is_invented():
    """Each published number stands in the text, digit by digit."""
    for text in TEXTS:
        whole = (DATA / text["file"]).read_text("utf-8")
        for sample in parse(whole.encode()).samples:
            lines = [whole.splitlines()[line - 1] for line in sample.lines]
            for original, line in zip(sample.original, lines, strict=True):
                assert re.sub(r"\s+", " ", original) in re.sub(r"\s+", " ", line)


# ---- records


AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def record():
    return import_bytes(f"{M1}{LINE}\n".encode(), name="folder/x.md", source=URL, at=AT)


def test_a_record_says_where_it_comes_from():
    made = record()
    assert (made.source, made.file, made.imported_at, made.provenance) == (
        URL, "x.md", "2026-01-02T03:04:05+00:00", "imported",
    )  # fmt: skip
    assert decode(encode(made), name="x") == made
    assert is_imported(encode(made))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"run": "x", "schema": 1}', b"\xff\xfe"], ids=repr)
def test_other_things_are_no_imported_record(data):
    assert not is_imported(data)
    with pytest.raises(RecordError, match="not an imported record"):
        decode(data, name="x.json")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 2}, "schema 2"),
        ({"schema": 0}, "schema 0"),
        ({"provenance": "measured"}, "provenance is measured"),
        ({"source": "nowhere"}, "source"),
        ({"machines": []}, "names machine 0 of 0"),
        ({"samples": [{"value": 1.0}]}, "outside its values"),
        ({"samples": [{"values": []}]}, "0 values"),
        ({"samples": [{"machine": -1}]}, "machine -1"),
        ({"surprise": 1}, "surprise"),
        ({"unreadable": [{"line": "x"}]}, "unreadable"),
    ],
    ids=str,
)
def test_a_record_that_contradicts_itself_is_refused(change, says):
    whole = msgspec.json.decode(encode(record()))
    for key, value in change.items():
        whole[key] = [{**whole[key][0], **value[0]}] if key == "samples" else value
    with pytest.raises(RecordError, match=says):
        decode(msgspec.json.encode(whole), name="x.json")


def test_loading(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(RecordError, match="cannot be read"):
        load(path)
    path.write_bytes(encode(record()))
    assert load(path) == record()


def test_utf_16_is_read_as_powershell_writes_it():
    made = import_bytes(f"{M1}{LINE}\r\n".encode("utf-16"), name="x", source=URL)
    assert made.machine.chip == "Apple M1"


def test_a_text_that_is_too_large_is_refused_without_reading_it_whole(tmp_path):
    path = tmp_path / "large.txt"
    with path.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    with pytest.raises(UsageError, match="more than 16 MiB"):
        import_file(path, source=URL)
    with pytest.raises(UsageError, match="more than 16 MiB"):
        import_bytes(b"x" * (MOST_BYTES + 1), name="x", source=URL)


# ---- the command


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["import", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(f"{M1}{LINE} 16 B/op\nBenchmarkY 12 34\n")
    return str(path)


def test_the_document_fits_its_schema(capsys, page, tmp_path):
    out = tmp_path / "x.json"
    code, said, err = run(capsys, page, "--source", URL, "--json", "--out", str(out))
    assert (code, err) == (0, "")
    value = json.loads(said)
    jsonschema.validate(value, json.loads(Path("docs/schemas/import.json").read_text()))
    assert (value["machine"]["chip"], value["machine"]["translated"], value["source"]) == ("Apple M1", False, URL)
    assert value["samples"][0] | {"name": "X", "package": "a/b", "unit": "sec/op", "n": 1} == value["samples"][0]
    assert [line["line"] for line in value["unreadable"]] == [6]
    assert json.loads(encode(load(out))) == value


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_shown(capsys, page, monkeypatch, language):
    monkeypatch.setenv("LABKIT_LANG", language)
    code, said, _err = run(capsys, page, "--source", URL)
    assert code == 0
    for part in ("Apple M1", "35.10n sec/op", "16.00 B/op", "BenchmarkY 12 34", URL):
        assert part in said
    assert "import." not in said


def test_standard_input(capsys, monkeypatch):
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINE.encode())))
    code, said, _err = run(capsys, "-", "--source", URL, "--chip", "m1 pro", "--package", "a/b", "--json")
    assert code == 0
    value = json.loads(said)
    assert value["machine"]["chip"] == "Apple M1 Pro"
    assert value["stated_by_importer"] == {"chip": "Apple M1 Pro", "package": "a/b"}


@pytest.mark.parametrize(
    ("data", "arguments", "code", "says"),
    [
        (LINE.encode(), [], 2, "--source names none"),
        (LINE.encode(), ["--source", "README.md"], 2, "no http or https address"),
        (LINE.encode(), ["--source", "https://"], 2, "no http or https address"),
        (LINE.encode(), ["--source", "http://[x"], 2, "no http or https address"),
        (LINE.encode(), ["--source", "file:///etc/passwd"], 2, "no http or https address"),
        (LINE.encode(), ["--source", "https://me:secret@example.org"], 2, "password"),
        (b"\xcf\xfa\xed\xfe\0\0" + LINE.encode(), ["--source", URL], 2, "binary file"),
        (None, ["--source", URL], 2, "cannot be read"),
        (b"", ["--source", URL], 17, "no benchmark line"),
        (b"just prose\n", ["--source", URL], 17, "no benchmark line"),
        (
            b"\nBenchmarkX 1 2 3\n",
            ["--source", URL],
            17,
            "1 look like one, the first is line 2: its numbers have no units",
        ),
    ],
    ids=[
        "no source",
        "no address",
        "no host",
        "bad host",
        "file",
        "password",
        "binary",
        "missing",
        "empty",
        "prose",
        "unclear",
    ],
)
def test_an_error_is_one_line_and_its_remedy(capsys, tmp_path, data, arguments, code, says):
    path = tmp_path / "page"
    if data is not None:
        path.write_bytes(data)
    ended, out, err = run(capsys, str(path), *arguments)
    assert (ended, out) == (code, "")
    what, remedy = err.strip().split("\n")
    assert says in what
    assert "secret" not in err
    assert remedy.startswith("  remedy: ")
