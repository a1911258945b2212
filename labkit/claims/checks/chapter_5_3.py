"""Chapter 5.3, mutual TLS: whose verdict s_client prints, what a listing verifies, what a bundle cures, a log."""

import re
from collections.abc import Iterable
from typing import Final

from labkit.claims import chains, trap_cases
from labkit.claims.base import command, output
from labkit.claims.chains import Broken, Met
from labkit.claims.facts import ClaimFacts
from labkit.model.claims import Case, PartVerdict
from labkit.traps.mtls import MutualTls

_OK: Final = 200
_FIRST: Final = "21 "
_HANDSHAKE: Final = "SSL_do_handshake() failed"
_REFUSED: Final = re.compile(r"client SSL certificate verify error: \([^)]*\)")


class _Tls(trap_cases.CaseCheck):
    """Base: judges what was seen of chains that are broken in turn."""

    trap = "mtls"
    wants = MutualTls.needs

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the one run."""
        yield self.judge(facts.get(chains.broken))

    def judge(self, seen: Broken) -> PartVerdict:
        """Judge by what was seen."""
        raise NotImplementedError


def _whose(met: Met) -> str:
    words = [f"{name} whole" if whole else f"{name} with a gap" for name, whole in _chains(met)]
    return f"chains: {', '.join(words)}"


def _chains(met: Met) -> tuple[tuple[str, bool], ...]:
    return ("the server's", met.server_whole), ("the client's", met.client_whole)


class VerifyReturnCode(_Tls):
    """Break the server's and the client's chain in turn, and compare s_client's code with whether nginx refuses.

    Whether it refuses is asked with curl, which is told not to mind the server's chain. nginx's own log is read beside.
    """

    id = "5.3.01"
    turned_by = "another s_client"

    def judge(self, seen: Broken) -> PartVerdict:
        """Judge by whether the code is there where the client is refused, and only there."""
        evidence = [
            output(
                f"openssl s_client; curl --insecure; nginx's error.log ({_whose(each)})",
                f"Verify return code: {each.s_client}; HTTP {each.status}; {each.logged or '(nothing)'}",
            )
            for each in seen.met
        ]
        refused = next(each for each in seen.met if each.server_whole and not each.client_whole)
        accepted = next(each for each in seen.met if each.client_whole and not each.server_whole)
        if refused.status == _OK or accepted.status != _OK:
            return self.untested("untested", would_test="would_test", evidence=evidence)
        holds = all(each.s_client.startswith(_FIRST) is (each.status != _OK) for each in seen.met)
        reason = _REFUSED.search(refused.logged)
        return self.judged(
            holds,
            evidence,
            refused=refused.s_client,
            status=refused.status,
            accepted=accepted.s_client,
            reason=reason[0] if reason else "-",
        )


class Listing(_Tls):
    """Give files with a whole chain, with gaps and with a stranger to the listing and to ``openssl verify``."""

    id = "5.3.02"
    turned_by = "another openssl"

    def judge(self, seen: Broken) -> PartVerdict:
        """Judge by whether the listing fails where the verifying does."""
        evidence = [
            command(
                f"openssl crl2pkcs7 -nocrl -certfile F | openssl pkcs7 -print_certs -noout; "
                f"openssl verify -CAfile root.pem -untrusted F leaf.pem (F: {each.id})",
                f"{each.certificates} certificates listed, exit code {each.listing_code}; "
                f"verify: exit code {each.verify_code}, {each.verify_said}",
            )
            for each in seen.listings
        ]
        wrong = [each for each in seen.listings if each.verify_code]
        if not wrong:
            return self.untested("untested", would_test="would_test", evidence=evidence)
        missed = [each for each in wrong if not each.listing_code]
        example = missed[0] if missed else wrong[0]
        return self.judged(
            not missed,
            evidence,
            missed=len(missed),
            wrong=len(wrong),
            code=example.verify_code,
            said=example.verify_said,
        )


class Bundle(_Tls):
    """Put bundles into ssl_client_certificate for a client's gap and for the server's, and ask before and after.

    With one intermediate and with two, with the root in the bundle and without, at two depths of verifying.
    """

    id = "5.3.03"
    turned_by = "an nginx with another configuration"

    def judge(self, seen: Broken) -> PartVerdict:
        """Judge each gap by whether the request is answered with the bundle, and was not without it."""
        evidence = [
            output(
                f"curl at nginx, ssl_client_certificate with {'' if each.root else 'no '}root; the gap is the "
                f"{each.gap}'s; {each.intermediates} intermediates, ssl_verify_depth {each.depth}",
                f"before: HTTP {each.status_before}; with the bundle: HTTP {each.status}; "
                f"s_client: {each.s_client}; {each.logged or '(nothing logged)'}",
            )
            for each in seen.cures
        ]
        cases = [
            Case(
                facts={
                    "gap": each.gap,
                    "intermediates": each.intermediates,
                    "depth": each.depth,
                    "root_in_bundle": each.root,
                },
                holds=each.status == _OK != each.status_before,
                witness=f"HTTP {each.status_before} -> {each.status}",
            )
            for each in seen.cures
        ]
        by_id = {each.id: each for each in seen.cures}
        return self.by_cases(
            cases,
            lambda case: (
                case["gap"] == "client"
                and bool(case["root_in_bundle"])
                and float(case["intermediates"]) <= float(case["depth"])
            ),
            evidence,
            one=by_id["whole-bundle"].status,
            rootless=by_id["rootless-bundle"].status,
            shallow=by_id["deep-bundle"].status,
            deep=by_id["deep-bundle-3"].status,
            depth=by_id["deep-bundle-3"].depth,
            server=by_id["gap-bundle"].s_client,
        )


class Log(_Tls):
    """Let nginx refuse a client's certificate at four levels of its log, and read what it says each time.

    What it says when the client refuses the server's certificate is read beside.
    """

    id = "5.3.04"
    turned_by = "an nginx with another configuration"

    def judge(self, seen: Broken) -> PartVerdict:
        """Judge by the lines on a refused client's certificate."""
        evidence = [
            output(
                f"nginx's error.log, level {each.level}; the {each.refused_by} refuses the other's certificate",
                "; ".join(each.lines) or "(nothing)",
            )
            for each in seen.logged
        ]
        ours = [each for each in seen.logged if each.refused_by == "server"]
        if any(each.status == _OK for each in ours):
            return self.untested("untested", would_test="would_test", evidence=evidence)
        lines = [line for each in ours for line in each.lines]
        others = [line for line in lines if _HANDSHAKE not in line]
        silent = [each.level for each in ours if not each.lines]
        by_client = [each for each in seen.logged if each.refused_by == "client"]
        reason = _REFUSED.search(others[0]) if others else None
        return self.judged(
            bool(lines) and not others,
            evidence,
            reason=reason[0] if reason else (others or lines or ["-"])[0],
            levels=", ".join(each.level for each in ours if each.lines) or "-",
            silent=", ".join(silent) or "-",
            client=", ".join(each.level for each in by_client if any(_HANDSHAKE in line for line in each.lines)) or "-",
        )
