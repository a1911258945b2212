"""Other programs' answers to what labkit.binary answers, field by field: the oracles of its tests and benchmarks.

Each function returns a mapping of fields for one file or slice; a field that an oracle cannot say is absent. Oracles:
readelf and llvm-readelf (same output form), llvm-objdump and llvm-lipo, ``file``, ``go version -m -json``, and LIEF in
a process of its own, for it has crashed on valid files.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labkit.model.binary import Binary, GoModule, Slice
from tests.support import need

Fields = Mapping[str, Any]


def program(name: str) -> Path:
    """Return a program's path; Debian has some of LLVM's only with the version in their name."""
    if shutil.which(name) is None:
        versioned = sorted(Path("/usr/bin").glob(f"{name}-[0-9]*"), key=lambda each: int(each.name.rpartition("-")[2]))
        if versioned:
            return versioned[-1]
    return need(name)


def run(argv: list[str | Path]) -> str:
    """Return a program's standard output, empty when it fails."""
    done = subprocess.run(
        argv, capture_output=True, timeout=120, check=False, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    )
    return done.stdout.decode("utf-8", "replace")


# --- ELF

_MACHINES = {
    "Intel 80386": "i386",
    "Advanced Micro Devices X86-64": "x86_64",
    "ARM": "arm",
    "AArch64": "arm64",
    "PowerPC64": "ppc64",
    "PowerPC": "ppc",
    "IBM S/390": "s390x",
    "MIPS R3000": "mips",
    "RISC-V": "riscv",
    "LoongArch": "loongarch64",
    "Sparc v9": "sparc64",
}


def elf(path: Path, readelf: Path) -> Fields:
    """Return readelf's or llvm-readelf's answers."""
    text = run([readelf, "-h", "-l", "-d", "-n", "-S", "-V", "-W", path])
    fields: dict[str, Any] = {
        "libraries": re.findall(r"\(NEEDED\)\s+Shared library: \[(.*?)\]", text),
        "rpaths": [
            part
            for each in re.findall(r"\(R(?:UN)?PATH\)\s+Library (?:run|r)path: \[(.*?)\]", text)
            for part in each.split(":")
        ],
        "install_name": _first(r"\(SONAME\)\s+Library soname: \[(.*?)\]", text),
        "interpreter": _first(r"\[Requesting program interpreter: (.*?)\]", text),
        "build_id": _first(r"Build ID: (\w+)", text),
        "symbols": bool(re.search(r"\s\.symtab\s+SYMTAB", text)),
        "dwarf": bool(re.search(r"\s\.z?debug_info\s+(?!NOBITS)", text)),
        "nx_stack": _stack(text),
        "relro": bool(re.search(r"^\s+GNU_RELRO\s", text, re.MULTILINE)),
        "bind_now": bool(re.search(r"\(BIND_NOW\)|\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW", text)),
    }
    bits = _first(r"Class:\s+ELF(\d+)", text)
    if bits is None:
        return {}
    little = "little endian" in text
    fields["bits"], fields["endian"] = int(bits), "little" if little else "big"
    machine = _first(r"Machine:\s+(.+)", text) or ""
    name = next((ours for theirs, ours in _MACHINES.items() if machine.startswith(theirs)), machine)
    fields["architecture"] = {
        "x86_64": "x86_64" if bits == "64" else "x32",
        "riscv": f"riscv{bits}",
        "mips": ("mips64" if bits == "64" else "mips") + ("el" if little else ""),
        "ppc64": "ppc64le" if little else "ppc64",
    }.get(name, name)
    fields["linkage"] = "dynamic" if fields["interpreter"] or fields["libraries"] else "static"
    _, _, needs = text.partition("Version needs section")
    versions = [(int(a), int(b)) for a, b in re.findall(r"Name: GLIBC_(\d+)\.(\d+)", needs)]
    fields["minimum_libc"] = f"glibc {max(versions)[0]}.{max(versions)[1]}" if versions else None
    return fields


def _stack(text: str) -> bool:
    line = re.search(r"^\s+GNU_STACK\s+(.*)$", text, re.MULTILINE)
    return line is not None and re.search(r"\bR?W?E\b|E\s+0x?\d*$", line[1].replace("RWE", "RW E")) is None


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else None


# --- Mach-O


def architectures(path: Path) -> list[str]:
    """Return the slices' names by llvm-lipo."""
    return run([program("llvm-lipo"), "-archs", path]).split()


def macho(path: Path, architecture: str) -> Fields:
    """Return llvm-objdump's answers for one slice."""
    objdump = program("llvm-objdump")
    text = run([objdump, "--macho", f"--arch={architecture}", "--private-headers", path])
    commands = re.split(r"^Load command \d+$", text, flags=re.MULTILINE)
    if len(commands) < 2:
        return {}
    fields: dict[str, Any] = dict.fromkeys(("interpreter", "install_name", "uuid", "minimum_os", "sdk", "platform"))
    fields |= {"libraries": [], "weak_libraries": [], "rpaths": [], "signed": False, "symbols": False}
    for command in commands[1:]:
        kind = _first(r"cmd (LC_\w+)", command) or ""
        name = _first(r"^\s*(?:name|path) (.*) \(offset \d+\)$", command)
        match kind:
            case "LC_LOAD_DYLIB" | "LC_REEXPORT_DYLIB" | "LC_LOAD_UPWARD_DYLIB" | "LC_LAZY_LOAD_DYLIB":
                fields["libraries"].append(name)
            case "LC_LOAD_WEAK_DYLIB":
                fields["libraries"].append(name)
                fields["weak_libraries"].append(name)
            case "LC_ID_DYLIB":
                fields["install_name"] = name
            case "LC_LOAD_DYLINKER":
                fields["interpreter"] = name
            case "LC_RPATH":
                fields["rpaths"].append(name)
            case "LC_UUID":
                fields["uuid"] = _first(r"uuid (\S+)", command)
            case "LC_SYMTAB":
                fields["symbols"] = int(_first(r"nsyms (\d+)", command) or 0) > 0
            case "LC_CODE_SIGNATURE":
                fields["signed"] = True
            case "LC_BUILD_VERSION":
                fields["platform"] = _first(r"platform (\w+)", command)
                fields["minimum_os"], fields["sdk"] = _first(r"minos (\S+)", command), _first(r"sdk (\S+)", command)
            case "LC_VERSION_MIN_MACOSX":
                fields["platform"] = "macos"
                fields["minimum_os"], fields["sdk"] = (
                    _first(r"^\s*version (\S+)", command),
                    _first(r"sdk (\S+)", command),
                )
    if fields["sdk"] == "n/a":
        fields["sdk"] = None
    fields["dwarf"] = bool(re.search(r"sectname __z?debug_info", text))
    fields["linkage"] = "dynamic" if fields["interpreter"] or fields["libraries"] else "static"
    header = run([objdump, "--macho", f"--arch={architecture}", "--private-header", path])
    fields["pie"] = bool(re.search(r"\bPIE\b", header))
    kind = re.search(r"^\s*MH_MAGIC\S*\s+\S+\s+\S+\s+\S+\s+(\w+)", header, re.MULTILINE)
    names = {"EXECUTE": "executable", "DYLIB": "library", "BUNDLE": "bundle", "OBJECT": "object"}
    if kind:
        fields["file_type"] = names.get(kind[1], kind[1])
    return fields


# --- both


def file_words(path: Path) -> Fields:
    """Return what ``file`` says that we say too."""
    text = run([program("file"), "-b", path])
    if text.startswith("ELF"):
        return {
            "format": "elf",
            "bits": 64 if " 64-bit" in text else 32,
            "endian": "little" if " LSB " in text else "big",
            "stripped": re.search(r"\bnot stripped\b", text) is None,
            "interpreter": _first(r"interpreter (\S+?),", text),
        }
    if text.startswith("Mach-O"):
        return {
            "format": "macho",
            "slices": int(_first(r"with (\d+) arch", text) or 1),
            "types": set(re.findall(r"(executable|bundle|dynamically linked shared library|object)", text)),
        }
    return {"format": "other"}


def go_json(path: Path, go: Path) -> Fields | None:
    """Return ``go version -m -json``'s answer, or None when it has none."""
    done = subprocess.run([go, "version", "-m", "-json", path], capture_output=True, timeout=60, check=False)
    return json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else None


def go_as_json(binary: Binary) -> Fields | None:
    """Return our Go build information in the form of ``go version -m -json``."""
    if binary.go is None:
        return None
    go: dict[str, Any] = {
        "GoVersion": binary.go.version,
        "Main": {} if binary.go.main is None else _go_module(binary.go.main),
    }
    if binary.go.path:
        go["Path"] = binary.go.path
    if binary.go.dependencies:
        go["Deps"] = [_go_module(each) for each in binary.go.dependencies]
    if binary.go.settings:
        go["Settings"] = [
            {"Key": key, "Value": value} if value else {"Key": key} for key, value in binary.go.settings.items()
        ]
    return go


def _go_module(module: GoModule) -> dict[str, Any]:
    fields: dict[str, Any] = {"Path": module.path, "Version": module.version, "Sum": module.sum}
    if module.replaced_by is not None:
        fields["Replace"] = _go_module(module.replaced_by)
    return {key: value for key, value in fields.items() if value}


_LIEF = """
import json, sys, lief
lief.logging.disable()

def elf(path):
    one = lief.ELF.parse(path)
    interpreter = one.interpreter if one.has_interpreter else None
    return [{"libraries": list(one.libraries), "interpreter": interpreter, "nx_stack": one.has_nx}]

def macho(path):
    fat = lief.MachO.parse(path)  # held: its slices are views of it
    return [slice_of(fat.at(i)) for i in range(fat.size)]

def slice_of(one):
    version = one.build_version if one.has_build_version else one.version_min if one.has_version_min else None
    minimum = None if version is None else list(version.minos if one.has_build_version else version.version)
    return {
        "libraries": [each.name for each in one.libraries if each.command.name != "ID_DYLIB"],
        "interpreter": one.dylinker.name if one.has_dylinker else None,
        "uuid": bytes(one.uuid.uuid).hex() if one.has_uuid else None,
        "minimum_os": minimum,
        "signed": one.has_code_signature,
        "rpaths": [each.path for each in one.rpaths],
        "pie": one.is_pie,
    }

for path in sys.argv[1:]:
    print(json.dumps(elf(path) if lief.is_elf(path) else macho(path)), flush=True)
"""


def lief(*paths: Path) -> list[list[Fields]]:
    """Return LIEF's answers, one mapping a slice, for each file; from one process of its own."""
    done = subprocess.run([sys.executable, "-c", _LIEF, *paths], capture_output=True, timeout=300, check=False)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0, f"LIEF ended with {done.returncode} on {paths[len(lines)]}: {done.stderr[-300:]!r}"
    answers: list[list[dict[str, Any]]] = [json.loads(line) for line in lines]
    for each in (slice_ for answer in answers for slice_ in answer):
        if each.get("uuid") is not None:
            raw = each["uuid"].upper()
            each["uuid"] = "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))
        if each.get("minimum_os") is not None:
            major, minor, patch = each["minimum_os"]
            each["minimum_os"] = f"{major}.{minor}" + (f".{patch}" if patch else "")
    return list(answers)


def ours(slice_: Slice) -> Fields:
    """Return a slice's facts under the oracles' names."""
    return {
        "architecture": slice_.architecture,
        "bits": slice_.bits,
        "endian": slice_.endian,
        "file_type": slice_.file_type,
        "linkage": slice_.linkage.value,
        "interpreter": slice_.interpreter,
        "libraries": list(slice_.libraries),
        "weak_libraries": list(slice_.weak_libraries),
        "rpaths": list(slice_.rpaths),
        "install_name": slice_.install_name,
        "minimum_os": slice_.minimum_os,
        "minimum_libc": slice_.minimum_libc,
        "sdk": slice_.sdk,
        "platform": slice_.platform,
        "uuid": slice_.uuid,
        "build_id": slice_.build_id,
        "symbols": slice_.symbols,
        "dwarf": slice_.dwarf,
        "signed": slice_.signature.kind.value != "none",
        **slice_.hardening,
    }


def differences(mine: Fields, theirs: Fields) -> dict[str, tuple[Any, Any]]:
    """Return the fields that both have and in which they differ: ours, theirs."""
    return {key: (mine[key], theirs[key]) for key in theirs if key in mine and mine[key] != theirs[key]}
