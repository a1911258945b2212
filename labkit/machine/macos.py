"""Who this Mac is: runs macOS's tools, and puts what they said together.

As few processes as possible: one sysctl for everything it knows and one sw_vers; system_profiler, which takes long,
only where sysctl does not name the chip. The tools' texts are read by :mod:`labkit.machine.macos_text`. No Mac has run
this yet: it is tested on published transcripts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.machine import macos_text as text
from labkit.machine.here import Here, architecture
from labkit.machine.macos_tools import Output, run_tool
from labkit.machine.names import apple_family, identify
from labkit.machine.notes import Notes, because
from labkit.model.base import Text
from labkit.model.machine import Architecture, Machine, System, Translation

_KEYS: Final = ("hw", "machdep.cpu", "hw.model", "hw.optional.arm64", "kern.hv_vmm_present", "kern.osproductversion")
_PROFILER_TIMEOUT_S: Final = 30.0
# Given by Rosetta's sysctl instead of the hardware's: Westmere's family, 64-byte lines and 4 KiB pages on an M1.
# https://github.com/archspec/archspec-json/blob/master/tests/targets/rossetta2-monterey-core2
_CPU_TYPE_X86_64: Final = 7
_HYPERVISORS: Final = {"VirtualMac": "Apple Virtualization", "VMware": "VMware", "Parallels": "Parallels"}


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The texts that a machine's identity is made from."""

    sysctl: Output
    sw_vers: Output
    system_profiler: Output | None  # only when sysctl did not say enough


def read(here: Here, *, tools: Path = Path("/")) -> Machine:
    """Return who this Mac is.

    Args:
        here: This process's own view.
        tools: The folder in which ``usr/sbin/sysctl`` and the others lie.

    """
    return compose(gather(here, tools=tools), here)


def gather(here: Here, *, tools: Path = Path("/")) -> Texts:
    """Run the tools, as natively as they can be run."""
    program = tools / "usr/sbin/sysctl"
    sysctl = run_tool(program, *_KEYS)
    said = text.parse_sysctl(sysctl.stdout, sysctl.stderr)
    if here.translated and _is_translated_view(said):
        native = run_tool(tools / "usr/bin/arch", "-arm64", str(program), *_KEYS)
        if native.failure is None:
            sysctl, said = native, text.parse_sysctl(native.stdout, native.stderr)
    return Texts(
        sysctl=sysctl,
        sw_vers=run_tool(tools / "usr/bin/sw_vers"),
        system_profiler=None
        if _says_enough(said)
        else run_tool(
            tools / "usr/sbin/system_profiler",
            *("-detailLevel", "mini", "SPHardwareDataType"),
            timeout_s=_PROFILER_TIMEOUT_S,
        ),
    )


def _is_translated_view(said: text.Sysctl) -> bool:
    return said.number("hw.optional.arm64") == 1 and said.number("hw.cputype") == _CPU_TYPE_X86_64


def _names_chip(said: text.Sysctl) -> bool:
    # "Apple processor" is what early systems said: https://github.com/archspec/archspec/issues/38
    return said.text("machdep.cpu.brand_string") not in {None, "Apple processor"}


def _says_enough(said: text.Sysctl) -> bool:
    keys = ("hw.model", "hw.memsize", "hw.physicalcpu")
    return _names_chip(said) and all(said.text(key) is not None for key in keys)


def compose(texts: Texts, here: Here) -> Machine:
    """Return the machine that the texts describe.

    Raises:
        ImpossibleHereError: The process's architecture is neither arm64 nor x86_64.

    """
    notes = Notes()
    said = text.parse_sysctl(texts.sysctl.stdout, texts.sysctl.stderr)
    versions = text.parse_sw_vers(texts.sw_vers.stdout)
    profile = text.parse_system_profiler(texts.system_profiler.stdout) if texts.system_profiler else {}
    profiler = "system_profiler SPHardwareDataType"

    def unsaid(key: str) -> Text:
        return texts.sysctl.failure or because("no_key", key=key)

    def number(key: str) -> tuple[int | None, str]:
        return said.number(key), f"sysctl {key}"

    process = architecture(here.machine)
    hardware, hardware_source = _hardware(said, here, process)
    translation, translation_source = _translation(process, hardware, here)
    chip = notes.first("chip", _chip_candidates(said, profile, profiler), unsaid("machdep.cpu.brand_string"))
    physical = notes.first(
        "physical_core_count",
        (number("hw.physicalcpu"), number("machdep.cpu.core_count"), (text.profiler_cores(profile), profiler)),
        unsaid("hw.physicalcpu"),
    )
    logical = notes.first(
        "logical_core_count",
        (
            number("hw.logicalcpu"),
            number("machdep.cpu.thread_count"),
            number("hw.ncpu"),
            (here.cpu_count, "os.cpu_count"),
        ),
        unsaid("hw.logicalcpu"),
    )
    memory = notes.first(
        "memory_bytes", (number("hw.memsize"), (text.profiler_memory(profile), profiler)), unsaid("hw.memsize")
    )
    version = notes.first(
        "system_version",
        (
            (versions.get("ProductVersion"), "sw_vers ProductVersion"),
            (said.text("kern.osproductversion"), "sysctl kern.osproductversion"),
        ),
        texts.sw_vers.failure or because("no_line", command="sw_vers", line="ProductVersion"),
    )
    levels = text.performance_levels(said)
    notes.levels(levels, _levels_source(said), unsaid("hw.perflevel0.physicalcpu"), because("level_unsaid"))
    translated_view = _is_translated_view(said)
    why_family = because("translated_sysctl") if translated_view else unsaid("hw.cpufamily")
    why_line = because("translated_sysctl") if translated_view else unsaid("hw.cachelinesize")
    virtual = notes.first("virtual", _virtual_candidates(said), unsaid("kern.hv_vmm_present"))
    model = notes.first(
        "model",
        ((said.text("hw.model"), "sysctl hw.model"), (profile.get("Model Identifier"), profiler)),
        unsaid("hw.model"),
    )
    return Machine(
        id=notes.sure(
            "id",
            identify(
                chip=chip,
                cores=physical or logical,
                memory_bytes=memory,
                system=f"macos{(version or '').partition('.')[0]}",
            ),
            "chip, physical_core_count, memory_bytes, system_version",
        ),
        system=notes.sure("system", System.MACOS, "sys.platform"),
        system_version=version,
        system_name=notes.sure(
            "system_name",
            versions.get("ProductName", "macOS"),
            "sw_vers ProductName" if "ProductName" in versions else "sys.platform",
        ),
        kernel=notes.sure("kernel", here.kernel, "uname"),
        chip=chip,
        chip_family=notes.first("chip_family", () if translated_view else _family_candidates(said), why_family),
        model=model,
        architecture=notes.sure("architecture", hardware, hardware_source),
        process_architecture=notes.sure("process_architecture", process, "uname"),
        translation=notes.sure("translation", translation, translation_source),
        virtual=virtual,
        hypervisor=notes.first(
            "hypervisor",
            () if not virtual else ((_hypervisor(model), notes.sources.get("model", "")),),
            because("not_virtual") if virtual is False else because("hypervisor_unnamed"),
        ),
        physical_core_count=physical,
        logical_core_count=logical,
        performance_levels=levels,
        memory_bytes=memory,
        page_size_bytes=_page_size(said, here, notes),
        cache_line_bytes=notes.first(
            "cache_line_bytes", () if translated_view else (number("hw.cachelinesize"),), why_line
        ),
        sources=notes.sources,
        missing=notes.missing,
    )


def _hardware(said: text.Sysctl, here: Here, process: Architecture) -> tuple[Architecture, str]:
    # uname tells of the process; this key of the hardware, also under Rosetta.
    if said.number("hw.optional.arm64") == 1:
        return Architecture.ARM64, "sysctl hw.optional.arm64"
    if here.translated:
        return Architecture.ARM64, "sysctl.proc_translated"
    return process, "uname"


def _translation(process: Architecture, hardware: Architecture, here: Here) -> tuple[Translation, str]:
    if here.translated is not None:
        return (Translation.ROSETTA if here.translated else Translation.NATIVE), "sysctl.proc_translated"
    return (Translation.NATIVE if process is hardware else Translation.ROSETTA), "uname, sysctl hw.optional.arm64"


def _chip_candidates(
    said: text.Sysctl, profile: Mapping[str, str], profiler: str
) -> tuple[tuple[str | None, str], ...]:
    brand = said.text("machdep.cpu.brand_string"), "sysctl machdep.cpu.brand_string"
    chip = profile.get("Chip") or profile.get("Processor Name"), profiler
    return (brand, chip) if _names_chip(said) else (chip, brand)


def _family_candidates(said: text.Sysctl) -> tuple[tuple[str | None, str], ...]:
    parts = [said.number(f"machdep.cpu.{part}") for part in ("family", "model", "stepping")]
    if said.number("hw.optional.arm64") != 1 and None not in parts:
        shown = "family {} model {} stepping {}".format(*parts)
        return ((shown, "sysctl machdep.cpu.family, model, stepping"),)
    signed = said.number("hw.cpufamily")
    if signed is None:
        return ()
    number = text.unsigned(signed)
    known = apple_family(number)
    explained = f"{known} in labkit's table" if known else "not in labkit's table"
    return ((f"0x{number:08x}", f"sysctl hw.cpufamily ({explained})"),)


def _levels_source(said: text.Sysctl) -> str:
    has_levels = any(key.startswith("hw.perflevel") for key in said.values)
    return "sysctl hw.perflevelN" if has_levels else "sysctl hw.physicalcpu, hw.l1dcachesize, ..."


def _virtual_candidates(said: text.Sysctl) -> tuple[tuple[bool | None, str], ...]:
    present = said.number("kern.hv_vmm_present")
    features = (said.text("machdep.cpu.features") or "").split()
    return (
        (None if present is None else present == 1, "sysctl kern.hv_vmm_present"),
        (True if "VMM" in features else None, "sysctl machdep.cpu.features"),
    )


def _hypervisor(model: str | None) -> str | None:
    return next((name for start, name in _HYPERVISORS.items() if (model or "").startswith(start)), None)


def _page_size(said: text.Sysctl, here: Here, notes: Notes) -> int:
    # Under Rosetta hw.pagesize is the process's 4096; hw.pagesize32 stays the kernel's 16384 in the cited transcript.
    key = "hw.pagesize32" if _is_translated_view(said) else "hw.pagesize"
    if (kernel := said.number(key)) is not None:
        return notes.sure("page_size_bytes", kernel, f"sysctl {key}")
    return notes.sure("page_size_bytes", here.page_size_bytes, "os.sysconf SC_PAGE_SIZE")
