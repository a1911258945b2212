"""What shows itself in a notebook's cell escapes the texts of records that others wrote."""

import itertools
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from labkit.present import cells
from labkit.present.binaries import BinaryView
from labkit.present.claims_whole import claims_chapter
from labkit.present.generators import Listings
from labkit.present.table import Source
from labkit.present.traps import trap, traps
from labkit.system import records
from tests.browser import payloads, untrusted

#: What labkit's own views are made of.
OWN = {
    "b", "br", "code", "details", "div", "h3", "li", "p", "pre", "samp", "small", "style", "summary", "table", "tbody",
    "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"border", "class", "colspan", "scope", "style"}


class Seen(HTMLParser):
    """The tags and attributes of a text, as a browser would find them."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.names, self.texts = set(), set(), []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.texts.append(data)


def turn():
    return itertools.cycle(payloads.texts().values())


@pytest.fixture(scope="module")
def plain():
    return records.read(Path("tests/golden/record-1.json").absolute())


def shown(value):
    return cells.bundle(value)["text/html"]


def report():
    return untrusted.traps_section(turn()).report


MADE = {
    "run": lambda plain: shown(untrusted.spoilt(plain, turn(), keep=("parameters",))),
    "machine": lambda plain: shown(untrusted.spoilt(plain.machine, turn())),
    "findings": lambda plain: shown(untrusted.spoilt(plain.install.findings, turn())),
    "binaries": lambda plain: shown(untrusted.spoilt(plain.binaries.tools, turn(), keep=("machine", "rule"))),
    "files": lambda plain: BinaryView(untrusted.spoilt(plain.binaries.tools, turn()))._repr_html_(),
    "samples": lambda plain: shown(untrusted.spoilt(plain.performance.samples, turn(), keep=("unit",))),
    "a record without a view": lambda plain: shown(untrusted.spoilt(plain.notebooks[0], turn())),
    "claims": lambda plain: shown(untrusted.claims_record(turn())),  # noqa: ARG005
    "traps": lambda plain: traps(report())._repr_html_(),  # noqa: ARG005
    "one trap": lambda plain: trap(report(), "http502")._repr_html_(),  # noqa: ARG005
    "source": lambda plain: Source("".join(payloads.texts().values()))._repr_html_(),  # noqa: ARG005
    "listings": lambda plain: Listings(  # noqa: ARG005  # noqa: ARG005
        *payloads.HTML["script"][:1], *[tuple(payloads.texts().values())] * 2
    )._repr_html_(),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_a_view_holds_no_markup_of_others(plain, make):
    seen = Seen(make(plain))
    assert seen.tags <= OWN
    assert seen.names <= ATTRIBUTES
    assert any("<" in text for text in seen.texts)  # the payloads are there, as text


def test_a_chapter_of_statements_holds_no_markup_of_others():
    found = [untrusted.judged("1.01", "1", verdict) for verdict in ("confirmed", "refuted", "conditional", "untested")]
    claims = untrusted.spoilt(
        tuple(found), turn(), keep=("id", "chapter", "instead", "predicate", "reason", "would_test")
    )
    record = msgspec.structs.replace(untrusted.plain_claims(), claims=claims)
    seen = Seen(claims_chapter(record, "1")._repr_html_())
    assert seen.tags <= OWN
    assert seen.names <= ATTRIBUTES
    assert any("<" in text for text in seen.texts)


def test_the_look_finds_markup():
    seen = Seen("<table><td>" + "".join(payloads.texts().values()))
    assert not seen.tags <= OWN
    assert not seen.names <= ATTRIBUTES
