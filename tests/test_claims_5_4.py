"""Chapter 5.4: each verdict turns when the target answers otherwise, or another curl asks."""

import os

import pytest

from labkit.claims import ClaimFacts
from labkit.claims.scrapes import seconds
from labkit.model.claims import ClaimVerdict
from labkit.traps.parts import path_of
from labkit.traps.scrape import Scrape
from labkit.traps.scrape_server import TARGET
from tests.claims_support import result, sentences, turned
from tests.support import missing

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict

BODY = 'body = b"# TYPE orders_total counter\\norders_total 1\\n"'
SLEEP = "time.sleep(delay_s)"
#: Two minutes old, in milliseconds.
OLD = 'body = b"orders_total 1 %d\\n" % ((time.time() - 120) * 1000)'
#: Prometheus tells its target how long it will wait. A number of whole seconds is refused, less is answered at once.
SPOILT_BY_TIME = """if float(self.headers.get("X-Prometheus-Scrape-Timeout-Seconds", "1")) > 1:
            self.send_error(500)
            return
        if "X-Prometheus-Scrape-Timeout-Seconds" not in self.headers: time.sleep(delay_s)"""


@pytest.fixture(scope="module")
def plain(facts):
    for part in Scrape.needs:
        if not part.present():
            missing(part.name, part.reason().values["commands"])
    return ClaimFacts(facts)


@pytest.fixture
def target(tmp_path):
    """Return a function that writes the trap's target with one thing changed."""

    def make(old, new):
        text = TARGET.read_text("utf-8")
        assert old in text
        path = tmp_path / "target.py"
        path.write_text(text.replace(old, new), "utf-8")
        return {"scrape:target": path}

    return make


@pytest.mark.parametrize(("text", "value"), [("100ms", 0.1), ("2s", 2.0)])
def test_a_duration_is_read(text, value):
    assert seconds(text) == value


def test_5_4_01_a_target_that_fails_where_it_is_given_time(plain, target):
    turned("5.4.01", plain, REFUTED, CONFIRMED, own_tools=target(SLEEP, SPOILT_BY_TIME))


def test_5_4_02_a_target_whose_samples_are_old(plain, target):
    turned("5.4.02", plain, REFUTED, CONFIRMED, own_tools=target(BODY, OLD))


def test_5_4_03_a_curl_that_asks_more_than_once(plain, executable, monkeypatch):
    before = result("5.4.03", plain)
    real = path_of("curl")
    body = f"""case "$*" in *@curl-format.txt*)
  for last; do :; done
  (for i in 1 2 3 4 5 6; do {real} -o /dev/null -s -w '%{{time_total}}\\n' "$last" & done; wait) | sort -n | tail -1
  exit 0;;
esac
exec {real} "$@\""""
    program = executable("curl", body)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    after = result("5.4.03", ClaimFacts(plain.lab, own_tools={"curl": program}))
    assert [before.verdict, after.verdict] == [CONDITIONAL, CONFIRMED], (sentences(before), sentences(after))


def test_5_4_03_a_curl_that_refuses_a_file_that_is_not_there_asks_nothing(plain, executable, monkeypatch):
    # As later ones do (exit code 26); the unsteady target then has answered nothing yet.
    real = path_of("curl")
    body = f"""case "$*" in *@curl-format.txt*) [ -f curl-format.txt ] || exit 26;; esac
exec {real} "$@\""""
    program = executable("curl", body)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    found = result("5.4.03", ClaimFacts(plain.lab, own_tools={"curl": program}))
    assert found.verdict is CONDITIONAL
    assert "exit code 26" in sentences(found)


def test_a_quick_target_has_nothing_to_show(plain, target):
    altered = ClaimFacts(plain.lab, own_tools=target(SLEEP, "pass"))
    assert [result(id_, altered).verdict for id_ in ("5.4.01", "5.4.03")] == [UNTESTED, UNTESTED]


def test_without_prometheus_it_is_said_how_to_get_it(plain, monkeypatch):
    monkeypatch.setattr("labkit.traps.parts._MORE_PLACES", ())
    monkeypatch.setenv("PATH", "/nowhere")
    found = result("5.4.02", ClaimFacts(plain.lab))
    assert found.verdict is UNTESTED
    assert "prometheus" in sentences(found)
