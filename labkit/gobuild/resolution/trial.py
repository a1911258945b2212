"""One experiment's own place: a main module, an empty module cache, a recording proxy; every go command a record.

An experiment is a function that takes a :class:`Trial`. It ends at the first command that Go refuses; nothing in it
says what the outcome is to be.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from labkit.gobuild.resolution import modules
from labkit.gobuild.resolution.proxy import Proxy
from labkit.gobuild.resolution.stock import PROGRAM, PROTOBUF, Stock, main_module
from labkit.model.check import Evidence
from labkit.model.resolution import GoStep
from labkit.model.toolchain import Toolchain
from labkit.system import proc, store
from labkit.toolchain import golang, program

_RESOLVED: Final = "{{.Path}} {{.Version}}{{with .Replace}} => {{.Path}} {{.Version}}{{end}}"
_TIMEOUT_S: Final = 300.0
# What decides where a module comes from and whether it is believed.
_DECISIVE: Final = ("GOPROXY", "GOSUMDB", "GOFLAGS", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE", "GOVCS")
_GIT_LINE: Final = re.compile(r"^(?:cd \S+; )?(git .*)$", re.MULTILINE)
#: What -x prints beside Go's own words: commands, their times, and the scripts of a build.
_OWN_WORDS: Final = re.compile(r"go: |\t|\S+\.go:\d+:|verifying |SECURITY |This ")


class RefusedError(Exception):
    """Go refused a command; ends the experiment, not the run."""


@dataclass(kw_only=True)
class Trial:
    """Where one experiment takes place."""

    toolchain: Toolchain
    work: Path  # empty, of this experiment alone
    stock: Stock | None
    mirrors: bool = False
    steps: list[GoStep] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    watched: list[str] = field(default_factory=lambda: [PROTOBUF])  # modules whose traces in the cache are kept
    home: Path | None = None  # with a .gitconfig, for git
    git: Path | None = None
    _proxy: Proxy | None = None

    @property
    def main(self) -> Path:
        """The main module's folder."""
        return self.work / "probe"

    @property
    def cache(self) -> Path:
        """The module cache."""
        return self.work / "mod"

    @property
    def own(self) -> Path:
        """The folder of modules made for this experiment; the proxy looks there first."""
        return self.work / "own"

    @property
    def real(self) -> Stock:
        """The real modules."""
        assert self.stock is not None  # noqa: S101 - an experiment that uses them says so in its needs
        return self.stock

    @property
    def users_proxy(self) -> str:
        """The user's own GOPROXY, over the network."""
        return golang.environment(program(self.toolchain, "go")).get("GOPROXY", "off")

    @property
    def proxy(self) -> Proxy:
        """The recording proxy, started when it is first asked for."""
        if self._proxy is None:
            roots = [self.own, *([self.stock.download] if self.stock else [])]
            self._proxy = Proxy(roots, mirrors=self.mirrors)
            self._proxy.__enter__()
        return self._proxy

    def close(self) -> None:
        """Stop the proxy."""
        if self._proxy is not None:
            self._proxy.__exit__(None, None, None)

    def write(
        self, *lines: str, require: Mapping[str, str] | None = None, source: str = PROGRAM, folder: Path | None = None
    ) -> None:
        """Write the main module: protobuf as the set pins it unless ``require`` says otherwise, and further lines."""
        place = folder or self.main
        place.mkdir(parents=True, exist_ok=True)
        wanted = require if require is not None else {PROTOBUF: self.real.pinned}
        (place / "go.mod").write_text(main_module(self.toolchain, wanted, *lines), "utf-8")
        (place / "main.go").write_text(source, "utf-8")

    def go(
        self, *arguments: str, proxy: str = "on", sumdb: bool = False, cwd: Path | None = None, **more: str
    ) -> GoStep:
        """Run Go and keep what it did; ends the experiment when it refuses.

        Args:
            arguments: Of go.
            proxy: ``on`` for the recording one, else GOPROXY itself.
            sumdb: Whether the checksum database is asked, as the user's GOSUMDB names it.
            cwd: The folder, the main module's when None.
            more: Further variables.

        """
        settings = self._environment(proxy, sumdb=sumdb) | more
        if self._proxy is not None:
            self._proxy.taken()
        done = self._start(program(self.toolchain, "go"), *arguments, cwd=cwd, **settings)
        everything = self.shown(done.stderr + done.stdout)
        step = GoStep(
            command=("go", *(self.shown(word) for word in arguments)),
            environment={name: self.shown(settings[name]) for name in _DECISIVE if settings.get(name)},
            exit_code=done.returncode,
            said=_without_trace(everything) if "-x" in arguments else everything,
            asked=self._proxy.taken() if self._proxy is not None else (),
            git=tuple(match.group(1) for match in _GIT_LINE.finditer(everything)),
        )
        self.steps.append(step)
        if done.returncode != 0:
            raise RefusedError(step.said)
        return step

    def look(self, module: str) -> str:
        """Keep as evidence, and return, what the main module resolves a module to; nothing is fetched for it."""
        words = ("list", "-mod=mod", "-m", "-f", _RESOLVED, module)
        done = self._start(program(self.toolchain, "go"), *words, cwd=None, **self._environment("off", sumdb=False))
        found = self.shown(done.stdout or done.stderr)
        self.evidence.append(Evidence(what=f"go list -m {module}", found=found))
        return found

    def ask_version(self, installed: str) -> None:
        """Keep as evidence what a program that Go installed says of its version."""
        done = self._start(self.work / "bin" / installed, "--version")
        self.evidence.append(Evidence(what=f"{installed} --version", found=self.shown(done.stdout or done.stderr)))

    def _start(self, what: Path, *arguments: str, cwd: Path | None = None, **more: str) -> proc.Completed:
        environ = golang.environment(
            program(self.toolchain, "go"), path=str(self.git.parent) if self.git else "", **more
        )
        return proc.run([what, *arguments], env=environ, timeout_s=_TIMEOUT_S, cwd=cwd or self.main, check=False)

    def compare(self, what: str, found: str, wanted: str) -> None:
        """Keep a comparison that is made after Go answered."""
        self.evidence.append(Evidence(what=what, found=found, wanted=wanted))

    def left(self) -> tuple[str, ...]:
        """Return what the module cache holds of the watched modules."""
        return tuple(f"{module} {thing}" for module in self.watched for thing in modules.left_in(self.cache, module))

    def shown(self, text: str) -> str:
        """Return a text with this experiment's folders and port named, so that two runs say the same."""
        # macOS names temporary folders by a link, and Go by where it leads.
        places = [(self.cache, "$MODCACHE"), (self.main, "$MODULE"), (self.work, "$WORK")]
        if self.stock is not None:
            places.append((self.stock.other_tree, "$LOCAL"))
        for place, name in places:
            for spelling in dict.fromkeys((str(place.resolve()), str(place))):
                text = text.replace(spelling, name)
        if self._proxy is not None:
            text = text.replace(self._proxy.url, "$PROXY")
        return store.shown(text).strip()

    def _environment(self, proxy: str, *, sumdb: bool) -> dict[str, str]:
        believed = golang.environment(program(self.toolchain, "go")).get("GOSUMDB", "off")
        return {
            "GOPATH": str(self.work / "gopath"),  # holds what is known of the checksum database
            "GOMODCACHE": str(self.cache),
            "GOPROXY": self.proxy.url if proxy == "on" else proxy,
            "GOSUMDB": believed if sumdb else "off",
            "GOFLAGS": "-modcacherw",
            "GOPRIVATE": "",
            "GONOPROXY": "",
            "GONOSUMDB": "",
            "GOINSECURE": "",
            "GOVCS": "",
            "GOBIN": str(self.work / "bin"),
        } | ({"HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"} if self.home else {})


def _without_trace(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if _OWN_WORDS.match(line))


@dataclass(frozen=True, kw_only=True)
class Question:
    """An experiment that can be run."""

    id: str
    run: Callable[[Trial], None]
    control: str | None
    needs: frozenset[str]  # stock: real modules; mirror: the checksum database's answers; git; network


def question(
    id_: str, *needs: str, control: str | None = None
) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
    """Register an experiment; ``control`` is the id of the one it is to be compared with."""

    def register(function: Callable[[Trial], None]) -> Callable[[Trial], None]:
        QUESTIONS[id_] = Question(id=id_, run=function, control=control, needs=frozenset(needs))
        return function

    return register


#: All experiments by id, in the order in which they are read.
QUESTIONS: Final[dict[str, Question]] = {}
