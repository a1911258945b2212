"""The real modules that the experiments' proxy serves: fetched once by the set's Go, kept in the store.

They come through the user's own GOPROXY into a module cache of their own, each compared with the checksum database; the
database's signed answers are kept with them, so that a proxy of ours can mirror it without a network.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.model.toolchain import Toolchain
from labkit.system.store import Store
from labkit.toolchain import find, golang, program

MAIN: Final = "labkit.dev/probe"
PROTOBUF: Final = "google.golang.org/protobuf"
GENPROTO: Final = "google.golang.org/genproto/googleapis/rpc"
#: A release that no set pins, to replace the pinned one with.
OTHER: Final = "v1.34.1"
#: A commit of protobuf after v1.28.1, and one of a module without tags, as pseudo-versions.
COMMIT: Final = "v1.28.2-0.20220831092852-f930b1dc76e8"
UNTAGGED: Final = "v0.0.0-20240604185151-ef581f913117"


#: The program of most experiments: it needs one small package of protobuf.
PROGRAM: Final = """package main

import "google.golang.org/protobuf/encoding/protowire"

func main() { println(protowire.SizeVarint(300)) }
"""


@dataclass(frozen=True, kw_only=True)
class Stock:
    """Real modules on disk."""

    pinned: str  # the set's version of protobuf, v1.36.12
    download: Path  # what a proxy serves: .info, .mod, .zip, and sumdb/ where there is one
    other_tree: Path  # protobuf OTHER, unpacked
    go_sum: str  # what Go wrote for PROGRAM with the pinned version

    @property
    def mirrors(self) -> bool:
        """Whether the checksum database's answers were kept; not where the user has switched it off."""
        return (self.download / "sumdb").is_dir()


def obtain(toolchain: Toolchain) -> Stock:
    """Return the modules, fetched when the store lacks them.

    Raises:
        NetworkError: They are not in the store and could not be fetched.
        ProcessError: Go refused them.

    """
    pinned = next(module.version for module in toolchain.modules if module.module == PROTOBUF)
    go = program(toolchain, "go")
    recipe = {
        "kind": "resolution-stock",
        "go": go_directive(toolchain),
        "program": PROGRAM,
        "modules": [f"{PROTOBUF}@{version}" for version in (pinned, OTHER, COMMIT)] + [f"{GENPROTO}@{UNTAGGED}"],
    }

    def fetch(folder: Path) -> Path:
        scratch = folder / "scratch"
        scratch.mkdir()

        def run(*arguments: str) -> None:
            golang.run(go, *arguments, cwd=scratch, GOMODCACHE=str(folder / "mod"), GOPATH=str(scratch / "gopath"))

        for version in (pinned, OTHER, COMMIT):
            (scratch / "go.mod").write_text(main_module(toolchain, {PROTOBUF: version}), "utf-8")
            run("list", "-mod=mod", "-m", "all")
            run("mod", "download", f"{PROTOBUF}@{version}")
        run("mod", "download", f"{GENPROTO}@{UNTAGGED}")
        (scratch / "go.mod").write_text(main_module(toolchain, {PROTOBUF: pinned}), "utf-8")
        (scratch / "go.sum").unlink()
        (scratch / "main.go").write_text(PROGRAM, "utf-8")
        run("build", "-mod=mod", "-trimpath", "-o", os.devnull, ".")
        (scratch / "go.sum").rename(folder / "go.sum")
        shutil.copytree(folder / f"mod/{PROTOBUF}@{OTHER}", folder / "other")
        (folder / "mod/cache/download").rename(folder / "download")
        for file in (folder / "download").rglob("*.lock"):
            file.unlink()
        shutil.rmtree(folder / "mod")
        shutil.rmtree(scratch)
        return folder / f"download/{PROTOBUF}/@v/{pinned}.zip"

    entry = Store().obtain("resolution-stock", recipe, fetch, held=True)
    return Stock(
        pinned=pinned,
        download=entry / "download",
        other_tree=entry / "other",
        go_sum=(entry / "go.sum").read_text("utf-8"),
    )


def main_module(toolchain: Toolchain, require: Mapping[str, str], *lines: str) -> str:
    """Return the go.mod of an experiment's main module."""
    wanted = [f"require {module} {version}" for module, version in require.items()]
    return "\n".join([f"module {MAIN}", "", go_directive(toolchain), "", *wanted, *lines]) + "\n"


def go_directive(toolchain: Toolchain) -> str:
    """Return the go line of a module for a set: that of its own Go, so that Go need not change it."""
    major, minor = find(toolchain, "go").pinned_version.split(".")[:2]
    return f"go {major}.{minor}.0"
