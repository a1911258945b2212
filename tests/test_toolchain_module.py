"""Modules that are not what was pinned leave nothing behind, and the real Go comes as a module by its pinned sum."""

from pathlib import Path

import pytest

from labkit import binary
from labkit.errors import NetworkError, ProvisionError
from labkit.gobuild.resolution import modules
from labkit.model.toolchain import ToolOrigin
from labkit.system import proc, store
from labkit.system.store import Store
from labkit.toolchain import find, golang, goroot, pins, program
from tests.support import missing

TINY = "example.com/tiny"
MAIN = 'package main\n\nfunc main() { println("tiny") }\n'
EVIL = 'package main\n\nfunc main() { println("evil") }\n'


@pytest.fixture
def proxy(tmp_path, toolchain, monkeypatch):
    """The folder of a module proxy; what it serves reaches an empty module cache, and no checksum database is asked."""
    (tmp_path / "home/go").mkdir(parents=True)
    (tmp_path / "home/go/build").symlink_to(store.home() / "go/build")
    folder = tmp_path / "proxy"
    monkeypatch.setenv("GOPROXY", folder.as_uri())
    monkeypatch.setenv("GOSUMDB", "off")
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    golang._network_settings.cache_clear()
    yield folder
    golang._network_settings.cache_clear()


def offer(folder: Path, source: str) -> str:
    """Let the proxy serve a tool of this source and return its sum."""
    files = {"go.mod": f"module {TINY}\n\ngo 1.21\n", "main.go": source}
    modules.write(folder, TINY, "v1.0.0", files)
    (modules.folder_of(folder, TINY) / "list").write_text("v1.0.0\n")
    return modules.h1({f"{TINY}@v1.0.0/{name}": text.encode() for name, text in files.items()})


def pin(sum_: str) -> pins.PluginTool:
    return pins.PluginTool(name="tiny", version="1.0.0", released="2026-01-01", module=TINY, package=TINY, sum=sum_)


def test_a_tampered_module_leaves_nothing_and_the_honest_one_is_then_installed(proxy, toolchain):
    go, shelf = program(toolchain, "go"), Store()
    honest = offer(proxy, MAIN)
    offer(proxy, EVIL)
    with pytest.raises(ProvisionError, match="nothing was installed"):
        golang.install(shelf, go, "1", pin(honest), toolchain.platform)
    assert [entry.name for entry in shelf.root.iterdir()] == ["locks"]
    assert list(modules.left_in(store.home() / "go/mod", TINY)) == []
    offer(proxy, MAIN)
    folder = golang.install(shelf, go, "1", pin(honest), toolchain.platform)
    told = proc.run([folder / "tiny"], env={}, timeout_s=30)
    assert told.stderr == "tiny\n"


#: Go's own module, as its checksum database has it.
GO = pins.WheelTool(
    version="1.22.3",
    released="2024-05-07",
    project="golang.org/toolchain",
    source="https://github.com/golang/go",
    executable="bin/go",
    toolchain_sums={"linux-amd64": "h1:LqXmlW4rn/rqR5z8Sz3hri+dYqwQ73YKgkSjm31jRFM="},
)


def test_the_real_go_comes_as_its_own_module(toolchain):
    shelf = Store(store.home() / "test-corpus" / "toolchain-module")  # 226 MB, fetched once
    try:
        tree = goroot.obtain(shelf, GO, "linux/amd64", lambda: program(toolchain, "go"))
    except NetworkError as error:
        missing(f"Go {GO.version} as a module ({error.what})", "give Go a network once")
        raise
    assert (tree / "VERSION").read_text().split()[0] == f"go{GO.version}"
    for name in ("bin/go", "pkg/tool/linux_amd64/compile"):
        assert (tree / name).stat().st_mode & 0o111, name
        assert [part.architecture for part in binary.inspect(tree / name).slices] == ["x86_64"]
    if toolchain.platform == "linux/amd64":
        told = proc.run([tree / "bin/go", "version"], env={"GOTOOLCHAIN": "local", "HOME": "/"}, timeout_s=60)
        assert told.stdout == f"go version go{GO.version} linux/amd64\n"


def test_the_origin_of_a_go_is_said(toolchain):
    assert find(toolchain, "go").origin in {ToolOrigin.WHEEL, ToolOrigin.HOST}
