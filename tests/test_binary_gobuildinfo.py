"""Go's build information, equal to what ``go version -m -json`` says."""

import pytest

from labkit.binary import gobuildinfo, inspect
from labkit.model.binary import GoModule
from tests.binary_builds import MORE, SMALL, built
from tests.binary_oracles import go_as_json, go_json
from tests.binary_seeds import go_elf
from tests.binary_synthetic import Elf
from tests.support import need


@pytest.mark.parametrize("name", [*SMALL, "darwin-arm64-stripped", "linux-s390x"])
def test_a_built_program_says_what_go_says(name):
    assert name in SMALL | MORE
    path = built(name)
    said = go_json(path, need("go"))
    assert said is not None
    assert go_as_json(inspect(path)) == said


def test_the_go_command_itself_has_dependencies_as_go_says():
    go = need("go").resolve()
    assert go_as_json(inspect(go)) == go_json(go, go)


_MAIN = "path\texample.test/tool\nmod\texample.test/tool\tv1.2.3\th1:abc=\n"


@pytest.mark.parametrize(
    ("text", "field", "wanted"),
    [
        pytest.param(_MAIN, "path", "example.test/tool", id="path"),
        pytest.param(_MAIN, "main", GoModule(path="example.test/tool", version="v1.2.3", sum="h1:abc="), id="main"),
        pytest.param("mod\ta\t(devel)\t\n", "main", GoModule(path="a", version="(devel)"), id="no-sum"),
        pytest.param("dep\ta\tv1\n", "dependencies", (GoModule(path="a", version="v1"),), id="two-columns"),
        pytest.param(
            "dep\ta\tv1\n=>\tb\tv2\th1:x=\n",
            "dependencies",
            (GoModule(path="a", version="v1", replaced_by=GoModule(path="b", version="v2", sum="h1:x=")),),
            id="replaced",
        ),
        pytest.param(
            'build\t-ldflags="-s -w -X \'main.a=\\"b\\"\'"\n',
            "settings",
            {"-ldflags": "-s -w -X 'main.a=\"b\"'"},
            id="quoted",
        ),
        pytest.param('build\t"a b"=c\n', "settings", {"a b": "c"}, id="quoted-key"),
        pytest.param("build\t-gcflags=`a b`\n", "settings", {"-gcflags": "a b"}, id="raw-quoted"),
        pytest.param("build\tCGO_CFLAGS=\n", "settings", {"CGO_CFLAGS": ""}, id="empty-value"),
        pytest.param("build\ta=b=c\n", "settings", {"a": "b=c"}, id="an-equals-sign-in-the-value"),
        pytest.param("other\tx\nbuild\ta=b", "settings", {}, id="unknown-and-unended-lines-do-not-count"),
        pytest.param('build\ta="\\x41\\u00e9\\n\\101"\n', "settings", {"a": "Aé\nA"}, id="escapes"),
    ],
)
def test_the_text_is_parsed_as_go_parses_it(text, field, wanted):
    assert getattr(gobuildinfo.parse("go1.26", text), field) == wanted


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("=>\tb\tv2\th1:x=\n", id="replacement-of-nothing"),
        pytest.param("dep\ta\tv1\n=>\tb\tv2\n", id="replacement-with-two-columns"),
        pytest.param("mod\ta\n", id="one-column"),
        pytest.param("build\t=x\n", id="no-key"),
        pytest.param("build\tx\n", id="no-equals-sign"),
        pytest.param("build\ta b=c\n", id="unquoted-key"),
        pytest.param("build\ta=b c\n", id="unquoted-value"),
        pytest.param('build\ta="b\n', id="quote-without-end"),
        pytest.param('build\ta="\\q"\n', id="unknown-escape"),
    ],
)
def test_what_go_refuses_is_refused(text):
    with pytest.raises(Exception, match=r"^$"):
        gobuildinfo.parse("go1.26", text)


def _inspected(tmp_path, data):
    (tmp_path / "file").write_bytes(data)
    return inspect(tmp_path / "file").go


def test_inline_strings_are_read_since_go_1_18(tmp_path):
    go = _inspected(tmp_path, go_elf())
    assert go is not None
    assert (go.version, go.path) == ("go1.26", "example.test/hello")
    assert go.settings == {"-compiler": "gc", "GOOS": "linux"}


def test_a_blob_that_is_not_aligned_is_passed_over(tmp_path):
    decoy = b"\xff Go buildinf:\x08\x02" + bytes(16) + b"\x05go9.9\x00"
    blob = b"\xff Go buildinf:\x08\x02" + bytes(16) + b"\x06go1.26\x00"
    go = _inspected(tmp_path, Elf(writable=(bytes(8) + decoy).ljust(64, b"\0") + blob).data())
    assert go is not None
    assert go.version == "go1.26"


@pytest.mark.parametrize("order", ["little", "big"])
def test_pointers_are_followed_before_go_1_18(tmp_path, order):
    base, text = 0x100000, b"\x30" * 16 + b"path\texample.test/old\n" + b"\xf9" * 16

    def word(number):
        return number.to_bytes(8, order)

    header = b"\xff Go buildinf:" + bytes([8, int(order == "big")]) + word(base + 32) + word(base + 48)
    strings = word(base + 64) + word(8) + word(base + 72) + word(len(text))
    go = _inspected(tmp_path, Elf(writable=header + strings + b"go1.17.1" + text).data())
    assert go is not None
    assert (go.version, go.path) == ("go1.17.1", "example.test/old")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data.replace(b"\xff Go buildinf:", b"\xff No buildinf:"), id="no-magic"),
        pytest.param(lambda data: data.replace(b"\x06go1.26", b"\x7fgo1.26"), id="version-too-long"),
        pytest.param(lambda data: data.replace(b"\x06go1.26", b"\xff" * 7), id="varint-without-end"),
        pytest.param(lambda data: data.replace(b"buildinf:\x08\x02", b"buildinf:\x03\x00"), id="pointer-size"),
        pytest.param(lambda data: data.replace(b"build\tGOOS=", b"build\t=OOS="), id="text-that-go-refuses"),
    ],
)
def test_damaged_build_information_is_none(tmp_path, damage):
    data = go_elf()
    assert damage(data) != data
    assert _inspected(tmp_path, damage(data)) is None
