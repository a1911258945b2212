"""The trap of mutual TLS: whole on real chains and a real nginx, without its fix, without its fault."""

import ssl

import pytest

from labkit.model.check import Status
from labkit.model.traps import ReasonKind, Step, StepKind
from labkit.traps import parts
from labkit.traps.mtls import MutualTls
from labkit.traps.mtls.chains import Chains
from labkit.traps.mtls.trap import _Parts
from labkit.traps.nginx import Nginx
from labkit.traps.rig import Rig
from labkit.traps.running import run_trap
from tests.support import need_parts


@pytest.fixture(scope="module")
def outcome():
    """The trap, run whole and once."""
    need_parts(MutualTls)
    return run_trap(MutualTls)


def test_the_whole_trap_passes(outcome):
    assert outcome.status is Status.PASS, outcome
    assert outcome.verified
    assert "client SSL certificate verify error: (21:unable to verify the first certificate)" in outcome.symptom
    assert set(outcome.versions) == {"nginx", "curl", "openssl", "cryptography"}


def test_the_handshake_succeeds_and_s_client_is_content(outcome):
    reproduce, diagnose, *_ = outcome.steps
    assert reproduce.facts == {"status": 400, "verify_code": 21, "handshake_failed_in_log": False}
    assert diagnose.facts["s_client_code"] == 0
    assert diagnose.facts["verify_exit_code"] != 0
    assert diagnose.facts["verify_with_intermediate_exit_code"] == 0


@pytest.mark.parametrize(
    ("id_", "facts"),
    [
        ("tls-1-2", {"status": 400, "verify_code": 21}),
        ("tls-1-3", {"status": 400, "verify_code": 21}),
        ("bundle-in-nginx", {"status": 200}),
        ("intermediate-without-root", {"status": 400, "verify_code": 2}),
        ("two-intermediates-depth-1", {"status": 400}),
        ("two-intermediates-depth-3", {"status": 200}),
        ("log-level-error", {"status": 400, "verify_code": -1}),
        ("client-trusts-intermediate", {"status": 200}),
        ("s-client-says-ok", {"s_client_code": 0}),
        ("server-sends-leaf-only", {"s_client_code": 21}),
        ("bundle-does-not-mend-the-server", {"s_client_code": 21}),
        ("listing-is-no-verifying", {"listing_exit_code": 0}),
    ],
)
def test_what_a_case_saw(outcome, id_, facts):
    case = next(case for case in outcome.cases if case.id == id_)
    assert case.status is Status.PASS, case
    assert {name: case.facts[name] for name in facts} == facts


def test_a_case_fails_when_its_server_is_another_one():
    """Whoever trusts the bundle answers 200, which is not what the case of the root alone wants."""
    need_parts(MutualTls)
    with Rig("swapped") as rig:
        made = _Parts(rig, "swapped", whole=False)
        made.front.ports["no-root"], made.front.ports["bundle"] = (
            made.front.ports["bundle"],
            made.front.ports["no-root"],
        )
        failed = {case.id for case in made.cases(rig) if case.status is Status.FAIL}
    assert failed == {"bundle-in-nginx", "intermediate-without-root"}


class _FewCases(MutualTls):
    def cases(self):
        return ()


class _WithoutFix(_FewCases):
    def fix(self):
        return Step(kind=StepKind.FIX, command="true", output="", seen=True, text=self.remedy)


class _WithoutFault(_FewCases):
    @property
    def parts(self):
        if self._made is None:
            self._made = _Parts(self.rig, "mtls", whole=True)
        return self._made


class _Crashing(_FewCases):
    def diagnose(self):
        nginx = Nginx(self.rig, "crashing")
        nginx.start("this is no directive;")
        return super().diagnose()


@pytest.mark.parametrize("broken", [_WithoutFix, _WithoutFault, _Crashing])
def test_it_fails_without_its_fix_without_its_fault_and_with_a_crashed_part(broken):
    need_parts(MutualTls)
    outcome = run_trap(broken)
    assert outcome.status is Status.FAIL
    assert not outcome.verified
    assert outcome.reason is not None


def test_it_is_skipped_with_both_commands_when_its_programs_are_missing(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(parts, "_MORE_PLACES", ())
    outcome = run_trap(MutualTls)
    assert (outcome.status, outcome.reason_kind) == (Status.SKIP, ReasonKind.MISSING)
    assert "apt-get install nginx-light" in str(outcome.reason.values)
    assert "brew install nginx" in str(outcome.reason.values)


def test_chains_are_short_lived_and_only_their_owner_reads_the_keys(tmp_path):
    chains = Chains(tmp_path / "pki")
    identity = chains.identity("server", intermediates=2)
    assert len(identity.intermediates) == 2
    assert identity.key.stat().st_mode & 0o077 == 0
    assert (tmp_path / "pki").stat().st_mode & 0o077 == 0
    whole = chains.bundle("chain.pem", identity.leaf, *identity.intermediates)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(whole, identity.key)
    shown = ssl._ssl._test_decode_cert(str(identity.leaf))
    assert ssl.cert_time_to_seconds(shown["notAfter"]) - ssl.cert_time_to_seconds(shown["notBefore"]) <= 2 * 3600
