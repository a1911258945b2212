"""The same .proto through generators of different days, with the real generators, and how that is shown."""

import re
import shutil
from pathlib import Path

import msgspec
import pytest

from labkit.codegen.generators import compiling, making, pinned, shaping, survey
from labkit.codegen.generators.survey import MESSAGE, OPTIONS
from labkit.errors import ProcessError, ProvisionError
from labkit.model.generators import GeneratorInput, GeneratorSurvey
from labkit.present import generators as shown
from labkit.toolchain import find, golang, program
from labkit.words import Language

OLD, MIDDLE, HANDBOOKS = "1.3.5", "1.28.1", "1.32.0"
NEW_FIELDS = {"state", "sizeCache", "unknownFields"}
NO_OPTIONAL = "code generator protoc-gen-go hasn't been updated to support optional fields in proto3"
NO_EDITIONS = "code generator protoc-gen-go hasn't been updated to support editions yet"


@pytest.fixture(scope="module")
def seen(toolchain):
    """All generators side by side, once."""
    return survey(toolchain)


@pytest.fixture(scope="module")
def own(toolchain):
    """The version of the set's own generator."""
    return find(toolchain, "protoc-gen-go").pinned_version


def outcome(seen, version, name):
    (found,) = [each for each in seen.outcomes if (each.generator, each.input) == (version, name)]
    return found


def trial(seen, version, option):
    (found,) = [each for each in seen.options if (each.generator, each.option) == (version, option)]
    return found


def struct(seen, version):
    (found,) = [each for each in seen.structs if each.generator == version]
    return [field.name for field in found.fields]


def test_every_generator_meets_every_input(seen, own):
    assert [each.version for each in seen.generators] == [OLD, MIDDLE, HANDBOOKS, own]
    assert [each.in_set for each in seen.generators] == [False, False, False, True]
    names = [each.name for each in seen.inputs]
    assert len(seen.outcomes) == len(seen.generators) * len(names)
    assert set(names) >= {
        "wellknown", "proto2", "proto3", "proto3_optional", "editions2023", "editions2024", "maps", "oneofs",
        "services", "nested", "enums", "reserved", "bytes", "deprecated",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("version", "name", "words"),
    [
        (OLD, "proto3_optional", NO_OPTIONAL),
        (OLD, "editions2023", NO_EDITIONS),
        (MIDDLE, "editions2023", 'invalid syntax: "editions"'),
        (HANDBOOKS, "editions2023", NO_EDITIONS),
        (HANDBOOKS, "editions_features", "invalid under proto2 semantics"),
        (OLD, "editions2024", "edition 2024, which is later than the protoc maximum supported edition 2023"),
        ("own", "editions2024", "edition 2024, which is later than the protoc maximum supported edition 2023"),
        (MIDDLE, "services plugins=grpc", "plugins are not supported; use 'protoc --go-grpc_out=...'"),
        ("own", "services plugins=grpc", "plugins are not supported; use 'protoc --go-grpc_out=...'"),
    ],
)
def test_a_refusal_is_in_the_tools_own_words(seen, own, version, name, words):
    refused = outcome(seen, own if version == "own" else version, name)
    assert not refused.made
    assert words in refused.said
    assert "\n" not in refused.said
    assert (refused.sha256, refused.line_count, refused.compiled) == (None, 0, ())


def test_all_else_is_made(seen):
    refused = {(each.generator, each.input) for each in seen.outcomes if not each.made}
    grpc = {(each.version, "services plugins=grpc") for each in seen.generators[1:]}
    editions = {(each.version, name) for each in seen.generators[:3] for name in ("editions2023", "editions_features")}
    newest = {(each.version, "editions2024") for each in seen.generators}
    assert refused == grpc | editions | newest | {(OLD, "proto3_optional")}


def test_only_the_oldest_writes_xxx_fields_and_three_a_message(seen):
    for each in seen.outcomes:
        if not each.made:
            continue
        names = {name.rsplit(".", 1)[1] for name in each.xxx_fields}
        if each.generator == OLD:
            assert len(each.xxx_fields) >= 3 * each.message_count
            assert names >= {"XXX_NoUnkeyedLiteral", "XXX_unrecognized", "XXX_sizecache"}
            assert each.xxx_method_count >= 5 * each.message_count
        else:
            assert (each.xxx_fields, each.xxx_method_count) == ((), 0)
            assert len(each.state_fields) >= 3 * each.message_count
            assert {name.rsplit(".", 1)[1] for name in each.state_fields} >= NEW_FIELDS
        assert each.message_count > 0


def test_extensions_are_kept_in_a_field_of_either_kind(seen):
    for each in seen.outcomes:
        if each.input == "proto2":
            assert ("Person.XXX_InternalExtensions" in each.xxx_fields) is (each.generator == OLD)
            assert ("Person.extensionFields" in each.state_fields) is (each.generator != OLD)


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        (
            OLD,
            ["Name", "Id", "Payload", "Tags", "Scalars", "XXX_NoUnkeyedLiteral", "XXX_unrecognized", "XXX_sizecache"],
        ),
        (HANDBOOKS, ["state", "sizeCache", "unknownFields", "Name", "Id", "Payload", "Tags", "Scalars"]),
    ],
)
def test_the_struct_of_a_message(seen, version, fields):
    assert struct(seen, version) == fields


def test_the_same_struct_with_and_without_module(seen):
    """What decides is the generator: the option only says where the file goes."""
    plain = trial(seen, HANDBOOKS, "")
    for option in OPTIONS[1:3]:
        with_it = trial(seen, HANDBOOKS, option)
        assert with_it.sha256 == plain.sha256
        assert with_it.path != plain.path
    assert plain.path == "labkit.dev/generators/proto3/proto3.pb.go"
    assert trial(seen, HANDBOOKS, OPTIONS[1]).path == "proto3/proto3.pb.go"
    wrong = trial(seen, HANDBOOKS, OPTIONS[3])
    assert not wrong.made
    assert 'does not match prefix "labkit.dev/other"' in wrong.said


def test_the_oldest_takes_module_and_does_nothing_with_it(seen):
    assert {trial(seen, OLD, option).path for option in (OPTIONS[0], OPTIONS[1], OPTIONS[3])} == {
        "labkit.dev/generators/proto3/proto3.pb.go"
    }
    assert len(trial(seen, OLD, OPTIONS[1]).xxx_fields) == 6


def test_the_oldest_names_no_versions_and_the_others_do(seen, toolchain):
    for each in seen.outcomes:
        if each.made and each.generator == OLD:
            assert each.stamps == {}
        elif each.made:
            assert each.stamps["protoc-gen-go"] == each.generator
            assert each.stamps["protoc"].endswith(find(toolchain, "protoc").pinned_version)


def test_grpc_code_came_from_the_oldest_with_an_option(seen):
    assert outcome(seen, OLD, "services").grpc_types == ()
    assert {"StoreClient", "StoreServer", "Store_WatchClient"} <= set(
        outcome(seen, OLD, "services plugins=grpc").grpc_types
    )


def test_what_was_made_compiles_against_the_newest_runtime(seen):
    for each in seen.outcomes:
        if each.made:
            newest = each.compiled[-1]
            assert (newest.runtime, newest.compiles, newest.said) == ("current", True, None), each.input


def test_against_its_own_days_runtime_the_oldest_lacks_what_it_imports(seen, own):
    failed = {
        each.input: each.compiled[0].said for each in seen.outcomes if each.made and not each.compiled[0].compiles
    }
    assert {(each.generator) for each in seen.outcomes if each.input in failed and each.generator != own} >= {OLD}
    assert set(failed) == {"services plugins=grpc", "wellknown"}
    assert "google.golang.org/grpc" in failed["services plugins=grpc"]
    assert "google.golang.org/protobuf/types/known/" in failed["wellknown"]


@pytest.fixture
def generator(toolchain):
    return pinned.obtain(toolchain, "current")[-1]


def test_a_generator_that_is_not_there_is_protocs_to_say(toolchain, generator, tmp_path):
    gone = pinned.Built(about=generator.about, path=tmp_path / "nothing", runtimes=())
    what = GeneratorInput(name="proto3", proto="proto3.proto", option="", line_count=0)
    made = making.make(toolchain, gone, what, tmp_path / "out")
    assert made.file is None
    assert "program not found or is not executable" in made.said


def test_code_that_does_not_compile_is_said_package_by_package(toolchain, tmp_path):
    (tmp_path / "good.go").write_text("package good\n\nvar X int\n")
    (tmp_path / "bad.go").write_text("package bad\n\nvar X int = true\n")
    (tmp_path / "alien.go").write_text('package alien\n\nimport _ "example.com/nowhere"\n')
    packages = {name: tmp_path / f"{name}.go" for name in ("good", "bad", "alien")}
    found = compiling.compile_all(toolchain, "protobuf-1.32.0", packages)
    assert {name: each.compiles for name, each in found.items()} == {"good": True, "bad": False, "alien": False}
    assert "cannot use true" in found["bad"].said
    assert "example.com/nowhere" in found["alien"].said
    assert found["good"].modules == ("google.golang.org/protobuf v1.32.0",)
    assert compiling.compile_all(toolchain, "protobuf-1.32.0", {}) == {}


def test_a_runtime_that_wants_a_newer_go_compiles_nothing(toolchain, tmp_path, monkeypatch):
    (tmp_path / "future").mkdir()
    (tmp_path / "future/go.mod").write_text("module example.com/future\n\ngo 1.999\n")
    (tmp_path / "future/go.sum").touch()
    (tmp_path / "good.go").write_text("package good\n")
    monkeypatch.setattr(compiling, "RUNTIMES", tmp_path)
    found = compiling.compile_all(toolchain, "future", {"good": tmp_path / "good.go"})
    assert not found["good"].compiles
    assert "1.999" in found["good"].said


def test_a_set_without_a_runtime_of_its_own_takes_the_current_ones(toolchain):
    for name, runtime in (("current", "current"), ("handbook", "handbook"), ("mine", "current")):
        assert compiling.newest_runtime(msgspec.structs.replace(toolchain, name=name)) == runtime


def test_the_reader_of_go_sees_what_is_declared(toolchain, tmp_path):
    file = tmp_path / "made.pb.go"
    file.write_text(
        'package made\n\nimport (\n\tp "example.com/p"\n)\n\n'
        'type M struct {\n\tA, B int `json:"a"`\n\tp.Embedded\n\tm map[string][]*M\n}\n\n'
        "func (m *M) ProtoMessage() {}\nfunc (m *M) hidden() {}\nfunc Made() {}\nfunc other() {}\n\n"
        "type plain struct{ X int }\n\nfunc (plain) Shown() {}\n\nconst (\n\tC = 1\n\tc = 2\n)\n\n"
        '// type Ghost struct { XXX_unrecognized []byte }\nvar s = "type Ghost struct"\n'
    )
    read = shaping.shapes(toolchain, [file])[file]
    assert (read.package, read.imports) == ("made", ("example.com/p",))
    assert set(read.exported) == {"M", "M.ProtoMessage", "Made", "C"}
    assert read.types == ("M",)
    message, plain = read.structs
    assert [(field.name, field.type) for field in message.fields] == [
        ("A", "int"), ("B", "int"), ("Embedded", "p.Embedded"), ("m", "map[string][]*M"),
    ]  # fmt: skip
    assert (message.message, plain.message) == (True, False)


def test_what_is_no_go_is_an_error(toolchain, tmp_path):
    (tmp_path / "a.go").write_text("no go\n")
    with pytest.raises(ProcessError, match=r"a\.go"):
        shaping.shapes(toolchain, [tmp_path / "a.go"])
    assert shaping.shapes(toolchain, []) == {}


def test_a_generator_whose_module_is_another_is_not_installed(toolchain, empty_store, monkeypatch):
    first = pinned.pinned()[0]
    forged = msgspec.structs.replace(first.tool, sum="h1:" + "A" * 43 + "=")
    monkeypatch.setattr(pinned, "pinned", lambda: (msgspec.structs.replace(first, tool=forged),))
    with pytest.raises(ProvisionError, match="nothing was installed"):
        pinned.obtain(toolchain, "current")
    assert not list((empty_store / "store").glob("protoc-gen-go-*"))


def test_the_pins_are_whole():
    text = Path("labkit/codegen/generators/generators.toml").read_text()
    assert [pin.tool.version for pin in pinned.pinned()] == [OLD, MIDDLE, HANDBOOKS]
    for pin in pinned.pinned():
        runtime = compiling.RUNTIMES / pin.runtime
        assert f"{pin.tool.module} v{pin.tool.version} {pin.tool.sum}\n" in (runtime / "go.sum").read_text()
        assert re.search(
            rf"^require {pin.tool.module} v{pin.tool.version}$", (runtime / "go.mod").read_text(), re.MULTILINE
        )
        assert pin.source in text


@pytest.mark.parametrize("name", ["current", "handbook"])
def test_a_sets_runtime_is_what_the_set_pins(name):
    from labkit.toolchain import pins

    for module in pins.named(name).modules:
        folder = compiling.RUNTIMES / name
        assert f"{module.module} {module.version}\n" in (folder / "go.mod").read_text()
        assert f"{module.module} {module.version} {module.sum}\n" in (folder / "go.sum").read_text()


def test_the_reader_is_formatted_and_sound(toolchain, tmp_path):
    go = program(toolchain, "go")
    module = tmp_path / "shape"
    shutil.copytree("labkit/codegen/generators/shape", module)
    golang.run(go, "vet", "./...", cwd=module)
    assert golang.run(go, "fmt", "./...", cwd=module).stdout == ""


def test_every_input_says_what_it_is_for():
    for file in making.PROTOS.glob("*.proto"):
        assert file.read_text().startswith("// "), file.name
        assert f'option go_package = "{making.MODULE}/{file.stem}";' in file.read_text()


def test_the_survey_goes_through_a_record_and_back(seen):
    assert msgspec.json.decode(msgspec.json.encode(seen), type=GeneratorSurvey) == seen


def test_the_matrix_has_a_row_an_input_and_a_column_a_generator(seen, own):
    frame = shown.generator_matrix(seen).frame
    assert list(frame.columns) == ["Input", OLD, MIDDLE, HANDBOOKS, own]
    row = frame.set_index(frame.columns[0]).loc["proto3"]
    assert re.fullmatch(r"\d+ / \d+ / 6 / 0", row[OLD])
    assert row[own].endswith(" / 0 / 6")
    assert frame.set_index(frame.columns[0]).loc["editions2024", own] == "✗ refused"


def test_the_same_words_stand_once(seen, own):
    frame = shown.generator_refusals(seen).frame
    (row,) = [row for row in frame.itertuples(index=False) if row[0] == "editions2024"]
    assert row[1] == f"{OLD}, {MIDDLE}, {HANDBOOKS}, {own}"
    assert len(frame) < sum(not each.made for each in seen.outcomes)


def test_who_took_part_and_what_compiles(seen, own):
    tools = shown.generator_versions(seen).frame
    assert list(tools["Version"]) == [OLD, MIDDLE, HANDBOOKS, own]
    assert tools.iloc[0, 4].startswith("none")
    assert (
        list(tools.iloc[:, 5])
        == ["github.com/golang/protobuf, google.golang.org/grpc"] + ["google.golang.org/protobuf"] * 3
    )
    builds = shown.generator_builds(seen).frame
    assert list(builds["Generator"]) == [OLD, OLD, MIDDLE, MIDDLE, HANDBOOKS, HANDBOOKS, own]
    assert builds.iloc[0, 2].startswith("✗")
    assert "wellknown: cannot find module" in builds.iloc[0, 3]
    assert list(builds.iloc[1:, 3]) == ["-"] * 6


def test_structs_stand_side_by_side_and_equal_ones_once(seen, own):
    view = shown.message_structs(seen)
    assert view.heads == (OLD, f"{MIDDLE}, {HANDBOOKS}", own)
    old, middle, new = view.texts
    assert "-     XXX_unrecognized     []byte" in old
    assert "+     unknownFields protoimpl.UnknownFields" in middle
    assert "      Name " in old
    assert "XXX_" not in new
    text = repr(view)
    assert f"type {MESSAGE} struct" in text.split("\n")[0]
    assert len({len(line) > 0 for line in text.split("\n")}) == 2
    assert view._repr_html_().count("<pre>") == 3


def test_a_listing_is_escaped():
    view = shown.Listings(title="<b>", heads=("<i>",), texts=("<script>",))
    assert "<script>" not in view._repr_html_()
    assert "<b>" not in view._repr_html_()
    assert "<i>" not in view._repr_html_()


def test_the_xxx_question_is_answered(seen, own):
    answers = dict(shown.xxx_answer(seen, HANDBOOKS).frame.itertuples(index=False, name=None))
    assert answers["Which generators write XXX_ fields?"] == OLD
    assert answers["Which do not, although they made a message?"] == f"{MIDDLE}, {HANDBOOKS}, {own}"
    assert answers["Where do unknown fields go in those?"] == "into unknownFields"
    assert answers[f"Is module= on by default in {HANDBOOKS}?"].startswith("no: without an option")
    assert answers[f"Does module= change what {HANDBOOKS} writes?"].startswith("no: ")
    assert answers["Which generators take module= and do nothing with it?"] == OLD


def changed(seen, version, **changes):
    options = tuple(
        msgspec.structs.replace(each, **changes) if (each.generator, each.option) == (version, OPTIONS[1]) else each
        for each in seen.options
    )
    return msgspec.structs.replace(seen, options=options)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"path": "labkit.dev/generators/proto3/proto3.pb.go"}, "yes: the file goes to"),
        ({"sha256": "0" * 64}, "yes: the files differ"),
        ({"made": False, "path": None, "sha256": None}, f"not known: {HANDBOOKS} made nothing"),
    ],
    ids=["on by default", "changes the file", "made nothing"],
)
def test_the_answer_follows_what_was_seen(seen, changes, answer):
    frame = shown.xxx_answer(changed(seen, HANDBOOKS, **changes), HANDBOOKS).frame
    assert any(str(text).startswith(answer) for text in frame.iloc[:, 1])


def test_the_oldest_is_not_said_to_have_module_on_by_default(seen):
    assert "no: it does nothing with it" in set(shown.xxx_answer(seen, OLD).frame.iloc[:, 1])


def test_an_empty_survey_shows_empty_tables(seen):
    empty = msgspec.structs.replace(seen, generators=(), inputs=(), outcomes=(), structs=(), options=())
    for view in (shown.generator_versions, shown.generator_matrix, shown.generator_refusals, shown.generator_builds):
        assert len(view(empty).frame) == 0
    assert shown.message_structs(empty).texts == ()
    assert len(shown.xxx_answer(empty, HANDBOOKS).frame) == 7


def test_the_views_speak_chinese(seen):
    assert shown.generator_matrix(seen, Language.CHINESE).frame.columns[0] == "输入"
    assert any("XXX_ 字段" in text for text in shown.xxx_answer(seen, OLD, Language.CHINESE).frame.iloc[:, 0])
