"""Each check of chapter 2.2 turned by another Go: its sources, or what it makes of a variable."""

from pathlib import Path

import pytest

from labkit.claims import ClaimFacts
from labkit.claims.checks.chapter_2_1_facts import APPLE
from labkit.gobuild import listings
from labkit.words import Language
from tests.claims_support import result, sentences, turned
from tests.claims_trees import more, small_tree


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


class OneGo(ClaimFacts):
    """Facts that compare the current Go alone."""

    def go_versions(self):
        return super().go_versions()[-1:]


@pytest.fixture
def another(plain, executable):
    """Return a function that makes a go which does some shell lines before it becomes the real one."""

    def make(lines):
        return {plain.go_versions()[-1]: executable("go", f'{lines}\nexec {plain.go()} "$@"')}

    return make


GOARM = [
    ("2.2.01", "refuted", "confirmed", 'if [ "$GOARCH" = arm ]; then unset GOARM; fi'),
    ("2.2.02", "conditional", "refuted", 'if [ "$1" = build ] && [ -n "$GOARM" ]; then export GOFLAGS=-ldflags=-s; fi'),
    (
        "2.2.08", "conditional", "confirmed",
        'if [ "$1" = help ]; then printf "\\tGOARM\\n\\t\\tValid values are 5, 6, 7, 8.\\n"; exit 0; fi',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("id_", "was", "becomes", "lines"), GOARM, ids=[each[0] for each in GOARM])
def test_a_go_that_treats_goarm_otherwise_turns_it(id_, was, becomes, lines, plain, another):
    before = result(id_, plain)
    after = result(id_, OneGo(plain.lab, own_gos=another(lines)))
    assert (before.verdict, after.verdict) == (was, becomes)
    for language in Language:
        assert sentences(before, language=language) != sentences(after, language=language)


@pytest.mark.parametrize("id_", ["2.2.02", "2.2.08"])
def test_a_condition_has_witnessed_cases_on_each_side(id_, plain):
    (part,) = result(id_, plain).parts
    assert part.condition.holds
    assert all("invalid GOARM" in each.witness or "not in the help" in each.witness for each in part.condition.fails)


def test_a_go_with_goarm_for_linux_alone(plain, another):
    gos = another('if [ "$GOOS" = freebsd ]; then unset GOARM; fi')
    turned("2.2.03", plain, "refuted", "confirmed", own_gos=gos)


def test_a_go_that_builds_otherwise_when_told_the_platform(plain, another):
    gos = another('if [ "$1" = build ] && [ -n "$GOOS" ]; then export GOFLAGS=-ldflags=-s; fi')
    turned("2.2.07", plain, "conditional", "confirmed", own_gos=gos)


def test_a_go_that_brings_a_cross_compiler(plain, another):
    program = Path(listings.sample(plain.lab.toolchain, *APPLE).path)
    gos = another(
        f'case "$1" in env) [ "$2" = CC ] && printf "clang\\n1\\n" && exit 0;; build) cp {program} "$3"; exit 0;; esac'
    )
    after = turned("2.2.09", plain, "refuted", "confirmed", own_gos=gos)
    assert "arm64" in [each.text for each in after.parts[0].evidence]


ARCH = "src/runtime/internal/sys/arch_arm64.go"
TREES = [
    ("2.2.04", "a", {"src/internal/buildcfg/zbootstrap.go": lambda old: old.replace("runtime.GOARCH", '"amd64"')}),
    ("2.2.05", "a", {ARCH: more("const IsAppleSilicon = true")}),
    ("2.2.05", "b", {ARCH: more("const IsAppleSilicon = true")}),
    ("2.2.05", "c", {ARCH: more("const StackGuardMultiplier = 1")}),
    ("2.2.06", "a", {ARCH: more("// __darwin_arm64")}),
    ("2.2.06", "b", {ARCH: more("//go:build __darwin_arm64")}),
    ("2.2.06", "c", {"src/runtime/cgocall.go": lambda _old: "package runtime\n"}),
    ("2.2.10", "a", {"src/runtime/os_darwin_arm64.go": more("// MMU\n// thread_set_state")}),
]


@pytest.mark.parametrize(("id_", "part", "files"), TREES, ids=[f"{each[0]}{each[1]}" for each in TREES])
def test_another_tree_turns_it(id_, part, files, plain, tmp_path):
    turned(id_, plain, "refuted", "confirmed", part=part, own_gos=small_tree(tmp_path / "go", plain, files))


@pytest.mark.parametrize("id_", ["2.2.04", "2.2.05", "2.2.06", "2.2.10"])
def test_a_small_tree_as_it_is_turns_nothing(id_, plain, tmp_path):
    own = ClaimFacts(plain.lab, own_gos=small_tree(tmp_path / "go", plain, {}))
    assert result(id_, own).verdict == result(id_, plain).verdict


@pytest.mark.parametrize("id_", ["2.2.02", "2.2.04", "2.2.07"])
def test_what_no_mac_has_confirmed_says_so(id_, plain):
    assert [each.confirmed_on_hardware for each in result(id_, plain).parts] == [False]


def test_no_folder_of_a_run_is_in_a_sentence(plain):
    assert "/labkit-" not in sentences(result("2.2.09", plain))
