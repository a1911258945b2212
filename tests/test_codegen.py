"""Code generation and builds with the real tools, down to the answered call."""

from pathlib import Path

import msgspec
import pytest

from labkit import codegen
from labkit.errors import BuildError, GenerateError
from labkit.gobuild import build
from labkit.system import store
from labkit.system.store import file_digest


def test_the_service_is_generated_built_and_called(facts):
    assert [file.path for file in facts.generated.files] == ["helloworld.pb.go", "helloworld_grpc.pb.go"]
    assert facts.served.reply == "Hello, labkit!"
    assert facts.served.method == "/labkit.helloworld.Greeter/Greet"
    assert facts.served.call_time_s > 0


def test_headers_name_the_plugins_and_protoc_in_its_second_spelling(facts, toolchain):
    stamps = {name: version for file in facts.generated.files for name, version in file.made_by.items()}
    pinned = {tool.name: tool.pinned_version for tool in toolchain.tools}
    assert stamps["protoc-gen-go"] == pinned["protoc-gen-go"]
    assert stamps["protoc-gen-go-grpc"] == pinned["protoc-gen-go-grpc"]
    assert stamps["protoc"].endswith(pinned["protoc"])


def test_generating_twice_gives_the_same_bytes_and_replaces_the_folder(toolchain, tmp_path):
    out = tmp_path / "my out"
    out.mkdir()
    (out / "stale.pb.go").touch()
    first = codegen.generate_helloworld(toolchain, out)
    again = codegen.generate_helloworld(toolchain, out)
    assert [file.sha256 for file in first.files] == [file.sha256 for file in again.files]
    assert sorted(file.name for file in out.iterdir()) == [file.path for file in again.files]


@pytest.mark.parametrize(
    ("proto", "words"),
    [
        ('syntax = "proto3"; message M {}', "unable to determine Go import path"),
        ('syntax = "proto3"; option go_package = "example.com/x"; message M { Missing m = 1; }', '"Missing" is not'),
    ],
    ids=["no go_package", "unknown type"],
)
def test_what_protoc_refuses_is_said_in_its_words_and_the_old_output_stays(toolchain, tmp_path, proto, words):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/m.proto").write_text(proto)
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.pb.go").write_text("old")
    with pytest.raises(GenerateError) as caught:
        codegen.generate(toolchain, ["m.proto"], proto_path=tmp_path / "src", out=out)
    assert words in caught.value.what
    assert (out / "old.pb.go").read_text() == "old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out", "src"]


def test_a_missing_plugin_is_named(toolchain, tmp_path):
    tools = tuple(
        msgspec.structs.replace(tool, path=str(tmp_path / "nothing")) if tool.name == "protoc-gen-go-grpc" else tool
        for tool in toolchain.tools
    )
    broken = msgspec.structs.replace(toolchain, tools=tools)
    with pytest.raises(GenerateError, match="protoc-gen-go-grpc"):
        codegen.generate_helloworld(broken, tmp_path / "out")


def tiny_module(folder: Path, body: str = 'func main() { println("tiny") }') -> Path:
    folder.mkdir()
    (folder / "go.mod").write_text("module example.com/tiny\n\ngo 1.21\n")
    (folder / "main.go").write_text(f"package main\n\n{body}\n")
    return folder


def test_a_build_is_made_once_and_anew_when_its_source_changes(toolchain, tmp_path, empty_store):
    module = tiny_module(tmp_path / "tiny")
    first = build(toolchain, module, ".", name="tiny")
    again = build(toolchain, module, ".", name="tiny")
    assert (first.cached, again.cached) == (False, True)
    assert (again.path, again.built_at, again.build_time_s) == (first.path, first.built_at, first.build_time_s)
    (module / "main.go").write_text('package main\n\nfunc main() { println("other") }\n')
    other = build(toolchain, module, ".", name="tiny")
    assert other.digest != first.digest
    assert not other.cached


def test_a_build_does_not_depend_on_where_it_was_made(toolchain, tmp_path, monkeypatch):
    digests = []
    compiled = store.home() / "go"
    for name in ("one", "two with a space"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go").symlink_to(compiled)
        monkeypatch.setenv("LABKIT_HOME", str(tmp_path / name))
        built = build(toolchain, tiny_module(tmp_path / f"module {name}"), ".", name="tiny", platform="darwin/arm64")
        digests.append(file_digest(Path(built.path)))
    assert digests[0] == digests[1]


def test_code_that_does_not_compile_is_said_in_the_compilers_words(toolchain, tmp_path, empty_store):
    module = tiny_module(tmp_path / "tiny", "func main() { undefined() }")
    with pytest.raises(BuildError, match=r"main\.go:3:\d+: undefined: undefined"):
        build(toolchain, module, ".", name="tiny")
    assert not list((empty_store / "store").glob("build-*"))


def test_a_server_that_does_not_start_is_an_error(toolchain, facts, tmp_path):
    broken = tmp_path / "hello"
    broken.write_text("#!/bin/sh\necho no port >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(Exception, match="before it was ready: no port"):
        codegen.call_server(msgspec.structs.replace(facts.server, path=str(broken)))
