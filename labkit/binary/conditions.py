"""When a verdict rule holds, one function a rule id of rules.toml. Each returns the slots of the rule's text, or None.

A condition looks at facts and at what a machine's name stands for; it knows no other machine and starts no process.
The only other thing it may look at is whether a library lies beside the program, where its rpaths point.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from labkit.binary.libraries import Places, elf_libraries, macho_libraries
from labkit.binary.machines import Target, data
from labkit.model.binary import Binary, Linkage, SignatureKind, Slice

Slots: TypeAlias = Mapping[str, str | int]

_LOADABLE: Final = frozenset({"executable", "library", "bundle"})


@dataclass(frozen=True, kw_only=True)
class Case:
    """One binary before one machine, and the slice that this machine would take."""

    binary: Binary
    target: Target
    slice: Slice
    rule: Mapping[str, Any]

    @property
    def macos(self) -> int:
        """The machine's major version of macOS."""
        return self.target.macos or 0

    @property
    def translated(self) -> bool:
        """Whether Rosetta would run it."""
        return self.slice.architecture in {"x86_64", "x86_64h"}


Condition: TypeAlias = Callable[[Case], Slots | None]

CONDITIONS: Final[dict[str, Condition]] = {}


def _rule(id_: str) -> Callable[[Condition], Condition]:
    def keep(condition: Condition) -> Condition:
        CONDITIONS[id_] = condition
        return condition

    return keep


@_rule("not-a-program")
def _not_a_program(case: Case) -> Slots | None:
    return None if case.slice.file_type in _LOADABLE else {"type": case.slice.file_type}


# --- Mach-O on Apple silicon


@_rule("macho-architecture")
def _macho_architecture(case: Case) -> Slots | None:
    if case.slice.architecture in {"arm64", "arm64e", "x86_64", "x86_64h"}:
        return None
    return {"architectures": ", ".join(each.architecture for each in case.binary.slices)}


@_rule("macho-platform")
def _macho_platform(case: Case) -> Slots | None:
    platform = case.slice.platform
    return None if platform in {None, "macos", "mac-catalyst"} else {"platform": str(platform)}


@_rule("macho-encrypted")
def _macho_encrypted(case: Case) -> Slots | None:
    return {} if case.slice.hardening.get("encrypted") else None


@_rule("macho-arm64e")
def _macho_arm64e(case: Case) -> Slots | None:
    own = bool(case.slice.signature.platform)
    return {} if case.slice.architecture == "arm64e" and case.slice.file_type == "executable" and not own else None


def _minimum(case: Case) -> tuple[int, int] | None:
    if case.slice.minimum_os is None or case.slice.platform != "macos":
        return None
    major, minor = case.slice.minimum_os.split(".")[:2]
    # 10.16 is how macOS 11 calls itself to programs built before it
    return (11, 0) if (major, minor) == ("10", "16") else (int(major), int(minor))


@_rule("macho-minimum-os-minor")
def _macho_minimum_os_minor(case: Case) -> Slots | None:
    minimum = _minimum(case)
    if minimum is None or minimum[0] != case.macos or minimum[1] == 0:
        return None
    return {"minimum": str(case.slice.minimum_os), "macos": case.macos}


@_rule("macho-minimum-os")
def _macho_minimum_os(case: Case) -> Slots | None:
    minimum = _minimum(case)
    if minimum is None or minimum[0] <= case.macos:
        return None
    return {"minimum": str(case.slice.minimum_os), "macos": case.macos}


@_rule("macho-unknown-command")
def _macho_unknown_command(case: Case) -> Slots | None:
    required = [each for each in case.slice.unknown if "must know" in each]
    return {"command": required[0]} if required else None


def _signature_fault(case: Case) -> str | None:
    signed = case.slice.signature
    if signed.kind is SignatureKind.OTHER and signed.identifier is None:
        return signed.unknown[0] if signed.unknown else "unreadable"
    return None


@_rule("macho-signature-damaged")
def _macho_signature_damaged(case: Case) -> Slots | None:
    fault = _signature_fault(case)
    return {"fault": fault} if fault is not None and not case.translated else None


@_rule("macho-signature-absent")
def _macho_signature_absent(case: Case) -> Slots | None:
    if case.slice.signature.kind is not SignatureKind.NONE or case.translated:
        return None
    return {"architecture": case.slice.architecture}


@_rule("macho-pages-stale")
def _macho_pages_stale(case: Case) -> Slots | None:
    signed = case.slice.signature
    return {"bad": signed.bad_pages, "pages": signed.pages or 0} if signed.bad_pages and not case.translated else None


@_rule("macho-slots-stale")
def _macho_slots_stale(case: Case) -> Slots | None:
    bad = [each for each in case.slice.signature.bad_slots if each.startswith("entitlements")]
    return {"slots": ", ".join(bad)} if bad and not case.translated else None


@_rule("macho-translated-signature-bad")
def _macho_translated_signature_bad(case: Case) -> Slots | None:
    signed = case.slice.signature
    if not case.translated or not (signed.bad_pages or signed.bad_slots or _signature_fault(case)):
        return None
    return {"fault": _signature_fault(case) or f"{signed.bad_pages or 0} / {signed.pages or 0}"}


def _old_sdk(case: Case) -> bool:
    return case.slice.sdk is not None and int(case.slice.sdk.split(".")[0]) < 12  # noqa: PLR2004 - dyld's fall2021 epoch


def _lacks_uuid(case: Case) -> bool:
    return case.slice.uuid is None and case.macos >= int(case.rule["from_macos"])


@_rule("macho-uuid-absent")
def _macho_uuid_absent(case: Case) -> Slots | None:
    return {"macos": case.macos} if _lacks_uuid(case) and not _old_sdk(case) else None


@_rule("macho-uuid-absent-old-sdk")
def _macho_uuid_absent_old_sdk(case: Case) -> Slots | None:
    return {"macos": case.macos, "sdk": str(case.slice.sdk)} if _lacks_uuid(case) and _old_sdk(case) else None


@_rule("macho-library-gone")
def _macho_library_gone(case: Case) -> Slots | None:
    for gone in data()["apple"]["removed_libraries"]:
        for library in case.slice.libraries:
            if library.startswith(gone["prefix"]) and case.macos >= gone["macos"] and not _weak(case, library):
                return {"library": library, "version": gone["version"]}
    return None


def _weak(case: Case, library: str) -> bool:
    return library in case.slice.weak_libraries


def _macho_places(case: Case) -> Places:
    return macho_libraries(case.binary.path, case.slice, data()["apple"]["system_libraries"])


@_rule("macho-library-missing")
def _macho_library_missing(case: Case) -> Slots | None:
    missing = _macho_places(case).missing
    return {"libraries": ", ".join(missing)} if missing else None


@_rule("macho-library-elsewhere")
def _macho_library_elsewhere(case: Case) -> Slots | None:
    elsewhere = _macho_places(case).elsewhere
    return {"libraries": ", ".join(elsewhere)} if elsewhere else None


@_rule("macho-haswell")
def _macho_haswell(case: Case) -> Slots | None:
    return {} if case.slice.architecture == "x86_64h" else None


@_rule("macho-rosetta-after")
def _macho_rosetta_after(case: Case) -> Slots | None:
    last = int(data()["apple"]["rosetta_until"])
    return {"last": last} if case.translated and case.macos > last else None


@_rule("macho-rosetta")
def _macho_rosetta(case: Case) -> Slots | None:
    return {} if case.translated else None


@_rule("macho-native")
def _macho_native(case: Case) -> Slots | None:
    return {"architecture": case.slice.architecture}


# --- ELF on Linux


def _libc(case: Case) -> str | None:
    """Return the C library that the program asks for, by its loader or its libraries; None when it asks for none."""
    known = data()["linux"]["interpreters"].get(case.slice.interpreter or "")
    if known is not None:
        return str(known["libc"])
    if any(each.startswith(("libc.musl-", "ld-musl-")) for each in case.slice.libraries):
        return "musl"
    if any(each == "libc.so.6" or each.startswith("ld-linux") for each in case.slice.libraries):
        return "glibc"
    return None


def _foreign(case: Case) -> bool:
    return case.slice.architecture != case.target.architecture


def _i386(case: Case) -> bool:
    return case.slice.architecture == "i386" and case.target.architecture == "x86_64"


@_rule("elf-system")
def _elf_system(case: Case) -> Slots | None:
    go = case.binary.go.settings.get("GOOS") if case.binary.go else None
    system = case.slice.platform or go
    if _libc(case) == "bionic":
        system = "android"
    return None if system in {None, "linux"} else {"system": str(system)}


@_rule("elf-32-bit-arm")
def _elf_32_bit_arm(case: Case) -> Slots | None:
    return {} if case.slice.architecture == "arm" and case.target.architecture == "arm64" else None


@_rule("elf-x32")
def _elf_x32(case: Case) -> Slots | None:
    return {} if case.slice.architecture == "x32" and case.target.architecture == "x86_64" else None


@_rule("elf-architecture")
def _elf_architecture(case: Case) -> Slots | None:
    swapped = not _foreign(case) and case.slice.endian != "little"
    if not swapped and (not _foreign(case) or _i386(case) or case.target.qemu):
        return None
    return {"architecture": case.slice.architecture, "wanted": case.target.architecture}


@_rule("elf-libc")
def _elf_libc(case: Case) -> Slots | None:
    libc = _libc(case)
    if libc is None or _foreign(case) or libc == case.target.libc:
        return None
    return {"libc": libc, "wanted": str(case.target.libc), "interpreter": case.slice.interpreter or "-"}


@_rule("elf-qemu-loader")
def _elf_qemu_loader(case: Case) -> Slots | None:
    if not _foreign(case) or case.slice.linkage is Linkage.STATIC:
        return None
    return {"interpreter": case.slice.interpreter or ", ".join(case.slice.libraries)}


@_rule("elf-qemu")
def _elf_qemu(case: Case) -> Slots | None:
    return {"architecture": case.slice.architecture} if _foreign(case) and not _i386(case) else None


@_rule("elf-interpreter-elsewhere")
def _elf_interpreter_elsewhere(case: Case) -> Slots | None:
    interpreter = case.slice.interpreter
    if interpreter is None or interpreter in data()["linux"]["interpreters"]:
        return None
    return {"interpreter": interpreter}


@_rule("elf-library-elsewhere")
def _elf_library_elsewhere(case: Case) -> Slots | None:
    known = data()["linux"][str(case.target.libc)]["libraries"]
    elsewhere = elf_libraries(case.binary.path, case.slice, known).elsewhere
    return {"libraries": ", ".join(elsewhere)} if elsewhere else None


@_rule("elf-libc-version")
def _elf_libc_version(case: Case) -> Slots | None:
    needed, there = case.slice.minimum_libc, str(data()["linux"]["glibc"]["version"])
    if needed is None or case.target.libc != "glibc":
        return None
    newer = _numbers(needed.removeprefix("glibc ")) > _numbers(there)
    return {"needed": needed, "there": there} if newer else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in version.split("."))


@_rule("elf-static")
def _elf_static(case: Case) -> Slots | None:
    return {} if case.slice.linkage is Linkage.STATIC else None


@_rule("elf-dynamic")
def _elf_dynamic(case: Case) -> Slots | None:
    return {"libc": _libc(case) or "-"}
