"""Compares committed generated code with what its sources generate now, and names the kind of each difference.

The committed folder is only read: the code is generated into a folder of its own. Kinds are decided by the Go syntax
tree and the embedded descriptor (:mod:`labkit.codegen.drift.shapes`), by the rules of
:mod:`labkit.codegen.drift.judging`; docs/drift.md tells them.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from labkit.codegen.drift import committed as committed_code
from labkit.codegen.drift.eras import era_of, fits
from labkit.codegen.drift.judging import judge
from labkit.codegen.drift.regenerate import Regenerated, regenerated
from labkit.codegen.drift.shapes import Answer, Pair, Side, compare, reader
from labkit.errors import GenerateError, VacuousError
from labkit.model.drift import Drift, DriftFile, DriftKind, Era, Reason, Unjudged, UnjudgedFile
from labkit.model.generation import Inputs
from labkit.model.toolchain import Toolchain

__all__ = ["drift", "judge"]

UNKNOWN = "unknown"


def drift(
    toolchain: Toolchain,
    inputs: Inputs,
    out: Path,
    *,
    jobs: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Drift:
    """Return how the code below ``out`` differs from what a set generates from ``inputs`` now.

    Args:
        toolchain: The set that generates.
        inputs: The sources, as for code generation.
        out: The folder of the committed code.
        jobs: How many processes generate at a time; as many as there are processors when None.
        progress: Called with the number of steps done, of all, and what now.

    Raises:
        VacuousError: There was nothing to compare.
        UsageError: A source is not there.
        GenerateError: The set's protoc or plugins do not work.

    """
    found = committed_code.find(out)
    program = reader(toolchain)
    with regenerated(toolchain, inputs, out, jobs=jobs, progress=progress) as made:
        paths = sorted({*found, *made.files})
        pairs = [Pair(committed=found.get(path), generated=made.files.get(path)) for path in paths]
        answers = compare(program, pairs)
    files: list[DriftFile] = []
    others: list[UnjudgedFile] = []
    for path, answer in zip(paths, answers, strict=True):
        file = _file(path, answer, made)
        (files if isinstance(file, DriftFile) else others).append(file)  # type: ignore[arg-type]
    if not files:
        raise _vacuous(out, inputs, made, others)
    counts = Counter(file.kind for file in files)
    return Drift(
        looked_at=len(files),
        files=tuple(files),
        counts={kind: counts[kind] for kind in DriftKind},
        toolchain=toolchain.name,
        out=str(out),
        not_judged=tuple(others),
        refused=made.refused,
    )


def _vacuous(out: Path, inputs: Inputs, made: Regenerated, others: list[UnjudgedFile]) -> VacuousError:
    sources = ", ".join(inputs.sources)
    refused = f", and {len(made.refused)} sources were refused" if made.refused else ""
    listed = f"; {len(others)} files there are not judged" if others else ""
    return VacuousError(
        f"drift looked at nothing: {sources} gave no Go code{refused}, and below {out} lies no code "
        f"that protoc-gen-go or protoc-gen-go-grpc made of it{listed} (looked from {Path.cwd()})",
        remedy="name the folder of the .proto files and, with --out, that of their committed Go code",
    )


def _file(path: str, answer: Answer, made: Regenerated) -> DriftFile | UnjudgedFile:
    committed, generated = answer.committed, answer.generated
    if generated is not None and generated.syntax:
        raise GenerateError(
            f"what was generated as {path} is no Go code: {generated.syntax}", remedy="please report it with the source"
        )
    if committed is None:
        return DriftFile(
            path=path,
            kind=DriftKind.MISSING,
            made_by=None,
            reasons=(Reason.NOT_COMMITTED,),
            source=made.sources.get(path) or (generated.source if generated else None) or None,
            generated_by=maker(generated) if generated else None,
        )
    if generated is None:
        return _alone(path, committed, made)
    kind, reasons = judge(committed, generated, answer.comparison)
    comparison = answer.comparison
    era = _era(committed, generated.plugin)
    return DriftFile(
        path=path,
        kind=kind,
        made_by=maker(committed),
        reasons=reasons,
        source=made.sources.get(path) or generated.source or None,
        versions=committed.versions,
        generated_by=maker(generated),
        looks_like=era,
        stamp_fits=fits(committed.versions.get(committed.plugin), era),
        fault=committed.unreadable or committed.syntax or None,
        differences=comparison.listed() if comparison else (),
        left_out=comparison.left_out if comparison else 0,
    )


def _alone(path: str, committed: Side, made: Regenerated) -> DriftFile | UnjudgedFile:
    """Judge a file that only the committed folder has: an orphan if it is by our plugins and nothing makes it."""
    source = committed.source or made.source_of(path)

    def unjudged(why: Unjudged) -> UnjudgedFile:
        return UnjudgedFile(path=path, why=why, made_by=maker(committed), source=source)

    if committed.plugin not in made.plugins:
        return unjudged(Unjudged.FOREIGN)
    if source is not None and source in {refusal.source for refusal in made.refused}:
        return unjudged(Unjudged.REFUSED)
    asked = source is not None and source in made.asked
    if source is not None and not asked and made.has(source):
        return unjudged(Unjudged.OUTSIDE)
    era = _era(committed, committed.plugin)
    return DriftFile(
        path=path,
        kind=DriftKind.ORPHAN,
        made_by=maker(committed),
        reasons=(Reason.NOT_GENERATED if asked else Reason.SOURCE_GONE,),
        source=source,
        versions=committed.versions,
        looks_like=era,
        stamp_fits=fits(committed.versions.get(committed.plugin), era),
        fault=committed.unreadable or committed.syntax or None,
    )


def _era(committed: Side, plugin: str) -> Era | None:
    # Of a file that names another plugin, this plugin's eras say nothing.
    if committed.features is None or (committed.plugin and committed.plugin != plugin):
        return None
    return era_of(plugin, committed.features)


def maker(side: Side) -> str:
    """Return which plugin in which version a header names, as ``protoc-gen-go v1.36.12``; ``unknown`` for none."""
    versions: Mapping[str, str] = side.versions
    if not side.plugin:
        return UNKNOWN
    version = versions.get(side.plugin)
    return f"{side.plugin} {version}" if version else side.plugin
