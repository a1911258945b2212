"""Ten real records of this machine, and the published texts, compared along each axis.

Two toolchains (current and handbook), native and translated, several runs: of each set two runs of the quick profile's
notebooks, two of `labkit bench`, and one of `labkit bench --translated`. The texts of tests/data/published are imported
beside them. A record that FOLDER has already is not taken again, so a broken run goes on where it ended.

    python -m benchmarks.compare_records FOLDER

FOLDER/pages/AXIS/index.html are the pages to read. Prints a line an axis: columns by provenance, rows, ratios, how many
of them with an interval, and what was refused by which field. Half an hour on two cores; the numbers need no quiet.
"""

import sys
import tomllib
from collections import Counter
from pathlib import Path

import msgspec

from labkit.bench.published import encode, import_file
from labkit.model.comparison import Axis, Comparison
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import write_atomically

SETS = ("current", "handbook")
PUBLISHED = Path("tests/data/published")
QUICK = Path("params/quick.yaml")
_HOURS = 3600.0


def labkit(*words: str | Path) -> str:
    """Run one command of labkit and return what it printed."""
    return proc.run([sys.executable, "-m", "labkit", *words], env=base(), timeout_s=_HOURS, most_bytes=1 << 26).stdout


def take(folder: Path) -> list[Path]:
    """Return the records, taking those that are not there yet."""
    found = []
    for name in SETS:
        profile = folder / f"{name}.yaml"
        write_atomically(profile, QUICK.read_bytes().replace(b"toolchain: current", f"toolchain: {name}".encode(), 1))
        for turn in (1, 2):
            runs = folder / "runs" / f"{name}-{turn}"
            if not list(runs.rglob("record.json")):
                labkit("run", "--params", profile, "--out", runs)
            found.append(next(path for path in runs.rglob("record.json") if "report" not in path.parts))
            bench = folder / f"bench-{name}-{turn}.json"
            if not bench.exists():
                labkit("bench", "--toolchain", name, "--processes", "6", "--json", "--out", bench)
            found.append(bench)
        pairs = folder / f"translated-{name}.json"
        if not pairs.exists():
            labkit("bench", "--toolchain", name, "--translated", "--time-limit", "5", "--json", "--out", pairs)
        found.append(pairs)
    return found


def publications(folder: Path) -> list[Path]:
    """Return the published texts as imported records."""
    found = []
    for text in tomllib.loads((PUBLISHED / "sources.toml").read_text("utf-8"))["text"]:
        said = {"chip": text.get("says_chip"), "package": text.get("says_package")}
        path = folder / "imported" / f"{text['file']}.json"
        write_atomically(path, encode(import_file(PUBLISHED / text["file"], source=text["source"], **said)))
        found.append(path)
    return found


def row(comparison: Comparison) -> str:
    """Return what came of an axis, in a line."""
    kinds = Counter(str(each.provenance) for each in comparison.columns)
    ratios = [each for line in comparison.rows for each in line.ratios if each.ratio is not None]
    bounded = sum(each.low is not None for each in ratios)
    fields = Counter(each.field for each in comparison.refused)
    return (
        f"{comparison.axis}: columns {dict(kinds)}; {len(comparison.rows)} rows, {len(ratios)} ratios, "
        f"{bounded} with an interval; refused by field: {dict(fields) or 'nothing'}; "
        f"differs: {', '.join(each.field for each in comparison.differs)}"
    )


def main(folder: Path) -> int:
    """Take, import, compare; return the exit code."""
    own = take(folder)
    records = [*own, *publications(folder)]
    print(f"{len(own)} records of this machine, {len(records) - len(own)} published texts")
    print(labkit("compare", "--check", *own), end="")
    for axis in Axis:
        said = labkit("compare", *records, "--across", axis, "--json", "--out", folder / "pages" / axis)
        print(row(msgspec.json.decode(said, type=Comparison)))
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]).absolute()))
