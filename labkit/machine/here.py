"""What only this process can say of itself, without starting another: the kernel it sees, load, translation."""

import contextlib
import ctypes
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from labkit.errors import ImpossibleHereError
from labkit.model.machine import Architecture

_ARCHITECTURES = {
    "arm64": Architecture.ARM64,
    "aarch64": Architecture.ARM64,
    "x86_64": Architecture.X86_64,
    "amd64": Architecture.X86_64,
}
#: The names of OSThermalPressureLevel in <libkern/OSThermalNotification.h> of macOS, from 0.
THERMAL_LEVELS = ("nominal", "moderate", "heavy", "trapping", "sleeping")
_THERMAL_KEY = b"com.apple.system.thermalpressurelevel"


@dataclass(frozen=True, kw_only=True)
class Here:
    """One process's view. ``None`` means that the system did not say."""

    machine: str  # uname's: the architecture of this process, also under translation
    kernel: str  # Darwin 23.5.0
    cpu_count: int | None
    page_size_bytes: int
    load: tuple[float, float, float] | None
    translated: bool | None = None  # macOS: sysctl.proc_translated of this very process
    thermal_level: int | None = None  # macOS: see THERMAL_LEVELS
    loader: str | None = None  # Linux: the program that runs this process: Python, or a translator


def look() -> Here:
    """Return this process's view of the machine."""
    name = os.uname()
    load: tuple[float, float, float] | None = None
    with contextlib.suppress(OSError):
        load = os.getloadavg()
    darwin = sys.platform == "darwin"
    return Here(
        machine=name.machine,
        kernel=f"{name.sysname} {name.release}",
        cpu_count=os.cpu_count(),
        page_size_bytes=os.sysconf("SC_PAGE_SIZE"),
        load=load,
        translated=_translated() if darwin else None,
        thermal_level=_thermal_level() if darwin else None,
        loader=None if darwin else _loader(),
    )


def known_architecture(machine: str) -> Architecture | None:
    """Return the architecture that uname or the kernel names, or None for one that labkit does not know."""
    return _ARCHITECTURES.get(machine.lower())


def architecture(machine: str) -> Architecture:
    """Return the architecture that uname names.

    Raises:
        ImpossibleHereError: It is neither arm64 nor x86_64.

    """
    known = known_architecture(machine)
    if known is None:
        raise ImpossibleHereError(
            f"this process runs on {machine}; labkit knows arm64 and x86_64", remedy="use a 64-bit Arm or x86 machine"
        )
    return known


def _loader() -> str | None:
    # qemu-user answers /proc/self/exe and /proc/PID/exe with the guest program, but knows nothing of thread-self.
    with contextlib.suppress(OSError):
        return str(Path("/proc/thread-self/exe").readlink())
    return None


def _translated() -> bool | None:
    # In this process, for a child may run natively: the key tells of the process that asks.
    # https://developer.apple.com/documentation/apple-silicon/about-the-rosetta-translation-environment
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        value, size = ctypes.c_int(0), ctypes.c_size_t(ctypes.sizeof(ctypes.c_int))
        if libc.sysctlbyname(b"sysctl.proc_translated", ctypes.byref(value), ctypes.byref(size), None, 0) == 0:
            return value.value == 1
        if ctypes.get_errno() == 2:  # noqa: PLR2004 - ENOENT: an Intel Mac has no such key
            return False
    return None


def _thermal_level() -> int | None:
    # notify(3); what NSProcessInfo.thermalState is made from, with its steps told apart.
    # https://github.com/bazelbuild/bazel/blob/master/src/main/native/darwin/system_thermal_monitor_jni.cc
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        token, state = ctypes.c_int(0), ctypes.c_uint64(0)
        if libc.notify_register_check(_THERMAL_KEY, ctypes.byref(token)) != 0:
            return None
        try:
            if libc.notify_get_state(token, ctypes.byref(state)) == 0:
                return state.value
        finally:
            libc.notify_cancel(token)
    return None
