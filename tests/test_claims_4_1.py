"""Each check of chapter 4.1 turned by another Go, protoc, plugin or gopls."""

import msgspec
import pytest

from labkit.claims import ClaimFacts, language_server, needs, trying
from labkit.claims.checks.chapter_4_1_facts import editing
from labkit.errors import ProcessError, ProvisionError
from labkit.model.claims import ClaimVerdict
from labkit.system.environment import base
from labkit.toolchain import find, program, provision
from tests.claims_support import result, sentences, turned

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict
REMEDY = "nothing"


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture
def another(plain, executable):
    """Return a function that makes a go which does some shell lines before it becomes the real one."""

    def make(lines):
        return {plain.go_versions()[-1]: executable("go", f'{lines}\nexec {plain.go()} "$@"')}

    return make


@pytest.fixture(scope="module")
def gopls(toolchain):
    """The set's gopls (the first time on a machine it is built)."""
    return program(provision(toolchain.name, toolchain.platform, optional=["gopls"]), "gopls")


STRIP = """case "$2" in edit)
  for file; do :; done
  grep -v '^#' "$file" >"$file.kept"; cat "$file.kept" >"$file";;
esac"""
TURNED = [
    ("4.1.02", CONDITIONAL, CONFIRMED, "export GOWORK=off"),
    ("4.1.04", REFUTED, CONFIRMED, "export GOWORK=off"),
    ("4.1.07", CONDITIONAL, CONFIRMED, STRIP),
    ("4.1.07", CONDITIONAL, REFUTED, 'case "$2" in edit) echo no; exit 1;; esac'),
]


@pytest.mark.parametrize(("id_", "was", "becomes", "lines"), TURNED, ids=[f"{row[0]} {row[2]}" for row in TURNED])
def test_another_go_turns_it(id_, was, becomes, lines, plain, another):
    turned(id_, plain, was, becomes, own_gos=another(lines))


def test_4_1_01_a_gopls_that_generates_before_it_answers(plain, toolchain, gopls, executable):
    lines = f"PATH={program(toolchain, 'protoc').parent}:$PATH; export PATH"
    generate = f"for half in old new; do (cd $half && {lines} && sh ../generate.sh) </dev/null; done"
    eager = executable("gopls", f'if [ $# -eq 0 ]; then {generate}; fi\nexec {gopls} "$@"')
    after = turned("4.1.01", plain, REFUTED, CONFIRMED, own_tools={"current:gopls": eager})
    assert "go tool -n protoc-gen-go" in sentences(after)


def test_4_1_01_a_gopls_that_offers_nothing_judges_nothing(plain):
    seen = plain.get(editing)
    mute = msgspec.structs.replace(seen, after=msgspec.structs.replace(seen.after, completions={"old": 4, "new": 0}))
    turned("4.1.01", plain, REFUTED, UNTESTED, own_facts={"side-by-side-editing": mute})


def test_4_1_03_a_newest_plugin_that_knows_no_editions(plain, toolchain):
    newest = find(toolchain, "protoc-gen-go").pinned_version
    older = trying.generator(plain, "1.28.1")
    turned("4.1.03", plain, CONDITIONAL, REFUTED, own_tools={f"generator:{newest}": older})


def test_4_1_03_plugins_whose_code_nothing_can_build(plain, toolchain, executable):
    version = find(toolchain, "protoc-gen-go").pinned_version
    old = trying.generator(plain, "1.28.1")
    # The message's text in the code, written over by one of the same length, which is no name of Go's.
    broken = executable("broken", f'{old} | LC_ALL=C sed "s/protoimpl/0rotoimpl/g"')
    own = {f"generator:{each}": broken for each in ("1.28.1", "1.32.0", version)}
    turned("4.1.03", plain, CONDITIONAL, CONFIRMED, own_tools=own)


def test_4_1_05_a_protoc_that_finds_the_modules_plugin(plain, toolchain, executable):
    ask = f"GOWORK=off {plain.go()} tool"
    lines = f'{ask} protoc-gen-go --version >/dev/null\nset -- --plugin=protoc-gen-go="$({ask} -n protoc-gen-go)" "$@"'
    knowing = executable("protoc", f'{lines}\nexec {program(toolchain, "protoc")} "$@"')
    turned("4.1.05", plain, REFUTED, CONFIRMED, own_tools={"current:protoc": knowing})


def test_4_1_06_a_gopls_that_puts_a_plugin_on_path(plain, toolchain, gopls, executable, tmp_path):
    plugins = tmp_path / "of gopls"
    plugins.mkdir()
    (plugins / "protoc-gen-go").symlink_to(program(toolchain, "protoc-gen-go"))
    giving = executable("gopls", f'PATH="{plugins}:$PATH" exec {gopls} "$@"')
    after = turned("4.1.06", plain, REFUTED, CONFIRMED, own_tools={"current:gopls": giving})
    assert "of gopls" in sentences(after)


def test_4_1_06_a_gopls_that_was_not_seen_to_start_go_judges_nothing(plain):
    seen = plain.get(editing)
    before, after = (msgspec.structs.replace(each, asked_of_go={}) for each in (seen.before, seen.after))
    unseen = msgspec.structs.replace(seen, before=before, after=after)
    turned("4.1.06", plain, REFUTED, UNTESTED, own_facts={"side-by-side-editing": unseen})


@pytest.mark.parametrize("id_", ["4.1.01", "4.1.06"])
def test_where_gopls_cannot_be_had_it_is_untested(id_, plain, monkeypatch):
    def refuse(*_arguments, **_options):
        raise ProvisionError("no gopls for this machine", remedy=REMEDY)

    monkeypatch.setattr(needs.toolchain, "provision", refuse)
    found = result(id_, plain)
    assert found.parts[0].verdict == UNTESTED
    assert "no gopls for this machine" in sentences(found)


def test_what_generated_code_offers_is_the_control(plain):
    seen = plain.get(editing)
    assert all(count > 1 for count in seen.after.completions.values())
    assert seen.before.asked_of_go["list"] > 0
    assert "labkit-pair" not in seen.before.diagnostics


@pytest.mark.parametrize("id_", ["4.1.02", "4.1.03", "4.1.07"])
def test_a_condition_has_a_witness_on_each_side(id_, plain):
    condition = result(id_, plain).parts[0].condition
    assert condition.holds
    assert condition.fails


SERVER = """say() {{ printf 'Content-Length: %d\\r\\n\\r\\n%s' "${{#1}}" "$1"; }}
while IFS= read -r line; do case "$line" in
*/completion*) say '{{"method":"window/logMessage"}}'; say '{answer}';;
*initialize\\"*) say '{{"id":0,"result":{{}}}}';;
esac; done"""


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        ('{"id":1,"result":{"items":[{"label":"Note"}]}}', ("Note",)),
        ('{"id":1,"result":null}', ()),
        ('{"id":1,"result":{"items":[{"label":"Content-Length: 5"}]}}', ("Content-Length: 5",)),
    ],
    ids=["a list", "nothing", "a label like a header"],
)
def test_a_language_server_without_ends_of_lines_is_understood(answer, labels, executable, tmp_path):
    (tmp_path / "a.go").write_text("package a\n\nvar _ = pb.\n")
    server = executable("server", SERVER.format(answer=answer))
    place = language_server.Place.behind(tmp_path / "a.go", "pb.")
    assert (place.line, place.character) == (2, 11)
    assert language_server.complete(server, [place], env=base(), root=tmp_path) == (labels,)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (SERVER.format(answer='{"id":1,"error":{"code":1,"message":"no module"}}'), "no module"),
        ("exit 3", "exit code 3"),
        ("printf 'Content-Length: 99999999\\r\\n\\r\\n'; cat", "wants to say 99999999 bytes"),
        ("printf 'Content-Type: x\\r\\n\\r\\n'; cat", "without its length"),
    ],
    ids=["refuses", "ends", "says too much", "says no length"],
)
def test_a_language_server_that_cannot_be_understood_is_an_error(body, words, executable, tmp_path):
    (tmp_path / "a.go").write_text("package a\n\nvar _ = pb.\n")
    place = language_server.Place.behind(tmp_path / "a.go", "pb.")
    with pytest.raises(ProcessError, match=words):
        language_server.complete(executable("server", body), [place], env=base(), root=tmp_path)
