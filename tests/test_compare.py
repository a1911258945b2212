"""Records side by side: what is pooled, what is refused by its field, where numbers come from; benchstat beside it."""

import json
import math
import random
from pathlib import Path
from statistics import median

import msgspec
import pytest

from labkit import compare as room
from labkit.bench.benchfmt import parse, write
from labkit.bench.benchstat import tables
from labkit.cli.app import main
from labkit.compare import bootstrap, parts, shown
from labkit.compare.export import benchmarks
from labkit.errors import RecordError, UsageError
from labkit.model.base import Provenance
from labkit.model.bench import ProcessSample, Sample, Slice
from labkit.model.binary import Binary
from labkit.model.check import Finding, Status
from labkit.model.comparison import Axis
from labkit.model.machine import Condition
from labkit.model.regression import BenchOutput, Measured, Verdict
from labkit.model.run import BinariesSection, CodegenSection, InstallSection, PerformanceSection, RunRecord
from labkit.model.structure import Structure
from labkit.model.toolchain import Toolchain
from labkit.system import records
from labkit.words import Language

#: Real runs of one machine, shortened: fewer findings, no listings; see their own dates and digests.
DATA = Path("tests/data/records").absolute()
SUITE_1 = [DATA / f"suite-1-{each}.json" for each in "abc"]
TRANSLATED = [DATA / f"translated-{each}.json" for each in "ab"]
replace = msgspec.structs.replace


@pytest.fixture
def save(tmp_path):
    """Return a function that writes a changed copy of a real record, as a run of its own."""

    def make(name: str, source: Path = SUITE_1[0], *, machine=None, scale=None, **changes) -> Path:
        record = records.read(source)
        if machine:
            record = replace(record, machine=replace(record.machine, **machine))
        if scale:
            record = replace(record, performance=scaled(record.performance, scale))
        path = tmp_path / f"{name}.json"
        path.write_bytes(records.encode(replace(record, run=name, **changes)))
        return path

    return make


def scaled(section, factors):
    """The section with some kernels' times multiplied, in every slice."""

    def slower(sample):
        factor = factors.get(sample.kernel, factors.get("*", 1))

        def of(each):
            times = {n: max(1, round(getattr(each, n) * factor)) for n in ("wall_time_ns", "cpu_time_ns")}
            return replace(each, **times)

        return replace(
            sample, processes=tuple(replace(p, slices=tuple(of(s) for s in p.slices)) for p in sample.processes)
        )

    return replace(section, samples=tuple(slower(each) for each in section.samples))


def compared(*paths, **options):
    return room.compare(room.read(paths), **options)


def row_of(comparison, name):
    return next(row for row in comparison.rows if row.name == name)


M2 = {"chip": "Apple M2", "id": "apple-m2-8c-24g-macos15", "system_name": "macOS", "system_version": "15.1"}


# ---- pooling and what is behind a number


def test_runs_of_one_machine_pool_as_runs_not_as_processes():
    comparison = compared(*SUITE_1)
    column, *judged = comparison.columns
    assert (column.n, column.runs, column.days) == (18, 3, ("2026-11-23",))
    assert [each.provenance for each in judged] == [Provenance.JUDGED] * 3
    value = row_of(comparison, "fft-4096").values[0]
    own = [room.load(path)[0].times["fft-4096"].values["cpu"] for path in SUITE_1]
    assert value.value == median(median(run) for run in own)
    assert value.value != median([each for run in own for each in run])
    assert value.low <= value.value <= value.high
    assert (value.n, value.runs, value.days) == (18, 3, 1)


def test_a_run_that_is_given_twice_counts_once(tmp_path):
    copy = tmp_path / "copy.json"
    copy.write_bytes(SUITE_1[0].read_bytes())
    comparison = compared(SUITE_1[0], copy)
    assert comparison.columns[0].runs == 1
    assert [(each.field, each.found) for each in comparison.refused] == [("run", "twice")]


def test_a_folder_gives_its_runs_without_the_copies_in_their_reports(tmp_path):
    for place in ("m/r1", "m/r1/report/r1", "m/r2"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "record.json").write_bytes(SUITE_1["r2" in place].read_bytes())
    assert [path.parent.name for path in room.find([tmp_path])] == ["r1", "r2"]
    with pytest.raises(UsageError, match=r"no record\.json"):
        room.find([_empty(tmp_path)])
    with pytest.raises(UsageError, match="does not exist"):
        room.find([tmp_path / "none"])


def _empty(folder):
    (folder / "empty").mkdir()
    return folder / "empty"


# ---- the contract


@pytest.mark.parametrize(
    ("axis", "paths", "field", "wanted", "found"),
    [
        (Axis.MACHINE, ("current", "suite-1-a"), "suite", "2", "1"),
        (Axis.MACHINE, ("current", "handbook"), "toolchain", "go 1.27.3", "go 1.21.13"),
        (Axis.TOOLCHAIN, ("current", "suite-1-a"), "suite", "2", "1"),
        (Axis.DAY, ("current", "handbook"), "toolchain", "go 1.27.3", "go 1.21.13"),
        (Axis.DAY, ("current", "suite-1-a"), "suite", "2", "1"),
        (Axis.TRANSLATION, ("translated-a", "current"), "translated", "side by side", "alone"),
    ],
)
def test_what_is_not_equal_is_refused_by_its_field(axis, paths, field, wanted, found):
    comparison = compared(*(DATA / f"{name}.json" for name in paths), axis=axis)
    (refusal,) = [each for each in comparison.refused if each.field == field]
    assert wanted in refusal.wanted
    assert found in refusal.found
    lines = " ".join(shown.refusal_lines(comparison))
    assert field in lines
    assert found in lines


@pytest.mark.parametrize(
    ("axis", "machine", "refused"),
    [
        (Axis.TOOLCHAIN, {"memory_bytes": 2**34}, "identity"),
        (Axis.DAY, {"chip": "AMD EPYC 9"}, "identity"),
        (Axis.DAY, {"kernel": "Linux 6.99"}, None),
        (Axis.MACHINE, {"translation": "rosetta"}, "translated"),
        (Axis.MACHINE, {"system_version": "12.9"}, None),
    ],
    ids=str,
)
def test_identity_is_held_equal_and_what_varies_is_listed(save, axis, machine, refused):
    comparison = compared(SUITE_1[0], save("other", SUITE_1[1], machine=machine), axis=axis)
    assert [each.field for each in comparison.refused] == ([refused] if refused else [])
    if refused is None:
        assert {"system kernel", "system version"} & {each.field for each in comparison.differs}
        assert comparison.columns[0].runs == 2


def test_soft_differences_are_listed_with_each_columns_values(save):
    record = records.read(SUITE_1[0]).performance
    hot = replace(record.condition_after, thermal_pressure="heavy", power_source="battery", load_1min=7.5)
    cold = replace(record.condition_before, thermal_pressure="nominal", power_source="ac", load_1min=0.1)
    paths = [
        save(
            name,
            machine=M2 | {"memory_bytes": memory},
            labkit_version=f"0.{turn}",
            performance=replace(record, condition_before=at, condition_after=at),
        )
        for turn, (name, memory, at) in enumerate((("a", 2**33, cold), ("b", 2**34, hot)))
    ]
    differs = {each.field: dict(each.values) for each in compared(*paths).differs}
    assert [*differs["thermal pressure"].values()] == [("nominal",), ("heavy",)]
    assert [*differs["load"].values()] == [("0.1",), ("7.5",)]
    assert {"power source", "labkit"} <= set(differs)


def test_a_kernel_with_another_payload_is_refused_alone(save):
    section = records.read(SUITE_1[0]).performance
    first = replace(section.samples[0], payload_bytes=99)
    other = save("other", machine=M2, performance=replace(section, samples=(first, *section.samples[1:])))
    comparison = compared(SUITE_1[0], other)
    (refusal,) = comparison.refused
    assert (refusal.field, refusal.kernel, refusal.found) == ("payload", section.samples[0].kernel, "99")
    ratio = row_of(comparison, section.samples[0].kernel).ratios[1]
    assert (ratio.ratio, ratio.why.values["field"]) == (None, "payload")
    assert row_of(comparison, section.samples[1].kernel).ratios[1].ratio == 1


def test_the_user_names_what_tells_machines_apart(save):
    other = save("other", SUITE_1[1], machine={"hypervisor": "other", "id": "x"})
    assert len(compared(SUITE_1[0], other).columns) == 4
    comparison = compared(SUITE_1[0], other, identity=("chip", "hypervisor"))
    assert [each.identity["hypervisor"] for each in comparison.columns[:2]] == ["KVM", "other"]
    with pytest.raises(UsageError, match="'chp'") as caught:
        compared(*SUITE_1, identity=("chp",))
    assert "'chip'" in caught.value.remedy


def test_the_baseline_is_named_or_refused(save):
    other = save("other", machine=M2)
    comparison = compared(SUITE_1[0], other, baseline="apple-m2")
    assert comparison.baseline == M2["id"]
    assert [ratio.ratio for ratio in row_of(comparison, "fft-4096").ratios[:2]] == [1.0, 1.0]
    for name in ("m4", ""):
        with pytest.raises(UsageError, match="column"):
            compared(SUITE_1[0], other, baseline=name)


# ---- ratios


def test_another_chip_has_a_ratio_with_its_interval_and_one_to_the_control(save):
    other = save("other", machine=M2, scale={"*": 0.5, "protobuf-marshal-large": 1.0})
    comparison = compared(SUITE_1[0], other)
    assert comparison.control == "fft-4096"
    ratio = row_of(comparison, "protobuf-marshal-small").ratios[1]
    assert ratio.ratio == pytest.approx(0.5, rel=1e-3)
    assert ratio.low < 0.5 < ratio.high
    assert ratio.to_control == pytest.approx(1, rel=1e-3)
    assert ratio.to_control_low < 1 < ratio.to_control_high
    assert ratio.change is None
    assert row_of(comparison, "protobuf-marshal-large").ratios[1].to_control == pytest.approx(2, rel=1e-3)
    assert row_of(comparison, "fft-4096").ratios[1].to_control is None


@pytest.mark.parametrize(("factor", "verdict"), [(10.0, Verdict.SLOWER), (0.1, Verdict.FASTER), (1.0, Verdict.NONE)])
def test_the_same_chip_is_a_regression_question(save, factor, verdict):
    other = save("other", machine={"memory_bytes": 2**33, "id": "more"}, scale={"fft-4096": factor})
    ratio = row_of(compared(SUITE_1[0], other), "fft-4096").ratios[1]
    assert ratio.change.verdict is verdict
    assert ratio.change.change_percent == pytest.approx(100 * (factor - 1), rel=1e-2, abs=0.1)


def test_of_several_runs_the_verdict_rests_on_runs(save):
    others = [save(f"o{n}", path, machine={"memory_bytes": 2**33}, scale={"*": 10.0}) for n, path in enumerate(SUITE_1)]
    change = row_of(compared(*SUITE_1, *others), "fft-4096").ratios[1].change
    assert (change.before.n, change.after.n) == (3, 3)
    assert change.verdict is Verdict.TOO_FEW  # 18 processes a side would have shown it ten times over


def test_days_of_one_machine(save):
    record = records.read(SUITE_1[1])
    later = tuple(replace(each, taken_at="2026-11-24T09:00:00+00:00") for each in record.performance.samples)
    other = save("later", SUITE_1[1], performance=replace(record.performance, samples=later))
    comparison = compared(SUITE_1[0], other, axis=Axis.DAY)
    assert [each.name for each in comparison.columns] == ["2026-11-23", "2026-11-24"]
    assert not comparison.refused
    assert row_of(comparison, "fft-4096").ratios[1].change is not None


def test_toolchains_of_one_machine():
    comparison = compared(DATA / "current.json", DATA / "handbook.json", axis=Axis.TOOLCHAIN)
    assert [each.name for each in comparison.columns] == ["current go1.27.3", "handbook go1.21.13"]
    assert comparison.control is None  # another compiler's FFT is other work
    assert all(ratio.ratio and ratio.low for row in comparison.rows for ratio in row.ratios[1:])
    assert row_of(comparison, "fft-4096").ratios[1].change.verdict is Verdict.SLOWER


def test_native_against_translated_is_divided_pair_by_pair():
    comparison = compared(*TRANSLATED, axis=Axis.TRANSLATION)
    assert [each.name for each in comparison.columns] == ["native", "translated (qemu)"]
    ratio = row_of(comparison, "protobuf-marshal-large").ratios[1]
    assert ratio.paired
    assert ratio.low < ratio.ratio < ratio.high
    verdict = records.read(TRANSLATED[1]).performance.translated[0].verdict
    alone = row_of(compared(TRANSLATED[1], axis=Axis.TRANSLATION), "protobuf-marshal-large").ratios[1]
    assert alone.ratio == pytest.approx(verdict.ratio, rel=0.1)
    single = row_of(compared(TRANSLATED[0], axis=Axis.TRANSLATION), "fft-4096").ratios[1]
    assert (single.low, single.why.id) == (None, "compare.why.no_interval")  # one pair


def test_records_that_are_refused_alike_share_a_line_and_are_named_once():
    paths = [*TRANSLATED, DATA / "current.json", DATA / "handbook.json", *SUITE_1]
    comparison = compared(*paths, axis=Axis.TRANSLATION)
    lines = shown.refusal_lines(comparison)
    assert len(lines) == len({(each.field, each.wanted, each.found, each.kernel) for each in comparison.refused})
    doubled = [replace(each, name="one run") for each in comparison.refused]
    assert all(line.count("one run") == 1 for line in shown.refusal_lines(replace(comparison, refused=tuple(doubled))))


# ---- the bootstrap


def test_a_drawn_median_is_distributed_as_a_resampled_one():
    values = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    draw = random.Random(5)
    resampled = [median(draw.choices(values, k=6)) for _ in range(20_000)]
    drawn = [each for seed in range(20) for each in bootstrap.replicates([values], seed=seed)]
    for limit in (1.5, 3, 6, 12, 24):
        share = sum(each <= limit for each in resampled) / len(resampled)
        assert sum(each <= limit for each in drawn) / len(drawn) == pytest.approx(share, abs=0.015)


def test_the_seed_decides_the_interval_and_nothing_else_does():
    runs = [[float(n + run) for n in range(1, 7)] for run in range(3)]
    assert bootstrap.bounds(runs, seed=1) == bootstrap.bounds([list(run) for run in runs], seed=1)
    assert bootstrap.bounds(runs, seed=1) != bootstrap.bounds(runs, seed=2)


def test_more_runs_narrow_an_interval_and_more_processes_of_one_noisy_run_do_not():
    def width(runs, processes):
        draw = random.Random(1)
        between = [draw.gauss(0, 0.1) for _ in range(runs)]
        made = [[math.exp(run + draw.gauss(0, 0.01)) for _ in range(processes)] for run in between]
        low, high = bootstrap.bounds(made, seed=1)
        return high / low

    assert width(18, 6) < width(6, 6)
    assert width(6, 60) > width(18, 6)


def test_too_few_values_have_no_interval():
    assert bootstrap.bounds([[1.0, 2.0]], seed=1) is None
    assert bootstrap.ratio_bounds([[1.0] * 6], [[1.0, 2.0]], seed=1) is None


# ---- where numbers come from


def test_machines_without_a_record_are_judged_and_never_empty():
    comparison = compared(DATA / "current.json")
    for at, chip in ((1, "Apple M1"), (2, "Apple M2"), (3, "Apple M3")):
        column = comparison.columns[at]
        assert (column.chip, column.provenance, column.n) == (chip, Provenance.JUDGED, 0)
        assert (column.why.id, column.how.id) == ("compare.why.no_record", "compare.how_to_send")
        assert {row.values[at].why.id for row in comparison.rows} == {"compare.why.no_record"}
        assert {row.cells[at].why.id for row in comparison.findings} == {"compare.why.no_record"}
        assert all(row.values[at].value is None and row.ratios[at].ratio is None for row in comparison.rows)
    judged = {row.name: [cell.runs for cell in row.cells] for row in comparison.binaries}
    assert judged["hello-darwin-arm64"] == ["no", "yes", "yes", "yes"]
    assert judged["hello-darwin-amd64"] == ["no", "translated", "translated", "translated"]
    assert not any(cell.confirmed_on_hardware for row in comparison.binaries for cell in row.cells[1:])
    assert "docs/record.md" in " ".join(shown.missing_lines(comparison))


@pytest.mark.parametrize("chip", ["Apple M2", "Apple M2 Pro"])
def test_a_record_takes_the_place_of_what_was_judged(save, chip):
    comparison = compared(SUITE_1[0], save("mac", machine=M2 | {"chip": chip}))
    assert [each.chip for each in comparison.columns if each.provenance is Provenance.JUDGED] == [
        "Apple M1",
        "Apple M3",
    ]


def test_made_up_records_are_refused_unless_they_are_asked_for(save):
    made_up = save("made-up", machine=M2, provenance=Provenance.SYNTHETIC)
    with pytest.raises(UsageError, match="provenance synthetic"):
        compared(made_up)
    comparison = compared(SUITE_1[0], made_up)
    assert [(each.name, each.field) for each in comparison.refused] == [("made-up", "provenance")]
    welcome = compared(SUITE_1[0], made_up, include=(Provenance.SYNTHETIC,))
    assert [each.provenance for each in welcome.columns[:2]] == ["measured", "synthetic"]
    sample = records.read(SUITE_1[0]).performance
    hidden = replace(sample, samples=(replace(sample.samples[0], provenance=Provenance.SYNTHETIC), *sample.samples[1:]))
    with pytest.raises(UsageError, match="provenance synthetic"):
        compared(save("hidden", performance=hidden))


def test_findings_stand_side_by_side_with_the_gravest_first(save):
    section = records.read(DATA / "current.json").install
    failed = replace(section.findings[0], status=Status.FAIL)
    bad = save("bad", DATA / "current.json", install=replace(section, findings=(failed, *section.findings[1:])))
    first = compared(DATA / "current.json", bad).findings[0].cells[0]
    assert (first.status, dict(first.counts)) == (Status.FAIL, {Status.PASS: 1, Status.FAIL: 1})


# ---- other documents


def test_a_bench_document_is_compared_like_a_record(tmp_path):
    record = records.read(SUITE_1[1])
    section = record.performance
    output = BenchOutput(
        labkit_version="0.1.0",
        machine=record.machine,
        condition_before=section.condition_before,
        condition_after=section.condition_after,
        toolchain="current",
        kernels=tuple(Measured(sample=each, could_see_percent=None) for each in section.samples),
        not_measured=(),
        regression=None,
    )
    path = tmp_path / "bench.json"
    path.write_bytes(msgspec.json.encode(output))
    comparison = compared(SUITE_1[0], path)
    assert (comparison.columns[0].runs, comparison.refused) == (2, ())


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"{", "damaged or no record"),
        (b"[]", "damaged or no record"),
        (b'{"a": 1}', "no document of labkit"),
        (b'{"run": "x", "schema": 99}', "schema 99"),
        (b'{"run": "x", "schema": 1}', "missing required field"),
        (b"\xff\xfe", "damaged or no record"),
    ],
    ids=["cut", "a list", "other JSON", "newer", "empty", "UTF-16"],
)
def test_what_is_no_record_is_refused(tmp_path, content, what):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=what):
        room.load(path)


def test_a_file_read_into_a_room_is_what_it_is_alone():
    room_of_one = bytearray(1 << 20)
    paths = sorted(DATA.glob("*.json"))
    shared = [room.load(path, room_of_one) for path in paths]
    room_of_one[:] = bytes(len(room_of_one))  # nothing refers to it
    assert shared == [room.load(path) for path in paths] == [room.load(path, bytearray(9)) for path in paths]


@pytest.mark.parametrize("factor", [{"iterations": 0}, {"cpu_time_ns": -1}, {"wall_time_ns": 0}, None], ids=str)
def test_times_that_cannot_be_are_refused_and_no_crash(save, factor):
    section = records.read(SUITE_1[0]).performance
    sample = section.samples[0]
    slices = () if factor is None else (replace(sample.processes[0].slices[0], **factor),)
    broken = replace(sample, processes=(replace(sample.processes[0], slices=slices),))
    with pytest.raises(RecordError, match="times that no process can have") as caught:
        compared(save("broken", performance=replace(section, samples=(broken,))))
    assert "--check" in caught.value.remedy


def test_a_kernel_of_which_no_process_came_to_its_end_has_no_times(save):
    """An interrupted run keeps its samples without processes; the others are compared."""
    section = records.read(SUITE_1[0]).performance
    first = replace(section.samples[0], processes=())
    empty = save("empty", performance=replace(section, samples=(first, *section.samples[1:])))
    comparison = compared(empty)
    assert section.samples[0].kernel not in {row.name for row in comparison.rows}
    assert section.samples[1].kernel in {row.name for row in comparison.rows}


@pytest.mark.parametrize(
    ("own", "model"),
    [
        (parts.RecordDocument, RunRecord),
        (parts.Install, InstallSection),
        (parts.Codegen, CodegenSection),
        (parts.Binaries, BinariesSection),
        (parts.Performance, PerformanceSection),
        (parts.Structure, Structure),
        (parts.Sample, Sample),
        (parts.Process, ProcessSample),
        (parts.Slice, Slice),
        (parts.Condition, Condition),
        (parts.Finding, Finding),
        (parts.Binary, Binary),
        (parts.Toolset, Toolchain),
        (parts.BenchDocument, BenchOutput),
        (parts.Measured, Measured),
    ],
)
def test_what_is_compared_is_a_part_of_what_a_record_has(own, model):
    """The fields that are read alone have their names and types in the model, so that neither drifts from the other."""
    told = {each.name: each for each in msgspec.structs.fields(model)}
    plain = (int, str, float, bool, int | None, float | None, str | None, bool | None, Provenance, Status)
    for each in msgspec.structs.fields(own):
        assert each.name in told
        if each.type in plain or told[each.name].type in plain:
            assert each.type == told[each.name].type


def test_a_part_that_does_not_fit_is_refused_by_its_name(tmp_path):
    document = json.loads(SUITE_1[0].read_text())
    document["machine"]["chip"] = 7
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document))
    with pytest.raises(RecordError, match=r"got `int` - at `\$\.chip` \(in machine\)"):
        room.load(path)


# ---- benchstat beside ours


def test_benchstat_sees_the_same_medians_and_the_same_machines(save):
    paths = [SUITE_1[0], save("other", machine=M2, scale={"*": 2.0})]
    entries = room.read(paths)
    comparison = room.compare(entries)
    text = benchmarks(entries, comparison)
    by_machine = tables([("x", parse(text.encode(), name="x"))], column="machine", ignore=("day", "cpu"))
    (table,) = [each for each in by_machine.tables if each.unit == "cpu-sec/op"]
    assert list(table.columns) == [each.name for each in comparison.columns[:2]]
    for row in table.rows:
        ours = row_of(comparison, row.partition("/")[2].rpartition("-")[0])
        cell = table.cells[row, table.columns[1]]
        assert cell.summary.center * 1e9 == pytest.approx(ours.values[1].value, rel=1e-6)
        assert cell.summary.center / cell.base.center == pytest.approx(ours.ratios[1].ratio, rel=1e-6)


def test_benchstat_pools_processes_where_we_pool_runs():
    entries = room.read(SUITE_1)
    ours = row_of(room.compare(entries), "fft-4096").values[0]
    text = benchmarks(entries, room.compare(entries))
    (table,) = [each for each in tables([("x", parse(text.encode(), name="x"))]).tables if each.unit == "cpu-sec/op"]
    theirs = table.cells["Kernel/fft-4096-2", "x"].summary
    assert theirs.center * 1e9 != pytest.approx(ours.value)
    assert theirs.high * 1e9 - theirs.low * 1e9 < ours.high - ours.low


def test_what_is_refused_is_not_written_for_benchstat():
    entries = room.read([DATA / "current.json", DATA / "handbook.json"])
    text = benchmarks(entries, room.compare(entries))
    assert "go1.27.3" in text
    assert "go1.21.13" not in text
    assert write(records.read(DATA / "current.json").performance.samples, entries[0].machine) in text


# ---- the command


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["compare", *map(str, arguments)])
    return int(ended.value.code or 0), capsys.readouterr()


def test_the_command_prints_one_document(capsys):
    import jsonschema

    code, said = command(capsys, *SUITE_1, DATA / "current.json", "--json")
    assert code == 0
    document = json.loads(said.out)
    jsonschema.validate(document, json.loads(Path("docs/schemas/compare.json").read_text()))
    assert {"axis", "columns", "rows", "refused", "differs"} <= set(document)
    assert {"name", "provenance", "n"} <= set(document["columns"][0])
    assert {"name", "values", "ratios"} <= set(document["rows"][0])
    assert all(len(row["values"]) == len(document["columns"]) for row in document["rows"])


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("axis", list(Axis))
def test_the_command_shows_every_axis_in_both_languages(capsys, monkeypatch, axis, language):
    monkeypatch.setenv("LABKIT_LANG", language)
    code, said = command(capsys, DATA, "--across", axis)
    assert code == 0
    assert "compare." not in said.out  # no text without its sentence
    assert "None" not in said.out
    assert "nan" not in said.out


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (("nowhere.json",), 2, "does not exist"),
        ((SUITE_1[0], "--baseline", "m9"), 2, "no column named 'm9'"),
        ((SUITE_1[0], "--identity", "chp"), 2, "no key 'chp'"),
        ((SUITE_1[0], "--across", "colour"), 2, "colour"),
        ((SUITE_1[0], "--include", "guessed"), 2, "guessed"),
    ],
    ids=lambda value: str(value[-1]) if isinstance(value, tuple) else None,
)
def test_wrong_use(capsys, arguments, code, what):
    ended, said = command(capsys, *arguments)
    assert ended == code
    assert what in said.err


# ---- without any record


def test_without_a_record_what_is_judged_is_shown_and_how_to_send_one(tmp_path, monkeypatch, facts):
    monkeypatch.chdir(tmp_path)
    comparison = room.compare(room.read_named("", facts))
    here, *judged = comparison.columns
    assert (here.chip, here.provenance, here.n) == (facts.machine.chip, Provenance.MEASURED, 0)
    assert (here.why.id, here.how.id) == ("compare.why.no_times", "compare.how_to_measure")
    assert [(each.chip, each.provenance) for each in judged] == [
        (chip, Provenance.JUDGED)
        for chip in ("Apple M1", "Apple M2", "Apple M3")
        if not (facts.machine.chip or "").startswith(chip)
    ]
    assert {each.why.id for each in judged} == {"compare.why.no_record"}
    programs = {row.name: [str(cell.runs) for cell in row.cells[1:]] for row in comparison.binaries}
    assert programs["hello-darwin-arm64"] == ["yes"] * len(judged)
    assert programs["hello-linux-arm64"] == ["no"] * len(judged)
    assert comparison.rows == ()
    said = " ".join(shown.missing_lines(comparison))
    assert "no record from this chip yet (Apple M2)" in said or len(judged) < 3
    assert "make report" in said


def test_runs_of_the_folder_go_before_what_is_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "runs/m/one"
    place.mkdir(parents=True)
    (place / "record.json").write_bytes(SUITE_1[0].read_bytes())
    assert [each.name for each in room.read_named("", None)] == [records.read(SUITE_1[0]).run]
    with pytest.raises(UsageError, match="does not exist"):
        room.read_named("run", None)
