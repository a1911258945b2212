"""The handbook's lines for building protoc: each with sources, keys or programs that make it hold, fail, or untried."""

import io
import tarfile
from pathlib import Path

import msgspec
import pytest

from labkit.model.source import LineTried
from labkit.toolchain.source.lines import try_codesign, try_configure, try_gpg
from labkit.toolchain.source.pins import Archive
from labkit.words import render
from tests.binary_synthetic import Macho
from tests.support import need


def tree(path: Path, version: str, *names: str) -> tuple[Archive, Path]:
    label = f"tiny-src-{version}"
    file = path / f"{label}.crate"
    with tarfile.open(file, "w:gz") as tar:
        for name in ("CMakeLists.txt", *names):
            content = f"#!/bin/sh\necho tiny configure {version}\n".encode()
            member = tarfile.TarInfo(f"{label}/tiny/{name}")
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
    plain = {
        "version": version,
        "crate": "tiny-src",
        "crate_version": version,
        "released": "2026-01-02",
        "sha256": "0" * 64,
        "origin": "a test",
        "folder": "tiny",
    }
    return msgspec.convert(plain, Archive), file


def found(tried: LineTried, words: str) -> str:
    return next(evidence.found for evidence in tried.evidence if words in evidence.what)


def test_configure_is_looked_for_over_versions(tmp_path):
    old, new = tree(tmp_path, "21.5", "configure", "autogen.sh"), tree(tmp_path, "26.1")
    tried = try_configure([new, old])
    assert tried.holds is False
    assert found(tried, "top folder of protobuf 21.5") == "CMakeLists.txt, autogen.sh, configure"
    assert found(tried, "top folder of protobuf 26.1") == "CMakeLists.txt"
    assert found(tried, "--version in protobuf 21.5") == "exit code 0: tiny configure 21.5"
    assert "No such file" in found(tried, "--version in protobuf 26.1")
    assert found(tried, "protobuf 24.3 itself") == "not looked at; between 21.5 and 26.1"
    assert render(tried.outcome) == "Looked at for 24.3: with a configure script 21.5; without 26.1"


def test_configure_holds_where_the_sources_have_it(tmp_path):
    tried = try_configure([tree(tmp_path, "24.3", "configure")])
    assert tried.holds is True
    assert not any("24.3 itself" in evidence.what for evidence in tried.evidence)


def test_configure_is_untried_without_sources_that_are_new_enough(tmp_path):
    assert try_configure([tree(tmp_path, "21.5", "configure")]).holds is None
    assert try_configure([]).holds is None


def test_gpg_verifies_nothing_without_the_signature_and_the_key():
    tried = try_gpg(need("gpg"))
    assert tried.holds is False
    assert tried.outcome.id == "source.gpg_needs"
    assert "can't open 'protobuf-all-24.3.tar.gz.sig'" in found(tried, "as printed")
    assert found(tried, "files in the folder") == "none"
    assert "No public key" in found(tried, "no public key")
    assert found(tried, "the signer's public key").startswith("exit code 0: gpg: Good signature")
    assert "BAD signature" in found(tried, "changed by one byte")
    assert not found(tried, "FILE.sig alone").startswith("exit code 0")
    assert "digest algo" in found(tried, "which digest")


def test_a_published_signature_is_not_verified_without_its_key(tmp_path):
    gpg = need("gpg")
    (tmp_path / "protoc.exe").write_bytes(b"x")
    (tmp_path / "protoc.exe.asc").write_bytes(b"no signature")
    tried = try_gpg(gpg, published=(tmp_path / "protoc.exe", tmp_path / "protoc.exe.asc"))
    assert found(tried, "published protoc.exe").startswith("exit code 2")


def test_the_agent_of_each_home_is_ended_for_it_is_a_daemon(tmp_path, executable):
    gpg = executable("gpg", "exit 2")
    executable("gpgconf", f'echo "$GNUPGHOME $@" >> {tmp_path}/log')
    try_gpg(gpg)
    ended = (tmp_path / "log").read_text().splitlines()
    assert [line.rpartition("/")[2] for line in ended] == [
        "signer --kill all",
        "empty --kill all",
        "knowing --kill all",
    ]


@pytest.mark.parametrize(
    ("body", "holds", "outcome"),
    [("exit 0", True, "gpg_holds"), ("exit 2", False, "gpg_never")],
    ids=["accepts-everything", "refuses-everything"],
)
def test_gpg_is_judged_by_what_it_does(executable, body, holds, outcome):
    tried = try_gpg(executable("gpg", body))
    assert (tried.holds, tried.outcome.id) == (holds, f"source.{outcome}")


def test_gpg_is_untried_where_it_is_absent():
    tried = try_gpg(None)
    assert (tried.holds, tried.outcome.id, tried.evidence) == (None, "source.gpg_absent", ())


@pytest.fixture
def signed(tmp_path):
    path = tmp_path / "published"
    path.write_bytes(Macho(sign="linker", identifier="protoc").data())
    return path


def test_codesign_is_judged_from_bytes_where_it_is_absent(signed, tmp_path):
    tried = try_codesign(signed, codesign=tmp_path / "absent")
    assert (tried.holds, tried.confirmed_on_hardware) == (None, False)
    assert found(tried, "arm64 program") == "linker; identifier protoc; flags adhoc, linker-signed"
    assert found(tried, "--deep could reach") == "0"
    assert all(evidence.provenance == "judged" for evidence in tried.evidence)
    assert "signed (linker)" in render(tried.outcome)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo 'error: The specified item could not be found in the keychain.' >&2; exit 1", "exit code 1: error: The"),
        ("exit 0", "exit code 0"),
    ],
    ids=["no-identity", "signs-nothing"],
)
def test_codesign_is_judged_by_the_signature_afterwards(signed, executable, tmp_path, body, said):
    before = signed.read_bytes()
    tried = try_codesign(signed, codesign=executable("codesign", f'echo "$@" > {tmp_path}/log; {body}'))
    assert tried.holds is False
    assert tried.outcome.id == "source.codesign_refused"
    assert found(tried, "codesign --deep").startswith(said)
    assert (tmp_path / "log").read_text().startswith("--deep --force --sign Apple Development /")
    assert signed.read_bytes() == before  # a copy was tried
