"""How long ``diagnose`` takes, for one line and for hostile pastes of 5 MB, beside the plain way, in one run.

    python -m benchmarks.symptom_speed

The plain way tries every expression on the whole text with ``re.search``, no literal looked for first; it is measured
on a text cut to 200 kB, for on 5 MB it does not end in a time that anyone waits. The start-up is that of a process
which imports the package and diagnoses one line, less that of a process which imports labkit alone. Writes the
table of docs/symptoms.md between its ``speed`` marks.
"""

import datetime as dt
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from labkit.doctor.symptoms import diagnose
from labkit.doctor.symptoms.ranking import Meter
from labkit.doctor.symptoms.ruleset import rules

DOCS = Path(__file__).parents[1] / "docs/symptoms.md"
SIZE = 5_000_000
LINE = (
    "protoc-gen-go: something not found in /usr/bin/x{0} killed: 8 exit code {0} go.mod:{0} protoc: exec format err\n"
)
ONE = "protoc-gen-go: program not found or is not executable"
PASTES = {
    "a log of near misses": "".join(LINE.format(number) for number in range(50_000)),
    "one line without an end": "protoc-gen-go" * 400_000,
    "escapes": "\x1b[" * 2_500_000,
    "paths": "a/" * 2_500_000,
    "halves of messages": "could not find protoc--osx-aarch_64 " * 150_000,
}


def seconds(act: Callable[[], object], times: int = 5) -> float:
    """Return the median of some runs."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        act()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def plainly(text: str) -> list[str]:
    """Name the rules by trying everything on everything."""
    return [id_ for id_, rule in rules().items() if any(pattern.expression.search(text) for pattern in rule.patterns)]


def process(code: str) -> float:
    """Return the seconds of a process of this Python."""
    return seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True, capture_output=True))


def main() -> None:
    diagnose(ONE)
    process("import labkit")  # the first one reads the files from the disk
    start = process("import labkit")
    with_symptoms = process(f"from labkit.doctor.symptoms import diagnose; diagnose({ONE!r})")
    one = seconds(lambda: diagnose(ONE), 101)
    rows = [
        f"| a process that imports it and answers one line, beyond its start | | {with_symptoms - start:.3f} s | | |",
        f"| one line, warm | {len(ONE)} | {one * 1000:.2f} ms | | |",
    ]
    for name, paste in PASTES.items():
        text = paste[:SIZE]
        meter = Meter()
        diagnose(text, meter=meter)
        taken = seconds(lambda text=text: diagnose(text), 3)
        short = text[:200_000]
        ratio = seconds(lambda short=short: plainly(short), 1) / seconds(lambda short=short: diagnose(short), 3)
        rows.append(f"| {name} | {len(text):,} | {taken:.2f} s | {meter.characters:,} | {ratio:.0f} |")
    table = (
        f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, in one run: "
        "`python -m benchmarks.symptom_speed`.\n\n"
        "| text | characters | time | characters given to expressions | plain way on its first 200 kB over ours |\n"
        "|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )
    marked = re.compile(r"(?<=<!-- speed -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)
    DOCS.write_text(marked.sub(lambda _: table, DOCS.read_text("utf-8"), count=1), "utf-8")
    print(table)


if __name__ == "__main__":
    main()
