"""Sets side by side: the handbook's beside the current one, and a user's own."""

import base64
import hashlib
import zipfile
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from labkit import binary
from labkit.cli.app import application
from labkit.doctor.build_rules import BuildUuid
from labkit.doctor.subjects import BuildSubject
from labkit.errors import ProvisionError, UsageError
from labkit.facts import Facts
from labkit.model.binary import Format, SignatureKind
from labkit.model.check import Status
from labkit.model.toolchain import ToolOrigin
from labkit.system import store
from labkit.system.store import Store
from labkit.toolchain import find, golang, goroot, pins, program, provision
from labkit.words import render

SETS = ("current", "handbook")
HANDBOOK = {"go": "1.21.13", "protoc": "24.3", "protoc-gen-go": "1.32.0", "protoc-gen-go-grpc": "1.3.0"}


@pytest.fixture(scope="module")
def sets():
    """Facts of each of labkit's sets (the handbook's takes a minute the first time on a machine)."""
    return {name: Facts(name) for name in SETS}


def test_the_handbooks_set_is_what_the_handbook_names(sets):
    tools = sets["handbook"].toolchain.tools
    assert {tool.name: tool.version for tool in tools} == HANDBOOK
    assert [tool.problem for tool in tools] == [None] * 4


@pytest.mark.parametrize("name", SETS)
def test_the_service_is_generated_built_and_called_with_each_set(sets, name):
    facts = sets[name]
    stamps = {tool: version for file in facts.generated.files for tool, version in file.made_by.items()}
    assert stamps["protoc-gen-go"] == find(facts.toolchain, "protoc-gen-go").pinned_version
    assert facts.served.reply == "Hello, labkit!"


@pytest.mark.parametrize("name", SETS)
def test_the_service_is_built_for_apple_silicon_with_each_set(sets, name):
    facts = sets[name]
    built = facts.server_for("darwin/arm64")
    read = binary.inspect(Path(built.path))
    (piece,) = read.slices
    assert (read.format, piece.architecture) == (Format.MACHO, "arm64")
    assert piece.signature.kind is SignatureKind.LINKER
    assert piece.signature.bad_pages == 0
    assert read.go is not None
    assert read.go.version == f"go{find(facts.toolchain, 'go').pinned_version}"
    assert (piece.uuid is not None) is (name == "current")  # Go 1.21 writes no LC_UUID


@pytest.mark.parametrize(
    ("name", "platform", "status"),
    [
        ("current", "darwin/arm64", Status.PASS),
        ("handbook", "darwin/arm64", Status.FAIL),
        ("handbook", "linux/amd64", Status.SKIP),
    ],
    ids=["a newer Go", "Go 1.21", "Linux"],
)
def test_a_set_whose_go_writes_no_uuid_is_a_finding(sets, name, platform, status):
    built = sets[name].server_for(platform)
    finding = BuildUuid().check(BuildSubject(built=built, binary=binary.inspect(Path(built.path))))
    assert finding.status is status
    assert (finding.remedy is not None) is (status is Status.FAIL)
    assert render(finding.title)


def test_the_sets_do_not_share_a_digest_and_optional_tools_count_only_when_chosen():
    current = pins.named("current")
    plain = store.digest(pins.set_recipe(current))
    assert plain != store.digest(pins.set_recipe(pins.named("handbook")))
    assert plain != store.digest(pins.set_recipe(current, pins.choose_optional(current, ["gopls"])))
    assert plain == store.digest(pins.set_recipe(msgspec.structs.replace(current, optional=())))


@pytest.mark.parametrize("name", SETS)
def test_each_set_offers_dlv_and_gopls_and_no_other(name):
    wanted = pins.named(name)
    assert [pin.name for pin in pins.choose_optional(wanted, ["gopls", "dlv"])] == ["dlv", "gopls"]
    with pytest.raises(UsageError, match="no optional tool named 'delve'") as caught:
        pins.choose_optional(wanted, ["delve"])
    assert "dlv, gopls" in caught.value.remedy


@pytest.fixture
def own_set(tmp_path, spaced_home):
    """The TOML of a user's set, as the current one but for its name."""
    (spaced_home / "sets").mkdir()
    text = Path("labkit/toolchain/sets/current.toml").read_text().replace('name = "current"', 'name = "mine"', 1)
    path = tmp_path / "my sets" / "my.toml"
    path.parent.mkdir()
    path.write_text(text)
    return path


def test_a_users_own_set_is_provisioned_by_its_file_then_known_by_its_name(own_set, toolchain):
    mine = provision(str(own_set), toolchain.platform)
    assert mine.name == "mine"
    assert mine.digest != toolchain.digest
    assert [Path(tool.path).name for tool in mine.tools] == [Path(tool.path).name for tool in toolchain.tools]
    own_set.unlink()
    assert provision("mine", toolchain.platform) == mine
    assert pins.remembered() == ("mine",)
    assert pins.forget("mine")
    assert not pins.forget("mine")
    with pytest.raises(UsageError, match="no toolchain named 'mine'"):
        pins.named("mine")


def test_what_was_kept_of_a_set_and_is_damaged_says_what_to_do(own_set, spaced_home):
    (spaced_home / "sets/mine.json").write_text("{")
    with pytest.raises(ProvisionError, match="what was kept of the set mine") as caught:
        pins.named("mine")
    assert "--toolchain mine.toml" in caught.value.remedy


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ('name = "mine"', 'name = "current"', UsageError, "a set of labkit's own"),
        ('name = "mine"', 'name = "../mine"', ProvisionError, "name"),
        ("[protoc.wheels]\n", "[protoc.others]\n", ProvisionError, "others"),
        ("sum = ", "summe = ", ProvisionError, "sum"),
    ],
    ids=["a shipped name", "a path as a name", "an unknown table", "a module without a sum"],
)
def test_a_users_set_that_is_not_right_is_refused(own_set, old, new, error, words):
    text = own_set.read_text()
    assert old in text
    own_set.write_text(text.replace(old, new, 1))
    with pytest.raises(error, match=words):
        pins.named(str(own_set))


def test_a_tool_without_a_hash_for_any_platform_is_refused(own_set):
    lines = own_set.read_text().splitlines()
    start = lines.index("[go.wheels]")
    own_set.write_text("\n".join(lines[:start] + lines[start + 5 :]))
    with pytest.raises(ProvisionError, match="go has no hash for any platform"):
        pins.named(str(own_set))


def test_a_missing_file_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        pins.named(str(tmp_path / "none.toml"))


def module_zip(folder: Path, version: str) -> None:
    """Write a module proxy's golang.org/toolchain of one version, whose go is a shell script."""
    folder.mkdir(parents=True)
    (folder / f"{version}.info").write_text(f'{{"Version":"{version}","Time":"2026-01-01T00:00:00Z"}}')
    (folder / f"{version}.mod").write_text("module golang.org/toolchain\n")
    with zipfile.ZipFile(folder / f"{version}.zip", "w") as archive:
        root = f"golang.org/toolchain@{version}"
        archive.writestr(f"{root}/bin/go", "#!/bin/sh\necho go version go9.9.9 test/test\n")
        archive.writestr(f"{root}/pkg/tool/test_test/compile", "#!/bin/sh\n")
        archive.writestr(f"{root}/VERSION", "go9.9.9\n")


def own_go(sum_: str) -> pins.WheelTool:
    return pins.WheelTool(
        version="9.9.9",
        released="2026-01-01",
        project="golang.org/toolchain",
        source="a test",
        executable="bin/go",
        toolchain_sums={"test-test": sum_},
    )


def nothing() -> Path:
    raise AssertionError("a Go was asked for, though nothing need be fetched")


@pytest.fixture
def toolchain_proxy(tmp_path, monkeypatch, toolchain):
    """A module proxy that serves one Go; its sum. The checksum database knows nothing of it, so it is not asked."""
    module_zip(tmp_path / "proxy/golang.org/toolchain/@v", "v0.0.1-go9.9.9.test-test")
    files = {"VERSION": b"go9.9.9\n", "bin/go": b"#!/bin/sh\necho go version go9.9.9 test/test\n"}
    files["pkg/tool/test_test/compile"] = b"#!/bin/sh\n"
    root = "golang.org/toolchain@v0.0.1-go9.9.9.test-test"
    lines = "".join(f"{hashlib.sha256(text).hexdigest()}  {root}/{name}\n" for name, text in sorted(files.items()))
    monkeypatch.setenv("GOPROXY", (tmp_path / "proxy").as_uri())
    monkeypatch.setenv("GOSUMDB", "off")
    golang._network_settings.cache_clear()
    yield "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()
    golang._network_settings.cache_clear()


def test_a_go_without_a_wheel_comes_as_gos_own_module(toolchain_proxy, toolchain, tmp_path):
    shelf = Store(tmp_path / "a home")
    go = program(toolchain, "go")
    steps = []
    tree = goroot.obtain(shelf, own_go(toolchain_proxy), "test/test", lambda: go, begin=lambda: steps.append("go"))
    assert steps == ["go"]
    assert (tree / "bin/go").stat().st_mode & 0o111
    assert (tree / "pkg/tool/test_test/compile").stat().st_mode & 0o111
    assert sorted(entry.name for entry in tree.parent.iterdir()) == ["recipe.json", "sha256.txt", "tree"]
    assert goroot.obtain(shelf, own_go(toolchain_proxy), "test/test", nothing, begin=nothing) == tree


def test_a_tampered_go_is_refused_and_nothing_is_installed(toolchain_proxy, toolchain, tmp_path):
    shelf = Store(tmp_path)
    with pytest.raises(ProvisionError, match="the pin wants h1:AAA"):
        goroot.obtain(shelf, own_go("h1:" + "A" * 43 + "="), "test/test", lambda: program(toolchain, "go"))
    assert not [entry for entry in shelf.root.iterdir() if entry.name != "locks"]


def test_a_go_without_a_sum_for_the_platform_says_what_to_give(tmp_path):
    with pytest.raises(ProvisionError, match="neither a wheel nor a sum for darwin/arm64") as caught:
        goroot.obtain(Store(tmp_path), own_go("h1:" + "A" * 43 + "="), "darwin/arm64", nothing)
    assert "toolchain_sums" in caught.value.remedy


def test_the_origin_of_such_a_go_is_said(toolchain):
    assert ToolOrigin("go-module") is ToolOrigin.GO_MODULE


def test_the_command_names_the_optional_tools_it_does_not_have():
    done = CliRunner().invoke(application(), ["setup", "--with", "dlv,vim"])
    assert isinstance(done.exception, UsageError)
    assert "'vim'" in done.exception.what
