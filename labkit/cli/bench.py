"""``labkit bench``: how fast the kernels are here, and whether they have become slower."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.output import document, print_json, write_markdown
from labkit.cli.rows import print_rows
from labkit.errors import GATE_FAILED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.bench import Plan
    from labkit.bench.regression import Baseline
    from labkit.facts import Facts
    from labkit.model.regression import BenchOutput, LeftOut


_PROCESSES = 10
_TRANSLATION = "translation"


class Format(StrEnum):
    """What is written to standard output."""

    TEXT = "text"
    JSON = "json"
    GO = "go"


def bench(
    *,
    suite: Annotated[
        str | None, typer.Option("--suite", help="Measure this suite.", metavar="NAME", show_default="quick")
    ] = None,
    kernel: Annotated[
        list[str] | None,
        typer.Option("--kernel", metavar="NAME", help="Measure this kernel, NAME@POINT or NAME@*; again for more."),
    ] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", help="Fresh processes a kernel.", show_default="10")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="go is what benchstat reads.")] = Format.TEXT,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="RECORD",
            help="Compare with a record.json, what --out wrote, or a Go benchmark file; exit 1 on a shown slowdown.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", metavar="PERCENT", help="A smaller change is no slowdown.", min=0)
    ] = 5.0,
    translated: Annotated[
        bool, typer.Option("--translated", help="Compare native with translated (Rosetta 2, qemu-user), in pairs.")
    ] = False,
    time_limit: Annotated[
        float | None,
        typer.Option(
            "--time-limit",
            metavar="SECONDS",
            help="The most a kernel may take with --translated.",
            show_default="180",
        ),
    ] = None,
    toolchain: Annotated[
        str, typer.Option("--toolchain", "--set", help="The set that builds the kernels.")
    ] = "current",
    markdown: Annotated[
        Path | None,
        typer.Option(
            "--markdown", metavar="FILE", help="Write the comparison; appended where FILE is $GITHUB_STEP_SUMMARY."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Keep the measurement too: JSON, or Go's format with --format go."),
    ] = None,
) -> None:
    """Measure kernels in fresh processes and say how long an operation takes, with intervals.

    With --against the exit code is 1 when a slowdown is shown, and the kernels are those of the baseline when none is
    named. A baseline of another machine or another version of the suite is refused.
    """
    form = Format.JSON if json else form
    if translated:
        given = {"--against": against, "--processes": processes, "--format go": form if form is Format.GO else None}
        _refuse_beside_translated([name for name, value in given.items() if value is not None])
    before = _baseline(against, markdown)
    plan = _plan(processes)  # refused before anything is built
    facts = _facts(toolchain)
    if translated:
        names, lacking = _choose(facts, suite or (None if kernel else _TRANSLATION), kernel or [], None)
        output = _measure_translated(facts, names, lacking, time_limit_s=time_limit)
    else:
        names, lacking = _choose(facts, suite, kernel or [], before)
        output = _measure(facts, plan, names, lacking, before=before, threshold=threshold)
    _give(output, form, out=out, markdown=markdown)
    if output.regression is not None and output.regression.slower:
        raise typer.Exit(GATE_FAILED)


def _baseline(against: Path | None, markdown: Path | None) -> "Baseline | None":
    from labkit.bench.regression import load
    from labkit.errors import UsageError

    if markdown is not None and against is None:
        raise UsageError("--markdown shows a comparison, and there is none", remedy="name a baseline with --against")
    return None if against is None else load(against)


def _plan(processes: int | None) -> "Plan":
    from labkit.bench import Plan

    return Plan(processes=_PROCESSES if processes is None else processes)


def _facts(toolchain: str) -> "Facts":
    from labkit.facts import Facts
    from labkit.system.progress import steps

    return Facts(toolchain, progress=steps("labkit setup"))


def _give(output: "BenchOutput", form: Format, *, out: Path | None, markdown: Path | None) -> None:
    """Write what was measured to the files that were named, then to standard output."""
    from labkit.bench.benchfmt import write
    from labkit.bench.regression.markdown import markdown as as_markdown
    from labkit.system.store import write_atomically
    from labkit.words import say

    go = write([each.sample for each in output.kernels], output.machine) if form is Format.GO else ""
    if out is not None:
        write_atomically(out, go or document(output) + "\n")
    if markdown is not None and output.regression is not None:
        write_markdown(as_markdown(output.regression), markdown)
    if form is Format.JSON:
        print_json(output)
    elif form is Format.GO:
        typer.echo(go, nl=False)
        _tell(output)
    else:
        _print(output)
        if out is not None:
            typer.echo(say("benchcli.table.saved", file=str(out)))


def _choose(
    facts: "Facts", suite: str | None, kernels: "Sequence[str]", before: "Baseline | None"
) -> tuple[tuple[str, ...], tuple["LeftOut", ...]]:
    """Return the kernels to measure, each with its point, and those that cannot be measured here.

    A baseline of another machine or suite is refused here, before anything is measured.
    """
    from labkit.bench import suites
    from labkit.bench.regression import comparable, in_common, of_samples
    from labkit.model.base import Text
    from labkit.model.regression import LeftOut

    now = of_samples((), facts.machine, name="")
    if before is not None:
        comparable(before, now)
    listed = facts.kernels
    if before is not None:
        comparable(before, now._replace(facts={**now.facts, "suite": str(listed.suite_version)}))
    wanted = list(kernels)
    reasons = {missing.name: missing.reason for missing in listed.not_measured}
    asked: Sequence[str] = ()
    if suite is None and not kernels and before is not None:
        known = {each.name for each in listed.kernels}
        asked = tuple(before.series)
        wanted = [name for name in asked if name.partition("@")[0] in known]
    elif suite is not None or not kernels:
        name = suite or suites.STANDARD
        wanted += suites.suite(name, lacking=listed.not_measured)
        asked = suites.suites()[name].kernels
        asked = tuple(reasons) if "*" in asked else asked
    chosen = suites.choose(wanted, listed.kernels, lacking=listed.not_measured)
    if before is not None:
        in_common(before, [each.name for each in chosen])
    bare = dict.fromkeys(name.partition("@")[0] for name in asked)
    left_out = (LeftOut(kernel=name, why=Text(id=f"bench.missing.{reasons[name]}")) for name in bare if name in reasons)
    return tuple(each.name for each in chosen), tuple(left_out)


def _measure(
    facts: "Facts",
    plan: "Plan",
    names: tuple[str, ...],
    lacking: tuple["LeftOut", ...],
    *,
    before: "Baseline | None",
    threshold: float,
) -> "BenchOutput":
    import msgspec

    from labkit import __version__
    from labkit.bench.benchfmt.writer import cpu_per_process
    from labkit.bench.regression import compare, could_see_percent, of_samples
    from labkit.model.regression import BenchOutput, Measured
    from labkit.system.progress import bar

    first = facts.condition()
    samples = facts.measure(msgspec.structs.replace(plan, kernels=names), progress=bar("labkit bench"))
    last = facts.condition()
    after = of_samples(samples, facts.machine, name="", conditions=(first, last))
    return BenchOutput(
        labkit_version=__version__,
        machine=facts.machine,
        condition_before=first,
        condition_after=last,
        toolchain=facts.toolchain.name,
        kernels=tuple(
            Measured(sample=each, could_see_percent=could_see_percent(map(cpu_per_process, each.processes)))
            for each in samples
        ),
        not_measured=lacking,
        regression=None if before is None else compare(before, after, threshold_percent=threshold),
    )


def _measure_translated(
    facts: "Facts", names: tuple[str, ...], lacking: tuple["LeftOut", ...], *, time_limit_s: float | None
) -> "BenchOutput":
    from labkit import __version__
    from labkit.bench.paired import compare_all, translated_arms, translated_plan
    from labkit.model.regression import BenchOutput
    from labkit.system.progress import bar

    plan = translated_plan(facts.toolchain.platform, time_limit_s=time_limit_s)
    arms = translated_arms(facts.worker_for, facts.toolchain.platform, names, plugin=facts.plugin_for)
    found = compare_all(arms, plan, progress=bar("labkit bench", unit="pair"))
    return BenchOutput(
        labkit_version=__version__,
        machine=facts.machine,
        condition_before=found[0].before,
        condition_after=found[-1].after,
        toolchain=facts.toolchain.name,
        kernels=(),
        not_measured=lacking,
        regression=None,
        translated=found,
    )


def _refuse_beside_translated(given: "Sequence[str]") -> None:
    from labkit.errors import UsageError

    if given:
        raise UsageError(
            f"--translated compares in pairs, as many as it takes; it does not go with {', '.join(given)}",
            remedy="leave one of the two out",
        )


def _tell(output: "BenchOutput") -> None:
    """Say on standard error how the comparison ended, where standard output is not for reading."""
    from labkit.bench.regression.shown import summary

    if output.regression is not None:
        typer.echo(f"labkit bench: {summary(output.regression)}", err=True)


def _print(output: "BenchOutput") -> None:
    from labkit.bench.regression import shown
    from labkit.words import render, say

    if output.translated:
        print_rows(shown.translated_rows(output.translated))
        for difference in output.translated:
            for told in (difference.verdict.reason, *difference.warnings):
                typer.echo(f"  {difference.kernel}: {render(told)}")
    else:
        print_rows(shown.sample_rows(output))
        typer.echo(say("benchcli.table.note", n=max((each.sample.cpu.n for each in output.kernels), default=0)))
    for each in output.kernels:
        for warning in each.sample.warnings:
            typer.echo(f"  {each.sample.kernel}: {render(warning)}")
    for left_out in output.not_measured:
        typer.echo(f"  {left_out.kernel}: {render(left_out.why)}")
    if output.regression is None:
        return
    typer.echo(f"\n{say('benchcli.regression.title', baseline=output.regression.baseline)}")
    print_rows(shown.change_rows(output.regression))
    for note in shown.notes(output.regression):
        typer.echo(f"  {note}")
    typer.echo(shown.summary(output.regression))
