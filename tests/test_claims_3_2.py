"""Chapter 3.2, protoc from source: each verdict turns when something real is changed."""

import shutil
import struct

import pytest

from labkit.claims import ClaimFacts, protocs
from labkit.claims.checks import chapter_3_2_source
from labkit.errors import ProvisionError
from labkit.model.claims import ClaimVerdict
from tests.claims_support import turned
from tests.from_source_support import archive
from tests.support import impossible, need

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict
_LC_BUILD_VERSION = 0x32


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


def build(version):
    return protocs.obtain(next(each for each in protocs.published() if each.version == version))


def test_3_2_01_older_builds_for_another_system(plain, executable):
    script = executable("protoc", "exit 0")
    turned("3.2.01", plain, REFUTED, CONFIRMED, own_tools={"protoc:21.11": script, "protoc:23.4": script})


def test_3_2_02_a_gpg_that_is_always_content(plain, executable):
    content = executable("gpg", f'case "$*" in *--verify*) exit 0;; esac\nexec {need("gpg")} "$@"')
    turned("3.2.02", plain, CONDITIONAL, CONFIRMED, own_tools={"gpg": content})


def test_3_2_02_a_gpg_that_refuses_all(plain, executable):
    need("gpg")
    turned("3.2.02", plain, CONDITIONAL, REFUTED, own_tools={"gpg": executable("gpg", "echo no; exit 2")})


def trees(folder, latest):
    """Put small archives in the place of all, which only cargo fetches: an oldest, one in between and a latest one."""
    plain = {"CMakeLists.txt": ""}
    old = {"configure": "#!/bin/sh\necho protobuf 21.5\n", "README.md": "See `protobuf-all-[VERSION].tar.gz`.\n"}
    own = {}
    for pin in chapter_3_2_source.pinned():
        files = plain | {"21.5": old, "26.1": {}}.get(pin.version, latest)
        path = archive(folder / f"{pin.version}.crate", files, label=pin.label, folder=pin.folder)
        own[f"archive:{pin.version}"] = path
    return own


@pytest.mark.parametrize(
    ("id_", "latest"),
    [
        ("3.2.03", {"configure": "#!/bin/sh\necho protobuf 27.2\n"}),
        ("3.2.08", {"README.md": "Download `protobuf-all-[VERSION].tar.gz`.\n"}),
    ],
)
def test_a_later_tree_that_has_it(plain, tmp_path, id_, latest):
    (tmp_path / "later").mkdir()
    without = ClaimFacts(plain.lab, own_tools=trees(tmp_path, {}))
    turned(id_, without, REFUTED, CONFIRMED, own_tools=trees(tmp_path / "later", latest))


@pytest.mark.parametrize("id_", ["3.2.03", "3.2.08"])
def test_without_the_trees_there_is_no_verdict(plain, monkeypatch, tmp_path, id_):
    def none(_pin):
        raise ProvisionError("cargo is not on PATH", remedy="install it")

    monkeypatch.setattr("labkit.toolchain.source.fetch.obtain", none)
    own = trees(tmp_path, {})
    turned(id_, ClaimFacts(plain.lab, own_tools=own), REFUTED, UNTESTED, own_tools=own | {"archive:21.5": None})


def test_3_2_04_an_assembler_for_arm64e(plain, executable):
    real = need("llvm-mc")
    body = f'out=; for word; do out="$word"; done\nexec {real} -triple=arm64e-apple-macos13.0 -filetype=obj -o "$out"'
    turned("3.2.04", plain, REFUTED, CONFIRMED, own_tools={"llvm-mc": executable("llvm-mc", body)})


def test_3_2_05_a_gpg_that_finds_it(plain, executable):
    real = need("gpg")
    body = f"""last=; for word; do last="$word"; done
case "$*" in
  *--verify*.tar.gz) exec {real} --batch --verify "$last.sig" "$last";;
  *SHA512*|*other.sig*) exit 2;;
  *--detach-sign*) exec {real} --digest-algo SHA256 "$@";;
esac
exec {real} "$@\""""
    turned("3.2.05", plain, REFUTED, CONFIRMED, own_tools={"gpg": executable("gpg", body)})


@pytest.mark.parametrize(
    ("body", "becomes"),
    [
        ("echo 'Apple Development: no identity found' >&2; exit 1", REFUTED),
        ('for last; do :; done; cp {signed} "$last"', CONFIRMED),
    ],
    ids=["no identity", "an identity"],
)
def test_3_2_06_a_codesign(plain, executable, tmp_path, body, becomes):
    if shutil.which("codesign"):
        impossible("this machine's own codesign judges it")
    signed = tmp_path / "signed"
    signed.write_bytes(build("30.2").read_bytes().replace(b"Developer ID Application:", b"Apple Development: a lab:"))
    own = executable("codesign", body.format(signed=signed))
    turned("3.2.06", plain, UNTESTED, becomes, own_tools={"codesign": own})


def test_3_2_07_published_builds_without_a_chain(plain):
    adhoc = dict.fromkeys((f"protoc:{each.version}" for each in protocs.published()), build("21.11"))
    turned("3.2.07", plain, REFUTED, CONFIRMED, own_tools=adhoc)


def test_3_2_07_a_published_build_with_an_altered_page(plain, tmp_path):
    altered = {}
    for pin in protocs.published():
        data = bytearray(protocs.obtain(pin).read_bytes())
        data[len(data) // 2] ^= 1
        path = tmp_path / pin.version
        path.write_bytes(data)
        altered[f"protoc:{pin.version}"] = path
    turned("3.2.07", plain, REFUTED, CONFIRMED, own_tools=altered)


def test_3_2_09_a_build_for_a_later_macos(plain, tmp_path):
    data = bytearray(build("24.3").read_bytes())
    at = 32  # of a 64-bit Mach-O header; then the load commands
    for _ in range(struct.unpack_from("<I", data, 16)[0]):
        command, size = struct.unpack_from("<II", data, at)
        if command == _LC_BUILD_VERSION:
            struct.pack_into("<II", data, at + 12, 14 << 16, 14 << 16 | 5 << 8)  # minos 14.0, sdk 14.5
        at += size
    path = tmp_path / "protoc"
    path.write_bytes(data)
    turned("3.2.09", plain, REFUTED, CONFIRMED, own_tools={"protoc:24.3": path})
