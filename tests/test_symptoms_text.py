"""Pasted text: made comparable, and read with work that does not grow with its length."""

import re

import pytest

from labkit.doctor.symptoms import diagnose
from labkit.doctor.symptoms.normalise import FIRST_LINES, LAST_LINES, LINE_CHARACTERS, messages, normalise
from labkit.doctor.symptoms.ranking import AFTER, BEFORE, PLACES, Meter
from labkit.doctor.symptoms.ruleset import rules, vocabulary

LINE = (
    "protoc-gen-go: something not found in /usr/bin/x{0} killed: 8 exit code {0} go.mod:{0} protoc: exec format err\n"
)
HOSTILE = {
    "a log": "".join(LINE.format(number) for number in range(48_000)),
    "one line": "protoc-gen-go" * 400_000,
    "escapes": "\x1b[" * 2_500_000,
    "paths": "a/" * 2_500_000,
    "near misses": "could not find protoc--osx-aarch_64 " * 140_000,
    "wraps": "library not load\n" * 300_000,
}
#: Every pattern, around every place, in all three readings.
MOST = sum(
    len(pattern.keys) * 3 * PLACES * (BEFORE + AFTER + 60) for rule in rules().values() for pattern in rule.patterns
)


@pytest.mark.parametrize("name", list(HOSTILE))
def test_the_work_is_bounded_whatever_is_pasted(name):
    text = HOSTILE[name]
    assert len(text) >= 4_900_000
    meter = Meter()
    diagnose(text, meter=meter)
    assert meter.characters <= MOST < 30_000_000
    read = normalise(text, vocabulary())
    assert len(read.lines) <= (FIRST_LINES + LAST_LINES) * (LINE_CHARACTERS + 1)


def test_the_ends_of_a_long_paste_are_read():
    noise = "".join(f"compiling package number {number}\n" for number in range(50_000))
    telling = "go: cannot install cross-compiled binaries when GOBIN is set\n"
    assert [each.rule for each in diagnose(telling + noise)] == ["F22"]
    assert [each.rule for each in diagnose(noise + telling)] == ["F22"]
    assert normalise(noise).cut


# --- making a text comparable


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("\x1b[1m\x1b[31mred\x1b[0m \x1b]0;title\x07text", "red text"),
        ("^[[31mred^[[0m text", "red text"),
        ("2024-01-02T03:04:05.678Z  fault", "fault"),
        ("2022/09/07 10:00:00 fault", "fault"),
        ("#12 0.334 fault", "fault"),
        ("me@host:~/src$ protoc x", "protoc x"),
        ("\u279c  proto protoc x", "protoc x"),
        ("$ protoc x", "protoc x"),
        ("> > quoted", "quoted"),
        ("“protoc” can\u2019t\u00a0be", '"protoc" can\'t be'),
        ("protoc\uff1a未找到命令\uff08x\uff09", "protoc: command not found(x)"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("same\nsame\nother", "same\nother"),
        ("a\u200bb\x00c", "abc"),
        ("x    y\t z", "x y z"),
    ],
)
def test_a_line_is_made_plain(raw, wanted):
    assert normalise(raw).lines == wanted


@pytest.mark.parametrize(("chinese", "english"), messages())
def test_chinese_messages_become_english(chinese, english):
    wanted = re.sub(r"\{(\w+)\}", "protoc", english)
    assert normalise(re.sub(r"\{(\w+)\}", "protoc", chinese)).lines == wanted


@pytest.mark.parametrize(
    ("wrapped", "unwrapped"),
    [
        ("cannot execute binary fi\nle: now", "cannot execute binary file: now"),
        ("program not found or is not\nexecutable", "program not found or is not executable"),
        ("short\nlines", "short\nlines"),
    ],
    ids=["inside a word", "between words", "none"],
)
def test_wraps_are_undone(wrapped, unwrapped):
    assert normalise(wrapped, vocabulary()).spaced == unwrapped
