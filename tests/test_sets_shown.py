"""The sets in notebook 01_install: side by side, what decided, how to switch; and steps said only when done."""

import msgspec
import pytest

from labkit import present
from labkit.codegen import MODULE
from labkit.facts import Facts
from labkit.lab.profile import load
from labkit.toolchain import pins, program
from labkit.toolchain.compat import setup_for
from labkit.words import Language

SHIPPED = tuple(pins.named(name) for name in pins.names())


@pytest.fixture(scope="module")
def handbook():
    return Facts("handbook")


def column(frame, head: str) -> dict[str, str]:
    return dict(zip(frame.iloc[:, 0], frame[head], strict=True))


def test_the_set_of_this_run_comes_first_and_each_part_has_its_row():
    frame = present.sets_frame(SHIPPED, "handbook", Language.ENGLISH)
    assert list(frame.columns) == ["Part", "handbook (this run)", "current"]
    used, other = column(frame, "handbook (this run)"), column(frame, "current")
    assert used["go"] == "1.21.13 (2024-12-30)"
    assert used["google.golang.org/grpc"] == "v1.66.3"
    assert other["gopls (on request)"] == "0.24.0 (2026-10-14)"
    assert list(used)[-1] == "pinned on"
    assert len(used) == 9


def test_what_a_set_lacks_is_a_dash():
    bare = msgspec.structs.replace(SHIPPED[0], name="bare", optional=())
    frame = present.sets_frame((SHIPPED[1], bare), SHIPPED[1].name, Language.ENGLISH)
    assert column(frame, "bare")["dlv (on request)"] == "-"
    assert frame.iloc[-1, 0] == "pinned on"


def test_chinese_has_chinese_heads():
    frame = present.sets_frame(SHIPPED, "current", Language.CHINESE)
    assert list(frame.columns) == ["部件", "current（本次运行）", "handbook"]  # noqa: RUF001 - Chinese brackets


def test_the_sets_of_the_facts_are_labkits_and_the_users(facts, spaced_home):
    assert [each.name for each in facts.sets] == ["current", "handbook"]
    pins.remember(msgspec.structs.replace(SHIPPED[0], name="mine"))
    assert [each.name for each in Facts("current").sets] == ["current", "handbook", "mine"]


def test_what_decided_for_the_handbooks_module(handbook):
    frame = present.fit_frame(handbook.fit, handbook.toolchain, Language.ENGLISH)
    has, newest, decided = (column(frame, head) for head in ("This set has", "Newest that fits", "What decided it"))
    assert (has["protoc-gen-go"], newest["protoc-gen-go"]) == ("1.32.0", "1.34.2")
    assert "plugin-not-newer-than-runtime (it takes protoc-gen-go <=1.34.2)" in decided["protoc-gen-go"]
    assert decided["grpc"] == "the go.mod names it"
    assert newest["the set handbook"] == "fits"


def test_a_set_that_does_not_fit_says_which_bound(facts):
    frame = present.fit_frame(facts.fit, facts.toolchain, Language.ENGLISH)
    assert column(frame, "Newest that fits")["the set handbook"] == "does not fit"
    assert "go-line (it takes go >=1.26" in column(frame, "What decided it")["the set handbook"]
    assert column(frame, "What decided it")["the set current"] == "-"


def test_a_conflict_is_shown_by_its_parts_and_bounds(facts):
    go = program(facts.toolchain, "go")
    answer = setup_for(MODULE / "go.mod", machine="m3-macos26", go=go, versions={"go": "1.21.13"})
    frame = present.fit_frame(answer, facts.toolchain, Language.ENGLISH)
    assert column(frame, "Newest that fits")["go"] == "-"
    assert "it takes" in column(frame, "What decided it")["go"]
    assert "go 1.21.13" in column(frame, "What decided it")["the set current"]


@pytest.mark.parametrize(("name", "tool_lines"), [("current", True), ("handbook", False)], ids=["Go 1.27", "Go 1.21"])
def test_switching_names_what_this_set_can(facts, handbook, name, tool_lines):
    toolchain = {"current": facts, "handbook": handbook}[name].toolchain
    frame = present.switching_frame(toolchain, Language.ENGLISH)
    write, mind = column(frame, "Write"), column(frame, "Mind")
    assert write["in a shell"] == f'eval "$(labkit setup --env {name})"'
    assert write["in a report"] == f"toolchain: {name}"
    assert write["for one call of protoc"].startswith("protoc --plugin=protoc-gen-go=$LABKIT_HOME/store/protoc-gen-go-")
    assert write["in one module"].startswith("go get -tool google.golang.org/protobuf/") is tool_lines
    assert ("knows no tool line" in mind["in one module"]) is not tool_lines


def test_a_step_is_said_when_it_is_done_and_not_when_it_is_there(facts, empty_store):
    steps = []
    again = Facts("current", progress=steps.append)
    again.toolchain = facts.toolchain  # the tools are there; what is built is not
    again.server  # noqa: B018 - gathered
    assert steps == [f"the generated server for {facts.toolchain.platform}"]
    once_more = Facts("current", progress=steps.append)
    once_more.toolchain = facts.toolchain
    once_more.server  # noqa: B018
    assert len(steps) == 1


@pytest.mark.parametrize("what", [None, ()], ids=["no record", "no experiments"])
def test_what_was_not_tried_says_why(facts, what):
    assert facts.by_module(wanted=False) is None
    assert facts.resolution(wanted=False) == ()
    shown = present.tried(present.resolution, what)
    assert isinstance(shown, present.Source)
    assert "experiments is false" in shown.text


def test_what_was_tried_is_shown(facts):
    shown = present.tried(present.tools, facts.toolchain)
    assert isinstance(shown, present.Table)
    assert len(shown.frame) == 4


@pytest.mark.parametrize(("profile", "wanted"), [("quick", False), ("linux", True)])
def test_only_a_full_profile_tries_them(profile, wanted):
    assert load(profile).parameters["experiments"] is wanted
