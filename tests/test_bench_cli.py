"""``labkit bench``: what it measures and prints, and a run against the record of another. The kernels are real."""

import json
import os
import signal
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest

from labkit.bench import benchfmt, regression
from labkit.bench.regression import Baseline, markdown, shown
from labkit.bench.regression.baseline import Series
from labkit.cli.app import main
from labkit.errors import RecordError, UsageError, VacuousError
from labkit.model.regression import BenchOutput, Verdict
from labkit.system import proc
from labkit.system.environment import base as environment
from labkit.words import Language
from tests import benchstat_oracle as oracle
from tests.support import impossible, need

KERNELS = ("protobuf-marshal-small", "tanh-go")
SCHEMA = json.loads(Path("docs/schemas/bench.json").read_text())
RECORD = Path("tests/golden/record-1.json").absolute()
FAST = ("--kernel", KERNELS[0], "--kernel", KERNELS[1], "--processes", "5")


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["-q", "bench", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture(scope="module")
def measured(tmp_path_factory, toolchain):
    """A real run's document, and the same in Go's format."""
    folder = tmp_path_factory.mktemp("measured")
    for arguments in (("--out", "base.json"), ("--format", "go", "--out", "base.txt")):
        words = [sys.executable, "-m", "labkit", "-q", "bench", *FAST, *arguments]
        done = proc.run(words, env=environment(**home()), timeout_s=300, cwd=folder)
        (folder / f"{arguments[-1]}.stdout").write_text(done.stdout)
    return folder


def home() -> dict[str, str]:
    return {name: os.environ[name] for name in ("LABKIT_HOME",) if name in os.environ}


@pytest.fixture
def baseline(measured, tmp_path, monkeypatch):
    """Return a function that writes the document with changes, and returns its path."""
    monkeypatch.chdir(tmp_path)

    def write(*, times: float = 1.0, **changed) -> str:
        document = json.loads((measured / "base.json").read_text())
        for kernel in document["kernels"]:
            for process in kernel["sample"]["processes"]:
                for each in process["slices"]:
                    each["cpu_time_ns"] = max(1, int(each["cpu_time_ns"] * times))
            for field in changed.keys() & kernel["sample"].keys():
                kernel["sample"][field] = changed[field]
        document["machine"] |= {key: value for key, value in changed.items() if key in document["machine"]}
        document |= {key: value for key, value in changed.items() if key in document}
        Path("baseline.json").write_text(json.dumps(document))
        return "baseline.json"

    return write


def test_a_run_prints_a_line_a_kernel_and_keeps_a_document(measured):
    document = json.loads((measured / "base.json").read_text())
    jsonschema.validate(document, SCHEMA)
    assert [each["sample"]["kernel"] for each in document["kernels"]] == list(KERNELS)
    assert all(each["could_see_percent"] > 0 for each in document["kernels"])
    assert all(len(each["sample"]["processes"]) == 5 for each in document["kernels"])
    lines = (measured / "base.json.stdout").read_text().splitlines()
    assert lines[0].split()[0] == "kernel"
    for kernel in KERNELS:
        assert sum(line.startswith(f"{kernel} ") for line in lines) == 1
    assert "Written to base.json." in lines


def test_the_go_format_is_the_same_on_standard_output_and_in_the_file(measured):
    text = (measured / "base.txt").read_text()
    assert (measured / "base.txt.stdout").read_text() == text
    file = benchfmt.parse(text.encode(), name="base.txt")
    assert len(file.results) == 10
    assert not file.broken
    said = oracle.theirs(measured, ("base.txt",), "text")
    assert said == oracle.ours(measured, ("base.txt",), "text")
    for kernel in KERNELS:
        assert f"Kernel/{kernel}-" in said


def test_a_slowdown_fails_the_gate_and_is_told_in_markdown(capsys, baseline):
    code, out, _err = run(capsys, "--against", baseline(times=0.1), "--processes", "5", "--markdown", "pr.md")
    assert code == 1
    assert "2 of 2 kernels are slower: protobuf-marshal-small, tanh-go." in out
    text = Path("pr.md").read_text()
    assert text.startswith("### ❌ Benchmarks against baseline.json")
    assert text.count("| slower |") == 2


def test_a_speed_up_passes_with_a_document(capsys, baseline):
    arguments = ("--against", baseline(times=20, toolchain="anotherset"), "--kernel", KERNELS[1], "--processes", "5")
    code, out, _err = run(capsys, *arguments, "--json")
    document = json.loads(out)
    jsonschema.validate(document, SCHEMA)
    assert code == 0
    (change,) = document["regression"]["changes"]
    assert (change["kernel"], change["verdict"], change["clock"]) == (KERNELS[1], "faster", "cpu")
    assert change["high_percent"] < 0 < change["could_have_seen_percent"]
    (left_out,) = document["regression"]["not_compared"]
    assert (left_out["kernel"], left_out["why"]["id"]) == (KERNELS[0], "benchcli.why.not_run")
    fields = {each["field"]: each["before"] for each in document["regression"]["differences"]}
    assert fields["toolchain"] == "anotherset"


def test_a_go_file_is_a_baseline_and_the_go_format_tells_the_verdict_apart(capsys, measured, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    slow = "".join(
        line + "\n"
        for line in (measured / "base.txt").read_text().replace(" cpu-ns/op", "e-3 cpu-ns/op").splitlines()
        if KERNELS[0] not in line
    )
    Path("base.txt").write_text("\ufeff\n" + slow)
    code, out, err = run(capsys, "--against", "base.txt", "--format", "go", "--processes", "5")
    assert code == 1
    assert len(benchfmt.parse(out.encode(), name="stdout").results) == 5
    assert err == "labkit bench: 1 of 1 kernels are slower: tanh-go.\n"


def test_a_jobs_summary_is_appended_to(measured, tmp_path, monkeypatch):
    from labkit.bench.regression.markdown import markdown
    from labkit.cli.output import write_markdown

    now = regression.load(measured / "base.json")
    told = markdown(regression.compare(now, now))
    summary = tmp_path / "step.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    for _time in range(2):
        write_markdown(told, summary)
    assert summary.read_text().startswith("before\n### ✅")
    assert summary.read_text().count("### ✅ Benchmarks against base.json") == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"chip": "Apple M1"}, "chip is Apple M1 there and "),
        ({"system": "macos" if sys.platform == "linux" else "linux"}, "system is "),
        ({"physical_core_count": 999}, "cores is 999 there and "),
        ({"suite_version": 999}, "suite is 999 there and "),
        ({"provenance": "synthetic"}, "are synthetic, not measured"),
    ],
    ids=["chip", "system", "cores", "suite", "synthetic"],
)
def test_another_machine_or_suite_is_refused_before_anything_is_measured(capsys, baseline, changed, said):
    code, out, err = run(capsys, "--against", baseline(**changed))
    assert (code, out) == (2, "")
    assert said in err
    assert "remedy: " in err


BAD = {
    "empty": (b"", "is empty"),
    "blank": (b" \r\n\t\n", "is empty"),
    "no-json": (b'{"schema": 1,', "is damaged: "),
    "not-text": (b"{\xff\xfe}", "is damaged: "),
    "other-json": (b'{"a": 1}', "is JSON, but neither"),
    "newer-document": (b'{"schema": 2, "kernels": []}', "has schema 2; this labkit reads bench documents up to"),
    "no-schema": (b'{"kernels": []}', "has schema None"),
    "half-a-document": (b'{"schema": 1, "kernels": []}', "is damaged: Object missing required field"),
    "newer-record": (b'{"schema": 99, "run": "x"}', "has schema 99; this labkit reads schemas up to"),
    "half-a-record": (b'{"schema": 1, "run": "x"}', "is not a labkit record"),
    "no-benchmark": (b"PASS\r\nok\r\n", "is neither JSON nor holds a benchmark line"),
    "others": (b"\xef\xbb\xbf\r\nBenchmarkOther-8 1 2 ns/op\r\n", "of labkit's kernels; its first benchmark is Other"),
    "others-package": (b"pkg: a/b\nBenchmarkKernel/tanh-go-8 1 2 ns/op\n", "no times of labkit's kernels"),
    "broken": (b"BenchmarkKernel/tanh-go-8 x 2 ns/op\n", "line 1: parsing iteration count: invalid syntax"),
    "huge-line": (b"Benchmark" + b"x" * 100_000, "line 1: a line of 100009 bytes"),
    "utf-16": ("BenchmarkKernel/tanh-go-8 1 2 ns/op\n".encode("utf-16"), "line 1: the file is UTF-16"),
    "impossible-times": (b"BenchmarkKernel/tanh-go-8 1 -2 ns/op\nBenchmarkKernel/tanh-go-8 1 NaN ns/op\n", "no times"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_baseline_is_one_line(capsys, tmp_path, monkeypatch, name):
    data, said = BAD[name]
    monkeypatch.chdir(tmp_path)
    Path("bad").write_bytes(data)
    code, out, err = run(capsys, "--against", "bad")
    assert (code, out) == (17, "")
    first, second = err.strip().split("\n")
    assert first.startswith("labkit: bad ")
    assert said in first
    assert second.startswith("  remedy: ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--against", "none.json"), 2, "none.json cannot be read: No such file"),
        (("--processes", "4"), 2, "processes is 4; a benchmark plan takes 5 to 200"),
        (("--kernel", "fft-4097"), 2, "there is no benchmark kernel fft-4097"),
        (("--suite", "quik"), 2, "there is no benchmark suite quik"),
        (("--toolchain", "curent"), 2, "'curent'"),
        (("--markdown", "x.md"), 2, "--markdown shows a comparison, and there is none"),
        (("--format", "xml"), 2, "'xml' is not one of"),
        (("--translated", "--processes", "9"), 2, "it does not go with --processes"),
        (("--translated", "--format", "go"), 2, "it does not go with --format go"),
        (("--translated", "--kernel", "chase"), 19, "chase@4096 is not measured translated"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_wrong_use_is_one_line(capsys, tmp_path, monkeypatch, toolchain, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    ended, out, err = run(capsys, *arguments)
    assert (ended, out) == (code, "")
    assert said in err.split("\n")[0]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wanted", [("--json",), ("--format", "json"), ("--format=json",)], ids=" ".join)
def test_with_json_an_error_is_a_document(capsys, wanted):
    code, out, err = run(capsys, "--suite", "quik", *wanted)
    assert (code, err) == (2, "")
    assert "quik" in json.loads(out)["error"]["what"]


def test_kernels_that_the_baseline_lacks_are_refused_before_anything_is_measured(capsys, baseline):
    code, _out, err = run(capsys, "--against", baseline(), "--kernel", "fft-4096")
    assert code == 20
    assert "no kernel that can be compared: protobuf-marshal-small, tanh-go there, fft-4096 here" in err


def test_a_record_of_a_run_is_a_baseline():
    found = regression.load(RECORD)
    samples = json.loads(RECORD.read_text())["performance"]["samples"]
    assert list(found.series) == [sample["kernel"] for sample in samples]
    for sample, series in zip(samples, found.series.values(), strict=True):
        assert len(series.cpu) == len(series.wall) == len(sample["processes"])
        assert sorted(series.cpu)[len(series.cpu) // 2] == pytest.approx(sample["cpu"]["median"], rel=0.2)


def test_a_record_without_benchmarks_says_so(tmp_path):
    record = json.loads(RECORD.read_text())
    (tmp_path / "record.json").write_text(json.dumps(record | {"performance": None, "provenance": "measured"}))
    with pytest.raises(RecordError, match="holds no benchmarks: its run left out notebook 04_performance"):
        regression.load(tmp_path / "record.json")


def test_interrupted_it_leaves_no_process(tmp_path, toolchain):
    words = [sys.executable, "-m", "labkit", "bench", "--kernel", KERNELS[1], "--processes", "200"]
    with proc.start(words, env=environment(**home()), cwd=tmp_path) as running:
        proc.wait_until(lambda: bool(workers(running.pid)), timeout_s=120, what="a worker to start")
        os.kill(running.pid, signal.SIGINT)
        code = running.wait(60)
        proc.wait_until(lambda: not workers(running.pid), timeout_s=30, what="the worker to end")
    assert code == 130


def test_native_against_translated_is_the_paired_methods(capsys, toolchain):
    translators = {"linux/amd64": "qemu-aarch64", "linux/arm64": "qemu-x86_64"}
    if toolchain.platform not in translators:
        impossible("this test translates with qemu-user, which is for Linux")
    need(translators[toolchain.platform])
    code, out, _err = run(capsys, "--translated", "--kernel", KERNELS[0], "--time-limit", "0.1", "--json")
    document = json.loads(out)
    jsonschema.validate(document, SCHEMA)
    (difference,) = document["translated"]
    assert (code, document["kernels"], document["regression"]) == (0, [], None)
    assert (difference["changed"]["translator"], difference["baseline"]["translator"]) == ("qemu", None)
    assert difference["time_limit_s"] == 0.1
    found = msgspec.json.decode(out, type=BenchOutput)
    heads, row = shown.translated_rows(found.translated, Language.ENGLISH)
    assert dict(zip(heads, row, strict=True))["by"] == "qemu"
    assert row[0].startswith(KERNELS[0])


def workers(pid: int) -> list[int]:
    """The benchmark workers that a process has started, by the parents in the process table."""
    said = proc.run([need("ps"), "-axo", "pid=,ppid=,args="], env=environment(), timeout_s=30).stdout
    rows = [line.split(None, 2) for line in said.splitlines()]
    return [int(row[0]) for row in rows if int(row[1]) == pid and "worker" in row[2] and "--kernel" in row[2]]


# --- the rule, on numbers made up for it


def facts(**changed) -> dict[str, str | None]:
    return {"chip": "Apple M2", "suite": "3", "machine": "apple-m2", "toolchain": "aa", "power source": "ac"} | changed


def steady(center: float, n: int = 10) -> tuple[float, ...]:
    return tuple(center * (1 + 0.001 * i) for i in range(n))


def made(series: dict[str, Series | tuple[float, ...]], **changed) -> Baseline:
    full = {
        kernel: each if isinstance(each, Series) else Series(wall=each, cpu=each, cpu_share=1.0, single_threaded=True)
        for kernel, each in series.items()
    }
    return Baseline(name="base.json", taken_at="2026-11-23", facts=facts(**changed), series=full)


@pytest.mark.parametrize(
    ("ratio", "n", "threshold", "verdict"),
    [
        (1.10, 10, 5, Verdict.SLOWER),
        (1.04, 10, 5, Verdict.NONE),
        (1.04, 10, 1, Verdict.SLOWER),
        (0.90, 10, 5, Verdict.FASTER),
        (0.97, 10, 5, Verdict.NONE),
        (1.00, 10, 5, Verdict.NONE),
        (2.00, 3, 5, Verdict.TOO_FEW),
        (2.00, 4, 5, Verdict.SLOWER),
    ],
    ids=["slower", "under-the-threshold", "a-lower-threshold", "faster", "a-little-faster", "same", "three", "four"],
)
def test_verdicts(ratio, n, threshold, verdict):
    found = regression.compare(
        made({"a": steady(100, n)}), made({"a": steady(100 * ratio, n)}), threshold_percent=threshold
    )
    (change,) = found.changes
    assert change.verdict is verdict
    assert change.change_percent == pytest.approx(100 * (ratio - 1), abs=0.5)
    assert found.slower == (("a",) if verdict is Verdict.SLOWER else ())
    assert (change.could_have_seen_percent is None) is (n == 3)
    told = shown.verdict(change, found, Language.ENGLISH)
    assert told.startswith(
        {"slower": "slower", "faster": "faster", "none": "no difference shown (could", "too_few": "too few"}[verdict]
    )


def test_many_kernels_ask_for_more():
    """Five processes on each side tell one kernel; among ten, Holm's first level is beyond what five can reach."""
    old, new = steady(100, 5), steady(150, 5)
    alone = regression.compare(made({"a": old}), made({"a": new}))
    among = regression.compare(
        made({f"k{i}": old for i in range(10)}), made({"k0": new} | {f"k{i}": old for i in range(1, 10)})
    )
    assert alone.slower == ("a",)
    assert among.slower == ()
    assert among.changes[0].verdict is Verdict.TOO_FEW
    assert among.changes[0].p_adjusted == pytest.approx(10 * among.changes[0].p)
    assert "least: 6 on each side" in shown.verdict(among.changes[0], among, Language.ENGLISH)
    assert "Of 10 kernels no difference could have been shown" in shown.summary(among, Language.ENGLISH)


def test_wall_time_is_compared_only_where_the_cpu_share_allows():
    old = made({"a": Series(wall=steady(100), cpu=(), cpu_share=None, single_threaded=None), "b": steady(1)})
    busy = made({"a": Series(wall=steady(200), cpu=steady(100), cpu_share=0.5, single_threaded=True), "b": steady(1)})
    quiet = made({"a": Series(wall=steady(200), cpu=steady(100), cpu_share=0.95, single_threaded=True), "b": steady(1)})
    assert regression.compare(old, quiet).slower == ("a",)
    assert str(regression.compare(old, quiet).changes[0].clock) == "wall"
    found = regression.compare(old, busy)
    assert [each.why.id for each in found.not_compared] == ["benchcli.why.busy"]
    assert found.slower == ()
    waits = made({"a": Series(wall=steady(200), cpu=steady(100), cpu_share=0.5, single_threaded=False), "b": steady(1)})
    assert regression.compare(old, waits).slower == ("a",)


@pytest.mark.parametrize(
    ("before", "after", "refused", "listed"),
    [
        ({"chip": "Apple M1"}, {}, "chip is Apple M1 there and Apple M2 here", ()),
        ({"suite": "2"}, {}, "suite is 2 there and 3 here", ()),
        ({"translated": "yes"}, {"translated": "no"}, "translated is yes there and no here", ()),
        ({"toolchain": "bb"}, {}, None, ("toolchain",)),
        ({"machine": "apple-m2-other"}, {}, None, ("machine",)),
        ({"power source": "battery"}, {}, None, ("power source",)),
        ({"chip": None, "suite": None, "machine": None, "power source": None}, {}, None, ("chip", "suite", "machine")),
        ({"chip": "apple  m2"}, {}, None, ()),
        ({}, {}, None, ()),
    ],
    ids=["chip", "suite", "translated", "toolchain", "machine", "power", "unsaid", "squeezed", "same"],
)
def test_what_may_be_compared(before, after, refused, listed):
    old, new = made({"a": steady(1)}, **before), made({"a": steady(1)}, **after)
    if refused:
        with pytest.raises(UsageError, match=refused):
            regression.compare(old, new)
    else:
        assert tuple(each.field for each in regression.compare(old, new).differences) == listed


def test_nothing_in_common_is_no_success():
    with pytest.raises(VacuousError, match="no kernel that can be compared: a there, b here"):
        regression.compare(made({"a": steady(1)}), made({"b": steady(1)}))


def test_a_go_file_of_two_machines_is_refused(tmp_path):
    lines = [f"machine: m{i}\nBenchmarkKernel/tanh-go-8 1 2 ns/op\n" for i in range(2)]
    (tmp_path / "two.txt").write_text("".join(lines))
    with pytest.raises(UsageError, match="holds several runs: machine is m0, m1"):
        regression.load(tmp_path / "two.txt")


def test_what_go_test_prints_is_a_baseline(tmp_path):
    head = "goos: darwin\ngoarch: arm64\npkg: labkit.dev/kernels/kernel\ncpu: Apple M2\n"
    lines = "".join(f"BenchmarkKernel/chase/@65536-8 \t 1000\t {time} ns/op\t 0 B/op\r\n" for time in (5, 6, 7))
    (tmp_path / "go.txt").write_text(head + lines + "PASS\n")
    found = regression.load(tmp_path / "go.txt")
    assert found.series["chase@65536"].wall == pytest.approx((5, 6, 7))
    assert found.series["chase@65536"].cpu == ()
    assert (found.facts["system"], found.facts["chip"], found.facts["machine"]) == ("macos", "Apple M2", None)


def test_markdown_cannot_be_broken_out_of_and_stays_within_a_comment():
    hostile = "x|`<img src=x>@all\n## y](http://x)"
    names = {f"{hostile}{i}": steady(100) for i in range(400)}
    slow = {name: steady(200) for name in names}
    text = markdown.markdown(regression.compare(made(names), made(slow)), language=Language.ENGLISH)
    assert len(text) <= 65_536
    assert "300 more rows" in text
    assert "<img" not in text
    assert "@all" not in text.replace("\\@all", "")
    assert [line for line in text.splitlines() if line.startswith("#")] == [text.splitlines()[0]]
    assert all(line.replace("\\|", "").count("|") == 8 for line in text.splitlines() if line.startswith("|"))


def test_it_speaks_chinese():
    found = regression.compare(made({"a": steady(1)}), made({"a": steady(2)}))
    assert shown.summary(found, Language.CHINESE) == "1 个内核中有 1 个变慢：a。"  # noqa: RUF001 - Chinese
    assert "变慢" in markdown.markdown(found, language=Language.CHINESE)
    assert shown.change_rows(found, Language.CHINESE)[0][0] == "内核"


def test_the_options_default_is_the_rules():
    from inspect import signature

    from labkit.cli.bench import bench

    assert signature(bench).parameters["threshold"].default == regression.THRESHOLD_PERCENT
    assert f"{regression.THRESHOLD_PERCENT:g} when not given" in Path("docs/bench.md").read_text()
