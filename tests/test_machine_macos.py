"""A Mac is composed from published transcripts, replayed by small executables through the code that runs on a Mac."""

import pytest

from labkit.errors import ImpossibleHereError
from labkit.machine import macos, macos_condition
from labkit.model.machine import Architecture, Translation
from labkit.words import Language, render
from tests.machine_fixtures import captured, check_accounts, mac

UNKNOWN_KEYS = "sysctl: unknown oid 'hw.nothing'\n"


@pytest.fixture
def tools(tmp_path):
    """Return a function that lays executables below a folder (with a space) which print a text and end with a code."""
    root = tmp_path / "a folder"

    def lay(**texts):
        for name, (path, arguments) in _PLACES.items():
            if (said := texts.get(name)) is None:
                continue
            text, code, errors = (*((said, 0) if isinstance(said, str) else said), "")[:3]
            program = root / path
            program.parent.mkdir(parents=True, exist_ok=True)
            out, err = root / f"{name}.out", root / f"{name}.err"
            out.write_text(text)
            err.write_text(errors)
            head = "" if program.exists() else f'#!/bin/sh\necho "{path} $*" >> "{root / "calls"}"\n'
            with program.open("a") as script:
                script.write(f'{head}case "$*" in {arguments}) cat "{out}"; cat "{err}" >&2; exit {code};; esac\n')
            program.chmod(0o755)
        return root

    return lay


_PLACES = {
    "sysctl": ("usr/sbin/sysctl", "*"),
    "arch": ("usr/bin/arch", "-arm64*sysctl*hw*"),
    "sw_vers": ("usr/bin/sw_vers", "*"),
    "profiler": ("usr/sbin/system_profiler", '"-detailLevel mini SPHardwareDataType"'),
    "batt": ("usr/bin/pmset", '"-g batt"'),
    "therm": ("usr/bin/pmset", '"-g therm"'),
    "settings": ("usr/bin/pmset", '"-g"'),
}
SW_VERS = captured("macos13.sw_vers")
# One published fact each, not a transcript of one machine.
MODEL = "hw.model: Mac15,8\nkern.hv_vmm_present: 0\n"


def both(*names):
    return "\n".join(captured(name) for name in names)


def why(record, field):
    return render(record.missing[field], Language.ENGLISH)


def test_an_m3_max_is_read_with_two_processes(tools):
    root = tools(sysctl=(captured("m3-max.sysctl") + MODEL, 1, UNKNOWN_KEYS), sw_vers=SW_VERS, profiler="")
    found = macos.read(mac(), tools=root)
    check_accounts(found)
    assert found.id == "apple-m3-max-14c-36g-macos13"
    assert (found.chip, found.chip_family, found.model) == ("Apple M3 Max", "0x72015832", "Mac15,8")
    assert found.sources["chip_family"] == "sysctl hw.cpufamily (M3 Max in labkit's table)"
    assert (found.system_name, found.system_version, found.kernel) == ("macOS", "13.6.3", "Darwin 22.6.0")
    assert (found.physical_core_count, found.logical_core_count, found.memory_bytes) == (14, 14, 38654705664)
    assert [level.physical_core_count for level in found.performance_levels] == [10, 4]
    assert (found.page_size_bytes, found.cache_line_bytes) == (16384, 128)
    assert (found.virtual, found.hypervisor) == (False, None)
    assert why(found, "hypervisor") == "this is not a virtual machine"
    assert (found.architecture, found.process_architecture) == (Architecture.ARM64, Architecture.ARM64)
    assert found.translation is Translation.NATIVE
    calls = (root / "calls").read_text().splitlines()
    assert [call.split()[0] for call in calls] == ["usr/sbin/sysctl", "usr/bin/sw_vers"]


def test_an_m1_whose_sysctl_names_no_chip_is_named_by_system_profiler(tools):
    root = tools(sysctl=captured("m1-pro.sysctl"), sw_vers=SW_VERS, profiler=captured("m1-pro.system_profiler"))
    found = macos.read(mac(), tools=root)
    check_accounts(found)
    assert found.id == "apple-m1-pro-10c-16g-macos13"
    assert (found.chip, found.sources["chip"]) == ("Apple M1 Pro", "system_profiler SPHardwareDataType")
    assert (found.model, found.physical_core_count, found.memory_bytes) == ("MacBookPro18,1", 10, 16 * 1024**3)
    assert (found.logical_core_count, found.sources["logical_core_count"]) == (10, "sysctl hw.ncpu")


@pytest.mark.parametrize(
    ("transcripts", "id_", "family"),
    [
        pytest.param(["m1.sysctl"], "unknown-8c-16g-macos13", "(M1 in labkit's table)", id="m1"),
        pytest.param(["m1.sysctl", "m1-brand.sysctl"], "apple-m1-8c-16g-macos13", "(M1 in", id="m1-with-brand"),
        pytest.param(["m1.sysctl", "m2-differences.sysctl"], "unknown-8c-24g-macos13", "(M2 in", id="m2"),
        pytest.param(["m3-max.sysctl"], "apple-m3-max-14c-36g-macos13", "(M3 Max in", id="m3-max"),
        pytest.param(["m5.sysctl"], "apple-m5-10c-24g-macos13", "(not in labkit's table)", id="m5"),
        pytest.param(["m4-pro.sysctl"], "unknown-8c-macos13", "(not in labkit's table)", id="m4-pro-excerpt"),
        pytest.param(["m3-pro.sysctl"], "unknown-8c-macos13", None, id="m3-pro-excerpt"),
        pytest.param(["apple-processor.sysctl"], "apple-8c-macos13", None, id="early-brand"),
    ],
)
def test_every_transcript_gives_a_machine_that_accounts_for_itself(tools, transcripts, id_, family):
    found = macos.read(mac(), tools=tools(sysctl=both(*transcripts), sw_vers=SW_VERS))
    check_accounts(found)
    assert found.id == id_
    if family is None:
        assert why(found, "chip_family") == "sysctl has no value for hw.cpufamily"
    else:
        assert family in found.sources["chip_family"]


def test_a_chip_newer_than_the_table_keeps_its_number(tools):
    found = macos.read(mac(), tools=tools(sysctl=captured("m4-pro.sysctl"), sw_vers=SW_VERS))
    assert found.chip_family == "0x17d5b93a"
    fast, slow = found.performance_levels
    assert (fast.name, fast.physical_core_count, fast.cores_per_l2) == ("Performance", 10, 5)
    assert (slow.name, slow.physical_core_count) == ("Efficiency", None)


def test_the_early_brand_gives_way_to_system_profiler(tools):
    root = tools(
        sysctl=both("m1.sysctl", "apple-processor.sysctl"), sw_vers=SW_VERS, profiler=captured("m3.system_profiler")
    )
    assert macos.read(mac(), tools=root).chip == "Apple M3"


def test_a_translated_process_asks_the_native_sysctl(tools):
    root = tools(
        sysctl=captured("m1-rosetta.sysctl"), arch=both("m1.sysctl", "m1-brand.sysctl"), sw_vers=SW_VERS, profiler=""
    )
    found = macos.read(mac("x86_64", translated=True, page_size_bytes=4096), tools=root)
    check_accounts(found)
    assert (found.architecture, found.process_architecture) == (Architecture.ARM64, Architecture.X86_64)
    assert (found.translation, found.sources["translation"]) == (Translation.ROSETTA, "sysctl.proc_translated")
    assert (found.chip_family, found.cache_line_bytes, found.page_size_bytes) == ("0x1b588bb3", 128, 16384)
    assert found.id == "apple-m1-8c-16g-macos13"  # as natively


def test_what_a_translated_sysctl_imitates_is_not_taken(tools):
    found = macos.read(
        mac("x86_64", translated=True, page_size_bytes=4096),
        tools=tools(sysctl=captured("m1-rosetta.sysctl"), sw_vers=SW_VERS),
    )
    check_accounts(found)
    assert (found.chip, found.architecture, found.translation) == ("Apple M1", Architecture.ARM64, Translation.ROSETTA)
    assert (found.chip_family, found.cache_line_bytes) == (None, None)  # it says Westmere and 64 bytes
    assert "Rosetta imitates" in why(found, "chip_family")
    assert found.page_size_bytes == 16384
    assert found.performance_levels[0].l1d_cache_bytes == 131072


def test_an_intel_mac(tools):
    root = tools(sysctl=both("intel-cpu.sysctl", "intel-caches.sysctl"), sw_vers=SW_VERS)
    found = macos.read(mac("x86_64"), tools=root)
    check_accounts(found)
    assert found.id == "intel-core-i5-5257u-8c-macos13"
    assert (found.architecture, found.translation) == (Architecture.X86_64, Translation.NATIVE)
    assert found.chip_family == "family 6 model 61 stepping 4"
    assert found.cache_line_bytes == 64
    assert found.performance_levels[0].l3_cache_bytes == 16 * 1024**2
    assert found.virtual is None  # no VMM feature proves nothing, and the key is not in the excerpt


@pytest.mark.parametrize(
    ("said", "virtual", "hypervisor"),
    [
        pytest.param("kern.hv_vmm_present: 1\nhw.model: VirtualMac2,1\n", True, "Apple Virtualization", id="virtual"),
        pytest.param("kern.hv_vmm_present: 1\nhw.model: MacPro7,1\n", True, None, id="nameless"),
        pytest.param("machdep.cpu.features: FPU VMM\n", True, None, id="before-macos-11.3"),
        pytest.param("kern.hv_vmm_present: 0\n", False, None, id="real"),
    ],
)
def test_virtual_machines(tools, said, virtual, hypervisor):
    found = macos.read(mac(), tools=tools(sysctl=said, sw_vers=SW_VERS))
    check_accounts(found)
    assert (found.virtual, found.hypervisor) == (virtual, hypervisor)


def test_without_any_tool_each_field_says_so(tmp_path):
    found = macos.read(mac(), tools=tmp_path / "empty folder")
    check_accounts(found)
    assert (found.chip, found.memory_bytes, found.performance_levels) == (None, None, ())
    assert why(found, "chip").startswith("sysctl hw machdep.cpu")
    assert why(found, "chip").endswith("gave nothing: absent")
    assert (found.logical_core_count, found.page_size_bytes) == (8, 16384)  # this process knows these
    assert "empty folder" not in str(found)


def test_a_tool_that_fails_says_how(tools):
    found = macos.read(mac(), tools=tools(sysctl=("", 1, "sysctl: cannot allocate\n"), sw_vers=("", 2)))
    check_accounts(found)
    assert why(found, "chip").endswith("exit code 1, sysctl: cannot allocate")
    assert why(found, "system_version") == "sw_vers gave nothing: exit code 2, it printed nothing"


def test_a_tool_that_cannot_be_started_says_why_without_its_folder(tools):
    root = tools(sysctl="", sw_vers=SW_VERS)
    (root / "usr/sbin/sysctl").chmod(0o644)
    found = macos.read(mac(), tools=root)
    check_accounts(found)
    assert why(found, "chip").endswith("gave nothing: sysctl could not be started: Permission denied")
    assert "a folder" not in str(found)


def test_another_architecture_is_refused(tools):
    with pytest.raises(ImpossibleHereError, match="riscv64"):
        macos.read(mac("riscv64"), tools=tools(sysctl=captured("m1.sysctl")))


def test_nothing_that_identifies_the_computer_is_kept(tools):
    secret = "C02SECRET"
    root = tools(
        sysctl=captured("m1.sysctl") + f"kern.hostname: {secret}\nkern.uuid: {secret}\n",
        sw_vers=SW_VERS,
        profiler=captured("m1-pro.system_profiler") + f"      Serial Number (system): {secret}\n",
    )
    assert secret not in str(macos.read(mac(), tools=root))


@pytest.mark.parametrize(
    ("batt", "therm", "level", "expected"),
    [
        pytest.param(
            "battery.pmset-batt", "apple-silicon.pmset-therm", 0, ("battery", 95, None, "nominal"), id="battery"
        ),
        pytest.param("desktop.pmset-batt", "intel-throttled.pmset-therm", 2, ("ac", None, 28, "heavy"), id="throttled"),
        pytest.param("on-hold.pmset-batt", "apple-silicon.pmset-therm", None, ("ac", 80, None, None), id="unnotified"),
        pytest.param("on-hold.pmset-batt", "apple-silicon.pmset-therm", 77, ("ac", 80, None, None), id="unknown-level"),
    ],
)
def test_the_condition(tools, batt, therm, level, expected):
    root = tools(batt=captured(batt), therm=captured(therm), settings=captured("low-power-off.pmset-g"))
    found = macos_condition.read(mac(thermal_level=level), tools=root)
    check_accounts(found)
    assert (
        found.power_source,
        found.battery_percent,
        found.cpu_speed_limit_percent,
        found.thermal_pressure,
    ) == expected
    assert found.low_power_mode is False
    assert (found.load_1min, found.load_15min, found.logical_core_count) == (1.5, 1.0, 8)
    if expected[1] is None:
        assert why(found, "battery_percent") == "there is no battery"


def test_the_condition_without_pmset(tmp_path):
    found = macos_condition.read(mac(load=None), tools=tmp_path)
    check_accounts(found)
    assert why(found, "power_source") == "pmset -g batt gave nothing: absent"
    assert found.load_1min is None
