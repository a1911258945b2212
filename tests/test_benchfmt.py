"""The Go benchmark format: reading as golang.org/x/perf does, broken lines, and what labkit writes."""

import math
import random
from itertools import pairwise

import msgspec
import pytest

from labkit.bench import benchfmt
from labkit.bench.benchfmt.units import common_scale, is_binary, shortest, tidy
from labkit.bench.benchfmt.writer import kernel_of, name_of
from labkit.errors import RecordError
from labkit.model.base import Provenance, Text
from labkit.model.bench import Interval, ProcessSample, Sample, Slice
from tests import benchstat_oracle as oracle

INTERVAL = Interval(median=1.0, low=None, high=None, confidence=None, n=1)


def read(text: str | bytes):
    return benchfmt.parse(text.encode() if isinstance(text, str) else text, name="x.txt")


# Shapes of golang.org/x/perf/benchfmt/reader_test.go and of files that people have, each read by both readers.
SHAPES = {
    "basic": "key: value\nBenchmarkOne 100 1 ns/op 2 B/op\nBenchmarkTwo 300 4.5 ns/op\n",
    "bad lines": "not a key\nBad: 1\nbad key: 1\n# comment\nPASS\nok pkg 1.2s\n",
    "no iterations": (
        "BenchmarkX \nBenchmarkX abc 1 ns/op\n"
        "BenchmarkX 1.5 1 ns/op\nBenchmarkX 9223372036854775808 1 ns/op\n"
    ),
    "iterations": (
        "BenchmarkX -5 1 ns/op\nBenchmarkX +5 1 ns/op\n"
        "BenchmarkX 1_0 1 ns/op\nBenchmarkX 9223372036854775807 1 x\n"
    ),
    "no measurements": "BenchmarkX 1\nBenchmarkX 1 \nBenchmarkX 1 2\nBenchmarkX 1 x ns/op\nBenchmarkX 1 2 ns/op 3\n",
    "go test -v": "BenchmarkX\nBenchmarkX-8\nBenchmarkX-8   \t 1\t 2 ns/op\n",
    "keys": "a: 1\nb:2\nc:\nd:  \t 3 \ne: \nÄ: 1\nä: 1\nk with space: 1\nkEy: 1\n:x\nx:\tt\nBenchmarkX 1 1 ns/op\n",
    "deleted keys": (
        "a: 1\nb: 2\nc: 3\nBenchmarkX 1 1 x\na:\nBenchmarkX 1 1 x\n"
        "b:\nd: 4\nBenchmarkX 1 1 x\nc: 9\nBenchmarkX 1 1 x\n"
    ),
    "tidied": "BenchmarkX 1 1 ns/op 2 MB/s 3 x-ns/op 4 op/ns 5 MB*MB/s 6 ns 7 ns-ns/op 8 B/MB 0 ns/op 0 MB/s\n",
    "numbers": (
        "BenchmarkX 1 1e3 a .5 b 5. c 1_000 d 0x1p-2 e "
        "0X_1Fp0 f +1 g -1 h 007 i 1e-400 j 9999999999999999999 k\n"
    ),
    "bad numbers": "".join(
        f"BenchmarkX 1 {x} u\n"
        for x in ("1e400", "1__0", "_1", "1_", "0x1", ".", "1e", "e5", "--1", "0b1", "1,5")
    ),
    "special numbers": (
        "BenchmarkX 1 NaN a +Inf b -inf c Infinity d iNf e\nBenchmarkX 1 +nan a\n"
        "BenchmarkX 1 infinit a\n"
    ),
    "units": (
        "Unit ns/op better=lower assume=exact\nUnit sec/op better=lower\n"
        "Unit ns/op better=higher\nBenchmarkX 1 1 ns/op\n"
    ),
    "bad units": "Unit\nUnit x\nUnit x a\nUnit x =b\nUnit x a=\nUnit x a=b=c d\nUnits x a=b\n U x\n",
    "names": (
        "BenchmarkX/a=b/c-8 1 1 x\nBenchmark/-8 1 1 x\nBenchmark 1 1 x\n"
        "BenchmarkÄ\u00a01 1 x\nbenchmarkX 1 1 x\n"
    ),
    "spaces": (
        "BenchmarkX\u20031\u00a02\u3000ns/op\nBenchmarkX\x1c1 2 ns/op\n"
        "BenchmarkX 1 2 ns\x1fop\nBenchmarkX\v1\f2\tns/op\n"
    ),
    "crlf": "goos: linux\r\nBenchmarkX 1 2 ns/op\r\nBenchmarkX\r\nPASS\r\n",
    "no last line end": "goos: linux\nBenchmarkX 1 2 ns/op",
    "empty": "",
    "blank lines": "\n\n\nBenchmarkX 1 2 ns/op\n\n",
    "long, just read": "a: " + "x" * 65_532 + "\nBenchmarkX 1 2 ns/op\n",
    "nul": "a: \0\nBenchmark\0 1 2 \0/op\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Each shape as both readers read it; what is not UTF-8 among them."""
    folder = tmp_path_factory.mktemp("shapes")
    shapes = {name: text.encode() for name, text in SHAPES.items()}
    paths = {name: folder / f"{i}.txt" for i, name in enumerate(shapes)}
    for name, path in paths.items():
        path.write_bytes(shapes[name])
    theirs = oracle.read_by_go(*paths.values())
    return {name: (oracle.read_by_us(paths[name]), go) for name, go in zip(paths, theirs, strict=True)}


@pytest.mark.parametrize("name", SHAPES)
def test_lines_are_read_as_go_reads_them(both, name):
    ours, theirs = both[name]
    assert ours == theirs
    assert bool(theirs) is (name not in {"empty", "bad lines"})


def test_drawn_and_damaged_files_are_read_as_go_reads_them(tmp_path):
    random_ = random.Random(7)
    for seed in range(12):
        folder = tmp_path / str(seed)
        folder.mkdir()
        for name in oracle.draw(folder, seed):
            data = bytearray((folder / name).read_bytes())
            for _ in range(40):
                data[random_.randrange(len(data))] = random_.choice(b"\n\r\t =:-_.0e9U\xff\xc3B/")
            (folder / f"damaged-{name}").write_bytes(data)
    own = oracle.own_data()
    paths = [*sorted(tmp_path.glob("*/*.txt")), *sorted((own / "benchfmt/testdata/bent").iterdir())]
    records = 0
    for path, theirs in zip(paths, oracle.read_by_go(*paths), strict=True):
        assert oracle.read_by_us(path) == theirs, path.name
        records += len(theirs)
    assert records > 5000


def test_a_broken_line_says_where_and_why():
    file = read("BenchmarkA 1 2 ns/op\nBenchmarkB x 2 ns/op\nUnit ns/op better\nBenchmarkC 1 2\n")
    assert [(each.line, each.why) for each in file.broken] == [
        (2, "parsing iteration count: invalid syntax"),
        (3, "expected key=value"),
        (4, "missing units"),
    ]
    assert [each.name for each in file.results] == ["A"]


@pytest.mark.parametrize(
    ("data", "why", "results"),
    [
        (b"\xef\xbb\xbfgoos: linux\nBenchmarkA 1 2 ns/op\n", "byte-order mark", 1),
        (b"\xef\xbb\xbfBenchmarkA 1 2 ns/op\n", "byte-order mark", 1),
        ("BenchmarkA 1 2 ns/op\n".encode("utf-16"), "UTF-16", 0),
        (b"BenchmarkA 1 2 ns/op " + b"x" * 70_000 + b"\nBenchmarkB 1 2 ns/op\n", "line of 70021 bytes", 1),
        (b"a: " + b"x" * 65_533 + b"\nBenchmarkB 1 2 ns/op\n", "line of 65536 bytes", 1),
    ],
    ids=["bom", "bom-before-a-benchmark", "utf-16", "huge-line", "one-byte-too-long"],
)
def test_what_go_gives_up_on_is_told_and_the_rest_is_read(data, why, results):
    file = read(data)
    assert why in file.broken[0].why
    assert file.broken[0].line == 1
    assert len(file.results) == results


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(RecordError, match="cannot be read: No such file"):
        benchfmt.read(tmp_path / "none.txt")


def test_bytes_that_are_no_text_are_kept(tmp_path):
    file = read(b"k: \xff\xfe\nBenchmark\xff 1 2 ns/op\n")
    assert file.results[0].config[0][1].encode("utf-8", "surrogateescape") == b"\xff\xfe"


def test_unit_metadata_carries_over_files():
    units = {}
    first = benchfmt.parse(b"Unit x assume=exact\n", name="a", units=units)
    second = benchfmt.parse(b"Unit x assume=exact\nUnit x assume=nothing\n", name="b", units=units)
    assert (len(first.units), len(second.units)) == (1, 0)
    assert "already set to exact" in second.broken[0].why


# golang.org/x/perf/benchunit/tidy_test.go
@pytest.mark.parametrize(
    ("unit", "tidied", "factor"),
    [
        ("ns/op", "sec/op", 1e-9), ("x-ns/op", "x-sec/op", 1e-9), ("MB/s", "B/s", 1e6), ("x-MB/s", "x-B/s", 1e6),
        ("B/op", "B/op", 1), ("x-allocs/op", "x-allocs/op", 1), ("op/ns", "op/ns", 1), ("MB*MB/s", "B*B/s", 1e12),
        ("MB/MB", "B/MB", 1e6), ("answers", "answers", 1),
    ],
)  # fmt: skip
def test_base_units(unit, tidied, factor):
    assert tidy(unit) == (tidied, factor)


# golang.org/x/perf/benchunit/parse_test.go
@pytest.mark.parametrize(
    ("unit", "binary"),
    [("ns/op", False), ("sec/B", False), ("sec/B/B", False), ("sec/disk-B", False), ("B/op", True), ("bytes/op", True),
     ("B/s", True), ("sec/B*B", True), ("disk-B/sec", True), ("bites", False)],
)  # fmt: skip
def test_binary_units(unit, binary):
    assert is_binary(unit) is binary


# golang.org/x/perf/benchunit/scale_test.go: each value, and the next one towards zero
@pytest.mark.parametrize(
    ("value", "binary", "shown", "below"),
    [
        (0, False, "0.000", "0.000"), (-1, False, "-1.000", "-1.000"),
        (9999500000000000, False, "9999.5T", "9999.5T"), (99995000000000, False, "100.0T", "99.99T"),
        (999950000, False, "1.000G", "999.9M"), (9999.5, False, "10.00k", "9.999k"), (999.95, False, "1.000k", "999.9"),
        (9.9995, False, "10.00", "9.999"), (0.099995, False, "100.0m", "99.99m"),
        (0.000099995, False, "100.0µ", "99.99µ"),
        (0.00000000099995, False, "1.000n", "0.9999n"), (0.0000000000099995, False, "0.01000n", "0.009999n"),
        (0.99995 * 2**50, True, "1023.9Ti", "1023.9Ti"), (99.995 * 2**30, True, "100.0Gi", "99.99Gi"),
        (0.99995 * 2**20, True, "1.000Mi", "1023.9Ki"), (9.9995, True, "10.00", "9.999"),
        (0.099995, True, "0.1000", "0.09999"),
        (0.00000005, True, "0.0000000500", "0.0000000500"),
    ],
)  # fmt: skip
def test_scales(value, binary, shown, below):
    for each, wanted in ((value, shown), (math.nextafter(value, 0), below)):
        assert common_scale([each], binary=binary).show(each) == wanted


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (-0.0, "-0"), (1.0, "1"), (100000.0, "100000"), (1e6, "1e+06"), (123456789.0, "1.23456789e+08"),
     (0.0001, "0.0001"), (0.00001, "1e-05"), (1.5e-7, "1.5e-07"), (math.inf, "+Inf"), (math.nan, "NaN"),
     (1e300, "1e+300")],
)  # fmt: skip
def test_numbers_as_go_prints_them(value, shown):
    assert shortest(value) == shown


def process(position: int, *times: tuple[int, int], translated: bool | None = None) -> ProcessSample:
    return ProcessSample(
        position=position,
        slices=tuple(Slice(iterations=10, wall_time_ns=wall, cpu_time_ns=cpu) for wall, cpu in times),
        allocated_bytes_per_op=48.0,
        allocations_per_op=1.5,
        involuntary_switches=0,
        peak_memory_bytes=1,
        translated=translated,
    )


def sample(kernel: str, *processes: ProcessSample, **changed) -> Sample:
    fields = {
        "suite_version": 3,
        "unit": "ns/op",
        "wall": INTERVAL,
        "cpu": INTERVAL,
        "cpu_share": INTERVAL,
        "checked": Text(id="bench.kernel.x.checked"),
        "warnings": (),
        "single_threaded": True,
        "payload_bytes": 37,
        "platform": "linux/arm64",
        "go_version": "go1.27.3",
        "gomaxprocs": 8,
        "seed": 1,
        "slice_time_ms": 20,
        "toolchain": "033d7b9a9526d934",
        "worker": "w",
        "taken_at": "2026-11-23T23:59:59+00:00",
    }
    return Sample(kernel=kernel, title=Text(id="x"), processes=processes, **(fields | changed))


def test_each_process_is_one_line_with_the_medians_of_its_slices(this_machine):
    slices = ((1000, 900), (5000, 910), (1200, 920))
    text = benchfmt.write([sample("fft-4096", process(0, *slices), process(3, (2000, 1990)))], this_machine)
    lines = [line for line in text.splitlines() if line.startswith("Benchmark")]
    assert lines == [
        "BenchmarkKernel/fft-4096-8 30 120 ns/op 91 cpu-ns/op 48 B/op 1.5 allocs/op",
        "BenchmarkKernel/fft-4096-8 10 200 ns/op 199 cpu-ns/op 48 B/op 1.5 allocs/op",
    ]
    file = read(text)
    assert not file.broken
    assert file.results[0].value("cpu-sec/op") == pytest.approx(91e-9)
    assert dict(file.results[0].config) == {
        "goos": "linux",
        "goarch": "arm64",
        "pkg": "labkit.dev/kernels/kernel",
        "cpu": this_machine.chip,
        "machine": this_machine.id,
        "toolchain": "033d7b9a9526d934",
        "go": "go1.27.3",
        "suite": "3",
        "day": "2026-11-23",
    }


def test_what_no_longer_holds_is_taken_back(this_machine):
    rosetta = sample("tanh-go", process(0, (1000, 900), translated=True), platform="darwin/amd64")
    native = sample("tanh-go", process(0, (1000, 900)), platform="darwin/arm64", provenance=Provenance.SYNTHETIC)
    results = read(benchfmt.write([rosetta, native], this_machine)).results
    first, second = (dict(result.config) for result in results)
    assert (first["goarch"], first["translated"], first.get("provenance")) == ("amd64", "yes", None)
    assert (second["goarch"], second.get("translated"), second["provenance"]) == ("arm64", None, "synthetic")


def test_benchstat_reads_and_groups_what_is_written(this_machine, tmp_path):
    sets = [
        sample("chase@65536", *(process(i, (1000 + i, 900 + i)) for i in range(6)), toolchain=name)
        for name in ("aa", "bb")
    ]
    (tmp_path / "x.txt").write_text(benchfmt.write(sets, this_machine))
    said = oracle.theirs(tmp_path, ("x.txt",), "text", column="toolchain")
    assert said == oracle.ours(tmp_path, ("x.txt",), "text", column="toolchain")
    heads = said.splitlines()
    assert "suite: 3" in heads
    assert any("aa" in line and "bb" in line for line in heads)
    assert any(line.startswith("Kernel/chase/@65536-8 ") and "(p=1.000 n=6)" in line for line in heads)


@pytest.mark.parametrize(
    ("name", "kernel"),
    [("Kernel/fft-4096-8", "fft-4096"), ("Kernel/chase/@65536-8", "chase@65536"), ("Kernel/tanh-go", "tanh-go"),
     ("Kernel-8", None), ("Other/fft-4096-8", None), ("Kernel/a/b/c-8", None)],
)  # fmt: skip
def test_kernels_of_names(name, kernel):
    assert kernel_of(name) == kernel
    if kernel is not None and name.endswith("-8"):
        assert f"{name_of(kernel)}-8" == name


def test_values_read_are_those_written(this_machine):
    random_ = random.Random(3)
    times = tuple((random_.randrange(1, 10**12), random_.randrange(1, 10**12)) for _ in range(50))
    written = sample("tanh-go", *(process(i, each) for i, each in enumerate(times)))
    results = read(benchfmt.write([written], this_machine)).results
    assert [result.values[0].original_value for result in results] == [wall / 10 for wall, _cpu in times]
    assert all(a.line < b.line for a, b in pairwise(results))
    assert msgspec.json.decode(msgspec.json.encode(results[0]), type=type(results[0])) == results[0]
