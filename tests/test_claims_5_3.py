"""Chapter 5.3: each verdict turns when another openssl is asked, or nginx has another configuration."""

import os

import pytest

from labkit.claims import ClaimFacts
from labkit.model.claims import ClaimVerdict
from labkit.traps.mtls import MutualTls
from labkit.traps.parts import path_of
from tests.claims_support import result, sentences
from tests.support import missing

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict

#: A client that prints a code about its own certificate.
OWN_VERDICT = """case "$1" in s_client)
  case "$*" in *-cert_chain*) code=0;; *) code=21;; esac
  echo "    Verify return code: $code (of my own certificate)"; exit 0;;
esac"""
#: A listing that verifies first; the root lies beside the file.
VERIFYING = """case "$1" in crl2pkcs7)
  {openssl} verify -CAfile "$(dirname "$4")/root.pem" -untrusted "$4" "$4" >&2 || exit 1;;
esac"""
#: What is changed in a configuration before nginx reads it.
NO_BUNDLE = "s#ssl_client_certificate .*ca-bundle.*;#ssl_client_certificate {root};#"
NO_COMMON_CIPHER = "s/ssl_protocols .*;/ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;/"
VERIFY_NOBODY = "s/ssl_verify_client on;/ssl_verify_client optional_no_ca;/"


@pytest.fixture(scope="module")
def plain(facts):
    for part in MutualTls.needs:
        if not part.present():
            missing(part.name, part.reason().values["commands"])
    return ClaimFacts(facts)


@pytest.fixture
def own(executable, monkeypatch):
    """Return a function that puts a program on PATH which does something and then what the real one does."""

    def make(name, body):
        real = path_of(name)
        program = executable(name, f'{body.replace("{openssl}", str(real))}\nexec {real} "$@"')
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        return {name: program}

    return make


@pytest.fixture
def nginx(own):
    """Return a function that puts an nginx on PATH whose configuration is edited before it is read."""

    def make(edit):
        root = 'root=$(dirname "$(dirname "$file")")/chains/root.pem'
        words = edit.replace("{root}", "'$root'")
        return own(
            "nginx",
            f"""for word in "$@"; do case "$word" in *nginx.conf) file=$word;; esac; done
if [ -n "$file" ]; then {root}; sed '{words}' "$file" > "$file.new" && mv "$file.new" "$file"; fi""",
        )

    return make


def both(id_, plain, was, becomes, make):
    """Judge as it is, then put another tool in place and judge again."""
    before = result(id_, plain)
    tools = make()
    after = result(id_, ClaimFacts(plain.lab, own_tools=tools))
    assert [before.verdict, after.verdict] == [was, becomes], (sentences(before), sentences(after))
    assert sentences(before) != sentences(after)


def test_5_3_01_a_client_that_speaks_of_its_own_certificate(plain, own):
    both("5.3.01", plain, REFUTED, CONFIRMED, lambda: own("openssl", OWN_VERDICT))


def test_5_3_01_and_04_a_server_that_verifies_nobody_says_nothing(plain, nginx):
    altered = ClaimFacts(plain.lab, own_tools=nginx(VERIFY_NOBODY))
    assert [result(id_, altered).verdict for id_ in ("5.3.01", "5.3.04")] == [UNTESTED, UNTESTED]


def test_5_3_02_a_listing_that_verifies(plain, own):
    both("5.3.02", plain, REFUTED, CONFIRMED, lambda: own("openssl", VERIFYING))


def test_5_3_03_an_nginx_without_the_bundle(plain, nginx):
    both("5.3.03", plain, CONDITIONAL, REFUTED, lambda: nginx(NO_BUNDLE))


def test_5_3_04_an_nginx_that_refuses_in_the_handshake(plain, nginx):
    both("5.3.04", plain, REFUTED, CONFIRMED, lambda: nginx(NO_COMMON_CIPHER))


def test_without_nginx_it_is_said_how_to_get_it(plain, monkeypatch):
    monkeypatch.setattr("labkit.traps.parts._MORE_PLACES", ())
    monkeypatch.setenv("PATH", "/nowhere")
    found = result("5.3.03", ClaimFacts(plain.lab))
    assert found.verdict is UNTESTED
    assert "nginx" in sentences(found)
