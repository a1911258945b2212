"""The build matrix: its data, what is built and started here, and that its words follow from what happened."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import msgspec
import pytest

from benchmarks.build_matrix import disagreements
from labkit.binary.sections import sections_bytes
from labkit.doctor.matrix_rules import StaticIsAlone
from labkit.errors import ProcessError, UsageError
from labkit.gobuild import matrix
from labkit.gobuild.matrix import trying
from labkit.gobuild.matrix.compilers import compiler_for
from labkit.gobuild.matrix.plan import FOLDER, CellId, Selection, plan
from labkit.model.binary import Linkage
from labkit.model.check import Status
from labkit.model.matrix import CellStatus, Matrix, Outcome, Place, Trial
from labkit.present.matrix import linkage_figure, matrix_frame, matrix_table, needs_of, sections_table
from labkit.toolchain import pins
from labkit.words import Language, say
from tests.binary_builds import built
from tests.support import impossible, need

_MOST_QUICK = 24


@pytest.fixture(scope="session")
def quick(facts):
    """The quick part, built and started once."""
    if facts.toolchain.platform != "linux/amd64":
        impossible("this table is of linux/amd64")
    return facts.matrix("quick")


def _cell(quick, program, platform, variant):
    return next(c for c in quick.cells if (c.program, c.platform, c.variant) == (program, platform, variant))


def _outcomes(cell):
    return {trial.place.value: trial.outcome.value for trial in cell.trials}


def test_the_whole_matrix_is_every_program_on_every_platform_in_every_way():
    data = plan()
    assert len(data.cells(Selection.FULL)) == len(data.platforms) * len(data.program) * len(data.variant) == 220
    assert set(data.cells(Selection.QUICK)) < set(data.cells(Selection.FULL))
    assert 12 < len(data.cells(Selection.QUICK)) <= _MOST_QUICK
    assert data.cells(Selection.NONE) == ()


def test_what_quick_names_exists():
    data = plan()
    for platform, programs in data.quick.items():
        assert platform in data.platforms
        for program, variants in programs.items():
            assert program in data.program
            assert set(variants) <= set(data.variant)


def test_the_plugins_are_those_of_the_sets():
    versions = {
        plugin.version
        for name in ("handbook", "current")
        for plugin in pins.named(name).plugins
        if plugin.name == "protoc-gen-go"
    }
    assert versions == {program.plugin for program in plan().program.values() if program.plugin}
    for version in versions:
        sums = (FOLDER / "plugins" / version / "go.sum").read_text()
        pin = next(p for n in ("handbook", "current") for p in pins.named(n).plugins if p.version == version)
        assert f"v{version} {pin.sum}" in sums


def test_every_variant_has_a_name_in_each_language():
    for variant in plan().variant:
        for language in Language:
            assert say(f"matrix.variant.{variant}", language) != f"matrix.variant.{variant}"


@pytest.mark.parametrize(
    ("program", "variant", "linkage", "outcomes"),
    [
        pytest.param("hello", "cgo0", "static", {"here": "ran", "empty-root": "ran"}, id="cgo-off"),
        pytest.param("hello", "cgo1", "static", {"here": "ran", "empty-root": "ran"}, id="cgo-on-but-no-c"),
        pytest.param("hello", "external", "dynamic", {"here": "ran", "empty-root": "not-started"}, id="external"),
        pytest.param("hello", "external-static", "static", {"here": "ran", "empty-root": "ran"}, id="external-static"),
        pytest.param("hello", "pie", "dynamic", {"here": "ran", "empty-root": "not-started"}, id="pie-has-a-loader"),
        pytest.param("lookup", "cgo1", "dynamic", {"here": "ran", "empty-root": "not-started"}, id="net-through-libc"),
        pytest.param("lookup", "pure", "static", {"here": "ran", "empty-root": "ran"}, id="net-in-pure-go"),
        pytest.param("server", "trimpath", "static", {"here": "ran", "empty-root": "ran"}, id="generated-server"),
    ],
)
def test_what_is_built_here_is_what_an_empty_root_shows(quick, program, variant, linkage, outcomes):
    cell = _cell(quick, program, "linux/amd64", variant)
    assert (cell.status, cell.linkage, _outcomes(cell)) == (CellStatus.BUILT, linkage, outcomes)


def test_no_verdict_of_the_bytes_differs_from_the_empty_root(quick):
    assert disagreements(quick) == []
    started = [t for c in quick.cells for t in c.trials if t.place in {Place.EMPTY_ROOT, Place.QEMU_EMPTY_ROOT}]
    assert {Outcome.RAN, Outcome.NOT_STARTED} <= {trial.outcome for trial in started}


def test_the_finding_passes_on_what_was_seen_here(quick):
    finding = StaticIsAlone().check(quick)
    assert finding.status is Status.PASS
    assert finding.evidence[0].found == finding.evidence[0].wanted != "0 agree"


def test_the_finding_names_a_program_whose_bytes_lie(quick):
    cell = _cell(quick, "hello", "linux/amd64", "pie")
    lie = msgspec.structs.replace(cell, linkage=Linkage.STATIC)
    finding = StaticIsAlone().check(msgspec.structs.replace(quick, cells=(lie,)))
    assert finding.status is Status.FAIL
    assert [each.what for each in finding.evidence[1:]] == ["hello linux/amd64 pie"]
    assert finding.remedy


def test_the_finding_is_skipped_when_nothing_was_started_alone(quick):
    mac = _cell(quick, "hello", "darwin/arm64", "trimpath")
    finding = StaticIsAlone().check(msgspec.structs.replace(quick, cells=(mac,)))
    assert (finding.status, finding.reason.id) == (Status.SKIP, "matrix.nothing_alone")


def test_a_wrong_verdict_would_be_seen(quick):
    cell = _cell(quick, "hello", "linux/amd64", "cgo0")
    altered = msgspec.structs.replace(cell, linkage=Linkage.DYNAMIC)
    assert disagreements(msgspec.structs.replace(quick, cells=(altered,))) == [altered]


def test_arm64_programs_run_translated_and_alone(quick):
    need("qemu-aarch64")
    need("qemu-aarch64-static")
    for program in ("hello", "lookup", "server"):
        cell = _cell(quick, program, "linux/arm64", "trimpath")
        assert _outcomes(cell) == {"qemu": "ran", "qemu-empty-root": "ran"}, program
    hello = _cell(quick, "hello", "linux/arm64", "trimpath")
    assert hello.trials[0].said == "hello from linux/arm64"


def test_a_name_is_resolved_without_cgo(quick):
    cell = _cell(quick, "lookup", "linux/amd64", "cgo0")
    said = {trial.place: trial.said for trial in cell.trials}
    assert re.match(r"localhost is (::1 )?127\.0\.0\.1; go package net: ", said[Place.HERE])
    assert said[Place.EMPTY_ROOT].startswith("localhost is")  # or is not resolved: it ran, which is what counts


def test_programs_for_macos_are_judged_and_what_needs_apples_linker_says_so(quick):
    cell = _cell(quick, "hello", "darwin/arm64", "cgo1")
    assert (cell.linkage, cell.interpreter, cell.signature) == ("dynamic", "/usr/lib/dyld", "linker")
    assert [trial.outcome for trial in cell.trials] == [Outcome.NOT_TRIED]
    assert {verdict.provenance for verdict in cell.verdicts} == {"judged"}
    outside = _cell(quick, "hello", "darwin/arm64", "external")
    assert (outside.status, outside.reason.id) == (CellStatus.IMPOSSIBLE, "matrix.reason.apple-sdk")


def test_a_refusal_is_in_gos_own_words(facts, tmp_path):
    (tmp_path / "go.mod").write_text("module labkit.dev/broken\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    broken = matrix.Given(module=tmp_path, package=".", work=lambda _words: "")
    cell = CellId(program="server", platform=facts.toolchain.platform, variant="trimpath")
    (made,) = matrix.run(facts.toolchain, {"server": broken}, Selection.QUICK, cells=[cell]).cells
    assert made.status is CellStatus.REFUSED
    assert "undefined: undefined" in made.reason.values["said"]


def test_the_tools_are_quoted_and_not_believed(quick):
    need("file")
    need("readelf")
    pie = _cell(quick, "hello", "linux/amd64", "pie")
    assert pie.witnesses["ldd"] == "statically linked"  # and yet it has a loader and does not start alone
    assert pie.witnesses["readelf"].endswith("interpreter /lib64/ld-linux-x86-64.so.2, needs nothing")
    assert "pie executable" in pie.witnesses["file"]


@pytest.mark.parametrize(
    ("platform", "libc", "reason"),
    [
        pytest.param("darwin/arm64", None, "matrix.reason.apple-sdk", id="macos"),
        pytest.param("darwin/arm64", "musl", "matrix.reason.libc-of-linux", id="musl-on-macos"),
        pytest.param("linux/amd64", "musl", "matrix.reason.no-compiler", id="musl-without-zig"),
    ],
)
def test_a_compiler_that_is_not_there_has_a_reason(platform, libc, reason):
    found = compiler_for(platform, here="linux/amd64", libc=libc, zig=False)
    assert (found.path, found.reason.id) == (None, reason)


def test_the_hosts_own_compiler_is_found():
    need("gcc")
    found = compiler_for("linux/amd64", here="linux/amd64", libc=None, zig=False)
    assert found.path.is_file()
    assert found.said


def test_zig_is_pinned_for_every_platform():
    pin = tomllib.loads((FOLDER / "zig.toml").read_text())
    assert set(pin["wheels"]) == {"darwin-arm64", "darwin-amd64", "linux-arm64", "linux-amd64"}


def test_there_is_no_other_selection():
    with pytest.raises(UsageError, match="'all' is no part of the build matrix"):
        matrix.selection("all")


def _fails(said):
    def work(_words):
        raise ProcessError(said, remedy="-")

    return work


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        pytest.param("chroot: failed to run command '/program': No such file or directory", "not-started", id="loader"),
        pytest.param("exit code 2: panic: runtime error", "failed", id="panic"),
        pytest.param(
            "chroot: cannot change root directory to '/x': Operation not permitted", "not-tried", id="no-right"
        ),
        pytest.param("unshare: unshare failed: Operation not permitted", "not-tried", id="no-user-namespace"),
    ],
)
def test_what_an_empty_root_said_decides_the_outcome(said, outcome):
    found = trying.trials(built("linux-amd64"), "linux/amd64", here="linux/amd64", work=_fails(said))
    assert {trial.place: trial.outcome.value for trial in found}[Place.EMPTY_ROOT] == outcome


def test_a_mac_says_that_it_has_no_empty_root():
    found = trying.trials(Path("/program"), "darwin/arm64", here="darwin/arm64", work=lambda _words: "ran")
    assert [(t.place, t.outcome) for t in found] == [(Place.HERE, "ran"), (Place.EMPTY_ROOT, "not-tried")]


def test_without_qemu_there_is_a_reason(monkeypatch):
    monkeypatch.setattr(trying, "SYSTEM_PATH", "/nonexistent")
    found = trying.trials(built("linux-arm64"), "linux/arm64", here="linux/amd64", work=lambda _words: "")
    assert [trial.reason.id for trial in found] == ["matrix.reason.no-qemu", "matrix.reason.no-static-qemu"]


@pytest.mark.parametrize("name", ["linux-amd64", "linux-arm64"])
def test_sections_are_readelfs(name):
    readelf = need("readelf")
    path = built(name)
    said = subprocess.run([readelf, "-SW", path], capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^\s*\[ *\d+\] (\S+)\s+(\w+)\s+\S+ \S+ (\S+)", said, re.MULTILINE)
    theirs = {name: int(size, 16) for name, kind, size in rows if kind not in {"NULL", "NOBITS"} and int(size, 16)}
    assert sections_bytes(path) == theirs


def test_sections_of_a_mach_o_are_llvms():
    objdump = need("llvm-objdump")
    path = built("darwin-arm64")
    said = subprocess.run([objdump, "--section-headers", path], capture_output=True, text=True, check=True).stdout
    theirs = {
        row[1]: int(row[2], 16) for line in said.splitlines() if len(row := line.split()) >= 4 and row[0].isdigit()
    }
    ours = {name.partition(",")[2]: size for name, size in sections_bytes(path).items() if "," in name}
    assert ours
    assert {name: size for name, size in theirs.items() if name in ours} == ours


def test_what_is_no_program_has_no_sections(tmp_path):
    damaged = tmp_path / "damaged"
    damaged.write_bytes(built("linux-amd64").read_bytes()[:80])
    text = tmp_path / "text"
    text.write_text("#!/bin/sh\n")
    assert sections_bytes(damaged) == sections_bytes(text) == {}


def test_the_figure_has_one_row_a_build_and_says_what_was_not_built(quick):
    figure = linkage_figure(quick)
    rows = sum(len(trace.y) for trace in figure.data)
    built_cells = [cell for cell in quick.cells if cell.status is CellStatus.BUILT]
    assert rows == len(built_cells)
    assert len(figure.layout.annotations) == len(quick.cells) - len(built_cells)
    assert {needs_of(cell) for cell in built_cells} == {"nothing", "loader", "library", "system"}
    empty = linkage_figure(Matrix(selection="none", cells=(), wall_time_s=0.0))
    assert empty.layout.annotations[0].text == say("matrix.figure.none")


def test_tables_tell_every_cell(quick):
    assert len(matrix_frame(quick)) == len(matrix_table(quick)) == len(quick.cells)
    assert str(matrix_frame(quick).dtypes["size_bytes"]) == "Int64"
    largest = sections_table(quick.cells[:1], most=3)
    assert len(largest) == 3


def test_the_flags_and_the_c_compiler_are_part_of_what_a_build_is_kept_by():
    variant = plan().variant["external"]
    assert variant.options(Path(shutil.which("sh"))).recipe() != variant.options(None).recipe()
    assert variant.options(None).flags() == ("-mod=readonly", "-ldflags=-linkmode=external")


def test_a_trial_keeps_where_and_what():
    trial = Trial(place=Place.HERE, outcome=Outcome.RAN, said="hello")
    assert msgspec.json.decode(msgspec.json.encode(trial), type=Trial) == trial
