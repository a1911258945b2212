"""Chapter 3.1, Homebrew and Go: each verdict turns when something real is changed."""

import msgspec
import pytest

from labkit.claims import ClaimFacts
from labkit.model.claims import ClaimVerdict
from labkit.model.machine import System
from tests.claims_support import result, sentences, turned
from tests.support import impossible, need

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture
def go(plain, executable):
    """Return a function that makes a Go which does something of its own, and all else as the real one does."""

    def make(version, body):
        return executable(f"go-{version}", f'{body}\nexec {plain.go(version)} "$@"')

    return make


def newest(plain):
    return plain.go_versions()[-1]


def test_3_1_01_another_homebrew(plain, executable):
    mac = msgspec.structs.replace(plain.machine, system=System.MACOS, chip="Apple M1")
    seen = []
    for prefix in ("/opt/homebrew", "/usr/local"):
        brew = executable("brew", f"echo {prefix}")
        seen.append(result("3.1.01", ClaimFacts(plain.lab, own_tools={"brew": brew}, own_machine=mac)))
    assert [each.verdict for each in seen] == [CONFIRMED, REFUTED]
    assert sentences(seen[0]) != sentences(seen[1])
    without = result("3.1.01", ClaimFacts(plain.lab, own_tools={"brew": None}, own_machine=mac))
    assert without.verdict is UNTESTED


def test_3_1_02_a_file_that_follows_links(plain, executable):
    if result("3.1.02", plain).verdict is CONFIRMED:
        impossible("this system's own file follows links")
    following = executable("file", f'exec {need("file")} -L "$@"')
    turned("3.1.02", plain, CONDITIONAL, CONFIRMED, own_tools={"file": following})


def test_3_1_02_a_file_that_knows_no_architecture(plain, executable):
    turned("3.1.02", plain, CONDITIONAL, REFUTED, own_tools={"file": executable("file", "echo x: data")})


def test_3_1_03_a_go_that_needs_it(plain, go):
    needy = go(
        newest(plain), '[ -n "$GOROOT" ] || [ "$1" = env ] || { echo "go: cannot find GOROOT directory"; exit 2; }'
    )
    turned("3.1.03", plain, REFUTED, CONFIRMED, own_gos={newest(plain): needy})


def test_3_1_04_a_go_that_chooses_no_other(plain, go):
    turned("3.1.04", plain, CONDITIONAL, CONFIRMED, own_gos={newest(plain): go(newest(plain), "GOTOOLCHAIN=local")})


def test_3_1_05_a_tree_that_nobody_may_write(plain, tmp_path):
    tree = tmp_path / "goroot"
    for name in ("bin", "src"):
        (tree / name).mkdir(parents=True)
    (tree / "bin" / "go").symlink_to(plain.go())
    folders = (tree / "bin", tree / "src", tree)
    try:
        for folder in folders:
            folder.chmod(0o555)
        turned("3.1.05", plain, CONDITIONAL, CONFIRMED, own_gos={newest(plain): tree / "bin" / "go"})
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_3_1_06_a_go_that_makes_src(plain, go):
    making = go(newest(plain), 'case "$1" in install) mkdir -p "$GOPATH/src";; esac')
    turned("3.1.06", plain, REFUTED, CONFIRMED, own_gos={newest(plain): making})


def translators(*paths):
    names = ("qemu-aarch64", "qemu-aarch64-static", "qemu-x86_64", "qemu-x86_64-static")
    return dict.fromkeys(names, *paths)


@pytest.mark.parametrize(("part", "was"), [("a", CONFIRMED), ("b", CONDITIONAL)])
def test_3_1_07_nothing_that_translates(plain, part, was):
    need("qemu-aarch64")
    turned("3.1.07", plain, was, UNTESTED, part=part, own_tools=translators(None))


@pytest.mark.parametrize(("part", "was", "becomes"), [("a", CONFIRMED, REFUTED), ("b", CONDITIONAL, CONFIRMED)])
def test_3_1_07_a_translator_that_does_nothing_quickly(plain, executable, part, was, becomes):
    need("qemu-aarch64")
    quick = executable("qemu", ": > made.o")
    turned("3.1.07", plain, was, becomes, part=part, own_tools=translators(quick))
