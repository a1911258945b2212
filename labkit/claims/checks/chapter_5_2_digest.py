"""Chapter 5.2, pt-query-digest: what its report says of a slow log, and whether it speaks of an index."""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from labkit.claims import pools
from labkit.claims.base import output, tool
from labkit.claims.checks.chapter_5_2 import PoolCheck, plans
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.model.claims import PartVerdict
from labkit.system import proc
from labkit.system.environment import base

_DIGEST: Final = ("pt-query-digest", "--no-version-check", "--limit", "100%", "slow.log")
#: MySQL's slow log of the two statements, with the times and rows that were measured on the pool's database.
_SLOW_LOG: Final = """\
# Time: 2024-01-02T00:00:00.000000Z
# User@Host: shop[shop] @ localhost []  Id:     1
# Query_time: {query_s:.6f}  Lock_time: 0.000001 Rows_sent: 1  Rows_examined: {rows}
SET timestamp=1704153600;
SELECT COUNT(*) FROM orders WHERE status = 'pending' AND created_at < '2024-01-02';
# Time: 2024-01-02T00:00:00.000000Z
# User@Host: shop[shop] @ localhost []  Id:     2
# Query_time: {lock_s:.6f}  Lock_time: {lock_s:.6f} Rows_sent: 0  Rows_examined: 1
SET timestamp=1704153600;
UPDATE orders SET note = 'seen' WHERE id = 1;
"""


class Digest(Record, frozen=True, kw_only=True):
    """What pt-query-digest said of a slow log."""

    code: int
    statements: int  # of the log's two, that it named
    words: tuple[str, ...]  # of the lines that speak of an index or a key
    hints: tuple[str, ...]  # the commands that it prints to go on with
    first: str  # the statement that it puts first


@probe("pool-digest", tools=("pt-query-digest",))
def digested(facts: ClaimFacts) -> Digest:
    """Give the tool a slow log in MySQL's format with the measured times and rows of both statements."""
    seen = facts.get(pools.outage)
    lock_s = max(each.longest_ms for each in seen.loads if each.cause == "lock") / 1000
    text = _SLOW_LOG.format(query_s=seen.query_ms / 1000, rows=seen.rows_scanned, lock_s=lock_s)
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        (Path(scratch) / "slow.log").write_text(text, "utf-8")
        done = proc.run(
            [facts.tool(_DIGEST[0]), *_DIGEST[1:]],
            env=base(LC_ALL="C"),
            timeout_s=60,
            cwd=Path(scratch),
            check=False,
        )
    lines = [line.strip() for line in done.stdout.splitlines()]
    ranked = next((line.split()[-2:] for line in lines if re.match(r"#\s+1 0x", line)), ["-"])
    return Digest(
        code=done.returncode,
        statements=sum(any(word in line for line in lines) for word in ("SELECT COUNT(*)", "UPDATE orders SET")),
        words=tuple(line for line in lines if re.search(r"\b(index|key)\b", line, re.IGNORECASE)),
        hints=tuple(dict.fromkeys(line.lstrip("# ") for line in lines if re.search(r"EXPLAIN /|SHOW CREATE", line))),
        first=" ".join(ranked),
    )


class QueryDigest(PoolCheck):
    """Give pt-query-digest a slow log with the times and rows that were measured, and look for an index in its report.

    The log has two statements: the query without its index, and an update that waited for a lock. What PostgreSQL's own
    plan says of the query is shown beside.
    """

    id = "5.2.05"
    needs = (tool("pt-query-digest"),)
    turned_by = "another pt-query-digest"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the lines of the report that speak of an index."""
        said = facts.get(digested)
        evidence = [
            output(
                " ".join(_DIGEST),
                f"names {said.statements} of 2 statements, {said.first} first; of an index: "
                f"{'; '.join(said.words) or 'nothing'}; to go on: {'; '.join(said.hints) or 'nothing'}",
            ),
            *plans(facts),
        ]
        if said.code or not said.statements:
            yield self.untested("untested", would_test="would_test", evidence=evidence)
            return
        hint = next((each for each in said.hints if each.startswith("EXPLAIN")), "-")
        yield self.judged(bool(said.words), evidence, first=said.first, hint=hint, words=(said.words or ("-",))[0])
