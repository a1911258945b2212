"""Who this computer is, and the condition it is in: chip, cores, caches, system; load, power, heat.

On Linux from /proc and /sys, on macOS from sysctl, sw_vers and pmset. Nothing that names the owner's computer is read
into a record: no host name, serial number or hardware UUID. What was not obtained says why.
"""

import sys

from labkit.errors import ImpossibleHereError
from labkit.machine import linux, linux_condition, macos, macos_condition
from labkit.machine.here import look
from labkit.model.machine import Condition, Machine


def read() -> Machine:
    """Return who this computer is.

    Raises:
        ImpossibleHereError: It runs neither Linux nor macOS, or is neither arm64 nor x86_64.

    """
    return linux.read(look()) if _system() == "linux" else macos.read(look())


def condition() -> Condition:
    """Return the condition that this computer is in now.

    Raises:
        ImpossibleHereError: It runs neither Linux nor macOS.

    """
    return linux_condition.read(look()) if _system() == "linux" else macos_condition.read(look())


def _system() -> str:
    if sys.platform not in {"linux", "darwin"}:
        raise ImpossibleHereError(
            f"labkit runs on Linux and macOS; this is {sys.platform}",
            remedy="use a Mac or a Linux machine; on Windows, the Linux subsystem",
        )
    return sys.platform
