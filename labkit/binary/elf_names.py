"""The names of ELF's numbers: architectures, file types, systems. Rare machines are named by pyelftools' tables."""

from typing import Final

from labkit.binary.elf import Headers

_MACHINES: Final = {
    2: "sparc",
    3: "i386",
    4: "m68k",
    8: "mips",
    15: "hppa",
    18: "sparc",  # EM_SPARC32PLUS
    20: "ppc",
    21: "ppc64",
    22: "s390",
    40: "arm",
    42: "sh",
    43: "sparc64",
    50: "ia64",
    62: "x86_64",
    183: "arm64",
    243: "riscv",
    247: "bpf",
    258: "loongarch64",
    0x9026: "alpha",
}
_FILE_TYPES: Final = {0: "none", 1: "object", 2: "executable", 3: "library", 4: "core"}
_SYSTEMS: Final = {2: "netbsd", 3: "linux", 6: "solaris", 9: "freebsd", 12: "openbsd"}


def architecture(headers: Headers) -> str:
    """Return the usual name of an ELF file's architecture; aarch64 is ``arm64``, as on macOS."""
    name = _MACHINES.get(headers.machine)
    wide, little = headers.bits == 64, headers.order == "<"  # noqa: PLR2004 - bits
    by_shape = {
        "x86_64": "x86_64" if wide else "x32",
        "s390": "s390x" if wide else "s390",
        "riscv": f"riscv{headers.bits}",
        "mips": ("mips64" if wide else "mips") + ("el" if little else ""),
        "ppc64": "ppc64" + ("le" if little else ""),
    }
    return _rare(headers.machine) if name is None else by_shape.get(name, name)


def file_type(headers: Headers) -> str:
    """Return what sort of file it is: a position-independent program is an executable, not a library."""
    return "executable" if headers.pie else _FILE_TYPES.get(headers.kind, f"type-{headers.kind:#x}")


def system(headers: Headers) -> str | None:
    """Return the system that the file says it is for: by its notes, else by its ABI number."""
    return headers.system or _SYSTEMS.get(headers.abi)


def _rare(machine: int) -> str:
    from elftools.elf.enums import ENUM_E_MACHINE

    names = [name for name, number in ENUM_E_MACHINE.items() if number == machine and name.startswith("EM_")]
    return names[0].removeprefix("EM_").lower() if names else f"machine-{machine}"
