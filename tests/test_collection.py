"""Whole collections of .proto files: fetched as pinned or not at all, generated from, and shown or said why not."""

import base64
import hashlib
import io
import tarfile
from pathlib import Path

import msgspec
import pytest

from labkit.codegen.collection import check_name, measure, names
from labkit.codegen.collection.measuring import _in_a_process
from labkit.codegen.collection.obtaining import obtain, sources
from labkit.codegen.collection.pinned import NpmCollection, WheelCollection, named
from labkit.codegen.collection.worker import MOST_REFUSALS, summary
from labkit.errors import GenerateError, LabError, NetworkError, ProvisionError, StoreError, UsageError
from labkit.model.base import Provenance, Text
from labkit.model.collection import CollectionCost, CollectionRun, CollectionTask
from labkit.model.generation import Batch, Generation, How, Inputs, Refusal, RefusalKind, TreeFile
from labkit.present import collection as shown
from labkit.words import Language

FOLDERS = ("api", "cloud", "gapic", "logging", "longrunning", "rpc", "type")
WITNESS = "google/api/annotations.proto"


def archive(path: Path, members: dict[str, str], *, link: str | None = None) -> str:
    """Write an npm package and return its sha512 in npm's spelling."""
    with tarfile.open(path, "w:gz") as package:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            package.addfile(info, io.BytesIO(text.encode()))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            package.addfile(info)
    return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


@pytest.fixture
def packed(tmp_path, executable, monkeypatch, empty_store):
    """Return a function that makes npm answer with an archive of some members, and the pin of it."""

    def make(members: dict[str, str], **more: str) -> NpmCollection:
        digest = archive(tmp_path / "made.tgz", members, **more)
        npm = executable("npm", f'[ "$1" = pack ] || exit 9\ncp "{tmp_path}/made.tgz" protos-1.0.0.tgz')
        monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
        return NpmCollection(
            project="protos", version="1.0.0", source="https://example.com", folders=("google",),
            without=("google/protobuf",), witness=WITNESS, sha512=digest,
        )  # fmt: skip

    return make


GOOD = {
    f"package/{WITNESS}": 'syntax = "proto3";\n',
    "package/google/protobuf/any.proto": 'syntax = "proto3";\n',
    "package/LICENSE": "free\n",
    "package/install.js": "throw 1\n",
}


def test_only_protos_and_the_licence_of_an_npm_package_are_unpacked(packed, empty_store):
    pin = packed(GOOD)
    root = obtain("tiny", pin)
    assert root.is_relative_to(empty_store / "store")
    files = sorted(file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file())
    assert files == ["LICENSE", WITNESS, "google/protobuf/any.proto"]
    assert sources(root, pin) == (WITNESS,)


def test_a_collection_is_fetched_once(packed, executable):
    pin = packed(GOOD)
    first = obtain("tiny", pin)
    executable("npm", "exit 1")
    assert obtain("tiny", pin) == first


@pytest.mark.parametrize("name", ["../outside.proto", "package/../../outside.proto", "/outside.proto"])
def test_a_package_writes_nowhere_else(packed, empty_store, name):
    root = obtain("tiny", packed(GOOD | {name: "bad"}, link="package/google/link.proto"))
    assert not list(empty_store.rglob("outside.proto"))
    assert not (root / "google/link.proto").exists()


def test_another_content_is_refused_and_nothing_stays(packed, empty_store):
    pin = msgspec.structs.replace(packed(GOOD), sha512="A" * 86 + "==")
    with pytest.raises(ProvisionError, match="nothing was unpacked"):
        obtain("tiny", pin)
    assert not list((empty_store / "store").glob("protos-*"))


def test_a_package_without_its_witness_is_refused(packed):
    with pytest.raises(ProvisionError, match=f"holds no {WITNESS}"):
        obtain("tiny", packed({"package/LICENSE": "free"}))


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ("echo 'npm error code ENOTFOUND' >&2; exit 1", NetworkError, "ENOTFOUND"),
        ("exit 0", StoreError, "left 0 archives"),
        (None, ProvisionError, "npm is not on PATH"),
    ],
    ids=["no network", "no archive", "no npm"],
)
def test_an_npm_that_does_not_serve_is_said(packed, executable, monkeypatch, tmp_path, body, error, words):
    pin = packed(GOOD)
    if body is None:
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        executable("npm", body)
    with pytest.raises(error, match=words) as caught:
        obtain("tiny", pin)
    assert caught.value.remedy


def test_a_wheel_of_another_content_is_refused(toolchain, empty_store):
    pin = msgspec.structs.replace(named("common"), sha256="0" * 64)
    assert isinstance(pin, WheelCollection)
    with pytest.raises(LabError, match=r"pinned hash|could not be fetched"):
        obtain("common", pin)


def test_the_collections_and_their_names():
    assert names() == ("common", "googleapis")
    for name in (*names(), "none"):
        check_name(name)
    with pytest.raises(UsageError, match="named 'comon'") as caught:
        check_name("comon")
    assert "'common'" in caught.value.remedy


def test_a_pin_without_its_hash_is_refused():
    with pytest.raises(msgspec.ValidationError, match="sha256"):
        msgspec.convert(
            {"kind": "wheel", "project": "p", "version": "1", "source": "s", "folders": ["a"], "witness": "w"},
            WheelCollection,
        )


def test_the_small_collection_is_generated_from_whole_and_by_folder(toolchain):
    lines: list[str] = []
    run = measure(toolchain, "common", progress=lines.append)
    assert (run.missing, run.source) == (None, "googleapis-common-protos 1.76.0 (wheel)")
    whole = run.whole
    assert (whole.folder, whole.source_count, whole.refused_count) == ("", 63, 1)
    assert [(each.source, each.kind) for each in run.refused] == [
        ("google/cloud/common_resources.proto", RefusalKind.GO_PACKAGE)
    ]
    assert whole.file_count == 64  # 62 sources, two of them with a service
    assert {part.folder for part in run.parts} == {f"google/{name}" for name in FOLDERS}
    for field in ("source_count", "file_count", "line_count", "output_size_bytes", "refused_count"):
        assert sum(getattr(part, field) for part in run.parts) == getattr(whole, field), field
    assert [part.wall_time_s for part in run.parts] == sorted((part.wall_time_s for part in run.parts), reverse=True)
    assert whole.wall_time_s > 0
    # The process of the engine is weighed, not that of the tests, which holds pandas and plotly.
    assert whole.peak_memory_bytes is None or whole.peak_memory_bytes < 250 * 2**20
    assert lines[0] == run.source
    assert "google/api: 33 .proto" in lines
    assert msgspec.json.decode(msgspec.json.encode(run), type=CollectionRun) == run


def test_a_process_that_fails_is_said(toolchain, tmp_path):
    task = CollectionTask(toolchain=toolchain, inputs=Inputs(sources=(str(tmp_path),)), folder="google/x", jobs=1)
    with pytest.raises(GenerateError, match=r"generating from google/x failed: .*proto"):
        _in_a_process(task)


def test_none_is_not_measured_and_says_so(toolchain):
    run = measure(toolchain, "none")
    assert (run.whole, run.missing.id) == (None, "collection.missing.none")


def test_what_cannot_be_had_is_not_measured_and_says_why(toolchain, empty_store, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    run = measure(toolchain, "googleapis")
    assert run.whole is None
    assert "npm is not on PATH" in run.missing.values["what"]
    assert "Node.js" in run.missing.values["remedy"]


def cost(folder: str, seconds: float, **changes: object) -> CollectionCost:
    plain = CollectionCost(
        folder=folder, source_count=1234, package_count=5, file_count=2000, line_count=9000, batch_count=3,
        output_size_bytes=6_000_000, refused_count=0, protoc_time_s=0.25, jobs=2,
        plugin_time_s={"protoc-gen-go": 0.5, "protoc-gen-go-grpc": 0.25},
        wall_time_s=seconds, peak_memory_bytes=100 * 2**20,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def made(count: int = 2, **changes: object) -> CollectionRun:
    parts = tuple(cost(f"google/p{number}", float(number)) for number in range(count, 0, -1))
    plain = CollectionRun(
        collection="common", source="protos 1.0 (npm)", whole=cost("", 7.25), parts=parts, refused=(), missing=None,
        provenance=Provenance.SYNTHETIC,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def test_the_figure_has_a_bar_a_folder_and_asks_its_question():
    figure = shown.collection_figure(made())
    (bars,) = figure.data
    assert list(bars.x) == [7.25, 2.0, 1.0]
    assert "seconds" in figure.layout.title.text
    assert "protos 1.0 (npm)" in figure.layout.title.text
    assert figure.layout.title.subtitle.text.startswith("Synthetic")
    assert "2 batches at once" in figure.layout.title.subtitle.text
    assert [each.text for each in figure.layout.annotations] == [
        "<b>all at once</b><br>7.25 s · 1,234 .proto · 2,000 Go files · 100 MiB",
        "<b>google/p2</b><br>2.00 s · 1,234 .proto · 2,000 Go files · 100 MiB",
        "<b>google/p1</b><br>1.00 s · 1,234 .proto · 2,000 Go files · 100 MiB",
    ]


def test_measured_bars_are_not_called_synthetic():
    run = made(provenance=Provenance.MEASURED)
    assert "Synthetic" not in shown.collection_figure(run).layout.title.subtitle.text


def test_the_shorter_folders_stand_together():
    run = made(shown.MOST_FOLDERS + 5)
    (bars,) = shown.collection_figure(run).data
    assert len(bars.x) == 1 + shown.MOST_FOLDERS
    assert bars.x[-1] == sum(range(1, 7))
    frame = shown.collection_table(run).frame
    assert list(frame.iloc[-1]) == [
        "the 6 shorter ones together", "7,404", "0", "30", "12,000", "54,000", "36.00", "21.00", "1.50", "4.50",
        "at most 100 MiB",
    ]  # fmt: skip
    assert len(shown.collection_table(made(shown.MOST_FOLDERS)).frame) == 1 + shown.MOST_FOLDERS


def test_the_table_has_the_whole_first():
    frame = shown.collection_table(made()).frame
    assert list(frame.iloc[0]) == [
        "all at once", "1,234", "0", "5", "2,000", "9,000", "6.00", "7.25", "0.25", "0.75", "100 MiB",
    ]  # fmt: skip
    assert list(frame.iloc[:, 0]) == ["all at once", "google/p2", "google/p1"]


def test_memory_that_was_not_seen_is_said():
    run = made(whole=cost("", 1.0, peak_memory_bytes=None))
    assert "memory not seen" in shown.collection_figure(run).layout.annotations[0].text
    assert shown.collection_table(run).frame.iloc[0, -1] == "memory not seen"


def test_where_nothing_was_measured_the_figures_place_says_why():
    why = Text(id="collection.missing.error", values={"what": "npm is <not> on PATH", "remedy": "install it"})
    run = made(collection="googleapis", whole=None, parts=(), missing=why)
    figure = shown.collection_figure(run)
    assert not figure.data
    (said,) = figure.layout.annotations
    assert said.text.replace("<br>", " ") == "not measured: npm is &lt;not&gt; on PATH (install it)"
    assert shown.collection_table(run).frame.iloc[0, 1] == "npm is <not> on PATH (install it)"
    assert len(shown.collection_refusals(run).frame) == 0
    assert "未测量" in shown.collection_figure(run, Language.CHINESE).layout.annotations[0].text


def refusal(number: int) -> Refusal:
    return Refusal(
        source=f"p{number}.proto", kind=RefusalKind.GO_PACKAGE, line=None if number else 3, column=None,
        reason=Text(id="collection.missing.none"), remedy=Text(id="collection.missing.none"),
    )  # fmt: skip


def test_what_was_refused_is_listed():
    frame = shown.collection_refusals(made(refused=(refusal(0), refusal(1)))).frame
    assert list(frame.iloc[:, 0]) == ["p0.proto", "p1.proto"]
    assert list(frame.iloc[:, 1]) == ["3", "-"]


def test_a_runs_files_and_batches_are_summed_up():
    def file(path: str, package: str) -> TreeFile:
        return TreeFile(
            path=path, source="x.proto", import_path=package, plugin="protoc-gen-go", how=How.WRITTEN, size_bytes=10,
            line_count=2, sha256="0" * 64, made_by={},
        )  # fmt: skip

    def of(plugin: str) -> Batch:
        return Batch(
            import_paths=("e.com/a",), source_count=1, output_size_bytes=10, protoc_time_s=0.5,
            plugin_time_s={plugin: 1.0}, wall_time_s=1.0,
        )  # fmt: skip

    done = Generation(
        out="out", toolchain="current", source_count=80,
        files=(file("a.pb.go", "e.com/a"), file("b.pb.go", "e.com/b"), file("c.pb.go", "e.com/b")),
        refused=tuple(refusal(number) for number in range(MOST_REFUSALS + 9)), removed=(),
        batches=(of("one"), of("one"), of("two")), jobs=2, wall_time_s=2.5, peak_memory_bytes=None,
    )  # fmt: skip
    found = summary(done, "google/x")
    assert found.cost == CollectionCost(
        folder="google/x", source_count=80, package_count=2, file_count=3, line_count=6, output_size_bytes=30,
        refused_count=MOST_REFUSALS + 9, batch_count=3, protoc_time_s=1.5, jobs=2,
        plugin_time_s={"one": 2.0, "two": 1.0}, wall_time_s=2.5, peak_memory_bytes=None,
    )  # fmt: skip
    assert len(found.refused) == MOST_REFUSALS


def test_the_pinned_npm_package_is_the_one_that_the_slices_are_of():
    pin = named("googleapis")
    assert (pin.project, pin.version, pin.without) == ("google-proto-files", "5.0.3", ("google/protobuf",))
