"""Conditions of the rules about Mach-O on Apple silicon. What they mean is said in rules.toml, with sources."""

from typing import Final

from labkit.binary.conditions import Case, Condition, Slots, keeper
from labkit.binary.libraries import Places, macho_libraries
from labkit.binary.machines import data
from labkit.model.binary import SignatureKind

CONDITIONS: Final[dict[str, Condition]] = {}
_condition = keeper(CONDITIONS)


@_condition("macho-architecture")
def _macho_architecture(case: Case) -> Slots | None:
    if case.slice.architecture in {"arm64", "arm64e", "x86_64", "x86_64h"}:
        return None
    return {"architectures": ", ".join(each.architecture for each in case.binary.slices)}


@_condition("macho-platform")
def _macho_platform(case: Case) -> Slots | None:
    platform = case.slice.platform
    return None if platform in {None, "macos", "mac-catalyst"} else {"platform": str(platform)}


@_condition("macho-encrypted")
def _macho_encrypted(case: Case) -> Slots | None:
    return {} if case.slice.hardening.get("encrypted") else None


@_condition("macho-arm64e")
def _macho_arm64e(case: Case) -> Slots | None:
    own = bool(case.slice.signature.platform)
    return {} if case.slice.architecture == "arm64e" and case.slice.file_type == "executable" and not own else None


def _minimum(case: Case) -> tuple[int, int] | None:
    if case.slice.minimum_os is None or case.slice.platform != "macos":
        return None
    major, minor = case.slice.minimum_os.split(".")[:2]
    # 10.16 is how macOS 11 calls itself to programs built before it
    return (11, 0) if (major, minor) == ("10", "16") else (int(major), int(minor))


@_condition("macho-minimum-os-minor")
def _macho_minimum_os_minor(case: Case) -> Slots | None:
    minimum = _minimum(case)
    if minimum is None or minimum[0] != case.macos or minimum[1] == 0:
        return None
    return {"minimum": str(case.slice.minimum_os), "macos": case.macos}


@_condition("macho-minimum-os")
def _macho_minimum_os(case: Case) -> Slots | None:
    minimum = _minimum(case)
    if minimum is None or minimum[0] <= case.macos:
        return None
    return {"minimum": str(case.slice.minimum_os), "macos": case.macos}


@_condition("macho-unknown-command")
def _macho_unknown_command(case: Case) -> Slots | None:
    required = [each for each in case.slice.unknown if "must know" in each]
    return {"command": required[0]} if required else None


def _signature_fault(case: Case) -> str | None:
    signed = case.slice.signature
    if signed.kind is SignatureKind.OTHER and signed.identifier is None:
        return signed.unknown[0] if signed.unknown else "unreadable"
    return None


@_condition("macho-signature-damaged")
def _macho_signature_damaged(case: Case) -> Slots | None:
    fault = _signature_fault(case)
    return {"fault": fault} if fault is not None and not case.translated else None


@_condition("macho-signature-absent")
def _macho_signature_absent(case: Case) -> Slots | None:
    if case.slice.signature.kind is not SignatureKind.NONE or case.translated:
        return None
    return {"architecture": case.slice.architecture}


@_condition("macho-pages-stale")
def _macho_pages_stale(case: Case) -> Slots | None:
    signed = case.slice.signature
    return {"bad": signed.bad_pages, "pages": signed.pages or 0} if signed.bad_pages and not case.translated else None


@_condition("macho-slots-stale")
def _macho_slots_stale(case: Case) -> Slots | None:
    bad = [each for each in case.slice.signature.bad_slots if each.startswith("entitlements")]
    return {"slots": ", ".join(bad)} if bad and not case.translated else None


@_condition("macho-translated-signature-bad")
def _macho_translated_signature_bad(case: Case) -> Slots | None:
    signed = case.slice.signature
    if not case.translated or not (signed.bad_pages or signed.bad_slots or _signature_fault(case)):
        return None
    return {"fault": _signature_fault(case) or f"{signed.bad_pages or 0} / {signed.pages or 0}"}


def _old_sdk(case: Case) -> bool:
    return case.slice.sdk is not None and int(case.slice.sdk.split(".")[0]) < int(case.rule["from_sdk"])


def _lacks_uuid(case: Case) -> bool:
    return case.slice.uuid is None and case.macos >= int(case.rule["from_macos"])


@_condition("macho-uuid-absent")
def _macho_uuid_absent(case: Case) -> Slots | None:
    return {"macos": case.macos} if _lacks_uuid(case) and not _old_sdk(case) else None


@_condition("macho-uuid-absent-old-sdk")
def _macho_uuid_absent_old_sdk(case: Case) -> Slots | None:
    return {"macos": case.macos, "sdk": str(case.slice.sdk)} if _lacks_uuid(case) and _old_sdk(case) else None


@_condition("macho-library-gone")
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


@_condition("macho-library-missing")
def _macho_library_missing(case: Case) -> Slots | None:
    missing = _macho_places(case).missing
    return {"libraries": ", ".join(missing)} if missing else None


@_condition("macho-library-elsewhere")
def _macho_library_elsewhere(case: Case) -> Slots | None:
    elsewhere = _macho_places(case).elsewhere
    return {"libraries": ", ".join(elsewhere)} if elsewhere else None


@_condition("macho-haswell")
def _macho_haswell(case: Case) -> Slots | None:
    return {} if case.slice.architecture == "x86_64h" else None


@_condition("macho-rosetta-after")
def _macho_rosetta_after(case: Case) -> Slots | None:
    last = int(data()["apple"]["rosetta_until"])
    return {"last": last} if case.translated and case.macos > last else None


@_condition("macho-rosetta")
def _macho_rosetta(case: Case) -> Slots | None:
    return {} if case.translated else None


@_condition("macho-native")
def _macho_native(case: Case) -> Slots | None:
    return {"architecture": case.slice.architecture}
