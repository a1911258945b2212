"""The failure modes that are made for real: each text is diagnosed, and the mended state shows nothing of it."""

import platform
import re
from pathlib import Path

import pytest

from labkit.doctor.symptoms import diagnose
from tests.reproduction_bench import make_bench
from tests.reproductions import NOT_REPRODUCED, REPRODUCTIONS, telling_line
from tests.support import impossible

TABLE = Path(__file__).parents[1] / "docs/reproductions.md"
QUICK = [each for each in REPRODUCTIONS if not each.slow]
TEXTS = {each.id for each in REPRODUCTIONS if not each.state}
ROW = re.compile(r"^\| (F\d\d) \|.*\| `+ ?(.*?) ?`+ \| (text|state) \|", re.MULTILINE)


@pytest.fixture
def bench(tmp_path, toolchain):
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        impossible("these reproductions are of Linux on amd64")
    return make_bench(tmp_path, toolchain)


@pytest.mark.parametrize("reproduction", QUICK, ids=lambda each: each.id)
def test_reproduced(bench, reproduction):
    broken, mended = reproduction.run(bench)
    assert telling_line(reproduction, broken)
    assert not re.search(reproduction.shows, mended.text, re.MULTILINE), f"{mended.command}:\n{mended.text}"
    if not reproduction.state:
        ranked = [cause.rule for cause in diagnose(broken.text)]
        assert reproduction.id in ranked[:3], f"{ranked}:\n{broken.text}"
        assert diagnose(mended.text) == (), mended.text


def rows():
    return {id_: (line, kind) for id_, line, kind in ROW.findall(TABLE.read_text("utf-8"))}


def test_table_has_the_reproductions_and_says_why_the_rest_is_not():
    text = TABLE.read_text("utf-8")
    assert list(rows()) == [each.id for each in REPRODUCTIONS], "run `python -m benchmarks.reproductions`"
    assert {id_ for id_, (_, kind) in rows().items() if kind == "text"} == TEXTS
    assert re.findall(r"^- (F\d\d): ", text, re.MULTILINE) == list(NOT_REPRODUCED)
    every = [f"F{number:02}" for number in range(1, 49)]
    assert sorted([*rows(), *NOT_REPRODUCED]) == every


def test_texts_are_enough():
    assert len(TEXTS) >= 24


@pytest.mark.parametrize("id_", sorted(TEXTS))
def test_telling_line_alone_is_diagnosed(id_):
    """Of the slow ones too, whose commands only the benchmark runs."""
    line, _ = rows()[id_]
    (reproduction,) = (each for each in REPRODUCTIONS if each.id == id_)
    assert re.search(reproduction.shows, line, re.MULTILINE), line
    assert id_ in [cause.rule for cause in diagnose(line)][:3], line
