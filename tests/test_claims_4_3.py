"""Each check of chapter 4.3 turned by another Go: one that resolves, asks or compares otherwise."""

import pytest

from labkit.claims import ClaimFacts
from labkit.gobuild.resolution import stock
from tests.claims_support import result, sentences, turned
from tests.support import missing


@pytest.fixture(scope="module")
def plain(facts):
    own = ClaimFacts(facts)
    first = result("4.3.01", own).parts[0]
    if first.untested is not None:
        missing(sentences(result("4.3.01", own)), "give Go a network once")
    return own


@pytest.fixture
def another(plain, executable):
    """Return a function that makes a go which does some shell lines before it becomes the real one."""

    def make(lines):
        return {plain.go_versions()[-1]: executable("go", f'{lines}\nexec {plain.go()} "$@"')}

    return make


@pytest.fixture(scope="module")
def folder_proxy(toolchain):
    """The address of a module proxy that is a folder, and records nothing."""
    return stock.obtain(toolchain).download.as_uri()


FORGET_REPLACE = 'if [ "$1" = build ]; then grep -v "^replace" go.mod >kept; cat kept >go.mod; rm kept; fi'
BELIEVE_ALL = 'if [ "$1" = build ]; then rm -f go.sum; export GOSUMDB=off GOFLAGS="-modcacherw -mod=mod"; fi'
FORGET_SUM = 'if [ "$1" = build ] && ! grep -q "^replace" go.mod; then rm -f go.sum; fi'
FORGET_CACHE = 'if [ "$1" = build ]; then rm -rf "$GOMODCACHE"; fi'
IN_MODULE = 'case "$1 $3" in install*protobuf*@*) set -- install -mod=mod -trimpath "${3%@*}";; esac'
TAKE_ANY = 'case "$*" in "mod download"*) exit 0;; esac'

TURNED = [
    ("4.3.01", "a", "confirmed", "refuted", FORGET_REPLACE),
    ("4.3.03", "a", "confirmed", "refuted", TAKE_ANY),
    ("4.3.05", "a", "conditional", "confirmed", IN_MODULE),
    ("4.3.06", "a", "refuted", "confirmed", FORGET_CACHE),
    ("4.3.07", "a", "refuted", "confirmed", FORGET_SUM),
]


@pytest.mark.parametrize(("id_", "part", "was", "becomes", "lines"), TURNED, ids=[each[0] for each in TURNED])
def test_another_go_turns_it(id_, part, was, becomes, lines, plain, another):
    turned(id_, plain, was, becomes, part=part, own_gos=another(lines))


def test_4_3_02_a_go_that_goes_past_the_proxy(plain, another, folder_proxy):
    gos = another(f'if [ "$1" = build ]; then export GOPROXY={folder_proxy}; fi')
    after = turned("4.3.02", plain, "refuted", "confirmed", own_gos=gos)
    assert "0 requests of the proxy" in after.parts[0].evidence[0].text


def test_4_3_04_a_go_that_asks_another_list_and_compares_with_nothing(plain, another, folder_proxy):
    gos = another(f'if [ "$1" = list ]; then export GOPROXY={folder_proxy}; fi\n{BELIEVE_ALL}')
    after = turned("4.3.04", plain, "confirmed", "refuted", part="a", own_gos=gos)
    assert (result("4.3.04", plain).parts[1].verdict, after.parts[1].verdict) == ("conditional", "confirmed")


@pytest.mark.parametrize("id_", ["4.3.04", "4.3.05"])
def test_a_condition_has_a_witness_on_each_side(id_, plain):
    condition = result(id_, plain).parts[-1].condition
    assert all("taken" in each.witness or "v1.34.1 (replace" in each.witness for each in condition.holds)
    assert all("checksum mismatch" in each.witness or "(replace" in each.witness for each in condition.fails)


@pytest.mark.parametrize("id_", ["4.3.02", "4.3.03"])
def test_without_git_what_needs_it_is_untested(id_, plain):
    found = result(id_, ClaimFacts(plain.lab, own_tools={"git": None}))
    assert {each.verdict for each in found.parts} == {"untested"}
    assert "git" in sentences(found)


def test_no_folder_or_port_of_a_run_is_in_the_evidence(plain):
    said = " ".join(each.text + each.source for part in result("4.3.04", plain).parts for each in part.evidence)
    assert "127.0.0.1" not in said
    assert "labkit-resolution" not in said
