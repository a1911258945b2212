"""A static site from run folders: what is written where, and how it takes its place; the pages are made elsewhere.

The site is made in a folder beside and renamed, so that a reader sees the old one whole or the new one whole. Only an
earlier site, or an empty folder, is replaced.

    index.html                  the run's report, or the index of several runs
    <run>/index.html            the run's report, when there are several
    <run>/01_install.html ...   a page a notebook
    <run>/claims.html           the statements that were judged, when there are any
    <run>/record.json           the run's record as it was
    compare.html, ledger.html   the machines, and the statements, side by side, when there are several runs
    compare-toolchain.html ...  the same by toolchain, day and translation, where two of them have times
    search.html                 finds what is on the site, by the index in assets/
    zh/...                      every page again in the other language (``en/`` where the first one is Chinese)
    assets/                     style, the site's scripts, and plotly's script when a page has figures
"""

import logging
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from plotly.offline import get_plotlyjs

from labkit.claims.shown import kind_of
from labkit.errors import RecordError, StoreError, UsageError
from labkit.model.base import Provenance
from labkit.model.comparison import Axis
from labkit.model.run import NotebookRun, RunRecord
from labkit.site import compared, notebook, search
from labkit.site.pages import Pages, Run, findings, folder_of, traps
from labkit.system import records
from labkit.system.store import saying_why
from labkit.words import Language, preferred_language

log = logging.getLogger(__name__)

_RECORD: Final = "record.json"
_CLAIMS: Final = "claims.html"
#: Tells a site from a folder of the user's.
_MARK: Final = ".labkit-site"
_ASSETS: Final = ("site.css", "site.js", "theme.js", "claims.js", "search.js")
#: The pages of the site as a whole.
_PAGES: Final = ("index.html", *map(compared.page_of, Axis), "ledger.html", "search.html")
_UNFIT: Final = re.compile(r"[^\w.-]+")
_NAME_LENGTH: Final = 100


def _fit(name: str) -> str:
    """Return a name that is one harmless path element and needs no escaping in an address."""
    return _UNFIT.sub("-", name).strip(".-_")[:_NAME_LENGTH] or "unnamed"


def _unique(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found.casefold() in taken:  # macOS's file system takes no notice of case
        number += 1
        found = f"{name}-{number}"
    taken.add(found.casefold())
    return found


def _read(folder: Path) -> tuple[Path, RunRecord]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", remedy="name a run's folder, runs/<machine>/<run-id>")
    if not (folder / _RECORD).is_file():
        raise RecordError(f"{folder} holds no {_RECORD}", remedy="name a run's folder, runs/<machine>/<run-id>")
    return folder, records.read(folder / _RECORD)


def _runs(folders: Sequence[Path]) -> list[Run]:
    if not folders:
        raise UsageError("no run was named", remedy="name one or more run folders, runs/<machine>/<run-id>")
    distinct = dict.fromkeys(folder.expanduser().resolve() for folder in folders)
    taken = {"assets", *_PAGES, *(folder_of(each).rstrip("/") for each in Language)}
    return [
        Run(folder=folder, record=record, name=_unique(_fit(record.run), taken))
        for folder, record in map(_read, distinct)
    ]


def _notebook_file(run: Run, file: str) -> Path:
    """Return a notebook's path within its run's folder; a record cannot name a file outside of it."""
    path = (run.folder / file).resolve()
    return path if path.is_relative_to(run.folder) else run.folder / "outside-of-the-run"


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A run with its notebooks, read once for both languages; each notebook has its file's name without ``.html``."""

    run: Run
    notebooks: tuple[tuple[str, NotebookRun, notebook.Notebook], ...]

    @property
    def has_claims(self) -> bool:
        return self.run.record.claims is not None and bool(self.run.record.claims.claims)


def _read_notebooks(run: Run) -> _Read:
    taken = {"index", "claims"}
    return _Read(
        run=run,
        notebooks=tuple(
            (_unique(_fit(executed.name), taken), executed, notebook.read(_notebook_file(run, executed.file)))
            for executed in run.record.notebooks
        ),
    )


def _write_run(pages: Pages, read: _Read, root: Path, *, several: bool) -> None:
    """Write one run's pages in one language."""
    run = read.run
    folder = root / run.name
    folder.mkdir(parents=True, exist_ok=True)
    back = "index.html" if several else "../index.html"
    if read.has_claims:
        text = pages.claims(run, f"{run.name}/{_CLAIMS}", report_address=back, several=several)
        (folder / _CLAIMS).write_text(text, "utf-8")
    around = [None, *((executed.name, f"{name}.html") for name, executed, _ in read.notebooks), None]
    for position, (name, executed, content) in enumerate(read.notebooks):
        page = pages.notebook(
            run,
            executed,
            content,
            f"{run.name}/{name}.html",
            report_address=back,
            several=several,
            claims_address=_CLAIMS if read.has_claims and executed.name.endswith("claims") else None,
            around=(around[position], around[position + 2]),
        )
        (folder / f"{name}.html").write_text(page, "utf-8")
    below = "" if several else f"{run.name}/"
    report = pages.report(
        run,
        f"{run.name}/index.html" if several else "index.html",
        addresses=[f"{below}{name}.html" for name, _, _ in read.notebooks],
        claims_address=f"{below}{_CLAIMS}" if read.has_claims else None,
        several=several,
    )
    (folder if several else root).joinpath("index.html").write_text(report, "utf-8")


def _search_lines(pages: Pages, reads: Sequence[_Read], *, several: bool) -> Iterator[search.Line]:
    """Return what can be found, each statement where its machine judged it last."""
    latest: dict[tuple[str, str], _Read] = {}
    for read in sorted(reads, key=lambda each: each.run.record.started_at):
        record = read.run.record
        for claim in record.claims.claims if record.claims is not None else ():
            key = (record.machine.id, claim.id)
            if key not in latest or kind_of(claim) != "not_gathered":
                latest[key] = read
    for read in reads:
        run = read.run
        yield from search.lines(
            run.record,
            f"{run.name}/index.html" if several else "index.html",
            [(executed.name, f"{run.name}/{name}.html", content) for name, executed, content in read.notebooks],
            f"{run.name}/{_CLAIMS}",
            {id_ for (_, id_), last in latest.items() if last is read},
            pages.language,
            findings(run.record),
            traps(run.record),
            pages.text,
        )


def _write_whole(pages: Pages, reads: Sequence[_Read], told: compared.Compared | None, site: Path) -> bool:
    """Write the pages of the site as a whole in one language, and return whether one of them has a figure."""
    root, synthetic = site / pages.below, _synthetic(reads)
    script = f"search-{pages.language}.js"
    lines = _search_lines(pages, reads, several=told is not None)
    (site / "assets" / script).write_text(search.script(lines), "utf-8")
    (root / "search.html").write_text(pages.search(script, synthetic=synthetic), "utf-8")
    if told is None:
        return False
    sides = [compared.view(each, pages.language) for each in told.comparisons]
    for each in sides:
        (root / each.page).write_text(pages.comparison(each, sides), "utf-8")
    side = sides[0]
    if side.ledger:
        addresses = {each.run.record.run: f"{each.run.name}/{_CLAIMS}" for each in reads if each.has_claims}
        (root / "ledger.html").write_text(pages.ledger(side, addresses), "utf-8")
    index = pages.index(
        [each.run for each in reads],
        [f"{each.run.name}/index.html" for each in reads],
        [f"{each.run.name}/{_CLAIMS}" if each.has_claims else None for each in reads],
        sides=sides,
        documents=told.documents,
    )
    (root / "index.html").write_text(index, "utf-8")
    return any(part.figure is not None for each in sides for part in each.parts)


def _synthetic(reads: Sequence[_Read]) -> bool:
    return all(each.run.record.provenance is Provenance.SYNTHETIC for each in reads)


def _write_assets(site: Path, *, has_figures: bool) -> None:
    assets = site / "assets"
    shipped = resources.files("labkit.site") / "assets"
    for name in _ASSETS:
        (assets / name).write_bytes((shipped / name).read_bytes())
    if has_figures:
        (assets / "plotly.min.js").write_text(get_plotlyjs(), "utf-8")


def _check_place(out: Path) -> None:
    """Refuse to replace what is no site of labkit's."""
    if out.is_dir() and not (out / _MARK).is_file() and any(out.iterdir()):
        raise StoreError(
            f"{out} is not empty and holds no site of labkit's; it is not replaced",
            remedy="name a new or empty folder with --out",
        )
    if out.exists() and not out.is_dir():
        raise StoreError(f"{out} is a file", remedy="name a new or empty folder with --out")


def _take_place(made: Path, out: Path) -> None:
    """Rename the new site to its place, the old one out of the way."""
    if not out.exists():
        made.rename(out)
        return
    old = made.with_suffix(".old")
    out.rename(old)
    try:
        made.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def publish(named: Sequence[Path], out: Path, *, language: Language | None = None) -> Path:
    """Write a static site of some runs' folders into ``out`` and return the path of its ``index.html``.

    A document that is named beside them (``labkit import``, ``bench --out`` and ``claims --json`` write some) has no
    page of its own and is compared with them.

    The site opens from disk and loads nothing from elsewhere. An earlier site in ``out`` is replaced whole. Every page
    is there in both languages, which are those of labkit's own sentences; notebooks stay as they were written. The
    pages of ``language``, by default the reader's, are the first to be seen.

    Raises:
        UsageError: No run, or something that is no folder, was named.
        RecordError: A folder holds no record, a damaged one, or one of a newer schema.
        StoreError: ``out`` is something else than a site, or could not be written.

    """
    folders, documents = compared.documents_of([each.expanduser() for each in named])
    found = _runs(folders)
    place = out.expanduser().resolve()
    _check_place(place)
    first = language or preferred_language()
    second = next(each for each in Language if each is not first)
    several = len(found) > 1 or bool(documents)
    with saying_why(f"cannot write the site {place}"):
        place.parent.mkdir(parents=True, exist_ok=True)
        made = place.parent / f".{place.name}.{secrets.token_hex(4)}.part"
        made.mkdir()
        try:
            reads = [_read_notebooks(run) for run in found]
            (made / "assets").mkdir()
            told = compared.side_by_side([run.folder / _RECORD for run in found], documents) if several else None
            drawn = any(content.figure_count for read in reads for _, _, content in read.notebooks)
            for run in found:
                (made / run.name).mkdir()
                shutil.copyfile(run.folder / _RECORD, made / run.name / _RECORD)
            folder = folder_of(second)
            for pages in (Pages(first, other=(second, folder)), Pages(second, below=folder, other=(first, ""))):
                root = made / pages.below
                for read in reads:
                    _write_run(pages, read, root, several=several)
                drawn |= _write_whole(pages, reads, told, made)
            _write_assets(made, has_figures=drawn)
            (made / _MARK).write_text("A site made by labkit; publishing again replaces it.\n", "utf-8")
            _take_place(made, place)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    log.info("published %d run(s) into %s", len(found), place)
    return place / "index.html"
