"""A tree of .proto files becomes Go: protoc's own bytes, only what changed, a bad file apart."""

import hashlib
import os
import signal
import sys
from pathlib import Path

import msgspec
import pytest

from labkit.codegen.tree import generate_tree, options
from labkit.codegen.tree import state as states
from labkit.errors import GenerateError, StoreError, UsageError
from labkit.model.generation import How, Inputs, Paths, RefusalKind
from labkit.system import proc, store
from labkit.system.environment import base
from labkit.toolchain import golang, program
from labkit.words import render

PROTOS = {
    "a/base.proto": 'syntax = "proto3";\npackage a;\noption go_package = "example.com/t/a";\n'
    "// A word.\nmessage Base { optional string name = 1; map<string, int64> n = 2; oneof o { int32 x = 3; } }\n",
    "a/more.proto": 'syntax = "proto3";\npackage a;\nimport public "a/base.proto";\n'
    'option go_package = "example.com/t/a";\nmessage More { Base base = 1; }\n',
    "b/service.proto": 'syntax = "proto3";\npackage b;\nimport "a/more.proto";\n'
    'import "google/protobuf/timestamp.proto";\noption go_package = "example.com/t/b;bpb";\n'
    "service S { rpc Do(a.Base) returns (stream R); }\n"
    "message R { google.protobuf.Timestamp at = 1; }\n",
    "c/forward.proto": 'syntax = "proto3";\npackage c;\nimport public "a/base.proto";\n'
    'option go_package = "example.com/t/c";\nmessage C { a.Base base = 1; }\n',
    "d/two.proto": 'syntax = "proto2";\npackage d;\noption go_package = "example.com/t/d";\n'
    'message Two { required string s = 1 [default = "}"]; extensions 100 to 199; optional group G = 2 {} }\n'
    "extend Two { optional int32 more = 100; }\n",
    "e/edition.proto": 'edition = "2023";\npackage e;\noption go_package = "example.com/t/e";\n'
    "message E { string s = 1 [features.field_presence = IMPLICIT]; }\n",
}


def write(folder: Path, files=PROTOS) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def age(folder: Path) -> None:
    """Put all times an hour back, so that labkit need not doubt them."""
    for path in folder.rglob("*"):
        os.utime(path, (path.stat().st_mtime - 3600, path.stat().st_mtime - 3600))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def by_protoc(toolchain, protos: Path, out: Path, *more: str) -> dict[str, bytes]:
    """Return what protoc itself makes with the set's plugins."""
    out.mkdir()
    names = sorted(path.relative_to(protos).as_posix() for path in protos.rglob("*.proto"))
    plugins = [f"--plugin={name}={program(toolchain, name)}" for name in ("protoc-gen-go", "protoc-gen-go-grpc")]
    asked = [f"--{name}_out={out}" for name in ("go", "go-grpc")]
    asked += [f"--{name}_opt={word}" for name in ("go", "go-grpc") for word in more or ("paths=source_relative",)]
    paths = [f"-I{protos}", f"-I{toolchain.protoc_include}"]
    proc.run([program(toolchain, "protoc"), *paths, *plugins, *asked, *names], env=base(), timeout_s=60, cwd=protos)
    return contents(out)


@pytest.fixture
def home(tmp_path, toolchain, monkeypatch):
    """A LABKIT_HOME of this test: the store that is there, and no memory of any output folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("store", "go"):
        (folder / name).symlink_to(store.home() / name)
    monkeypatch.setenv("LABKIT_HOME", str(folder))
    return folder


@pytest.fixture
def run(tmp_path, toolchain, home):
    """Return a function that generates from the folder ``src`` into ``out``."""

    def generate(*sources, out="out", src="src", jobs=2, proto_path=None, remember=True, anew=False, **flags):
        named = sources or (str(tmp_path / src),)
        given = Inputs(sources=named, proto_path=proto_path or (str(tmp_path / src),), options=options(**flags))
        return generate_tree(toolchain, given, tmp_path / out, jobs=jobs, remember=remember, anew=anew)

    return generate


def counts(made) -> tuple[int, int, int]:
    return tuple(made.count(how) for how in (How.WRITTEN, How.SAME, How.REUSED))


def why(made) -> dict[str, tuple[RefusalKind, int | None]]:
    return {refusal.source: (refusal.kind, refusal.line) for refusal in made.refused}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({}, ()),
        ({"paths": Paths.IMPORT}, ("paths=import",)),
        ({"module": "example.com/t"}, ("paths=import", "module=example.com/t")),
        ({"mappings": {"d/two.proto": "example.com/d;dd"}}, ("paths=source_relative", "Md/two.proto=example.com/d;dd")),
    ],
    ids=["source_relative", "import", "module", "M"],
)  # fmt: skip
def test_the_bytes_are_those_that_protoc_and_the_plugins_make(run, toolchain, tmp_path, flags, words):
    protos = write(tmp_path / "src")
    made = run(**flags)
    assert made.refused == ()
    assert contents(tmp_path / "out") == by_protoc(toolchain, protos, tmp_path / "expected", *words)
    assert [file.path for file in made.files] == sorted(contents(tmp_path / "out"))
    for file in made.files:
        data = (tmp_path / "out" / file.path).read_bytes()
        assert (file.sha256, file.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
        assert file.line_count == data.count(b"\n")
        assert file.plugin in file.made_by
        assert "protoc" in file.made_by


def test_the_same_bytes_twice_elsewhere_in_another_order_and_by_another_number_of_jobs(run, tmp_path):
    protos = write(tmp_path / "src")
    write(tmp_path / "other place" / "src")
    run()
    expected = contents(tmp_path / "out")
    run(out="again", anew=True, jobs=1)
    names = [str(protos / name) for name in reversed(PROTOS)]
    run(*names, out="reversed", jobs=3)
    run(out="elsewhere/deep", src="other place/src", remember=False)
    run(anew=True)
    assert len(expected) == 7
    for folder in ("again", "reversed", "elsewhere/deep", "out"):
        assert contents(tmp_path / folder) == expected


def test_only_what_changed_is_made(run, tmp_path):
    protos = write(tmp_path / "src")
    age(protos)
    assert counts(run()) == (7, 0, 0)
    again = run()
    assert counts(again) == (0, 0, 7)
    assert again.batches == ()
    leaf = protos / "d/two.proto"
    leaf.write_text(leaf.read_text() + "message New {}\n")
    assert counts(run()) == (1, 0, 6)
    imported = protos / "a/base.proto"
    imported.write_text(imported.read_text().replace("A word", "Words"))  # in its own code only, but all may depend
    changed = run()
    assert counts(changed) == (1, 4, 2)
    assert {file.source for file in changed.files if file.how is How.REUSED} == {"d/two.proto", "e/edition.proto"}


def test_other_options_and_other_plugins_make_all_anew(run, toolchain, tmp_path, executable):
    write(tmp_path / "src")
    run()
    assert counts(run(go_grpc=False)) == (0, 6, 0)
    assert not (tmp_path / "out/b/service_grpc.pb.go").exists()  # nothing makes it any longer
    plugin = program(toolchain, "protoc-gen-go")
    wrapped = executable("protoc-gen-go", f'exec {plugin} "$@"')
    tools = tuple(
        msgspec.structs.replace(tool, path=str(wrapped), sha256="0" * 64) if tool.name == "protoc-gen-go" else tool
        for tool in toolchain.tools
    )
    given = Inputs(sources=(str(tmp_path / "src"),), options=options(go_grpc=False))
    made = generate_tree(msgspec.structs.replace(toolchain, tools=tools), given, tmp_path / "out")
    assert counts(made) == (0, 6, 0)


def test_a_change_that_keeps_size_and_time_is_seen(run, tmp_path):
    protos = write(tmp_path / "src")
    run()
    path = protos / "a/base.proto"
    before = path.stat()
    path.write_text(path.read_text().replace("A word", "B word"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert run().count(How.WRITTEN) == 1
    assert b"B word" in (tmp_path / "out/a/base.pb.go").read_bytes()


def test_a_young_signature_is_not_believed(tmp_path):
    path = tmp_path / "a.proto"
    path.write_text("x")
    assert states.believable(path.stat()) == (0, 0, 0, 0)
    os.utime(path, (1_600_000_000.5, 1_600_000_000.5))  # its change is young nevertheless
    assert states.believable(path.stat()) == (0, 0, 0, 0)


def test_altered_and_missing_code_is_made_again_and_the_rest_keeps_its_times(run, tmp_path):
    write(tmp_path / "src")
    run()
    expected = contents(tmp_path / "out")
    (tmp_path / "out/a/base.pb.go").write_text("package a // by hand\n")
    (tmp_path / "out/d/two.pb.go").unlink()
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.go") if path.name != "base.pb.go"}
    assert counts(run()) == (2, 0, 5)
    assert contents(tmp_path / "out") == expected
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())


def test_code_of_a_source_that_is_gone_is_removed_unless_it_was_altered(run, tmp_path):
    protos = write(tmp_path / "src")
    run()
    (tmp_path / "out/e/notes.txt").write_text("mine")
    (tmp_path / "out/b/service.pb.go").write_text("package bpb // by hand\n")
    for name in ("d/two.proto", "e/edition.proto", "b/service.proto"):
        (protos / name).unlink()
    made = run()
    assert {(gone.path, gone.removed) for gone in made.removed} == {
        ("d/two.pb.go", True),
        ("e/edition.pb.go", True),
        ("b/service_grpc.pb.go", True),
        ("b/service.pb.go", False),
    }
    left = set(contents(tmp_path / "out"))
    assert left == {"a/base.pb.go", "a/more.pb.go", "c/forward.pb.go", "b/service.pb.go", "e/notes.txt"}
    assert not (tmp_path / "out/d").exists()
    assert run().removed == ()


def test_a_source_that_is_not_named_this_time_keeps_its_code(run, tmp_path):
    protos = write(tmp_path / "src")
    run()
    made = run(str(protos / "d"))
    assert (made.source_count, made.removed, counts(made)) == (1, (), (0, 0, 1))
    assert counts(run()) == (0, 0, 7)


GOOD = 'syntax = "proto3";\noption go_package = "example.com/{0}";\nmessage {0} {{}}\n'
BAD = {
    "missing": ('syntax = "proto3";\nmessage M {}\n', RefusalKind.GO_PACKAGE, 1),
    "bare": ('syntax = "proto3";\npackage m;\noption go_package = "helloworld";', RefusalKind.GO_PACKAGE, 3),
    "up": ('syntax = "proto3";\noption go_package = "../up";', RefusalKind.GO_PACKAGE, 2),
    "a bad name": ('syntax = "proto3";\noption go_package = "a.b/c;bad-name";', RefusalKind.GO_PACKAGE, 2),
    "no such import": ('import "no.proto";\noption go_package = "a.b/c";', RefusalKind.IMPORT, 1),
    "itself": ('option go_package = "a.b/c";\nimport "bad.proto";', RefusalKind.IMPORT, 2),
    "a syntax error": ('syntax = "proto3";\noption go_package = "a.b/c";\nmessage M {', RefusalKind.PROTOC, 3),
    "an unknown type": (
        'syntax = "proto3";\noption go_package = "a.b/c";\nmessage M { N n = 1; }',
        RefusalKind.PROTOC,
        3,
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_costs_itself_and_its_importers(run, tmp_path, case):
    text, kind, line = BAD[case]
    user = 'syntax = "proto3";\nimport "bad.proto";\noption go_package = "example.com/user";\n'
    far = 'syntax = "proto3";\n\nimport "user.proto";\noption go_package = "example.com/far";\n'
    files = {"bad.proto": text, "user.proto": user, "far.proto": far}
    write(tmp_path / "src", files | {f"g{number}.proto": GOOD.format(f"G{number}") for number in range(3)})
    made = run()
    assert why(made) == {
        "bad.proto": (kind, line),
        "user.proto": (RefusalKind.DEPENDENT, 2),
        "far.proto": (RefusalKind.DEPENDENT, 3),
    }
    assert sorted(contents(tmp_path / "out")) == ["g0.pb.go", "g1.pb.go", "g2.pb.go"]
    for refusal in made.refused:
        assert "generate." not in render(refusal.reason) + render(refusal.remedy)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["home", "out", "src"]


def test_what_was_made_of_a_source_stays_while_it_is_bad(run, tmp_path):
    protos = write(tmp_path / "src")
    run()
    expected = contents(tmp_path / "out")
    good = (protos / "a/base.proto").read_text()
    (protos / "a/base.proto").write_text(good.replace("example.com/t/a", "bare"))
    made = run()
    assert set(why(made)) == {"a/base.proto", "a/more.proto", "b/service.proto", "c/forward.proto"}
    assert contents(tmp_path / "out") == expected
    (protos / "a/base.proto").write_text(good)
    assert run().refused == ()
    assert contents(tmp_path / "out") == expected


def test_an_imported_file_without_go_package_is_mended_by_m(run, tmp_path):
    write(tmp_path / "other", {"x.proto": 'syntax = "proto3";\nmessage X {}\n'})
    user = 'syntax = "proto3";\nimport "x.proto";\noption go_package = "example.com/u";\nmessage U { X x = 1; }'
    write(tmp_path / "src", {"u.proto": user})
    paths = (str(tmp_path / "src"), str(tmp_path / "other"))
    assert why(run(proto_path=paths)) == {"x.proto": (RefusalKind.GO_PACKAGE, 1), "u.proto": (RefusalKind.DEPENDENT, 2)}
    made = run(proto_path=paths, mappings={"x.proto": "example.com/x"})
    assert made.refused == ()
    assert b'"example.com/x"' in (tmp_path / "out/u.pb.go").read_bytes()


def test_two_files_that_only_do_not_go_together_are_both_made(run, tmp_path):
    text = 'syntax = "proto3";\npackage p;\noption go_package = "example.com/{0}";\nmessage Same {{}}\n'
    write(tmp_path / "src", {f"{name}.proto": text.format(name) for name in "abc"})
    assert run().refused == ()
    assert len(contents(tmp_path / "out")) == 3


@pytest.mark.parametrize(
    ("files", "flags", "refused"),
    [
        ({"a/x.proto": GOOD.format("x"), "b/x.proto": GOOD.format("x")}, {"paths": Paths.IMPORT}, "b/x.proto"),
        (
            {"a/x.proto": GOOD.format("x"), "b/y.proto": GOOD.format("x").replace("/x", "/x;other")},
            {},
            "b/y.proto",
        ),
    ],
    ids=["one file", "one package by two names"],
)
def test_what_would_overwrite_or_contradict_another_is_refused(run, tmp_path, files, flags, refused):
    write(tmp_path / "src", files)
    assert why(run(**flags)) == {refused: (RefusalKind.CLASH, 2)}


def test_a_plugins_refusal_costs_only_the_file(toolchain, home, tmp_path, executable):
    # A plugin that refuses any request with the file bad.proto to generate, and else passes it on.
    real = program(toolchain, "protoc-gen-go")
    refuse = "if head -c 400 request.$$ | grep -q bad; then echo no such thing >&2; exit 1; fi"
    body = f"cat >request.$$; {refuse}; exec {real} <request.$$"
    plugin = executable("protoc-gen-go", body)
    tools = tuple(
        msgspec.structs.replace(tool, path=str(plugin)) if tool.name == "protoc-gen-go" else tool
        for tool in toolchain.tools
    )
    write(tmp_path / "src", {f"{name}.proto": GOOD.format(name) for name in ("a", "bad", "c", "d", "e")})
    given = Inputs(sources=(str(tmp_path / "src"),))
    made = generate_tree(msgspec.structs.replace(toolchain, tools=tools), given, tmp_path / "out")
    assert why(made) == {"bad.proto": (RefusalKind.PLUGIN, None)}
    assert render(made.refused[0].reason) == "protoc-gen-go: no such thing"
    assert sorted(contents(tmp_path / "out")) == ["a.pb.go", "c.pb.go", "d.pb.go", "e.pb.go"]


def test_an_old_plugin_is_not_given_what_it_does_not_know(toolchain, home, tmp_path, executable):
    # It answers nothing, and supports nothing: protoc then refuses editions and proto3's optional fields.
    plugin = executable("protoc-gen-go", "cat >/dev/null")
    tools = tuple(
        msgspec.structs.replace(tool, path=str(plugin)) if tool.name == "protoc-gen-go" else tool
        for tool in toolchain.tools
    )
    write(tmp_path / "src")
    given = Inputs(sources=(str(tmp_path / "src"),), options=options(go_grpc=False))
    made = generate_tree(msgspec.structs.replace(toolchain, tools=tools), given, tmp_path / "out")
    said = {each.source: render(each.reason) for each in made.refused if each.kind is RefusalKind.PLUGIN}
    assert set(said) == {"a/base.proto", "e/edition.proto"}
    assert "optional fields" in said["a/base.proto"]
    assert "editions" in said["e/edition.proto"]


def test_a_plugin_that_is_not_there_is_an_error_and_the_old_output_stays(toolchain, home, tmp_path):
    tools = tuple(
        msgspec.structs.replace(tool, path=str(tmp_path / "nothing")) if tool.name == "protoc-gen-go-grpc" else tool
        for tool in toolchain.tools
    )
    write(tmp_path / "src")
    write(tmp_path / "out", {"old.pb.go": "package old"})
    given = Inputs(sources=(str(tmp_path / "src"),))
    with pytest.raises(GenerateError, match="protoc-gen-go-grpc"):
        generate_tree(msgspec.structs.replace(toolchain, tools=tools), given, tmp_path / "out")
    assert contents(tmp_path / "out") == {"old.pb.go": b"package old"}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["home", "out", "src"]


@pytest.mark.parametrize(
    ("sources", "proto_path", "words"),
    [
        (("nowhere",), (), "is not there"),
        (("empty",), (), "holds no .proto file"),
        (("src",), ("empty",), "lies in no import path"),
        (("src",), ("no",), "is no folder"),
        (("other/d",), ("src", "other"), "two.proto means"),
        (("co:lon",), (), "colon"),
    ],
)
def test_inputs_that_name_nothing_or_contradict_are_wrong_use(toolchain, home, tmp_path, sources, proto_path, words):
    write(tmp_path / "src")
    write(tmp_path / "other")
    write(tmp_path / "co:lon")
    (tmp_path / "empty").mkdir()
    given = Inputs(
        sources=tuple(str(tmp_path / name) for name in sources),
        proto_path=tuple(str(tmp_path / name) for name in proto_path),
    )
    with pytest.raises(UsageError, match=words):
        generate_tree(toolchain, given, tmp_path / "out")


@pytest.mark.parametrize(
    "flags",
    [
        {"module": "m", "paths": Paths.SOURCE_RELATIVE},
        {"go": False, "go_grpc": False},
        {"mappings": {"a": "b,c"}},
        {"go_options": ("paths=import",)},
        {"module": ""},
    ],
    ids=str,
)
def test_options_that_contradict_are_wrong_use(flags):
    with pytest.raises(UsageError):
        options(**flags)


def test_an_output_that_cannot_be_written_is_said_and_nothing_is_left(run, tmp_path):
    write(tmp_path / "src")
    write(tmp_path / "out", {"a/base.pb.go/in the way": ""})
    with pytest.raises(StoreError, match="cannot put the generated code into"):
        run()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["home", "out", "src"]


KILLED = """
import sys
from pathlib import Path
from labkit import machine, toolchain
from labkit.codegen.tree import generate_tree
from labkit.model.generation import Inputs
set_ = toolchain.provision("current", toolchain.host_platform(machine.read()))
print("ready", flush=True)
generate_tree(set_, Inputs(sources=(sys.argv[1],)), Path(sys.argv[2]), jobs=2)
print("done", flush=True)
"""


@pytest.mark.parametrize("delay_s", [0.02, 0.1, 0.2, 0.35])
def test_a_killed_run_leaves_whole_files_and_nothing_else(run, tmp_path, delay_s):
    # benchmarks/generate_kills.py does this at a hundred instants, with thousands of files.
    import time

    protos = write(tmp_path / "src")
    run()
    old = contents(tmp_path / "out")
    for name in PROTOS:
        (protos / name).write_text((protos / name).read_text() + f"message Extra{name[0]}{name[2]} {{}}\n")
    running = proc.start(
        [sys.executable, "-c", KILLED, protos, tmp_path / "out"],
        env=base(LABKIT_HOME=os.environ["LABKIT_HOME"], PYTHONPATH=str(Path.cwd())),
    )
    with running:
        running.wait_for("^ready", timeout_s=60, remedy="-")
        end = time.monotonic() + delay_s
        proc.wait_until(lambda: time.monotonic() > end, timeout_s=5, what="the instant")
        os.kill(running.pid, signal.SIGKILL)
    found = contents(tmp_path / "out")
    run()
    new = contents(tmp_path / "out")
    assert set(found) == set(old)
    assert all(found[path] in (old[path], new[path]) for path in found)
    assert all(b"Extra" in content for path, content in new.items() if not path.endswith("_grpc.pb.go"))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["home", "out", "src"]
    assert sorted(entry.name for entry in states.folder_of(str(tmp_path / "out")).iterdir()) == ["state"]


def test_two_runs_into_one_folder_wait_for_each_other(run, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    write(tmp_path / "src")
    with ThreadPoolExecutor(max_workers=3) as pool:
        made = [future.result() for future in [pool.submit(run) for _ in range(3)]]
    assert sorted(each.count(How.WRITTEN) for each in made) == [0, 0, 7]
    assert len(contents(tmp_path / "out")) == 7


def test_what_is_generated_compiles(run, toolchain, tmp_path):
    write(tmp_path / "src")
    run(module="example.com/t")
    hello = Path("labkit/codegen/hello")
    required = (hello / "go.mod").read_text().replace("module labkit/hello", "module example.com/t")
    lines = [line for line in required.splitlines() if not line.startswith("module ")]
    (tmp_path / "out/go.mod").write_text("module example.com/t\n" + "\n".join(lines) + "\n")
    (tmp_path / "out/go.sum").write_bytes((hello / "go.sum").read_bytes())
    golang.run(program(toolchain, "go"), "build", "-trimpath", "./...", cwd=tmp_path / "out")
