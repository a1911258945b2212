"""Each rule has a passing, a failing and, where it can, a skipped case, on literal subjects."""

from pathlib import Path

import msgspec
import pytest

from labkit import binary, doctor
from labkit.doctor.build_rules import BuildLinkage, BuildSigned, BuildTarget
from labkit.doctor.rules import (
    GeneratedFiles,
    ProtocInclude,
    ServerAnswers,
    ToolNative,
    ToolUnaltered,
    ToolVersion,
)
from labkit.doctor.subjects import BuildSubject, CodegenSubject, IncludeSubject, ToolSubject
from labkit.facts import PLATFORMS
from labkit.model.check import Status
from labkit.model.machine import Architecture, System
from labkit.model.toolchain import ToolOrigin
from labkit.toolchain import find
from labkit.words import Language, render

replace = msgspec.structs.replace


@pytest.fixture
def plugin(facts):
    tool = find(facts.toolchain, "protoc-gen-go")
    return ToolSubject(tool=tool, binary=binary.inspect(Path(tool.path)), machine=facts.machine)


@pytest.fixture(scope="module")
def builds(facts):
    return {
        built.platform: BuildSubject(built=built, binary=read)
        for built, read in zip(facts.servers, facts.server_binaries, strict=True)
    }


def with_tool(subject, **changes):
    return ToolSubject(tool=replace(subject.tool, **changes), binary=subject.binary, machine=subject.machine)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "pass"),
        ({"version": "1.36.11", "reported_version": "protoc-gen-go v1.36.11"}, "fail"),
        ({"version": None, "reported_version": None, "problem": "protoc-gen-go cannot be read"}, "fail"),
    ],
    ids=["pinned", "older", "missing"],
)
def test_tool_version(plugin, changes, status):
    finding = ToolVersion().check(with_tool(plugin, **changes))
    assert finding.status == status
    assert finding.evidence[0].wanted == plugin.tool.pinned_version
    assert (finding.remedy is not None) == (status == "fail")


@pytest.mark.parametrize(
    ("changes", "status"),
    [({}, "pass"), ({"sha256": "0" * 64}, "fail"), ({"sha256": None}, "fail"), ({"origin": ToolOrigin.HOST}, "skip")],
    ids=["as installed", "altered", "unreadable", "the host's own"],
)
def test_tool_unaltered(plugin, changes, status):
    finding = ToolUnaltered().check(with_tool(plugin, **changes))
    assert finding.status == status
    assert (finding.reason is not None) == (status == "skip")


@pytest.mark.parametrize(
    ("system", "architecture", "platform", "status"),
    [
        (System.LINUX, Architecture.X86_64, "linux/amd64", "pass"),
        (System.MACOS, Architecture.ARM64, "darwin/arm64", "pass"),
        (System.MACOS, Architecture.ARM64, "darwin/amd64", "fail"),
        (System.MACOS, Architecture.ARM64, "linux/arm64", "fail"),
        (System.LINUX, Architecture.ARM64, "linux/amd64", "fail"),
    ],
)
def test_tool_native(plugin, builds, system, architecture, platform, status):
    machine = replace(plugin.machine, system=system, architecture=architecture)
    subject = ToolSubject(tool=plugin.tool, binary=builds[platform].binary, machine=machine)
    assert ToolNative().check(subject).status == status


def test_a_tool_that_is_no_program_is_not_native(plugin, tmp_path):
    (tmp_path / "text").write_text("not a program")
    subject = ToolSubject(tool=plugin.tool, binary=binary.inspect(tmp_path / "text"), machine=plugin.machine)
    assert ToolNative().check(subject).status is Status.FAIL


@pytest.mark.parametrize(
    ("files", "status"), [({"google/protobuf/timestamp.proto"}, "pass"), ({"google/protobuf/any.proto"}, "fail")]
)
def test_protoc_include(files, status):
    assert ProtocInclude().check(IncludeSubject(folder="include", files=frozenset(files))).status == status


@pytest.fixture
def generated(facts):
    return CodegenSubject(
        generated=facts.generated,
        wanted_files=("helloworld.pb.go", "helloworld_grpc.pb.go"),
        pins={"protoc-gen-go": find(facts.toolchain, "protoc-gen-go").pinned_version},
        served=facts.served,
    )


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "pass"),
        ({"wanted_files": ("helloworld.pb.go",)}, "fail"),
        ({"pins": {"protoc-gen-go": "1.28.0"}}, "fail"),
    ],
    ids=["as pinned", "another file", "another plugin"],
)
def test_generated_files(generated, changes, status):
    from dataclasses import replace as with_

    assert GeneratedFiles().check(with_(generated, **changes)).status == status


def test_server_answers(generated):
    from dataclasses import replace as with_

    assert ServerAnswers().check(generated).status is Status.PASS
    wrong = with_(generated, served=replace(generated.served, reply="Hello, somebody else!"))
    assert ServerAnswers().check(wrong).status is Status.FAIL


@pytest.mark.parametrize("platform", PLATFORMS)
def test_build_target(builds, platform):
    assert BuildTarget().check(builds[platform]).status is Status.PASS
    other = BuildSubject(
        built=builds[platform].built,
        binary=next(subject.binary for name, subject in builds.items() if name != platform),
    )
    assert BuildTarget().check(other).status is Status.FAIL


@pytest.mark.parametrize("platform", PLATFORMS)
def test_build_linkage(builds, platform):
    subject = builds[platform]
    assert BuildLinkage().check(subject).status is Status.PASS
    (piece,) = subject.binary.slices
    extra = replace(piece, libraries=(*piece.libraries, "/opt/homebrew/lib/libssl.dylib"), linkage="dynamic")
    brewed = BuildSubject(built=subject.built, binary=replace(subject.binary, slices=(extra,)))
    assert BuildLinkage().check(brewed).status is Status.FAIL


def test_build_signed(builds, tmp_path):
    arm = builds["darwin/arm64"]
    assert BuildSigned().check(arm).status is Status.PASS
    assert BuildSigned().check(builds["linux/amd64"]).status is Status.SKIP
    content = bytearray(Path(arm.built.path).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "altered").write_bytes(content)
    altered = BuildSubject(built=arm.built, binary=binary.inspect(tmp_path / "altered"))
    finding = BuildSigned().check(altered)
    assert finding.status is Status.FAIL
    assert "1 bad" in finding.evidence[0].found


def test_this_machine_passes_all_its_checks(facts):
    findings = (*doctor.examine_install(facts), *doctor.examine_codegen(facts), *doctor.examine_binaries(facts))
    assert doctor.failures(findings) == ()
    assert len({finding.id for finding in findings}) == len(findings)
    for language in Language:
        for finding in findings:
            assert "doctor." not in render(finding.title, language)
