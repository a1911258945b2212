"""A machine's /proc, /sys and /etc under any root folder, so that a captured tree is read as this machine is."""

import contextlib
import re
from pathlib import Path

_CPU = re.compile(r"cpu(\d+)")


class Tree:
    """Reads small files below a root; what is absent or may not be read is ``None``."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def text(self, path: str) -> str | None:
        """Return a file's text without the white space and NULs around it, or None when it is empty or unreadable."""
        with contextlib.suppress(OSError):
            return (self.root / path.lstrip("/")).read_bytes().decode("utf-8", "replace").strip("\0 \n\t") or None
        return None

    def number(self, path: str) -> int | None:
        """Return a file's decimal number."""
        text = self.text(path)
        return int(text) if text is not None and re.fullmatch(r"-?\d+", text) else None

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted; none when it is absent."""
        with contextlib.suppress(OSError):
            return tuple(sorted(entry.name for entry in (self.root / folder.lstrip("/")).iterdir()))
        return ()

    def exists(self, path: str) -> bool:
        """Return whether a file or folder is there."""
        return (self.root / path.lstrip("/")).exists()

    def online(self) -> tuple[int, ...]:
        """Return the numbers of the CPUs that are on."""
        listed = self.text("/sys/devices/system/cpu/online")
        if listed is not None:
            return numbers(listed)
        return tuple(
            sorted(int(cpu[1]) for name in self.names("/sys/devices/system/cpu") if (cpu := _CPU.fullmatch(name)))
        )


def numbers(listed: str) -> tuple[int, ...]:
    """Return the numbers of the kernel's list format: ``0-3,8``."""
    found: list[int] = []
    for part in listed.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit() and (last.isdigit() or not last):
            found.extend(range(int(first), int(last or first) + 1))
    return tuple(found)


def size_bytes(text: str | None) -> int | None:
    """Return the bytes of a cache's ``size``: ``32K``, ``12M``."""
    found = re.fullmatch(r"(\d+)([KMG]?)", text or "")
    return int(found[1]) * {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}[found[2]] if found else None


def parse_cpuinfo(text: str) -> tuple[dict[str, str], ...]:
    """Return /proc/cpuinfo's blocks that describe a processor, each as keys and values."""
    blocks: list[dict[str, str]] = []
    for chunk in re.split(r"\n\s*\n", text):
        pairs = (line.partition(":") for line in chunk.splitlines())
        block = {key.strip(): value.strip() for key, colon, value in pairs if colon}
        if "processor" in block:
            blocks.append(block)
    return tuple(blocks)


def parse_os_release(text: str) -> dict[str, str]:
    """Return os-release's variables, unquoted (https://www.freedesktop.org/software/systemd/man/os-release.html)."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if variable := re.fullmatch(r"""([A-Za-z0-9_]+)=(["']?)(.*)\2""", line.strip()):
            found[variable[1]] = re.sub(r"\\([\"$`\\])", r"\1", variable[3])
    return found
