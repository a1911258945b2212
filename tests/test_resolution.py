"""What the set's Go does with replace, commit pins and go.sum: every fault beside the same without it."""

import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import msgspec
import pytest

from labkit.errors import UsageError
from labkit.gobuild import resolution
from labkit.gobuild.resolution import modules, stock
from labkit.gobuild.resolution.proxy import Proxy
from labkit.gobuild.resolution.trial import QUESTIONS
from labkit.model.resolution import Experiment, Outcome
from labkit.present.resolution import resolution as show
from labkit.present.resolution import resolution_frame
from labkit.toolchain import golang
from labkit.words import Language, render
from tests.support import missing

PROTOBUF = "google.golang.org/protobuf"
PUBLIC = tuple(id_ for id_ in resolution.names() if id_.startswith("public-"))
#: What the handbook's set is asked too.
BOTH = (
    "plain-off", "path-off", "version-off", "pseudo-off", "pseudo-wrong-date", "sum-zip-changed", "install-replace",
)  # fmt: skip

#: experiment: the outcome, and words of Go's own (none where it says nothing).
EXPECTED = {
    "plain-proxy": ("done", ""),
    "plain-off": ("refused", "module lookup disabled by GOPROXY=off"),
    "path-proxy": ("done", ""),
    "path-off": ("done", ""),
    "path-graph-proxy": ("done", "github.com/google/go-cmp"),
    "path-graph-off": ("refused", "module lookup disabled by GOPROXY=off"),
    "version-proxy": ("done", ""),
    "version-off": ("refused", "module lookup disabled by GOPROXY=off"),
    "version-off-cached": ("done", ""),
    "version-proxy-cached": ("done", ""),
    "pseudo-proxy": ("done", ""),
    "pseudo-off": ("refused", "module lookup disabled by GOPROXY=off"),
    "list-stale": ("done", f"{PROTOBUF} {stock.OTHER}"),
    "list-fresh": ("done", PROTOBUF),
    "commit-tagged": ("done", f"added {PROTOBUF} {stock.COMMIT}"),
    "commit-untagged": ("done", f"added {stock.GENPROTO} {stock.UNTAGGED}"),
    "commit-off": ("refused", "module lookup disabled by GOPROXY=off"),
    "commit-off-cached": ("done", f"added {PROTOBUF} {stock.COMMIT}"),
    "direct-commit": ("done", "v1.2.3-0.20230915142201-"),
    "direct-replace": ("done", ""),
    "direct-replace-proxy": ("refused", "404 Not Found"),
    "direct-replace-private": ("done", ""),
    "direct-replace-off": ("refused", "module lookup disabled by GOPROXY=off"),
    "pseudo-right": ("done", ""),
    "pseudo-wrong-date": ("refused", "does not match version-control timestamp (expected 20230915142201)"),
    "pseudo-short-commit": ("refused", "revision is shorter than canonical"),
    "pseudo-long-commit": ("refused", "revision is longer than canonical"),
    "pseudo-unknown-commit": ("refused", "unknown revision"),
    "pseudo-wrong-base": ("refused", "preceding tag (v1.9.0) not found"),
    "pseudo-upper-case": ("refused", "unknown revision"),
    "sum-right": ("done", ""),
    "sum-zip-changed": ("refused", "does NOT match an earlier download recorded in go.sum"),
    "sum-zip-changed-mod-mod": ("refused", "does NOT match an earlier download recorded in go.sum"),
    "sum-mod-changed": ("refused", "/go.mod: checksum mismatch"),
    "sum-missing-readonly": ("refused", "missing go.sum entry"),
    "sum-missing-mod-mod": ("done", ""),
    "proxy-zip-tampered": ("refused", "does NOT match an earlier download recorded in go.sum"),
    "proxy-mod-tampered": ("refused", "/go.mod: checksum mismatch"),
    "database-right": ("done", ""),
    "database-zip-tampered": ("refused", "does NOT match the one reported by the checksum server"),
    "database-off-zip-tampered": ("done", ""),
    "database-excused-zip-tampered": ("done", ""),
    "cache-changed-build": ("done", ""),
    "cache-changed-verify": ("refused", "dir has been modified"),
    "replace-in-main": ("done", ""),
    "replace-in-dependency": ("done", ""),
    "install-plain": ("done", ""),
    "install-replace": ("refused", "more replace directives. It must not contain directives"),
    "install-exclude": ("refused", "more exclude directives. It must not contain directives"),
    "install-in-module": ("done", ""),
    "install-at-version": ("done", ""),
}


@pytest.fixture(scope="module")
def tried(toolchain) -> dict[str, Experiment]:
    """All experiments with the current set, but those that ask the user's own proxy."""
    results = {each.id: each for each in resolution.run(toolchain, EXPECTED)}
    skipped = {render(each.reason) for each in results.values() if each.reason}
    if skipped:
        missing("; ".join(sorted(skipped)), "give Go a network once, and install git")
    return results


def asked(each: Experiment, step: int = -1) -> set[str]:
    return {request.path for request in each.steps[step].asked}


def looked(each: Experiment) -> str:
    return each.evidence[-1].found


def test_every_experiment_is_expected_and_has_its_control():
    assert set(EXPECTED) | set(PUBLIC) == set(resolution.names())
    for question in QUESTIONS.values():
        assert question.control is None or question.control in QUESTIONS
        assert question.control != question.id


@pytest.mark.parametrize("id_", EXPECTED)
def test_what_go_does(tried, id_):
    outcome, words = EXPECTED[id_]
    each = tried[id_]
    assert (str(each.outcome), words in each.steps[-1].said) == (outcome, True), each.steps[-1].said
    assert (each.steps[-1].exit_code == 0) == (outcome == "done")
    assert all(step.exit_code == 0 for step in each.steps[:-1])


@pytest.mark.parametrize("id_", [id_ for id_, (outcome, _) in EXPECTED.items() if outcome == "refused"])
def test_a_refusal_has_a_control_that_ends_well(tried, id_):
    control = tried[id_].control
    while control is not None and tried[control].outcome is Outcome.REFUSED:
        control = tried[control].control
    assert control is not None


def test_a_local_path_asks_the_proxy_nothing_of_the_module_but_its_dependencies(tried):
    assert any(path.startswith(f"{PROTOBUF}/@v/") for path in asked(tried["plain-proxy"]))
    assert asked(tried["path-proxy"]) == set()
    graph = asked(tried["path-graph-proxy"])
    assert "github.com/google/go-cmp/@v/v0.5.5.mod" in graph
    assert not any(path.startswith(f"{PROTOBUF}/") for path in graph)
    assert looked(tried["path-off"]).endswith("=> $LOCAL")


@pytest.mark.parametrize(
    ("id_", "version"), [("version-proxy", stock.OTHER), ("pseudo-proxy", stock.COMMIT)], ids=["release", "pseudo"]
)
def test_a_version_is_fetched_from_the_proxy(tried, id_, version):
    assert asked(tried[id_]) >= {f"{PROTOBUF}/@v/{version}.{kind}" for kind in ("mod", "zip")}
    assert looked(tried[id_]).endswith(f"=> {PROTOBUF} {version}")


@pytest.mark.parametrize("id_", ["version-off-cached", "version-proxy-cached", "commit-off-cached"])
def test_what_is_in_the_module_cache_is_asked_of_nobody(tried, id_):
    first, last = asked(tried[id_], 0), asked(tried[id_])
    assert first
    assert last == set()


def test_a_commit_becomes_a_pseudo_version_whose_parts_are_those_of_the_proxys_info(tried):
    tagged, untagged = tried["commit-tagged"], tried["commit-untagged"]
    for each, kinds in ((tagged, 2), (untagged, 2)):
        compared = [item for item in each.evidence if item.wanted is not None]
        assert len(compared) >= kinds
        assert all(item.found == item.wanted for item in compared)
    assert f"{PROTOBUF}/@v/f930b1dc76e8.info" in asked(tagged)
    assert f"require {PROTOBUF} {stock.COMMIT}" in tagged.go_mod


def test_only_a_private_module_is_fetched_straight_from_its_repository(tried):
    assert any(line.startswith("git ") and "fetch" in line for line in tried["direct-replace"].steps[0].git)
    assert tried["direct-replace-proxy"].steps[0].git == ()
    assert tried["direct-replace-proxy"].steps[0].asked
    assert tried["direct-replace-off"].steps[0].git == ()
    assert any("fetch" in line for line in tried["direct-replace-private"].steps[0].git)
    assert tried["direct-replace-private"].steps[0].asked == ()


@pytest.mark.parametrize(
    "id_", ["sum-zip-changed", "sum-zip-changed-mod-mod", "proxy-zip-tampered", "database-zip-tampered"]
)
def test_nothing_that_was_refused_is_left_in_the_module_cache(tried, id_):
    kinds = {thing.split()[1] for thing in tried["sum-right"].left}
    assert kinds == {"go.mod", "zip", "folder"}
    assert {thing.split()[1] for thing in tried[id_].left} <= {"go.mod"}


def test_without_go_sum_and_database_nobody_sees_a_changed_zip(tried):
    for id_ in ("database-off-zip-tampered", "database-excused-zip-tampered"):
        assert any(" zip " in thing for thing in tried[id_].left)
    assert any("/lookup/" in path for path in asked(tried["database-zip-tampered"]))


def test_mod_mod_adds_the_missing_line_and_nothing_else(tried):
    assert all(item.found == item.wanted for item in tried["sum-missing-mod-mod"].evidence)
    assert tried["sum-missing-mod-mod"].evidence


def test_only_the_main_modules_replace_counts(tried):
    assert f"=> {PROTOBUF} {stock.OTHER}" in looked(tried["replace-in-main"])
    assert "=>" not in looked(tried["replace-in-dependency"])


def test_replace_decides_an_install_without_a_version_only(tried, toolchain):
    pinned = next(module.version for module in toolchain.modules if module.module == PROTOBUF)
    assert looked(tried["install-in-module"]) == f"protoc-gen-go {stock.OTHER}"
    assert looked(tried["install-at-version"]) == f"protoc-gen-go {pinned}"


def test_the_records_name_no_folder_or_port_of_this_machine_and_are_read_back(tried):
    text = msgspec.json.encode(tuple(tried.values())).decode()
    assert "127.0.0.1" not in text
    assert "labkit-resolution-" not in text
    assert str(Path.home()) not in text
    assert msgspec.json.decode(text, type=tuple[Experiment, ...]) == tuple(tried.values())


def test_the_handbooks_go_does_the_same():
    from labkit.facts import Facts

    results = resolution.run(Facts("handbook").toolchain, BOTH)
    if any(each.reason for each in results):
        missing("modules for the handbook's set", "give Go a network once, and install git")
    for each in results:
        outcome, words = EXPECTED[each.id]
        assert (str(each.outcome), words in each.steps[-1].said) == (outcome, True), each.steps[-1].said
        assert each.go_version == "1.21.13"


def test_the_documentation_quotes_what_go_said(tried):
    text = Path("docs/provisioning.md").read_text("utf-8")
    chapter = text.split("## replace, commit pins and go.sum\n", 1)[1].split("\n## ", 1)[0]
    quoted = [line.split("| `", 1)[1].split("`", 1)[0] for line in chapter.splitlines() if "| `inv" in line]
    said = "\n".join(each.steps[-1].said for each in tried.values())
    assert len(quoted) == 6
    for words in quoted:
        assert words in said


# --- what cannot be tried is said ---


@pytest.fixture
def cut_off(empty_store, monkeypatch):
    """No module proxy, and a store that never had the modules."""
    monkeypatch.setenv("GOPROXY", "off")
    golang._network_settings.cache_clear()
    yield
    golang._network_settings.cache_clear()


def test_without_a_network_and_the_modules_it_says_so_and_tries_the_rest(toolchain, cut_off):
    results = {each.id: each for each in resolution.run(toolchain, ("plain-proxy", "install-plain", "public-right"))}
    assert results["plain-proxy"].outcome is Outcome.SKIPPED
    assert "module lookup disabled" in render(results["plain-proxy"].reason)
    assert results["plain-proxy"].steps == ()
    assert results["public-right"].outcome is Outcome.SKIPPED
    assert "proxy could not be reached" in render(results["public-right"].reason)
    assert results["install-plain"].outcome is Outcome.DONE


def test_without_git_it_says_so(toolchain, monkeypatch):
    monkeypatch.setattr(resolution, "_git", lambda: None)
    (each,) = resolution.run(toolchain, ("pseudo-right",))
    assert (each.outcome, render(each.reason)) == (Outcome.SKIPPED, "there is no git here that answers")


def test_a_git_that_does_not_answer_counts_as_none(executable, monkeypatch):
    from labkit.gobuild.resolution import repository

    monkeypatch.setenv("PATH", str(executable("git", "exit 1").parent))
    assert repository.find_git() is None
    executable("git", "echo git version 2.39.5")
    assert repository.find_git() is not None


def test_an_unknown_experiment_is_wrong_use(toolchain):
    with pytest.raises(UsageError, match="no experiment named 'none'"):
        resolution.run(toolchain, ("none",))


# --- the pieces ---


def test_a_sum_of_ours_is_the_sum_that_go_wrote(tried, toolchain):
    real = stock.obtain(toolchain)
    folder = modules.folder_of(real.download, PROTOBUF)
    with zipfile.ZipFile(folder / f"{real.pinned}.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert modules.h1(files) == (folder / f"{real.pinned}.ziphash").read_text().strip()
    go_mod = modules.h1({"go.mod": (folder / f"{real.pinned}.mod").read_bytes()})
    assert f"{PROTOBUF} {real.pinned}/go.mod {go_mod}" in real.go_sum.splitlines()


def test_a_path_is_escaped_as_proxies_have_it():
    assert modules.escaped("github.com/BurntSushi/toml") == "github.com/!burnt!sushi/toml"


def test_a_tampered_copy_differs_and_an_unknown_file_is_refused(tmp_path):
    modules.write(tmp_path, "example.com/a", "v1.0.0", {"go.mod": "module example.com/a\n", "a.go": "package a\n"})
    original = modules.folder_of(tmp_path, "example.com/a") / "v1.0.0.zip"
    modules.copy_with_another_byte(original, tmp_path / "copy.zip", "a.go")
    with zipfile.ZipFile(tmp_path / "copy.zip") as archive:
        assert archive.read("example.com/a@v1.0.0/a.go") == b"package a\n\n// tampered with\n"
        assert archive.read("example.com/a@v1.0.0/go.mod") == b"module example.com/a\n"
    with pytest.raises(KeyError, match=r"b\.go"):
        modules.copy_with_another_byte(original, tmp_path / "copy.zip", "b.go")


@pytest.fixture
def served(tmp_path):
    modules.write(tmp_path, "example.com/a", "v1.0.0", {"go.mod": "module example.com/a\n"})
    pseudo = "v0.0.0-20230915142201-abc123def456"
    modules.write(tmp_path, "example.com/a", pseudo, {"go.mod": "module example.com/a\n"})
    (tmp_path.parent / "secret").write_text("not to be served")
    with Proxy([tmp_path]) as proxy:
        yield proxy


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("example.com/a/@v/v1.0.0.mod", "module example.com/a\n"),
        ("example.com/a/@v/list", "v1.0.0\n"),
        ("example.com/a/@v/abc123def456.info", "v0.0.0-20230915142201-abc123def456"),
        ("example.com/a/@v/fffffff.info", None),
        ("example.com/b/@v/list", None),
        ("../secret", None),
        ("%2e%2e/secret", None),
        ("sumdb/example.com/supported", None),
    ],
)
def test_the_proxy_serves_its_folders_and_remembers(served, path, answer):
    try:
        with urllib.request.urlopen(f"{served.url}/{path}", timeout=10) as response:
            body = response.read().decode()
    except urllib.error.HTTPError as error:
        error.close()
        body = None
    assert (body is None) == (answer is None)
    assert body is None or answer in body
    (request,) = served.taken()
    assert request.status == (404 if answer is None else 200)
    assert served.taken() == ()


def test_a_table_shows_outcome_control_and_gos_words_in_both_languages(tried):
    chosen = [tried["sum-right"], tried["sum-zip-changed"], tried["direct-commit"]]
    frame = resolution_frame(chosen)
    assert frame["outcome"].tolist() == ["done", "refused (exit code 1)", "done"]
    assert frame["control"].tolist() == ["-", "done", "-"]
    assert "checksum mismatch" in frame["Go's own words"][1]
    assert "git, " in frame["asked of the proxy"][2]
    chinese = resolution_frame(chosen, Language.CHINESE)
    assert chinese.iloc[1, 1] == "被拒绝(退出码 1)"
    assert "checksum mismatch" in show(chosen)._repr_html_()


def test_a_skipped_experiment_shows_its_reason(toolchain, cut_off):
    frame = resolution_frame(resolution.run(toolchain, ("plain-proxy",)))
    assert frame["outcome"].tolist() == ["not tried"]
    assert "could not be fetched" in frame["Go's own words"][0]
