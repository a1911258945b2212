"""Chapter 5.2: each verdict turns when another program uses the pool, or another tool reads the slow log."""

import msgspec
import pytest

from labkit.claims import ClaimFacts, pools
from labkit.model.claims import ClaimVerdict
from labkit.traps import jars, jdk
from labkit.traps.pool.service import PACKAGE
from tests.claims_support import result, sentences, turned
from tests.support import missing

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict

#: A breaker before the pool that opens at the first failure, and one request at a time that may ask the pool.
GUARDED = {
    "try (Connection connection = source.getConnection())": "try (Connection connection = taken())",
    "        synchronized String state() {": """
        private volatile boolean open;

        private Connection taken() throws SQLException {
            synchronized (source) {
                if (open) {
                    throw new SQLException("the breaker is open");
                }
                try {
                    return source.getConnection();
                } catch (SQLException error) {
                    open = true;
                    throw error;
                }
            }
        }

        synchronized String state() {""",
}
#: A batch job that holds no lock, and a threshold that is never more than the least one.
HARMLESS = {
    'what.equals("begin")': 'what.equals("never")',
    'Long.parseLong(values.get("leak"))': 'Math.min(2000, Long.parseLong(values.get("leak")))',
}


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture(scope="module")
def other(plain, tmp_path_factory):
    """Return a function that gathers a probe with another program on the pool."""
    if jdk.folder() is None:
        missing("JDK", "apt-get install default-jdk-headless")
    if not jars.part("HikariCP", PACKAGE).present():
        missing("Maven", "apt-get install maven")

    def gathered(changes, probe):
        text = pools.SOURCE.read_text("utf-8")
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        program = tmp_path_factory.mktemp("pool") / "Orders.java"
        program.write_text(text, "utf-8")
        return ClaimFacts(plain.lab, own_tools={"pool:program": program}).get(probe)

    return gathered


@pytest.fixture(scope="module")
def guarded(other):
    return {"pool-waits": other(GUARDED, pools.held)}


@pytest.fixture(scope="module")
def harmless(other):
    return {"pool-outage": other(HARMLESS, pools.outage)}


@pytest.mark.parametrize(
    ("id_", "part", "was", "becomes"),
    [
        ("5.2.01", "a", REFUTED, CONFIRMED),
        ("5.2.04", "a", CONFIRMED, REFUTED),
        ("5.2.04", "b", REFUTED, CONFIRMED),
    ],
)
def test_a_program_that_guards_its_pool(plain, guarded, id_, part, was, becomes):
    turned(id_, plain, was, becomes, part=part, own_facts=guarded)


@pytest.mark.parametrize("id_", ["5.2.02", "5.2.03", "5.2.06"])
def test_a_program_without_the_lock_and_with_the_least_threshold(plain, harmless, id_):
    turned(id_, plain, CONDITIONAL, CONFIRMED, own_facts=harmless)


def test_an_index_that_helps_nobody(plain):
    """Of the real record, the requests after the index are those before it: a real run would take twice as long."""
    seen = plain.get(pools.outage)
    slow = next(each for each in seen.loads if not each.index)
    loads = [
        msgspec.structs.replace(slow, index=each.index, timeout_ms=each.timeout_ms) if each.cause == "scan" else each
        for each in seen.loads
    ]
    own = {"pool-outage": msgspec.structs.replace(seen, loads=tuple(loads))}
    for id_ in ("5.2.02", "5.2.06"):
        turned(id_, plain, CONDITIONAL, REFUTED, own_facts=own)


def test_5_2_05_a_tool_that_names_the_index(plain, executable):
    if plain.has_tool("pt-query-digest") is None:
        missing("pt-query-digest", "apt-get install percona-toolkit")
    body = 'pt=$(cat slow.log); echo "$pt"; echo "# ALTER TABLE orders ADD INDEX (status, created_at)"'
    turned("5.2.05", plain, REFUTED, CONFIRMED, own_tools={"pt-query-digest": executable("pt-query-digest", body)})
    broken = executable("broken", "exit 1")
    turned("5.2.05", plain, REFUTED, UNTESTED, own_tools={"pt-query-digest": broken})


def test_5_2_05_without_the_tool_it_is_untested(plain):
    found = result("5.2.05", ClaimFacts(plain.lab, own_tools={"pt-query-digest": None}))
    assert found.verdict is UNTESTED
    assert "pt-query-digest" in sentences(found)
