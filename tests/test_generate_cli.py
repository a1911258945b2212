"""`labkit generate`: flags and labkit.toml, what is shown, and the exit code."""

import json
from pathlib import Path

import jsonschema
import pytest

from labkit.cli.app import main

GOOD = (
    'syntax = "proto3";\noption go_package = "example.com/{0}";\n'
    "message M {{}}\nservice S {{ rpc Do(M) returns (M); }}\n"
)


@pytest.fixture
def project(tmp_path, spaced_home, monkeypatch):
    (tmp_path / "proto").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"proto/{name}.proto").write_text(GOOD.format(name))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["-q", "generate", *words])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def made(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.go"))


ALL = ["a.pb.go", "a_grpc.pb.go", "b.pb.go", "b_grpc.pb.go"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("proto",), ALL),
        (("proto/a.proto", "-I", "proto"), ALL[:2]),
        (("proto/a.proto",), ["proto/a.pb.go", "proto/a_grpc.pb.go"]),
        (("proto", "--no-go-grpc"), ["a.pb.go", "b.pb.go"]),
        (("proto", "--no-go"), ["a_grpc.pb.go", "b_grpc.pb.go"]),
        (("proto", "--module", "example.com"), ["a/a.pb.go", "a/a_grpc.pb.go", "b/b.pb.go", "b/b_grpc.pb.go"]),
        (
            ("proto/a.proto", "--paths", "import", "--map", "proto/a.proto=x.y/z"),
            ["x.y/z/a.pb.go", "x.y/z/a_grpc.pb.go"],
        ),
    ],
    ids=["folder", "-I", "file", "no gRPC", "gRPC alone", "module", "map"],
)
def test_flags(project, capsys, words, expected):
    code, out, _ = call(capsys, *words, "--out", "gen")
    assert (code, made(project / "gen")) == (0, expected)
    assert f"{len(expected)} files in gen: {len(expected)} written" in out


def test_a_toml_file_is_read_from_its_own_folder(project, capsys, monkeypatch):
    (project / "labkit.toml").write_text(
        '[generate]\nsources = ["proto"]\nproto_path = ["proto"]\nout = "gen"\ngo-grpc = false\n'
        'mappings = {"a.proto" = "example.com/other"}\n'
    )
    (project / "below").mkdir()
    assert call(capsys)[0] == 0
    assert made(project / "gen") == ["a.pb.go", "b.pb.go"]
    monkeypatch.chdir(project / "below")
    code, out, _ = call(capsys, "--config", "../labkit.toml")
    assert (code, "2 not touched" in out) == (0, True)


@pytest.mark.parametrize(
    ("toml", "words", "said"),
    [
        (None, (), "no labkit.toml here"),
        (None, ("proto",), "no output folder is named"),
        (None, ("proto", "--out", "gen", "--config", "labkit.toml"), "both here and by --config"),
        (None, ("proto", "--out", "gen", "--map", "nonsense"), "no FILE=IMPORT"),
        ("[other]", (), "no table [generate]"),
        ("[generate]\nsources = 1", (), "Expected `array`"),
        ("[generate]\nsources = ['proto']\nsource = 1", (), "unknown field `source`"),
        ("[generate]\nsources = ['proto']", (), "names no output folder"),
        ("[generate]\nsources = ['proto']\nout = 'gen'", ("--module", "m"), "belong to the sources"),
        ("[generate", (), "labkit.toml: [generate]:"),
    ],
    ids=[
        "no file",
        "no out",
        "both",
        "a bad map",
        "no table",
        "a number",
        "unknown",
        "no out in it",
        "flags beside",
        "no TOML",
    ],
)
def test_wrong_use(project, capsys, toml, words, said):
    if toml is not None:
        (project / "labkit.toml").write_text(toml)
    code, _, err = call(capsys, *words)
    assert (code, said in err) == (2, True), err
    assert not (project / "gen").exists()


def test_refused_sources_are_listed_and_the_rest_is_made(project, capsys):
    (project / "proto/bad.proto").write_text('syntax = "proto3";\npackage bad;\noption go_package = "../up";\n')
    for number in range(8):
        text = f'syntax = "proto3";\nimport "bad.proto";\noption go_package = "example.com/u{number}";\n'
        (project / f"proto/u{number}.proto").write_text(text)
    code, out, err = call(capsys, "proto", "--out", "gen")
    assert (code, made(project / "gen")) == (15, ALL)
    assert "9 of 11 sources refused:" in err
    assert 'bad.proto:3:1: go_package "../up" leads out of the output folder' in err
    assert "u0.proto:2:1: it imports bad.proto, which is refused" in err
    assert "and 3 more that import bad.proto" in err
    assert "4 written" in out
    assert not (project / "up").exists()


def test_json_also_when_sources_are_refused(project, capsys):
    (project / "proto/bad.proto").write_text("message M {\n")
    schema = json.loads((Path(__file__).parents[1] / "docs/schemas/generate.json").read_text())
    code, out, _ = call(capsys, "proto", "--out", "gen", "--json")
    document = json.loads(out)
    jsonschema.validate(document, schema)
    assert code == 15
    assert [file["path"] for file in document["files"]] == ALL
    assert [(each["source"], each["kind"]) for each in document["refused"]] == [("bad.proto", "go_package")]
    (project / "proto/bad.proto").unlink()
    code, out, _ = call(capsys, "proto", "--out", "gen", "--json")
    document = json.loads(out)
    jsonschema.validate(document, schema)
    assert (code, {file["how"] for file in document["files"]}) == (0, {"reused"})
