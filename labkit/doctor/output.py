"""What ``labkit doctor --json`` prints: sentences, not ids; docs/doctor.md describes it."""

from collections.abc import Iterable, Mapping

from labkit import __version__
from labkit.doctor.fix import Mended
from labkit.doctor.host_rules.base import how_it_runs
from labkit.doctor.symptoms import Cause
from labkit.model.base import Record
from labkit.model.check import Evidence, Finding, Remedy, Status
from labkit.model.host import HostFacts, HostTool
from labkit.system.store import home
from labkit.words import Language, render


class Seen(Record, frozen=True, kw_only=True):
    """One thing that was looked at."""

    what: str  # a path, a command or a setting's place
    found: str
    wanted: str | None


class Advice(Record, frozen=True, kw_only=True):
    """What to do: a sentence (empty when nothing is to be done), and commands to copy."""

    text: str
    commands: tuple[str, ...]


class FindingOutput(Record, frozen=True, kw_only=True):
    """The outcome of one check."""

    id: str
    status: Status
    title: str
    evidence: tuple[Seen, ...]
    remedy: Advice
    reason: str | None  # of a skip
    link: str | None
    confirmed_on_hardware: bool | None  # null: the check is about no particular machine


class ToolOutput(Record, frozen=True, kw_only=True):
    """One executable of the host."""

    name: str
    path: str
    place: str
    wins: bool
    shadows: tuple[str, ...]
    format: str
    architectures: tuple[str, ...]
    runs: str  # native, translated, wrong or script: by this machine
    version: str | None
    error: str | None


class FindingsOutput(Record, frozen=True, kw_only=True):
    """``labkit doctor --json``: the findings, and what they rest on."""

    findings: tuple[FindingOutput, ...]
    version: str  # labkit's
    machine: str  # its id, as in a record
    project: str | None  # the folder whose files were looked at
    store: str  # the folder of labkit's tools and caches
    path: tuple[str, ...]  # of PATH
    environment: Mapping[str, str]  # what is set of Go's, cgo's, Homebrew's and conda's variables
    go_env_file: str | None  # where `go env -w` writes
    go_env_written: Mapping[str, str]  # what stands in it
    tools: tuple[ToolOutput, ...]


class CauseOutput(Record, frozen=True, kw_only=True):
    """One possible cause of a text."""

    rule: str
    confidence: float
    title: str
    evidence: tuple[Seen, ...]
    against: tuple[Seen, ...]
    remedy: Advice
    settles: str  # what would tell for certain
    link: str
    confirmed_on_hardware: bool


class PointerOutput(Record, frozen=True, kw_only=True):
    """A statement of the handbook, or a trap, that a text is about."""

    id: str  # 1.01, mtls
    title: str  # the statement, or what the trap is
    command: str  # that judges the statement here, or runs the trap


class CausesOutput(Record, frozen=True, kw_only=True):
    """``labkit doctor --symptom TEXT --json``: the likeliest first; all three empty when nothing is known."""

    causes: tuple[CauseOutput, ...]
    claims: tuple[PointerOutput, ...] = ()
    traps: tuple[PointerOutput, ...] = ()


class FixOutput(Record, frozen=True, kw_only=True):
    """What was done about one finding."""

    id: str
    done: tuple[str, ...]  # empty: nothing was done
    before: FindingOutput
    after: FindingOutput
    path_line: str | None  # to copy into the shell


class FixesOutput(Record, frozen=True, kw_only=True):
    """``labkit doctor --fix ID --yes --json``."""

    fixes: tuple[FixOutput, ...]


def finding_output(finding: Finding, language: Language | None = None) -> FindingOutput:
    """Return a finding with its texts in a language."""
    return FindingOutput(
        id=finding.id,
        status=finding.status,
        title=render(finding.title, language),
        evidence=_seen(finding.evidence),
        remedy=_advice(finding.remedy, language),
        reason=render(finding.reason, language) if finding.reason else None,
        link=finding.link,
        confirmed_on_hardware=finding.confirmed_on_hardware,
    )


def findings_output(findings: Iterable[Finding], facts: HostFacts, language: Language | None = None) -> FindingsOutput:
    """Return the document of all findings and of the host they were found on."""
    return FindingsOutput(
        findings=tuple(finding_output(each, language) for each in findings),
        version=__version__,
        machine=facts.machine.id,
        project=facts.project.folder if facts.project else None,
        store=str(home()),
        path=facts.path,
        environment=facts.environment,
        go_env_file=facts.go_env_file,
        go_env_written=facts.go_env_written,
        tools=tuple(_tool(each, facts) for each in facts.tools),
    )


def _tool(tool: HostTool, facts: HostFacts) -> ToolOutput:
    return ToolOutput(
        name=tool.name,
        path=tool.path,
        place=tool.place,
        wins=tool.wins,
        shadows=tool.shadows,
        format=tool.format,
        architectures=tool.architectures,
        runs=how_it_runs(tool, facts),
        version=tool.version,
        error=tool.error,
    )


def causes_output(
    causes: Iterable[Cause],
    language: Language | None = None,
    *,
    claims: Iterable[PointerOutput] = (),
    traps: Iterable[PointerOutput] = (),
) -> CausesOutput:
    """Return the document of a text's causes, and of what else it leads to."""
    return CausesOutput(
        claims=tuple(claims),
        traps=tuple(traps),
        causes=tuple(
            CauseOutput(
                rule=each.rule,
                confidence=each.confidence,
                title=render(each.title, language),
                evidence=_seen(each.evidence),
                against=_seen(each.against),
                remedy=_advice(each.remedy, language),
                settles=render(each.settles, language),
                link=each.link,
                confirmed_on_hardware=each.confirmed_on_hardware,
            )
            for each in causes
        ),
    )


def fixes_output(mended: Iterable[Mended], language: Language | None = None) -> FixesOutput:
    """Return the document of what was mended."""
    return FixesOutput(
        fixes=tuple(
            FixOutput(
                id=each.id,
                done=each.done,
                before=finding_output(each.before, language),
                after=finding_output(each.after, language),
                path_line=each.path_line,
            )
            for each in mended
        )
    )


def by_id(findings: Iterable[Finding]) -> Mapping[str, Finding]:
    """Return findings by their ids."""
    return {finding.id: finding for finding in findings}


def _seen(evidence: Iterable[Evidence]) -> tuple[Seen, ...]:
    return tuple(Seen(what=each.what, found=each.found, wanted=each.wanted) for each in evidence)


def _advice(remedy: Remedy | None, language: Language | None) -> Advice:
    if remedy is None:
        return Advice(text="", commands=())
    return Advice(text=render(remedy.text, language), commands=remedy.commands)
