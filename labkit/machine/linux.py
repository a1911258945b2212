"""Who this Linux machine is, from /proc, /sys and /etc below a root folder; no process is started."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from labkit.machine import linux_cores as cores
from labkit.machine import linux_host as host
from labkit.machine.here import Here, architecture
from labkit.machine.names import apple_soc, identify
from labkit.machine.notes import Notes, because
from labkit.machine.tree import Tree, parse_cpuinfo, parse_os_release
from labkit.model.base import Text
from labkit.model.machine import Architecture, Machine, System


def read(here: Here, *, root: Path = Path("/")) -> Machine:
    """Return who this machine is.

    Args:
        here: This process's own view.
        root: The folder below which /proc, /sys and /etc lie.

    Raises:
        ImpossibleHereError: The process's architecture is neither arm64 nor x86_64.

    """
    tree, notes = Tree(root), Notes()
    blocks = parse_cpuinfo(tree.text("/proc/cpuinfo") or "")
    cpus = tree.online()
    process = architecture(here.machine)
    kernel, kernel_source = host.kernel_architecture(tree, blocks)
    hardware = kernel or process
    translation, translation_source = host.translation(process, kernel, here, kernel_source)
    # A qemu-user that makes /proc/cpuinfo up tells of the guest's processor, not of the machine's.
    blocks = blocks if _tells_of(hardware, blocks) else ()
    release = _release(tree)
    no_cpuinfo = because("cpuinfo_unsaid") if tree.exists("/proc/cpuinfo") else because("absent", path="/proc/cpuinfo")
    chip = notes.first("chip", _chip_candidates(tree, blocks), no_cpuinfo)
    cpu_folder = "/sys/devices/system/cpu"
    physical = notes.first(
        "physical_core_count",
        (
            (cores.physical_cores(tree, cpus), f"{cpu_folder}/cpu*/topology"),
            (cores.physical_cores_of_cpuinfo(blocks), "/proc/cpuinfo physical id, core id"),
        ),
        because("absent", path=f"{cpu_folder}/cpu*/topology"),
    )
    logical = notes.first(
        "logical_core_count",
        (
            (len(cpus) or None, f"{cpu_folder}/online"),
            (len(blocks) or None, "/proc/cpuinfo"),
            (here.cpu_count, "os.cpu_count"),
        ),
        because("no_cpu_count"),
    )
    memory = notes.first(
        "memory_bytes",
        ((_memory(tree), "/proc/meminfo MemTotal"),),
        because("absent", path="/proc/meminfo"),
    )
    found = cores.performance_levels(tree, cpus, blocks)
    notes.levels(found.levels, found.source, because("absent", path=cpu_folder), _why_in_level(tree))
    for position, level in enumerate(found.levels):
        if level.name is None:
            notes.missing[f"performance_levels[{position}].name"] = because("level_nameless")
    named = host.hypervisor(tree)
    virtual = notes.first("virtual", (host.virtual(tree, blocks, named),), because("virtual_unsaid"))
    system = f"{release.get('ID', 'linux')}{release.get('VERSION_ID', '').partition('.')[0]}"
    return Machine(
        id=notes.sure(
            "id",
            identify(chip=chip, cores=physical or logical, memory_bytes=memory, system=system),
            "chip, physical_core_count, memory_bytes, os-release",
        ),
        system=notes.sure("system", System.LINUX, "sys.platform"),
        system_version=notes.first(
            "system_version", ((release.get("VERSION_ID"), "/etc/os-release VERSION_ID"),), _why_release(release)
        ),
        system_name=notes.sure(
            "system_name",
            release.get("PRETTY_NAME") or "Linux",
            "/etc/os-release PRETTY_NAME" if release.get("PRETTY_NAME") else "sys.platform",
        ),
        kernel=notes.sure("kernel", here.kernel, "uname"),
        chip=chip,
        chip_family=notes.first(
            "chip_family",
            (
                (cores.x86_family(blocks), "/proc/cpuinfo cpu family, model, stepping"),
                (cores.arm_family(blocks), "/proc/cpuinfo CPU implementer, part, variant, revision"),
            ),
            no_cpuinfo,
        ),
        model=notes.first("model", host.model(tree), because("no_model")),
        architecture=notes.sure("architecture", hardware, kernel_source or "uname"),
        process_architecture=notes.sure("process_architecture", process, "uname"),
        translation=notes.sure("translation", translation, translation_source),
        virtual=virtual,
        hypervisor=notes.first(
            "hypervisor",
            (named,) if virtual else (),
            because("not_virtual") if virtual is False else because("hypervisor_unnamed"),
        ),
        physical_core_count=physical,
        logical_core_count=logical,
        performance_levels=found.levels,
        memory_bytes=memory,
        page_size_bytes=notes.sure("page_size_bytes", here.page_size_bytes, "os.sysconf SC_PAGE_SIZE"),
        cache_line_bytes=notes.first(
            "cache_line_bytes",
            ((cores.line_bytes(tree, cpus), f"{cpu_folder}/cpu*/cache/index*/coherency_line_size"),),
            because("absent", path=f"{cpu_folder}/cpu*/cache"),
        ),
        sources=notes.sources,
        missing=notes.missing,
    )


def _tells_of(hardware: Architecture, blocks: Sequence[Mapping[str, str]]) -> bool:
    key = "vendor_id" if hardware is Architecture.X86_64 else "CPU implementer"
    return bool(blocks) and key in blocks[0]


def _release(tree: Tree) -> dict[str, str]:
    return parse_os_release(tree.text("/etc/os-release") or tree.text("/usr/lib/os-release") or "")


def _why_release(release: Mapping[str, str]) -> Text:
    return because("rolling_release") if release else because("absent", path="/etc/os-release")


def _why_in_level(tree: Tree) -> Text:
    folder = "/sys/devices/system/cpu/cpu*/cache"
    has_caches = any("index" in name for cpu in tree.online() for name in tree.names(folder.replace("*", str(cpu))))
    return because("cache_unsaid", path=folder) if has_caches else because("absent", path=folder)


def _memory(tree: Tree) -> int | None:
    for line in (tree.text("/proc/meminfo") or "").splitlines():
        key, _, value = line.partition(":")
        if key == "MemTotal" and (words := value.split()) and words[0].isdigit():
            return int(words[0]) * 1024
    return None


def _chip_candidates(tree: Tree, blocks: Sequence[Mapping[str, str]]) -> tuple[tuple[str | None, str], ...]:
    brand = next((block["model name"] for block in blocks if block.get("model name")), None)
    return (
        (apple_soc(host.device_tree(tree, "compatible")), "/proc/device-tree/compatible (labkit's table)"),
        (brand, "/proc/cpuinfo model name"),
        (cores.arm_chip(blocks), "/proc/cpuinfo CPU implementer, CPU part (labkit's table)"),
    )
