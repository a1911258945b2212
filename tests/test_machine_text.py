"""What macOS's tools print is read as published transcripts show it."""

import tomllib

import pytest

from labkit.machine import macos_text as text
from tests.machine_fixtures import DATA, captured

LEVEL = ("physical_core_count", "l1i_cache_bytes", "l1d_cache_bytes", "l2_cache_bytes", "cores_per_l2", "name")
KIB, MIB = 1024, 1024**2


def levels(*names):
    said = text.parse_sysctl("\n".join(captured(name) for name in names))
    return [tuple(getattr(level, field) for field in LEVEL) for level in text.performance_levels(said)]


def test_every_transcript_has_its_source():
    sources = tomllib.loads((DATA / "SOURCES.toml").read_text("utf-8"))
    for folder in ("macos", "linux"):
        assert set(sources[folder]) == {file.name for file in (DATA / folder).iterdir()}
        for entry in sources[folder].values():
            assert set(entry) == {"url", "command", "omits"}
            assert all(entry.values())


@pytest.mark.parametrize(
    ("transcripts", "expected"),
    [
        pytest.param(
            ["m1.sysctl"],
            [(4, 192 * KIB, 128 * KIB, 12 * MIB, 4, None), (4, 128 * KIB, 64 * KIB, 4 * MIB, 4, None)],
            id="m1-macos12-names-no-level",
        ),
        pytest.param(
            ["m1.sysctl", "m2-differences.sysctl"],
            [(4, 192 * KIB, 128 * KIB, 16 * MIB, 4, None), (4, 128 * KIB, 64 * KIB, 4 * MIB, 4, None)],
            id="m2",
        ),
        pytest.param(
            ["m1-pro.sysctl"],
            [(8, 192 * KIB, 128 * KIB, 12 * MIB, 4, None), (2, 128 * KIB, 64 * KIB, 4 * MIB, 2, None)],
            id="m1-pro-lists-the-slower-first",
        ),
        pytest.param(
            ["m3-pro.sysctl"],
            [(None, 192 * KIB, 128 * KIB, 16 * MIB, None, None), (None, 128 * KIB, 64 * KIB, 4 * MIB, None, None)],
            id="m3-pro-without-counts",
        ),
        pytest.param(
            ["m3-max.sysctl"],
            [
                (10, 192 * KIB, 128 * KIB, 16 * MIB, 5, "Performance"),
                (4, 128 * KIB, 64 * KIB, 4 * MIB, 4, "Efficiency"),
            ],
            id="m3-max",
        ),
        pytest.param(
            ["m5.sysctl"],
            [(4, 192 * KIB, 128 * KIB, 16 * MIB, 4, "Super"), (6, 128 * KIB, 64 * KIB, 6 * MIB, 6, "Efficiency")],
            id="m5-has-other-names",
        ),
        pytest.param(["m1-brand.sysctl"], [], id="nothing-of-levels"),
        pytest.param(["intel-caches.sysctl"], [(None, 32 * KIB, 32 * KIB, 256 * KIB, None, None)], id="intel-macos12"),
    ],
)
def test_performance_levels_are_told_by_position(transcripts, expected):
    assert levels(*transcripts) == expected


def test_the_keys_without_a_level_are_the_slowest_levels_and_serve_only_where_there_is_one():
    arm = "hw.nperflevels: 2\nhw.physicalcpu: 8\nhw.l1dcachesize: 65536\n"
    assert text.performance_levels(text.parse_sysctl(arm)) == ()
    intel = "hw.physicalcpu: 8\nhw.logicalcpu: 16\nhw.l1dcachesize: 32768\nhw.cacheconfig: 16 2 2 16 0 0\n"
    (level,) = text.performance_levels(text.parse_sysctl(intel))
    assert (level.physical_core_count, level.logical_core_count, level.l1d_cache_bytes) == (8, 16, 32768)
    assert level.cores_per_l2 == 1  # two threads share it


def test_sysctl_reads_unknown_keys_on_either_stream():
    said = text.parse_sysctl("hw.ncpu: 8\nsysctl: unknown oid 'hw.a.b'\n", "sysctl: unknown oid 'hw.c'\n")
    assert (said.values, said.unknown) == ({"hw.ncpu": "8"}, {"hw.a.b", "hw.c"})


@pytest.mark.parametrize(
    ("key", "expected"),
    [("hw.memsize", 17179869184), ("hw.cacheconfig", None), ("hw.osenvironment", None), ("hw.model", None)],
)
def test_sysctl_numbers(key, expected):
    assert text.parse_sysctl(captured("m1.sysctl")).number(key) == expected


@pytest.mark.parametrize(
    ("transcript", "expected"),
    [("m1.sysctl", "0x1b588bb3"), ("m2-differences.sysctl", "0xda33d83d"), ("m3-max.sysctl", "0x72015832")],
)
def test_the_family_is_printed_signed(transcript, expected):
    family = text.parse_sysctl(captured(transcript)).number("hw.cpufamily")
    assert f"0x{text.unsigned(family):08x}" == expected


KEYS = ("hw.memsize", "hw.ncpu", "hw.physicalcpu", "hw.logicalcpu")


def test_sysctl_n_gives_values_in_the_keys_order():
    said = text.parse_sysctl_n(captured("m3-pro.sysctl-n"), "", KEYS)
    assert said.values == dict(zip(KEYS, ("38654705664", "12", "12", "12"), strict=True))


def test_sysctl_n_leaves_unknown_keys_out_of_the_order():
    unknown = captured("m3-pro-unknown.sysctl-n")
    keys = ("hw.perflevel0.count", KEYS[0], "hw.perflevel1.count", *KEYS[1:])
    said = text.parse_sysctl_n(captured("m3-pro.sysctl-n"), unknown, keys)
    assert said.values["hw.memsize"] == "38654705664"
    assert said.unknown == {"hw.perflevel0.count", "hw.perflevel1.count"}
    merged = text.parse_sysctl_n(unknown + captured("m3-pro.sysctl-n"), "", keys)
    assert merged == said


def test_sysctl_n_with_a_value_too_few_gives_none():
    assert text.parse_sysctl_n("38654705664\n12\n", "", KEYS).values == {}


@pytest.mark.parametrize("between", ["\t\t", "\t", " "])
def test_sw_vers(between):
    said = text.parse_sw_vers(captured("macos13.sw_vers").replace("\t\t", between))
    assert said == {"ProductName": "macOS", "ProductVersion": "13.6.3", "BuildVersion": "22G436"}


@pytest.mark.parametrize(
    ("transcript", "chip", "model", "cores"),
    [
        ("m3.system_profiler", "Apple M3", "Mac15,12", 8),
        ("m1-pro.system_profiler", "Apple M1 Pro", "MacBookPro18,1", 10),
    ],
)
def test_system_profiler(transcript, chip, model, cores):
    said = text.parse_system_profiler(captured(transcript))
    assert (said["Chip"], said["Model Identifier"]) == (chip, model)
    assert text.profiler_cores(said) == cores
    assert text.profiler_memory(said) == 16 * 1024**3


def test_system_profiler_takes_no_serial_number():
    said = text.parse_system_profiler("  Chip: Apple M3\n  Serial Number (system): X\n  Hardware UUID: Y\n")
    assert said == {"Chip": "Apple M3"}


@pytest.mark.parametrize(
    ("transcript", "source", "percent"),
    [
        ("battery.pmset-batt", "battery", 95),
        ("on-hold.pmset-batt", "ac", 80),
        ("desktop.pmset-batt", "ac", None),
        ("apple-silicon.pmset-therm", None, None),
    ],
)
def test_pmset_batt(transcript, source, percent):
    assert text.parse_power_source(captured(transcript)) == source
    assert text.parse_battery_percent(captured(transcript)) == percent


@pytest.mark.parametrize(
    ("transcript", "limit"), [("apple-silicon.pmset-therm", None), ("intel-throttled.pmset-therm", 28)]
)
def test_pmset_therm(transcript, limit):
    assert text.parse_speed_limit(captured(transcript)) == limit


@pytest.mark.parametrize(
    ("said", "section", "expected"),
    [
        pytest.param(captured("low-power-off.pmset-g"), "Currently in use", False, id="off"),
        pytest.param(
            captured("low-power-off.pmset-g").replace("mode         0", "mode         1"),
            "Currently in use",
            True,
            id="on",
        ),
        pytest.param(captured("m1-max.pmset-custom"), "Battery Power", False, id="automatic"),
        pytest.param(captured("m1-max.pmset-custom"), "AC Power", None, id="another-section"),
        pytest.param(" powermode            2\n", "Currently in use", None, id="no-section"),
        pytest.param("Currently in use:\n powermode            2\n", "Currently in use", False, id="high-power"),
    ],
)
def test_pmset_low_power_mode(said, section, expected):
    assert text.parse_low_power_mode(said, section=section) is expected
