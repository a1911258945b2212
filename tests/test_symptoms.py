"""Error texts and their causes: variants, look-alikes, and ranking with findings."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from labkit.doctor.symptoms import Cause, diagnose
from labkit.doctor.symptoms.ruleset import Pattern, rules
from labkit.model.base import Text
from labkit.model.check import Evidence, Finding, Status

DATA = Path(__file__).parent / "data/doctor"
VARIANTS = tomllib.loads((DATA / "variants.toml").read_text("utf-8"))["variant"]
HANDBOOK = tomllib.loads((DATA / "handbook.toml").read_text("utf-8"))["text"]
UNRELATED = [
    line.split("\t", 1) for line in (DATA / "unrelated.txt").read_text("utf-8").splitlines() if not line.startswith("#")
]
KILLED = ("F11", "F12", "F13", "F14", "F15", "F16")


def ranked(text, findings=None, **more):
    return [cause.rule for cause in diagnose(text, findings, **more)]


def score(*, held_out):
    asked = [each for each in VARIANTS if each.get("held_out", False) == held_out]
    right = [each for each in asked if each["rule"] in ranked(each["text"])[:3]]
    first = [each for each in asked if ranked(each["text"])[:1] == [each["rule"]]]
    return len(asked), len(right), len(first)


def finding(id_, status, found="seen", wanted="else"):
    return Finding(
        id=id_,
        status=status,
        title=Text(id=f"symptoms.{id_}.title"),
        evidence=(Evidence(what="/usr/local/bin/x", found=found, wanted=wanted),),
    )


# --- variants and look-alikes


@pytest.mark.parametrize("held_out", [False, True], ids=["open", "held out"])
def test_the_right_rule_is_among_the_first_three(held_out):
    asked, right, _ = score(held_out=held_out)
    assert right >= 0.95 * asked


def test_the_variants_are_what_was_asked_for():
    for id_, rule in rules().items():
        own = [each for each in VARIANTS if each["rule"] == id_]
        assert len(own) >= 5, id_
        if id_.startswith("F"):
            others = {each["url"] for each in own if "url" in each} - {rule.link, *rule.more}
            assert len(others) >= 2, f"{id_} has {others}"
    assert sum(each.get("held_out", False) for each in VARIANTS) * 3 >= len(VARIANTS)
    assert {each["rule"] for each in VARIANTS} == set(rules())


def test_a_text_amid_other_output_keeps_its_cause():
    noise = [text for _, text in UNRELATED]
    lost = []
    for number, each in enumerate(VARIANTS[::3]):
        if each["rule"] in ranked(each["text"])[:3]:
            before, after = noise[number % 150 :][:30], noise[(number + 70) % 150 :][:30]
            if each["rule"] not in ranked("\n".join([*before, each["text"], *after]))[:3]:
                lost.append(each["text"])
    assert lost == []


def test_unrelated_lines_have_no_cause():
    matched = {text: ranked(text) for _, text in UNRELATED if ranked(text)}
    assert len(UNRELATED) == 200
    assert len({text for _, text in UNRELATED}) == 200
    assert len(matched) <= 4, matched


@pytest.mark.parametrize("id_", list(rules()))
def test_a_rule_whose_patterns_are_broken_is_missed(id_):
    broken = {
        each: msgspec.structs.replace(rule, patterns=(Pattern(source="no such text", share=1.0),))
        if each == id_
        else rule
        for each, rule in rules().items()
    }
    texts = [each["text"] for each in VARIANTS if each["rule"] == id_ and not each.get("held_out")]
    assert any(id_ in ranked(text) for text in texts)
    assert not any(id_ in ranked(text, known=broken) for text in texts)


@pytest.mark.parametrize("entry", HANDBOOK, ids=lambda entry: entry["text"])
def test_the_handbooks_error_texts_have_an_answer_or_are_open(entry):
    if "answer" in entry:
        assert entry["answer"] in ranked(entry["text"])[:3]
    else:
        assert entry["open"]
        assert ranked(entry["text"]) == []


@pytest.mark.parametrize(
    "text", ["", "   \n\t\n", "\x1b[31m\x1b[0m", "hello", "everything is fine", "\x00" * 50, "?" * 9]
)
def test_nothing_is_made_of_nothing(text):
    assert diagnose(text) == ()


LOOK_ALIKES = [
    ("own proto missing, not protoc's", "acme/common/v1/id.proto: File not found.", "L05", "F36"),
    ("protoc's own proto missing", "google/protobuf/any.proto: File not found.", "F36", "L05"),
    ("second plugin", "protoc-gen-go-grpc: program not found or is not executable", "F21", "F20"),
    ("first plugin", "protoc-gen-go: program not found or is not executable", "F20", "F21"),
    ("protoc itself", "zsh: command not found: protoc", "L02", "F20"),
    ("Linux program on a Mac", "zsh: exec format error: ./protoc", "F04", "F05"),
    (
        "other architecture on Linux",
        "bash: /home/me/protoc: cannot execute binary file: Exec format error",
        "F05",
        "F04",
    ),
    ("Maven's protoc", 'Cannot run program "/Users/me/protoc.exe": error=86, Bad CPU type in executable', "F02", "F01"),
    ("out of memory", "Last State: Terminated, Reason: OOMKilled, Exit Code: 137", "L03", "F16"),
    ("libc of Alpine", "/bin/sh: /opt/bin/protoc: not found", "F09", "L02"),
    ("a plugin built here is killed", "zsh: killed     ./protoc-gen-go", "F13", "F11"),
    ("a protoc that was downloaded is killed", "zsh: killed     ~/Downloads/protoc-30/bin/protoc", "F11", "F13"),
    ("a date for a compiler", 'cgo: C compiler "2024-01-15" not found', "F28", "F26"),
    (
        "no compiler",
        'cgo: C compiler "clang" not found: exec: "clang": executable file not found in $PATH',
        "F26",
        "F28",
    ),
]


@pytest.mark.parametrize(
    ("text", "first", "other"), [row[1:] for row in LOOK_ALIKES], ids=[row[0] for row in LOOK_ALIKES]
)
def test_look_alikes_are_told_apart(text, first, other):
    order = ranked(text)
    assert order[0] == first
    assert other not in order or order.index(other) > 0


# --- several causes for one symptom


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("zsh: killed     ./server", KILLED),
        ("Killed: 9", KILLED),
        ("exited with code 137", ("F12", "F13", "F16", "L03")),
        ("protoc-gen-go: program not found or is not executable", ("F20", "F21", "L01")),
        ("nothing happens, no error", ("F40", "F41", "F48")),
        ("Plugin failed with status code 1.", ("F20", "F21", "F30", "F31", "F32", "L11")),
    ],
    ids=["killed", "Killed: 9", "137", "program not found", "nothing", "status code 1"],
)
def test_a_shared_symptom_has_several_hypotheses(text, wanted):
    causes = diagnose(text)
    assert {cause.rule for cause in causes} >= set(wanted)
    assert [cause.confidence for cause in causes] == sorted((cause.confidence for cause in causes), reverse=True)
    assert 0 < sum(cause.confidence for cause in causes) < 1


@pytest.mark.parametrize("id_", KILLED)
def test_a_failing_finding_raises_its_cause_and_a_passing_one_lowers_it(id_):
    def confidence(findings=None):
        return next(cause for cause in diagnose("zsh: killed ./server", findings) if cause.rule == id_)

    plain = confidence()
    raised = confidence({id_: finding(id_, Status.FAIL, found="3 bad pages")})
    lowered = confidence({id_: finding(id_, Status.PASS)})
    skipped = confidence({id_: finding(id_, Status.SKIP)})
    assert lowered.confidence < plain.confidence < raised.confidence
    assert skipped == plain
    assert ("3 bad pages", "else") in [(each.found, each.wanted) for each in raised.evidence]
    assert [each.found for each in lowered.against][-1] == "seen"


def test_a_finding_decides_between_causes_of_one_symptom():
    text = "protoc-gen-go: program not found or is not executable"
    assert ranked(text)[0] == "F20"
    looked = {"F20": finding("F20", Status.PASS), "L01.protoc-gen-go": finding("L01", Status.FAIL)}
    assert ranked(text, looked)[0] == "L01"


def test_a_finding_alone_is_no_cause():
    assert diagnose("hello", {"F12": finding("F12", Status.FAIL)}) == ()
    assert "F22" not in ranked("zsh: killed x", {"F22": finding("F22", Status.FAIL)})


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("cp new old && ./old\nzsh: killed ./old", "F12"),
        ("go install x@latest\n[1] 22 killed x", "F13"),
        ("strip server && ./server\nKilled: 9", "F14"),
        ("install_name_tool -id a b\nzsh: killed ./b", "F15"),
        ("macOS 26: exit code 137, no output, adhoc linker-signed", "F16"),
        ("zsh: killed protoc --version (Gatekeeper)", "F11"),
    ],
    ids=["F12", "F13", "F14", "F15", "F16", "F11"],
)
def test_words_decide_between_causes_of_killed(text, first):
    assert ranked(text)[0] == first


def test_evidence_says_what_matched_and_what_speaks_against():
    (cause,) = [each for each in diagnose("docker: zsh: exec format error: ./protoc") if each.rule == "F04"]
    assert ("symptom", "zsh: exec format error: ./protoc") in [(each.what, each.found) for each in cause.evidence]
    assert [(each.what, each.found) for each in cause.against] == [("word", "docker")]


# --- what a cause carries


@pytest.mark.parametrize(
    ("text", "id_", "command"),
    [
        ("zsh: bad CPU type in executable: /opt/x/protoc", "F01", "file /opt/x/protoc"),
        ("bad CPU type in executable", "F01", 'file "$(command -v protoc)"'),
        ("zsh: bad CPU type in executable: /tmp/$HOME&rm", "F01", "file '/tmp/$HOME&rm'"),
        ("zsh: bad CPU type in executable: ~/my bin/protoc", "F01", "file ~/my"),
        ("zsh: bad CPU type in executable: protoc", "F01", 'file "$(command -v protoc)"'),
        ("zsh: killed -rf", "F12", "rm -f FILE"),
        ('protoc-gen-go: unable to determine Go import path for "a/b.proto"', "F31",
         "protoc --go_out=. --go_opt=Ma/b.proto=example.com/project/package a/b.proto"),
        ("qemu-x86_64: Could not open '/lib64/ld-linux-x86-64.so.2'", "F07",
         "docker image inspect --format '{{.Os}}/{{.Architecture}}' IMAGE"),
    ],
    ids=["captured", "default", "quoted", "home", "bare name", "option", "proto", "braces"],
)  # fmt: skip
def test_commands_are_filled_and_quoted(text, id_, command):
    (cause,) = [each for each in diagnose(text) if each.rule == id_]
    assert command in cause.remedy.commands


def test_a_cause_is_a_record_with_its_sources():
    cause = diagnose("zsh: bad CPU type in executable: protoc")[0]
    assert msgspec.json.decode(msgspec.json.encode(cause), type=Cause) == cause
    assert cause.link == "https://github.com/protocolbuffers/protobuf/issues/9893"
    assert cause.confirmed_on_hardware is False
    assert 0.5 < cause.confidence < 1
