"""What ``jstat -gc`` shows of a collection, column by column, on the JDK at hand, and what the JVM's own log shows."""

import re
from importlib import resources
from typing import Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case
from labkit.system import proc
from labkit.traps import jdk
from labkit.traps.rig import PATIENCE_S, Rig

_SOURCE: Final = "Paused.java"
_REMEDY: Final = "run it once more with -v and read the log"
_COLUMN: Final = 10  # the one that the handbook's awk prints, counted from 1
_PATTERN: Final = r"^[0-9]+\.[0-9]+$"  # the handbook's grep


def case(rig: Rig) -> Case:
    """Return which number the tenth column is, and where a pause's length really stands."""
    part = jdk.part()
    if not part.present():
        return Case(
            id="jstat",
            status=Status.SKIP,
            text=Text(id="trap_kafka.case.jstat_wanted", values={"column": _COLUMN}),
            reason=part.reason(),
        )
    source = rig.folder / _SOURCE
    source.write_bytes(resources.files(__package__).joinpath(_SOURCE).read_bytes())
    rig.run([*jdk.watching("javac"), "-d", rig.folder, source])
    java = rig.enter(
        proc.converse(
            [jdk.tool("java"), "-Xmx64m", "-XX:+UseSerialGC", "-Xlog:gc:file=gc.log", "-cp", rig.folder, "Paused"],
            env=rig.environment(),
            cwd=rig.folder,
        )
    )
    rig.enter(jdk.ended_in_order(java))
    rows = []
    for _ in range(2):
        java.write_line("", remedy=_REMEDY)
        java.read_line(timeout_s=PATIENCE_S, remedy=_REMEDY)
        rows.append(rig.run([*jdk.watching("jstat"), "-gc", str(java.pid)]).stdout)
    head, *_ = (row.split("\n")[0].split() for row in rows)
    before, after = (dict(zip(head, row.split("\n")[1].split(), strict=True)) for row in rows)
    logged = next(line for line in (rig.folder / "gc.log").read_text().splitlines() if "Pause Full" in line)
    name = head[_COLUMN - 1]
    facts: dict[str, str | int | float | bool] = {
        "column_10": name,
        "column_10_before": float(before[name]),
        "column_10_after": float(after[name]),
        "matches_pattern": bool(re.match(_PATTERN, after[name])),
        "gct_column": head.index("GCT") + 1,
        "full_collections": int(float(after["FGC"])) - int(float(before["FGC"])),
        "gct_s": round(float(after["GCT"]) - float(before["GCT"]), 3),
    }
    return Case(
        id="jstat",
        status=Status.PASS if name == "MU" and facts["full_collections"] == 1 else Status.FAIL,
        text=Text(
            id="trap_kafka.case.jstat", values={"column": _COLUMN, "name": name, "gct_column": head.index("GCT") + 1}
        ),
        command=f"jstat -gc {java.pid}",
        output=f"{rows[0]}{rows[1]}\n$ grep 'Pause Full' gc.log  # java -Xlog:gc:file=gc.log\n{logged}",
        facts=facts,
    )
