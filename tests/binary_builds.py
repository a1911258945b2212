"""Tiny Go programs built for many platforms: executables whose every property is known beforehand."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tests.binary_corpus import folder as kept
from tests.support import need

_MODULE = "module example.test/hello\n\ngo 1.21\n"
_MAIN = 'package main\n\nimport "os"\n\nfunc main() { os.Stdout.WriteString("hello from Go\\n") }\n'

#: name: (GOOS, GOARCH, further arguments of `go build`)
SMALL = {
    "darwin-arm64": ("darwin", "arm64", ()),
    "darwin-amd64": ("darwin", "amd64", ()),
    "linux-amd64": ("linux", "amd64", ()),
    "linux-arm64": ("linux", "arm64", ()),
    "linux-amd64-pie": ("linux", "amd64", ("-buildmode=pie",)),
}
MORE = {
    "darwin-arm64-stripped": ("darwin", "arm64", ("-ldflags=-s -w",)),
    "darwin-arm64-trimmed": ("darwin", "arm64", ("-trimpath",)),
    "linux-386": ("linux", "386", ()),
    "linux-s390x": ("linux", "s390x", ()),
    "linux-arm": ("linux", "arm", ("-tags=netgo,osusergo",)),
    "linux-ppc64": ("linux", "ppc64", ()),
    "linux-mips": ("linux", "mips", ()),
    "linux-amd64-stripped": ("linux", "amd64", ("-ldflags=-s -w -X main.a=b",)),
    "linux-arm64-pie": ("linux", "arm64", ("-buildmode=pie",)),
    "freebsd-amd64": ("freebsd", "amd64", ()),
}


def build(name: str, folder: Path, go: Path) -> Path:
    """Build one program into a folder that the caller keeps, and return it."""
    system, architecture, arguments = (SMALL | MORE)[name]
    source = folder / "source"
    source.mkdir(parents=True, exist_ok=True)
    (source / "go.mod").write_text(_MODULE, "utf-8")
    (source / "main.go").write_text(_MAIN, "utf-8")
    out = folder / name
    environment = {
        "HOME": str(Path.home()),
        "PATH": "/usr/bin:/bin",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "CGO_ENABLED": "0",
        "GOOS": system,
        "GOARCH": architecture,
    }
    subprocess.run(
        [go, "build", *arguments, "-o", out, "."],
        cwd=source,
        env=environment,
        check=True,
        capture_output=True,
        timeout=600,
    )
    return out


@cache
def built(name: str) -> Path:
    """Return one program, built once for this Go and kept beside the third-party files; skips without Go."""
    go = need("go")
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, check=True, text=True, timeout=60)
    wanted = kept() / f"{said.stdout.strip()}-{name}"
    if not wanted.is_file():
        kept().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept()) as scratch:
            build(name, Path(scratch), go).replace(wanted)
    return wanted


def build_all(folder: Path, go: Path) -> dict[str, Path]:
    """Build every program."""
    return {name: build(name, folder, go) for name in SMALL | MORE}
