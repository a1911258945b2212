"""Fresh worker processes in their order; what they print is believed when it makes sense. The workers are fakes."""

import os
from pathlib import Path

import msgspec
import pytest

from labkit import bench
from labkit.bench import Plan, WorkerError
from labkit.bench.plan import schedule
from labkit.bench.statistics import summarise
from labkit.bench.summary import cpu_share, wall_ns_per_op, warnings
from labkit.errors import ProcessError, TimeoutExpiredError, UsageError
from labkit.model.bench import ProcessSample, Sample, Slice
from labkit.system import proc
from labkit.words import Language, render

KERNELS = ("alpha-small", "alpha-large", "beta")

SLICE = {"iterations": 100, "wall_time_ns": 1_000, "cpu_time_ns": 990}
DOCUMENT = {
    "schema": 2,
    "suite_version": 4,
    "kernel": "beta",
    "title": "Beta",
    "checked": "all of it",
    "single_threaded": True,
    "payload_bytes": 37,
    "goos": "linux",
    "goarch": "arm64",
    "go_version": "go1.27.3",
    "gomaxprocs": 2,
    "translated": None,
    "slices": [SLICE] * 5,
    "allocated_bytes_per_op": 48.5,
    "allocations_per_op": 1.0,
    "involuntary_switches": 0,
    "minor_faults": 3,
    "peak_memory_bytes": 9_000_000,
}


LISTED = {
    "name": "a",
    "title": "a",
    "checked": "",
    "family": "made up",
    "operation": "message",
    "single_threaded": True,
    "threads": 1,
    "needs_wall_time": False,
    "bytes_per_op": 0,
    "real_time_ns": 0,
    "point_unit": "",
    "points": [],
    "default_point": 0,
    "refused_translated": False,
    "arms": [],
}


class Fake:
    """A worker made of a shell script and the JSON files that it prints."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "worker"
        kernels = [LISTED | {"name": k, "title": k} for k in KERNELS]
        self.listing({"schema": 2, "suite_version": 4, "kernels": kernels, "not_measured": []})
        for kernel in KERNELS:
            self.document(kernel, kernel=kernel)
        self.acting('cat "$here/$3.json"')

    def listing(self, value) -> None:
        (self.folder / "list.json").write_bytes(msgspec.json.encode(value))

    def document(self, name, /, **changed) -> None:
        (self.folder / f"{name}.json").write_bytes(msgspec.json.encode(DOCUMENT | changed))

    def acting(self, run: str) -> None:
        """Set what `worker run --kernel NAME ...` does; the folder is $here, and each call is noted in `calls`."""
        self.path.write_text(
            "#!/bin/sh\n"
            'here=$(dirname "$0")\n'
            'if [ "$1" = list ]; then cat "$here/list.json"; exit; fi\n'
            'echo "$*" >> "$here/calls"\n' + run + "\n"
        )
        self.path.chmod(0o755)

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def run(self, **plan) -> tuple[Sample, ...]:
        timeout_s = plan.pop("timeout_s", None)
        return bench.run(
            self.path,
            Plan(**{"kernels": KERNELS, "processes": 5, "slices": 5, "slice_time_ms": 2} | plan),
            toolchain_digest="set",
            worker_digest="program",
            timeout_s=timeout_s,
        )


@pytest.fixture
def fake(tmp_path):
    return Fake(tmp_path)


# the plan


@pytest.mark.parametrize(
    "numbers",
    [{"processes": 4}, {"processes": 201}, {"slices": 2}, {"slice_time_ms": 1}, {"slice_time_ms": 1001}, {"seed": -1}],
    ids=lambda numbers: "-".join(f"{name}{value}" for name, value in numbers.items()),
)
def test_a_plan_out_of_range_is_refused(numbers):
    with pytest.raises(UsageError, match=next(iter(numbers))):
        Plan(**numbers)


def test_a_plan_names_a_kernel_once():
    with pytest.raises(UsageError, match="named twice: beta"):
        Plan(kernels=("beta", "alpha", "beta"))


def test_every_round_has_every_kernel_once_in_a_new_order():
    order = schedule(KERNELS, 20, seed=3)
    rounds = [order[start : start + 3] for start in range(0, 60, 3)]
    assert len(order) == 60
    assert all(sorted(round_) == sorted(KERNELS) for round_ in rounds)
    assert len(set(rounds)) > 3
    assert order == schedule(KERNELS, 20, seed=3) != schedule(KERNELS, 20, seed=4)


# the run


def test_each_kernel_gets_its_processes_in_the_order_of_the_seed(fake):
    samples = fake.run(processes=6, slice_time_ms=20, seed=11)
    order = [call.split()[2] for call in fake.calls()]
    assert order == list(schedule(KERNELS, 6, seed=11))
    assert fake.calls()[0].split()[3:] == ["--slices", "5", "--slice-time", "20ms"]
    assert [sample.kernel for sample in samples] == list(KERNELS)
    for sample in samples:
        assert [p.position for p in sample.processes] == [i for i, name in enumerate(order) if name == sample.kernel]


def test_a_sample_holds_raw_numbers_and_medians_over_processes(fake):
    # The n-th process takes n times 1000 ns a slice, and its first slice is far off.
    fake.acting(
        'n=$(wc -l < "$here/calls" | tr -d " ")\n'
        'sed -e "s/wall_time_ns\\":1000/wall_time_ns\\":${n}000/g"'
        ' -e "s/wall_time_ns\\":${n}000/wall_time_ns\\":99000/" "$here/$3.json"'
    )
    (sample,) = fake.run(kernels=("beta",), processes=7)
    assert sample.wall.median == 40  # ns/op: the fourth of 10, 20, ... 70; the slice that is off moves no median
    assert (sample.wall.low, sample.wall.high, sample.wall.n) == (10, 70, 7)
    assert sample.cpu.median == 9.9
    assert [p.slices[0].wall_time_ns for p in sample.processes] == [99_000] * 7
    assert [p.slices[1].wall_time_ns for p in sample.processes] == [n * 1000 for n in range(1, 8)]
    assert (sample.suite_version, sample.platform, sample.payload_bytes) == (4, "linux/arm64", 37)
    assert (sample.toolchain, sample.worker, sample.unit) == ("set", "program", "ns/op")
    assert msgspec.json.decode(msgspec.json.encode(sample), type=Sample) == sample


def test_only_the_named_kernels_run_in_the_order_named(fake):
    assert [sample.kernel for sample in fake.run(kernels=("beta", "alpha-large"))] == ["beta", "alpha-large"]


def test_progress_is_told_after_each_process(fake):
    seen = []
    plan = Plan(kernels=("beta",), processes=5, slice_time_ms=2)
    bench.run(fake.path, plan, toolchain_digest="", worker_digest="", progress=lambda *told: seen.append(told))
    assert seen == [(done, 5, "beta") for done in range(1, 6)]


def test_an_unknown_kernel_names_the_nearest(fake):
    with pytest.raises(UsageError, match="no benchmark kernel alfa-small") as caught:
        fake.run(kernels=("alfa-small",))
    assert "did you mean alpha-small?" in caught.value.remedy
    assert not (fake.folder / "calls").exists()


# what a worker may not say

NONSENSE = {
    "wrong-kernel": ({"kernel": "gamma"}, "measured gamma, not beta"),
    "zero-iterations": ({"slices": [SLICE | {"iterations": 0}] * 5}, r"iterations"),
    "no-wall-time": ({"slices": [SLICE] * 4 + [SLICE | {"wall_time_ns": 0}]}, r"wall_time_ns"),
    "negative-cpu-time": ({"slices": [SLICE] * 4 + [SLICE | {"cpu_time_ns": -3}]}, r"cpu_time_ns"),
    "too-few-slices": ({"slices": [SLICE] * 4}, "4 slices, not 5"),
    "unlike-iterations": (
        {"slices": [SLICE] * 4 + [SLICE | {"iterations": 7}]},
        r"differ in their iterations: \[7, 100\]",
    ),
    "longer-than-it-lived": ({"slices": [SLICE | {"wall_time_ns": 10**12}] * 5}, "slices took 5000.000 s"),
    "newer-schema": ({"schema": 3}, "schema 3; this labkit reads schema 2"),
    "unknown-field": ({"speed": 1}, "speed"),
    "text-for-a-number": ({"peak_memory_bytes": "9 MB"}, "peak_memory_bytes"),
}


@pytest.mark.parametrize(("changed", "says"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused(fake, changed, says):
    fake.document("beta", **changed)
    with pytest.raises(WorkerError, match=says) as caught:
        fake.run(kernels=("beta",))
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("echo garbage", "printed no valid measurement"),
        ("exit 0", "printed no valid measurement"),
        ('printf "\\377\\376"', "printed no valid measurement"),
        ("echo oh no >&2; exit 1", "exit code 1: oh no"),
        ("kill -SEGV $$", "SIGSEGV"),
        ('echo "beta: check failed: 7 is not 8" >&2; exit 3', "check failed: 7 is not 8.*nothing was timed"),
    ],
    ids=["garbage", "nothing", "not-utf8", "fails", "crashes", "check-fails"],
)
def test_a_worker_that_fails_is_one_line(fake, action, says):
    fake.acting(action)
    with pytest.raises(WorkerError, match=says) as caught:
        fake.run(kernels=("beta",))
    assert len(fake.calls()) == 1
    assert caught.value.exit_code == ProcessError.exit_code
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("listing", "says"),
    [
        ({"schema": 2, "suite_version": 1, "kernels": [DOCUMENT], "not_measured": []}, "no list of kernels"),
        ({"schema": 2, "suite_version": 1, "kernels": [], "not_measured": []}, "no list of kernels"),
        (["beta"], "no list of kernels"),
    ],
    ids=["other-fields", "no-kernels", "another-shape"],
)
def test_a_list_that_is_none_is_refused(fake, listing, says):
    fake.listing(listing)
    with pytest.raises(WorkerError, match=says):
        fake.run()


def test_a_list_of_a_newer_schema_is_refused(fake):
    fake.listing(
        {
            "schema": 3,
            "suite_version": 1,
            "kernels": [LISTED],
            "not_measured": [],
        }
    )
    with pytest.raises(WorkerError, match="schema 3"):
        fake.run()


def test_a_worker_that_hangs_is_ended_with_its_children(fake):
    fake.acting('sleep 600 & echo $! > "$here/child"; echo $$ > "$here/own"; wait')
    with pytest.raises(TimeoutExpiredError, match=r"did not end within 0\.5 s"):
        fake.run(kernels=("beta",), timeout_s=0.5)
    for name in ("own", "child"):
        pid = int((fake.folder / name).read_text())
        proc.wait_until(lambda pid=pid: not alive(pid), timeout_s=10, what=f"the end of the worker's {name} process")


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")  # one that nobody has reaped yet is a zombie, not alive
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def test_a_worker_that_is_not_there(tmp_path):
    with pytest.raises(ProcessError, match="could not be started"):
        bench.run(tmp_path / "none", Plan(), toolchain_digest="", worker_digest="")


# doubts travel with the sample

QUIET = Slice(iterations=100, wall_time_ns=10_000_000, cpu_time_ns=9_950_000)
SLOWING = tuple(Slice(iterations=100, wall_time_ns=t + 9_000, cpu_time_ns=t) for t in range(900_000, 960_000, 10_000))


def doubts(*, slices=(QUIET,) * 6, switches=0, translated=None, single_threaded=True):
    process = ProcessSample(
        position=0,
        slices=slices,
        allocated_bytes_per_op=0.0,
        allocations_per_op=0.0,
        involuntary_switches=switches,
        peak_memory_bytes=1,
        translated=translated,
    )
    return warnings(
        [process] * 6,
        wall=summarise([wall_ns_per_op(slices[0])] * 6),
        cpu_shares=summarise([cpu_share(slices[0])] * 6),
        single_threaded=single_threaded,
    )


def with_cpu_time(cpu_time_ns):
    return (Slice(iterations=100, wall_time_ns=10_000_000, cpu_time_ns=cpu_time_ns),) * 6


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        ({}, []),
        ({"slices": with_cpu_time(8_900_000)}, ["busy"]),
        ({"slices": with_cpu_time(9_100_000)}, []),
        ({"slices": with_cpu_time(3_000_000), "single_threaded": False}, []),
        ({"switches": 31}, ["switches"]),  # in 59.7 ms of CPU time
        ({"switches": 29}, []),
        ({"switches": 400, "single_threaded": False}, []),
        ({"slices": SLOWING}, ["drift"]),
        ({"slices": SLOWING[::-1]}, ["drift"]),
        ({"slices": (SLOWING[0], SLOWING[1]) * 3}, []),
        ({"translated": True}, ["translated"]),
        ({"translated": False}, []),
    ],
    ids=[
        "quiet", "busy", "just-quiet", "waits-by-nature", "switches", "few-switches", "switches-by-nature",
        "slows", "speeds-up", "to-and-fro", "rosetta", "native",
    ],
)  # fmt: skip
def test_doubts(seen, wanted):
    found = doubts(**seen)
    assert [warning.id for warning in found] == [f"bench.warning.{name}" for name in wanted]
    for warning in found:
        assert all(render(warning, language) != warning.id for language in Language)


def test_a_drift_is_told_with_its_direction():
    assert doubts(slices=SLOWING)[0].values == {"percent": 3.3}
    assert "+3.3 %" in render(doubts(slices=SLOWING)[0], Language.ENGLISH)
    assert doubts(slices=SLOWING[::-1])[0].values == {"percent": -3.2}


def test_too_few_processes_for_an_interval_is_a_doubt(fake):
    (sample,) = fake.run(kernels=("beta",), processes=5)
    assert sample.wall.low is None
    assert [render(w, Language.ENGLISH) for w in sample.warnings] == [
        "No interval: need at least 6 processes for 95 %, have 5."
    ]


def test_processes_that_differ_are_a_doubt(fake):
    fake.acting(
        'n=$(wc -l < "$here/calls" | tr -d " ")\nsed "s/wall_time_ns\\":1000/wall_time_ns\\":1${n}00/g" "$here/$3.json"'
    )
    (sample,) = fake.run(kernels=("beta",), processes=6)
    assert (sample.wall.low, sample.wall.high) == (11, 16)
    assert [w.id for w in sample.warnings] == ["bench.warning.spread", "bench.warning.busy"]
    assert sample.warnings[0].values == {"percent": 37}
