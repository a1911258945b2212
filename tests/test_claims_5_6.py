"""Chapter 5.6: each verdict turns with another nginx, or with the record of a run in which a line was otherwise."""

import os

import pytest

from labkit.claims import ClaimFacts
from labkit.claims.gateways import gateway
from labkit.claims.trap_runs import trap_run
from labkit.model.check import Status
from labkit.model.claims import ClaimVerdict
from labkit.traps.parts import find
from tests.claims_support import result, sentences, turned
from tests.support import need
from tests.traps_records import with_case

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict
REFUSED = "HTTP 502\n2026/01/01 00:00:00 [error] 1#1: *1 connect() failed (111: Connection refused), client: 1"
NO_LIVE = "HTTP 502\n2026/01/01 00:00:00 [error] 1#1: *1 no live upstreams while connecting to upstream, client: 1"


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture(scope="module")
def run(plain):
    ran = plain.get(trap_run("http502"))
    if ran.status is Status.SKIP:
        pytest.skip(f"missing: {ran.reason.values}")
    return ran


@pytest.fixture
def nginx(executable, monkeypatch):
    """Return a function that puts on PATH an nginx which edits each configuration before the real one reads it."""
    for name in ("nginx", "curl"):
        need(name)
    real = find("nginx")

    def make(edits):
        body = 'for each do case "$each" in */nginx.conf) file=$each;; esac; done\n'
        body += "".join(f"sed -i.was '{edit}' \"$file\"\n" for edit in edits)
        path = executable("nginx", f'{body}exec {real} "$@"')
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
        return {"nginx": path}

    return make


def test_5_6_01_a_definition_that_logs_another_line(plain, run):
    other = with_case(run, "marked-down", output=REFUSED)
    turned("5.6.01", plain, CONDITIONAL, REFUTED, own_facts={"trap-http502": other})


def test_5_6_01_all_of_dns_and_no_other(plain, run):
    for id_ in ("name-unknown", "resolver-fails", "resolver-silent", "no-resolver", "name-at-start"):
        run = with_case(run, id_, output=NO_LIVE)
    run = with_case(run, "two-peers-down", output=REFUSED)
    turned("5.6.01", plain, CONDITIONAL, CONFIRMED, own_facts={"trap-http502": run})


def test_5_6_02_a_tree_that_hits_nothing(plain, run):
    other = with_case(run, "marked-down", output=REFUSED)
    turned("5.6.02", plain, CONDITIONAL, REFUTED, own_facts={"trap-http502": other})


def test_5_6_03_an_nginx_that_keeps_503_for_busy_threads(plain, nginx):
    before = result("5.6.03", plain)
    tools = nginx(
        (
            "s/return 503;/return 500;/",
            "s/limit_req zone=few;/limit_req zone=few; limit_req_status 429;/",
            "s/location = .application-says-so {/& return 500;/",
            "s/location = .threads-busy {/error_page 504 =503 @busy; location @busy { return 503 busy; } &/",
        )
    )
    after = result("5.6.03", ClaimFacts(plain.lab, own_tools=tools))
    assert [each.verdict for each in (before, after)] == [REFUTED, CONFIRMED]
    assert "threads-busy 503" in sentences(after)


def test_5_6_04_an_nginx_that_keeps_no_connection(plain, nginx):
    before = result("5.6.04", plain)
    if before.verdict is UNTESTED:
        assert any(each.resets is None for each in plain.get(gateway).closed)
        pytest.skip("impossible here: this user may read no packets")
    after = result("5.6.04", ClaimFacts(plain.lab, own_tools=nginx(("s/keepalive 8;//",))))
    assert [each.verdict for each in (before, after)] == [CONDITIONAL, REFUTED]
    assert sentences(before) != sentences(after)


def test_5_6_04_where_nobody_may_watch_it_is_untested(plain, nginx, monkeypatch):
    tools = nginx(())
    monkeypatch.setattr("socket.AF_PACKET", None, raising=False)
    found = result("5.6.04", ClaimFacts(plain.lab, own_tools=tools))
    assert found.verdict is UNTESTED
    assert found.parts[0].untested.tried
