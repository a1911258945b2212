"""One experiment while it runs: its programs, what they said, and the outcome that follows from it.

Nothing here knows what is tried. Each experiment gets a copy of the pair of its own, so that none sees another's files.
"""

import contextlib
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from labkit.errors import NetworkError, ProcessError
from labkit.model.base import Text
from labkit.model.side_by_side import Experiment, Outcome, Step
from labkit.model.toolchain import Toolchain
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import saying_why
from labkit.toolchain import find, golang, program

#: The pair of modules, a third one, the .proto file and the script that generates.
PAIR: Final = Path(__file__).parent / "pair"
PROTO: Final = "note.proto"
PLUGIN: Final = "google.golang.org/protobuf/cmd/protoc-gen-go"
RUNTIME: Final = "google.golang.org/protobuf"
_TIMEOUT_S: Final = 600.0
_SAID_CHARACTERS: Final = 2000
_SHOWN: Final = ("PATH", "GOWORK", "GOTOOLCHAIN")
_REQUIRED: Final = re.compile(rf"^(?:require)?\s+{re.escape(RUNTIME)} (v\S+)", re.MULTILINE)
_STAMP: Final = re.compile(r"^//\s+protoc-gen-go\s+(v\S+)$", re.MULTILINE)
_VERSION: Final = re.compile(r"\bv\d\S+")


#: An experiment that is yet to be made.
Asked = Callable[[], Experiment]


class RefusedError(Exception):
    """A step ended with another exit code than 0; the experiment ends there."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where experiments are made, and with which tools."""

    toolchain: Toolchain
    folder: Path
    go: Path
    protoc: Path
    gopls: Path | None

    @classmethod
    def make(cls, toolchain: Toolchain, folder: Path) -> Self:
        """Return a place whose modules are fetched.

        Raises:
            NetworkError: A module is not here and could not be fetched.

        """
        gopls = next((Path(tool.path) for tool in toolchain.tools if tool.name == "gopls"), None)
        with saying_why(f"cannot make {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
        place = cls(
            toolchain=toolchain,
            folder=folder.resolve(),
            go=program(toolchain, "go"),
            protoc=program(toolchain, "protoc"),
            gopls=gopls,
        )
        copy = place.copy("fetched")
        for module in ("old", "new"):
            try:
                golang.run(place.go, "mod", "download", cwd=copy / module)
            except NetworkError:
                raise
            except ProcessError:
                continue  # a Go that cannot read these modules: the experiments say so in its own words
        return place

    @property
    def go_version(self) -> str:
        """The version of the set's Go, without a leading go."""
        return find(self.toolchain, "go").pinned_version

    def copy(self, name: str) -> Path:
        """Return a fresh copy of the pair in a folder of its own."""
        with saying_why(f"cannot copy the pair into {self.folder}"):
            return Path(shutil.copytree(PAIR, self.folder / name))

    def required(self, module: str) -> str:
        """Return the runtime's version that a module's go.mod requires, such as v1.28.1."""
        found = _REQUIRED.search((PAIR / module / "go.mod").read_text("utf-8"))
        if found is None:
            raise AssertionError(f"{module}/go.mod requires no {RUNTIME}")
        return found.group(1)


class Trial:
    """The steps of one experiment so far."""

    def __init__(self, place: Place, name: str, go: str | None = None) -> None:
        self.place = place
        self.root = place.copy(name)
        self.steps: list[Step] = []
        self.wanted: str | None = None
        self.told = ""
        self._toolchain = {} if go in {None, place.go_version} else {"GOTOOLCHAIN": f"go{go}"}

    def step(self, argv: list[str | Path], *, cwd: Path, env: dict[str, str]) -> str:
        """Run a program and return its standard output without outer white space.

        Raises:
            RefusedError: It ended with another exit code than 0.

        """
        done = proc.run(argv, env=env, timeout_s=_TIMEOUT_S, cwd=cwd, check=False)
        said = "\n".join(text for text in (done.stdout.strip(), done.stderr.strip()) if text)
        self.steps.append(
            Step(
                command=tuple(self._shown(word) for word in done.argv),
                folder=cwd.relative_to(self.place.folder).as_posix(),
                environment={name: self._shown(env[name]) for name in _SHOWN if name in env},
                exit_code=done.returncode,
                said=self._shown(said)[:_SAID_CHARACTERS],
                wall_time_s=done.wall_time_s,
            )
        )
        if done.returncode != 0:
            raise RefusedError
        return done.stdout.strip()

    def run_go(
        self, *arguments: str, module: str, path: str = "", workspace: bool = False, offline: bool = False
    ) -> str:
        """Run go in a module of the copy and return its standard output; GOWORK is off unless ``workspace``."""
        env = self.environment(path=path, workspace=workspace) | ({"GOPROXY": "off"} if offline else {})
        return self.step([self.place.go, *arguments], cwd=self.root / module, env=env)

    def environment(self, *, path: str = "", workspace: bool = False) -> dict[str, str]:
        """Return Go's environment, with further folders on PATH."""
        more = self._toolchain | ({"GOWORK": ""} if workspace else {})
        return golang.environment(self.place.go, path=path, **more)

    def protoc(self, *options: str, path: str, module: str = "old") -> str | None:
        """Generate the pair's .proto into a module's pb with a PATH; return which protoc-gen-go stamped it."""
        out = self.root / module / "pb"
        out.mkdir(exist_ok=True)
        words = [*options, f"--go_out={out}", "--go_opt=paths=source_relative", f"--proto_path={self.root / 'proto'}"]
        self.step([self.place.protoc, *words, PROTO], cwd=self.root / module, env=base(path=path))
        return self.stamp(module)

    def stamp(self, module: str = "old") -> str | None:
        """Return the plugin's version in the header of a module's generated file, or None without one."""
        with contextlib.suppress(FileNotFoundError):
            return first_match(_STAMP, (self.root / module / "pb/note.pb.go").read_text("utf-8"))
        return None

    def tell(self) -> None:
        """Keep what the last step said as words that belong to the answer, though nothing was refused."""
        self.told = self.words()

    def words(self) -> str:
        """Return what the last step said."""
        return self.steps[-1].said if self.steps else ""

    def _shown(self, text: str) -> str:
        return text.replace(f"{self.place.folder}/", "").replace(str(self.place.folder), ".")


def first_match(pattern: re.Pattern[str], text: str) -> str | None:
    """Return a pattern's first group, or the whole of a pattern without one, where it first matches."""
    found = pattern.search(text)
    return None if found is None else found.group(found.re.groups and 1)


def version_in(text: str) -> str | None:
    """Return the first version in a text, such as v1.28.1."""
    return first_match(_VERSION, text)


def outcome(wanted: str | None, answered: str | None, *, refused: bool) -> Outcome:
    """Return what follows from what was wanted and what answered."""
    if refused:
        return Outcome.REFUSED
    if answered is None:
        return Outcome.NOTHING_RAN
    return Outcome.AS_WANTED if answered == wanted else Outcome.ANOTHER


def attempt(
    place: Place,
    id_: str,
    ask: Callable[[Trial], str | None],
    *,
    wanted: str | None = None,
    go: str | None = None,
) -> Experiment:
    """Run one experiment.

    Args:
        place: Where and with what.
        id_: Its permanent id.
        ask: Runs the steps and returns what answered; it may set the trial's ``wanted`` by what a step says.
        wanted: What should answer; None when nothing in particular should.
        go: The version of Go it runs with; None when no Go takes part.

    """
    trial = Trial(place, id_ if go in {None, place.go_version} else f"{id_}-go{go}", go)
    trial.wanted = wanted
    answered: str | None = None
    refused = False
    try:
        answered = ask(trial)
    except RefusedError:
        refused = True
    return Experiment(
        id=id_,
        go=go,
        wanted=trial.wanted,
        answered=answered,
        outcome=outcome(trial.wanted, answered, refused=refused),
        words=trial.words() if refused else trial.told,
        steps=tuple(trial.steps),
    )


def not_tried(
    id_: str, reason: Text, *, go: str | None = None, wanted: str | None = None, words: str = ""
) -> Experiment:
    """Return an experiment that could not be made here, with its reason."""
    return Experiment(
        id=id_, go=go, wanted=wanted, answered=None, outcome=Outcome.NOT_TRIED, words=words, reason=reason
    )
