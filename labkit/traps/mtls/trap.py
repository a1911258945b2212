"""The trap of mutual TLS on nginx: 400 for a client whose chain has a gap, and which side says what about it."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case, Step, StepKind
from labkit.traps import nginx
from labkit.traps.mtls.chains import Chains
from labkit.traps.mtls.front import Answer, Front, Server
from labkit.traps.parts import Part, package, path_of, program
from labkit.traps.rig import Rig
from labkit.traps.trap import Trap

_BAD: Final = 400
_OK: Final = 200


class MutualTls(Trap):
    """nginx with ssl_verify_client before curl and s_client, on chains that are made for the run.

    The client's file of authorities holds the root alone: with the intermediate in it OpenSSL builds and sends the
    whole chain by itself, and there is nothing to see (a case shows that).
    """

    id: ClassVar[str] = "mtls"
    needs: ClassVar[tuple[Part, ...]] = (
        nginx.NGINX,
        nginx.CURL,
        program("openssl", apt="openssl", brew="openssl@3"),
        package("cryptography", "cryptography"),
    )
    sources: ClassVar[tuple[str, ...]] = (
        "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_client_certificate",
        "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_depth",
        "https://docs.openssl.org/3.0/man1/openssl-verification-options/",
        "https://datatracker.ietf.org/doc/html/rfc8446#section-4.4.2",
    )
    notes: ClassVar[tuple[str, ...]] = ("trap_mtls.note.macos",)

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._made: _Parts | None = None

    @property
    def parts(self) -> "_Parts":
        """The chains and the nginx, which reproduce has started."""
        if self._made is None:
            self._made = _Parts(self.rig, "mtls", whole=False)
        return self._made

    def _probe(self, kind: StepKind, parts: "_Parts") -> Step:
        answer = parts.ask("plain")
        return Step(
            kind=kind,
            command="curl --cacert root.pem --cert client.pem --key client.key https://127.0.0.1/; tail error.log",
            output=f"HTTP {answer.status}\n{answer.body}\n{answer.said}",
            seen=answer.status == _BAD and answer.code is not None,
            text=Text(id=f"trap_mtls.step.{kind}"),
            facts={
                "status": answer.status,
                "verify_code": -1 if answer.code is None else answer.code,
                "handshake_failed_in_log": answer.handshake_failed,
            },
        )

    def reproduce(self) -> Step:
        """Send a request with the leaf alone."""
        return self._probe(StepKind.REPRODUCE, self.parts)

    def diagnose(self) -> Step:
        """Verify the client's file against the root, without and with the intermediate; ask s_client too."""
        root, client = self.parts.chains.root, self.parts.client
        openssl = path_of("openssl")
        without = self.rig.run([openssl, "verify", "-CAfile", root, client.leaf], check=False)
        with_it = self.rig.run(
            [openssl, "verify", "-CAfile", root, "-untrusted", client.intermediates[0], client.leaf], check=False
        )
        code, _ = self.parts.front.verdict("plain", ca=root, identity=client)
        logged = self.parts.ask("plain").code
        return Step(
            kind=StepKind.DIAGNOSE,
            command="openssl verify -CAfile root.pem client.pem; "
            "openssl verify -CAfile root.pem -untrusted intermediate.pem client.pem",
            output=without.stdout + without.stderr + with_it.stdout + with_it.stderr,
            seen=without.returncode != 0 and with_it.returncode == 0 and logged is not None,
            text=Text(id="trap_mtls.step.diagnose", values={"code": -1 if logged is None else logged}),
            facts={
                "verify_code": -1 if logged is None else logged,
                "s_client_code": -1 if code is None else code,
                "verify_exit_code": without.returncode,
                "verify_with_intermediate_exit_code": with_it.returncode,
            },
        )

    def fix(self) -> Step:
        """Let the client's file hold the intermediate after the leaf."""
        self.parts.send_whole_chain()
        return Step(
            kind=StepKind.FIX,
            command="cat client.crt intermediate.pem > client.pem",
            output=f"{self.parts.sent.read_text().count('BEGIN CERTIFICATE')} certificates in client.pem\n",
            seen=self.parts.sent.read_text().count("BEGIN CERTIFICATE") > 1,
            text=Text(id="trap_mtls.step.fix"),
        )

    def verify(self) -> Step:
        """Send the same request."""
        return self._probe(StepKind.VERIFY, self.parts)

    def control(self) -> Step:
        """Send it on fresh chains and a fresh nginx, whose client sends the chain from the start."""
        return self._probe(StepKind.CONTROL, _Parts(self.rig, "control", whole=True))

    def cases(self) -> tuple[Case, ...]:
        """Show what heals it elsewhere, what only seems to be it, and where one does not see it."""
        return _Parts(self.rig, "cases", whole=False).cases(self.rig)

    def versions(self) -> Mapping[str, str]:
        """Return those of nginx, curl, openssl and cryptography."""
        import cryptography

        return {
            "nginx": nginx.version(self.rig),
            "curl": nginx.curl_version(self.rig),
            "openssl": " ".join(self.rig.run([path_of("openssl"), "version"]).stdout.split()[:2]),
            "cryptography": cryptography.__version__,
        }


class _Parts:
    """Chains, a client and a server with one intermediate each, a client with two, and the nginx of all cases."""

    def __init__(self, rig: Rig, name: str, *, whole: bool) -> None:
        self.chains = Chains(rig.folder / f"{name}-pki")
        self.client = self.chains.identity("client", intermediates=1)
        self.deep = self.chains.identity("deep", intermediates=2)
        self.server = self.chains.identity("server", intermediates=1)
        root = self.chains.root
        full = self.chains.bundle("server-chain.pem", self.server.leaf, *self.server.intermediates)
        bundle = self.chains.bundle("bundle.pem", root, *self.client.intermediates)
        self.sent = self.chains.bundle("client.pem", self.client.leaf)
        if whole:
            self.send_whole_chain()
        self.front = Front(
            rig,
            name,
            (
                Server(id="plain", certificate=full, trusted=root),
                Server(id="bundle", certificate=full, trusted=bundle),
                Server(id="no-root", certificate=full, trusted=self.client.intermediates[0]),
                Server(id="deep", certificate=full, trusted=root, depth=3),
                Server(id="quiet", certificate=full, trusted=root, level="error"),
                Server(id="server-gap", certificate=self.server.leaf, trusted=root),
                Server(id="server-gap-bundle", certificate=self.server.leaf, trusted=bundle),
            ),
            self.server.key,
        )

    def send_whole_chain(self) -> None:
        """Put the intermediate after the leaf into the client's file."""
        self.chains.bundle("client.pem", self.client.leaf, *self.client.intermediates)

    def ask(self, server: str, *more: str, certificate: Path | None = None, ca: Path | None = None) -> Answer:
        """Send a request as the client."""
        return self.front.ask(
            server,
            ca=ca or self.chains.root,
            certificate=certificate or self.sent,
            key=self.client.key,
            more=more,
        )

    def cases(self, rig: Rig) -> tuple[Case, ...]:
        """Return every case."""
        deep = self.chains.bundle("deep.pem", self.deep.leaf, *self.deep.intermediates)
        trusting = self.chains.bundle("ca-with-intermediate.pem", self.chains.root, *self.client.intermediates)
        shallow = self.front.ask("plain", ca=self.chains.root, certificate=deep, key=self.deep.key)
        deeper = self.front.ask("deep", ca=self.chains.root, certificate=deep, key=self.deep.key)
        quiet = self.ask("quiet")
        return (
            self._one("tls-1-2", self.ask("plain", "--tlsv1.2", "--tls-max", "1.2"), _BAD, 21),
            self._one("tls-1-3", self.ask("plain", "--tlsv1.3"), _BAD, 21),
            self._one("bundle-in-nginx", self.ask("bundle"), _OK, None),
            self._one("intermediate-without-root", self.ask("no-root"), _BAD, 2),
            # Which code it is depends on OpenSSL: 20 with 3.0.
            self._one("two-intermediates-depth-1", shallow, _BAD, 2, 20, 22),
            self._one("two-intermediates-depth-3", deeper, _OK, None),
            self._one("log-level-error", quiet, _BAD, None),
            self._one("client-trusts-intermediate", self.ask("plain", ca=trusting), _OK, None),
            self._verdict("s-client-says-ok", "plain", 0),
            self._verdict("server-sends-leaf-only", "server-gap", 21),
            self._verdict("bundle-does-not-mend-the-server", "server-gap-bundle", 21),
            self._listing(rig),
        )

    def _one(self, id_: str, answer: Answer, status: int, *codes: int | None) -> Case:
        right = answer.status == status and answer.code in codes
        code = "-" if answer.code is None else answer.code
        return Case(
            id=id_,
            status=Status.PASS if right else Status.FAIL,
            text=Text(id=f"trap_mtls.case.{id_}", values={"code": code}),
            command="curl --cacert root.pem --cert client.pem --key client.key https://127.0.0.1/; tail error.log",
            output=f"HTTP {answer.status}\n{answer.body}\n{answer.said}",
            facts={"status": answer.status, "verify_code": -1 if answer.code is None else answer.code},
        )

    def _verdict(self, id_: str, server: str, wanted: int) -> Case:
        code, done = self.front.verdict(server, ca=self.chains.root, identity=self.client)
        lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if "erify" in line]
        return Case(
            id=id_,
            status=Status.PASS if code == wanted else Status.FAIL,
            text=Text(id=f"trap_mtls.case.{id_}"),
            command="openssl s_client -connect 127.0.0.1 -cert client.pem -key client.key -CAfile root.pem",
            output="\n".join(lines) + "\n",
            facts={"s_client_code": -1 if code is None else code},
        )

    def _listing(self, rig: Rig) -> Case:
        """A file whose chain has a gap: what lists it, and what verifies it."""
        openssl, root = path_of("openssl"), self.chains.root
        gap = self.chains.bundle("gap.pem", self.deep.leaf, self.deep.intermediates[-1])
        packed = rig.run([openssl, "crl2pkcs7", "-nocrl", "-certfile", gap], check=False)
        listed = rig.run([openssl, "pkcs7", "-print_certs", "-noout"], check=False, stdin=packed.stdout_bytes)
        verified = rig.run([openssl, "verify", "-CAfile", root, "-untrusted", gap, self.deep.leaf], check=False)
        codes = (packed.returncode, listed.returncode)
        right = codes == (0, 0) and listed.stdout.count("subject") == 2 and verified.returncode != 0  # noqa: PLR2004
        return Case(
            id="listing-is-no-verifying",
            status=Status.PASS if right else Status.FAIL,
            text=Text(id="trap_mtls.case.listing-is-no-verifying"),
            command="openssl crl2pkcs7 -nocrl -certfile gap.pem | openssl pkcs7 -print_certs -noout; "
            "openssl verify -CAfile root.pem -untrusted gap.pem gap.pem",
            output=f"{listed.stdout}{verified.stdout}{verified.stderr}",
            facts={"listing_exit_code": max(codes), "verify_exit_code": verified.returncode},
        )
