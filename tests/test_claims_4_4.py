"""Chapter 4.4: each verdict turns when something real is changed: dlv, its sources, a binary, Go, a generator."""

import platform
import shutil
import sys
import textwrap
from pathlib import Path

import msgspec
import pytest

from labkit import codegen, gobuild
from labkit.claims import ClaimFacts, delves, older_protocs, trying
from labkit.claims.checks import chapter_4_4_facts as shared
from labkit.codegen.generators.pinned import pinned
from labkit.debugging import debugger
from labkit.model.claims import ClaimVerdict
from labkit.model.machine import Architecture
from tests.claims_support import result, sentences, turned
from tests.support import need

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict
ON_AMD64 = platform.machine() in {"x86_64", "AMD64"}


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture(scope="module")
def dlv(facts):
    return debugger(facts).path


@pytest.fixture
def python(executable):
    """Return a function that makes a small Python program."""

    def make(name, text):
        path = executable(name, "")
        path.write_text(f"#!{sys.executable}\n{textwrap.dedent(text)}")
        return path

    return make


@pytest.fixture
def plugin(plain, python):
    """Return a function that makes a set's plugin with something done to its answer: an expression of it."""

    def make(name, changed, set_name="current"):
        real = trying.tool_of_set(plain, name, set_name)
        return python(
            name,
            f"""
            import subprocess, sys
            asked = sys.stdin.buffer.read()
            done = subprocess.run([{str(real)!r}], input=asked, capture_output=True)
            answer = done.stdout
            sys.stdout.buffer.write({changed})
            """,
        )

    return make


def test_4_4_01_a_server_without_debug_information(plain):
    generated = codegen.generated_code(plain.lab.generated, plain.lab.generated_folder)
    stripped = gobuild.build_own(
        plain.lab.toolchain,
        codegen.MODULE,
        ".",
        name="hello-stripped",
        generated=generated,
        platform=None,
        options=gobuild.Options(ldflags="-s -w"),
    )
    after = turned("4.4.01", plain, CONFIRMED, REFUTED, own_tools={"debug:server": Path(stripped.path)})
    assert after.parts[0].evidence


def test_4_4_02_a_dlv_that_serves_nobody(plain, executable, dlv):
    deaf = executable("dlv", f'case " $* " in *" --headless "*) echo no; exit 1;; esac; exec {dlv} "$@"')
    turned("4.4.02", plain, CONFIRMED, REFUTED, own_tools={"current:dlv": deaf})
    after = turned("4.4.13", plain, CONFIRMED, REFUTED, own_tools={"current:dlv": deaf})
    assert "no" in sentences(after)


def test_4_4_03_a_dlv_that_minds_the_variable(plain, python, dlv):
    names = ["Rip", "Rsp"]
    minding = python(
        "dlv",
        f"""
        import json, os, socket, sys
        if sys.argv[1] == "dap":
            os.execv({str(dlv)!r}, [{str(dlv)!r}, *sys.argv[1:]])
        arm = [f"X{{n}}" for n in range(31)] + ["SP", "PC"]
        names = arm if os.environ.get("GOARCH") == "arm64" else {names!r}
        answers = {{
            "GetVersion": {{"DelveVersion": "Version: 9", "APIVersion": 2}},
            "CreateBreakpoint": {{"Breakpoint": {{"file": "main.go", "line": 3}}}},
            "Command": {{"State": {{"currentThread": {{"function": {{"name": "main.main"}}}}}}}},
            "ListRegisters": {{"Regs": [{{"Name": name}} for name in names]}},
            "Detach": {{}},
        }}
        with socket.create_server(("127.0.0.1", 0)) as server:
            print("API server listening at: 127.0.0.1:%d" % server.getsockname()[1], flush=True)
            connection, _ = server.accept()
            with connection, connection.makefile("rwb") as lines:
                for line in lines:
                    asked = json.loads(line)
                    answer = {{"id": asked["id"], "result": answers[asked["method"].split(".")[1]], "error": None}}
                    lines.write(json.dumps(answer).encode() + b"\\n")
                    lines.flush()
        """,
    )
    kept = {"debug-launch": plain.get(shared.launched)}  # its way is dlv's own adapter, which is the real one
    after = turned("4.4.03", plain, REFUTED, CONDITIONAL, own_tools={"current:dlv": minding}, own_facts=kept)
    assert len(after.parts[0].condition.holds) == 2


def test_4_4_04_a_tree_that_has_the_file(plain, tmp_path):
    trees = {}
    for pin in delves.pinned()[1:]:
        root = tmp_path / pin.version
        shutil.copytree(delves.source(plain, pin) / "pkg/dwarf", root / "pkg/dwarf")
        (root / "pkg/dwarf/regnum/arm64.go").rename(root / "pkg/dwarf/regnum/regnum_arm64.go")
        trees[f"source:dlv:{pin.version}"] = root
    after = turned("4.4.04", plain, REFUTED, CONFIRMED, own_tools=trees)
    assert "regnum_arm64.go" in sentences(after)


def test_4_4_12_a_tree_that_has_the_calls(plain, tmp_path):
    newest = delves.pinned()[-1]
    shutil.copytree(delves.source(plain, newest) / "pkg/proc/native", tmp_path / "pkg/proc/native")
    (tmp_path / "pkg/proc/native/arch.go").write_text("func f() {\n\tarch.Registers()\n}\n")
    only_one = {f"source:dlv:{newest.version}": tmp_path}
    assert result("4.4.12", ClaimFacts(plain.lab, own_tools=only_one)).parts[0].verdict is REFUTED
    (tmp_path / "pkg/proc/native/arm64.go").write_text("func g() {\n\treturn arm64.Registers()\n}\n")
    after = turned("4.4.12", plain, REFUTED, CONFIRMED, own_tools=only_one)
    assert "arch.go:2" in sentences(after)


@pytest.mark.skipif(not ON_AMD64, reason="an arm64 machine has them itself")
def test_4_4_05_on_another_machine_its_own_registers(plain):
    need("qemu-aarch64")
    here = msgspec.structs.replace(plain.machine, architecture=Architecture.ARM64)
    after = turned("4.4.05", plain, CONFIRMED, REFUTED, own_machine=here)
    assert "rip" in sentences(after)
    before = result("4.4.05", plain)
    assert not before.parts[0].confirmed_on_hardware


def test_4_4_05_without_qemu_it_is_untested(plain):
    if not ON_AMD64:
        pytest.skip("an arm64 machine needs no qemu")
    turned("4.4.05", plain, CONFIRMED, UNTESTED, own_tools={"qemu-aarch64": None})


def test_4_4_06_a_go_that_tests_the_whole_package(plain, executable):
    lenient = executable(
        "go",
        "unset GOARCH; for each do shift; "
        'case "$each" in ./main.go) set -- "$@" .;; *) set -- "$@" "$each";; esac; done\n'
        f'exec {plain.go()} "$@"',
    )
    newest = plain.go_versions()[-1]
    turned("4.4.06", plain, REFUTED, CONFIRMED, own_gos={newest: lenient})


def test_4_4_07_plugins_that_take_anything(plain, executable):
    lenient = executable("protoc-gen-go-grpc", "exit 0")
    tools = {f"{name}:protoc-gen-go-grpc": lenient for name in ("handbook", "current")}
    inlined = {"stubs-inlined": plain.get(_inlined())}
    turned("4.4.07", plain, REFUTED, CONFIRMED, own_tools=tools, own_facts=inlined)


def _inlined():
    from labkit.claims.checks.chapter_4_4_compiled import inlined

    return inlined


def test_4_4_07_a_plugin_whose_option_forbids_to_inline(plain, plugin):
    # as many bytes are taken from a comment as the directive has, so that the answer's lengths stay right
    changed = (
        'answer.replace(b"// This is a compile-time assertion", b"//pile-time assertion")'
        '.replace(b"func NewGreeterClient", b"//go:noinline\\nfunc NewGreeterClient")'
        ' if b"unimplemented_servers=false" in asked else answer'
    )
    own = plugin("protoc-gen-go-grpc", changed)
    after = turned("4.4.07", plain, REFUTED, CONFIRMED, part="b", own_tools={"current:protoc-gen-go-grpc": own})
    assert "NewGreeterClient" in sentences(after, "b")


def test_4_4_08_a_generator_that_hides_the_file_otherwise(plain, plugin):
    changed = 'answer if b"source_relative" in asked else answer.replace(b"// versions:", b"//line a.c:9")'
    own = plugin("protoc-gen-go", changed)
    turned("4.4.08", plain, REFUTED, CONFIRMED, own_tools={"current:protoc-gen-go": own})


def test_4_4_09_a_plugin_that_makes_one_more(plain, plugin):
    # field 15 of the answer is a file; its own 1 and 15 are its name and text (plugin.proto)
    file = b"\x0a\x0a" + b"a.pb.gw.go" + b"\x7a\x01x"
    one_more = bytes([0x7A, len(file)]) + file
    own = plugin("protoc-gen-go", f"answer + {one_more!r}")
    turned("4.4.09", plain, REFUTED, CONFIRMED, own_tools={"current:protoc-gen-go": own})


def test_4_4_10_older_protocs_that_know_no_plugin(plain, executable):
    old = executable("protoc", "echo Unknown flag: --go-grpc_out; exit 1")
    pins = [each for each in older_protocs.pinned() if int(each.version.split(".")[0]) < 24]
    turned("4.4.10", plain, REFUTED, CONFIRMED, own_tools={f"run:protoc:{pin.version}": old for pin in pins})


def test_4_4_11_older_generators_that_refuse(plain, executable):
    old = executable("protoc-gen-go", "exit 1")
    tools = {f"generator:{pin.tool.version}": old for pin in pinned()}
    turned("4.4.11", plain, REFUTED, CONFIRMED, own_tools=tools)
