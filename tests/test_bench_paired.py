"""The experiment: real workers in pairs, workers that fail in every way, roles, condition, translation."""

import math
import os
import sys
from pathlib import Path

import msgspec
import pytest

from labkit.bench.paired import (
    PairedPlan,
    compare,
    compare_all,
    conditions,
    cores,
    judging,
    translated_arms,
    translated_plan,
)
from labkit.bench.paired.plan import Roles
from labkit.bench.paired.sequential import schedule
from labkit.bench.paired.serving import Greeting, Served
from labkit.bench.worker import WorkerError
from labkit.errors import ImpossibleHereError, ProcessError, TimeoutExpiredError, UsageError
from labkit.model.machine import Condition
from labkit.model.paired import Arm, Clock, Difference, Judgement, Pair, PairedSlice, Stop, Translator
from labkit.system import environment, proc
from labkit.words import Language, catalogue, render
from tests.support import need

GREETING = {
    "schema": 1, "suite_version": 4, "kernel": "beta", "single_threaded": True, "threads": 1, "needs_wall_time": False,
    "refused_translated": False, "iterations": 100, "units": 100, "goos": "linux", "goarch": "arm64",
    "go_version": "go1.27.3", "gomaxprocs": 2, "translated": None, "cpu_name": "", "executed_by": "worker",
}  # fmt: skip
SLICE = {"iterations": 100, "wall_time_ns": 1_010_000, "cpu_time_ns": 1_000_000, "involuntary_switches": 0}
QUICK = PairedPlan(couples=4, slice_time_us=500, time_limit_s=60, seed=5)

# What a fake worker does with $line; it counts its slices in $n.
FAKE = """\
here=$(dirname "$0")
echo "$*" >> "$here/calls"
cat "$here/greeting.json"
n=0
while read -r line; do
  n=$((n + 1))
  %s
done
"""


class Fake:
    """A worker made of a shell script and the JSON that it prints."""

    def __init__(self, folder, executable, name="worker"):
        self.folder = folder / name
        self.make = lambda act: executable("worker", FAKE % act, self.folder)
        self.path = self.make('cat "$here/slice.json"')
        self.says()
        self.slices()

    def says(self, **changed):
        (self.folder / "greeting.json").write_bytes(msgspec.json.encode(GREETING | changed) + b"\n")

    def slices(self, **changed):
        (self.folder / "slice.json").write_bytes(msgspec.json.encode(SLICE | changed) + b"\n")

    def arm(self, **changed):
        return Arm(**{"label": self.folder.name, "program": (str(self.path),), "kernel": "beta"} | changed)

    def calls(self):
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def fake(tmp_path, executable):
    return Fake(tmp_path, executable)


@pytest.fixture
def slow(tmp_path, executable):
    made = Fake(tmp_path, executable, "slow")
    made.slices(cpu_time_ns=1_100_000, wall_time_ns=1_111_000)
    return made


# plan and roles


@pytest.mark.parametrize(
    "numbers",
    [{"couples": 2}, {"couples": 7}, {"slice_time_us": 99}, {"time_limit_s": 0}, {"seed": -1}],
    ids=lambda numbers: "-".join(f"{name}{value}" for name, value in numbers.items()),
)
def test_a_plan_out_of_range_is_refused(numbers):
    with pytest.raises(UsageError, match=next(iter(numbers))):
        PairedPlan(**numbers)


def test_roles_are_swapped_and_drawn_from_the_seed():
    def drawn(seed):
        roles = Roles(seed, 16)
        return [(roles.changed_starts_first(), roles.changed_goes_first()) for _ in range(20)]

    pairs = drawn(3)
    assert pairs == drawn(3) != drawn(4)
    starts = [start for start, _ in pairs]
    assert all(starts[i] != starts[i + 1] for i in range(0, 20, 2))  # each two pairs have each role once
    assert len({tuple(starts[i : i + 2]) for i in range(0, 20, 2)}) == 2
    assert all(sum(turns) == 8 for _, turns in pairs)
    assert len({turns for _, turns in pairs}) > 15
    assert sorted(Roles(1, 4).shuffled(5)) == [0, 1, 2, 3, 4]


# an experiment with fakes


def test_a_clear_slowdown_is_told_at_the_first_look(fake, slow):
    found = compare(fake.arm(), slow.arm(), QUICK)
    told = found.verdict
    assert (told.judgement, told.clock, found.stopped) == (Judgement.SLOWER, Clock.CPU, Stop.CLEAR)
    assert (told.ratio, told.low, told.high) == pytest.approx((1.1, 1.1, 1.1))
    assert told.pairs == len(found.pairs) == schedule().looks[0]
    assert told.reason.values == {"percent": 10.0}
    assert found.other.clock is Clock.WALL
    assert found.cpu_share == pytest.approx(0.99, abs=0.001)
    assert all(len(pair.baseline) == len(pair.changed) == 4 for pair in found.pairs)
    assert [pair.position for pair in found.pairs] == list(range(8))
    assert found.baseline.worker_sha256 != ""
    assert found.seed == 5
    # The record can be written and read, and its sentences exist.
    assert msgspec.json.decode(msgspec.json.encode(found), type=Difference) == found
    for language in Language:
        assert "10" in render(told.reason, language)


def test_the_other_way_round_it_is_faster(fake, slow):
    assert compare(slow.arm(), fake.arm(), QUICK).verdict.judgement is Judgement.FASTER


def test_two_alike_are_the_same(fake):
    told = compare(fake.arm(label="one"), fake.arm(label="two"), QUICK).verdict
    assert (told.judgement, told.ratio) == (Judgement.SAME, 1.0)
    assert told.reason.values == {"threshold": 1.0}


def test_processes_are_fresh_and_have_one_iteration_count(fake, slow):
    compare(fake.arm(), slow.arm(environment={"GODEBUG": "madvdontneed=0"}), QUICK)
    calls = fake.calls()
    assert len(calls) == 2 + 8  # to calibrate, to see that it holds, and one a pair
    assert "--iterations" not in calls[0]
    assert all("--iterations 100" in call for call in calls[1:])
    assert len(slow.calls()) == 10


def test_both_processes_of_a_pair_share_a_core_where_one_can_be_chosen(fake, slow):
    told = compare(fake.arm(), slow.arm(), QUICK)
    chosen = {pair.core for pair in told.pairs}
    assert chosen <= set(cores.available() or {None})


def test_the_environment_of_an_arm_reaches_its_worker_only(fake, tmp_path, executable):
    other = Fake(tmp_path, executable, "other")
    for one in (fake, other):
        one.path = one.make('echo "$GODEBUG" >> "$here/seen"; cat "$here/slice.json"')
    found = compare(fake.arm(), other.arm(environment={"GODEBUG": "madvdontneed=0"}), QUICK)
    assert set((fake.folder / "seen").read_text().split("\n")) == {""}
    assert set((other.folder / "seen").read_text().split()) == {"madvdontneed=0"}
    assert found.changed.environment == {"GODEBUG": "madvdontneed=0"}


def test_arms_of_very_different_speed_have_counts_of_their_own(fake, tmp_path, executable):
    other = Fake(tmp_path, executable, "other")
    other.says(iterations=10)
    other.slices(iterations=10)
    told = compare(fake.arm(), other.arm(), QUICK).verdict
    assert told.ratio == pytest.approx(10)


def test_several_comparisons_are_interleaved_and_corrected_together(fake, slow):
    found = compare_all([(fake.arm(), slow.arm()), (fake.arm(), fake.arm()), (slow.arm(), slow.arm())], QUICK)
    assert [one.verdict.judgement for one in found] == [Judgement.SLOWER, Judgement.SAME, Judgement.SAME]
    assert {one.verdict.compared_with for one in found} == {3}
    first = found[0].verdict
    assert first.holm_p_value == pytest.approx(3 * first.looks[-1].overall_p_value)
    positions = sorted(pair.position for one in found for pair in one.pairs)
    assert positions == list(range(len(positions)))
    first_rounds = [pair.position for pair in found[0].pairs][: schedule().looks[0]]
    assert [position // 3 for position in first_rounds] == list(range(schedule().looks[0]))  # one a round,
    assert len({position % 3 for position in first_rounds}) > 1  # at no fixed place of it


def test_a_kernel_that_needs_wall_time_asks_the_cores(fake, slow):
    for one, wall in ((fake, 1_000_000), (slow, 1_200_000)):
        one.says(needs_wall_time=True, single_threaded=False, threads=2)
        one.slices(cpu_time_ns=100_000, wall_time_ns=wall)
        probe = '{"threads": 2, "wall_time_ns": 1000000, "cpu_time_ns": %d}'
        one.path = one.make(f"""case $line in slice) cat "$here/slice.json";; *) echo '{probe % 1_900_000}';; esac""")
    quiet = compare(fake.arm(), slow.arm(), QUICK)
    assert (quiet.verdict.clock, quiet.verdict.judgement) == (Clock.WALL, Judgement.SLOWER)
    assert quiet.core_share == pytest.approx(0.95)
    assert {pair.core for pair in quiet.pairs} == {None}  # its threads need cores of their own
    slow.path = slow.make(f"""case $line in slice) cat "$here/slice.json";; *) echo '{probe % 1_000_000}';; esac""")
    fake.path = fake.make(f"""case $line in slice) cat "$here/slice.json";; *) echo '{probe % 1_000_000}';; esac""")
    busy = compare(fake.arm(), slow.arm(), QUICK).verdict
    assert (busy.judgement, busy.reason.id) == (Judgement.TOO_NOISY, "paired.reason.busy_cores")


def test_a_busy_host_has_no_wall_verdict_but_one_of_cpu_time(fake, slow):
    for one in (fake, slow):
        one.slices(cpu_time_ns=1_000_000 if one is fake else 1_100_000, wall_time_ns=2_000_000)
    found = compare(fake.arm(), slow.arm(), QUICK)
    assert found.verdict.judgement is Judgement.SLOWER
    assert (found.other.judgement, found.other.reason.id) == (Judgement.TOO_NOISY, "paired.reason.busy")


def test_without_time_for_a_first_look_it_is_too_noisy_to_say(fake):
    fake.path = fake.make('i=0; while [ $i -lt 5000 ]; do i=$((i + 1)); done; cat "$here/slice.json"')
    found = compare(fake.arm(), fake.arm(), PairedPlan(couples=8, time_limit_s=0.1))
    assert len(found.pairs) < schedule().looks[0]
    assert (found.verdict.judgement, found.verdict.reason.id) == (Judgement.TOO_NOISY, "paired.reason.few")
    assert (found.verdict.ratio, found.verdict.holm_p_value, found.verdict.could_have_seen) == (None, None, None)
    assert found.stopped is Stop.TIME


# failures


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        ('[ $n = 3 ] && { echo "out of luck" >&2; exit 7; }; cat "$here/slice.json"', WorkerError, "exit code 7.*luck"),
        ("echo nonsense", WorkerError, "said 'nonsense'"),
        ("echo '{\"iterations\": 100}'", WorkerError, "missing required field"),
        ("exec sleep 60", TimeoutExpiredError, "did not answer within"),
        ("exit 3", WorkerError, "result wrong on this machine"),
        ("kill -9 $$", WorkerError, "SIGKILL"),
    ],
    ids=["dies", "nonsense", "half a line", "hangs", "check fails", "killed"],
)
def test_a_worker_that_fails_in_the_middle_is_an_error(fake, slow, act, error, says):
    slow.path = slow.make(act)
    with pytest.raises(error, match=says) as caught:
        compare(fake.arm(), slow.arm(), QUICK, timeout_s=2 if error is TimeoutExpiredError else 60)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"schema": 2}, "speaks schema 2"),
        ({"kernel": "alpha"}, "serves 100 units of alpha"),
        ({"units": 105}, "serves 105 units"),
        ({"iterations": 0}, "said "),
    ],
    ids=["another schema", "another kernel", "other units", "no iterations"],
)
def test_a_greeting_is_believed_when_it_makes_sense(fake, said, says):
    fake.says(**said)
    with pytest.raises(WorkerError, match=says):
        compare(fake.arm(), fake.arm(), QUICK)


def test_other_faults_are_said(fake, slow, tmp_path):
    with pytest.raises(UsageError, match="two kernels"):
        compare(fake.arm(), slow.arm(kernel="alpha"), QUICK)
    with pytest.raises(UsageError, match="no arms"):
        compare_all([], QUICK)
    with pytest.raises(ProcessError, match="could not be started"):
        compare(fake.arm(), fake.arm(program=(str(tmp_path / "none"),)), QUICK)
    slow.says(suite_version=5)
    with pytest.raises(WorkerError, match="suites are of versions 4 and 5"):
        compare(fake.arm(), slow.arm(), QUICK)
    slow.says(iterations=150)
    with pytest.raises(WorkerError, match="makes 150 iterations a slice, not 100"):
        compare(fake.arm(), slow.arm(), QUICK)
    slow.says()
    slow.slices(iterations=99)
    with pytest.raises(WorkerError, match="made 99 iterations, not 100"):
        compare(fake.arm(), slow.arm(), QUICK)


# verdicts that pairs of a script cannot give


def judged(values, looks, **more):
    series = judging.Series(values=values, looks=looks)
    return judging.verdict(Clock.CPU, [series], 0, too_busy=None, **more)


def test_pairs_that_scatter_show_nothing_and_say_how_much_they_could_have_seen():
    values = [0.03 * math.sin(37 * i) for i in range(24)]
    told = judged(values, 4)
    assert told.judgement is Judgement.NO_DIFFERENCE_SHOWN
    assert 0.01 < told.could_have_seen < 0.04
    assert told.low < 1 < told.high
    assert [look.pairs for look in told.looks] == list(schedule().looks)
    assert judged([10 * value for value in values], 4).reason.id == "paired.reason.blind"


def test_what_is_beyond_chance_but_too_small_to_matter_is_not_shown():
    values = [0.007 + 0.006 * math.sin(37 * i) for i in range(24)]
    assert judging.state(judging.Series(values=values, looks=4)).overall_p_value < 0.001
    told = judged(values, 4)
    assert told.judgement in {Judgement.NO_DIFFERENCE_SHOWN, Judgement.SAME}
    assert 1 < told.ratio < 1.01


def test_what_is_clear_alone_need_not_be_clear_among_several():
    clear = judging.Series(values=[0.03 + 0.001 * i for i in range(8)], looks=1)
    nothing = judging.Series(values=[0.02 * math.sin(37 * i) for i in range(8)], looks=1)
    alone = judging.verdict(Clock.CPU, [clear], 0, too_busy=None)
    among = judging.verdict(Clock.CPU, [clear, nothing, nothing], 0, too_busy=None)
    assert (alone.judgement, among.judgement) == (Judgement.SLOWER, Judgement.TOO_NOISY)
    assert among.holm_p_value == pytest.approx(3 * alone.holm_p_value)
    assert not judging.is_clear([clear, nothing, nothing], 0)


def test_futile_is_what_more_pairs_cannot_make_clear():
    wide = [0.1 * math.sin(37 * i) for i in range(24)]
    assert judging.is_futile(judging.Series(values=wide, looks=3), judging.ALPHA)
    near = [0.02 + 0.02 * math.sin(37 * i) for i in range(24)]
    assert not judging.is_futile(judging.Series(values=near, looks=1), judging.ALPHA)


# the condition


def condition(**known):
    return Condition(
        **dict.fromkeys(Condition.__struct_fields__) | {"taken_at": "", "sources": {}, "missing": {}} | known
    )


def pair(cpu_time_ns=1000_000, switches=0):
    slices = (PairedSlice(cpu_time_ns=cpu_time_ns, wall_time_ns=2_000_000, involuntary_switches=switches),) * 4
    return Pair(
        position=0, changed_started_first=False, changed_went_first=(False,) * 4, baseline=slices, changed=slices,
        core_shares=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "pairs", "wanted"),
    [
        ({}, {}, [pair()] * 4, []),
        ({"power_source": "ac"}, {"power_source": "battery"}, [pair()], ["battery", "power_changed"]),
        ({"low_power_mode": True}, {"low_power_mode": True}, [pair()], ["low_power"]),
        ({"thermal_pressure": "0 of 10"}, {"thermal_pressure": "3 of 10"}, [pair()], ["heat"]),
        ({"thermal_pressure": "nominal"}, {"thermal_pressure": "heavy"}, [pair()], ["heat"]),
        ({"cpu_speed_limit_percent": 100}, {"cpu_speed_limit_percent": 80}, [pair()], ["speed_limit"]),
        ({"throttle_count": 1}, {"throttle_count": 4}, [pair()], ["throttled"]),
        ({}, {}, [pair(switches=5)] * 4, ["switches"]),
        ({}, {}, [pair(), pair(), pair(1_100_000), pair(1_100_000)], ["drift"]),
    ],
    ids=["nothing", "battery", "low power", "cooling", "heat", "speed", "throttled", "switches", "drift"],
)
def test_the_condition_s_doubts_go_with_the_result(before, after, pairs, wanted):
    found = conditions.warnings(pairs, [], condition(**before), condition(**after))
    assert [text.id for text in found] == [f"paired.warning.{name}" for name in wanted]
    assert all("{" not in render(text, language) for text in found for language in Language)


@pytest.mark.parametrize(
    ("said", "translator", "warned"),
    [
        ({}, None, []),
        ({"goos": "darwin", "translated": False}, None, []),
        ({"goarch": "amd64", "translated": True, "cpu_name": "VirtualApple @ 2.50GHz"}, Translator.ROSETTA, []),
        ({"goarch": "amd64", "translated": True, "cpu_name": "Intel"}, Translator.ROSETTA, ["witnesses"]),
        ({"goarch": "amd64", "translated": False, "cpu_name": "VirtualApple @ 1"}, Translator.ROSETTA, ["witnesses"]),
        ({"executed_by": "qemu-aarch64"}, Translator.QEMU, ["qemu"]),
        ({"goarch": "amd64", "cpu_name": "QEMU TCG CPU version 2.5+"}, Translator.QEMU, ["qemu"]),
    ],
    ids=["native", "native mac", "rosetta", "one witness", "the other witness", "qemu-aarch64", "qemu-x86_64"],
)  # fmt: skip
def test_who_executes_is_read_from_witnesses(said, translator, warned):
    greeting = msgspec.convert(GREETING | said, Greeting)
    assert greeting.translator is translator
    found = conditions.warnings([pair()], [greeting], condition(), condition())
    assert [text.id for text in found] == [f"paired.warning.{name}" for name in warned]


def test_a_cpu_time_of_nothing_is_one_step_of_the_clock():
    assert conditions.log_ratio(pair(0), Clock.CPU, 1.0) == 0.0


def test_every_value_of_a_verdict_has_its_words():
    for kind, topic in ((Judgement, "judgement"), (Stop, "stop")):
        assert {f"paired.{topic}.{value}" for value in kind} <= set(catalogue(Language.ENGLISH))


# the real worker


@pytest.fixture(scope="module")
def worker(facts):
    return Path(facts.worker.path)


def real(worker, units=100, **changed):
    return Arm(label=f"{units} units", program=(str(worker),), kernel="protobuf-marshal-large", units=units, **changed)


def test_twice_the_work_is_found_by_the_real_worker(worker):
    # Long before the numbers can be trusted: few couples, on whatever else the machine does.
    found = compare(real(worker), real(worker, units=200), PairedPlan(couples=16, slice_time_us=500, time_limit_s=120))
    assert found.verdict.judgement is Judgement.SLOWER
    assert 1.4 < found.verdict.ratio < 2.9
    assert found.baseline.iterations == found.changed.iterations
    assert found.baseline.translator is None
    assert found.baseline.go_version.startswith("go1.")


def test_the_real_worker_refuses_and_its_words_arrive(worker):
    with pytest.raises(WorkerError, match="there is no kernel"):
        compare(*(Arm(label=name, program=(str(worker),), kernel="none") for name in "xy"), QUICK)


def test_the_real_probe_gives_a_share_of_a_core(worker):
    with Served(real(worker), iterations=20, slice_time_us=500, timeout_s=60) as served:
        served.greeted()
        assert 0 < served.core_share(2) <= 1


# translation


def test_translated_arms_run_side_by_side_and_say_so(facts):
    if sys.platform != "linux":
        pytest.skip("impossible here: qemu-user is Linux's")
    need("qemu-aarch64" if facts.toolchain.platform == "linux/amd64" else "qemu-x86_64")
    ((native, other),) = translated_arms(facts.worker_for, facts.toolchain.platform, ["protobuf-marshal-small"])
    assert (native.label, other.label, len(other.program)) == ("native", "translated", 2)
    found = compare(native, other, PairedPlan(couples=4, slice_time_us=500, time_limit_s=120))
    assert found.verdict.judgement is Judgement.SLOWER
    assert (found.baseline.translator, found.changed.translator) == (None, Translator.QEMU)
    assert found.changed.platform != found.baseline.platform
    assert "paired.warning.qemu" in {text.id for text in found.warnings}


def test_each_arm_of_the_plugin_has_that_of_its_platform(facts):
    if sys.platform != "linux":
        pytest.skip("impossible here: qemu-user is Linux's")
    emulator = need("qemu-aarch64" if facts.toolchain.platform == "linux/amd64" else "qemu-x86_64")
    kernels = ["tanh-go", "protoc-gen-go"]
    arms = translated_arms(facts.worker_for, facts.toolchain.platform, kernels, plugin=facts.plugin_for)
    native, other = (arm.environment for arm in arms[1])
    assert set(native) == {"LABKIT_PROTOC_GEN_GO"}
    assert other["LABKIT_LAUNCHER"] == str(emulator)
    assert Path(native["LABKIT_PROTOC_GEN_GO"]).name == f"protoc-gen-go-{facts.toolchain.platform.replace('/', '-')}"
    assert native["LABKIT_PROTOC_GEN_GO"] != other["LABKIT_PROTOC_GEN_GO"]
    ((native_alone, _),) = translated_arms(facts.worker_for, facts.toolchain.platform, ["tanh-go"])
    assert native_alone.environment == {}


@pytest.mark.parametrize(
    ("platform", "couples"), [("linux/amd64", 16), ("linux/arm64", 16), ("darwin/arm64", PairedPlan().couples)]
)
def test_an_emulator_gets_fewer_couples_and_every_translator_more_time(platform, couples):
    plan = translated_plan(platform, seed=7)
    assert (plan.couples, plan.seed) == (couples, 7)
    assert plan.time_limit_s > PairedPlan().time_limit_s
    assert translated_plan(platform, time_limit_s=3).time_limit_s == 3


def test_what_would_tell_of_the_host_is_refused(facts, tmp_path, fake):
    platform = facts.toolchain.platform
    with pytest.raises(ImpossibleHereError, match="chase@65536 is not measured translated"):
        translated_arms(facts.worker_for, platform, ["chase@65536"])
    with pytest.raises(UsageError, match="no benchmark kernel walk"):
        translated_arms(facts.worker_for, platform, ["walk"])
    with pytest.raises(ImpossibleHereError, match="nothing is known to run another architecture on plan9/arm"):
        translated_arms(facts.worker_for, "plan9/arm", ["fft-4096"])
    if platform.startswith("linux/"):
        with pytest.raises(ImpossibleHereError, match=r"qemu-.* is not on PATH") as caught:
            translated_arms(facts.worker_for, platform, ["fft-4096"], path=str(tmp_path))
        assert "apt-get install qemu-user" in caught.value.remedy
    # And once more where the arms are made by hand: the worker's own witness counts.
    fake.says(executed_by="qemu-aarch64", refused_translated=True)
    with pytest.raises(ImpossibleHereError, match="beta runs translated by qemu"):
        compare(fake.arm(), fake.arm(), QUICK)


@pytest.mark.skipif(sys.platform != "linux", reason="impossible here: only Linux lets a program choose its cores")
def test_a_child_is_held_to_the_core_and_the_parent_is_not():
    own = os.sched_getaffinity(0)
    core = max(cores.available())
    said = []
    for wanted in (core, None):
        with cores.children_on(wanted):
            words = [sys.executable, "-c", "import os; print(sorted(os.sched_getaffinity(0)))"]
            said.append(proc.run(words, env=environment.base(), timeout_s=30).stdout.strip())
        assert os.sched_getaffinity(0) == own
    assert said == [str([core]), str(sorted(own))]
