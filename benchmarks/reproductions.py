"""Runs every reproduction, the slow ones too, and writes what each printed to docs/reproductions.md.

``python -m benchmarks.reproductions [ID...]`` (a minute or two; the network for what was not fetched before). With
ids, those are run and shown, and nothing is written.
"""

import platform
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from labkit.doctor.symptoms import diagnose
from labkit.facts import Facts
from labkit.model.toolchain import Toolchain
from tests.reproduction_bench import Told, make_bench
from tests.reproductions import NOT_REPRODUCED, REPRODUCTIONS, Reproduction, telling_line

OUT: Final = Path(__file__).parents[1] / "docs/reproductions.md"
_CONTROL: Final = re.compile(r"\x1b\[[0-9;]*m|[\x00-\x08\x0b-\x1f]")
_WIDEST: Final = 300


def main() -> int:
    """Run, print and write; 1 when one did not show what it should."""
    wanted = set(sys.argv[1:])
    toolchain = Facts("current").toolchain
    faults = 0
    rows = []
    for reproduction in REPRODUCTIONS:
        if wanted and reproduction.id not in wanted:
            continue
        try:
            row, text = _row(reproduction, toolchain)
        except (AssertionError, pytest.skip.Exception, pytest.fail.Exception) as error:
            print(f"{reproduction.id}: {error}")
            faults += 1
            continue
        rows.append(row)
        print(f"{row}\n{text}" if wanted else row, flush=True)
    if not wanted and not faults:
        OUT.write_text(_page(rows, toolchain), "utf-8")
    return int(faults > 0)


def _row(reproduction: Reproduction, toolchain: Toolchain) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        broken, mended = reproduction.run(make_bench(Path(folder), toolchain))
    line = telling_line(reproduction, broken)
    if re.search(reproduction.shows, mended.text, re.MULTILINE):
        raise AssertionError(f"the mended state shows it too: {mended.command}: {mended.text}")
    kind, rank = "state", "-"
    if not reproduction.state:
        ranked = [cause.rule for cause in diagnose(broken.text)]
        if reproduction.id not in ranked[:3] or diagnose(mended.text):
            raise AssertionError(f"ranked {ranked}; mended {diagnose(mended.text)}")
        kind, rank = "text", str(ranked.index(reproduction.id) + 1)
    note = f"{reproduction.how}" + (f" ({reproduction.note})" if reproduction.note else "")
    cells = (reproduction.id, note, _code(_brief(broken)), _code(line), kind, rank)
    return f"| {' | '.join(cells)} |", f"{broken.text}--- mended: {mended.command}\n{mended.text}"


def _brief(told: Told) -> str:
    return re.sub(rf"/home/\S+?/|{re.escape(str(Path.home()))}/", "~/", told.command)


def _code(text: str) -> str:
    plain = _CONTROL.sub(" ", text).replace("|", "\\|").strip()
    plain = plain if len(plain) <= _WIDEST else f"{plain[:_WIDEST]}..."
    fence = "``" if "`" in plain else "`"
    pad = " " if "`" in plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


_HEAD: Final = """\
# Failure modes reproduced

On {where}, {date}, with
{versions}. Made anew by `python -m benchmarks.reproductions`.

{texts} failure modes printed their text (`text`): real tools in a state that was broken on purpose, and the same
command prints nothing of the kind once the state is mended. `rank` is the place of the rule among the causes that
`labkit doctor --symptom` names for the whole text, without looking at the machine. {states} more are a `state` that
prints nothing on Linux; the line is what a look at the bytes says. `/bench` is the folder of one reproduction, `/set`
the provisioned tools, HOST a host that was left out.

| id | what was broken | command | first telling line | kind | rank |
|---|---|---|---|---|---|
{rows}

## Not reproduced

{missing}
"""


def _page(rows: list[str], toolchain: Toolchain) -> str:
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    texts = sum(" | text | " in row for row in rows)
    return _HEAD.format(
        where=f"{platform.system()} {platform.release().split('-')[0]} on {platform.machine()}, {system}",
        date=datetime.now(UTC).date(),
        versions=", ".join(f"{tool.name} {tool.version}" for tool in toolchain.tools),
        texts=texts,
        states=len(rows) - texts,
        rows="\n".join(rows),
        missing="\n".join(f"- {id_}: {why}." for id_, why in NOT_REPRODUCED.items()),
    )


if __name__ == "__main__":
    raise SystemExit(main())
