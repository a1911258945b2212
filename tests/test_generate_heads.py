"""What decides a .proto file's place is read from its text exactly, and judged as protoc-gen-go judges it."""

import pytest

from labkit.codegen.tree import gopackage, wire
from labkit.codegen.tree.compiler import Complaint, parse_complaints, proto_path
from labkit.codegen.tree.heads import read_head
from labkit.model.generation import Options, Paths

# The last four are no .proto files: what matters is that reading ends, and protoc says the rest.
HEADS = {
    "plain": ('syntax = "proto3";\noption go_package = "a.b/c";\n', "a.b/c", 2, []),
    "none": ('syntax = "proto3";\n', None, None, []),
    "in a line comment": ('// option go_package = "no.no/x";\n', None, None, []),
    "in a block comment": (
        '/* import "no.proto";\noption go_package = "n.o/x";*/ import "a.proto";',
        None,
        None,
        ["a.proto"],
    ),
    "a comment's start in a string": ('option x = "/*"; import "a.proto"; // */', None, None, ["a.proto"]),
    "a brace in a string": ('message M { string s = 1 [default = "}"]; }\nimport "a.proto";', None, None, ["a.proto"]),
    "a brace in a comment": ('message M { // }\n }\nimport "a.proto";', None, None, ["a.proto"]),
    "strings side by side": ("option go_package =\n  \"a.b\"\n  '/c'  ;", "a.b/c", 1, []),
    "escapes": (r'option go_package = "a.b\x2fc\057d\u002fe\"";', 'a.b/c/d/e"', 1, []),
    "a quote escaped": (r'option x = "\""; option go_package = "a.b/c";', "a.b/c", 1, []),
    "kinds of import": (
        'import public "a.proto"; import weak "b.proto";import\n"c.proto";',
        None,
        None,
        ["a.proto", "b.proto", "c.proto"],
    ),
    "after a message": (
        'message M { message N {} }\nimport "a.proto";\noption go_package="a.b/c";',
        "a.b/c",
        3,
        ["a.proto"],
    ),
    "inside a message": ('message M { option go_package = "no.no/x"; }\nimport "a.proto";', None, None, ["a.proto"]),
    "an option that is a block": (
        'option (x) = { go_package: "no.no/x" };\noption go_package = "a.b/c";',
        "a.b/c",
        2,
        [],
    ),
    "an extension of that name": (
        'option (go_package) = "no.no/x";\noption foo.go_package = "no.no/x";',
        None,
        None,
        [],
    ),
    "a mark of byte order": ('\ufeffoption go_package = "a.b/c";', "a.b/c", 1, []),
    "carriage returns": ('syntax = "proto3";\r\noption go_package = "a.b/c";\r\n', "a.b/c", 2, []),
    "Chinese": ('// 中文\noption go_package = "example.com/中文";', "example.com/中文", 2, []),
    "an open string": ('option go_package = "a.b/c\n;import "a.proto";', None, None, ["a.proto"]),
    "an open comment": ('option go_package = "a.b/c"; /* import "a.proto";', "a.b/c", 1, []),
    "an open block": ('message M { import "a.proto";', None, None, []),
    "nothing": ("", None, None, []),
}


@pytest.mark.parametrize(("text", "value", "line", "imports"), HEADS.values(), ids=HEADS)
def test_a_head_is_read_exactly(text, value, line, imports):
    head = read_head(text.encode())
    assert (head.go_package and head.go_package.text, head.go_package and head.go_package.line) == (value, line)
    assert [place.text for place in head.imports] == imports


def test_a_place_counts_from_one():
    head = read_head(b'syntax = "proto3";\n\n  import "a.proto";\npackage x.y;')
    assert (head.imports[0].line, head.imports[0].column) == (3, 3)
    assert (head.package.text, head.package.line, head.package.column) == ("x.y", 4, 1)


# What protoc-gen-go 1.36.12 does with each is in tests/test_generate_tree.py, with the real plugin.
FAULTS = {
    "missing": (None, Options(), "missing"),
    "empty": ("", Options(), "empty"),
    "only a name": (";pb", Options(), "empty"),
    "bare": ("helloworld", Options(), "bare"),
    "bare with a name": ("helloworld;pb", Options(), "bare"),
    "up": ("../up", Options(), "escapes"),
    "up within": ("example.com/a/../../../up", Options(paths=Paths.IMPORT), "escapes"),
    "absolute": ("/abs/path", Options(), "escapes"),
    "a dash in the name": ("example.com/x;bad-name", Options(), "bad_name"),
    "a space in the name": ("example.com/x;my pkg", Options(), "bad_name"),
    "a digit in front": ("example.com/x;1abc", Options(), "bad_name"),
    "a keyword": ("example.com/x;func", Options(), "bad_name"),
    "the blank name": ("example.com/x;_", Options(), "bad_name"),
    "outside the module": ("example.com/x", Options(paths=Paths.IMPORT, module="example.com/y"), "outside_module"),
    "a module's name continued": (
        "example.com/yz",
        Options(paths=Paths.IMPORT, module="example.com/y"),
        "outside_module",
    ),
    "good": ("example.com/x", Options(), None),
    "a good name": ("example.com/x;pb", Options(), None),
    "a Chinese name": ("example.com/x;中文", Options(), None),
    "a dot is enough": ("x.y", Options(), None),
    "a slash is enough": ("x/y", Options(), None),
    "the module itself": ("example.com/y", Options(paths=Paths.IMPORT, module="example.com/y"), None),
    "mended by M": (None, Options(mappings={"m.proto": "example.com/x"}), None),
    "spoilt by M": ("example.com/x", Options(mappings={"m.proto": "bare"}), "bare"),
    "M for another": (None, Options(mappings={"n.proto": "example.com/x"}), "missing"),
}


@pytest.mark.parametrize(("value", "options", "fault"), FAULTS.values(), ids=FAULTS)
def test_go_package_is_judged(value, options, fault):
    found = gopackage.fault("m.proto", value, options)
    assert (found and found[0].id) == (fault and f"generate.go_package.{fault}")
    assert (found and found[1].id) == (fault and f"generate.remedy.{fault}")


def test_what_is_only_imported_may_lie_outside_the_module():
    options = Options(paths=Paths.IMPORT, module="example.com/y")
    assert gopackage.fault("m.proto", "example.com/x", options, generated=False) is None


@pytest.mark.parametrize(
    ("source", "path", "options", "prefix"),
    [
        ("a/b.proto", "example.com/x", Options(), "a/b"),
        ("a/b.proto", "example.com/x", Options(paths=Paths.IMPORT), "example.com/x/b"),
        ("a/b.proto", "example.com/x/", Options(paths=Paths.IMPORT), "example.com/x/b"),
        ("a/b.proto", "example.com/x/y", Options(paths=Paths.IMPORT, module="example.com/x"), "y/b"),
        ("a/b.proto", "example.com/x", Options(paths=Paths.IMPORT, module="example.com/x"), "b"),
        ("a/b.protodevel", "example.com/x", Options(), "a/b"),
        ("a/b.c.proto", "example.com/x", Options(), "a/b.c"),
    ],
    ids=["source_relative", "import", "a slash at the end", "module", "the module itself", "protodevel", "two dots"],
)
def test_the_generated_files_name_is_foreseen(source, path, options, prefix):
    assert gopackage.prefix(source, path, options) == prefix


@pytest.mark.parametrize(
    ("go_package", "name"),
    [("example.com/x;pb", "pb"), ("example.com/a-b.v1", "a_b_v1"), ("example.com/1a", "_1a"), ("x.y/func", "_func")],
)
def test_the_packages_name_is_foreseen(go_package, name):
    assert gopackage.package_name("m.proto", go_package, Options()) == name


# Captured from protoc 30.2.
SAID = """\
a.proto:5:23: Expected ";".
nope.proto: File not found.
b.proto:2:1: Import "a.proto" was not found or had errors.
c.proto:3:1: warning: Import x.proto is unused.
"""


def test_complaints_are_told_from_warnings():
    assert parse_complaints(SAID) == (
        Complaint("a.proto", 5, 23, 'Expected ";".'),
        Complaint("nope.proto", None, None, "File not found."),
        Complaint("b.proto", 2, 1, 'Import "a.proto" was not found or had errors.'),
    )


def test_an_import_path_with_an_equals_sign_is_no_mapping():
    assert proto_path(["/a", "/b=c"]) == ["--proto_path=/a", "--proto_path==/b=c"]


def test_numbers_and_blocks_go_both_ways():
    data = wire.number(2, 300) + wire.block(15, b"x" * 200)
    assert [(field, value) for field, value, _, _ in wire.fields(data)] == [(2, 300), (15, len(data))]


@pytest.mark.parametrize(
    "data", [b"\x0a\x05abc", b"\x80", b"\x0b", b"\x0a\xff"], ids=["short", "open", "group", "long"]
)
def test_what_is_no_message_is_refused(data):
    with pytest.raises(ValueError):
        list(wire.fields(data))


def test_a_files_content_may_come_in_pieces():
    first = wire.block(15, wire.block(1, b"a.go") + wire.block(15, b"one "))
    assert wire.response(first + wire.block(15, wire.block(15, b"two"))).files == (("a.go", b"one two"),)


def test_inserting_into_anothers_file_is_refused():
    with pytest.raises(ValueError, match="insert"):
        wire.response(wire.block(15, wire.block(1, b"a.go") + wire.block(2, b"here")))
