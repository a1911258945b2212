"""A Linux machine's cores: how many, in which performance levels, with which caches; and the chip's name from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from labkit.machine.names import apple_chip, arm_core, arm_vendor
from labkit.machine.tree import Tree, numbers, size_bytes
from labkit.model.machine import PerformanceLevel

_CPU: Final = "/sys/devices/system/cpu"
#: The kinds of core that Intel's hybrids have, the fastest first: a PMU each, with the list of its CPUs.
_HYBRID: Final = ("cpu_core", "cpu_atom", "cpu_lowpower")


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Performance levels, the fastest first, and by what they were told apart."""

    levels: tuple[PerformanceLevel, ...]
    source: str


def physical_cores(tree: Tree, cpus: Sequence[int]) -> int | None:
    """Return how many cores these CPUs are, threads of one core counted once; None when the kernel does not say."""
    cores: set[str] = set()
    for cpu in cpus:
        folder = f"{_CPU}/cpu{cpu}/topology"
        siblings = tree.text(f"{folder}/core_cpus_list") or tree.text(f"{folder}/thread_siblings_list")
        if siblings is None:
            return None
        cores.add(siblings)
    return len(cores) or None


def physical_cores_of_cpuinfo(blocks: Sequence[Mapping[str, str]]) -> int | None:
    """Return the cores that x86's /proc/cpuinfo tells apart by package and core."""
    cores = {(block.get("physical id"), block.get("core id")) for block in blocks}
    return len(cores) if blocks and all(None not in core for core in cores) else None


def performance_levels(tree: Tree, cpus: Sequence[int], blocks: Sequence[Mapping[str, str]]) -> Levels:
    """Return the levels.

    Intel's hybrids list their CPUs by kind. Arm's cores differ in capacity, by the kernel's own measure, where there is
    none in top frequency (https://github.com/AsahiLinux/muvm/issues/43), or in part number. On x86 a greater top
    frequency makes no level: like cores of one chip differ in it.
    """
    hybrid = [
        (name, tuple(cpu for cpu in numbers(listed) if cpu in cpus))
        for name in _HYBRID
        if (listed := tree.text(f"/sys/devices/{name}/cpus")) is not None
    ]
    if len(hybrid) > 1:
        return Levels(
            levels=tuple(_level(tree, group, name) for name, group in hybrid if group), source="/sys/devices/cpu_*/cpus"
        )
    parts = {
        int(block["processor"]): (block["CPU implementer"], block["CPU part"])
        for block in blocks
        if {"CPU implementer", "CPU part"} <= block.keys() and block["processor"].isdigit()
    }
    groups: dict[tuple[int, int, tuple[str, str] | None], list[int]] = {}
    for cpu in cpus:
        capacity = tree.number(f"{_CPU}/cpu{cpu}/cpu_capacity") or 0
        # Only where the cores are Arm's: x86 kernels scale the capacity of like cores by their turbo.
        top = tree.number(f"{_CPU}/cpu{cpu}/cpufreq/cpuinfo_max_freq") or 0
        key = (capacity, top, parts[cpu]) if cpu in parts else (0, 0, None)
        groups.setdefault(key, []).append(cpu)
    ordered = sorted(groups.items(), key=lambda item: item[0][:2], reverse=True)
    name_of = {key: arm_core(*key[2]) if key[2] else None for key in groups}
    source = f"{_CPU}/cpu*/cpu_capacity, cpufreq; /proc/cpuinfo CPU part" if parts else f"{_CPU}/cpu*/topology, cache"
    return Levels(levels=tuple(_level(tree, group, name_of[key]) for key, group in ordered), source=source)


def _level(tree: Tree, cpus: Sequence[int], name: str | None) -> PerformanceLevel:
    sizes: dict[tuple[str, str], int | None] = {}
    sharing: int | None = None
    first = cpus[0]
    for index in tree.names(f"{_CPU}/cpu{first}/cache"):
        folder = f"{_CPU}/cpu{first}/cache/{index}"
        level, kind = tree.text(f"{folder}/level"), tree.text(f"{folder}/type")
        if level is None or kind is None:
            continue
        sizes[level, kind] = size_bytes(tree.text(f"{folder}/size"))
        if level == "2" and (shared := tree.text(f"{folder}/shared_cpu_list")) is not None:
            sharing = physical_cores(tree, numbers(shared))
    return PerformanceLevel(
        name=name,
        physical_core_count=physical_cores(tree, cpus),
        logical_core_count=len(cpus),
        l1i_cache_bytes=sizes.get(("1", "Instruction")),
        l1d_cache_bytes=sizes.get(("1", "Data")),
        l2_cache_bytes=sizes.get(("2", "Unified")),
        cores_per_l2=sharing,
        l3_cache_bytes=sizes.get(("3", "Unified")),
    )


def line_bytes(tree: Tree, cpus: Sequence[int]) -> int | None:
    """Return the first-level data cache's line size."""
    for cpu in cpus:
        for index in tree.names(f"{_CPU}/cpu{cpu}/cache"):
            folder = f"{_CPU}/cpu{cpu}/cache/{index}"
            if (tree.text(f"{folder}/level"), tree.text(f"{folder}/type")) == ("1", "Data"):
                return tree.number(f"{folder}/coherency_line_size")
    return None


def arm_chip(blocks: Sequence[Mapping[str, str]]) -> str | None:
    """Return the chip by its cores' numbers: ``Apple M1``, ``Arm Cortex-X3 + Cortex-A715``, or the bare numbers."""
    cores = list(dict.fromkeys((block.get("CPU implementer"), block.get("CPU part")) for block in blocks))
    # A guest whose hypervisor hides the chip has zeros: https://github.com/docker/for-mac/issues/6512
    if not cores or None in cores[0] or cores[0][0] == "0x00":
        return None
    if len(chips := {apple_chip(part) for maker, part in cores if maker == "0x61" and part}) == 1 and None not in chips:
        return chips.pop()
    maker = cores[0][0] or ""
    vendor = arm_vendor(maker)
    shown = [arm_core(maker, part or "") or f"part {part}" for maker, part in cores if maker]
    return f"{vendor or f'implementer {maker}'} {' + '.join(dict.fromkeys(shown))}"


def arm_family(blocks: Sequence[Mapping[str, str]]) -> str | None:
    """Return the distinct MIDR fields of all cores: ``0x61/0x022 r1p1, 0x61/0x023 r1p1``."""
    shown = []
    for block in blocks:
        if {"CPU implementer", "CPU part"} <= block.keys():
            variant, revision = block.get("CPU variant", "?"), block.get("CPU revision", "?")
            shown.append(f"{block['CPU implementer']}/{block['CPU part']} r{variant.removeprefix('0x')}p{revision}")
    return ", ".join(dict.fromkeys(shown)) or None


def x86_family(blocks: Sequence[Mapping[str, str]]) -> str | None:
    """Return the CPUID family, model and stepping that /proc/cpuinfo gives in decimal."""
    if not blocks or not {"cpu family", "model", "stepping"} <= blocks[0].keys():
        return None
    return "family {cpu family} model {model} stepping {stepping}".format(**blocks[0])
