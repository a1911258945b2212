"""A machine is named, shown as frames and printed; no cell is empty."""

import json
import re
import tomllib

import msgspec
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from labkit.cli.machine import machine as command
from labkit.cli.rows import width
from labkit.machine import condition, linux, macos, read
from labkit.machine.names import apple_family, apple_soc, hypervisor_in_dmi, identify, names
from labkit.machine.table import size_text, value_text
from labkit.model.machine import Condition, Machine
from labkit.present.machines import condition_frame, levels_frame, machine_frame
from labkit.words import Language
from tests.machine_fixtures import captured, mac, plant
from tests.machine_fixtures import linux as view

GIB = 1024**3


@pytest.mark.parametrize(
    ("chip", "cores", "memory", "system", "expected"),
    [
        ("Apple M2", 8, 24 * GIB, "macos14", "apple-m2-8c-24g-macos14"),
        ("Apple M1 (Virtual)", 3, 7 * GIB, "macos15", "apple-m1-virtual-3c-7g-macos15"),
        ("AMD EPYC", 2, 24684092 * 1024, "debian12", "amd-epyc-2c-24g-debian12"),
        ("AMD EPYC 7763 64-Core Processor", 2, 8 * GIB, "ubuntu24", "amd-epyc-7763-2c-8g-ubuntu24"),
        ("Intel(R) Core(TM) i7-4980HQ CPU @ 2.80GHz", 4, 16 * GIB, "macos12", "intel-core-i7-4980hq-4c-16g-macos12"),
        ("AMD Ryzen 7 5700U with Radeon Graphics", 8, 16 * GIB, "arch", "amd-ryzen-7-5700u-8c-16g-arch"),
        (
            "11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz",
            4,
            16 * GIB,
            "fedora42",
            "intel-core-i7-1165g7-4c-16g-fedora42",
        ),
        ("Apple processor", 8, None, "macos11", "apple-8c-macos11"),
        (None, None, None, "linux", "unknown-linux"),
        ("飞腾", 4, GIB // 2, "kylin10", "unknown-4c-1g-kylin10"),
    ],
)
def test_ids(chip, cores, memory, system, expected):
    assert identify(chip=chip, cores=cores, memory_bytes=memory, system=system) == expected


def test_a_long_id_keeps_its_end():
    found = identify(
        chip="very long chip name " * 9, cores=128, memory_bytes=2048 * GIB, system="opensuse-tumbleweed20260101"
    )
    assert len(found) <= 64
    assert re.fullmatch(r"[a-z0-9-]+", found)
    assert found.endswith("-128c-2048g-opensuse-tumbleweed20260101")


def test_the_table_of_names_says_its_sources():
    assert all(entry.source.startswith("https://") for entry in names().cpufamily)
    assert all(source.startswith("https://") for source in (names().soc["source"], names().midr.source))
    assert apple_family(0xFA33415E) == "M3"
    assert apple_family(0x17D5B93A) is None
    assert apple_soc(["source"]) is None
    assert hypervisor_in_dmi(["Dell Inc."]) is None
    parts = names().midr.parts["0x61"]
    assert set(parts) == set(names().midr.apple_chips)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (64, "64 B"),
        (131072, "128 KiB"),
        (12 << 20, "12 MiB"),
        (24 * GIB, "24 GiB"),
        (25276510208, "23.5 GiB"),
        (1 << 40, "1 TiB"),
    ],
)
def test_sizes(size, expected):
    assert size_text(size) == expected


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("virtual", True, "yes"),
        ("low_power_mode", False, "no"),
        ("cpu_frequency_hz", 2596142000, "2.60 GHz"),
        ("battery_percent", 95, "95 %"),
        ("cpu_pressure_percent", 0.38, "0.38 %"),
        ("load_1min", 1.5, "1.50"),
        ("translation", "rosetta", "translated by Rosetta"),
        ("power_source", "ac", "mains"),
        ("chip", "Apple M1", "Apple M1"),
        ("physical_core_count", 8, "8"),
    ],
)
def test_values_have_their_units(field, value, expected):
    assert value_text(field, value, Language.ENGLISH) == expected


def an_m1(tmp_path):
    script = tmp_path / "usr/sbin/sysctl"
    script.parent.mkdir(parents=True)
    (tmp_path / "said").write_text(captured("m1.sysctl"))
    script.write_text(f'#!/bin/sh\ncat "{tmp_path / "said"}"\n')
    script.chmod(0o755)
    return macos.read(mac(), tools=tmp_path)


@pytest.mark.parametrize("language", list(Language))
def test_no_cell_is_empty(tmp_path, language):
    machines = [
        read(),
        an_m1(tmp_path / "mac"),
        linux.read(view("aarch64"), root=plant(tmp_path / "linux", "graviton2")),
    ]
    frames = [frame(found, language) for found in machines for frame in (machine_frame, levels_frame)]
    for frame in (*frames, condition_frame(condition(), language)):
        assert isinstance(frame, pd.DataFrame)
        assert set(frame.dtypes.astype(str)) <= {"object"}
        for cell in (*frame.columns, *frame.to_numpy().ravel()):
            assert isinstance(cell, str)
            assert cell.strip()
            assert "None" not in cell
            assert "machine." not in cell


def test_frames_say_what_was_not_obtained_and_why(tmp_path):
    found = an_m1(tmp_path)
    frame = machine_frame(found, Language.ENGLISH).set_index("Property")
    assert frame.loc["Chip", "Value"] == "not obtained: sysctl has no value for machdep.cpu.brand_string"
    assert frame.loc["Chip", "Where it was read"] == "none"
    assert frame.loc["Memory", "Value"] == "16 GiB"
    assert frame.loc["Memory", "Where it was read"] == "sysctl hw.memsize"
    assert frame.loc["Performance level 0", "Value"].startswith(
        "4 cores; L1i 192 KiB; L1d 128 KiB; L2 12 MiB for 4 cores; "
    )
    levels = levels_frame(found, Language.ENGLISH)
    assert list(levels["Level (0 is the fastest)"]) == ["0", "1"]
    assert list(levels["L2 cache"]) == ["12 MiB", "4 MiB"]
    assert set(levels["L3 cache"]) == {"not obtained: sysctl has no such value for this level"}


def test_threads_are_told_from_cores(tmp_path):
    folder = "/sys/devices/system/cpu"
    files = {f"{folder}/cpu{n}/topology/core_cpus_list": "0-1\n" for n in (0, 1)}
    found = linux.read(view(), root=plant(tmp_path, **{f"{folder}/online": "0-1\n"}, **files))
    frame = machine_frame(found, Language.ENGLISH).set_index("Property")
    assert frame.loc["Performance level 0", "Value"].startswith("1 cores, 2 threads; ")


def test_a_machine_without_levels_says_so_in_one_row(tmp_path):
    found = macos.read(mac(), tools=tmp_path)
    assert levels_frame(found).empty
    rows = machine_frame(found, Language.ENGLISH).set_index("Property")
    assert rows.loc["Performance levels", "Value"].startswith("not obtained: sysctl")


def run(*arguments, **environment):
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(arguments), env=environment)


def test_the_command_prints_one_json_document():
    result = run("--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert set(document) == {"machine", "condition"}
    assert msgspec.convert(document["machine"], Machine).id == read().id
    msgspec.convert(document["condition"], Condition)


@pytest.mark.parametrize(("language", "words"), [("en", ("Machine", "Cores")), ("zh", ("机器", "核心数"))])
def test_the_command_prints_aligned_text(language, words):
    result = run(LABKIT_LANG=language)
    assert result.exit_code == 0
    assert read().id in result.stdout
    lines = {word: next(line for line in result.stdout.splitlines() if line.startswith(f"  {word} ")) for word in words}
    columns = {width(line[: len(line) - len(line[2:].lstrip(word).lstrip())]) for word, line in lines.items()}
    assert len(columns) == 1


def test_the_catalogue_holds_no_unused_reason():
    used = "".join(path.read_text() for path in sorted((names_folder()).glob("*.py")))
    for language in ("en", "zh"):
        reasons = tomllib.loads((names_folder().parent / "words" / language / "machine.toml").read_text("utf-8"))["why"]
        assert {name for name in reasons if f'"{name}"' not in used} == set()


def names_folder():
    from pathlib import Path

    import labkit.machine

    return Path(labkit.machine.__file__).parent
