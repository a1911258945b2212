"""The solver: each bound from both sides, minimal conflicts, what is said of the unknown; go.mod files; real tools."""

import json

import msgspec
import pytest

from benchmarks import compat_proofs, compat_real_modules
from labkit.cli.setup_for import setup_for as setup_for_command
from labkit.errors import NetworkError, UsageError
from labkit.toolchain.compat import (
    CHOSEN,
    Bound,
    By,
    Catalogue,
    Conflict,
    Kind,
    Solution,
    Wish,
    broken,
    catalogue,
    lines,
    setup_for,
    solve,
)
from labkit.toolchain.compat.asking import normalised
from labkit.toolchain.compat.bounds import STATED
from labkit.toolchain.compat.gomod import parse
from labkit.toolchain.compat.versions import key, within
from tests.support import missing, need

BOUNDS = {bound.id: bound for bound in catalogue().bounds}

#: bound: what is stated, a value of one axis that it allows, and one that it excludes (axis, good, bad)
SIDES = {
    "go-line": ({"go-directive": "1.24.0"}, "go", "1.24.3", "1.23.9"),
    "go-line-three-parts": ({"go-directive-form": "three-part"}, "go", "1.21.13", "1.20.14"),
    "toolchain-line": ({"toolchain-line": "yes"}, "go", "1.21.13", "1.20.14"),
    "godebug-line": ({"godebug-line": "yes"}, "go", "1.23.1", "1.22.10"),
    "tool-line": ({"tool-line": "yes"}, "go", "1.24.3", "1.23.9"),
    "ignore-line": ({"ignore-line": "yes"}, "go", "1.25.0", "1.24.11"),
    "any-in-messages": ({"protoc-gen-go": "1.34.2"}, "go-directive", "1.18", "1.17"),
    "stringdata-in-messages": ({"protoc-gen-go": "1.36.4"}, "go-directive", "1.20", "1.19"),
    "generic-streams": ({"protoc-gen-go-grpc": "1.5.1", "streams": "yes"}, "go-directive", "1.18", "1.17"),
    "grpc-version-7": ({"protoc-gen-go-grpc": "1.3.0"}, "grpc", "1.32.0", "1.31.1"),
    "grpc-version-8": ({"protoc-gen-go-grpc": "1.4.0"}, "grpc", "1.62.0", "1.61.2"),
    "grpc-version-9": ({"protoc-gen-go-grpc": "1.5.1"}, "grpc", "1.64.0", "1.63.2"),
    "grpc-plugin-own-versions": ({}, "protoc-gen-go-grpc", "1.6.2", "1.32.0"),
    "plugin-not-newer-than-runtime": ({"protobuf": "1.31.0"}, "protoc-gen-go", "1.31.0", "1.32.0"),
    "optional-protoc": ({"proto3-optional": "yes"}, "protoc", "3.15.0", "3.14.0"),
    "optional-protoc-with-flag": ({"proto3-optional": "with-flag"}, "protoc", "3.12.0", "3.11.4"),
    "optional-plugin": ({"proto3-optional": "with-flag"}, "protoc-gen-go", "1.22.0", "1.21.0"),
    "edition-2023-protoc": ({"edition": "2023"}, "protoc", "27.0", "26.1"),
    "edition-2023-plugin": ({"edition": "2023"}, "protoc-gen-go", "1.34.0", "1.33.0"),
    "edition-2023-grpc-plugin": ({"edition": "2023"}, "protoc-gen-go-grpc", "1.5.1", "1.4.0"),
    "edition-2024-protoc": ({"edition": "2024"}, "protoc", "32.0", "31.1"),
    "edition-2024-plugin": ({"edition": "2024"}, "protoc-gen-go", "1.36.9", "1.36.8"),
    "edition-2024-grpc-plugin": ({"edition": "2024"}, "protoc-gen-go-grpc", "1.6.0", "1.5.1"),
    "opaque-plugin": ({"api": "opaque"}, "protoc-gen-go", "1.36.0", "1.35.2"),
    "opaque-runtime": ({"api": "opaque"}, "protobuf", "1.36.0", "1.35.2"),
    "macos-26-uuid": ({"system": "macos", "macos": "26"}, "go", "1.24.3", "1.23.9"),
    "go-1-23-macos": ({"system": "macos", "architecture": "x86_64", "go": "1.23.1"}, "macos", "11", "10.15"),
    "go-1-25-macos": ({"system": "macos", "go": "1.25.0"}, "macos", "12", "11"),
    "go-1-27-macos": ({"system": "macos", "go": "1.27.0"}, "macos", "13", "12"),
    "protoc-arm64": ({"system": "macos", "architecture": "arm64"}, "protoc", "21.0", "3.20.1"),
    "protobuf-1-35-0-go": ({"protobuf": "1.35.0"}, "go", "1.21.13", "1.20.14"),
    "protobuf-1-35-0-go-line": ({"protobuf": "1.35.0"}, "go-directive", "1.21", "1.20"),
    "protoc-gen-go-1-35-0-go": ({"protoc-gen-go": "1.35.0"}, "go", "1.21.13", "1.20.14"),
    "protobuf-1-36-6-go": ({"protobuf": "1.36.7"}, "go", "1.22.10", "1.21.13"),
    "protobuf-1-36-6-go-line": ({"protobuf": "1.36.7"}, "go-directive", "1.22", "1.21"),
    "protoc-gen-go-1-36-6-go": ({"protoc-gen-go": "1.36.7"}, "go", "1.22.10", "1.21.13"),
    "protobuf-1-36-8-go": ({"protobuf": "1.36.8"}, "go", "1.23.1", "1.22.10"),
    "protobuf-1-36-8-go-line": ({"protobuf": "1.36.8"}, "go-directive", "1.23", "1.22.10"),
    "protoc-gen-go-1-36-8-go": ({"protoc-gen-go": "1.36.8"}, "go", "1.23.1", "1.22.10"),
    "grpc-1-65-0-go": ({"grpc": "1.67.3"}, "go", "1.21.13", "1.20.14"),
    "grpc-1-65-0-go-line": ({"grpc": "1.67.3"}, "go-directive", "1.21", "1.20"),
    "grpc-1-68-0-go": ({"grpc": "1.68.0"}, "go", "1.22.10", "1.22.6"),
    "grpc-1-68-0-go-line": ({"grpc": "1.68.0"}, "go-directive", "1.22.7", "1.22.6"),
    "grpc-1-68-1-go": ({"grpc": "1.68.1"}, "go", "1.22.10", "1.21.13"),
    "grpc-1-68-1-go-line": ({"grpc": "1.68.1"}, "go-directive", "1.22", "1.21"),
    "grpc-1-72-0-go": ({"grpc": "1.72.0"}, "go", "1.23.1", "1.22.10"),
    "grpc-1-72-0-go-line": ({"grpc": "1.72.0"}, "go-directive", "1.23", "1.22"),
    "grpc-1-76-0-go": ({"grpc": "1.76.0"}, "go", "1.24.3", "1.23.9"),
    "grpc-1-76-0-go-line": ({"grpc": "1.76.0"}, "go-directive", "1.24.0", "1.23.0"),
    "grpc-1-81-0-go": ({"grpc": "1.81.0"}, "go", "1.25.0", "1.24.11"),
    "grpc-1-81-0-go-line": ({"grpc": "1.81.0"}, "go-directive", "1.25.0", "1.24.0"),
    "grpc-1-85-0-go": ({"grpc": "1.85.0"}, "go", "1.26.0", "1.25.5"),
    "grpc-1-85-0-go-line": ({"grpc": "1.85.0"}, "go-directive", "1.26.0", "1.25.0"),
}


def test_every_bound_has_its_two_sides_here():
    assert set(SIDES) == set(BOUNDS)
    assert len(BOUNDS) == len(catalogue().bounds)


@pytest.mark.parametrize("id_", sorted(BOUNDS))
def test_a_bound_divides_its_two_sides(id_):
    stated, axis, good, bad = SIDES[id_]
    assert broken(stated | {axis: good}, [BOUNDS[id_]]) == ()
    assert broken(stated | {axis: bad}, [BOUNDS[id_]]) == (id_,)


@pytest.mark.parametrize("id_", sorted(id_ for id_ in BOUNDS if BOUNDS[id_].kind is Kind.BREAKS))
def test_the_solver_heeds_a_bound(id_):
    """Alone with a bound, the wrong side is a conflict that names it and the right side is not."""
    stated, axis, good, bad = SIDES[id_]
    alone = msgspec.structs.replace(catalogue(), bounds=(BOUNDS[id_],))
    assert isinstance(solve(Wish(values=stated | {axis: good}), alone), Solution)
    conflict = solve(Wish(values=stated | {axis: bad}), alone)
    assert isinstance(conflict, Conflict)
    assert conflict.bounds == (id_,)
    possible = catalogue().versions.get(axis, (good,))
    if any(not broken(stated | {axis: version}, [BOUNDS[id_]]) for version in possible):
        assert axis in conflict.axes  # else what is stated is impossible with every known version


def test_bounds_name_known_axes_and_readable_conditions():
    for bound in BOUNDS.values():
        assert bound.axes <= {*CHOSEN, *STATED}, bound.id
        for condition in (*bound.when.values(), *bound.needs.values()):
            within("1.0", condition.split("$")[0] + "1.0" if "$" in condition else condition)


def test_what_is_about_a_mac_says_that_no_mac_confirmed_it():
    for bound in BOUNDS.values():
        if bound.axes & {"macos", "system"}:
            assert bound.confirmed_on_hardware is False, bound.id


def test_the_catalogue_is_newest_first():
    for axis, versions in catalogue().versions.items():
        assert list(versions) == sorted(versions, key=key, reverse=True), axis
        assert len(set(versions)) == len(versions)
    assert set(catalogue().versions) == set(CHOSEN)


@pytest.mark.parametrize(
    ("version", "condition", "holds"),
    [
        ("1.9.0", ">=1.21", False),
        ("1.21", ">=1.21.0", True),
        ("v1.64.0", ">=1.64, <1.65", True),
        ("1.64.0-dev", ">=1.64", False),
        ("1.64.1-0.20240601000000-abcdefabcdef", ">=1.64", True),
        ("1.27rc1", ">=1.27", False),
        ("30.2", ">=3.15", True),
        ("latest", ">=1.0", False),
        ("arm64", "arm64|x86_64", True),
        ("arm64", "x86_64", False),
    ],
)
def test_versions_and_ranges(version, condition, holds):
    assert within(version, condition) is holds


def test_a_condition_that_is_no_comparison_is_refused():
    with pytest.raises(ValueError, match="no comparison"):
        within("1.0", ">=1.0, oops")


GRPC_158 = {"go-directive": "1.21", "go-directive-form": "two-part", "protobuf": "1.31.0", "grpc": "1.58.3"}
MAC_26 = {"system": "macos", "architecture": "arm64", "macos": "26"}

SOLVED = {
    "a go.mod of 2023": (GRPC_158, {"go": "1.27.3", "protoc-gen-go": "1.31.0", "protoc-gen-go-grpc": "1.3.0"}),
    "on macOS 12": (MAC_26 | {"macos": "12"}, {"go": "1.26.6"}),
    "on macOS 11": (MAC_26 | {"macos": "11"}, {"go": "1.24.11", "grpc": "1.80.0"}),
    "an old go line": ({"go-directive": "1.17"}, {"protoc-gen-go": "1.34.1", "protobuf": "1.34.2", "grpc": "1.64.1"}),
    "nothing stated": ({}, {axis: versions[0] for axis, versions in catalogue().versions.items()}),
}


@pytest.mark.parametrize("name", SOLVED)
def test_solved(name):
    values, wanted = SOLVED[name]
    found = solve(Wish(values=values), catalogue())
    assert isinstance(found, Solution)
    assert wanted.items() <= found.versions.items()
    assert broken(values | found.versions, catalogue().bounds) == found.given_up == ()


def test_a_choice_says_what_excluded_the_next_newer():
    found = solve(Wish(values=GRPC_158), catalogue())
    by = {choice.axis: choice for choice in found.choices}
    assert (by["go"].by, by["grpc"].by) == (By.NEWEST, By.STATED)
    assert (by["protoc-gen-go-grpc"].newer, by["protoc-gen-go-grpc"].bounds) == ("1.4.0", ("grpc-version-8",))
    assert by["protoc-gen-go"].bounds == ("plugin-not-newer-than-runtime",)


def test_a_promise_is_given_up_only_when_there_is_no_other_way():
    found = solve(Wish(values={"protobuf": "1.31.0", "protoc-gen-go": "1.36.12"}), catalogue())
    assert found.given_up == ("plugin-not-newer-than-runtime",)
    assert solve(Wish(values={"protobuf": "1.31.0"}), catalogue()).given_up == ()


CONFLICTS = {
    "the handbook's Go on macOS 26": (MAC_26 | {"go": "1.21.13"}, {"macos-26-uuid"}, {"system", "macos", "go"}),
    "a new plugin beside an old grpc": (
        GRPC_158 | {"protoc-gen-go-grpc": "1.6.2"}, {"grpc-version-9"}, {"grpc", "protoc-gen-go-grpc"},
    ),
    "two bounds through Go": (
        {"system": "macos", "macos": "11", "ignore-line": "yes"},
        {"go-1-25-macos", "ignore-line"}, {"system", "macos", "ignore-line"},
    ),
    "a go line and a Mac": (
        MAC_26 | {"macos": "12", "go-directive": "1.27.0"},
        {"go-line", "go-1-27-macos"}, {"system", "macos", "go-directive"},
    ),
    "editions through the plugin": (
        {"edition": "2023", "grpc": "1.60.1"},
        {"edition-2023-grpc-plugin", "grpc-version-9", "grpc-plugin-own-versions"}, {"edition", "grpc"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFLICTS)
def test_a_conflict_is_named_and_minimal(name):
    values, bounds, axes = CONFLICTS[name]
    found = solve(Wish(values=values), catalogue())
    assert isinstance(found, Conflict)
    assert set(found.bounds) <= bounds
    assert set(found.axes) == axes
    named = tuple(BOUNDS[id_] for id_ in found.bounds)
    only = {axis: values[axis] for axis in found.axes}

    def fails(stated: dict[str, str], of: tuple[Bound, ...]) -> bool:
        return isinstance(solve(Wish(values=stated), _with(of)), Conflict)

    assert fails(only, named)
    for bound in named:
        assert not fails(only, tuple(other for other in named if other is not bound)), bound.id
    for axis in only:
        assert not fails({name: value for name, value in only.items() if name != axis}, named), axis
    for way in found.ways_out:
        changed = {axis: value for axis, value in values.items() if axis != way.axis}
        assert isinstance(solve(Wish(values=changed), catalogue()), Solution)
    assert found.ways_out


def _with(bounds: tuple[Bound, ...]) -> Catalogue:
    return msgspec.structs.replace(catalogue(), bounds=bounds)


def test_an_unknown_version_is_said_and_judged_by_its_number():
    found = solve(Wish(values={"grpc": "1.99.0"}), catalogue())
    assert found.unknown == ("grpc",)
    assert isinstance(solve(Wish(values={"grpc": "1.99.0", "go": "1.21.13"}), catalogue()), Conflict)


PRINTED = """{"Module": {"Path": "example.test/m"}, "Go": "1.24.1", "Toolchain": "go1.24.3",
"Require": [{"Path": "google.golang.org/grpc", "Version": "v1.58.3"},
 {"Path": "google.golang.org/protobuf", "Version": "v1.31.0", "Indirect": true}],
"Replace": %s, "Tool": [{"Path": "google.golang.org/protobuf/cmd/protoc-gen-go"}]}"""


@pytest.mark.parametrize(
    ("replace", "grpc", "replaced"),
    [
        ("null", "1.58.3", None),
        ('[{"Old": {"Path": "GRPC"}, "New": {"Path": "GRPC", "Version": "v1.26.0"}}]', "1.26.0", None),
        ('[{"Old": {"Path": "GRPC", "Version": "v1.1.0"}, "New": {"Path": "../grpc"}}]', "1.58.3", None),
        ('[{"Old": {"Path": "GRPC"}, "New": {"Path": "../grpc"}}]', None, "../grpc"),
    ],
    ids=["none", "another version", "of another version", "a folder"],
)  # fmt: skip
def test_a_go_mod_as_go_prints_it(replace, grpc, replaced):
    found = parse(PRINTED % replace.replace("GRPC", "google.golang.org/grpc"))
    assert found.requires.get("grpc") == grpc
    assert found.replaced.get("grpc") == replaced
    assert (found.go, found.toolchain, found.requires["protobuf"]) == ("1.24.1", "1.24.3", "1.31.0")
    assert len(found.tools) == 1


@pytest.fixture
def go_mod(tmp_path):
    path = tmp_path / "go.mod"
    path.write_text(
        "module example.test/m\n\ngo 1.21\n\nrequire (\n\tgoogle.golang.org/grpc v1.58.3\n"
        "\tgoogle.golang.org/protobuf v1.31.0\n)\n"
    )
    return path


def test_setup_for_a_go_mod(go_mod):
    answer = setup_for(go_mod, machine="linux-amd64", go=need("go"))
    assert answer.module == "example.test/m"
    assert answer.result.versions["protoc-gen-go-grpc"] == "1.3.0"
    assert {fit.name: fit for fit in answer.sets}["current"].excluded_by == ("grpc-version-9",)


def test_a_wish_holds_what_the_go_mod_and_the_machine_state(go_mod):
    values = setup_for(go_mod, machine="m3-macos26", go=need("go")).wish.values
    assert GRPC_158.items() <= values.items()
    assert MAC_26.items() <= values.items()
    assert {axis: value for axis, value in values.items() if axis.endswith("-line")} == {
        "toolchain-line": "no", "tool-line": "no", "godebug-line": "no", "ignore-line": "no",
    }  # fmt: skip
    go_mod.write_text(
        "module m\n\ngo 1.25.1\n\ntoolchain go1.25.3\n\ntool m/x\n\ngodebug default=go1.21\n\nignore ./y\n"
    )
    values = setup_for(go_mod, machine="linux-arm64", go=need("go")).wish.values
    assert values["go-directive-form"] == "three-part"
    assert {values[f"{name}-line"] for name in ("toolchain", "tool", "godebug", "ignore")} == {"yes"}
    assert (values["system"], values["architecture"], "macos" in values) == ("linux", "arm64", False)
    go_mod.write_text("module m\n")
    assert setup_for(go_mod, machine="linux-arm64", go=need("go")).wish.values["go-directive"] == "1.16"


def test_setup_for_this_machine(go_mod, this_machine):
    answer = setup_for(go_mod, machine=this_machine, go=need("go"))
    assert answer.machine == this_machine.id
    assert isinstance(answer.result, Solution)


def test_a_set_that_fits_is_chosen(go_mod):
    go_mod.write_text("module example.test/m\n\ngo 1.26\n")
    answer = setup_for(go_mod, machine="m3-macos26", go=need("go"))
    assert answer.chosen_set == "current"


@pytest.mark.parametrize(
    ("text", "said"), [(None, "is no file"), ("module m\n\nnonsense x\n", "unknown directive: nonsense")]
)
def test_what_is_no_go_mod_is_refused(tmp_path, text, said):
    path = tmp_path / "go.mod"
    if text:
        path.write_text(text)
    with pytest.raises(UsageError, match=said):
        setup_for(path, machine="linux-amd64", go=need("go"))


@pytest.mark.parametrize(
    "wishes", [{"versions": {"gcc": "1.0"}}, {"versions": {"go": "newest"}}, {"features": {"colour": "red"}}]
)
def test_a_wish_for_nothing_known_is_refused(go_mod, wishes):
    with pytest.raises(UsageError):
        setup_for(go_mod, machine="linux-amd64", go=need("go"), **wishes)


@pytest.mark.parametrize(
    ("axis", "version", "plain"),
    [("protoc", "3.24.3", "24.3"), ("protoc", "v4.24.3", "24.3"), ("protoc", "3.20.1", "3.20.1"),
     ("protoc", "30.2", "30.2"), ("go", "go1.24.3", "1.24.3"), ("grpc", "v1.64.0", "1.64.0")],
)  # fmt: skip
def test_one_version_has_one_spelling(axis, version, plain):
    assert normalised(axis, version) == plain


def test_the_command_prints_lines_in_both_languages_and_json(go_mod, capsys, monkeypatch):
    setup_for_command(go_mod, machine="m3-macos26", wishes=("protoc-gen-go-grpc=1.6.2",))
    text = capsys.readouterr().out
    assert "these exclude each other" in text
    assert "[grpc-version-9]" in text
    assert "a way out: protoc-gen-go-grpc 1.3.0" in text
    monkeypatch.setenv("LABKIT_LANG", "zh")
    setup_for_command(go_mod, machine="m3-macos26")
    assert "已知的最新版本" in capsys.readouterr().out
    setup_for_command(go_mod, machine="m3-macos26", json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["result"]["kind"] == "solution"
    with pytest.raises(UsageError, match="is no wish"):
        setup_for_command(go_mod, wishes=("protoc",))


def test_every_line_of_an_answer_has_its_words(go_mod):
    for machine in ("m3-macos26", "linux-amd64"):
        for versions in ({}, {"grpc": "1.99.0"}, {"protoc-gen-go-grpc": "1.6.2"}, {"protoc-gen-go": "1.36.12"}):
            answer = setup_for(go_mod, machine=machine, go=need("go"), versions=versions)
            assert not [line for line in lines(answer) if "compat." in line]


# --- what was seen


def raw(module) -> dict:
    return json.loads(module.RAW.read_text("utf-8"))


@pytest.mark.parametrize("id_", sorted(id_ for id_ in BOUNDS if BOUNDS[id_].proved))
def test_what_is_said_to_be_proved_was_seen_on_both_sides(id_):
    known = raw(compat_proofs)

    def seen(side):
        kept = known[compat_proofs._key(side)]
        plain = {name: value for name, value in kept.items() if name not in {"seen_on", "machine"}}
        return compat_proofs.Outcome(**plain)

    assert compat_proofs.run_proof(compat_proofs.PROOFS[id_], seen) == []


def test_nothing_is_proved_in_silence_and_enough_is():
    proved = {id_ for id_, bound in BOUNDS.items() if bound.proved}
    assert proved == set(compat_proofs.PROOFS)
    assert len(proved) >= 25


def test_the_page_shows_the_bounds_and_results_as_they_are():
    page = compat_proofs.OUT.read_text("utf-8")
    assert compat_proofs.table(raw(compat_proofs)) in page
    assert compat_real_modules.table(raw(compat_real_modules)) in page


def test_thirty_real_modules_did_as_answered():
    seen = raw(compat_real_modules)
    agreeing = [name for name, result in seen.items() if result["free"]["agrees"] and result["with_current"]["agrees"]]
    assert len(agreeing) >= 30


def test_the_answers_to_real_modules_are_still_those_that_were_tried():
    for name, seen in raw(compat_real_modules).items():
        line = seen["go"]
        form = "three-part" if line.count(".") > 1 else "two-part"
        stated = {**seen["states"], "go-directive": line, "go-directive-form": form}
        found = solve(Wish(values=stated | {"system": "linux", "architecture": "x86_64"}), catalogue())
        assert isinstance(found, Solution) is (seen["free"]["answer"] == "solution"), name
        if isinstance(found, Solution):
            assert found.versions == seen["free"]["versions"], name


@pytest.mark.parametrize("id_", sorted(id_ for id_, proof in compat_proofs.PROOFS.items() if proof.quick))
def test_quick_proofs_hold_now(id_, tmp_path):
    """With real tools: the module and package sources are needed for what was not fetched before."""

    def see(side):
        try:
            return compat_proofs.see(side, tmp_path / "trial")
        except NetworkError as error:
            missing(error.what, error.remedy)

    assert compat_proofs.run_proof(compat_proofs.PROOFS[id_], see) == []


def test_a_proof_that_does_not_divide_is_not_taken():
    good, bad = compat_proofs.Outcome(ok=True, step="build"), compat_proofs.Outcome(ok=False, step="build", said="else")
    proof = compat_proofs.PROOFS["grpc-version-9"]
    assert compat_proofs.judge(proof, [good], [good])
    assert compat_proofs.judge(proof, [bad], [bad])
    assert compat_proofs.judge(proof, [good], [bad])
