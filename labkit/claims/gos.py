"""Go of other days, for statements about versions: fetched by the current set's Go, as GOTOOLCHAIN does."""

import tomllib
from functools import cache
from importlib import resources
from pathlib import Path

from labkit.toolchain import golang


@cache
def versions() -> tuple[str, ...]:
    """Return the versions that are compared beside the current set's, the oldest first."""
    listed = tomllib.loads(resources.files(__package__).joinpath("gos.toml").read_text("utf-8"))["versions"]
    return tuple(str(each) for each in listed)


@cache
def obtain(bootstrap: Path, version: str) -> Path:
    """Return the go executable of a version.

    Args:
        bootstrap: A go of 1.21 or later, which fetches it and compares it with Go's checksum database.
        version: Such as 1.20.14.

    Raises:
        NetworkError: It is not here and could not be fetched.

    """
    answer = golang.run(bootstrap, "env", "GOROOT", cwd=Path("/"), GOTOOLCHAIN=f"go{version}")
    return Path(answer.stdout.strip()) / "bin" / "go"
