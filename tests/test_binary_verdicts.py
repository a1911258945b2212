"""Verdicts: each rule on a file that meets it, its data whole, and what a machine's name stands for."""

import struct

import pytest

from labkit.binary import DEFAULT_MACHINES, inspect
from labkit.binary.judging import rules
from labkit.binary.machines import target
from labkit.errors import UsageError
from labkit.model.base import Provenance
from labkit.model.binary import Runs
from labkit.words import Language, catalogue, render
from tests.binary_corpus import SMALL, obtain
from tests.binary_seeds import ENTITLEMENTS, go_elf
from tests.binary_synthetic import BUNDLE, DYLIB, I386, OBJECT, X86_64, Elf, Macho, fat

_X86 = Macho(cpu=X86_64, subtype=3, sign=None)
_GLIBC = {"interpreter": "/lib64/ld-linux-x86-64.so.2", "libraries": ("libc.so.6",)}
_STALE = bytearray(Macho().data())
_STALE[0x800] ^= 1


def _encrypted(number):
    return struct.pack("<6I", 0x2C, 24, 0, 0, number, 0)


#: file's bytes, machine, what is said, rule
CASES = [
    pytest.param(b"\x7fELFxx", "linux-amd64", "unknown", "unreadable", id="unreadable"),
    pytest.param(b"#!/bin/sh\n", "linux-amd64", "unknown", "script", id="script"),
    pytest.param(b"MZ\0\0\0\0", "linux-amd64", "no", "other-format", id="windows"),
    pytest.param(b"hello", "m1-macos14", "no", "other-format", id="text"),
    pytest.param(Macho().data(), "linux-arm64", "no", "macho-on-linux", id="macho-on-linux"),
    pytest.param(Elf(machine=183).data(), "m1-macos14", "no", "elf-on-macos", id="elf-on-macos"),
    pytest.param(Elf(kind=1).data(), "linux-amd64", "no", "not-a-program", id="object"),
    pytest.param(Macho(kind=OBJECT, sign=None).data(), "m1-macos14", "no", "not-a-program", id="macho-object"),
    # Mach-O: slices
    pytest.param(Macho().data(), "m1-macos14", "yes", "macho-native", id="native"),
    pytest.param(Macho(kind=DYLIB, interpreter=None).data(), "m1-macos14", "yes", "macho-native", id="library"),
    pytest.param(_X86.data(), "m1-macos14", "translated", "macho-rosetta", id="rosetta"),
    pytest.param(_X86.data(), "m3-macos27", "translated", "macho-rosetta", id="rosetta-last"),
    pytest.param(_X86.data(), "m3-macos28", "unknown", "macho-rosetta-after", id="rosetta-after"),
    pytest.param(fat([_X86, Macho()]), "m1-macos14", "yes", "macho-native", id="fat-native-first"),
    pytest.param(
        fat([_X86, Macho(sign=None)]), "m1-macos14", "no", "macho-signature-absent", id="fat-native-first-even-unsigned"
    ),
    pytest.param(
        Macho(cpu=X86_64, subtype=8, sign=None).data(), "m2-macos15", "unknown", "macho-haswell", id="haswell-only"
    ),
    pytest.param(
        Macho(cpu=I386, subtype=3, wide=False, sign=None).data(), "m1-macos14", "no", "macho-architecture", id="i386"
    ),
    pytest.param(Macho(subtype=2).data(), "m1-macos14", "no", "macho-arm64e", id="arm64e"),
    pytest.param(Macho(subtype=2, kind=BUNDLE).data(), "m1-macos14", "yes", "macho-native", id="arm64e-bundle"),
    pytest.param(
        Macho(subtype=2, runtime_platform=1, sign="adhoc").data(),
        "m1-macos14",
        "yes",
        "macho-native",
        id="arm64e-apple",
    ),
    pytest.param(Macho(platform=2).data(), "m1-macos14", "no", "macho-platform", id="ios"),
    pytest.param(Macho(more=(_encrypted(1),)).data(), "m1-macos14", "unknown", "macho-encrypted", id="encrypted"),
    pytest.param(Macho(more=(_encrypted(0),)).data(), "m1-macos14", "yes", "macho-native", id="not-encrypted"),
    pytest.param(
        Macho(more=(struct.pack("<2I", 0x80000077, 8),)).data(),
        "m1-macos14",
        "unknown",
        "macho-unknown-command",
        id="command",
    ),
    # Mach-O: minimum OS
    pytest.param(Macho(minimum=(15, 0)).data(), "m1-macos14", "no", "macho-minimum-os", id="newer-os"),
    pytest.param(Macho(minimum=(14, 0)).data(), "m1-macos14", "yes", "macho-native", id="equal-os"),
    pytest.param(Macho(minimum=(14, 4)).data(), "m1-macos14", "unknown", "macho-minimum-os-minor", id="minor-os"),
    pytest.param(Macho(minimum=(10, 16)).data(), "m1-macos14", "yes", "macho-native", id="big-sur-by-its-old-name"),
    pytest.param(Macho(minimum=None).data(), "m1-macos14", "yes", "macho-native", id="no-minimum"),
    # Mach-O: signature
    pytest.param(Macho(sign=None).data(), "m1-macos14", "no", "macho-signature-absent", id="unsigned"),
    pytest.param(bytes(_STALE), "m1-macos14", "no", "macho-pages-stale", id="stale"),
    pytest.param(
        Macho().data().replace(b"\xfa\xde\x0c\x02", b"\xfa\xde\x0c\x03"),
        "m1-macos14",
        "no",
        "macho-signature-damaged",
        id="bad",
    ),
    pytest.param(
        Macho(sign="adhoc", entitlements=ENTITLEMENTS).data().replace(b"allow-jit", b"allow-jat"),
        "m1-macos14",
        "no",
        "macho-slots-stale",
        id="entitlements-changed",
    ),
    pytest.param(
        bytes(
            bytearray(Macho(cpu=X86_64, subtype=3).data()[:0x800]) + b"x" + Macho(cpu=X86_64, subtype=3).data()[0x801:]
        ),
        "m1-macos14",
        "unknown",
        "macho-translated-signature-bad",
        id="stale-translated",
    ),
    # Mach-O: LC_UUID
    pytest.param(Macho(uuid=None).data(), "m2-macos15", "yes", "macho-native", id="no-uuid-before-26"),
    pytest.param(Macho(uuid=None).data(), "m3-macos26", "no", "macho-uuid-absent", id="no-uuid"),
    pytest.param(Macho(uuid=None, sdk=(11, 0)).data(), "m3-macos26", "no", "macho-uuid-absent", id="no-uuid-go-1.22"),
    pytest.param(
        Macho(uuid=None, sdk=(10, 15)).data(),
        "m3-macos26",
        "unknown",
        "macho-uuid-absent-old-sdk",
        id="no-uuid-old-sdk",
    ),
    # Mach-O: libraries
    pytest.param(
        Macho(libraries=((0xC, "/opt/homebrew/lib/libprotobuf.35.dylib"),)).data(),
        "m1-macos14",
        "unknown",
        "macho-library-elsewhere",
        id="homebrew",
    ),
    pytest.param(
        Macho(libraries=((0xC, "@rpath/liba.dylib"),), rpaths=("@loader_path/../lib",)).data(),
        "m1-macos14",
        "no",
        "macho-library-missing",
        id="not-beside",
    ),
    pytest.param(
        Macho(libraries=((0x80000018, "@rpath/liba.dylib"),)).data(), "m1-macos14", "yes", "macho-native", id="weak"
    ),
    pytest.param(
        Macho(kind=BUNDLE, libraries=((0xC, "@loader_path/liba.dylib"),)).data(),
        "m1-macos14",
        "no",
        "macho-library-missing",
        id="not-beside-a-bundle",
    ),
    pytest.param(
        Macho(kind=BUNDLE, libraries=((0xC, "@rpath/liba.dylib"),), rpaths=("@loader_path",)).data(),
        "m1-macos14",
        "unknown",
        "macho-library-elsewhere",
        id="a-bundle-inherits-rpaths",
    ),
    pytest.param(
        Macho(libraries=((0xC, "@rpath/liba.dylib"),), rpaths=("/opt/lib",)).data(),
        "m1-macos14",
        "unknown",
        "macho-library-elsewhere",
        id="rpath-elsewhere",
    ),
    pytest.param(
        Macho(libraries=((0xC, "/System/Library/Frameworks/Python.framework/Versions/2.7/Python"),)).data(),
        "m1-macos14",
        "no",
        "macho-library-gone",
        id="python-framework",
    ),
    # ELF
    pytest.param(Elf().data(), "linux-amd64", "yes", "elf-static", id="static"),
    pytest.param(Elf(**_GLIBC).data(), "linux-amd64", "yes", "elf-dynamic", id="glibc"),
    pytest.param(Elf(**_GLIBC).data(), "linux-amd64-musl", "no", "elf-libc", id="glibc-on-musl"),
    pytest.param(
        Elf(interpreter="/lib/ld-musl-x86_64.so.1", libraries=("libc.musl-x86_64.so.1",)).data(),
        "linux-amd64",
        "no",
        "elf-libc",
        id="musl-on-glibc",
    ),
    pytest.param(
        Elf(interpreter="/lib/ld-musl-x86_64.so.1", libraries=("libc.musl-x86_64.so.1",)).data(),
        "linux-amd64-musl",
        "yes",
        "elf-dynamic",
        id="musl",
    ),
    pytest.param(Elf(kind=3, libraries=("libc.so",)).data(), "linux-amd64", "no", "elf-libc", id="musl-by-its-library"),
    pytest.param(Elf(machine=183).data(), "linux-amd64", "no", "elf-architecture", id="arm64"),
    pytest.param(Elf(machine=183).data(), "linux-amd64-qemu", "translated", "elf-qemu", id="qemu"),
    pytest.param(
        Elf(machine=183, interpreter="/lib/ld-linux-aarch64.so.1").data(),
        "linux-amd64-qemu",
        "unknown",
        "elf-qemu-loader",
        id="qemu-loader",
    ),
    pytest.param(Elf(machine=183, order=">").data(), "linux-arm64", "no", "elf-architecture", id="other-byte-order"),
    pytest.param(Elf(machine=3, bits=32).data(), "linux-amd64", "yes", "elf-static", id="i386"),
    pytest.param(Elf(machine=3, bits=32).data(), "linux-arm64", "no", "elf-architecture", id="i386-on-arm64"),
    pytest.param(Elf(machine=40, bits=32).data(), "linux-arm64", "unknown", "elf-32-bit-arm", id="arm"),
    pytest.param(Elf(machine=62, bits=32).data(), "linux-amd64", "unknown", "elf-x32", id="x32"),
    pytest.param(Elf(abi=9).data(), "linux-amd64", "no", "elf-system", id="freebsd"),
    pytest.param(go_elf().replace(b"GOOS=linux", b"GOOS=aixxx"), "linux-amd64", "no", "elf-system", id="by-go"),
    pytest.param(Elf(kind=3, libraries=("libc.so.7",)).data(), "linux-amd64", "no", "elf-system", id="by-its-libc"),
    pytest.param(
        Elf(interpreter="/system/bin/linker64", libraries=("libc.so",)).data(),
        "linux-amd64",
        "no",
        "elf-system",
        id="android",
    ),
    pytest.param(
        Elf(interpreter="/nix/store/x/ld.so").data(), "linux-amd64", "unknown", "elf-interpreter-elsewhere", id="nix"
    ),
    pytest.param(
        Elf(libraries=("libc.so.6", "libcuda.so.1")).data(),
        "linux-amd64",
        "unknown",
        "elf-library-elsewhere",
        id="cuda",
    ),
]


@pytest.mark.parametrize(("data", "machine", "runs", "rule"), CASES)
def test_the_first_rule_that_holds_decides(tmp_path, data, machine, runs, rule):
    path = tmp_path / "file"
    path.write_bytes(data)
    (verdict,) = inspect(path, machines=[machine]).verdicts
    assert (verdict.machine, verdict.runs, verdict.rule) == (machine, Runs(runs), rule)
    assert verdict.provenance is Provenance.JUDGED
    assert verdict.source == rules()[rule]["source"]
    for language in Language:
        for reason in verdict.reasons:
            assert "{" not in render(reason, language)


def test_every_rule_has_a_case_that_meets_it():
    met = {case.values[3] for case in CASES} | {"elf-libc-version"}  # that one: the next test
    assert met == set(rules())


@pytest.mark.parametrize(
    ("needed", "runs"), [("GLIBC_2.36", Runs.YES), ("GLIBC_2.39", Runs.UNKNOWN)], ids=["known", "newer"]
)
def test_a_newer_glibc_is_a_missing_fact(tmp_path, needed, runs):
    # the version table is put where the writable segment is, and the dynamic section points there
    made = Elf(**_GLIBC, versions=needed)
    (tmp_path / "file").write_bytes(made.data())
    binary = inspect(tmp_path / "file", machines=["linux-amd64"])
    assert binary.slices[0].minimum_libc == f"glibc {needed.removeprefix('GLIBC_')}"
    assert binary.verdicts[0].runs is runs


def test_every_rule_is_whole_and_confirmed_only_where_this_project_can_see_it():
    texts = catalogue(Language.ENGLISH)
    for id_, rule in rules().items():
        assert Runs(rule["runs"])
        assert rule["source"]
        assert f"binary.rule.{id_}" in texts
        assert not [machine for machine in rule["confirmed_on"] if target(machine).system == "macos"]


def test_unknown_names_the_missing_fact():
    texts = catalogue(Language.ENGLISH)
    for id_, rule in rules().items():
        if rule["runs"] == "unknown" and id_ != "unreadable":
            text = texts[f"binary.rule.{id_}"]
            named = (
                "only that machine can tell",
                "only a machine that is licensed",
                "labkit does not know",
                "Apple promises",
            )
            assert any(words in text for words in named), text


def test_a_library_that_lies_beside_the_program_is_found(tmp_path):
    program = tmp_path / "bin" / "tool"
    program.parent.mkdir()
    program.write_bytes(Macho(libraries=((0xC, "@rpath/liba.dylib"),), rpaths=("@executable_path/../lib",)).data())
    assert inspect(program, machines=["m1-macos14"]).verdicts[0].rule == "macho-library-missing"
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "liba.dylib").write_bytes(b"")
    assert inspect(program, machines=["m1-macos14"]).verdicts[0].rule == "macho-native"


def test_an_elf_library_beside_the_program_is_found_by_its_rpath(tmp_path):
    (tmp_path / "tool").write_bytes(Elf(libraries=("libc.so.6", "liba.so"), rpath="$ORIGIN/lib").data())
    assert inspect(tmp_path / "tool", machines=["linux-amd64"]).verdicts[0].rule == "elf-library-elsewhere"
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "liba.so").write_bytes(b"")
    assert inspect(tmp_path / "tool", machines=["linux-amd64"]).verdicts[0].rule == "elf-dynamic"


def test_what_only_a_mac_can_tell_stands_among_the_reasons(tmp_path):
    (tmp_path / "file").write_bytes(Macho().data())
    (hashed,) = inspect(tmp_path / "file", machines=["m1-macos14"]).verdicts
    assert [reason.id for reason in hashed.reasons] == ["binary.rule.macho-native", "binary.caveat.gatekeeper"]
    (unhashed,) = inspect(tmp_path / "file", machines=["m1-macos14"], pages=False).verdicts
    assert "binary.caveat.pages-not-hashed" in [reason.id for reason in unhashed.reasons]
    assert not hashed.confirmed_on_hardware


@pytest.mark.parametrize("name", ["", "m1", "m1-macos9", "linux-sparc", "windows-amd64", "m1-macos14 "])
def test_a_machine_that_is_not_known_is_refused_by_name(tmp_path, name):
    with pytest.raises(UsageError, match="no machine is called"):
        inspect(tmp_path, machines=[name])


@pytest.mark.parametrize(
    "name", [*DEFAULT_MACHINES, "m4-macos13", "m5-macos27", "linux-arm64-musl", "linux-amd64-qemu"]
)
def test_machines_are_named_by_chip_and_system(name):
    assert target(name).name == name


def test_at_most_a_tenth_of_verdicts_over_third_party_files_is_unknown():
    verdicts = [verdict.runs for entry in SMALL for verdict in inspect(obtain(entry), pages=False).verdicts]
    assert verdicts.count(Runs.UNKNOWN) <= len(verdicts) / 10, verdicts
