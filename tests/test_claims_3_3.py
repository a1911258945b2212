"""Chapter 3.3: each verdict turns when another Go, module proxy, generator or plugin is there."""

from pathlib import Path

import pytest

from labkit.claims import ClaimFacts, trying
from labkit.claims.both_protobufs import NEW, OLD, OLD_VERSIONS
from labkit.gobuild.resolution import modules
from labkit.model.claims import ClaimVerdict
from tests.claims_support import result, sentences, turned

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture
def another_go(plain, executable):
    """Return a function that makes, for each version, a go which does something and then what that version does."""

    def make(body):
        return {
            version: executable(f"go-{version}", f'real={plain.go(version)}\n{body}\nexec "$real" "$@"')
            for version in plain.go_versions()
        }

    return make


@pytest.fixture
def proxy(tmp_path):
    """Return a function that writes a proxy's folder with one version of a module."""

    def make(module, version, files):
        root = tmp_path / "proxy"
        modules.write(root, module, version, {"go.mod": f"module {module}\n\ngo 1.20\n", **files})
        (modules.folder_of(root, module) / "list").write_text(f"{version}\n")
        return {"proxy": root}

    return make


ELSEWHERE = """if [ "$1" = install ]; then
  GOBIN="$GOPATH/elsewhere" "$real" "$@"; exit $?
fi"""
NO_QUESTIONS = """if [ "$1" = install ]; then
  for last; do :; done
  case "$last" in *@*|.) ;; *) set -- install -trimpath "$last@latest";; esac
  GO111MODULE= exec "$real" "$@"
fi"""
GOPATH_FIRST = """if [ "$1" = install ]; then
  for last; do :; done
  set -- install -trimpath "$(echo "$last" | sed 's/^[.]$/labkit.dev\\/tiny/; s/@.*//')"
  export GO111MODULE=off
fi"""
REFUSING = """case "$*" in *github.com/golang/protobuf/protoc-gen-go@*) echo "go: no such package" >&2; exit 1;; esac"""


def test_3_3_01_a_go_that_installs_elsewhere(plain, another_go):
    turned("3.3.01", plain, REFUTED, CONFIRMED, own_gos=another_go(ELSEWHERE))


def test_3_3_02_a_go_that_refuses_the_former_path(plain, another_go):
    turned("3.3.02", plain, REFUTED, CONFIRMED, part="a", own_gos=another_go(REFUSING))


def test_3_3_02_a_module_without_a_notice(plain, proxy):
    given = proxy(OLD, "v1.9.9", {"proto/doc.go": "package proto\n"})
    turned("3.3.02", plain, CONFIRMED, REFUTED, part="b", own_tools=given)


def test_3_3_03_a_module_that_has_only_a_pre_release(plain, proxy):
    given = proxy(NEW, "v1.99.0-alpha.1", {"proto/doc.go": "package proto\n"})
    after = turned("3.3.03", plain, REFUTED, CONFIRMED, own_tools=given)
    assert "v1.99.0-alpha.1" in sentences(after)


def test_3_3_04_a_generator_that_asks_for_more(plain, executable):
    real = trying.generator(plain, "1.32.0")
    # equally long, so that the plugin's answer stays what it is
    demanding = executable("protoc-gen-go", f"{real} | sed 's/MaxVersion - 20)/MaxVersion - 31)/'")
    after = turned("3.3.04", plain, REFUTED, CONFIRMED, own_tools={"generator:1.32.0": demanding})
    assert "v1.31.0" in sentences(after)


def test_3_3_05_a_module_that_refuses_company(plain, tmp_path):
    root = tmp_path / "proxy"
    text = 'package proto\n\nfunc init() { panic("conflict") }\n\nfunc Int32(v int32) *int32 { return &v }\n'
    for version in OLD_VERSIONS:
        modules.write(root, OLD, version, {"go.mod": f"module {OLD}\n\ngo 1.20\n", "proto/proto.go": text})
    after = turned("3.3.05", plain, CONDITIONAL, CONFIRMED, own_tools={"proxy": root})
    assert "conflict" in sentences(after)


@pytest.fixture(scope="module")
def server(facts):
    return Path(facts.server.path)


def test_3_3_06_plugins_that_are_built_of_grpc(plain, server):
    given = {f"{name}:protoc-gen-go": server for name in ("handbook", "current")}
    before = result("3.3.06", plain)
    assert [each.verdict for each in before.parts] == [REFUTED, CONDITIONAL]
    after = result("3.3.06", ClaimFacts(plain.lab, own_tools=given))
    assert after.parts[0].verdict is not REFUTED
    assert sentences(before) != sentences(after)


def test_3_3_07_says_what_would_test_it(plain):
    found = result("3.3.07", plain)
    assert found.verdict is UNTESTED
    assert "deprecated" in found.parts[0].evidence[0].text


def test_3_3_08_a_go_that_never_asks(plain, another_go):
    turned("3.3.08", plain, CONDITIONAL, REFUTED, own_gos=another_go(NO_QUESTIONS))


def test_3_3_09_a_go_that_looks_into_gopath_first(plain, another_go):
    turned("3.3.09", plain, CONDITIONAL, CONFIRMED, own_gos=another_go(GOPATH_FIRST))
