"""The go.mod and go.sum of a set for labkit's own programs: kept beside them, or derived for a user's set."""

import shutil
from pathlib import Path

import msgspec
import pytest

from labkit import bench, codegen
from labkit.bench.suites import suite
from labkit.codegen import PROTO, PROTO_FOLDER, build_server, call_server
from labkit.codegen.helloworld import MODULE as HELLO
from labkit.errors import BuildError, NetworkError, ProvisionError
from labkit.facts import Facts
from labkit.gobuild import build_own, files_of, module_files
from labkit.model.toolchain import RuntimeModule
from labkit.system import store
from labkit.toolchain import golang, pins, program

SETS = ("current", "handbook")
PROGRAMS = {"hello": (HELLO, PROTO_FOLDER, PROTO), "kernels": (bench.MODULE, bench.PROTO_FOLDER, bench.PROTO)}
#: Runtime modules that no set of labkit has; the sums are those of Go's checksum database.
OTHER = (
    RuntimeModule(
        module="google.golang.org/protobuf",
        version="v1.34.1",
        sum="h1:9ddQBjfCyZPOHPUiPxpYESBLc+T8P3E+Vo4IbKZgFWg=",
    ),
    RuntimeModule(
        module="google.golang.org/grpc", version="v1.64.1", sum="h1:LKtvyfbX3UGVPFcGqJ9ItpVWW6oN/2XqTxfAnwRRXiA="
    ),
)


@pytest.fixture(scope="module")
def sets():
    return {name: Facts(name) for name in SETS}


@pytest.fixture(scope="module")
def handbook(sets):
    return sets["handbook"].toolchain


def with_modules(toolchain, *modules):
    return msgspec.structs.replace(toolchain, name="mine", modules=modules)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("which", PROGRAMS)
def test_the_files_that_are_kept_require_the_sets_runtime_and_are_tidy(sets, tmp_path, which, name):
    toolchain = sets[name].toolchain
    module, folder, proto = PROGRAMS[which]
    files = module_files(toolchain, module, lambda: files_of(module))
    copy = tmp_path / which
    shutil.copytree(module, copy)
    codegen.generate(toolchain, [proto], proto_path=folder, out=tmp_path / "made")
    shutil.copytree(tmp_path / "made", copy / "pb", dirs_exist_ok=True)
    for file_name, file in files.items():
        assert module.parent in file.parents
        shutil.copy(file, copy / file_name)
    for pinned in toolchain.modules:
        assert f"{pinned.module} {pinned.version}\n" in files["go.mod"].read_text()
        assert f"{pinned.module} {pinned.version} {pinned.sum}\n" in files["go.sum"].read_text()
    go = program(toolchain, "go")
    golang.run(go, "mod", "tidy", cwd=copy)
    for file_name, file in files.items():
        assert (copy / file_name).read_text() == file.read_text()
    golang.run(go, "vet", "./...", cwd=copy)
    golang.run(go, "mod", "verify", cwd=copy)


@pytest.mark.parametrize("name", SETS)
def test_every_kernel_runs_with_each_set_on_the_same_input(sets, name):
    facts = sets[name]
    samples = facts.measure(bench.Plan(processes=5, slices=3, slice_time_ms=2))
    assert tuple(sample.kernel for sample in samples) == suite("quick")
    assert {sample.payload_bytes for sample in samples} == {37, 8791, 16384, 32768}
    version = next(tool.version for tool in facts.toolchain.tools if tool.name == "go")
    assert {sample.go_version for sample in samples} == {f"go{version}"}
    stamps = {tool: made for file in facts.kernels_generated.files for tool, made in file.made_by.items()}
    assert stamps["protoc-gen-go"] == pins.named(name).plugins[0].version


def test_a_users_set_with_other_runtime_modules_works_and_then_without_a_network(
    sets, empty_store, tmp_path, monkeypatch
):
    facts = sets["handbook"]
    mine = with_modules(facts.toolchain, *OTHER)
    code = {f"pb/{file.path}": facts.generated_folder / file.path for file in facts.generated.files}
    files = module_files(mine, HELLO, lambda: files_of(HELLO) | code)
    text = files["go.mod"].read_text()
    assert [line for line in text.splitlines() if "v1.34.1" in line or "v1.64.1" in line]
    assert "\ngo 1.21" in text
    copy = tmp_path / "hello"
    for path, file in (files_of(HELLO) | code | files).items():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy / path)
    golang.run(program(mine, "go"), "mod", "tidy", cwd=copy)
    assert (copy / "go.mod").read_text() == text
    assert (copy / "go.sum").read_text() == files["go.sum"].read_text()
    (entry,) = [each for each in (empty_store / "store").iterdir() if each.name.startswith("module-hello-")]
    assert files["go.sum"].parent == entry
    monkeypatch.setenv("GOPROXY", "off")
    golang._network_settings.cache_clear()
    try:
        assert module_files(mine, HELLO, lambda: files_of(HELLO) | code) == files
        served = call_server(build_server(mine, facts.generated, facts.generated_folder))
    finally:
        golang._network_settings.cache_clear()
    assert served.reply == "Hello, labkit!"


def test_the_worker_of_a_users_set_has_its_modules_and_the_kept_gonum(sets, empty_store):
    facts = sets["handbook"]
    mine = with_modules(facts.toolchain, *OTHER)
    folder = facts._kernels_folder
    code = {f"pb/{file.path}": folder / file.path for file in facts.kernels_generated.files}
    built = build_own(mine, bench.MODULE, bench.PACKAGE, name="worker", generated=code, platform=None)
    listed = golang.run(program(mine, "go"), "version", "-m", built.path, cwd=Path("/")).stdout
    for module in (*((each.module, each.version) for each in OTHER), ("gonum.org/v1/gonum", "v0.15.0")):
        assert "\t".join(module) in listed


def test_a_runtime_that_the_sets_go_cannot_compile_is_refused(handbook, sets, empty_store):
    mine = with_modules(handbook, *sets["current"].toolchain.modules)
    with pytest.raises(BuildError, match=r"requires go >= 1\.26.*running go 1\.21\.13") as caught:
        module_files(mine, HELLO, lambda: files_of(HELLO))
    assert "the set mine" in caught.value.what
    assert "labkit setup --for" in caught.value.remedy
    assert not list((empty_store / "store").glob("module-*"))


def test_runtime_modules_that_exclude_each_other_are_refused(handbook, empty_store):
    old = msgspec.structs.replace(OTHER[0], version="v1.30.0")
    with pytest.raises(BuildError, match=r"requires google\.golang\.org/protobuf@v1\.3\d"):
        module_files(with_modules(handbook, old, OTHER[1]), HELLO, lambda: files_of(HELLO))


def test_a_runtime_module_that_is_not_the_pinned_one_is_refused(sets, empty_store):
    facts = sets["handbook"]
    code = {f"pb/{file.path}": facts.generated_folder / file.path for file in facts.generated.files}
    bad = msgspec.structs.replace(OTHER[1], sum="h1:" + "A" * 43 + "=")
    with pytest.raises(ProvisionError, match=r"grpc@v1\.64\.1 does not have the sum that the set mine pins"):
        module_files(with_modules(facts.toolchain, OTHER[0], bad), HELLO, lambda: files_of(HELLO) | code)
    assert not list((empty_store / "store").glob("module-*"))


def test_without_a_network_it_says_what_to_do(handbook, tmp_path, monkeypatch):
    # No module cache either, so that nothing is there; Go itself comes from the warm store.
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "nothing"))
    monkeypatch.setenv("GOPROXY", "off")
    golang._network_settings.cache_clear()
    try:
        with pytest.raises(NetworkError, match=r"the go\.mod of labkit\.dev/hello for the set mine must be") as caught:
            module_files(with_modules(handbook, *OTHER), HELLO, lambda: files_of(HELLO))
    finally:
        golang._network_settings.cache_clear()
    assert "run it once with a network" in caught.value.remedy
    assert not list(store.Store().root.glob("module-*"))
