"""Code signatures: who signed, whether every page and slot is as signed, and whose key it was."""

import re
import struct
import subprocess

import msgspec
import pytest

from labkit.binary import certificates, inspect
from labkit.model.binary import SignatureKind
from tests.binary_corpus import SMALL, obtain
from tests.binary_oracles import program
from tests.binary_seeds import ENTITLEMENTS
from tests.binary_synthetic import ARM64, Macho

_PROTOC = next(each for each in SMALL if each.id == "protoc-4.29.3-osx-aarch_64")


@pytest.fixture
def signature(tmp_path):
    def reading(data, **options):
        path = tmp_path / "file"
        path.write_bytes(data)
        binary = inspect(path, **options)
        return binary.error, binary.slices[0].signature

    return reading


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        pytest.param(Macho(sign=None), SignatureKind.NONE, id="none"),
        pytest.param(Macho(sign="linker"), SignatureKind.LINKER, id="linker"),
        pytest.param(Macho(sign="adhoc"), SignatureKind.ADHOC, id="ad-hoc-with-an-empty-blob"),
        pytest.param(Macho(sign="other"), SignatureKind.OTHER, id="neither-ad-hoc-nor-certified"),
    ],
)
def test_the_kind_is_told_by_flags_and_certificates(signature, made, kind):
    error, found = signature(made.data())
    assert (error, found.kind) == (None, kind)


@pytest.mark.parametrize("shift", [12, 14], ids=["4-KiB", "16-KiB"])
@pytest.mark.parametrize(
    ("hashes", "names"),
    [
        pytest.param((1,), ("sha1",), id="sha1"),
        pytest.param((2,), ("sha256",), id="sha256"),
        pytest.param((3,), ("sha256-truncated",), id="truncated"),
        pytest.param((4,), ("sha384",), id="sha384"),
        pytest.param((1, 2), ("sha1", "sha256"), id="two-directories"),
    ],
)
def test_every_page_is_hashed_by_every_directory(signature, hashes, names, shift):
    made = Macho(sign="adhoc", hashes=hashes, page_shift=shift, code=bytes(70_000))
    data = made.data()
    error, good = signature(data)
    assert (error, good.bad_pages, good.hashes, good.unknown) == (None, 0, names, ())
    assert good.pages == -(-len(data[: data.index(b"\xfa\xde\x0c\xc0")]) // (1 << shift))
    changed = bytearray(data)
    changed[0x8000] ^= 1
    changed[0x10001] ^= 1
    error, bad = signature(bytes(changed))
    assert (error, bad.bad_pages, bad.pages) == (None, 2, good.pages)


def test_the_fields_of_the_directory_are_read(signature):
    made = Macho(sign="adhoc", identifier="com.example.tool", team="TEAM123456", hardened=True, runtime_platform=0)
    _, found = signature(made.data())
    assert (found.identifier, found.team, found.hardened_runtime) == ("com.example.tool", "TEAM123456", True)
    assert found.flags == ("adhoc", "runtime")
    assert found.directory_hash is not None
    assert re.fullmatch("[0-9a-f]{40}", found.directory_hash)


def test_entitlements_are_read_and_their_hash_is_checked(signature):
    data = Macho(sign="adhoc", entitlements=ENTITLEMENTS).data()
    _, good = signature(data)
    assert good.entitlements == {"com.apple.security.cs.allow-jit": "true"}
    assert good.bad_slots == ()
    _, bad = signature(data.replace(b"allow-jit", b"allow-jat"))
    assert bad.bad_slots == ("entitlements",)
    assert bad.bad_pages == 0


@pytest.mark.parametrize(
    ("entitlements", "wanted"),
    [
        pytest.param(b"<plist", "entitlements are no property list", id="cut-off"),
        pytest.param(
            b'<!DOCTYPE p [<!ENTITY a "b">]><plist><dict><key>&a;</key><true/></dict></plist>',
            "entitlements are no property list",
            id="entities-are-refused",
        ),
        pytest.param(b"<plist>" + b"<array>" * 3000, "entitlements are no property list", id="deep"),
        pytest.param(bytes(1024 * 1024 + 1), "bytes are not read", id="vast"),
    ],
)
def test_hostile_entitlements_are_said_to_be_unknown(signature, entitlements, wanted):
    error, found = signature(Macho(sign="adhoc", entitlements=entitlements).data())
    assert error is None
    assert found.entitlements == {}
    assert any(wanted in each for each in found.unknown), found.unknown


def _damage(pattern, offset, value, layout=">I"):
    def damaging(data):
        at = data.index(pattern) + offset
        return data[:at] + struct.pack(layout, value) + data[at + struct.calcsize(layout) :]

    return damaging


_SUPER, _DIRECTORY = b"\xfa\xde\x0c\xc0", b"\xfa\xde\x0c\x02"


@pytest.mark.parametrize(
    ("damage", "wanted"),
    [
        pytest.param(_damage(_SUPER, 0, 0), "code signature begins with 0x0", id="magic"),
        pytest.param(_damage(_SUPER, 4, 1 << 31), "claims 2147483648 bytes", id="length"),
        pytest.param(_damage(_SUPER, 8, 1 << 31), "2147483648 blobs", id="count"),
        pytest.param(_damage(_SUPER, 16, 1 << 31), "blob of slot 0x0 is cut off", id="blob-offset"),
        pytest.param(_damage(_SUPER, 12, 77), "has no code directory", id="no-directory"),
        pytest.param(_damage(_DIRECTORY, 4, 1 << 30), "blob of slot 0x0 claims 1073741824 bytes", id="blob-size"),
        pytest.param(_damage(_DIRECTORY, 28, 1 << 30), "claims 0 . 1073741824 hashes", id="hash-count"),
        pytest.param(_damage(_DIRECTORY, 28, 1), "hashes 1 pages of", id="fewer-pages-than-code"),
        pytest.param(_damage(_DIRECTORY, 32, 1 << 30), "pages of 0x40000000 bytes", id="limit"),
        pytest.param(_damage(_DIRECTORY, 36, 7, ">B"), "has 7 bytes a hash of sha256", id="hash-size"),
        pytest.param(_damage(_DIRECTORY, 20, 1 << 30), "identifier lies outside", id="identifier"),
    ],
)
def test_a_damaged_signature_is_an_error_that_keeps_the_facts(signature, damage, wanted):
    error, found = signature(damage(Macho().data()))
    assert error is not None
    assert re.search(f"malformed: .*{wanted}.*, at offset 0x", error), error
    assert found.kind is SignatureKind.OTHER
    assert found.unknown == (error,)


def test_what_the_reader_does_not_know_is_said(signature):
    error, found = signature(_damage(_DIRECTORY, 39, 0, ">B")(Macho().data()))
    assert error is None
    assert found.bad_pages is None
    assert "pages of 2^0 bytes are not verified: macOS has 4 or 16 KiB" in found.unknown
    two = Macho(sign="adhoc", hashes=(2, 2)).data()
    assert "a second code directory with sha256" in signature(two)[1].unknown


def test_a_developer_id_signature_holds_to_apples_root():
    (slice_,) = inspect(obtain(_PROTOC)).slices
    found = slice_.signature
    assert found.kind is SignatureKind.DEVELOPER_ID
    assert found.team == "VR2RFB3KNR"
    assert found.signed_directory is True
    assert found.signers[0].endswith("(VR2RFB3KNR)")
    assert found.signers[-1] == "Apple Root CA"
    assert (found.bad_pages, found.unknown) == (0, ())
    assert found.hardened_runtime is False


def _certificates(data):
    at = data.rindex(b"\xfa\xde\x0b\x01")
    return data[at + 8 : at + int.from_bytes(data[at + 4 : at + 8], "big")]


def _directory(data):
    at = data.rindex(b"\xfa\xde\x0c\x02")
    return data[at : at + int.from_bytes(data[at + 4 : at + 8], "big")]


def test_openssl_finds_the_same_certificates_and_the_same_signature(tmp_path):
    openssl = program("openssl")
    data = obtain(_PROTOC).read_bytes()
    (tmp_path / "cms").write_bytes(_certificates(data))
    (tmp_path / "directory").write_bytes(_directory(data))
    listing = subprocess.run(
        [openssl, "pkcs7", "-inform", "DER", "-in", tmp_path / "cms", "-print_certs", "-noout"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    names = set(re.findall(r"subject=.*?CN ?= ?(.*?)(?:, [A-Z]+ ?=.*)?$", listing, re.MULTILINE))
    ours = certificates.read(_certificates(data), [])
    assert set(ours.signers) == names
    verify = [
        openssl,
        "cms",
        "-verify",
        "-inform",
        "DER",
        "-binary",
        "-noverify",
        "-in",
        tmp_path / "cms",
        "-out",
        "/dev/null",
    ]
    done = subprocess.run([*verify, "-content", tmp_path / "directory"], capture_output=True, check=False)
    assert (done.returncode == 0) is ours.covers(_directory(data)) is True
    (tmp_path / "directory").write_bytes(_directory(data)[:-1] + b"x")
    done = subprocess.run([*verify, "-content", tmp_path / "directory"], capture_output=True, check=False)
    assert (done.returncode == 0) is ours.covers(_directory(data)[:-1] + b"x") is False


def test_a_signature_moved_to_other_code_is_not_by_that_key(signature):
    cms = _certificates(obtain(_PROTOC).read_bytes())
    error, found = signature(Macho(sign="other", cms=cms, team="VR2RFB3KNR").data())
    assert error is None
    assert found.signers
    assert found.signed_directory is False


def test_a_changed_certificate_does_not_lead_to_apple():
    cms = _certificates(obtain(_PROTOC).read_bytes())
    assert certificates.read(cms, []).from_apple
    forged = cms.replace(b"Google Open Source", b"Goggle Open Source")
    found = certificates.read(forged, [])
    assert found.signers[0].startswith("Developer ID Application: Goggle")
    assert not found.from_apple


def test_a_certificate_that_only_calls_itself_developer_id_is_another_signature(signature):
    forged = _certificates(obtain(_PROTOC).read_bytes()).replace(b"Google Open Source", b"Goggle Open Source")
    error, found = signature(Macho(sign="other", cms=forged).data())
    assert error is None
    assert found.kind is SignatureKind.OTHER
    assert "a certificate that calls itself Developer ID and does not lead to Apple's root" in found.unknown


def _openssl(*words):
    subprocess.run([program("openssl"), *words], capture_output=True, check=True, timeout=60)


@pytest.mark.parametrize(("key", "held"), [("rsa:2048", True), ("ec", None)], ids=["rsa", "other-keys-are-unknown"])
def test_a_certificate_of_ones_own_making_is_another_signature_that_may_hold(signature, tmp_path, key, held):
    certificate, private, content, cms = (tmp_path / name for name in ("certificate", "key", "content", "cms"))
    name = "/CN=Developer ID Application: Mallory (ABCDE12345)"
    curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1"] if key == "ec" else []
    _openssl("req", "-x509", "-newkey", key, *curve, "-nodes", "-subj", name, "-keyout", private, "-out", certificate)
    made = Macho(sign="other", team="ABCDE12345", cms=bytes(5000))
    content.write_bytes(_directory(made.data()))
    sign = ["cms", "-sign", "-binary", "-in", content, "-signer", certificate, "-inkey", private, "-md", "sha256"]
    _openssl(*sign, "-outform", "DER", "-out", cms)
    made.cms = cms.read_bytes().ljust(5000, b"\0")  # the blob's size is part of what is signed
    error, found = signature(made.data())
    assert (error, found.kind, found.bad_pages) == (None, SignatureKind.OTHER, 0)
    assert found.signers == ("Developer ID Application: Mallory (ABCDE12345)",)
    assert found.signed_directory is held
    assert "a certificate that calls itself Developer ID and does not lead to Apple's root" in found.unknown


@pytest.mark.parametrize(
    "cms",
    [
        pytest.param(b"\x30\x80" * 2000, id="nested"),
        pytest.param(b"\x30\x84\xff\xff\xff\xff", id="vast-length"),
        pytest.param(b"\x30\x03\x02\x01\x01", id="too-few-values"),
        pytest.param(b"\x1f\x81\x81", id="long-tag"),
        pytest.param(bytes(300_000), id="vast"),
    ],
)
def test_hostile_certificates_are_said_to_be_unknown(signature, cms):
    error, found = signature(Macho(sign="other", cms=cms).data())
    assert error is None
    assert found.kind is SignatureKind.OTHER
    assert any("certificates' blob" in each for each in found.unknown)


def test_a_signature_is_json_and_back(signature):
    _, found = signature(Macho(cpu=ARM64, sign="adhoc", entitlements=ENTITLEMENTS).data())
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found
