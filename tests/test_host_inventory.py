"""The host's tools are found, told apart and asked as they are: real files, the real Go, and replayed Macs."""

import json
import os
import shutil
from pathlib import Path

import pytest

from labkit.doctor.host import examine_host
from labkit.errors import StoreError
from labkit.machine import macos
from labkit.model.binary import Format, SignatureKind
from labkit.model.check import Status
from labkit.model.host import Place
from labkit.model.machine import Architecture, System, Translation
from labkit.system import proc
from labkit.toolchain import answers, golang, program
from labkit.toolchain.answers import Memory
from labkit.toolchain.go_settings import env_file, read_env_file
from labkit.toolchain.inventory import take_inventory
from labkit.toolchain.look import Looking, in_store
from labkit.toolchain.project import go_package, read_project, requires
from labkit.words import Language, render
from tests import host_fixtures as made_up
from tests.host_fixtures import lay
from tests.machine_fixtures import captured, mac

FORGETFUL = Memory(None)
GO_VERSION = ("version", "go version go1.26.8 darwin/arm64\n", "", 0)
GO_ENV = json.dumps({"GOHOSTARCH": "arm64", "GOHOSTOS": "darwin", "CGO_ENABLED": "1", "GOPATH": "/Users/x/go"})
LICENCE = (
    "Agreeing to the Xcode/iOS license requires admin privileges, please run “sudo xcodebuild -license” "
    "and then retry this command.\n"
)
SW_VERS = captured("macos13.sw_vers")


def look(machine, home, path, **more):
    environ = {"HOME": str(home), "PATH": os.pathsep.join(map(str, path))} | more.pop("environ", {})
    return take_inventory(machine, root=home / "root", environ=environ, memory=FORGETFUL, **more)


def named(facts, name):
    return [tool for tool in facts.tools if tool.name == name]


def winner(facts, name):
    (found,) = [tool for tool in named(facts, name) if tool.wins]
    return found


def says(version):
    return f"echo libprotoc {version}"


def test_the_first_on_path_wins_and_shadows_only_other_files(executable, tmp_path, this_machine):
    first = executable("protoc", says("30.2"), tmp_path / "a b")
    second = executable("protoc", says("3.20.3"), tmp_path / "c")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/protoc").symlink_to(first)
    facts = look(
        this_machine, tmp_path, [tmp_path / "none", tmp_path / "a b", tmp_path / "c", tmp_path / "d", tmp_path / "c"]
    )
    found = winner(facts, "protoc")
    assert (found.path, found.version, found.reported) == (str(first), "30.2", "libprotoc 30.2")
    assert found.shadows == (str(second),)
    assert [(tool.path, tool.wins) for tool in named(facts, "protoc")] == [
        (str(first), True), (str(second), False), (str(tmp_path / "d/protoc"), False),
    ]  # fmt: skip
    assert named(facts, "protoc")[2].real_path == str(first)


def test_what_may_not_be_executed_is_told_and_passed_over(executable, tmp_path, this_machine):
    locked = executable("protoc", says("30.2"), tmp_path / "a")
    locked.chmod(0o644)
    (tmp_path / "b/protoc").mkdir(parents=True)  # a folder of that name is nothing
    (tmp_path / "c").mkdir()
    (tmp_path / "c/protoc").symlink_to(tmp_path / "gone")
    open_ = executable("protoc", says("29.3"), tmp_path / "d")
    facts = look(this_machine, tmp_path, [tmp_path / each for each in "abcd"])
    assert winner(facts, "protoc").path == str(open_)
    first, dangling, _ = named(facts, "protoc")
    assert (first.executable, first.version) == (False, None)
    assert render(first.missing["version"], Language.ENGLISH) == "it was not asked: it is not executable"
    assert dangling.error == "a symbolic link to a file that does not exist"


def test_the_usual_places_are_looked_at_beside_path(executable, tmp_path, this_machine):
    home = tmp_path
    expected = {
        Place.GOBIN: home / "gobin",
        Place.GOPATH_BIN: home / "second/bin",
        Place.HOMEBREW_ARM: home / "root/opt/homebrew/bin",
        Place.CONDA: home / "conda/bin",
        Place.USUAL: home / "root/usr/local/go/bin",
        Place.LABKIT: home / "own",
        Place.PYTHON: home / "venv/bin",
    }
    for folder in expected.values():
        executable("protoc", says("30.2"), folder)
    (home / "conda/conda-meta").mkdir()
    (home / "venv/pyvenv.cfg").write_text("")
    environ = {
        "GOBIN": str(home / "gobin"),
        "GOPATH": f"{home}/first:{home}/second",
        "CONDA_PREFIX": str(home / "conda"),
    }
    facts = look(this_machine, home, [home / "venv/bin"], environ=environ, own=[home / "own"])
    assert {tool.place: Path(tool.path).parent for tool in named(facts, "protoc")} == expected
    assert winner(facts, "protoc").place is Place.PYTHON
    assert facts.conda_prefix == str(home / "conda")
    assert facts.environment["GOPATH"] == f"{home}/first:{home}/second"


def test_homebrews_kegs_and_build_tools_artefacts_are_found(executable, tmp_path, this_machine):
    keg = executable("protoc", says("21.12"), tmp_path / "root/usr/local/opt/protobuf@21/bin")
    cellar = executable("go", "echo go version go1.26.8 darwin/amd64", tmp_path / "root/usr/local/Cellar/go/1.26.8/bin")
    (tmp_path / "root/usr/local/bin").mkdir()
    (tmp_path / "root/usr/local/bin/go").symlink_to(cellar)
    artefact = tmp_path / ".m2/repository/com/google/protobuf/protoc/3.17.3/protoc-3.17.3-osx-aarch_64.exe"
    executable(artefact.name, "exit 1", artefact.parent)
    facts = look(this_machine, tmp_path, [tmp_path / "root/usr/local/bin"])
    assert winner(facts, "go").place is Place.HOMEBREW_INTEL
    assert {tool.path: tool.place for tool in named(facts, "protoc")} == {
        str(keg): Place.HOMEBREW_INTEL, str(artefact): Place.MAVEN,
    }  # fmt: skip
    assert named(facts, "protoc")[-1].error is None  # not run


@pytest.mark.parametrize(
    ("layout", "found"),
    [("include", True), ("bin", True), ("elsewhere", False)],
    ids=["beside bin", "beside the program", "only bin was copied"],
)
def test_protocs_include_is_looked_for_where_protoc_does(executable, tmp_path, this_machine, layout, found):
    real = executable("protoc", says("30.2"), tmp_path / "release/bin")
    proto = tmp_path / "release" / layout / "google/protobuf/descriptor.proto"
    proto.parent.mkdir(parents=True)
    proto.write_text("")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/protoc").symlink_to(real)
    facts = look(this_machine, tmp_path, [tmp_path / "links"])
    assert (winner(facts, "protoc").include is not None) == found
    finding = next(each for each in examine_host(facts) if each.id == "F36")
    assert finding.status == ("pass" if found else "fail")


def test_the_file_of_go_env_is_read_where_go_writes_it(toolchain, tmp_path):
    go = program(toolchain, "go")
    environ = golang.environment(go) | {"HOME": str(tmp_path), "GOENV": ""}
    environ.pop("XDG_CONFIG_HOME", None)
    for setting in ("GOARCH=arm64", "GOBIN=/a folder/bin"):
        proc.run([go, "env", "-w", setting], env=environ, timeout_s=60, cwd=tmp_path)
    said = proc.run([go, "env", "GOENV"], env=environ, timeout_s=60, cwd=tmp_path).stdout.strip()
    system = System.MACOS if os.uname().sysname == "Darwin" else System.LINUX
    file = env_file({"HOME": str(tmp_path)}, system)
    assert str(file) == said
    assert read_env_file(file) == {"GOARCH": "arm64", "GOBIN": "/a folder/bin"}


@pytest.mark.parametrize(
    ("environ", "system", "file"),
    [
        ({"HOME": "/h"}, System.MACOS, "/h/Library/Application Support/go/env"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, System.LINUX, "/x/go/env"),
        ({"HOME": "/h", "GOENV": "/e"}, System.LINUX, "/e"),
        ({"HOME": "/h", "GOENV": "off"}, System.LINUX, None),
        ({}, System.LINUX, None),
    ],
)
def test_where_go_env_writes(environ, system, file):
    assert env_file(environ, system) == (Path(file) if file else None)


def test_leftovers_of_go_env_decide_where_tools_lie(executable, tmp_path, this_machine):
    file = tmp_path / "env"
    file.write_text(f"# a comment\nGOBIN={tmp_path}/leftover\nGOARCH=arm64\nnot a setting\n")
    executable("protoc-gen-go", "echo protoc-gen-go v1.36.12", tmp_path / "leftover")
    facts = look(this_machine, tmp_path, [], environ={"GOENV": str(file)})
    assert facts.go_env_file == str(file)
    assert facts.go_env_written == {"GOBIN": f"{tmp_path}/leftover", "GOARCH": "arm64"}
    assert [tool.place for tool in named(facts, "protoc-gen-go")] == [Place.GOBIN]
    assert render(facts.missing["go_env"], Language.ENGLISH) == "there is no go on PATH"


def test_the_winning_go_is_asked_in_the_users_environment_without_fetching_another(toolchain, tmp_path, this_machine):
    go = program(toolchain, "go")
    environ = {"GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "go1.99.0", "GOENV": "off", "GOCACHE": str(tmp_path / "cache")}
    facts = look(this_machine, tmp_path, [go.parent], environ=environ)
    assert facts.go_env["GOFLAGS"] == "-modcacherw"
    assert facts.environment["GOTOOLCHAIN"] == "go1.99.0"
    found = winner(facts, "go")
    assert found.reported == f"go version go{found.version} {toolchain.platform}"
    assert found.go_version == f"go{found.version}"


def test_a_goroot_that_is_not_there_says_what_go_said(toolchain, tmp_path, this_machine):
    go = program(toolchain, "go")
    facts = look(this_machine, tmp_path, [go.parent], environ={"GOROOT": "/nowhere", "GOENV": "off"})
    assert "GOROOT" in render(facts.missing["go_env"], Language.ENGLISH)
    assert "No such file" in render(facts.missing["goroot_version"], Language.ENGLISH)
    finding = next(each for each in examine_host(facts) if each.id == "F29")
    assert finding.status is Status.FAIL
    assert finding.remedy is not None
    assert finding.remedy.commands == ("unset GOROOT",)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("echo libprotoc 3.21.12", ("3.21.12", None, None)),
        (
            "echo 'protoc-gen-go: no files to generate' >&2; exit 1",
            (None, "exit code 1: protoc-gen-go: no files", None),
        ),
        ("kill -9 $$", (None, "signal 9 (SIGKILL)", 9)),
        ("echo nothing of the kind", (None, "no version in: nothing of the kind", None)),
        ("exec /bin/cat /dev/zero > /dev/null", (None, "no answer within", None)),
        ("printf 'Delve Debugger\\nVersion: 1.24.1\\n'", ("1.24.1", None, None)),
        ("echo go version go1.27rc1 linux/amd64", ("1.27rc1", None, None)),
    ],
    ids=["version", "old plugin", "killed", "other", "hangs", "delve", "release candidate"],
)
def test_answers(executable, monkeypatch, body, expected):
    monkeypatch.setattr(answers, "_TIMEOUT_S", 0.5 if "zero" in body else 5.0)
    answer = answers.ask("protoc", executable("protoc", body))
    version, error, signal = expected
    assert (answer.version, answer.signal) == (version, signal)
    assert (answer.error or "").startswith(error or "")
    assert (answer.error is None) == (error is None)


def test_an_unchanged_tool_is_asked_once_and_a_failing_one_again(executable, tmp_path):
    calls, file = tmp_path / "calls", tmp_path / "kept" / "answers.json"
    good = executable("protoc", f"echo asked >> '{calls}'; {says('30.2')}")
    bad = executable("protoc-gen-go", f"echo asked >> '{calls}'; exit 1")

    def ask_both():
        memory = Memory(file)
        reported = memory.ask("protoc", good).reported, memory.ask("protoc-gen-go", bad).reported
        memory.keep()
        return reported, len(calls.read_text().splitlines())

    assert ask_both() == (("libprotoc 30.2", None), 2)
    assert ask_both() == (("libprotoc 30.2", None), 3)  # the failing one only
    executable("protoc", f"echo asked >> '{calls}'; {says('29.3')} # longer")
    assert ask_both() == (("libprotoc 29.3", None), 5)
    file.write_text("{ damaged")
    assert ask_both() == (("libprotoc 29.3", None), 7)


def test_a_memory_that_cannot_be_written_costs_nothing_but_time(executable, tmp_path):
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file" / "answers.json")
    assert memory.ask("protoc", executable("protoc", says("30.2"))).version == "30.2"
    memory.keep()


@pytest.mark.parametrize("flip", [False, True], ids=["as built", "altered"])
def test_a_mach_o_programs_bytes_tell_of_it(facts, tmp_path, this_machine, flip):
    built = next(each for each in facts.servers if each.platform == "darwin/arm64")
    target = tmp_path / "bin/protoc-gen-go"
    target.parent.mkdir()
    content = bytearray(Path(built.path).read_bytes())
    content[len(content) // 2] ^= flip
    target.write_bytes(content)
    (found,) = named(look(this_machine, tmp_path, [target.parent], pages=True), "protoc-gen-go")
    assert (found.format, found.architectures) == (Format.MACHO, ("arm64",))
    assert (found.signature, found.bad_pages, found.has_uuid) == (SignatureKind.LINKER, int(flip), True)
    assert found.go_version == f"go{facts.toolchain.tools[0].version}"


def test_every_field_that_was_not_obtained_says_why(toolchain, executable, tmp_path, this_machine):
    executable("protoc", "exit 3", tmp_path / "a")
    found = look(this_machine, tmp_path, [program(toolchain, "protoc-gen-go").parent, tmp_path / "a"])
    fields = (
        "signature",
        "bad_pages",
        "has_uuid",
        "quarantined",
        "reported",
        "version",
        "go_version",
        "module",
        "include",
    )
    for tool in found.tools:
        for field in fields:
            if getattr(tool, field) is None:
                assert not render(tool.missing[field], Language.CHINESE).startswith("host."), field
    plugin = winner(found, "protoc-gen-go")
    pinned = next(each for each in toolchain.tools if each.name == "protoc-gen-go").pinned_version
    assert (plugin.version, plugin.module) == (pinned, f"google.golang.org/protobuf@v{pinned}")


def test_nothing_is_changed_by_looking(toolchain, executable, tmp_path, this_machine):
    executable("protoc", says("30.2"), tmp_path / "bin")
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    look(this_machine, tmp_path, [tmp_path / "bin"], project=tmp_path)
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before


# A project's files


GO_MOD = """module example.com/m

go 1.22.0

toolchain go1.23.1

require google.golang.org/grpc v1.60.1 // indirect? no

require (
\tgoogle.golang.org/protobuf v1.36.12
\tgithub.com/golang/protobuf v1.5.4 // indirect
)

replace google.golang.org/grpc => ../grpc

exclude google.golang.org/grpc v1.99.0
"""


def test_a_project_is_read(tmp_path):
    (tmp_path / "go.mod").write_text(GO_MOD)
    (tmp_path / "Makefile").write_text("all:\n\tprotoc --go_out=plugins=grpc:. x.proto\n\techo unrelated\n")
    (tmp_path / "api").mkdir()
    (tmp_path / "api/x.proto").write_text(
        'syntax = "proto3";\n// option go_package = "no";\noption go_package = "a.b/c";\n'
    )
    (tmp_path / "api/x.pb.go").write_text(
        "// Code generated by protoc-gen-go. DO NOT EDIT.\n// versions:\n// \tprotoc-gen-go v1.36.12\n"
        "// \tprotoc        v6.30.2\n// source: api/x.proto\n"
    )
    (tmp_path / "api/x_grpc.pb.go").write_text(
        "// versions:\n// - protoc-gen-go-grpc v1.6.2\n// - protoc             v6.30.2\n// source: api/x.proto\n"
    )
    found = read_project(tmp_path)
    assert (found.go_version, found.toolchain) == ("1.22.0", "go1.23.1")
    assert found.requires == {
        "google.golang.org/grpc": "v1.60.1",
        "google.golang.org/protobuf": "v1.36.12",
        "github.com/golang/protobuf": "v1.5.4",
    }
    assert [(line.file, line.number) for line in found.lines] == [("Makefile", 2)]
    assert [(each.path, each.go_package) for each in found.protos] == [("api/x.proto", "a.b/c")]
    heads = {each.path: (each.source, dict(each.made_by)) for each in found.generated}
    assert heads == {
        "api/x.pb.go": ("api/x.proto", {"protoc-gen-go": "v1.36.12", "protoc": "v6.30.2"}),
        "api/x_grpc.pb.go": ("api/x.proto", {"protoc-gen-go-grpc": "v1.6.2", "protoc": "v6.30.2"}),
    }


def test_what_labkit_itself_generates_is_read_as_generated(facts):
    heads = read_project(facts.generated_folder).generated if facts.generated else ()
    pins = {tool.name: f"v{tool.pinned_version}" for tool in facts.toolchain.tools}
    assert {head.path for head in heads} == {"helloworld.pb.go", "helloworld_grpc.pb.go"}
    for head in heads:
        assert head.source == "helloworld.proto"
        assert all(version == pins[name] for name, version in head.made_by.items() if name != "protoc")
        assert head.made_by["protoc"].endswith(pins["protoc"].removeprefix("v"))


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ('option go_package = "a.b/c";', "a.b/c"),
        ('option go_package="https://x";', "https://x"),
        ('/*\noption go_package = "no";\n*/', None),
        ('syntax = "proto3";', None),
    ],
)
def test_go_package(text, package):
    assert go_package(text) == package


def test_no_project_at_all(tmp_path):
    found = read_project(tmp_path / "nowhere")
    assert (found.go_mod, found.lines, found.protos, found.requires) == (None, (), (), requires(""))


# The store


def test_the_store_is_looked_up_and_never_filled(toolchain, empty_store):
    assert in_store("current", toolchain.platform) is None or toolchain.tools[0].origin == "host"
    assert not list((empty_store / "store").rglob("recipe.json"))


def test_looking_into_the_store_never_makes_anything(tmp_path):
    made = []
    with pytest.raises(StoreError):
        Looking(tmp_path).obtain("protoc", {"version": "1"}, made.append)
    assert made == []
    assert list(tmp_path.iterdir()) == []


def test_what_the_store_holds_is_found(toolchain):
    folders = in_store("current", toolchain.platform)
    assert folders is not None
    assert [str(folder) for folder in folders] == [str(Path(tool.path).parent) for tool in toolchain.tools]


# Macs, replayed: their identity from published transcripts, their tools as small executables


MACS = {
    "m1": (["m1.sysctl", "m1-brand.sysctl"], None),
    "m1-pro": (["m1-pro.sysctl"], "m1-pro.system_profiler"),
    "m2": (["m1.sysctl", "m2-differences.sysctl"], None),
    "m3-pro": (["m3-pro.sysctl"], None),
    "m4-pro": (["m4-pro.sysctl"], None),
}


def replay(home, transcripts, profiler=None, *, native=None, **view):
    """Lay a Mac below a folder, and return who it is."""
    root = home / "root"
    sysctl = "\n".join(captured(name) for name in transcripts)
    lay(root, "usr/sbin/sysctl", ("*", sysctl, "", 0))
    lay(root, "usr/bin/sw_vers", ("*", SW_VERS, "", 0))
    if profiler:
        lay(root, "usr/sbin/system_profiler", ("*", captured(profiler), "", 0))
    if native:
        lay(root, "usr/bin/arch", ("*", "\n".join(captured(name) for name in native), "", 0))
    return macos.read(mac(**view), tools=root)


def furnish(home, *, xattr=None, xcode=None, clang=None, brew=("opt/homebrew",)):
    """Lay Apple's tools, Homebrew and a whole set of tools that are right."""
    root = home / "root"
    folder = "/Library/Developer/CommandLineTools"
    (root / folder.lstrip("/")).mkdir(parents=True)
    lay(root, "usr/bin/xcode-select", xcode or ("-p", f"{folder}\n", "", 0))
    lay(
        root,
        "usr/bin/xcrun",
        ("'--find clang'", f"{folder}/usr/bin/clang\n", "", 0),
        clang or ("'clang --version'", "Apple clang version 15.0.0 (clang-1500.1.0.2.5)\n", "", 0),
    )
    program = root / "usr/bin/xattr"
    # https://github.com/keepassxreboot/keepassxc/issues/4934, https://github.com/buckets/application/issues/1116
    program.write_text(
        '#!/bin/sh\nshift 2\nfor file do case "$file" in\n'
        f'{xattr or "/none"}) echo "$file: 01c3;6a42b8fb;Safari;555C0BCE-2B7C-401F-A783-29021AAB0615";;\n'
        '*) echo "xattr: $file: No such xattr: com.apple.quarantine" >&2;; esac; done\nexit 1\n'
    )
    program.chmod(0o755)
    for prefix in brew:
        lay(root, f"{prefix}/bin/brew", ("*", "", "", 0))
    tools = root / "opt/homebrew/bin"
    lay(tools, "go", GO_VERSION, ("'env -json'*", GO_ENV, "", 0))
    lay(tools, "protoc", ("--version", "libprotoc 30.2\n", "", 0))
    lay(tools, "protoc-gen-go", ("--version", "protoc-gen-go v1.36.12\n", "", 0))
    lay(tools, "protoc-gen-go-grpc", ("--version", "protoc-gen-go-grpc 1.6.2\n", "", 0))
    include = tools.parent / "include/google/protobuf/descriptor.proto"
    include.parent.mkdir(parents=True)
    include.write_text("")
    return tools


def failed(facts):
    return {finding.id for finding in examine_host(facts) if finding.status is Status.FAIL}


@pytest.mark.parametrize("name", MACS)
def test_a_mac_that_is_right_passes_end_to_end(tmp_path, name):
    machine = replay(tmp_path, *MACS[name])
    facts = look(machine, tmp_path, [furnish(tmp_path)])
    assert (facts.machine.system, facts.machine.architecture) == (System.MACOS, Architecture.ARM64)
    assert failed(facts) == set()
    assert facts.developer_folder == "/Library/Developer/CommandLineTools"
    assert facts.clang_path == "/Library/Developer/CommandLineTools/usr/bin/clang"
    assert facts.homebrew_prefixes == ("/opt/homebrew",)
    assert facts.go_env["GOHOSTARCH"] == "arm64"
    assert {tool.place for tool in facts.tools} == {Place.HOMEBREW_ARM}
    assert {tool.quarantined for tool in facts.tools} == {False}
    answered = {finding.id for finding in examine_host(facts) if finding.status is Status.PASS}
    assert {"F01", "F04", "F10", "F23", "F24", "F25", "F26", "F27", "F28", "F36"} <= answered


def test_a_rosetta_shell_is_told_from_a_native_one(tmp_path):
    machine = replay(
        tmp_path, ["m1-rosetta.sysctl"], native=["m1.sysctl", "m1-brand.sysctl"], machine="x86_64", translated=True
    )
    assert machine.translation is Translation.ROSETTA
    tools = furnish(tmp_path, brew=("opt/homebrew", "usr/local"))
    go = lay(
        tmp_path / "root/usr/local",
        "bin/go",
        ("version", "go version go1.20.14 darwin/amd64\n", "", 0),
        ("*", "{}", "", 0),
    )
    facts = look(machine, tmp_path, [go.parent, tools])
    assert {"F23", "F25"} <= failed(facts)
    assert winner(facts, "go").shadows == (str(tools / "go"),)


@pytest.mark.parametrize(
    ("furnished", "fails"),
    [
        # the text: https://github.com/sunnyyoung/WeChatTweak/issues/232
        ({"xcode": ("-p", "/Applications/Xcode.app/Contents/Developer\n", "", 0)}, {"F26"}),
        ({"xcode": ("-p", "", "xcode-select: error: unable to get active developer directory\n", 2)}, {"F26"}),
        # https://github.com/bazelbuild/continuous-integration/issues/842
        (
            {
                "clang": (
                    "'clang --version'",
                    "",
                    LICENCE,
                    69,
                )
            },
            {"F27"},
        ),
        ({"xattr": "*/protoc"}, {"F10"}),
        ({"brew": ("usr/local",)}, {"F24", "F25"}),
    ],
    ids=["developer folder gone", "no developer folder", "licence", "quarantine", "homebrew for Intel"],
)
def test_a_broken_mac_is_diagnosed_end_to_end(tmp_path, furnished, fails):
    machine = replay(tmp_path, *MACS["m2"])
    facts = look(machine, tmp_path, [furnish(tmp_path, **furnished)])
    assert failed(facts) == fails
    for finding in examine_host(facts):
        if finding.id in fails:
            assert finding.confirmed_on_hardware is False
            assert finding.remedy is not None


def test_a_quarantined_program_is_not_started(tmp_path):
    machine = replay(tmp_path, *MACS["m1"])
    tools = furnish(tmp_path, xattr="*/protoc")
    (tools / "protoc").write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\n")
    facts = look(machine, tmp_path, [tools])
    assert winner(facts, "protoc").quarantined is True
    assert not (tmp_path / "started").exists()
    assert {tool.name for tool in facts.tools if tool.quarantined} == {"protoc"}


@pytest.mark.parametrize(("platform", "id_"), [("darwin/amd64", "F01"), ("linux/arm64", "F04")])
def test_a_mac_with_another_systems_protoc(facts, tmp_path, platform, id_):
    built = next(each for each in facts.servers if each.platform == platform)
    machine = replay(tmp_path, *MACS["m3-pro"])
    tools = furnish(tmp_path)
    shutil.copy(built.path, tools / "protoc")
    found = look(machine, tmp_path, [tools])
    assert id_ in failed(found)


def test_without_apples_tools_each_says_so(tmp_path):
    facts = look(made_up.machine(), tmp_path, [])
    assert (facts.developer_folder, facts.tools) == (None, ())
    assert render(facts.missing["developer_folder"], Language.ENGLISH) == "xcode-select said: absent"


def test_translators_are_those_that_the_kernel_knows(tmp_path):
    folder = tmp_path / "root/proc/sys/fs/binfmt_misc"
    folder.mkdir(parents=True)
    for name in ("register", "status", "qemu-aarch64", "python3.11", "rosetta"):
        (folder / name).write_text("")
    assert look(made_up.machine("linux", "12"), tmp_path, []).translators == ("qemu-aarch64", "rosetta")


def test_a_program_whose_loader_is_not_there_says_which(tmp_path, this_machine):
    if this_machine.system is not System.LINUX:
        pytest.skip("impossible here: needs an ELF program of this machine")
    shutil.copy("/bin/sh", tmp_path / "protoc")
    (found,) = named(look(this_machine, tmp_path, [tmp_path]), "protoc")  # below the root of this test lies no loader
    assert found.missing_interpreter is not None
    assert found.missing_interpreter.startswith("/lib")
    finding = next(each for each in examine_host(look(this_machine, tmp_path, [tmp_path])) if each.id == "F09")
    assert finding.status is Status.FAIL


def test_a_projects_folders_are_looked_at_only_so_far(tmp_path):
    for folder in ("a/b/c/d", "a/b/c/d/e", "vendor", ".git", "a/b/c/z"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.proto").write_text("")
    for number in range(300):
        (tmp_path / f"a/b/c/z/{number}.proto").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path)
    found = [each.path for each in read_project(tmp_path).protos]
    assert "a/b/c/d/x.proto" in found
    assert "a/b/c/d/e/x.proto" not in found
    assert not [path for path in found if path.startswith(("vendor", ".git", "loop"))]
    assert len(found) == 200
