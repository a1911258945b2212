"""Go's settings on this host: what the winning go says, what ``go env -w`` wrote and where, whose GOROOT is set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from labkit.errors import ProcessError
from labkit.model.base import Text
from labkit.model.machine import System
from labkit.system import proc

_TIMEOUT_S: Final = 10.0
_VARIABLES: Final = (
    "CC", "CGO_ENABLED", "GO111MODULE", "GOARCH", "GOBIN", "GOENV", "GOFLAGS", "GOHOSTARCH", "GOHOSTOS", "GOMODCACHE",
    "GOOS", "GOPATH", "GOPROXY", "GOROOT", "GOSUMDB", "GOVERSION",
)  # fmt: skip


def read_env_file(path: Path | None) -> dict[str, str]:
    """Return the settings in the file of ``go env -w``, as Go reads it: NAME=VALUE lines, others passed over."""
    if path is None:
        return {}
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return {}
    pairs = [line.strip().partition("=") for line in text.splitlines() if not line.lstrip().startswith("#")]
    return {name: value for name, equals, value in pairs if equals and name.isidentifier()}


def env_file(environ: Mapping[str, str], system: System) -> Path | None:
    """Return the file that ``go env -w`` writes, None when there is none."""
    # cmd/go's EnvFile: GOENV, else go/env in os.UserConfigDir, which asks XDG_CONFIG_HOME on Linux only.
    # https://github.com/golang/go/blob/go1.26.0/src/cmd/go/internal/cfg/cfg.go
    named, home = environ.get("GOENV"), environ.get("HOME")
    if named == "off":
        return None
    if named:
        return Path(named)
    if system is System.MACOS:
        return Path(home) / "Library/Application Support/go/env" if home else None
    config = environ.get("XDG_CONFIG_HOME")
    if config:
        return Path(config) / "go/env"
    return Path(home) / ".config/go/env" if home else None


def ask_env(go: Path | None, environ: Mapping[str, str]) -> dict[str, str] | Text:
    """Return what the winning go says of its settings in the user's own environment, or why it said nothing."""
    if go is None:
        return Text(id="host.why.no_go")
    try:
        done = proc.run(
            [go.absolute(), "env", "-json", *_VARIABLES],
            env=dict(environ) | {"GOTOOLCHAIN": "local"},  # another one would be fetched
            timeout_s=_TIMEOUT_S,
            cwd=Path("/"),
            check=False,
        )
        if done.returncode == 0:
            return msgspec.json.decode(done.stdout_bytes, type=dict[str, str])
        what = f"{proc.describe_exit(done.returncode)}: {done.first_words(2)}"
    except ProcessError as error:
        what = error.what
    except msgspec.DecodeError as error:
        what = str(error)
    return Text(id="host.why.said", values={"tool": "go env", "what": what})


def goroot_version(goroot: str, missing: dict[str, Text]) -> str | None:
    """Return the version of the Go in a folder by its VERSION file; ``missing`` gets the reason of None."""
    try:
        first = (Path(goroot) / "VERSION").read_text("utf-8", "replace").split("\n", 1)[0].strip()
    except OSError as error:
        missing["goroot_version"] = Text(
            id="host.why.unreadable", values={"what": f"{goroot}/VERSION: {error.strerror}"}
        )
        return None
    return first.removeprefix("go") or None
