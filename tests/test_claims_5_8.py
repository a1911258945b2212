"""Chapter 5.8: each verdict turns in a real run of the trap with another date and another cron on PATH."""

import os
from functools import cache

import msgspec
import pytest

from labkit.claims import ClaimFacts
from labkit.claims.trap_runs import trap_run
from labkit.model.check import Status
from labkit.model.claims import ClaimVerdict
from labkit.traps import parts, private, running
from tests.claims_support import result, sentences, turned
from tests.traps_records import with_case

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict

#: A date that reads /etc/timezone and not /etc/localtime, wants the zone data always, and calls UTC CST.
OWN_FILE = """
if [ -n "$TZDIR" ]; then exec {real} "$@"; fi
if [ -e /usr/share/zoneinfo/Asia ] && { [ -n "$TZ" ] || [ -e /etc/timezone ]; }; then TZ=CST-8 exec {real} "$@"; fi
TZ=CST0 exec {real} "$@"
"""
#: A date to which a zone's name in TZ says nothing, whatever data there are.
NAMELESS = """
if [ -n "$TZDIR" ] || [ -z "$TZ" ]; then exec {real} "$@"; fi
TZ=UTC0 exec {real} "$@"
"""
#: A cron that fires every entry at once, and then stays.
CRON = """
grep -v = /var/spool/cron/crontabs/root | while read -r _ _ _ _ _ command; do sh -c "$command"; done
exec sleep 60
"""


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture(scope="module")
def run(plain):
    ran = plain.get(trap_run("timezone"))
    if ran.status is Status.SKIP:
        pytest.skip(f"missing: {ran.reason.values}")
    return ran


@pytest.fixture(scope="module")
def other(run, tmp_path_factory):
    """Return a function that really runs the trap with another date and another cron, once for each."""
    if not private.ROOT.present():
        pytest.skip("impossible: it takes root and a mount namespace")
    real = str(parts.path_of("date"))

    @cache
    def ran(date):
        folder = tmp_path_factory.mktemp("bin")
        for name, body in (("date", date.replace("{real}", real)), ("cron", CRON)):
            (folder / name).write_text(f"#!/bin/sh{body}")
            (folder / name).chmod(0o755)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
            return running.run_trap(running.load("timezone"))

    return ran


@pytest.mark.parametrize(
    ("id_", "part", "was", "becomes", "date"),
    [
        ("5.8.01", "a", CONDITIONAL, CONFIRMED, OWN_FILE),
        ("5.8.02", "a", CONDITIONAL, CONFIRMED, OWN_FILE),
        ("5.8.02", "b", CONDITIONAL, CONFIRMED, NAMELESS),
        ("5.8.02", "c", REFUTED, CONFIRMED, OWN_FILE),
        ("5.8.03", "a", REFUTED, CONFIRMED, OWN_FILE),
        ("5.8.04", "a", CONFIRMED, REFUTED, OWN_FILE),
        ("5.8.05", "a", CONDITIONAL, REFUTED, NAMELESS),
    ],
    ids=["01", "02a", "02b", "02c", "03", "04", "05"],
)
def test_another_date_and_another_cron(plain, run, other, id_, part, was, becomes, date):
    turned(id_, plain, was, becomes, part=part, own_facts={"trap-timezone": other(date)})


@pytest.mark.parametrize(
    ("id_", "lacking"),
    [
        ("5.8.01", "bare"),
        ("5.8.02", "recipe"),
        ("5.8.03", "cron_tz_line"),
        ("5.8.04", "cron_not_at_eight"),
        ("5.8.05", "data_only"),
    ],
)
def test_a_case_that_was_skipped_leaves_its_reason(plain, run, id_, lacking):
    reason = private.NAMESPACE.reason()
    with_one_less = with_case(run, lacking, status=Status.SKIP)
    cases = tuple(msgspec.structs.replace(each, reason=reason) for each in with_one_less.cases)
    facts = ClaimFacts(plain.lab, own_facts={"trap-timezone": msgspec.structs.replace(with_one_less, cases=cases)})
    found = result(id_, facts)
    assert found.verdict is UNTESTED
    assert sentences(found)
