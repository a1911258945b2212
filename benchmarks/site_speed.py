"""How soon a site can be read: sizes of its pages, and times in a browser that has just been started.

Give it run folders; each is published as often as it takes to have the machines that are asked for, its copies under
made-up names (they say so: nothing of what is printed is about a machine). Prints one JSON document: bytes a page,
and the milliseconds from asking for a page to its tables, to the answer of the search, and to its last figure.

    python -m benchmarks.site_speed runs/<machine>/<run-id> --machines 10
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import msgspec
from playwright.sync_api import sync_playwright

from labkit.site import publish
from labkit.system import records

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip


def copies(run: Path, machines: int, place: Path) -> list[Path]:
    """Return copies of a run, each of another machine by its name and identity."""
    folders = []
    for number in range(machines):
        folder = place / f"machine-{number}" / f"run-{number}"
        shutil.copytree(run, folder, ignore=shutil.ignore_patterns("report", "batches"))
        record = records.read(run / "record.json")
        machine = msgspec.structs.replace(
            record.machine, id=f"synthetic-{number}", chip=f"synthetic chip {number}", memory_bytes=(number + 1) << 30
        )
        records.write(folder / "record.json", msgspec.structs.replace(record, run=f"run-{number}", machine=machine))
        folders.append(folder)
    return folders


def cold(program: str, page: Path, *, figures: bool, word: str | None) -> dict[str, float]:
    """Return the milliseconds to a page's content, to the search's answer and to the last figure, in a new browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        tab = browser.new_context(offline=True, viewport={"width": 1280, "height": 900}).new_page()
        start = time.perf_counter()
        tab.goto(page.as_uri(), wait_until="domcontentloaded")
        tab.wait_for_selector("table, #search", state="attached")
        times = {"read_ms": (time.perf_counter() - start) * 1e3}
        if word:
            tab.locator("#search").fill(word)
            tab.wait_for_selector("#results li")
            times["searched_ms"] = (time.perf_counter() - start) * 1e3
        if figures:
            tab.wait_for_selector("html[data-figures=drawn]", state="attached")
            times["drawn_ms"] = (time.perf_counter() - start) * 1e3
        browser.close()
    return times


def main() -> None:
    """Print sizes and times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--machines", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--word", default="synthetic")
    asked = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome") or ""
    with tempfile.TemporaryDirectory() as place:
        site = publish(copies(asked.run, asked.machines, Path(place)), Path(place) / "site").parent
        pages = {str(each.relative_to(site)): each.stat().st_size for each in site.rglob("*.html")}
        heaviest = max(pages, key=lambda name: pages[name])
        wanted: list[str] = [
            name for name in ("index.html", "compare.html", "ledger.html", "search.html") if name in pages
        ]
        wanted += [name for name in pages if name.startswith("run-0/")]
        times = {}
        for name in wanted:
            drawn = " data-figure " in (site / name).read_text()
            word = asked.word if name == "search.html" else None
            rounds = [cold(program, site / name, figures=drawn, word=word) for _ in range(asked.rounds)]
            times[name] = {key: round(statistics.median(one[key] for one in rounds)) for key in rounds[0]}
        index = {each.name: each.stat().st_size for each in (site / "assets").glob("search-*.js")}
        found = {
            "machines": asked.machines, "heaviest_page": heaviest, "heaviest_bytes": pages[heaviest],
            "whole_pages_bytes": {name: pages[name] for name in wanted if "/" not in name and name in pages},
            "search_index_bytes": index, "median_of": asked.rounds, "times": times,
        }  # fmt: skip
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
