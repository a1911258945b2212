"""labkit's benchstat tables against benchstat itself, and the statistics behind a run's comparison with another."""

import itertools
import math
import random
from pathlib import Path

import pytest

from labkit.bench import benchfmt
from labkit.bench import benchstat as tables_of
from labkit.bench.benchstat.summary import compare, geometric_mean, ranks, summarise
from labkit.bench.benchstat.utest import NoTestError
from labkit.bench.benchstat.utest import p_value as benchstat_p
from labkit.bench.regression.unpaired import detectable, least_processes, p_value, percent, shift
from tests import benchstat_oracle as oracle


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return oracle.copy_own(tmp_path_factory.mktemp("own"))


@pytest.mark.parametrize("form", ["text", "csv"])
@pytest.mark.parametrize("name", oracle.OWN)
def test_benchstats_own_data_comes_out_as_benchstat_has_it(own, name, form):
    names, options = oracle.OWN[name]
    wanted = oracle.theirs(own, names, form, **options)
    assert oracle.differences(oracle.ours(own, names, form, **options), wanted, form) == []
    assert len(wanted.splitlines()) > 3


@pytest.mark.parametrize(
    ("golden", "name", "form"),
    [("csvOldNew", "old-new", "csv"), ("crcIgnore", "crc-ignore-note", "text"), ("units", "units", "text"),
     ("zero", "zero", "text"), ("smallSample", "small-sample", "text"), ("issue19565", "issue19565", "text")],
)  # fmt: skip
def test_the_modules_golden_files(own, golden, name, form):
    names, options = oracle.OWN[name]
    wanted = (oracle.own_data() / f"cmd/benchstat/testdata/{golden}.stdout").read_text()
    assert oracle.differences(oracle.ours(own, names, form, **options), wanted, form) == []


@pytest.mark.parametrize("seed", range(40))
def test_drawn_files_come_out_as_benchstat_has_them(tmp_path, seed):
    names = oracle.draw(tmp_path, seed)
    form = ("text", "csv")[seed % 2]
    assert oracle.differences(oracle.ours(tmp_path, names, form), oracle.theirs(tmp_path, names, form), form) == []


def lines(name: str, values, unit: str = "ns/op") -> str:
    return "".join(f"Benchmark{name}-8 1 {value} {unit}\n" for value in values)


def tied(n: int) -> tuple[str, str]:
    return lines("A", [i // 2 for i in range(n)], "u"), lines("A", [i // 2 + 2.5 * (i % 3) for i in range(n)], "u")


#: Pairs of files for what a draw rarely meets.
RARE = {
    "two-values-the-first-above": (lines("A", [64.2]), lines("A", [63.6, 63.6])),
    "two-values-the-first-below": (lines("A", [63.6] * 3), lines("A", [64.2] * 5)),
    "two-values-mixed": (lines("A", [1, 1, 2, 2, 2]), lines("A", [1, 2, 2, 1, 1, 1])),
    "ties-the-last-exact": tied(25),
    "ties-the-first-approximate": tied(26),
    "no-ties-the-last-exact": (lines("A", range(1, 51), "u"), lines("A", [i + 7.5 for i in range(50)], "u")),
    "no-ties-the-first-approximate": (lines("A", range(1, 52), "u"), lines("A", [i + 7.5 for i in range(51)], "u")),
    "no-common-benchmark": (lines("A", [1] * 6), lines("B", [2] * 6)),
    "no-common-benchmark-twice": (lines("A", [1] * 6, "u"), lines("B", [2] * 6, "u") + lines("C", [3] * 6, "u")),
    "one-against-many": (lines("A", [1], "u"), lines("A", [i + 2 for i in range(39)], "u")),
}


@pytest.mark.parametrize("form", ["text", "csv"])
@pytest.mark.parametrize("name", RARE)
def test_rare_files_come_out_as_benchstat_has_them(tmp_path, name, form):
    for file, text in zip(("old.txt", "new.txt"), RARE[name], strict=True):
        (tmp_path / file).write_text(text)
    got, wanted = (of(tmp_path, ("old.txt", "new.txt"), form) for of in (oracle.ours, oracle.theirs))
    assert oracle.differences(got, wanted, form) == []


def test_the_comparison_itself_sees_one_wrong_digit():
    text = "geomean   2.295µ        2.090µ        -8.94%\n"
    assert oracle.differences(text.replace("8.94", "8.93"), text, "text")
    assert oracle.differences(text + text, text, "text")
    assert not oracle.differences("geomean,1.0000000000000002,", "geomean,1,", "csv")
    assert oracle.differences("geomean,1.00000000000002,", "geomean,1,", "csv")


#: What go-moremath's stats.QuantileCI(n, 0.5, 0.95) gives; the rest of 1 to 60 is compared through benchstat.
RANKS = {
    1: (0, 2), 2: (0, 3), 5: (0, 5), 6: (1, 6), 7: (1, 7), 8: (1, 7), 10: (2, 9), 20: (6, 15), 23: (7, 17),
    24: (8, 18), 25: (8, 18),
    30: (10, 21), 31: (10, 22), 33: (11, 23), 39: (13, 26), 53: (19, 34), 60: (22, 38), 84: (33, 52), 120: (49, 71),
    1000: (469, 532), 10_000: (4902, 5099),
}  # fmt: skip


@pytest.mark.parametrize("n", RANKS)
def test_ranks_of_the_interval(n):
    assert ranks(n) == RANKS[n]


def test_every_number_of_values_is_summarised_as_benchstat_does(tmp_path):
    random_ = random.Random(5)
    text = "".join(lines(f"N{n}", (f"{random_.lognormvariate(0, 1):.6g}" for _ in range(n)), "u") for n in range(1, 61))
    (tmp_path / "x.txt").write_text(text)
    got, wanted = (of(tmp_path, ("x.txt",), "csv") for of in (oracle.ours, oracle.theirs))
    assert oracle.differences(got, wanted, "csv") == []
    assert len(wanted.splitlines()) == 63


def test_too_few_values_have_an_infinite_interval_and_say_so():
    few = summarise([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (few.center, few.percent()) == (3.0, "∞")
    assert few.warnings == ("need >= 6 samples for confidence interval at level 0.95",)
    assert summarise([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).warnings == ()
    assert compare([1.0] * 3, [2.0] * 3).warnings == ("need >= 4 samples to detect a difference at alpha level 0.05",)


def test_a_test_that_means_nothing_says_why():
    for first, second, why in (([1.0], [1.0], "equal"), ([], [1.0], "small"), ([math.nan], [1.0], "not a number")):
        with pytest.raises(NoTestError, match=why):
            benchstat_p(first, second)
    assert math.isnan(geometric_mean([]))
    assert math.isnan(geometric_mean([1.0, 0.0]))


def test_the_reader_of_the_docs_gets_a_table(tmp_path):
    (tmp_path / "x.txt").write_text("goos: linux\nBenchmarkA-8 1 2 ns/op\n")
    tables = tables_of.tables([("x.txt", benchfmt.read(tmp_path / "x.txt"))])
    assert tables_of.as_text(tables).startswith(
        "goos: linux\n    │    x.txt     │\n    │    sec/op    │\nA-8   2.000n ± ∞ ¹\n"
    )
    assert tables_of.as_csv(tables).splitlines()[1] == ",x.txt,"


def counted(first, second) -> float:
    """The p-value by looking at every way to choose the first sample's values: what both tests approximate or count."""
    values = [*first, *second]
    middle = len(first) * len(second) / 2

    def u(chosen) -> float:
        rest = [values[i] for i in range(len(values)) if i not in chosen]
        return sum((values[i] > b) + (values[i] == b) / 2 for i in chosen for b in rest)

    own = abs(u(range(len(first))) - middle)
    ways = [u(set(chosen)) for chosen in itertools.combinations(range(len(values)), len(first))]
    return sum(abs(each - middle) >= own for each in ways) / len(ways)


@pytest.mark.parametrize("seed", range(20))
def test_the_p_value_is_what_counting_gives(seed):
    random_ = random.Random(seed)
    draw = random_.random if seed % 2 else (lambda: float(random_.randint(0, 3)))
    first, second = ([draw() for _ in range(random_.randint(1, 6))] for _ in range(2))
    assert p_value(first, second) == pytest.approx(counted(first, second), abs=1e-12)
    assert p_value(second, first) == pytest.approx(counted(first, second), abs=1e-12)


# scipy.stats.mannwhitneyu of scipy 1.17.1 on these samples: exact of the first two, asymptotic of the others
@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        (range(6), range(6, 12), 0.0021645021645021645),
        (range(0, 100, 2), [x + 25.5 for x in range(0, 100, 2)], 0.00012471134365784446),
        (range(0, 120, 2), [x + 10.5 for x in range(0, 120, 2)], 0.09880047992003485),
        ([x // 8 for x in range(60)], [x // 8 + 1 for x in range(60)], 0.02007999862349517),
        ([1.0] * 60, [1.0] * 60, 1.0),
    ],
    ids=["apart", "fifty", "sixty", "sixty-with-ties", "all-equal"],
)
def test_the_p_value_at_sizes_that_are_not_counted_by_hand(first, second, p):
    assert p_value([float(x) for x in first], [float(x) for x in second]) == pytest.approx(p, rel=1e-9)


def test_the_interval_holds_the_ratio_as_often_as_it_says():
    random_ = random.Random(11)
    held = 0
    for _ in range(600):
        first = [random_.lognormvariate(0, 0.05) for _ in range(8)]
        second = [1.1 * random_.lognormvariate(0, 0.05) for _ in range(10)]
        seen = shift(first, second)
        held += seen.low <= math.log(1.1) <= seen.high
    assert 0.93 <= held / 600 <= 0.98


def test_the_interval_and_the_test_agree():
    random_ = random.Random(2)
    for _ in range(200):
        first, second = ([random_.gauss(10, 1) for _ in range(7)] for _ in range(2))
        second = [x + random_.choice((0, 1, 2)) for x in second]
        seen = shift(first, second)
        assert seen.low < seen.estimate < seen.high
        assert (p_value(first, second) <= 0.05) is (not seen.low <= 0 <= seen.high)


def test_too_few_bound_nothing():
    assert detectable(shift([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), alpha=0.05) is None
    assert detectable(shift([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]), alpha=0.05) is not None
    assert (least_processes(0.05), least_processes(0.05 / 9)) == (4, 6)


def test_what_could_have_been_seen_is_shown_in_four_of_five_cases():
    random_ = random.Random(4)

    def draw(ratio: float) -> list[float]:
        return [ratio * random_.lognormvariate(0, 0.04) for _ in range(10)]

    hidden = [detectable(shift(draw(1), draw(1)), alpha=0.05) for _ in range(100)]
    ratio = math.exp(sorted(hidden)[50])
    shown = sum(p_value(draw(1), draw(ratio)) < 0.05 for _ in range(400))
    assert 0.72 <= shown / 400 <= 0.88
    assert detectable(shift(draw(1), draw(1)), alpha=0.05, threshold=1.0) > 1.0
    assert percent(math.log(1.05)) == pytest.approx(5)


def test_what_the_docs_say_of_the_parity():
    text = Path("docs/bench.md").read_text()
    assert f"golang.org/x/perf of {oracle.PIN.released}" in text
