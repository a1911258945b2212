"""The proofs' own parts: the rivals' rules against tables, the plan, the table, and a short real run of each kind."""

import os
import random
from pathlib import Path

import pytest

from benchmarks import bench_levels, bench_proof, bench_simulation
from benchmarks.bench_rivals import benchstat, criterion, mann_whitney
from labkit.bench.paired.sequential import schedule
from tests.test_proc import alive, gone


# scipy 1.17.1: mannwhitneyu(one, two, method="exact"), and method="asymptotic" where there are ties.
@pytest.mark.parametrize(
    ("one", "two", "wanted"),
    [
        ([1, 2, 3], [4, 5, 6], 0.1),
        ([1, 3, 5, 7.5, 2.2], [4, 6, 8, 7, 9, 3.3], 0.12554112554112554),
        ([1, 2, 2], [2, 5, 6], 0.16415972847851523),
        ([1, 1], [1, 1], 1.0),
    ],
    ids=["exact", "another", "ties", "all alike"],
)
def test_mann_whitney_is_scipys(one, two, wanted):
    assert mann_whitney(one, two) == pytest.approx(wanted, rel=1e-12)


def test_the_rivals_find_what_is_plain_and_nothing_where_nothing_is():
    draw = random.Random(5)
    base, same, slower = ([draw.gauss(mean, 0.01) for _ in range(40)] for mean in (1, 1, 1.05))
    assert (benchstat(base, slower), benchstat(slower, base), benchstat(base, same)) == (1, -1, 0)
    assert (criterion(base, slower, 1), criterion(slower, base, 1), criterion(base, same, 1)) == (1, -1, 0)
    # A change of 0.5 % is beyond chance here, and within criterion's noise threshold.
    small = [value * 1.005 for value in base]
    tight = [1 + value / 1000 for value in base]
    assert criterion(tight, [value * 1.005 for value in tight], 1) == 0
    assert benchstat(tight, [value * 1.005 for value in tight]) == 1
    assert criterion(base, small, 1) == 0


def test_the_plan_has_what_was_promised():
    wanted = bench_proof.wanted()
    counts = {(state, percent): 0 for state in (False, True) for percent in (0, 5, 2)}
    for one in wanted:
        counts[one["busy"], one["percent"]] += 1
    assert counts[False, 0] >= 200
    assert counts[False, 5] >= 100
    assert counts[False, 2] >= 100
    assert all(4 * counts[True, percent] >= counts[False, percent] for percent in (0, 5, 2))
    assert len({bench_proof.key(one) for one in wanted}) == len(wanted)


def test_an_upper_bound_is_clopper_and_pearsons():
    # scipy 1.17.1: beta.ppf(0.95, k + 1, n - k)
    assert bench_proof.upper(0, 30) == pytest.approx(0.09503, abs=1e-5)
    assert bench_proof.upper(1, 60) == pytest.approx(0.07663, abs=1e-5)


def test_the_levels_in_use_are_those_of_their_definition():
    # 20,000 new draws with a seed of its own: at the table's 5 % the share is within 4 standard errors of it.
    plan = schedule()
    assert (plan.looks, plan.weights) == (bench_levels.LOOKS, bench_levels.WEIGHTS)
    drawn = bench_levels.least(20_000, seed=77)
    for wanted in (0.05, 0.01):
        value = max(v for v, p in zip(plan.statistic, plan.probability, strict=True) if p <= wanted)
        share = float((drawn <= value + 1e-12).mean())
        assert share == pytest.approx(plan.p_value(value), abs=4 * (wanted / 20_000) ** 0.5)


def test_the_simulation_counts_alarms_and_misses_none_without_a_rule():
    alone, families = bench_simulation.alarms(bench_simulation.SHAPES["normal"], 500, 3)
    assert alone <= 43  # of 500 at 5 %: exceeded with a probability of 0.001
    assert families <= 14  # of 100
    always, _ = bench_simulation.alarms(lambda draw: 1 + draw.random(), 50, 3)
    assert always == 50


@pytest.mark.parametrize("percent", [0, 5])
def test_an_experiment_of_the_proof_is_taken_and_shown(facts, percent):
    kernel = bench_proof.PLAN[percent][0][1]
    taken = bench_proof.take({"busy": False, "percent": percent, "kernel": kernel, "index": 0}, Path(facts.worker.path))
    assert taken["expected"] == (1 if percent else 0)
    assert len(taken["cpu"]) == len(taken["wall"]) == len(taken["times"]["cpu"][0])
    assert set(taken["rivals"]) == {"benchstat wall", "benchstat cpu", "criterion wall", "criterion cpu"}
    what = "5 % slower: found" if percent else "no difference: alarms"
    assert f"| {what} | quiet | 1 |" in bench_proof.table([taken])


def test_a_cut_line_is_taken_again(tmp_path, monkeypatch):
    monkeypatch.setattr(bench_proof, "RAW", tmp_path / "raw.jsonl")
    assert bench_proof.known() == {}
    bench_proof.RAW.write_text('{"key": "a", "x": 1}\n{"key": "b", "x"')
    assert set(bench_proof.known()) == {"a"}


def test_hogs_are_there_while_they_are_wanted_and_gone_afterwards():
    with bench_proof.neighbours(busy=False) as hogs:
        assert hogs == []
    with bench_proof.neighbours(busy=True) as hogs:
        assert len(hogs) == os.cpu_count()
        assert all(alive(pid) for pid in hogs)
    for pid in hogs:
        gone(pid)


def test_the_data_that_is_kept_was_taken_under_today_s_rule_and_shows_what_the_page_says():
    taken = list(bench_proof.known().values())
    assert {one["rule"] for one in taken} == {bench_proof.rule_digest()}
    assert {one["key"] for one in taken} == {bench_proof.key(one) for one in bench_proof.wanted()}
    quiet = [one for one in taken if one["key"].startswith("quiet/")]
    shares = {}
    for percent in (0, 5, 2):
        some = [one for one in quiet if one["key"].split("/")[1] == str(percent)]
        right = sum(bench_proof.shown(one) == one["expected"] for one in some)
        shares[percent] = right / len(some)
        page = f"{len(some)} | **{right if percent else len(some) - right} ("
        assert page in bench_proof.PAGE.read_text("utf-8")
    assert shares[0] >= 0.95
    assert shares[5] >= 0.90
    assert sum(one["judgement"] != "too_noisy" for one in quiet) / len(quiet) >= 0.95
    assert max(one["seconds"] for one in taken) <= 10
