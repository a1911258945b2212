"""Kinds of drift by labelled pairs of files, and what of them text alone could tell."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from labkit import codegen
from labkit.codegen.drift import judge, shapes
from labkit.codegen.drift.eras import apart, era_of, fits
from labkit.errors import ProcessError
from labkit.model.drift import Difference, DriftKind, Era, Reason
from labkit.toolchain import golang, program
from tests.drift_pairs import DATA, labelled_pairs

PAIRS = labelled_pairs()
KINDS_OF_A_PAIR = {"same", "header", "format", "semantic"}
STAMP = re.compile(r"(?m)^// (Code generated .*|versions:|[\t -]*protoc.*|source: .*)$\n?")
COMMENT = re.compile(r"(?m)//.*$|/\*(?s:.*?)\*/")


@pytest.fixture(scope="module")
def reader(toolchain):
    return shapes.reader(toolchain)


def ask(reader: Path, folder: Path, pairs) -> list[shapes.Answer]:
    asked = []
    for number, (committed, generated) in enumerate(pairs):
        sides = {"committed": committed, "generated": generated}
        paths = {side: folder / f"{number}.{side}.go" for side, content in sides.items() if content is not None}
        for side, path in paths.items():
            path.write_bytes(sides[side])
        asked.append(shapes.Pair(committed=paths.get("committed"), generated=paths.get("generated")))
    return list(shapes.compare(reader, asked))


@pytest.fixture(scope="module")
def answers(reader, tmp_path_factory):
    """goshape's answer to every pair, from one run."""
    found = ask(reader, tmp_path_factory.mktemp("pairs"), [(pair.committed, pair.generated) for pair in PAIRS])
    return dict(zip((pair.entry.name for pair in PAIRS), found, strict=True))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.entry.name)
def test_a_pair_has_the_kind_of_its_label(pair, answers):
    answer = answers[pair.entry.name]
    kind, reasons = judge(answer.committed, answer.generated, answer.comparison)
    assert (kind, reasons) == (pair.entry.kind, pair.entry.reasons), answer.comparison
    paths = {difference.path for difference in answer.comparison.listed()}
    assert set(pair.entry.differs) <= paths
    era = era_of("protoc-gen-go", answer.committed.features or ())
    if pair.entry.stamp_fits is not None:
        assert fits(answer.committed.versions["protoc-gen-go"], era) is pair.entry.stamp_fits


def test_the_pairs_are_many_and_of_every_kind():
    assert len(PAIRS) >= 70
    assert {pair.entry.kind for pair in PAIRS} == KINDS_OF_A_PAIR
    assert len({pair.entry.name for pair in PAIRS}) == len(PAIRS)
    assert all(pair.entry.why for pair in PAIRS)
    reasons = {reason for pair in PAIRS for reason in pair.entry.reasons}
    of_folders = {Reason.NOT_COMMITTED, Reason.SOURCE_GONE, Reason.NOT_GENERATED, Reason.UNREADABLE}
    assert reasons == set(Reason) - of_folders, "each reason has a pair"


def by_text(committed: bytes, generated: bytes) -> str:
    """Return the kind that a careful comparison of text gives: without stamps, comments and blanks."""
    if committed == generated:
        return "same"
    one, other = (STAMP.sub("", side.decode()) for side in (committed, generated))
    if one.lstrip() == other.lstrip():
        return "header"
    one, other = ("".join(COMMENT.sub("", side).split()) for side in (one, other))
    return "format" if one == other else "semantic"


def test_text_alone_gets_those_pairs_wrong_that_are_said_to_be_beyond_it():
    """The control: what a syntax tree is for. A classifier by text fails on each of these, and on no other."""
    wrong = {pair.entry.name for pair in PAIRS if by_text(pair.committed, pair.generated) != pair.entry.kind}
    assert wrong == {pair.entry.name for pair in PAIRS if pair.entry.beyond_text}
    assert len(wrong) >= 15


def test_what_the_sets_generate_is_what_the_pairs_hold(toolchain, tmp_path):
    """The corpus is real: its newest files are, byte for byte, what the current set makes of the same source."""
    codegen.generate(toolchain, ["note.proto"], proto_path=DATA / "protos", out=tmp_path / "out")
    for name in ("go-1.36.12/note.pb.go", "grpc-1.6.2/note_grpc.pb.go"):
        assert (tmp_path / "out" / Path(name).name).read_bytes() == (DATA / "made" / name).read_bytes()


def test_every_form_of_an_embedded_descriptor_is_read(reader, tmp_path):
    """One source, five ways of embedding it, one descriptor."""
    names = ("go-1.3.5", "go-1.20.0", "go-1.36.5", "go-1.36.12", "gogo-1.3.2")
    other = (DATA / "made/go-1.36.6/note.pb.go").read_bytes()
    found = ask(reader, tmp_path, [((DATA / "made" / name / "note.pb.go").read_bytes(), other) for name in names])
    assert [each.committed.descriptor for each in found] == ["gzip", "bytes", "string", "const", "gzip"]
    assert all(each.comparison.descriptor for each in found)


MADE = sorted(
    (path.parent.name.split("-", 1)[0], path.parent.name.split("-")[1], path)
    for path in (DATA / "made").glob("g*-*/*.pb.go")
    if not path.parent.name.startswith("gogo")
)


@pytest.mark.parametrize(
    ("kind", "version", "path"), MADE, ids=lambda value: str(value) if "/" not in str(value) else ""
)
def test_the_shape_of_code_tells_its_era(reader, tmp_path, kind, version, path):
    (found,) = ask(reader, tmp_path, [(path.read_bytes(), None)])
    plugin = {"go": "protoc-gen-go", "grpc": "protoc-gen-go-grpc"}[kind]
    assert found.committed.plugin == plugin
    assert fits(version, era_of(plugin, found.committed.features)) is True
    stamp = found.committed.versions.get(plugin)
    assert stamp == (None if version in {"1.3.5", "1.0.0"} else f"v{version}")


@pytest.mark.parametrize(
    ("stamp", "era", "wanted"),
    [
        ("v1.32.0", Era(plugin="p", first="1.26.0", last="1.34.2"), True),
        ("v1.36.12", Era(plugin="p", first="1.26.0", last="1.34.2"), False),
        ("v1.35.0-devel", Era(plugin="p", first="1.35.0", last=None), True),
        ("v1.9.0", Era(plugin="p", first="1.20.0", last=None), False),
        ("(unknown)", Era(plugin="p", first="1.26.0", last=None), None),
        (None, Era(plugin="p", first="1.26.0", last=None), None),
        ("v1.32.0", None, None),
    ],
)
def test_a_stamp_lies_within_an_era_or_not(stamp, era, wanted):
    assert fits(stamp, era) is wanted


def test_contradictory_shapes_have_no_era_and_eras_that_touch_are_not_apart():
    assert era_of("protoc-gen-go", {"descriptor:const", "uses:UnsafeEnabled"}) is None
    assert era_of("protoc-gen-go", {"import:reflect"}) is None
    old, new = Era(plugin="p", first=None, last="1.3.5"), Era(plugin="p", first="1.20.0", last=None)
    assert apart(old, new)
    assert apart(new, old)
    assert not apart(old, Era(plugin="p", first="1.3.5", last=None))
    assert not apart(old, None)


def test_a_file_that_cannot_be_read_is_semantic_and_costs_no_other(reader, tmp_path):
    newest = (DATA / "made/go-1.36.12/note.pb.go").read_bytes()
    (tmp_path / "folder.pb.go").mkdir()
    (tmp_path / "new.go").write_bytes(newest)
    pairs = [
        shapes.Pair(committed=tmp_path / "folder.pb.go", generated=tmp_path / "new.go"),
        shapes.Pair(committed=tmp_path / "new.go", generated=tmp_path / "new.go"),
    ]
    kinds = [judge(each.committed, each.generated, each.comparison) for each in shapes.compare(reader, pairs)]
    assert kinds == [(DriftKind.SEMANTIC, (Reason.UNREADABLE,)), (DriftKind.SAME, ())]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 100, b"package", b"package p\n" + b"(" * 20000, b"\xff\xfe" * 50, b"// Code generated by", b"/*"],
    ids=["empty", "zeros", "half", "deep", "no text", "half a header", "open comment"],
)
def test_what_is_no_go_code_is_answered_like_the_rest(reader, tmp_path, content):
    newest = (DATA / "made/go-1.36.12/note.pb.go").read_bytes()
    (found,) = ask(reader, tmp_path, [(content, newest)])
    kind, reasons = judge(found.committed, found.generated, found.comparison)
    assert kind is DriftKind.SEMANTIC
    assert reasons[0] in {Reason.SYNTAX, Reason.TRUNCATED}
    assert found.committed.syntax


def test_a_reader_that_answers_nonsense_is_an_error(executable, tmp_path):
    pair = shapes.Pair(committed=tmp_path / "a", generated=None)
    with pytest.raises(ProcessError, match="does not understand"):
        shapes.compare(executable("nonsense", "echo nonsense"), [pair])
    with pytest.raises(ProcessError, match="answered 0 of 1"):
        shapes.compare(executable("silent", "cat >/dev/null"), [pair])


def test_differences_are_bounded_and_the_rest_is_counted(reader, tmp_path):
    newest = (DATA / "made/go-1.36.12/note.pb.go").read_bytes()
    more = newest + b"".join(b"\nfunc Mine%d() {}\n" % number for number in range(150))
    (found,) = ask(reader, tmp_path, [(more, newest)])
    listed = found.comparison.listed()
    assert (len(listed), found.comparison.left_out) == (100, 50)
    assert listed[0] == Difference(what="func", path="Mine0", committed="there", generated=None, api=True)
    assert Counter(each.what for each in listed) == {"func": 100}


def test_the_reader_is_vetted_tidy_and_formatted(toolchain, tmp_path):
    go = program(toolchain, "go")
    copy = tmp_path / "goshape"
    shutil.copytree(shapes.MODULE, copy)
    golang.run(go, "vet", "./...", cwd=copy)
    assert golang.run(go, "mod", "tidy", "-diff", cwd=copy).stdout == ""
    assert golang.run(go, "fmt", "./...", cwd=copy).stdout == ""
