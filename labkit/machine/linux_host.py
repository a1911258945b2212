"""What is below a Linux process: a real machine or a virtual one, and whether its instructions are translated."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from labkit.machine.here import Here, known_architecture
from labkit.machine.names import hypervisor_in_dmi, hypervisor_of_clock
from labkit.machine.tree import Tree
from labkit.model.machine import Architecture, Translation

_DMI: Final = "/sys/class/dmi/id"
_CLOCK: Final = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
# What firmware says whose maker filled nothing in.
_PLACEHOLDER: Final = re.compile(
    r"to be filled|default string|system product name|system manufacturer|not specified|none", re.IGNORECASE
)


def kernel_architecture(tree: Tree, blocks: Sequence[Mapping[str, str]]) -> tuple[Architecture | None, str]:
    """Return the kernel's own architecture and where it says so.

    uname does not serve: qemu-user answers it with the guest's. Files do (seen with qemu-user 7.2), except that newer
    ones make /proc/cpuinfo up: https://gitlab.com/qemu-project/qemu/-/commit/a55b9e72267085957cadb0af0a8811cfbd7c61a9
    """
    if (name := tree.text("/proc/sys/kernel/arch")) is not None:
        return known_architecture(name), "/proc/sys/kernel/arch"
    alias = re.match(r"cpu:type:([a-z0-9]+)", tree.text("/sys/devices/system/cpu/modalias") or "")
    if alias:
        return known_architecture(alias[1].replace("x86", "x86_64")), "/sys/devices/system/cpu/modalias"
    if blocks:
        if "vendor_id" in blocks[0]:
            return Architecture.X86_64, "/proc/cpuinfo vendor_id"
        if "CPU implementer" in blocks[0]:
            return Architecture.ARM64, "/proc/cpuinfo CPU implementer"
    return None, ""


def translation(process: Architecture, kernel: Architecture | None, here: Here, source: str) -> tuple[Translation, str]:
    """Return how the process's instructions are executed, and by what that is known."""
    if kernel is None:
        return Translation.NATIVE, "uname (nothing names the kernel's architecture)"
    if process is kernel:
        return Translation.NATIVE, f"uname, {source}"
    name = PurePosixPath(here.loader or "").name
    for part, kind in (("qemu", Translation.QEMU), ("rosetta", Translation.ROSETTA)):
        if part in name:
            return kind, f"uname, {source}, /proc/thread-self/exe ({name})"
    return Translation.OTHER, f"uname, {source}"


def device_tree(tree: Tree, name: str) -> tuple[str, ...]:
    """Return the texts of a property of the device tree's root."""
    return tuple(part for part in (tree.text(f"/proc/device-tree/{name}") or "").split("\0") if part)


def model(tree: Tree) -> tuple[tuple[str | None, str], ...]:
    """Return the computer's model by DMI, else by the device tree, each with its source. No serial number is read."""
    product = tree.text(f"{_DMI}/product_name")
    kept = product if product and not _PLACEHOLDER.fullmatch(product) and "filled" not in product.lower() else None
    return (
        (kept, f"{_DMI}/product_name"),
        (next(iter(device_tree(tree, "model")), None), "/proc/device-tree/model"),
    )


def hypervisor(tree: Tree) -> tuple[str | None, str]:
    """Return the hypervisor that names itself, and where."""
    if (kind := tree.text("/sys/hypervisor/type")) is not None:
        return {"xen": "Xen"}.get(kind, kind), "/sys/hypervisor/type"
    texts = [text for name in ("product_name", "sys_vendor", "bios_vendor") if (text := tree.text(f"{_DMI}/{name}"))]
    if (named := hypervisor_in_dmi(texts)) is not None:
        return named, _DMI
    if (compatible := tree.text("/proc/device-tree/hypervisor/compatible")) is not None:
        return compatible.split("\0")[0], "/proc/device-tree/hypervisor"
    if "linux,dummy-virt" in device_tree(tree, "compatible"):
        return "QEMU", "/proc/device-tree/compatible"
    if (clock := hypervisor_of_clock((tree.text(_CLOCK) or "").split())) is not None:
        return clock, _CLOCK
    return None, ""


def virtual(tree: Tree, blocks: Sequence[Mapping[str, str]], named: tuple[str | None, str]) -> tuple[bool | None, str]:
    """Return whether this is a virtual machine: None when no sign either way is to be trusted.

    x86 has a CPUID bit for it. Arm has none: there a physical board's device tree says no, and DMI's silence nothing.
    """
    flags = blocks[0].get("flags", "").split() if blocks else []
    if "hypervisor" in flags:
        return True, "/proc/cpuinfo flags"
    if named[0] is not None:
        return True, named[1]
    if flags:
        return False, "/proc/cpuinfo flags"
    if device_tree(tree, "compatible"):
        return False, "/proc/device-tree"
    return None, ""
