"""Numbers, times and sizes as the pages show them."""

import pytest

from labkit.model.bench import Interval
from labkit.model.binary import Slice
from labkit.present.sentence import ticked
from labkit.site import show
from tests.browser.synthetic import machine, made


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (812.0, "812"),
        (48.123, "48.1"),
        (1.2, "1.20"),
        (0.01234, "0.0123"),
        (55_120.4, "55,120"),
        (-3.5, "-3.50"),
    ],
    ids=str,
)
def test_three_significant_digits_and_no_whole_digit_cut(value, expected):
    assert show.significant(value) == expected


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [(128, "128 bytes"), (16384, "16 KiB"), (4_321_987, "4.12 MiB"), (24 << 30, "24 GiB"), (10 << 30, "10 GiB")],
    ids=str,
)
def test_a_size_has_its_unit(size_bytes, expected):
    assert show.size(size_bytes) == expected


@pytest.mark.parametrize(
    ("time_s", "expected"),
    [
        (0.0012, "1.20 ms"),
        (0.000359, "359 µs"),
        (0.5, "500 ms"),
        (4.21, "4.2 s"),
        (12.3, "12 s"),
        (59.9, "1 min 0 s"),
        (125, "2 min 5 s"),
    ],
    ids=str,
)
def test_a_time_has_its_unit(time_s, expected):
    assert show.seconds(time_s) == expected


@pytest.mark.parametrize(
    ("iso", "expected"),
    [
        ("2026-11-23T14:55:19Z", "2026-11-23 14:55 UTC"),
        ("2026-11-23T14:55:19+00:00", "2026-11-23 14:55 UTC"),
        ("2026-11-23T14:55:19", "2026-11-23 14:55"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_moment_is_read_or_left_as_it_stands(iso, expected):
    assert show.when(iso) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-23T14:00:00Z", "2026-11-23T14:02:05Z", 125.0),
        ("2026-11-23T14:00:00Z", "2026-11-23T14:02:05", None),
        ("then", "now", None),
    ],
    ids=["two moments", "one without a zone", "no moments"],
)
def test_the_time_between_two_moments(start, end, expected):
    assert show.elapsed_s(start, end) == expected


def interval(median, low=None, high=None):
    return Interval(median=median, low=low, high=high, confidence=None, n=5)


@pytest.mark.parametrize(
    ("given", "unit", "median", "bounds"),
    [
        (interval(812.0, 790.0, 1203.0), "ns/op", "812 ns/op", "790 \u2013 1,203 ns/op"),
        (interval(48_123.0, 46_700.0, 50_000.0), "ns/op", "48.1 µs/op", "46.7 \u2013 50.0 µs/op"),
        (interval(2.5e9), "ns/op", "2.50 s/op", None),
        (interval(0.2, 0.1, 0.3), "ns/op", "0.2 ns/op", "0.1 \u2013 0.3 ns/op"),
        (interval(1234.0, 1200.0, 1300.0), "B/op", "1,234 B/op", "1,200 \u2013 1,300 B/op"),
    ],
    ids=["nanoseconds", "microseconds", "no interval", "below one", "another unit"],
)
def test_an_interval_is_shown_in_its_medians_unit(given, unit, median, bounds):
    assert show.median(given, unit) == median
    assert show.bounds(given, unit) == bounds


def test_a_share_as_percent():
    assert show.percent(0.96875) == "96.9 %"
    assert show.percent(None) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run `labkit setup` now", "run <code>labkit setup</code> now"),
        ("`<b>` & one", "<code>&lt;b&gt;</code> &amp; one"),
        ("an odd ` tick", "an odd ` tick"),
        ("", ""),
    ],
    ids=["a command", "markup", "an odd tick", "nothing"],
)
def test_what_stands_in_backticks_is_code(text, expected):
    assert ticked(text) == expected


@pytest.mark.parametrize(
    ("changed", "chip", "system"),
    [
        (
            {"chip": "A chip", "system_name": "Debian GNU/Linux 12 (bookworm)"},
            "A chip",
            "Debian GNU/Linux 12 (bookworm)",
        ),
        ({"chip": None, "system_name": "macOS", "system_version": "14.5"}, "synthetic-8c-16g-linux", "macOS 14.5"),
        ({"chip": "A chip", "system_name": "Linux", "system_version": None}, "A chip", "Linux"),
    ],
    ids=["the version is in the name", "no chip", "no version"],
)
def test_a_machines_names(changed, chip, system):
    named = machine(**changed)
    assert (show.chip(named), show.system(named)) == (chip, system)


@pytest.mark.parametrize(
    ("minimum", "platform", "expected"),
    [
        ("13.0", "macos", "macos 13.0"),
        ("macos 12.0", "macos", "macos 12.0"),
        ("13.0", None, "13.0"),
        (None, "linux", None),
    ],
    ids=["version alone", "named already", "no platform", "none"],
)
def test_the_least_system_names_its_platform(minimum, platform, expected):
    assert show.minimum_system(made(Slice, minimum_os=minimum, platform=platform)) == expected
