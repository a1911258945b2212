"""Applies the rules of one question to a machine's facts."""

from collections.abc import Iterable
from pathlib import Path

from labkit.codegen import PROTO
from labkit.doctor.build_rules import BUILD_RULES
from labkit.doctor.matrix_rules import StaticIsAlone
from labkit.doctor.rules import CODEGEN_RULES, TOOL_RULES, ProtocInclude
from labkit.doctor.subjects import BuildSubject, CodegenSubject, IncludeSubject, ToolSubject
from labkit.facts import Facts
from labkit.model.check import Finding, Status
from labkit.model.matrix import Matrix


def examine_install(facts: Facts) -> tuple[Finding, ...]:
    """Return the findings about the set's tools, by rule and tool."""
    subjects = [
        ToolSubject(tool=tool, binary=read, machine=facts.machine)
        for tool, read in zip(facts.toolchain.tools, facts.tool_binaries, strict=True)
    ]
    folder = Path(facts.toolchain.protoc_include)
    files = frozenset(file.relative_to(folder).as_posix() for file in folder.rglob("*.proto"))
    include = ProtocInclude().check(IncludeSubject(folder=str(folder), files=files))
    return (*(rule.check(subject) for rule in TOOL_RULES for subject in subjects), include)


def examine_codegen(facts: Facts) -> tuple[Finding, ...]:
    """Return the findings about code generation: made as pinned, compiled, called."""
    stem = PROTO.removesuffix(".proto")
    subject = CodegenSubject(
        generated=facts.generated,
        wanted_files=(f"{stem}.pb.go", f"{stem}_grpc.pb.go"),
        pins={tool.name: tool.pinned_version for tool in facts.toolchain.tools if tool.name.startswith("protoc-gen-")},
        served=facts.served,
    )
    return tuple(rule.check(subject) for rule in CODEGEN_RULES)


def examine_binaries(facts: Facts, matrix: Matrix | None = None) -> tuple[Finding, ...]:
    """Return the findings about the servers that were built for each platform, and about a part of the build matrix."""
    subjects = [
        BuildSubject(built=built, binary=read) for built, read in zip(facts.servers, facts.server_binaries, strict=True)
    ]
    found = tuple(rule.check(subject) for rule in BUILD_RULES for subject in subjects)
    return found if matrix is None else (*found, StaticIsAlone().check(matrix))


def failures(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that failed."""
    return tuple(finding for finding in findings if finding.status is Status.FAIL)
