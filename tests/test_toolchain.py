"""Pins are complete, what is fetched is verified, and nothing of the host's own is touched."""

import base64
import hashlib
import zipfile
from pathlib import Path

import msgspec
import pytest

from labkit.errors import NetworkError, ProvisionError, UsageError
from labkit.model.toolchain import ToolOrigin
from labkit.system import store
from labkit.system.store import Store, file_digest
from labkit.toolchain import find, golang, host, host_platform, pins, program, provision, wheels
from labkit.toolchain.pins import PluginTool, Wheel, WheelTool

PLATFORMS = {"darwin-arm64", "darwin-amd64", "linux-arm64", "linux-amd64"}
CURRENT = Path("labkit/toolchain/sets/current.toml").read_text()


@pytest.mark.parametrize("name", pins.names())
def test_a_shipped_set_has_every_platform(name):
    wanted = pins.named(name)
    assert wanted.name == name
    assert set(wanted.go.wheels) >= PLATFORMS
    assert set(wanted.protoc.wheels) >= PLATFORMS


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (', sha256 = "57dd9899a6784e40d7aae726bddeaa5d802ca1d9cd434ee08878dc2726bbdc09"', "", "sha256"),
        ('sha256 = "57dd', 'sha256 = "', "sha256"),
        ('sum = "h1:pJOK', 'sum = "pJOK', "sum"),
        ('version = "1.27.3"', 'version = "latest"', "version"),
        ('released = "2026-10-20"\n', "", "released"),
        ("[go]", "[go", "not usable"),
        ('pinned_on = "2026-11-23"', 'pinned_on = "today"', "pinned_on"),
        ('name = "current"', 'name = "current"\ncolour = "red"', "colour"),
    ],
    ids=["no hash", "short hash", "no h1", "no version", "no date", "no TOML", "no day", "unknown field"],
)
def test_an_incomplete_pin_is_refused(old, new, field):
    assert old in CURRENT
    with pytest.raises(ProvisionError, match=field):
        pins.parse(CURRENT.replace(old, new, 1), name="test")


def test_an_unknown_set_names_the_nearest():
    with pytest.raises(UsageError, match="'curent'") as caught:
        pins.named("curent")
    assert "current" in caught.value.remedy


@pytest.mark.parametrize("module", ["labkit/codegen/hello", "labkit/bench/kernels"])
def test_embedded_modules_require_the_pinned_runtime(module):
    required = Path(module, "go.mod").read_text()
    sums = Path(module, "go.sum").read_text()
    for pinned in pins.named("current").modules:
        assert f"{pinned.module} {pinned.version}\n" in required
        assert f"{pinned.module} {pinned.version} {pinned.sum}\n" in sums


def test_every_tool_answers_with_its_pin(toolchain, this_machine):
    assert [tool.name for tool in toolchain.tools] == ["go", "protoc", "protoc-gen-go", "protoc-gen-go-grpc"]
    for tool in toolchain.tools:
        assert (tool.version, tool.problem) == (tool.pinned_version, None)
        assert tool.sha256 == file_digest(Path(tool.path))
    assert toolchain.platform == host_platform(this_machine)


def test_plugins_lie_in_the_store_and_not_in_the_users_gobin(toolchain, tmp_path, monkeypatch):
    monkeypatch.setenv("GOBIN", str(tmp_path))
    steps = []
    again = provision(toolchain.name, toolchain.platform, progress=steps.append)
    assert again == toolchain
    assert steps == []  # everything is there, so nothing is said to be done
    assert Store().root in program(again, "protoc-gen-go").parents
    assert not list(tmp_path.iterdir())


def tiny_wheel(folder: Path, tag: str, content: str = "#!/bin/sh\necho tiny 1.0\n") -> str:
    """Write a wheel that holds one program, and return its sha256."""
    files = {"tiny/bin/tiny": content, "tiny-1.0.dist-info/WHEEL": f"Wheel-Version: 1.0\nTag: py3-none-{tag}\n"}
    files["tiny-1.0.dist-info/METADATA"] = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
    record = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
        for name, text in files.items()
    ]
    path = folder / f"tiny-1.0-py3-none-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o100755 << 16
            archive.writestr(info, text)
        archive.writestr("tiny-1.0.dist-info/RECORD", "\n".join(record) + "\ntiny-1.0.dist-info/RECORD,,\n")
    return file_digest(path)


def wheel_pin(sha256: str, tag: str = "macosx_11_0_arm64") -> WheelTool:
    return WheelTool(
        version="1.0",
        released="2026-01-01",
        project="tiny",
        source="a test",
        executable="tiny/bin/tiny",
        wheels={"darwin-arm64": Wheel(tag=tag, sha256=sha256)},
    )


@pytest.fixture
def own_index(tmp_path, monkeypatch):
    """pip sees only the wheels of one folder."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_wheel_of_another_platform_is_unpacked_by_its_own_tag(own_index, tmp_path):
    sha256 = tiny_wheel(own_index, "macosx_11_0_arm64")
    steps = []
    tree = wheels.obtain(
        Store(tmp_path), "tiny", wheel_pin(sha256), "darwin/arm64", begin=lambda: steps.append("fetched")
    )
    assert steps == ["fetched"]
    assert (tree / "tiny/bin/tiny").stat().st_mode & 0o111
    assert Store.sealed(tree.parent) == file_digest(tree / "tiny/bin/tiny")


def test_a_tampered_wheel_is_refused_and_nothing_is_installed(own_index, tmp_path):
    honest = tiny_wheel(own_index, "macosx_11_0_arm64")
    tiny_wheel(own_index, "macosx_11_0_arm64", content="#!/bin/sh\necho evil\n")
    shelf = Store(tmp_path / "home")
    with pytest.raises(ProvisionError, match="does not have the pinned hash"):
        wheels.obtain(shelf, "tiny", wheel_pin(honest), "darwin/arm64")
    assert not list(shelf.root.glob("tiny*"))
    assert not list(shelf.root.glob(".tiny*"))


def test_no_network_and_no_tool_is_one_line_with_a_remedy(own_index, tmp_path):
    with pytest.raises(NetworkError, match=r"tiny 1\.0 could not be fetched") as caught:
        wheels.obtain(Store(tmp_path), "tiny", wheel_pin("0" * 64), "darwin/arm64")
    assert "PIP_INDEX_URL" in caught.value.remedy
    assert "\n" not in caught.value.what


def test_a_platform_without_a_wheel_says_what_to_install(tmp_path):
    with pytest.raises(ProvisionError, match="no wheel for linux/riscv64") as caught:
        wheels.obtain(Store(tmp_path), "tiny", wheel_pin("0" * 64), "linux/riscv64")
    assert "PATH" in caught.value.remedy


@pytest.fixture
def own_proxy(tmp_path, monkeypatch, toolchain):
    """A module proxy in a folder with one tool, asked instead of the user's."""
    folder = tmp_path / "proxy" / "example.com" / "tiny" / "@v"
    folder.mkdir(parents=True)
    (folder / "list").write_text("v1.0.0\n")
    (folder / "v1.0.0.info").write_text('{"Version":"v1.0.0","Time":"2026-01-01T00:00:00Z"}')
    (folder / "v1.0.0.mod").write_text("module example.com/tiny\n")
    with zipfile.ZipFile(folder / "v1.0.0.zip", "w") as archive:
        archive.writestr("example.com/tiny@v1.0.0/go.mod", "module example.com/tiny\n")
        archive.writestr("example.com/tiny@v1.0.0/main.go", 'package main\n\nfunc main() { println("tiny v1.0.0") }\n')
    monkeypatch.setenv("GOPROXY", (tmp_path / "proxy").as_uri())
    monkeypatch.setenv("GOSUMDB", "off")
    built = store.home() / "go/build"
    (tmp_path / "home/go").mkdir(parents=True)
    (tmp_path / "home/go/build").symlink_to(built)  # what was compiled is reused, what was fetched is not
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    golang._network_settings.cache_clear()
    yield folder
    golang._network_settings.cache_clear()


def plugin_pin(sum_: str) -> PluginTool:
    return PluginTool(
        name="tiny",
        version="1.0.0",
        released="2026-01-01",
        module="example.com/tiny",
        package="example.com/tiny",
        sum=sum_,
    )


WRONG_SUM = "h1:" + "A" * 43 + "="


def test_a_tampered_module_is_refused_and_nothing_is_installed(own_proxy, toolchain):
    shelf = Store()
    with pytest.raises(ProvisionError, match="the pin wants h1:AAA") as caught:
        golang.install(shelf, program(toolchain, "go"), "1", plugin_pin(WRONG_SUM), toolchain.platform)
    assert "module proxy" in caught.value.remedy
    assert not list(shelf.root.glob("tiny*"))


def test_a_module_with_the_pinned_sum_is_installed(own_proxy, toolchain, tmp_path):
    go = program(toolchain, "go")
    answer = golang.run(go, "mod", "download", "-json", "example.com/tiny@v1.0.0", cwd=tmp_path).stdout
    good = plugin_pin(msgspec.json.decode(answer)["Sum"])
    steps = []
    for _ in range(2):
        folder = golang.install(Store(), go, "1", good, toolchain.platform, begin=lambda: steps.append("built"))
        assert (folder / "tiny").is_file()
    assert steps == ["built"]


def test_a_proxy_that_does_not_answer_is_a_network_error(own_proxy, toolchain, monkeypatch):
    monkeypatch.setenv("GOPROXY", "off")
    golang._network_settings.cache_clear()
    with pytest.raises(NetworkError, match="could not fetch a module") as caught:
        golang.install(Store(), program(toolchain, "go"), "1", plugin_pin(WRONG_SUM), toolchain.platform)
    assert "GOPROXY" in caught.value.remedy


def test_go_env_w_settings_count_only_for_the_way_to_modules(tmp_path, monkeypatch, toolchain):
    settings = tmp_path / "go.env"
    settings.write_text("GOPROXY=off\nGOARCH=mips\nGOFLAGS=-nonsense\n")
    monkeypatch.setenv("GOENV", str(settings))
    monkeypatch.delenv("GOPROXY", raising=False)
    golang._network_settings.cache_clear()
    environ = golang.environment(program(toolchain, "go"))
    golang._network_settings.cache_clear()
    assert environ["GOPROXY"] == "off"
    assert "GOARCH" not in environ
    assert environ["GOFLAGS"] == "-modcacherw"


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        ("go version go1.27.3 darwin/arm64", True),
        ("go version go1.27.3 darwin/amd64", False),
        ("go version go1.27.2 darwin/arm64", False),
        ("go version go1.27.3-custom darwin/arm64", False),
    ],
    ids=["exact", "translated", "older", "custom"],
)
def test_the_hosts_go_is_taken_only_when_it_is_the_pinned_one(executable, monkeypatch, answer, taken):
    own = executable("go", f"echo '{answer}'")
    monkeypatch.setenv("PATH", str(own.parent))
    assert host.go("1.27.3", "darwin/arm64") == (own.resolve() if taken else None)


@pytest.mark.parametrize(
    ("answer", "include", "taken"),
    [("libprotoc 30.2", True, True), ("libprotoc 30.2", False, False), ("libprotoc 29.3", True, False)],
    ids=["exact", "bin alone", "older"],
)
def test_the_hosts_protoc_is_taken_only_whole(executable, tmp_path, answer, include, taken):
    own = executable("protoc", f"echo '{answer}'")
    types = tmp_path / "include/google/protobuf"
    if include:
        types.mkdir(parents=True)
        (types / "timestamp.proto").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(own.parent))
        found = host.protoc("30.2")
    assert found == ((own.resolve(), (tmp_path / "include").resolve()) if taken else None)


def test_a_host_without_tools_or_with_a_broken_one_offers_none(executable, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert host.go("1.27.3", "linux/amd64") is None
    assert host.protoc("30.2") is None
    monkeypatch.setenv("PATH", str(executable("go", "exit 1").parent))
    assert host.go("1.27.3", "linux/amd64") is None


def test_the_origin_is_kept(toolchain):
    assert find(toolchain, "protoc-gen-go").origin is ToolOrigin.GO_INSTALL
    assert find(toolchain, "go").origin in {ToolOrigin.WHEEL, ToolOrigin.HOST}
