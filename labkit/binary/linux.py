"""Conditions of the rules about ELF on Linux. What they mean is said in rules.toml, with sources."""

from typing import Final

from labkit.binary.conditions import Case, Condition, Slots, keeper
from labkit.binary.libraries import elf_libraries
from labkit.binary.machines import data
from labkit.model.binary import Linkage

CONDITIONS: Final[dict[str, Condition]] = {}
_condition = keeper(CONDITIONS)


def _libc(case: Case) -> str | None:
    """Return the C library that the program asks for, by its loader or its libraries; None when it asks for none."""
    known = data()["linux"]["interpreters"].get(case.slice.interpreter or "")
    if known is not None:
        return str(known["libc"])
    # "libc.so" is musl's own name; glibc's is "libc.so.6"
    if any(each.startswith(("libc.musl-", "ld-musl-")) or each == "libc.so" for each in case.slice.libraries):
        return "musl"
    if any(each == "libc.so.6" or each.startswith("ld-linux") for each in case.slice.libraries):
        return "glibc"
    return None


def _foreign(case: Case) -> bool:
    return case.slice.architecture != case.target.architecture


def _i386(case: Case) -> bool:
    return case.slice.architecture == "i386" and case.target.architecture == "x86_64"


@_condition("elf-system")
def _elf_system(case: Case) -> Slots | None:
    go = case.binary.go.settings.get("GOOS") if case.binary.go else None
    foreign = data()["linux"]["foreign_libraries"]
    system = (
        case.slice.platform or go or next((foreign[each] for each in case.slice.libraries if each in foreign), None)
    )
    if _libc(case) == "bionic":
        system = "android"
    return None if system in {None, "linux"} else {"system": str(system)}


@_condition("elf-32-bit-arm")
def _elf_32_bit_arm(case: Case) -> Slots | None:
    return {} if case.slice.architecture == "arm" and case.target.architecture == "arm64" else None


@_condition("elf-x32")
def _elf_x32(case: Case) -> Slots | None:
    return {} if case.slice.architecture == "x32" and case.target.architecture == "x86_64" else None


@_condition("elf-architecture")
def _elf_architecture(case: Case) -> Slots | None:
    swapped = not _foreign(case) and case.slice.endian != "little"
    if not swapped and (not _foreign(case) or _i386(case) or case.target.qemu):
        return None
    return {"architecture": case.slice.architecture, "wanted": case.target.architecture}


@_condition("elf-libc")
def _elf_libc(case: Case) -> Slots | None:
    libc = _libc(case)
    if libc is None or _foreign(case) or libc == case.target.libc:
        return None
    return {"libc": libc, "wanted": str(case.target.libc), "interpreter": case.slice.interpreter or "-"}


@_condition("elf-qemu-loader")
def _elf_qemu_loader(case: Case) -> Slots | None:
    if not _foreign(case) or case.slice.linkage is Linkage.STATIC:
        return None
    return {"interpreter": case.slice.interpreter or ", ".join(case.slice.libraries)}


@_condition("elf-qemu")
def _elf_qemu(case: Case) -> Slots | None:
    return {"architecture": case.slice.architecture} if _foreign(case) and not _i386(case) else None


@_condition("elf-interpreter-elsewhere")
def _elf_interpreter_elsewhere(case: Case) -> Slots | None:
    interpreter = case.slice.interpreter
    if interpreter is None or interpreter in data()["linux"]["interpreters"]:
        return None
    return {"interpreter": interpreter}


@_condition("elf-library-elsewhere")
def _elf_library_elsewhere(case: Case) -> Slots | None:
    known = data()["linux"][str(case.target.libc)]["libraries"]
    elsewhere = elf_libraries(case.binary.path, case.slice, known).elsewhere
    return {"libraries": ", ".join(elsewhere)} if elsewhere else None


@_condition("elf-libc-version")
def _elf_libc_version(case: Case) -> Slots | None:
    needed, there = case.slice.minimum_libc, str(data()["linux"]["glibc"]["version"])
    if needed is None or case.target.libc != "glibc":
        return None
    newer = _numbers(needed.removeprefix("glibc ")) > _numbers(there)
    return {"needed": needed, "there": there} if newer else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in version.split("."))


@_condition("elf-static")
def _elf_static(case: Case) -> Slots | None:
    return {} if case.slice.linkage is Linkage.STATIC else None


@_condition("elf-dynamic")
def _elf_dynamic(case: Case) -> Slots | None:
    return {"libc": _libc(case) or "-"}
