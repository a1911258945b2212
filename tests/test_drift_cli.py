"""``labkit drift`` on folders: what is looked at, what it says, and how it ends."""

import json
import os
import shutil
from pathlib import Path

import jsonschema
import pytest

from labkit.cli.app import main
from labkit.codegen.drift import drift, markdown
from labkit.errors import StoreError, UsageError, VacuousError
from labkit.model.drift import DriftKind, Reason, Unjudged
from labkit.model.generation import Inputs
from labkit.present import drift as present
from labkit.words import Language
from tests.drift_pairs import DATA

NEWEST = DATA / "made/go-1.36.12/note.pb.go"
GRPC = DATA / "made/grpc-1.6.2/note_grpc.pb.go"
SCHEMA = json.loads(Path("docs/schemas/drift.json").read_text())


@pytest.fixture
def project(tmp_path, monkeypatch, spaced_home):
    """A folder with a source, and the code that the current set makes of it committed beside."""
    folder = tmp_path / "a project"
    (folder / "api").mkdir(parents=True)
    (folder / "gen").mkdir()
    shutil.copy(DATA / "protos/note.proto", folder / "api/note.proto")
    for file in (NEWEST, GRPC):
        shutil.copy(file, folder / "gen" / file.name)
    monkeypatch.chdir(folder)
    return folder


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["-q", "drift", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def look(toolchain, *sources: str, out: str = "gen"):
    return drift(toolchain, Inputs(sources=sources or ("api",)), Path(out))


def kinds(found) -> dict[str, str]:
    return {file.path: str(file.kind) for file in found.files}


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_nothing_differs_and_nothing_is_touched(project, capsys):
    before = snapshot(project)
    code, out, _err = run(capsys, "api", "--out", "gen", "--json")
    value = json.loads(out)
    jsonschema.validate(value, SCHEMA)
    assert code == 0
    assert value["looked_at"] == 2
    assert [(file["path"], file["kind"], file["made_by"]) for file in value["files"]] == [
        ("note.pb.go", "same", "protoc-gen-go v1.36.12"),
        ("note_grpc.pb.go", "same", "protoc-gen-go-grpc v1.6.2"),
    ]
    assert snapshot(project) == before


def test_one_file_of_each_kind(project, capsys):
    (project / "gen/note.pb.go").write_text(NEWEST.read_text().replace("v6.30.2", "v4.25.5"))
    (project / "gen/note_grpc.pb.go").unlink()
    shutil.copy(NEWEST, project / "gen/gone.pb.go")
    text = (project / "gen/gone.pb.go").read_text()
    (project / "gen/gone.pb.go").write_text(text.replace("source: note.proto", "source: gone.proto"))
    code, out, _err = run(capsys, "api", "--out", "gen", "--json")
    value = json.loads(out)
    jsonschema.validate(value, SCHEMA)
    assert code == 1
    assert {file["path"]: (file["kind"], file["reasons"]) for file in value["files"]} == {
        "gone.pb.go": ("orphan", ["source_gone"]),
        "note.pb.go": ("header", ["stamps"]),
        "note_grpc.pb.go": ("missing", ["not_committed"]),
    }
    assert value["counts"] == {"same": 0, "header": 1, "format": 0, "semantic": 0, "missing": 1, "orphan": 1}
    assert [file["made_by"] for file in value["files"]] == ["protoc-gen-go v1.36.12", "protoc-gen-go v1.36.12", None]
    assert value["files"][1]["versions"] == {"protoc": "v4.25.5", "protoc-gen-go": "v1.36.12"}


@pytest.mark.parametrize("kind", ["header", "format", "semantic", "missing", "orphan"])
def test_every_kind_but_same_fails_the_gate(project, capsys, kind):
    committed = project / "gen/note.pb.go"
    edits = {
        "header": lambda: committed.write_text(committed.read_text().replace("v6.30.2", "v4.25.5")),
        "format": lambda: committed.write_bytes(committed.read_bytes().replace(b"\n", b"\r\n")),
        "semantic": lambda: committed.write_text(committed.read_text().replace("return x.Cents", "return 7")),
        "missing": committed.unlink,
        "orphan": lambda: (project / "gen/more.pb.go").write_text(
            committed.read_text().replace("source: note.proto", "source: more.proto")
        ),
    }
    edits[kind]()
    code, out, _err = run(capsys, "api", "--out", "gen")
    assert code == 1
    assert f"{kind}  " in out
    assert "1 of " in out.splitlines()[-1]


def test_a_service_taken_from_the_source_leaves_an_orphan(project, toolchain):
    source = project / "api/note.proto"
    source.write_text(source.read_text().split("service Notes")[0])
    found = look(toolchain)
    (orphan,) = [file for file in found.files if file.kind is DriftKind.ORPHAN]
    assert (orphan.path, orphan.reasons, orphan.source) == ("note_grpc.pb.go", (Reason.NOT_GENERATED,), "note.proto")


def test_others_code_is_listed_and_not_judged(project, toolchain):
    shutil.copy(DATA / "made/vtproto-0.6.0/note_vtproto.pb.go", project / "gen/note_vtproto.pb.go")
    shutil.copy(DATA / "made/gogo-1.3.2/note.pb.go", project / "gen/other.pb.go")
    (project / "gen/mine.pb.go").write_text("package note\n")
    for hidden in ("vendor/v.pb.go", ".cache/c.pb.go", "node_modules/n.pb.go"):
        (project / "gen" / hidden).parent.mkdir()
        shutil.copy(NEWEST, project / "gen" / hidden)
    found = look(toolchain)
    assert found.clean
    assert found.looked_at == 2
    assert [(file.path, file.why, file.made_by) for file in found.not_judged] == [
        ("mine.pb.go", Unjudged.FOREIGN, "unknown"),
        ("note_vtproto.pb.go", Unjudged.FOREIGN, "protoc-gen-go-vtproto v0.6.0"),
        ("other.pb.go", Unjudged.FOREIGN, "protoc-gen-gogo"),
    ]


def test_code_of_a_source_that_was_not_asked_for_is_not_an_orphan(project, toolchain):
    source = (project / "api/note.proto").read_text()
    (project / "api/second.proto").write_text(source.split("// How")[0])
    committed = NEWEST.read_text().replace("source: note.proto", "source: second.proto")
    (project / "gen/second.pb.go").write_text(committed)
    found = drift(toolchain, Inputs(sources=("api/note.proto",), proto_path=("api",)), Path("gen"))
    assert found.clean
    assert [(file.path, file.why, file.source) for file in found.not_judged] == [
        ("second.pb.go", Unjudged.OUTSIDE, "second.proto")
    ]


def test_a_header_that_was_removed_leaves_the_maker_to_the_shape(project, toolchain):
    old = (DATA / "made/go-1.32.0/note.pb.go").read_text()
    (project / "gen/note.pb.go").write_text("package note" + old.split("package note", 1)[1])
    (file, _grpc) = look(toolchain).files
    assert (file.kind, file.made_by, file.reasons) == ("semantic", "unknown", (Reason.GENERATOR,))
    assert (file.looks_like.first, file.looks_like.last, file.stamp_fits) == ("1.26.0", "1.34.2", None)


def test_a_header_that_lies_is_told(project, capsys):
    old = (DATA / "made/go-1.32.0/note.pb.go").read_text()
    (project / "gen/note.pb.go").write_text(old.replace("v1.32.0", "v1.36.12"))
    code, out, _err = run(capsys, "api", "--out", "gen")
    assert code == 1
    assert "protoc-gen-go 1.26.0 to 1.34.2" in out
    assert "contradicts" in out


def test_another_set_is_compared_with(project, capsys):
    for name in ("go-1.32.0/note.pb.go", "grpc-1.3.0/note_grpc.pb.go"):
        text = (DATA / "made" / name).read_text().replace("v6.30.2", "v4.24.3")
        (project / "gen" / Path(name).name).write_text(text)
    code, out, _err = run(capsys, "api", "--out", "gen", "--set", "handbook", "--json")
    assert (code, json.loads(out)["counts"]["same"]) == (0, 2)
    code, out, _err = run(capsys, "api", "--out", "gen", "--json")
    assert (code, json.loads(out)["counts"]["semantic"]) == (1, 2)


def test_a_toml_file_names_the_sources_and_the_folder(project, capsys):
    (project / "labkit.toml").write_text('[generate]\nsources = ["api"]\nproto_path = ["api"]\nout = "gen"\n')
    code, out, _err = run(capsys, "--json")
    assert (code, json.loads(out)["looked_at"]) == (0, 2)
    (project / "gen/note.pb.go").unlink()
    code, _out, _err = run(capsys, "--markdown", "summary.md")
    assert code == 1
    assert "\nlabkit generate\n" in (project / "summary.md").read_text(), "the same file mends it"


def test_options_are_those_of_generation(project, capsys):
    shutil.rmtree(project / "gen")
    (project / "gen/note").mkdir(parents=True)
    shutil.copy(NEWEST, project / "gen/note/note.pb.go")
    options = ["--module", "example.com", "--no-go-grpc"]
    code, out, _err = run(capsys, "api", "--out", "gen", "--json", *options, "--markdown", "summary.md")
    assert (code, json.loads(out)["counts"]["same"]) == (0, 1)
    (project / "gen/note/note.pb.go").unlink()
    run(capsys, "api", "--out", "gen", *options, "--markdown", "summary.md")
    assert "\nlabkit generate api --module example.com --no-go-grpc --out gen\n" in (project / "summary.md").read_text()


def test_a_second_look_makes_only_what_changed_and_sees_it(project, toolchain):
    assert look(toolchain).clean
    (project / "api/note.proto").write_text((DATA / "protos/number.proto").read_text())
    assert kinds(look(toolchain)) == {"note.pb.go": "semantic", "note_grpc.pb.go": "same"}
    (project / "api/note.proto").write_text((DATA / "protos/note.proto").read_text())
    assert look(toolchain).clean


def test_a_folder_that_is_not_there_is_all_missing(project, toolchain):
    assert kinds(look(toolchain, out="nowhere")) == {"note.pb.go": "missing", "note_grpc.pb.go": "missing"}


def test_looking_at_nothing_is_an_error_of_its_own(project, capsys):
    (project / "empty").mkdir()
    code, out, _err = run(capsys, "empty", "--out", "empty", "--json")
    assert code == VacuousError.exit_code
    error = json.loads(out)["error"]
    assert "looked at nothing" in error["what"]
    assert str(project) in error["what"], "it says where it looked from"
    assert "--out" in error["remedy"]


def test_foreign_code_alone_is_nothing_too(project, toolchain):
    (project / "empty").mkdir()
    shutil.copy(DATA / "made/gogo-1.3.2/note.pb.go", project / "empty/note.pb.go")
    with pytest.raises(VacuousError, match="1 files there are not judged"):
        look(toolchain, "empty", out="empty")


def test_a_source_that_is_not_there_is_wrong_use(project, capsys, monkeypatch):
    (project / "elsewhere").mkdir()
    monkeypatch.chdir(project / "elsewhere")
    code, _out, err = run(capsys, "api", "--out", "gen")
    assert code == UsageError.exit_code
    assert "api" in err


def test_with_no_source_left_everything_is_an_orphan(project, toolchain):
    (project / "api/note.proto").unlink()
    assert kinds(look(toolchain)) == {"note.pb.go": "orphan", "note_grpc.pb.go": "orphan"}


def test_a_folder_that_cannot_be_read_is_not_passed_over(project, toolchain, monkeypatch):
    (project / "gen/closed").mkdir()
    real = os.scandir

    def scandir(folder):
        if str(folder).endswith("closed"):  # root reads every folder, so its rights cannot show this
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(StoreError, match=r"Permission denied.*closed"):
        look(toolchain)


def test_markdown_says_it_and_cannot_be_broken_out_of(project, toolchain, capsys):
    hostile = "func Mine_x() {} // | ` <img src=x> @everyone ](http://x)\n"
    committed = project / "gen/note.pb.go"
    committed.write_text(committed.read_text().replace("return x.Cents", "return 7") + hostile)
    code, _out, _err = run(capsys, "api", "--out", "gen", "--markdown", "summary.md")
    assert code == 1
    text = (project / "summary.md").read_text()
    assert "1 of 2 files differ" in text
    assert "| semantic | `note.pb.go` | the exported API |" in text
    assert "labkit generate api --out gen" in text
    assert "changed: method (*Note).GetCents" in text
    shown = [line for line in text.splitlines() if "everyone" in line]
    assert shown
    assert all(line.startswith("- ``") and line.endswith("``") for line in shown)
    for line in text.splitlines():
        if line.startswith("| "):
            assert line.replace("\\|", "").count("|") in {4, 5}


def test_a_jobs_summary_is_appended_to(project, capsys, monkeypatch):
    summary = project / "step.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    for _time in range(2):
        run(capsys, "api", "--out", "gen", "--markdown", str(summary))
    text = summary.read_text()
    assert text.startswith("before\n")
    assert text.count("all 2 files are what the set current generates") == 2


def test_markdown_stays_within_a_comment(project, toolchain):
    committed = project / "gen/note.pb.go"
    committed.write_text(
        committed.read_text() + "".join(f"func {'Long' * 50}{number}() {{}}\n" for number in range(99))
    )
    found = look(toolchain)
    many = type(found)(
        **{name: getattr(found, name) for name in found.__struct_fields__ if name != "files"},
        files=found.files * 150,
    )
    text = markdown.markdown(many)
    assert len(text) <= 65_536
    assert "more files" in text


def test_a_notebook_shows_a_row_a_file_that_differs(project, toolchain):
    (project / "gen/note.pb.go").write_bytes(NEWEST.read_bytes().replace(b"\n", b"\r\n"))
    found = look(toolchain)
    frame = present.drift_frame(found, Language.ENGLISH)
    assert list(frame.columns) == ["Kind", "File", "What differs", "Where", "Made by"]
    assert frame.iloc[0].tolist() == ["format", "note.pb.go", "line ends (CRLF)", "-", "protoc-gen-go v1.36.12"]
    assert len(present.drift_frame(found, everything=True)) == 2
    assert present.counts_frame(found, Language.CHINESE)["文件数"].tolist() == ["1", "0", "1", "0", "0", "0"]
    assert "format" in repr(present.drift(found))


def test_a_source_that_protoc_refuses_is_no_clean_run(project, toolchain):
    (project / "api/bad.proto").write_text('syntax = "proto3"; message M { Missing m = 1; }')
    found = look(toolchain)
    assert not found.clean
    assert kinds(found) == {"note.pb.go": "same", "note_grpc.pb.go": "same"}
    assert [each.source for each in found.refused] == ["bad.proto"]
