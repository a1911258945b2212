"""A static site from run folders: what is written where, and how it takes its place; the pages are made elsewhere.

The site is made in a folder beside and renamed, so that a reader sees the old one whole or the new one whole. Only an
earlier site, or an empty folder, is replaced.

    index.html                  the run's report, or the index of several runs
    <run>/index.html            the run's report, when there are several
    <run>/01_install.html ...   a page a notebook
    <run>/claims.html           the statements that were judged, when there are any
    <run>/record.json           the run's record as it was
    assets/                     style, the site's scripts, and plotly's script when a page has figures
"""

import logging
import re
import secrets
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from plotly.offline import get_plotlyjs

from labkit.errors import RecordError, StoreError, UsageError
from labkit.model.run import RunRecord
from labkit.site import notebook
from labkit.site.pages import Pages, Run
from labkit.system import records
from labkit.system.store import saying_why
from labkit.words import Language, preferred_language

log = logging.getLogger(__name__)

_RECORD: Final = "record.json"
_CLAIMS: Final = "claims.html"
#: Tells a site from a folder of the user's.
_MARK: Final = ".labkit-site"
_ASSETS: Final = ("site.css", "site.js", "theme.js", "claims.js")
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
    taken = {"assets", "index.html"}
    return [
        Run(folder=folder, record=record, name=_unique(_fit(record.run), taken))
        for folder, record in map(_read, distinct)
    ]


def _notebook_file(run: Run, file: str) -> Path:
    """Return a notebook's path within its run's folder; a record cannot name a file outside of it."""
    path = (run.folder / file).resolve()
    return path if path.is_relative_to(run.folder) else run.folder / "outside-of-the-run"


def _write_run(pages: Pages, run: Run, site: Path, *, several: bool) -> bool:
    """Write one run's pages and tell whether any has a figure."""
    folder = site / run.name
    folder.mkdir()
    shutil.copyfile(run.folder / _RECORD, folder / _RECORD)
    taken = {"index", "claims"}
    names = [_unique(_fit(executed.name), taken) for executed in run.record.notebooks]
    around = [(executed.name, f"{name}.html") for executed, name in zip(run.record.notebooks, names, strict=True)]
    has_figures = False
    back = "index.html" if several else "../index.html"
    has_claims = run.record.claims is not None and bool(run.record.claims.claims)
    if has_claims:
        (folder / _CLAIMS).write_text(pages.claims(run, report_address=back, several=several), "utf-8")
    for position, executed in enumerate(run.record.notebooks):
        read = notebook.read(_notebook_file(run, executed.file))
        has_figures = has_figures or read.figure_count > 0
        page = pages.notebook(
            run,
            executed,
            read,
            report_address=back,
            several=several,
            claims_address=_CLAIMS if has_claims and executed.name.endswith("claims") else None,
            around=(
                around[position - 1] if position else None,
                around[position + 1] if position + 1 < len(around) else None,
            ),
        )
        (folder / f"{names[position]}.html").write_text(page, "utf-8")
    below = "" if several else f"{run.name}/"
    report = pages.report(
        run,
        addresses=[f"{below}{name}.html" for name in names],
        root="../" if several else "",
        record_address=f"{below}{_RECORD}",
        claims_address=f"{below}{_CLAIMS}" if has_claims else None,
        several=several,
    )
    (folder if several else site).joinpath("index.html").write_text(report, "utf-8")
    return has_figures


def _write_assets(site: Path, *, has_figures: bool) -> None:
    assets = site / "assets"
    assets.mkdir()
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


def publish(runs: Sequence[Path], out: Path, *, language: Language | None = None) -> Path:
    """Write a static site of some runs' folders into ``out`` and return the path of its ``index.html``.

    The site opens from disk and loads nothing from elsewhere. An earlier site in ``out`` is replaced whole. The
    language is that of labkit's own sentences, by default the reader's; notebooks stay as they were written.

    Raises:
        UsageError: No run, or something that is no folder, was named.
        RecordError: A folder holds no record, a damaged one, or one of a newer schema.
        StoreError: ``out`` is something else than a site, or could not be written.

    """
    found = _runs(runs)
    place = out.expanduser().resolve()
    _check_place(place)
    pages = Pages(language or preferred_language())
    several = len(found) > 1
    with saying_why(f"cannot write the site {place}"):
        place.parent.mkdir(parents=True, exist_ok=True)
        made = place.parent / f".{place.name}.{secrets.token_hex(4)}.part"
        made.mkdir()
        try:
            figures = [_write_run(pages, run, made, several=several) for run in found]
            if several:
                index = pages.index(found, [f"{run.name}/index.html" for run in found])
                (made / "index.html").write_text(index, "utf-8")
            _write_assets(made, has_figures=any(figures))
            (made / _MARK).write_text("A site made by labkit; publishing again replaces it.\n", "utf-8")
            _take_place(made, place)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    log.info("published %d run(s) into %s", len(found), place)
    return place / "index.html"
