"""Chapter 1 and the handbook against itself: each verdict turns when something real is changed."""

from pathlib import Path

import msgspec
import pytest

from labkit.claims import ClaimFacts, ledgers, trying
from labkit.model.claims import ClaimVerdict
from tests.claims_support import result, turned

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture
def go(plain, executable):
    """Return a function that makes a Go which does something of its own, and all else as the real one does."""

    def make(version, body):
        return executable(f"go-{version or 'own'}", f'{body}\nexec {plain.go(version)} "$@"')

    return make


NO_INSTALL = 'case "$1" in install) echo no; exit 1;; esac'
NO_BUILD = 'case "$1 $GOOS" in "build darwin") exit 1;; esac'


def newest(plain):
    return plain.go_versions()[-1]


def oldest(plain):
    return plain.go_versions()[0]


@pytest.mark.parametrize("part", ["a", "b"])
def test_1_01_exec_format_error(plain, go, part):
    gos = {version: go(version, NO_INSTALL) for version in (oldest(plain), newest(plain))}
    turned("1.01", plain, REFUTED, CONFIRMED, part=part, own_gos=gos)


def test_1_02_the_stated_go_with_another_tree(plain):
    turned("1.02", plain, CONDITIONAL, CONFIRMED, own_gos={"1.21.13": plain.go()})


def test_1_02_an_older_go_that_cannot(plain, go):
    turned("1.02", plain, REFUTED, CONFIRMED, part="b", own_gos={oldest(plain): go(oldest(plain), NO_BUILD)})


def test_1_03_a_go_that_says_another_platform(plain, go):
    liar = go(oldest(plain), 'case "$1" in version) echo go version go1.27.3 darwin/arm64; exit 0;; esac')
    turned("1.03", plain, CONFIRMED, REFUTED, own_gos={oldest(plain): liar})


def test_1_04_older_builds_for_another_system(plain, executable):
    script = executable("protoc", "exit 0")
    turned("1.04", plain, REFUTED, CONFIRMED, own_tools={"protoc:21.11": script, "protoc:23.4": script})


def test_1_05_a_protoc_that_finds_its_own_files(plain, executable):
    tools = plain.set_facts("handbook").toolchain
    whole = executable("protoc", f'exec {trying.tool_of_set(plain, "protoc")} -I{tools.protoc_include} "$@"')
    turned("1.05", plain, CONDITIONAL, CONFIRMED, own_tools={"handbook:protoc": whole})


def test_1_06_gos_that_know_the_command(plain, go):
    knowing = {version: go(version, 'case "$1" in uninstall) exit 0;; esac') for version in plain.go_versions()}
    turned("1.06", plain, REFUTED, CONFIRMED, own_gos=knowing)
    turned("1.06", plain, REFUTED, CONDITIONAL, own_gos={newest(plain): knowing[newest(plain)]})


def test_1_07_a_go_that_cannot_install_for_apple(plain, go):
    own = go("", 'case "$1 $GOOS" in "install darwin") exit 1;; esac')
    older = go(oldest(plain), NO_INSTALL)
    turned("1.07", plain, CONFIRMED, CONDITIONAL, own_gos={newest(plain): own, oldest(plain): older})


def test_1_08_a_go_that_installs_it(plain, go):
    own = go(
        "", 'case "$1" in install) mkdir -p "$GOPATH/bin"; echo x > "$GOPATH/bin/protoc-gen-go-grpc"; exit 0;; esac'
    )
    turned("1.08", plain, REFUTED, CONFIRMED, own_gos={newest(plain): own})


def test_1_09_another_answer(plain, executable):
    other = executable("protoc-gen-go", "echo protoc-gen-go v9.9.9")
    turned("1.09", plain, CONFIRMED, REFUTED, own_tools={"generator:1.32.0": other})


def test_1_10_a_plugin_that_fails(plain, executable):
    broken = executable("protoc-gen-go", "exit 1")
    turned("1.10", plain, CONFIRMED, REFUTED, own_tools={"handbook:protoc-gen-go": broken})


def test_1_11_a_go_with_one_place_for_all(plain, go):
    own = go("", 'case "$1" in list) echo "$HOME/go/bin/tiny"; exit 0;; esac')
    turned("1.11", plain, CONDITIONAL, CONFIRMED, part="b", own_gos={newest(plain): own})


def test_1_12_a_plugin_that_nothing_cures(plain, executable):
    broken = executable("protoc-gen-go", "exit 1")
    turned("1.12", plain, CONDITIONAL, REFUTED, own_tools={"handbook:protoc-gen-go": broken})


def test_1_13_an_old_generator_in_the_stated_ones_place(plain):
    old = trying.generator(plain, "1.3.5")
    turned("1.13", plain, CONFIRMED, REFUTED, own_tools={"generator:1.32.0": old})


def test_1_14_a_generator_that_minds_the_option(plain, executable):
    old, new = (trying.generator(plain, version) for version in ("1.3.5", "1.32.0"))
    body = f'cat > "$0.in"; if grep -q module= "$0.in"; then exec {new} < "$0.in"; else exec {old} < "$0.in"; fi'
    turned("1.14", plain, REFUTED, CONFIRMED, own_tools={"generator:1.32.0": executable("protoc-gen-go", body)})


def test_1_15_wrong_generators_that_fail(plain, executable):
    broken = executable("protoc-gen-go", "exit 1")
    turned("1.15", plain, REFUTED, CONFIRMED, own_tools={"generator:1.3.5": broken, "generator:1.28.1": broken})


def test_1_16_no_program_to_ask(plain, go):
    turned("1.16", plain, REFUTED, UNTESTED, own_gos={newest(plain): go("", NO_INSTALL)})


def test_1_17_a_go_that_leaves_the_old_one(plain, go):
    own = go("", 'case "$*" in *@v1.32.0) exit 0;; esac')
    turned("1.17", plain, REFUTED, CONFIRMED, own_gos={newest(plain): own})


def test_1_18_a_list_that_ends_there(plain, go):
    own = go("", 'case "$1" in list) echo google.golang.org/protobuf v1.31.0 v1.32.0; exit 0; esac\n' + NO_INSTALL)
    gos = {newest(plain): own, oldest(plain): go(oldest(plain), NO_INSTALL)}
    turned("1.18", plain, REFUTED, CONFIRMED, own_gos=gos)
    turned("1.18", plain, REFUTED, CONFIRMED, part="b", own_gos=gos)


def test_1_19_an_older_go_without_the_platform(plain, go):
    turned("1.19", plain, REFUTED, CONFIRMED, own_gos={oldest(plain): go(oldest(plain), NO_BUILD)})


@pytest.mark.parametrize("id_", ["6.01", "6.02", "6.03", "6.04", "6.05"])
def test_a_contradiction_is_gone_when_the_places_say_the_same(plain, monkeypatch, id_):
    before = result(id_, plain)
    ledger = ledgers.own()
    same = [dict(each) | {"value": "one thing"} for each in ledger.find(id_).says]
    statements = tuple(
        msgspec.structs.replace(each, says=tuple(same)) if each.id == id_ else each for each in ledger.statements
    )
    monkeypatch.setattr(ledgers, "own", lambda: msgspec.structs.replace(ledger, statements=statements))
    after = result(id_, plain)
    assert (before.verdict, after.verdict) == (REFUTED, CONFIRMED)
    assert before.parts[0].instead.id != after.parts[0].instead.id


def test_the_bytes_of_a_machine_that_is_not_here_are_not_called_confirmed(plain):
    assert {each.confirmed_on_hardware for each in result("1.01", plain).parts} == {False}
    assert Path(plain.go()).is_file()
