"""Chapter 2.3: each verdict turns when something real is changed."""

import base64
import shutil

import pytest

from labkit.claims import ClaimFacts
from labkit.model.claims import ClaimVerdict
from tests.claims_support import sentences, turned

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture
def go(plain, executable):
    """Return a function that makes the current Go with something of its own before all else."""

    def make(body):
        return {plain.go_versions()[-1]: executable("go-own", f'{body}\nexec {plain.go()} "$@"')}

    return make


@pytest.fixture
def tree(plain, tmp_path):
    """Return a function that puts the oldest Go's runtime, with one more file, in its place."""

    def make(name, text):
        version = plain.go_versions()[0]
        real = plain.go(version).parent.parent
        shutil.copytree(real / "src" / "runtime" / "cgo", tmp_path / "src" / "runtime" / "cgo")
        (tmp_path / "src" / "runtime" / name).write_text(text)
        return {version: tmp_path / "bin" / "go"}

    return make


#: Takes the words that ask for a static program out of a line.
NOT_STATIC = """for word; do
  shift
  case "$word" in -ldflags=*-static*) word="-ldflags=-linkmode external -extldflags -dynamic";; esac
  set -- "$@" "$word"
done"""
ALWAYS_PIE = 'case "$1 $GOOS" in "build linux") shift; set -- build -buildmode=pie "$@";; esac'
ALWAYS_LINKED = """case "$1 $GOOS" in "build linux")
  shift; export CGO_ENABLED=1; set -- build "-ldflags=-linkmode external" "$@";;
esac"""


def test_2_3_01_a_go_that_has_it_off(plain, go):
    turned("2.3.01", plain, REFUTED, CONFIRMED, own_gos=go('[ -n "$CGO_ENABLED" ] || export CGO_ENABLED=0'))


def test_2_3_02_and_03_a_go_that_links_with_libraries(plain, go):
    own = go(NOT_STATIC)
    turned("2.3.02", plain, CONDITIONAL, REFUTED, own_gos=own)
    after = turned("2.3.03", plain, REFUTED, CONFIRMED, own_gos=own)
    assert "libc.so" in sentences(after)


def test_2_3_04_a_go_that_builds_for_a_loader(plain, go):
    own = go(ALWAYS_PIE)
    turned("2.3.04", plain, CONDITIONAL, REFUTED, own_gos=own)
    turned("2.3.04", plain, CONDITIONAL, REFUTED, part="b", own_gos=own)


def test_2_3_08_a_go_that_links_with_the_c_library(plain, go):
    turned("2.3.08", plain, CONDITIONAL, REFUTED, own_gos=go(ALWAYS_LINKED))


def test_2_3_05_a_go_that_cannot_build_it_without_cgo(plain, go):
    own = go('case "$CGO_ENABLED $*" in "0 "*./names) echo no names; exit 1;; esac')
    turned("2.3.05", plain, REFUTED, CONFIRMED, own_gos=own)


def test_2_3_06_a_go_that_leaves_static_out(plain, go):
    own = go('case "$*" in *-static*./users) exit 1;; *-static*./c) echo "Using \'dlopen\' in statically linked '
             'applications requires at runtime";; esac')  # fmt: skip
    turned("2.3.06", plain, CONDITIONAL, CONFIRMED, own_gos=own)


def test_2_3_07_a_runtime_that_loads(plain, tree):
    turned("2.3.07", plain, REFUTED, CONFIRMED, own_gos=tree("cgo/load.c", 'void f(void) { dlopen("libc.so", 1); }\n'))


def test_2_3_09_a_generator_that_writes_the_tag(plain, executable):
    name, content = b"h.pb.go", b"//go:build cgo_enabled\n\npackage hello\n"
    file = b"\x0a" + bytes([len(name)]) + name + b"\x7a" + bytes([len(content)]) + content
    answer = base64.b64encode(b"\x7a" + bytes([len(file)]) + file).decode()
    own = executable("protoc-gen-go", f"cat > /dev/null; echo {answer} | base64 -d")
    turned("2.3.09", plain, REFUTED, CONFIRMED, own_tools={"generator:1.32.0": own})


def test_2_3_10_a_runtime_that_says_it(plain, tree):
    text = 'package runtime\n\nfunc f() { throw("symbol not found: __vdso_clock_gettime") }\n'
    turned("2.3.10", plain, REFUTED, CONFIRMED, own_gos=tree("vdso_throw.go", text))
