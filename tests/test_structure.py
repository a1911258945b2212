"""Knees on synthetic curves with known capacities, what they mean here, ratios of layouts, the verdict on quiet."""

import math
import random
from pathlib import Path

import msgspec
import pytest

from labkit import gobuild, machine
from labkit.bench import structure
from labkit.bench.statistics import summarise
from labkit.bench.structure import judging, knees, layouts, quietness, ratios, sweeping
from labkit.bench.worker import Kernel, WorkerError, list_all
from labkit.errors import ProcessError
from labkit.model.machine import Translation
from labkit.model.paired import Clock
from labkit.model.structure import Curve, Quietness
from tests.structure_synthetic import KIB, MIB, SIZES, Synthetic, made
from tests.test_bench_present import synthetic

SHAPES = [
    Synthetic("one step", (32 * KIB,), (1.2, 4.5), sharpness=8),
    Synthetic("one, replaced at random", (128 * KIB,), (1.0, 5.0), sharpness=1),
    Synthetic("two steps", (32 * KIB, 1 * MIB), (1.2, 4, 14), sharpness=8),
    Synthetic("two, smooth", (32 * KIB, 512 * KIB), (1.2, 4, 14), sharpness=2),
    Synthetic("two, replaced at random", (32 * KIB, 512 * KIB), (1.2, 4, 14), sharpness=1),
    Synthetic("two, 8 % of noise", (48 * KIB, 2 * MIB), (1.2, 4, 14), noise=0.08),
    Synthetic("two, octaves only", (64 * KIB, 1 * MIB), (1.2, 4, 14), octaves_only=True),
    Synthetic("two far apart", (128 * KIB, 12 * MIB), (1.0, 5.5, 100), sharpness=3),
    Synthetic("two that sag", (32 * KIB, 1 * MIB), (1.2, 4, 30), sag=0.08),
    Synthetic("three", (32 * KIB, 1 * MIB, 16 * MIB), (1.2, 4, 14, 90), sharpness=3),
    Synthetic("contaminated from 4 MiB", (32 * KIB, 512 * KIB), (1.2, 4, 40), contaminated_from=4 * MIB),
    Synthetic(
        "two, full caches scatter",
        (32 * KIB, 1 * MIB),
        (1.1, 3.8, 130),
        sharpness=6,
        octaves_only=True,
        scattered_at=(32 * KIB, 1 * MIB),
    ),
    Synthetic("none", (), (1.2,)),
    Synthetic("none, 10 % of noise", (), (1.2,), noise=0.1),
    Synthetic("none, but it sags", (), (1.2,), sag=0.1, noise=0.05),
]
CURVES = [pytest.param(shape, seed, id=f"{shape.name}-{seed}") for shape in SHAPES for seed in range(3)]


def test_there_are_enough_curves():
    assert len(CURVES) >= 40


@pytest.mark.parametrize(("shape", "seed"), CURVES)
def test_each_capacity_is_found_within_a_factor_of_2_and_nothing_else_is(shape, seed):
    found = [knee for knee in knees.find(made(shape, seed)) if knee.stable]
    assert len(found) == len(shape.capacities), found
    for knee, capacity in zip(found, shape.capacities, strict=True):
        assert capacity / 2 <= knee.at <= 2 * capacity
        assert knee.plateau_end <= knee.at <= knee.above
        assert knee.before_ns < knee.after_ns


@pytest.mark.parametrize("seed", range(6))
def test_from_where_processes_disagree_the_curve_is_called_not_stable(seed):
    points = made(Synthetic("noisy end", (32 * KIB,), (1.2, 4), contaminated_from=4 * MIB), seed)
    assert knees.unstable_from(points) in {4 * MIB, 6 * MIB, 8 * MIB}
    assert all(knee.above < 4 * MIB for knee in knees.find(points) if knee.stable)


@pytest.mark.parametrize("seed", range(4))
def test_a_curve_that_only_neighbours_made_has_no_stable_knee(seed):
    points = made(Synthetic("noise alone", (), (1.2,), contaminated_from=0), seed)
    assert knees.unstable_from(points) is not None
    assert not any(knee.stable for knee in knees.find(points))


def test_few_points_have_no_knee():
    assert knees.find(made(SHAPES[0], 1)[:3]) == ()


def test_a_point_is_the_median_of_least_slices_with_its_interval():
    point = knees.point(4096, [1.3, 1.0, 1.1, 1.2, 1.1, 1.2])
    assert (point.time_ns.median, point.time_ns.low, point.time_ns.high) == (pytest.approx(1.15), 1.0, 1.3)
    assert point.stable
    assert not knees.point(4096, [1.0, 1.0, 1.0, 9.0, 9.0, 9.0]).stable


def test_what_pages_cost_is_without_what_the_caches_cost():
    sparse = [knees.point(at, [time] * 6) for at, time in ((16, 1.0), (64, 1.0), (128, 3.0), (1024, 6.0))]
    dense = [knees.point(at, [time] * 6) for at, time in ((16, 1.0), (64, 1.0), (128, 1.0), (1024, 4.0))]
    assert [each.time_ns.median for each in sweeping.page_cost(sparse, dense)] == [1.0, 1.0, 3.0, 3.0]


HERE = machine.read()


def mac(chip="Apple M1", *, l1d=128 * KIB, l2=12 * MIB, line=128):
    level = msgspec.structs.replace(
        HERE.performance_levels[0], l1d_cache_bytes=l1d, l2_cache_bytes=l2, l3_cache_bytes=None
    )
    return msgspec.structs.replace(HERE, chip=chip, performance_levels=(level,), cache_line_bytes=line)


def curve(points, probe="chase"):
    return Curve(
        probe=probe,
        unit="bytes",
        clock=Clock.CPU,
        points=tuple(points),
        knees=knees.find(points),
        unstable_from=knees.unstable_from(points),
    )


APPLE = curve(made(Synthetic("apple", (128 * KIB, 12 * MIB), (1.0, 5.5, 100), sharpness=3), 1))


def test_knees_stand_beside_the_sizes_that_they_are_nearest_to():
    found = {said.name: said for said in judging.beside(mac(), APPLE)}
    assert set(found) == {"l1d", "l2"}
    assert all(said.within_a_factor_of_2 for said in found.values())
    other = {said.name: said for said in judging.beside(mac(l1d=48 * KIB, l2=1 * MIB), APPLE)}
    assert other["l1d"].within_a_factor_of_2 is False
    assert other["l2"].within_a_factor_of_2 is False


def test_a_cache_without_a_stable_knee_has_no_answer():
    flat = curve(made(Synthetic("none", (), (1.2,)), 1))
    assert [said.within_a_factor_of_2 for said in judging.beside(mac(), flat)] == [None, None]
    assert judging.beside(msgspec.structs.replace(HERE, performance_levels=()), flat) == ()


STRIDES = (8, 16, 32, 64, 96, 128, 192, 256)


@pytest.mark.parametrize(("line", "doubted"), [(64, False), (128, False), (512, True)])
def test_the_line_is_the_first_stride_that_misses_twice(line, doubted):
    strides = curve([knees.point(at, [90.0 if at < line else 170.0] * 6) for at in (*STRIDES, 384, 512)], "line-stride")
    (said,) = judging.line(mac(line=64), strides)
    if line < 512:  # the last point alone is no plateau's start, but a rise all the same
        assert said.found_bytes == line
    assert ("line-hidden" in [each.id for each in judging.doubts(mac(line=64), None, strides)]) is doubted


@pytest.mark.parametrize(
    ("chip", "curve_", "expected"),
    [
        pytest.param("Apple M1", APPLE, set(), id="M1, an ordinary curve"),
        pytest.param("Apple M2 Pro", APPLE, {"predictors"}, id="M2"),
        pytest.param("Apple M3", APPLE, {"predictors"}, id="M3"),
        pytest.param("Apple M12", APPLE, {"predictors"}, id="a later one"),
        pytest.param("AMD EPYC", APPLE, set(), id="not Apple's"),
        pytest.param(
            "Apple M1",
            curve([knees.point(at, [0.3] * 6) for at in SIZES]),
            {"below-first-level", "flat-chain"},
            id="0.3 ns",
        ),
        pytest.param(
            "Apple M1", curve([knees.point(at, [1.0] * 6) for at in SIZES]), {"flat-chain"}, id="never slower"
        ),
        pytest.param(
            "Apple M1", curve([knees.point(at, [1.0] * 6) for at in SIZES[:10]]), set(), id="never slower, but not far"
        ),
    ],
)
def test_predicted_loads_are_told_of_and_never_as_confirmed(chip, curve_, expected):
    found = judging.doubts(mac(chip, l2=12 * MIB), curve_, None)
    assert {each.id for each in found} == expected
    assert not any(each.confirmed_on_hardware for each in found)
    assert all(each.source.startswith("https://") for each in found)


def test_a_ratio_has_the_interval_of_mann_and_whitney():
    base, other = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5], [2.0, 2.2, 2.4, 2.6, 2.8, 3.0]
    said = ratios.ratio(base, other)
    # n = m = 6: the 6th least and greatest of 36 ratios, 95.9 % (tables of U: critical value 5).
    every = sorted(b / a for a in base for b in other)
    assert (said.low, said.high) == (pytest.approx(every[5]), pytest.approx(every[-6]))
    assert said.confidence == pytest.approx(1 - 2 * 19 / math.comb(12, 6))
    assert said.ratio == pytest.approx(2.0)
    assert said.shown


def test_the_interval_holds_the_true_ratio_as_often_as_it_says():
    rng = random.Random(7)
    held = 0
    for _ in range(400):
        base, other = ([scale * rng.lognormvariate(0, 0.1) for _ in range(8)] for scale in (1.0, 1.05))
        said = ratios.ratio(base, other)
        held += said.low <= 1.05 <= said.high
    assert 0.93 <= held / 400 <= 0.99


@pytest.mark.parametrize(
    ("other", "shown"),
    [
        pytest.param([1.0, 1.01, 1.02, 0.99, 0.98, 1.0], False, id="the same"),
        pytest.param([1.004, 1.005, 1.006, 1.004, 1.005, 1.006], False, id="too small to matter"),
        pytest.param([0.8, 0.81, 0.79, 0.8, 0.82, 0.8], True, id="faster"),
    ],
)
def test_a_difference_is_shown_or_what_could_have_been_seen(other, shown):
    said = ratios.ratio([1.0, 1.0001, 1.0002, 0.9999, 0.9998, 1.0], other)
    assert said.shown is shown
    assert said.could_see_percent >= 1


def test_three_processes_have_no_interval():
    said = ratios.ratio([1.0, 1.1, 1.2], [2.0, 2.2, 2.4])
    assert (said.low, said.high, said.confidence, said.shown, said.could_see_percent) == (None, None, None, False, None)


CALM = msgspec.structs.replace(
    machine.condition(),
    load_1min=0.2,
    logical_core_count=2,
    thermal_pressure="nominal",
    power_source="ac",
    low_power_mode=False,
)


def sample(times, share=1.0, *, single=True):
    made_up = synthetic(times_ns=times)
    return msgspec.structs.replace(
        made_up, cpu=summarise(times), cpu_share=summarise([share] * len(times)), single_threaded=single
    )


STEADY, SCATTERED = (100.0, 101.0, 102.0, 99.0, 100.5, 101.5), (100.0, 140.0, 180.0, 90.0, 120.0, 160.0)


@pytest.mark.parametrize(
    ("change", "samples", "expected", "reason"),
    [
        pytest.param({}, [sample(STEADY)], Quietness.QUIET, "kernels", id="quiet"),
        pytest.param({}, [sample(STEADY, 0.5)], Quietness.CPU_TIME_ONLY, "kernels", id="half a core"),
        pytest.param({"load_1min": 9.0}, [sample(STEADY)], Quietness.CPU_TIME_ONLY, "load", id="loaded"),
        pytest.param({"thermal_pressure": "heavy"}, [sample(STEADY)], Quietness.CPU_TIME_ONLY, "hot_before", id="hot"),
        pytest.param({"low_power_mode": True}, [sample(STEADY)], Quietness.CPU_TIME_ONLY, "low_power", id="low power"),
        pytest.param({"power_source": "battery"}, [sample(STEADY)], Quietness.CPU_TIME_ONLY, "battery", id="battery"),
        pytest.param({}, [sample(SCATTERED)], Quietness.TOO_NOISY, "kernels", id="scattered"),
        pytest.param({}, [sample(STEADY[:5])], Quietness.TOO_NOISY, "kernels", id="too few processes"),
        pytest.param({}, [sample(STEADY, single=False)], Quietness.TOO_NOISY, "nothing", id="no kernel of one thread"),
        pytest.param({}, [], Quietness.TOO_NOISY, "nothing", id="nothing measured"),
    ],
)
def test_the_verdict_on_quiet_and_its_reasons(change, samples, expected, reason):
    condition = msgspec.structs.replace(CALM, **change)
    said = quietness.quiet(condition, condition, samples)
    assert said.verdict is expected
    assert f"structure.quiet.{reason}" in [each.id for each in said.reasons]


@pytest.mark.parametrize("translation", [each for each in Translation if each is not Translation.NATIVE])
def test_a_translated_machine_is_refused_and_says_why(translation, tmp_path):
    there = msgspec.structs.replace(HERE, translation=translation)
    done = structure.probe(tmp_path / "none", there, (48, ()), every=False, processes=6, seed=1)
    assert done.curves == ()
    assert done.refused.id == "structure.refused.translated"
    assert done.struct_size_bytes == 48  # a layout is the compiler's, however it is asked


def test_few_points_are_some_of_all():
    fake = {
        "chase": msgspec.convert(_kernel("chase", SIZES), type=Kernel),
        "line-stride": msgspec.convert(_kernel("line-stride", [8, 16, 32, 64, 96, 128, 512]), type=Kernel),
        "false-sharing": msgspec.convert(_kernel("false-sharing", [8, 64, 128, 256]), type=Kernel),
    }
    for kernel in fake.values():
        assert sweeping.points_of(kernel, every=True) == kernel.points
        assert set(sweeping.points_of(kernel, every=False)) <= set(kernel.points)
    assert max(sweeping.points_of(fake["chase"], every=False)) == sweeping.FEW_CHASE_BYTES
    assert sweeping.points_of(fake["false-sharing"], every=False) == (8, 64, 128, 256)


def _kernel(name, points):
    return {
        "name": name, "title": "", "checked": "", "family": "structure", "operation": "load", "single_threaded": True,
        "threads": 1, "needs_wall_time": False, "bytes_per_op": 0, "real_time_ns": 0, "point_unit": "bytes",
        "points": list(points), "default_point": points[0], "refused_translated": True, "arms": [],
    }  # fmt: skip


@pytest.fixture(scope="module")
def worker(facts):
    return Path(facts.worker.path)


def test_the_worker_has_every_probe_with_points(worker):
    known = {kernel.name: kernel for kernel in list_all(worker).kernels}
    for name in (*sweeping.CURVES, *sweeping.LAYOUTS):
        assert len(known[name].points) >= 3


def test_a_small_sweep_is_interleaved_and_has_a_time_for_each_process(worker):
    seen = []
    taken = sweeping.sweep(
        worker,
        {"chase": (4096, 65536), "payload-encode": (48, 64)},
        processes=5,
        seed=3,
        slices=3,
        progress=lambda done, of, name: seen.append((done, of, name)),
    )
    assert [each[0] for each in seen] == list(range(1, 21))
    assert {each[2] for each in seen[:4]} == {"chase@4096", "chase@65536", "payload-encode@48", "payload-encode@64"}
    near, far = sweeping.curve_points(taken, "chase")
    assert (near.at, far.at, near.time_ns.n) == (4096, 65536, 5)
    assert 0 < near.time_ns.median < far.time_ns.median
    (difference,) = layouts.differences(taken)
    assert (difference.kernel, difference.base, difference.other) == ("payload-encode", 48, 64)
    assert 0.2 < difference.ratio.ratio < 5


def test_a_worker_that_lacks_a_probe_is_told_of(worker):
    with pytest.raises(WorkerError):
        sweeping.sweep(worker, {"chase": (7,)}, processes=5, seed=1)


def test_the_layout_is_the_compilers(toolchain):
    built = gobuild.build(toolchain, structure.LAYOUT_MODULE, ".", name="layout")
    size, fields = structure.layout(Path(built.path))
    assert size == 48
    assert [(each.name, each.offset_bytes, each.claimed_offset_bytes) for each in fields] == [
        ("ID", 0, 0),
        ("Tag", 4, 4),
        ("Data", 24, 20),
    ]


def test_a_program_that_prints_no_layout_is_named(executable):
    with pytest.raises(ProcessError, match="printed no layout"):
        structure.layout(executable("layout", "echo '[]'"))
