"""Pages from records: the templates' environment, and what each template is given.

Everything that comes out of a record is escaped by Jinja; what the templates print as markup was made in
:mod:`labkit.site.sanitise`, :mod:`labkit.site.figures` or nbconvert's highlighting.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import jinja2
import msgspec

import labkit
from labkit.claims.diagrams import drawing
from labkit.claims.shown import KINDS, kind_of
from labkit.model.base import Provenance, Text
from labkit.model.check import Finding, Status
from labkit.model.machine import Machine, PerformanceLevel, Translation
from labkit.model.run import NotebookRun, NotebookStatus, RunRecord
from labkit.model.traps import TrapOutcome
from labkit.present.sentence import ticked
from labkit.site import claims, compared, notebook, show
from labkit.system.store import shown
from labkit.words import Language, render, say

#: ``file:`` stands beside ``'self'`` because browsers differ in what 'self' means on a page opened from disk.
POLICY: Final = (
    "default-src 'none'; script-src 'self' file:; style-src 'self' file: 'unsafe-inline';"
    " img-src data: blob:; base-uri 'none'; form-action 'none'"
)
#: Characters that turn the text around them over, or that no page shows: they are shown by their numbers.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_HTML_LANGUAGE: Final = {Language.ENGLISH: "en", Language.CHINESE: "zh-Hans"}
_SIGNS: Final = {
    "not_gathered": "…",
    **{str(verdict): style.sign for verdict, style in drawing.STYLES.items() if verdict is not None},
}
_WEB: Final = re.compile(r"https?://[^\s\x00-\x20]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How many findings passed, failed and were skipped."""

    passed: int
    failed: int
    skipped: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a run ended."""

    complete: bool
    sentence: str
    troubles: tuple[NotebookRun, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A run that gets pages: its folder, its record, and the site's folder for it (one path element)."""

    folder: Path
    record: RunRecord
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A run as a line of the index."""

    record: RunRecord
    address: str
    ended: Ended
    tally: Tally
    claims: str | None  # address of the page of its statements
    claim_counts: Counter[str]


def findings(record: RunRecord) -> tuple[Finding, ...]:
    """Return all findings of a record, in the order of its sections."""
    sections = (record.install, record.codegen, record.binaries, record.debugging)
    return tuple(finding for section in sections if section is not None for finding in section.findings)


def traps(record: RunRecord) -> tuple[TrapOutcome, ...]:
    """Return the traps that a run tried."""
    return record.traps.report.traps if record.traps is not None and record.traps.report is not None else ()


def tally(found: Sequence[Finding]) -> Tally:
    """Count findings by status."""
    count = {status: sum(finding.status is status for finding in found) for status in Status}
    return Tally(passed=count[Status.PASS], failed=count[Status.FAIL], skipped=count[Status.SKIP])


def seen(value: object) -> object:
    """Return what a template prints, its texts without characters that turn others over or are not shown."""
    if not isinstance(value, str) or _UNSEEN.search(value) is None:
        return value
    return type(value)(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", value))


def folder_of(language: Language) -> str:
    """Return the folder of a language's pages where they are not the first ones: ``zh/``."""
    return f"{_HTML_LANGUAGE[language].partition('-')[0]}/"


class Pages:
    """The templates in one language.

    Args:
        language: The language.
        below: The folder of its pages below the site's root: "" or ``zh/``.
        other: The other language and its folder.

    """

    def __init__(self, language: Language, *, below: str = "", other: tuple[Language, str]) -> None:
        self.language = language
        self.below = below
        self._other = other
        self.environment = jinja2.Environment(
            loader=jinja2.PackageLoader("labkit.site"),
            autoescape=True,
            finalize=seen,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters: dict[str, Callable[..., object]] = {
            "text": self.text,
            "shown": shown,
            "ticked": ticked,
            "minimum_system": show.minimum_system,
            "chip": show.chip,
            "system": show.system,
            "when": show.when,
            "size": show.size,
            "seconds": show.seconds,
            "median": show.median,
            "bounds": show.bounds,
            "percent": show.percent,
            "file_name": lambda path: PurePosixPath(path).name,
            "web_address": lambda address: address if _WEB.fullmatch(address) else None,
            "claim_kind": self.claim_kind,
            "claim_sign": lambda kind: _SIGNS[kind],
            "claim_evidence": lambda kind: say(f"claims.kind.{kind}", language),
            "yaml": lambda value: msgspec.json.encode(value).decode(),
        }
        self.environment.filters.update(filters)
        self.environment.globals.update(
            t=self.say,
            c=self.say_claim,
            kinds=KINDS,
            lang=_HTML_LANGUAGE[language],
            policy=POLICY,
            version=labkit.__version__,
        )

    def say(self, name: str, /, **values: str | float) -> str:
        """Return one of the site's own sentences."""
        return say(f"site.{name}", self.language, **values)

    def say_claim(self, name: str, /, **values: str | float) -> str:
        """Return one of the sentences of the claims' page."""
        return say(f"claimpage.{name}", self.language, **values)

    def claim_kind(self, kind: str) -> str:
        """Return what a statement is counted as, with its sign."""
        word = "claimpage.column.not_gathered" if kind == "not_gathered" else f"claims.verdict.{kind}"
        return f"{_SIGNS[kind]} {say(word, self.language)}"

    def text(self, text: Text) -> str:
        """Return a record's text, also when its values do not fit this labkit's sentence."""
        try:
            return render(text, self.language)
        except (KeyError, IndexError, ValueError, AttributeError, TypeError):
            return f"{text.id} {dict(text.values)}"

    def _render(self, template: str, place: str, **values: object) -> str:
        """Return a page; ``place`` is its path below the folder of its language."""
        root = "../" * place.count("/")
        site = root + "../" * self.below.count("/")
        language, folder = self._other
        return self.environment.get_template(template).render(
            values,
            root=root,
            site=site,
            other_lang=_HTML_LANGUAGE[language],
            other_name=say("site.language_name", language),
            other_address=f"{site}{folder}{place}",
        )

    def ended(self, record: RunRecord) -> Ended:
        """Say how a run ended."""
        troubles = tuple(one for one in record.notebooks if one.status is not NotebookStatus.DONE)
        elapsed_s = show.elapsed_s(record.started_at, record.ended_at)
        time = show.seconds(elapsed_s if elapsed_s is not None else sum(one.wall_time_s for one in record.notebooks))
        count = len(record.notebooks)
        if not count:
            sentence = self.say("outcome_none")
        elif troubles:
            sentence = self.say("outcome_incomplete", bad=len(troubles), n=count, time=time)
        else:
            sentence = self.say("outcome_complete", n=count, time=time)
        return Ended(complete=bool(count) and not troubles, sentence=sentence, troubles=troubles)

    def _cores(self, machine: Machine) -> str | None:
        def level(position: int, one: PerformanceLevel) -> str:
            count = one.physical_core_count or one.logical_core_count or "?"
            if one.name:
                return self.say("level_cores", n=count, name=one.name)
            return self.say("level_numbered", n=count, level=position)

        physical, logical = machine.physical_core_count, machine.logical_core_count
        if logical is None:
            return None
        cores = self.say("cores_logical_only", logical=logical)
        if physical is not None:
            cores = self.say("cores", physical=physical, logical=logical)
        levels = [level(position, one) for position, one in enumerate(machine.performance_levels, 1)]
        return f"{cores}: {', '.join(levels)}" if len(levels) > 1 else cores

    def _execution(self, machine: Machine) -> str:
        if machine.translation is Translation.NATIVE:
            return self.say("native", architecture=machine.architecture)
        return self.say(
            "translated",
            process=machine.process_architecture,
            architecture=machine.architecture,
            translator=machine.translation,
        )

    def _virtual(self, machine: Machine) -> str | None:
        if machine.virtual is None:
            return None
        if machine.virtual and machine.hypervisor:
            return self.say("yes_by", name=machine.hypervisor)
        return self.say("yes" if machine.virtual else "no")

    def machine_facts(self, record: RunRecord) -> list[tuple[str, str, bool]]:
        """Return who the machine is: label, value, and whether the value was obtained."""
        machine = record.machine

        def fact(label: str, field: str, value: str | None) -> tuple[str, str, bool]:
            if value is not None:
                return self.say(label), value, True
            missing = machine.missing.get(field)
            reason = self.text(missing) if missing is not None else self.say("no_reason")
            return self.say(label), self.say("not_obtained", reason=reason), False

        def size(size_bytes: int | None) -> str | None:
            return None if size_bytes is None else show.size(size_bytes)

        facts = [
            fact("machine_chip", "chip", machine.chip),
            fact("machine_cores", "logical_core_count", self._cores(machine)),
            fact("machine_memory", "memory_bytes", size(machine.memory_bytes)),
            fact("machine_system", "system_name", show.system(machine)),
            fact("machine_kernel", "kernel", machine.kernel),
            fact("machine_execution", "translation", self._execution(machine)),
            fact("machine_model", "model", machine.model),
            fact("machine_virtual", "virtual", self._virtual(machine)),
            fact("machine_page", "page_size_bytes", size(machine.page_size_bytes)),
            fact("machine_line", "cache_line_bytes", size(machine.cache_line_bytes)),
        ]
        if record.performance is not None:
            before, after = record.performance.condition_before, record.performance.condition_after
            if before.load_1min is not None and after.load_1min is not None:
                load = self.say("load_from_to", before=f"{before.load_1min:.2f}", after=f"{after.load_1min:.2f}")
                facts.append((self.say("machine_load"), load, True))
        return facts

    def report(
        self,
        run: Run,
        place: str,
        *,
        addresses: Sequence[str],
        claims_address: str | None,
        several: bool,
    ) -> str:
        """Return a run's report; ``addresses`` are its notebooks' pages, relative to it."""
        judged = run.record.claims.claims if run.record.claims is not None else ()
        found = findings(run.record)
        return self._render(
            "report.html.j2",
            place,
            several=several,
            synthetic=run.record.provenance is Provenance.SYNTHETIC,
            record=run.record,
            ended=self.ended(run.record),
            machine_facts=self.machine_facts(run.record),
            findings=found,
            tally=tally(found),
            notebooks=list(zip(run.record.notebooks, addresses, strict=True)),
            claims_address=claims_address,
            run_folder=run.name,
            claim_counts=Counter(kind_of(each) for each in judged),
            traps=traps(run.record),
        )

    def notebook(
        self,
        run: Run,
        executed: NotebookRun,
        read: notebook.Notebook,
        place: str,
        *,
        report_address: str,
        several: bool,
        claims_address: str | None,
        around: tuple[tuple[str, str] | None, tuple[str, str] | None],
    ) -> str:
        """Return a notebook's page; ``around`` are the name and address of the one before and the one after."""
        return self._render(
            "notebook.html.j2",
            place,
            several=several,
            synthetic=run.record.provenance is Provenance.SYNTHETIC,
            has_figures=read.figure_count > 0,
            record=run.record,
            run=executed,
            notebook=read,
            report_address=report_address,
            claims_address=claims_address,
            previous=around[0],
            following=around[1],
        )

    def claims(self, run: Run, place: str, *, report_address: str, several: bool) -> str:
        """Return the page of the statements that a run judged; there are some."""
        assert run.record.claims is not None  # noqa: S101 - for mypy
        view = claims.view(run.record.claims, self.language)
        return self._render(
            "claims.html.j2",
            place,
            several=several,
            synthetic=run.record.provenance is Provenance.SYNTHETIC,
            has_search=True,
            record=run.record,
            report_address=report_address,
            view=view,
            most=max(len(each.claims) for each in view.chapters),
        )

    def comparison(self, side: compared.Side, sides: Sequence[compared.Side]) -> str:
        """Return the page of one comparison, which leads to the others."""
        return self._render(
            "compare.html.j2",
            side.page,
            side=side,
            sides=[(each.page, each.name) for each in sides],
            synthetic=side.synthetic,
            has_figures=any(part.figure is not None for part in side.parts),
        )

    def ledger(self, side: compared.Side, addresses: Mapping[str, str]) -> str:
        """Return the page of statements by machine; ``addresses`` are the pages of statements of runs."""
        return self._render("ledger.html.j2", "ledger.html", side=side, synthetic=side.synthetic, addresses=addresses)

    def search(self, script: str, *, synthetic: bool) -> str:
        """Return the page of the search; ``script`` is the file of its index."""
        return self._render("search.html.j2", "search.html", index_script=script, synthetic=synthetic)

    def index(
        self,
        runs: Sequence[Run],
        addresses: Sequence[str],
        claims_addresses: Sequence[str | None],
        *,
        sides: Sequence[compared.Side],
        documents: Sequence[compared.Named],
    ) -> str:
        """Return the index of several runs, by machine, the newest first."""
        by_machine: dict[str, list[Listed]] = {}
        for run, address, claims_address in zip(runs, addresses, claims_addresses, strict=True):
            judged = run.record.claims.claims if run.record.claims is not None else ()
            line = Listed(
                record=run.record,
                address=address,
                ended=self.ended(run.record),
                tally=tally(findings(run.record)),
                claims=claims_address,
                claim_counts=Counter(kind_of(each) for each in judged),
            )
            by_machine.setdefault(run.record.machine.id, []).append(line)
        for lines in by_machine.values():
            lines.sort(key=lambda one: one.record.started_at, reverse=True)
        return self._render(
            "index.html.j2",
            "index.html",
            synthetic=all(run.record.provenance is Provenance.SYNTHETIC for run in runs),
            machines=[(lines[0].record.machine, lines) for _, lines in sorted(by_machine.items())],
            run_count=len(runs),
            sides=[(each.page, each.name) for each in sides],
            has_ledger=bool(sides[0].ledger),
            documents=documents,
        )
