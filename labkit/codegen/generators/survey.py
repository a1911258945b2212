"""All generators over all inputs: made or refused, what the Go declares, and whether it compiles."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.codegen.generate import stamps
from labkit.codegen.generators.compiling import compile_all, newest_runtime
from labkit.codegen.generators.making import MODULE, Made, inputs, make, make_with
from labkit.codegen.generators.pinned import Built, obtain
from labkit.codegen.generators.shaping import Shape, shapes
from labkit.model.generators import (
    Compiled,
    GeneratorInput,
    GeneratorOutcome,
    GeneratorSurvey,
    MessageStruct,
    OptionTrial,
)
from labkit.model.toolchain import Toolchain
from labkit.system.store import file_digest
from labkit.toolchain import find

#: The input whose message is shown in full, and which is generated with every option.
SHOWN: Final = "proto3"
MESSAGE: Final = "Record"
#: The options that say where a file goes: none, the two that are usual, and a module that does not fit.
OPTIONS: Final = ("", f"module={MODULE}", "paths=source_relative", "module=labkit.dev/other")
_OLD: Final = "XXX_"

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """One call of protoc to make, and what came of it."""

    generator: Built
    input: GeneratorInput
    made: Made


def survey(toolchain: Toolchain, *, progress: Progress | None = None) -> GeneratorSurvey:
    """Return what each generator makes of each shipped .proto with a set's protoc.

    Args:
        toolchain: The set whose Go builds the generators and whose protoc calls them.
        progress: Called with one line before each step that may take long.

    Raises:
        ProvisionError: A generator's module is not the pinned one.
        NetworkError: A module is not in the store and could not be fetched.
        ProcessError: protoc or Go could not be run at all.

    """
    say = progress or (lambda _line: None)
    say("the generators")
    runtime = newest_runtime(toolchain)
    generators = obtain(toolchain, runtime)
    everything = inputs()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(max_workers=2) as pool:
        root = Path(scratch).resolve()
        say("the .proto files through each generator")
        pairs = [(generator, what) for generator in generators for what in everything]
        trials = list(pool.map(lambda pair: _try(toolchain, pair[0], pair[1], root), pairs))
        by_option = [(generator, option) for generator in generators for option in OPTIONS]
        optional = list(pool.map(lambda pair: _try_option(toolchain, pair[0], pair[1], root), by_option))
        files = [made.file for made in (*(trial.made for trial in trials), *optional) if made.file]
        read = shapes(toolchain, files)
        say("whether what they made compiles")
        compiled = dict(
            pool.map(lambda generator: (generator.about.version, _compile(toolchain, generator, trials)), generators)
        )
        outcomes = tuple(_outcome(trial, read, compiled[trial.generator.about.version]) for trial in trials)
        options = tuple(
            _option(generator, option, made, read, root)
            for (generator, option), made in zip(by_option, optional, strict=True)
        )
        structs = tuple(_structs(trials, read))
    return GeneratorSurvey(
        toolchain=toolchain.name,
        protoc_version=find(toolchain, "protoc").pinned_version,
        go_version=find(toolchain, "go").pinned_version,
        generators=tuple(generator.about for generator in generators),
        inputs=everything,
        outcomes=outcomes,
        structs=structs,
        options=options,
        wall_time_s=time.monotonic() - started,
    )


def _try(toolchain: Toolchain, generator: Built, what: GeneratorInput, root: Path) -> _Trial:
    folder = root / generator.about.version / what.name
    return _Trial(generator=generator, input=what, made=make(toolchain, generator, what, folder))


def _try_option(toolchain: Toolchain, generator: Built, option: str, root: Path) -> Made:
    return make_with(toolchain, generator, f"{SHOWN}.proto", option, _option_folder(generator, option, root))


def _option_folder(generator: Built, option: str, root: Path) -> Path:
    return root / "options" / generator.about.version / str(OPTIONS.index(option))


def _compile(toolchain: Toolchain, generator: Built, trials: Sequence[_Trial]) -> dict[str, tuple[Compiled, ...]]:
    packages = {
        trial.input.name: trial.made.file for trial in trials if trial.generator is generator and trial.made.file
    }
    found: dict[str, tuple[Compiled, ...]] = {}
    for runtime in generator.runtimes:
        for name, compiled in compile_all(toolchain, runtime, packages).items():
            found[name] = (*found.get(name, ()), compiled)
    return found


def _outcome(
    trial: _Trial, read: Mapping[Path, Shape], compiled: Mapping[str, tuple[Compiled, ...]]
) -> GeneratorOutcome:
    version, name, file = trial.generator.about.version, trial.input.name, trial.made.file
    if file is None:
        return GeneratorOutcome(generator=version, input=name, made=False, said=trial.made.said)
    text, shape = file.read_text("utf-8"), read[file]
    return GeneratorOutcome(
        generator=version,
        input=name,
        made=True,
        said=None,
        stamps=stamps(text),
        line_count=text.count("\n"),
        sha256=file_digest(file),
        imports=shape.imports,
        exported_count=len(shape.exported),
        message_count=sum(struct.message for struct in shape.structs),
        xxx_fields=_fields(shape, old=True),
        xxx_method_count=sum(f".{_OLD}" in exported for exported in shape.exported),
        state_fields=_fields(shape, old=False),
        grpc_types=tuple(name for name in shape.types if name.endswith(("Client", "Server"))),
        compiled=compiled[name],
    )


def _fields(shape: Shape, *, old: bool) -> tuple[str, ...]:
    # The XXX_ fields of messages, or those that are not exported: the runtime's state.
    return tuple(
        f"{struct.name}.{field.name}"
        for struct in shape.structs
        if struct.message
        for field in struct.fields
        if (field.name.startswith(_OLD) if old else field.name[0].islower())
    )


def _option(generator: Built, option: str, made: Made, read: Mapping[Path, Shape], root: Path) -> OptionTrial:
    folder = _option_folder(generator, option, root)
    return OptionTrial(
        generator=generator.about.version,
        option=option,
        made=made.file is not None,
        said=made.said,
        path=made.file.relative_to(folder).as_posix() if made.file else None,
        sha256=file_digest(made.file) if made.file else None,
        xxx_fields=_fields(read[made.file], old=True) if made.file else (),
    )


def _structs(trials: Sequence[_Trial], read: Mapping[Path, Shape]) -> list[MessageStruct]:
    return [
        MessageStruct(generator=trial.generator.about.version, message=MESSAGE, fields=struct.fields)
        for trial in trials
        if trial.input.name == SHOWN and trial.made.file
        for struct in read[trial.made.file].structs
        if struct.name == MESSAGE
    ]
