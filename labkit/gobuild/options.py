"""How a Go program is built: the go command's flags, and the C compiler that cgo and external linking use."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labkit.system.store import file_digest


@dataclass(frozen=True, kw_only=True)
class Options:
    """The choices of one build; the defaults are those of labkit's own programs.

    Attributes:
        cgo: CGO_ENABLED=1.
        compiler: The C compiler, which Go calls as CC; one file for each target, for Go's cache tells compilers apart
            by their path and arguments, not by what an environment variable makes of them.
        trimpath: ``-trimpath``.
        ldflags: The words of ``-ldflags``; empty for none.
        gcflags: The words of ``-gcflags``, such as ``all=-N -l`` for a debugger; empty for none.
        tags: The build tags, separated by commas.
        buildmode: ``-buildmode``; empty for Go's own choice.
        rebuild: ``-a``: compile every package again.
        level: The architecture's level, such as ``GOARM64=v8.1`` or ``GOARM=7``; Go's default when empty.

    """

    cgo: bool = False
    compiler: Path | None = None
    trimpath: bool = True
    ldflags: str = ""
    gcflags: str = ""
    tags: str = ""
    buildmode: str = ""
    rebuild: bool = False
    level: str = ""

    def flags(self) -> tuple[str, ...]:
        """Return the flags of ``go build``."""
        words = ["-mod=readonly"]
        words += ["-trimpath"] if self.trimpath else []
        words += ["-a"] if self.rebuild else []
        words += [f"-buildmode={self.buildmode}"] if self.buildmode else []
        words += [f"-tags={self.tags}"] if self.tags else []
        words += [f"-ldflags={self.ldflags}"] if self.ldflags else []
        words += [f"-gcflags={self.gcflags}"] if self.gcflags else []
        return tuple(words)

    def environment(self) -> Mapping[str, str]:
        """Return the variables that go with the flags."""
        compiler = {} if self.compiler is None else {"CC": str(self.compiler)}
        level = dict([self.level.split("=", 1)]) if self.level else {}
        return {"CGO_ENABLED": "1" if self.cgo else "0"} | compiler | level

    def recipe(self) -> Mapping[str, object]:
        """Return what the result depends on, besides the sources and Go."""
        recipe: dict[str, object] = {"flags": list(self.flags())}
        if self.cgo:
            compiler = None if self.compiler is None else [str(self.compiler), file_digest(self.compiler)]
            recipe["cgo"] = compiler
        if self.level:
            recipe["level"] = self.level
        return recipe
