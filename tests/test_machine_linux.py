"""A Linux machine is read from captured trees, from what tests make up, and from this host itself."""

import sys
from pathlib import Path

import pytest

from labkit import machine
from labkit.errors import ImpossibleHereError
from labkit.machine import here, linux, linux_condition, linux_cores
from labkit.machine.tree import Tree, numbers, parse_cpuinfo, parse_os_release, size_bytes
from labkit.model.machine import Architecture, Translation
from labkit.words import Language, render
from tests.machine_fixtures import check_accounts, plant
from tests.machine_fixtures import linux as view

CPU = "/sys/devices/system/cpu"


def why(record, field):
    return render(record.missing[field], Language.ENGLISH)


def test_this_host_accounts_for_itself():
    found, now = machine.read(), machine.condition()
    check_accounts(found)
    check_accounts(now)
    assert found.logical_core_count
    assert now.load_1min is not None


def test_the_same_machine_has_the_same_id():
    assert machine.read().id == machine.read().id


def test_another_system_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ImpossibleHereError, match="win32"):
        machine.read()


def test_a_captured_virtual_machine(tmp_path):
    found = linux.read(view(), root=plant(tmp_path, "epyc-kvm"))
    check_accounts(found)
    assert found.id == "amd-epyc-2c-24g-debian12"
    assert (found.chip, found.chip_family) == ("AMD EPYC", "family 25 model 17 stepping 1")
    assert (found.system_name, found.system_version) == ("Debian GNU/Linux 12 (bookworm)", "12")
    assert (found.virtual, found.hypervisor) == (True, "KVM")
    assert (found.architecture, found.translation) == (Architecture.X86_64, Translation.NATIVE)
    (level,) = found.performance_levels
    assert (level.l1i_cache_bytes, level.l1d_cache_bytes) == (32768, 32768)
    assert (level.l2_cache_bytes, level.cores_per_l2, level.l3_cache_bytes) == (1048576, 1, 33554432)
    assert (found.cache_line_bytes, found.memory_bytes) == (64, 24684092 * 1024)
    assert why(found, "model") == "neither DMI nor a device tree names a model"


@pytest.mark.parametrize(
    ("loader", "expected"),
    [
        ("/usr/bin/qemu-aarch64", Translation.QEMU),
        ("/usr/bin/buildkit-qemu-aarch64", Translation.QEMU),
        ("/run/rosetta/rosetta", Translation.ROSETTA),
        ("/usr/bin/box64", Translation.OTHER),
        (None, Translation.OTHER),
    ],
)
def test_a_process_of_another_architecture_is_translated(tmp_path, loader, expected):
    root = plant(tmp_path, "epyc-kvm")
    found = linux.read(view("aarch64", loader=loader), root=root)
    check_accounts(found)
    assert found.translation is expected
    assert (found.architecture, found.process_architecture) == (Architecture.X86_64, Architecture.ARM64)
    assert found.id == linux.read(view(), root=root).id


@pytest.mark.parametrize(
    ("files", "source"),
    [
        ({"/proc/sys/kernel/arch": "x86_64\n"}, "/proc/sys/kernel/arch"),
        ({f"{CPU}/modalias": "cpu:type:x86,ven0002fam0019mod0011\n"}, f"{CPU}/modalias"),
        ({"/proc/cpuinfo": "processor: 0\nvendor_id: AuthenticAMD\n"}, "/proc/cpuinfo vendor_id"),
    ],
    ids=["arch", "modalias", "cpuinfo"],
)
def test_the_kernels_architecture_is_read_where_it_is_said(tmp_path, files, source):
    found = linux.read(view("aarch64", loader="/usr/bin/qemu-aarch64"), root=plant(tmp_path, **files))
    assert (found.architecture, found.sources["architecture"]) == (Architecture.X86_64, source)
    assert source in found.sources["translation"]


def test_a_made_up_cpuinfo_is_not_the_machines(tmp_path):
    # What a newer qemu-user shows its guest, on a kernel that says what it is itself.
    root = plant(tmp_path, "graviton2", **{"/proc/sys/kernel/arch": "x86_64\n"})
    found = linux.read(view("aarch64", loader="/usr/bin/qemu-aarch64"), root=root)
    check_accounts(found)
    assert (found.chip, found.chip_family) == (None, None)
    assert "imitated processor" in why(found, "chip")


@pytest.mark.parametrize(
    ("trees", "chip", "virtual"),
    [
        pytest.param(["m1-asahi"], "Apple M1", None, id="m1-by-part"),
        pytest.param(["m1-pro-asahi"], "Apple M1 Pro", False, id="m1-pro-by-device-tree"),
        pytest.param(["m1-asahi", "m1-pro-asahi"], "Apple M1 Pro", False, id="device-tree-first"),
        pytest.param(["graviton2"], "Arm Neoverse-N1", None, id="graviton2"),
        pytest.param(["m3-max-guest"], "Apple part 0x000", None, id="apple-guest"),
        pytest.param(["m1-docker"], None, None, id="zeros"),
        pytest.param(["m3-max-guest", "apple-virtualization-dmi"], "Apple part 0x000", True, id="guest-with-dmi"),
        pytest.param([], None, None, id="nothing"),
    ],
)
def test_arm_chips(tmp_path, trees, chip, virtual):
    found = linux.read(view("aarch64"), root=plant(tmp_path, *trees))
    check_accounts(found)
    assert (found.chip, found.virtual, found.architecture) == (chip, virtual, Architecture.ARM64)
    assert found.translation is Translation.NATIVE
    if "apple-virtualization-dmi" in trees:
        assert (found.hypervisor, found.model) == ("Apple Virtualization", "Apple Virtualization Generic Platform")


def test_arm_families_are_each_cores_number(tmp_path):
    found = linux.read(view("aarch64"), root=plant(tmp_path, "m1-asahi"))
    assert found.chip_family == "0x61/0x022 r1p1"


def test_a_guest_that_does_not_name_its_hypervisor(tmp_path):
    cpuinfo = "processor: 0\nvendor_id: GenuineIntel\nflags: fpu hypervisor\n"
    found = linux.read(view(), root=plant(tmp_path, **{"/proc/cpuinfo": cpuinfo}))
    check_accounts(found)
    assert (found.virtual, found.hypervisor) == (True, None)
    assert why(found, "hypervisor") == "nothing names a hypervisor"


def test_a_real_intel_machine(tmp_path):
    found = linux.read(view(), root=plant(tmp_path, "arrow-lake"))
    check_accounts(found)
    assert (found.chip, found.virtual, found.hypervisor) == ("Intel(R) Core(TM) Ultra 9 285", False, None)
    assert found.physical_core_count == 1  # the excerpt has one processor
    assert found.id.startswith("intel-core-ultra-9-285-")


def made_up_cpu(number, *, part=None, capacity=None, siblings=None, caches=True, l2="0-3"):
    """Return a CPU's files, and its block of /proc/cpuinfo; made up for a test, no machine's."""
    folder = f"{CPU}/cpu{number}"
    files = {f"{folder}/topology/core_cpus_list": f"{siblings or number}\n"}
    if capacity is not None:
        files[f"{folder}/cpu_capacity"] = f"{capacity}\n"
    kinds = (("1", "Data", "64K", str(number)), ("1", "Instruction", "128K", str(number)), ("2", "Unified", "4M", l2))
    for index, (level, kind, size, shared) in enumerate(kinds if caches else ()):
        files |= {
            f"{folder}/cache/index{index}/{key}": f"{text}\n"
            for key, text in (("level", level), ("type", kind), ("size", size), ("shared_cpu_list", shared))
        }
    block = f"processor\t: {number}\nCPU implementer\t: 0x61\nCPU part\t: {part}\n" if part else ""
    return files, block


def made_up(root, cpus, **more):
    files, blocks = {f"{CPU}/online": f"0-{len(cpus) - 1}\n"}, []
    for cpu_files, block in cpus:
        files |= cpu_files
        blocks.append(block)
    return plant(root, **(files | {"/proc/cpuinfo": "\n".join(blocks)} | more))


def test_arm_levels_are_ordered_by_capacity(tmp_path):
    little = [made_up_cpu(n, part="0x022", capacity=485, l2="0-1") for n in (0, 1)]
    big = [made_up_cpu(n, part="0x023", capacity=1024, l2="2-5") for n in (2, 3, 4, 5)]
    found = linux.read(view("aarch64"), root=made_up(tmp_path, little + big))
    check_accounts(found)
    assert [(level.name, level.physical_core_count, level.cores_per_l2) for level in found.performance_levels] == [
        ("Firestorm", 4, 4),
        ("Icestorm", 2, 2),
    ]
    assert found.performance_levels[0].l3_cache_bytes is None
    assert found.physical_core_count == 6


def test_intels_hybrids_list_their_cores(tmp_path):
    fast = [made_up_cpu(n, siblings="0-1", l2="0-1") for n in (0, 1)]
    slow = [made_up_cpu(n, l2="2-3") for n in (2, 3)]
    lists = {"/sys/devices/cpu_core/cpus": "0-1\n", "/sys/devices/cpu_atom/cpus": "2-3\n"}
    found = linux.read(view(), root=made_up(tmp_path, fast + slow, **lists))
    assert [
        (level.name, level.physical_core_count, level.logical_core_count, level.cores_per_l2)
        for level in found.performance_levels
    ] == [("cpu_core", 1, 2, 1), ("cpu_atom", 2, 2, 2)]
    assert (found.physical_core_count, found.logical_core_count) == (3, 4)


def test_like_cores_of_one_x86_chip_are_one_level(tmp_path):
    # Kernels scale the capacity of like cores by their turbo.
    cpus = [made_up_cpu(n, capacity=1024 - n) for n in range(4)]
    assert len(linux.read(view(), root=made_up(tmp_path, cpus)).performance_levels) == 1


def test_a_guest_without_cache_information_says_so(tmp_path):
    found = linux.read(view(), root=made_up(tmp_path, [made_up_cpu(0, caches=False)]))
    check_accounts(found)
    assert why(found, "performance_levels[0].l2_cache_bytes") == f"{CPU}/cpu*/cache is absent"
    assert why(found, "cache_line_bytes") == f"{CPU}/cpu*/cache is absent"


def test_cores_are_counted_from_cpuinfo_where_there_is_no_topology(tmp_path):
    block = "processor: {n}\nvendor_id: X\nphysical id: 0\ncore id: {core}\n"
    text = "\n".join(block.format(n=n, core=n // 2) for n in range(4))
    found = linux.read(view(), root=plant(tmp_path, **{"/proc/cpuinfo": text}))
    assert (found.physical_core_count, found.logical_core_count) == (2, 4)


@pytest.mark.parametrize(
    ("files", "model"),
    [
        ({"product_name": "20L5CTO1WW\n"}, "20L5CTO1WW"),
        ({"product_name": "To Be Filled By O.E.M.\n"}, None),
        ({"product_name": "System Product Name\n"}, None),
    ],
)
def test_models(tmp_path, files, model):
    root = plant(tmp_path, **{f"/sys/class/dmi/id/{name}": text for name, text in files.items()})
    assert linux.read(view(), root=root).model == model


@pytest.mark.parametrize(
    "path",
    [
        "/etc/hostname",
        "/etc/machine-id",
        "/proc/sys/kernel/hostname",
        "/sys/class/dmi/id/product_serial",
        "/sys/class/dmi/id/product_uuid",
        "/proc/device-tree/serial-number",
        "/sys/class/power_supply/BAT0/serial_number",
    ],
)
def test_nothing_that_identifies_the_computer_is_read(tmp_path, path):
    root = plant(tmp_path, "epyc-kvm", "thinkpad-battery", **{path: "SECRET\n"})
    assert "SECRET" not in str(linux.read(view(), root=root))
    assert "SECRET" not in str(linux_condition.read(view(), root=root))


@pytest.mark.parametrize(
    ("files", "hypervisor"),
    [
        ({"/sys/hypervisor/type": "xen\n"}, "Xen"),
        ({"/sys/class/dmi/id/sys_vendor": "QEMU\n"}, "QEMU"),
        ({"/sys/class/dmi/id/product_name": "VMware Virtual Platform\n"}, "VMware"),
        ({"/sys/class/dmi/id/sys_vendor": "Amazon EC2\n"}, None),  # bare metal says so too
        ({"/proc/device-tree/hypervisor/compatible": "linux,kvm\0"}, "linux,kvm"),
        ({"/proc/device-tree/compatible": "linux,dummy-virt\0"}, "QEMU"),
    ],
)
def test_hypervisors(tmp_path, files, hypervisor):
    found = linux.read(view("aarch64"), root=plant(tmp_path, **files))
    check_accounts(found)
    assert found.hypervisor == hypervisor
    assert found.virtual is (True if hypervisor else None)


@pytest.mark.parametrize(
    ("supplies", "source", "percent"),
    [
        pytest.param({"AC/type": "Mains", "AC/online": "1"}, "ac", None, id="mains"),
        pytest.param(
            {"AC/type": "Mains", "AC/online": "0", "B/type": "Battery", "B/status": "Discharging", "B/capacity": "41"},
            *("battery", 41),
            id="on-battery",
        ),
        pytest.param({"B/type": "Battery", "B/status": "Full", "B/capacity": "100"}, "ac", 100, id="full"),
        pytest.param(
            {"M/type": "Battery", "M/scope": "Device", "M/status": "Discharging", "M/capacity": "5"},
            *(None, None),
            id="a-mouse",
        ),
        pytest.param({"B/type": "Battery", "B/status": "Unknown", "B/capacity": "7"}, None, 7, id="unknown"),
    ],
)
def test_power(tmp_path, supplies, source, percent):
    root = plant(tmp_path, **{f"/sys/class/power_supply/{path}": f"{text}\n" for path, text in supplies.items()})
    found = linux_condition.read(view(), root=root)
    check_accounts(found)
    assert (found.power_source, found.battery_percent) == (source, percent)


def test_a_captured_battery(tmp_path):
    found = linux_condition.read(view(), root=plant(tmp_path, "thinkpad-battery"))
    check_accounts(found)
    assert (found.power_source, found.battery_percent) == ("battery", 9)


def test_the_condition_of_a_captured_virtual_machine(tmp_path):
    found = linux_condition.read(view(), root=plant(tmp_path, "epyc-kvm"))
    check_accounts(found)
    assert isinstance(found.load_5min, float)
    assert found.cpu_pressure_percent is not None
    assert found.cpu_frequency_hz == 2596142000
    assert why(found, "power_source").startswith("no power supply is listed")
    assert why(found, "thermal_pressure") == "/sys/class/thermal lists no cooling of the processor"


def test_heat_and_frequency(tmp_path):
    files = {f"{CPU}/online": "0-1\n", "/sys/firmware/acpi/platform_profile": "low-power\n"}
    for cpu, (current, allowed) in enumerate(((3200000, 3600000), (800000, 1800000))):
        files |= {
            f"{CPU}/cpu{cpu}/cpufreq/scaling_cur_freq": f"{current}\n",
            f"{CPU}/cpu{cpu}/cpufreq/scaling_max_freq": f"{allowed}\n",
            f"{CPU}/cpu{cpu}/cpufreq/cpuinfo_max_freq": "3600000\n",
            f"{CPU}/cpu{cpu}/thermal_throttle/core_throttle_count": "4\n",
        }
    for number, (kind, state) in enumerate((("Processor", 3), ("Fan", 9), ("intel_powerclamp", 5))):
        folder = f"/sys/class/thermal/cooling_device{number}"
        files |= {f"{folder}/type": kind, f"{folder}/cur_state": f"{state}", f"{folder}/max_state": "10"}
    found = linux_condition.read(view(), root=plant(tmp_path, **files))
    check_accounts(found)
    assert (found.cpu_frequency_hz, found.cpu_speed_limit_percent) == (3_200_000_000, 50)
    assert (found.thermal_pressure, found.throttle_count) == ("3 of 10", 8)
    assert found.low_power_mode is True


def test_an_empty_tree_has_a_reason_for_everything(tmp_path):
    check_accounts(linux.read(view(), root=tmp_path))
    found = linux_condition.read(view(), root=tmp_path)
    check_accounts(found)
    assert why(found, "load_1min") == "/proc/loadavg is absent"


@pytest.mark.parametrize(("text", "expected"), [("0-3,8", (0, 1, 2, 3, 8)), ("0", (0,)), ("", ()), ("x", ())])
def test_cpu_lists(text, expected):
    assert numbers(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("32K", 32768), ("12M", 12 << 20), ("", None), (None, None), ("9X", None)]
)
def test_cache_sizes(text, expected):
    assert size_bytes(text) == expected


def test_os_release_is_unquoted():
    assert parse_os_release('ID=debian\nNAME="A \\"B\\""\nV=\'12\'\n# x\n') == {
        "ID": "debian",
        "NAME": 'A "B"',
        "V": "12",
    }


def test_cpuinfo_keeps_only_processors():
    assert parse_cpuinfo("processor: 0\nx: 1\n\nHardware: BCM\n") == ({"processor": "0", "x": "1"},)


def test_mixed_arm_cores_are_all_named():
    blocks = [{"CPU implementer": "0x41", "CPU part": part} for part in ("0xd4e", "0xd4d", "0xd4d", "0xfff")]
    assert linux_cores.arm_chip(blocks) == "Arm Cortex-X3 + Cortex-A715 + part 0xfff"


def test_the_tree_gives_nothing_for_what_cannot_be_read(tmp_path):
    tree = Tree(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").write_text("\n")
    assert (tree.text("folder"), tree.text("empty"), tree.number("absent"), tree.names("absent")) == (
        None,
        None,
        None,
        (),
    )


def test_this_process_knows_itself():
    seen = here.look()
    assert seen.page_size_bytes >= 4096
    assert seen.load is not None
    if sys.platform == "linux":
        assert Path(seen.loader).name.startswith("python")
        assert (seen.translated, seen.thermal_level) == (None, None)
