"""Who a computer is, and the condition it was in."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record, Text


class System(StrEnum):
    """The operating systems labkit runs on."""

    LINUX = "linux"
    MACOS = "macos"


class Architecture(StrEnum):
    """Processor architectures, by the names that macOS and most tools use (an aarch64 ELF is ``arm64`` too)."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


class Translation(StrEnum):
    """How this process's instructions are executed."""

    NATIVE = "native"
    ROSETTA = "rosetta"
    QEMU = "qemu"
    OTHER = "other"  # translated, but by what is not known


class PerformanceLevel(Record, frozen=True, kw_only=True):
    """A group of like cores; the first of a machine's levels is the fastest.

    Levels are told apart by their position, never by name: macOS 12 has no name for them and an M5 Max calls its levels
    ``Super`` and ``Performance``.
    """

    name: str | None  # Performance (macOS); Firestorm (an Arm core's name); cpu_core (Intel hybrids)
    physical_core_count: int | None
    logical_core_count: int | None
    l1i_cache_bytes: int | None  # of one core
    l1d_cache_bytes: int | None  # of one core
    l2_cache_bytes: int | None  # of one L2
    cores_per_l2: int | None  # physical cores
    l3_cache_bytes: int | None = None  # of one L3; None where the chip has none or says none


class Machine(Record, frozen=True, kw_only=True):
    """A computer's identity.

    ``None`` means not obtained: ``missing`` then gives the reason under the field's name, and for a field of a
    performance level under ``performance_levels[1].name``. Every obtained field has an entry in ``sources``.
    """

    id: str  # chip, cores, memory and system, as a folder's name: apple-m2-8c-24g-macos14
    system: System
    system_version: str | None  # 14.5; 12
    system_name: str  # macOS; Debian GNU/Linux 12 (bookworm)
    kernel: str  # Darwin 23.5.0; Linux 6.1.0
    chip: str | None  # Apple M2 Pro; AMD EPYC 7B13
    chip_family: str | None  # 0xda33d83d; the CPUID family, model and stepping
    model: str | None  # Mac14,10; the DMI product name
    architecture: Architecture  # of the hardware, also under translation
    process_architecture: Architecture  # of the running Python
    translation: Translation
    virtual: bool | None
    hypervisor: str | None
    physical_core_count: int | None
    logical_core_count: int | None
    performance_levels: tuple[PerformanceLevel, ...]  # fastest first; empty when not obtained
    memory_bytes: int | None  # macOS: installed; Linux: what the kernel has, a little less
    page_size_bytes: int  # of the kernel; a translated process may see a smaller one
    cache_line_bytes: int | None
    provenance: Provenance = Provenance.MEASURED
    sources: Mapping[str, str]  # field: where it was read
    missing: Mapping[str, Text]  # field: why it is None


class Condition(Record, frozen=True, kw_only=True):
    """What varies: how busy, how fed and how hot the machine was at one moment. ``missing`` as for :class:`Machine`."""

    taken_at: str  # UTC, ISO 8601
    load_1min: float | None
    load_5min: float | None
    load_15min: float | None
    logical_core_count: int | None
    cpu_pressure_percent: float | None  # share of the last 10 s in which a task waited for a core (Linux)
    power_source: str | None  # ac, battery
    battery_percent: int | None
    low_power_mode: bool | None
    thermal_pressure: str | None  # nominal, moderate, heavy, ... as the system says
    throttle_count: int | None  # thermal throttling events of all cores since the start (Linux on Intel)
    cpu_speed_limit_percent: int | None
    cpu_frequency_hz: int | None  # the highest current one of any core
    sources: Mapping[str, str]
    missing: Mapping[str, Text]
