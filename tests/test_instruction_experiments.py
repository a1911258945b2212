"""The experiments of chapters 2.1 to 4.2: the printed compare-and-swap, GOARM, Go's sources, a Mac's go install."""

from pathlib import Path

import msgspec
import pytest

from labkit.errors import ImpossibleHereError, ProvisionError
from labkit.facts import Facts
from labkit.gobuild import installing, listings, printed_cas
from labkit.gobuild.levels import difference, levels
from labkit.gobuild.printed_cas import READINGS, assemble
from labkit.gobuild.printed_cas.reading import lines, printed
from labkit.model.experiments import CasCase, Contended
from labkit.present import experiments as shown
from labkit.toolchain import find, gosource, program
from labkit.words import Language
from tests.support import need

DARWIN = "darwin/arm64"


# --- the printed compare-and-swap


@pytest.fixture(scope="module")
def cas(toolchain):
    """The listing, run (under qemu-user where the processor is no arm64)."""
    if not toolchain.platform.endswith("/arm64"):
        need("qemu-aarch64")
    return printed_cas.printed_cas(toolchain)


@pytest.fixture(scope="module")
def reading(cas):
    return {each.id: each for each in cas.readings}


def test_the_listing_is_the_handbooks_six_lines():
    assert [line.split()[0] for line in printed()] == ["MOVD", "LDAXR", "CMP", "BNE", "STLXR", "CBNZ"]


def test_the_readings_differ_in_the_first_line_alone():
    bodies = {lines(each)[-5:] for each in READINGS}
    assert bodies == {("LDAXR (R0), R2", "CMP R3, R2", "BNE fail", "STLXR R1, (R0), R4", "CBNZW R4, fail")}
    assert [each.first for each in READINGS] == ["MOVD R1, R3", "MOVD R3, R1", "MOVD R1, R3", None]


def test_neither_assembler_takes_the_listing_as_it_is_printed(toolchain):
    need("llvm-mc")
    by_go, by_arm = assemble(toolchain)
    assert (by_go.accepted, by_arm.accepted) == (False, False)
    assert "printed_arm64.s:" in by_go.said
    assert "unrecognized instruction mnemonic" in by_arm.said


def test_an_assembler_takes_what_is_in_its_own_syntax(toolchain):
    need("llvm-mc")
    by_go, _ = assemble(toolchain, lines(READINGS[0]))
    _, by_arm = assemble(
        toolchain, ("ldaxr x2, [x0]", "cmp x2, x3", "b.ne fail", "stlxr w4, x1, [x0]", "cbnz w4, fail")
    )
    assert (by_go.accepted, by_go.said) == (True, "")
    assert (by_arm.accepted, by_arm.said) == (True, "")


def test_without_an_assembler_of_arms_syntax_it_is_said(toolchain, monkeypatch):
    monkeypatch.setattr(printed_cas.shutil, "which", lambda *_, **__: None)
    _, by_arm = assemble(toolchain)
    assert by_arm.accepted is None
    assert "apt-get install llvm" in by_arm.said


def test_without_arm64_and_qemu_it_is_impossible_here(toolchain, monkeypatch):
    monkeypatch.setattr(printed_cas.shutil, "which", lambda *_, **__: None)
    elsewhere = msgspec.structs.replace(toolchain, platform="linux/amd64")
    with pytest.raises(ImpossibleHereError, match="qemu-aarch64") as caught:
        printed_cas.printed_cas(elsewhere)
    assert "apt-get install qemu-user" in caught.value.remedy


def test_the_controls_show_what_the_program_can_see(reading):
    own, torn = reading["sync/atomic"], reading["torn"]
    assert own.correct
    # A goroutine gives a round up after so many lost attempts, so a few of its 20,000 may be missing; none is lost.
    assert 19_000 < own.contended.successes == own.contended.final <= 20_000
    assert all(case.right for case in torn.cases)
    assert not torn.contended.atomic
    assert not torn.correct


@pytest.mark.parametrize("id_", ["source-first", "destination-first", "as-commented"])
def test_with_its_first_line_the_listing_is_no_compare_and_swap(reading, id_):
    wrong = [case for case in reading[id_].cases if not case.right]
    assert wrong
    assert not reading[id_].correct
    assert all(case.after == case.before for case in reading[id_].cases)  # it never changes memory


def test_without_its_first_line_it_is_one_that_does_not_try_again(reading):
    repaired = reading["without-first-line"]
    assert repaired.correct
    assert (repaired.refused_alone, repaired.called_alone) == (0, 2000)
    assert not repaired.retries
    alone, disturbed = repaired.conflicts
    assert (alone.status, alone.returned, alone.after) == (0, True, 9)
    assert disturbed.status not in {0, 99}
    assert (disturbed.returned, disturbed.loads, disturbed.after) == (False, 1, disturbed.other_value)


def test_the_routines_that_ran_are_the_readings(reading):
    for each in READINGS:
        names = [one.mnemonic for one in reading[each.id].instructions]
        assert names.count("ldaxr") == names.count("stlxr") == 1
        assert names.index("ldaxr") < names.index("cmp") < names.index("stlxr") < names.index("cbnz")


@pytest.mark.parametrize(
    ("before", "old", "returned", "after", "right"),
    [
        (5, 5, True, 9, True),
        (5, 6, False, 5, True),
        (5, 5, False, 5, False),
        (5, 6, True, 9, False),
        (5, 5, True, 5, False),
    ],
)
def test_a_case_is_right_when_it_swapped_just_when_it_should(before, old, returned, after, right):
    assert CasCase(before=before, old=old, new=9, returned=returned, after=after).right is right


@pytest.mark.parametrize(("successes", "final", "atomic"), [(10, 10, True), (10, 9, False), (0, 0, False)])
def test_many_at_once_lose_nothing(successes, final, atomic):
    assert Contended(goroutines=4, attempts=10, successes=successes, final=final).atomic is atomic


# --- GOARM


@pytest.fixture(scope="module")
def goarm():
    """Both sets' Go, on darwin/arm64."""
    found = {}
    for name in ("current", "handbook"):
        chain = Facts(name).toolchain
        settings = ("", "GOARM=5", "GOARM=7", "GOARM=99")
        version = f"go{find(chain, 'go').version}"
        found[name] = levels(program(chain, "go"), version, settings=settings, platforms=(DARWIN,), compared=())
    return found


def test_on_darwin_arm64_goarm_changes_no_byte(goarm):
    for found in goarm.values():
        assert found.same_bytes(DARWIN)
        assert len([each for each in found.builds if each.built]) >= 3
        assert {each.recorded for each in found.builds} == {None}


def test_whether_a_wrong_value_is_refused_is_gos_own_word(goarm):
    assert goarm["current"].refused(DARWIN) == ()
    (refused,) = goarm["handbook"].refused(DARWIN)
    assert refused.setting == "GOARM=99"
    assert "invalid GOARM" in refused.said
    assert refused.sha256 is None


def test_builds_that_differ_are_not_the_same_bytes(goarm):
    one, *others = goarm["current"].builds
    other = msgspec.structs.replace(one, sha256="0" * 64)
    assert not msgspec.structs.replace(goarm["current"], builds=(other, *others)).same_bytes(DARWIN)


def test_how_two_builds_differ_is_counted_by_function(toolchain):
    old, new = (Path(listings.sample(toolchain, "linux/arm64", f"GOARM64={level}").path) for level in ("v8.0", "v8.1"))
    found = difference(old, new, one="v8.0", other="v8.1")
    assert 0 < found.functions_differing < found.functions_in_both
    assert 0 < found.instructions_differing < found.instructions
    assert found.only_in_one["ldaxr"] > 0
    assert "ldaxr" not in found.only_in_other
    same = difference(old, old, one="v8.0", other="v8.0")
    assert (same.functions_differing, same.instructions_differing) == (0, 0)


# --- Go's sources


@pytest.fixture(scope="module")
def tree(toolchain):
    """The current set's sources, searched."""
    return gosource.search_set(toolchain)


def test_the_sets_sources_are_searched(tree, toolchain):
    assert tree.go_version == f"go{find(toolchain, 'go').version}"
    found = {each.id: each for each in tree.searches}
    assert tree.files > 5000
    absent = [
        "is-apple-silicon",
        "arch-arm64-go",
        "cas-arm64-s",
        "darwin-arm64-tag",
        "brk-0x1000",
        "at-s1e1r",
        "shade-bit",
    ]
    assert {name: found[name].found for name in absent} == dict.fromkeys(absent, 0)
    assert found["atomic-arm64-s"].occurrences[0].path.endswith("/atomic/atomic_arm64.s")
    (multiplier,) = found["stack-guard-multiplier"].occurrences
    assert multiplier.text.startswith("const StackGuardMultiplier = 1 +")
    assert multiplier.line > 1
    assert found["exclusive-pair"].found > 10


def test_a_search_finds_lines_and_paths(tmp_path):
    folder = tmp_path / "src" / "runtime"
    folder.mkdir(parents=True)
    (folder / "arch_arm64.go").write_text("package sys\n\nconst IsAppleSilicon = true\n")
    (folder / "safe_arm64.s").write_text("TEXT a(SB), 0, $0\n\tBRK\t$0x1000\n\tBRK $0x1000\n")
    (folder / "notes.txt").write_text("IsAppleSilicon\n")
    found = {each.id: each for each in gosource.search(tmp_path, "go0").searches}
    (constant,) = found["is-apple-silicon"].occurrences
    assert (constant.path, constant.line, constant.text) == (
        "src/runtime/arch_arm64.go", 3, "const IsAppleSilicon = true",
    )  # fmt: skip
    assert [each.line for each in found["brk-0x1000"].occurrences] == [2, 3]
    assert found["brk-0x1000"].found == 2
    assert found["arch-arm64-go"].found == 1


def test_a_go_without_sources_is_said(tmp_path):
    with pytest.raises(ProvisionError, match="holds no src/runtime"):
        gosource.search(tmp_path, "go0")


# --- a Mac's go install


def test_what_go_install_would_make_is_judged_by_rules(toolchain, tree):
    found = installing.judge_install(toolchain, listings.MODULE, ".", name="sample", tree=tree)
    by = {(each.rule, each.architecture): each for each in found}
    assert {rule for rule, _ in by} == set(installing.rules())
    assert not any(each.confirmed_on_hardware for each in found)
    assert {each.rule for each in found if each.only_a_mac_can_tell} == {"install-cgo-default", "install-starts"}
    assert by["install-signature", "arm64"].statement.values["kind"] == "linker"
    assert by["install-signature", "amd64"].statement.values["kind"] == "none"
    for architecture in installing.ARCHITECTURES:
        assert by["install-cgo-packages", architecture].statement.id.endswith("cgo_none")
        assert by["install-linker", architecture].statement.id.endswith("linker_internal")
        assert "config.go:" in by["install-linker", architecture].evidence[0]
        assert by["install-same-code", architecture].statement.id.endswith("code_same")
    text = repr(shown.installs(found, Language.ENGLISH))
    assert "none of the" in text
    assert "only a Mac can tell" in text


def test_a_package_with_c_code_of_its_own_is_named(toolchain, tmp_path):
    (tmp_path / "go.mod").write_text("module labkit.example/c\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text('package main\n\nimport "C"\n\nfunc main() {}\n')
    packages = installing._packages(toolchain, tmp_path, ".", {}, "arm64")
    assert packages["labkit.example/c"]
    assert packages["runtime/cgo"]
    assert not packages["runtime"]


# --- shown


def test_the_experiments_have_tables_in_both_languages(cas, goarm, toolchain, tree):
    for language, yes, refused in ((Language.ENGLISH, "✓ yes", "✗ refused: "), (Language.CHINESE, "✓ 是", "✗ 拒绝:")):
        assert yes in repr(shown.printed_cas(cas, language))
        table = shown.goarm(tuple(goarm.values()), language)
        assert refused in repr(table)
        assert DARWIN in table.frame.columns
        assert tree.go_version in shown.sources((tree,), language).frame.columns
    frame = shown.census_frame([listings.census(toolchain, "linux/arm64", "GOARM64=v8.1")])
    assert list(frame.columns) == ["file", "architecture", "instruction", "count"]
    assert frame["count"].sum() > 100
