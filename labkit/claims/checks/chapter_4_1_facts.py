"""Chapter 4.1, the facts: two modules of other versions in a workspace, what generates there, and what gopls starts."""

import contextlib
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from labkit.claims import given, language_server, trying
from labkit.claims.facts import ClaimFacts, probe
from labkit.codegen.generators.pinned import pinned
from labkit.codegen.side_by_side import editor, halves, marker
from labkit.codegen.side_by_side.halves import generate
from labkit.codegen.side_by_side.trial import Place, RefusedError, Trial
from labkit.model.base import Record
from labkit.model.side_by_side import Experiment, Half, Step
from labkit.system.store import home, write_atomically
from labkit.toolchain import find

MODULES: Final = ("old", "new")
_PLAIN: Final = "//go:generate protoc --go_out=pb --go_opt=paths=source_relative --proto_path=../proto note.proto"
_AT_ONCE: Final = 2
_EXECUTABLE: Final = 0o755


@contextlib.contextmanager
def _place(facts: ClaimFacts, *optional: str) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="labkit-pair-") as scratch:
        yield Place.make(given.current(facts, optional=optional), Path(scratch).resolve() / "pair")


@probe("side-by-side-halves")
def both_halves(facts: ClaimFacts) -> tuple[Half, ...]:
    """Select, generate, build and run each of two modules, alone and within their workspace."""
    with _place(facts) as place, ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(lambda look: look(), halves.asked(place)))


class Plain(Record, frozen=True, kw_only=True):
    """A module's go:generate line that only calls protoc, and which plugin's name the generated file then bears."""

    module: str
    wanted: str
    plugin_on_path: bool
    answered: str | None
    step: Step


@probe("side-by-side-plain")
def plain(facts: ClaimFacts) -> tuple[Plain, ...]:
    """Run that line in the workspace's modules, with a marked plugin on PATH and with none."""
    with _place(facts) as place:
        return tuple(_plain(place, module, on_path=on_path) for on_path in (False, True) for module in MODULES)


def _plain(place: Place, module: str, *, on_path: bool) -> Plain:
    trial = Trial(place, f"plain-{module}-{on_path}")
    source = trial.root / module / "main.go"
    source.write_text(re.sub("^//go:generate .*$", _PLAIN, source.read_text("utf-8"), flags=re.MULTILINE), "utf-8")
    (trial.root / module / "pb").mkdir()
    folders = [str(marker.plugin(trial.root / "marker"))] if on_path else []
    path = ":".join([*folders, str(_alone(place.protoc, trial.root / "protoc on PATH"))])
    with contextlib.suppress(RefusedError):
        trial.run_go("generate", ".", module=module, path=path, workspace=True)
    return Plain(
        module=module,
        wanted=place.required(module),
        plugin_on_path=on_path,
        answered=trial.stamp(module),
        step=trial.steps[-1],
    )


def _alone(program: Path, folder: Path) -> Path:
    # A folder with this program and no other: protoc's own may hold plugins too.
    folder.mkdir()
    script = folder / program.name
    write_atomically(script, f'#!/bin/sh\nexec {shlex.quote(str(program))} "$@"\n')
    script.chmod(_EXECUTABLE)
    return folder


SYNTAXES: Final = {
    "proto3": 'syntax = "proto3";',
    "edition 2023": 'edition = "2023";',
    "edition 2023, opaque API": (
        'edition = "2023";\nimport "google/protobuf/go_features.proto";\n'
        "option features.(pb.go).api_level = API_OPAQUE;"
    ),
}
_PROTO: Final = (
    "{syntax}\npackage labkit.pair;\n"
    'option go_package = "labkit.dev/pair/pb";\n'
    "message Note {{ string text = 1; oneof body {{ string plain = 2; bytes raw = 3; }} repeated Kind kinds = 4; }}\n"
    "enum Kind {{ KIND_UNSPECIFIED = 0; KIND_LETTER = 1; }}\n"
)
_MAIN: Final = """package main

import "labkit.dev/pair/{module}/pb"

func main() {{ println((&pb.Note{{}}).ProtoReflect().Descriptor().FullName()) }}
"""


class Global(Record, frozen=True, kw_only=True):
    """Code that one plugin, the same for all, made of one file, and what a module with its own runtime makes of it."""

    plugin: str
    syntax: str
    made: bool  # whether the plugin made code at all
    module: str
    runtime: str
    fits: bool  # it was built and the program ran to its end
    said: str


@probe("side-by-side-one-plugin", recipe={"syntaxes": SYNTAXES})
def one_plugin(facts: ClaimFacts) -> tuple[Global, ...]:
    """Generate with one plugin for both modules, each plugin and syntax; build and run in each module alone."""
    with _place(facts) as place:
        plugins = _plugins(facts, place)  # here and not in the pool, so that what is asked of the facts is noted
        tried = [(version, syntax, module) for version in plugins for syntax in SYNTAXES for module in MODULES]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return tuple(pool.map(lambda each: _one(place, plugins[each[0]], *each), tried))


def _plugins(facts: ClaimFacts, place: Place) -> Mapping[str, Path]:
    # An older one writes code for another module than the pair requires.
    oldest = _numbers(place.required("old").removeprefix("v"))
    versions = [each.tool.version for each in pinned() if _numbers(each.tool.version) >= oldest]
    newest = find(place.toolchain, "protoc-gen-go")
    own = facts.replaced_tool(f"generator:{newest.pinned_version}")
    return {version: trying.generator(facts, version) for version in versions} | {
        newest.pinned_version: own or Path(newest.path)
    }


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _one(place: Place, plugin: Path, version: str, syntax: str, module: str) -> Global:
    trial = Trial(place, f"one-{version}-{syntax.replace(', ', ' ')}-{module}")
    for name in ("main_test.go", "cmd"):
        path = trial.root / module / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (trial.root / module / "main.go").write_text(_MAIN.format(module=module), "utf-8")
    (trial.root / "proto/note.proto").write_text(_PROTO.format(syntax=SYNTAXES[syntax]), "utf-8")
    made = fits = False
    with contextlib.suppress(RefusedError):
        # the runtime's own folder has go_features.proto, which protoc does not bring
        features = _features(trial)
        trial.protoc(f"--plugin=protoc-gen-go={plugin}", f"--proto_path={features}", path=os.defpath, module=module)
        made = True
        trial.run_go("build", "-trimpath", "-buildvcs=false", "-o", "program", ".", module=module)
        trial.step([trial.root / module / "program"], cwd=trial.root / module, env={})
        fits = True
    lines = [line for line in trial.words().splitlines() if line.strip() and not line.startswith("#")]
    return Global(
        plugin=version,
        syntax=syntax,
        made=made,
        module=module,
        runtime=place.required(module),
        fits=fits,
        said=lines[0][:300] if lines else "-",
    )


def _features(trial: Trial) -> str:
    modules = home() / "go/mod" / f"google.golang.org/protobuf@{trial.place.required('new')}"
    return str(modules / "src")


class Watched(Record, frozen=True, kw_only=True):
    """What gopls answered in the workspace, and every program that it started meanwhile, as those saw it."""

    completions: Mapping[str, int]  # offered behind "pb.", by module
    diagnostics: str
    started: tuple[str, ...]  # protoc, protoc-gen-go, go tool ..., go generate ...: whatever generates
    asked_of_go: Mapping[str, int]  # how often each go command was run
    added: tuple[str, ...]  # folders of PATH that only what gopls started has
    added_with_plugin: int  # those that hold a protoc-gen-go


class Editing(Record, frozen=True, kw_only=True):
    """gopls over modules whose code is not generated yet, and over the same modules with it."""

    gopls: str
    names_plugin: int  # how often the program's bytes hold protoc-gen-go
    names_go_generate: int  # and the words by which it runs go generate
    before: Watched
    after: Watched


@probe("side-by-side-editing")
def editing(facts: ClaimFacts) -> Editing:
    """Open both modules in gopls over LSP, with marked programs on PATH, before and after they are generated."""
    with _place(facts, "gopls") as place:
        gopls = next(each for each in place.toolchain.tools if each.name == "gopls")
        held = Path(gopls.path).read_bytes()
        before, after = (_watch(place, generated=each) for each in (False, True))
        return Editing(
            gopls=gopls.pinned_version,
            names_plugin=held.count(b"protoc-gen-go"),
            names_go_generate=held.count(b"go generate"),
            before=before,
            after=after,
        )


def _watch(place: Place, *, generated: bool) -> Watched:
    trial = Trial(place, f"editing-{generated}")
    gopls = place.gopls
    if gopls is None:
        raise AssertionError("gopls was asked for where there is none")
    for module in MODULES if generated else ():
        generate(trial, module)
    watch = marker.protoc(marker.plugin(trial.root / "watch"))
    log = watch / "go.txt"
    script = watch / "go"
    words = f'printf "%s\\t%s\\n" "$PATH" "$*" >>{shlex.quote(str(log))}\nexec {shlex.quote(str(place.go))} "$@"'
    write_atomically(script, f"#!/bin/sh\n{words}\n")
    script.chmod(_EXECUTABLE)
    env = trial.environment(workspace=True) | {"GOPLSCACHE": str(home() / "go" / "gopls")}
    env["PATH"] = f"{watch}:{env['PATH']}"
    files = [trial.root / module / "main.go" for module in MODULES]
    places = [language_server.Place.behind(file, "&pb.") for file in files]
    offered = language_server.complete(gopls, places, env=env, root=trial.root)
    with contextlib.suppress(RefusedError):
        trial.step([gopls, "check", *files], cwd=trial.root, env=env)
    seen = [line.split("\t", 1) for line in log.read_text("utf-8").splitlines() if "\t" in line] if log.exists() else []
    commands = [words for _path, words in seen]
    asked = [words.split()[0] for words in commands if words.split()]
    usual = env["PATH"].split(":")
    added = dict.fromkeys(folder for path, _words in seen for folder in path.split(":") if folder not in usual)
    return Watched(
        completions={module: len(labels) for module, labels in zip(MODULES, offered, strict=True)},
        diagnostics=trial.words().replace(f"{trial.root.name}/", "")[:300],
        started=tuple(
            dict.fromkeys(
                [
                    *marker.runs(watch),
                    *(f"go {each}" for each in commands if each.split()[:1] and each.split()[0] in _MAKES),
                ]
            )
        ),
        asked_of_go={each: asked.count(each) for each in sorted(set(asked))},
        added=tuple(added),
        added_with_plugin=sum((Path(each) / "protoc-gen-go").exists() for each in added),
    )


_MAKES: Final = frozenset({"tool", "generate", "run", "install"})


@probe("side-by-side-gopls")
def asked_of_gopls(facts: ClaimFacts) -> tuple[Experiment, ...]:
    """Ask gopls where an import leads, and let its code lens run go generate."""
    with _place(facts, "gopls") as place, ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(lambda ask: ask(), editor.asked(place)))
