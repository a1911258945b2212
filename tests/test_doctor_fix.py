"""What is safe is mended after consent and proved by the same check; all else is refused with what to copy."""

import os
from pathlib import Path

import pytest

from labkit.doctor import fix
from labkit.doctor.host import examine_host
from labkit.doctor.host_rules import HOST_RULES
from labkit.errors import ImpossibleHereError, ProcessError, StoreError, UsageError
from labkit.model.check import Status
from labkit.toolchain.answers import Memory
from labkit.toolchain.inventory import take_inventory
from tests.host_fixtures import host, lay, linux, machine, tool


@pytest.fixture
def here(tmp_path, this_machine):
    """Return a function that looks at a host below a folder of this test, and its environment."""

    def look(*folders, who=None, pages=None, **environ):
        around = {"HOME": str(tmp_path), "PATH": os.pathsep.join(map(str, folders))} | environ
        root = tmp_path / "root"
        facts = take_inventory(who or this_machine, root=root, environ=around, memory=Memory(None), pages=pages)
        return facts, {"environ": around, "root": root}

    return look


def yes(_offer):
    return True


def test_a_leftover_is_taken_out_of_the_file_and_nothing_else(here, tmp_path):
    file = tmp_path / "real" / "env"
    file.parent.mkdir()
    file.write_text("# mine\nGOPATH=/a\nGOARCH=riscv64\nGOOS=plan9\nGOFLAGS=-modcacherw\n")
    (tmp_path / "env").symlink_to(file)
    facts, around = here(GOENV=str(tmp_path / "env"))
    offers = []
    mended = fix.apply("F22", facts, confirm=lambda offer: offers.append(offer) or True, **around)
    assert [offer.steps for offer in offers] == [("go env -u GOOS", "go env -u GOARCH")]
    assert (mended.before.status, mended.after.status) == (Status.FAIL, Status.PASS)
    assert mended.done == offers[0].steps
    assert file.read_text() == "# mine\nGOPATH=/a\nGOFLAGS=-modcacherw\n"
    assert (tmp_path / "env").is_symlink()


def test_without_consent_nothing_is_done(here, tmp_path):
    file = tmp_path / "env"
    file.write_text("GOARCH=riscv64\n")
    facts, around = here(GOENV=str(file))
    mended = fix.apply("F22", facts, confirm=lambda _offer: False, **around)
    assert mended.done == ()
    assert mended.after == mended.before
    assert file.read_text() == "GOARCH=riscv64\n"


def test_what_the_shell_holds_is_refused_with_the_commands(here):
    facts, around = here(GOARCH="riscv64")
    with pytest.raises(ImpossibleHereError) as refused:
        fix.apply("F22", facts, confirm=yes, **around)
    assert "unset GOARCH" in refused.value.remedy


def test_a_file_is_made_executable_for_those_who_may_read_it(here, executable, tmp_path):
    locked = executable("protoc", "echo libprotoc 30.2", tmp_path / "bin")
    locked.chmod(0o640)
    facts, around = here(tmp_path / "bin")
    mended = fix.apply("L04", facts, confirm=yes, **around)
    assert mended.after.status is Status.PASS
    assert locked.stat().st_mode & 0o777 == 0o750


def test_what_is_missing_comes_from_the_store_and_path_is_only_shown(here, toolchain, tmp_path):
    facts, around = here()
    mended = fix.apply("F20", facts, confirm=yes, offline=True, **around)
    assert (mended.before.status, mended.after.status) == (Status.FAIL, Status.PASS)
    folder = next(Path(each.path).parent for each in toolchain.tools if each.name == "protoc-gen-go")
    assert mended.path_line == f'export PATH="$PATH:{folder}"'
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []  # no start-up file, nothing in HOME


def test_offline_an_empty_store_is_refused(here, empty_store):
    facts, around = here()
    with pytest.raises(ImpossibleHereError) as refused:
        fix.apply("L02", facts, confirm=yes, offline=True, **around)
    assert "network" in refused.value.what


def test_a_tool_whose_folder_is_not_on_path_is_not_installed_again(here, executable, tmp_path):
    executable("protoc-gen-go", "echo protoc-gen-go v1.36.12", tmp_path / "go/bin")
    facts, around = here()
    with pytest.raises(ImpossibleHereError) as refused:
        fix.apply("F20", facts, confirm=yes, **around)
    assert f'export PATH="$PATH:"{tmp_path}/go/bin' in refused.value.remedy


@pytest.fixture
def furnished(tmp_path):
    """Lay a Mac's xattr and codesign below this test's folder; quarantine is a file beside, as a copy loses it."""
    root = tmp_path / "root"
    xattr = lay(root, "usr/bin/xattr")
    xattr.write_text(
        '#!/bin/sh\nif [ "$1" = -d ]; then rm -f "$3.quarantine"; exit 0; fi\nshift 2\nfor file do\n'
        'if [ -e "$file.quarantine" ]; then echo "$file: 0081;00000000;Safari;"; '
        'else echo "xattr: $file: No such xattr: com.apple.quarantine" >&2; fi; done\nexit 1\n'
    )
    return root


def mac_tool(tmp_path, facts, *, altered):
    """Copy a real program for Apple silicon to a folder on PATH."""
    built = next(each for each in facts.servers if each.platform == "darwin/arm64")
    content = bytearray(Path(built.path).read_bytes())
    content[len(content) // 2] ^= altered
    path = tmp_path / "bin/dlv"
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o755)
    return path, Path(built.path).read_bytes()


def test_altered_pages_are_signed_in_a_copy_that_takes_the_files_place(facts, here, furnished, tmp_path):
    path, sound = mac_tool(tmp_path, facts, altered=True)
    (tmp_path / "sound").write_bytes(sound)
    lay(furnished, "usr/bin/codesign").write_text(
        f"#!/bin/sh\necho \"$*\" > '{tmp_path}/said'\ncat '{tmp_path}/sound' > \"$4\"\n"
    )
    before = path.stat().st_ino
    found, around = here(path.parent, who=machine())
    mended = fix.apply("F13", found, confirm=yes, **around)
    assert (mended.before.status, mended.after.status) == (Status.FAIL, Status.PASS)
    assert (tmp_path / "said").read_text().startswith(f"--force --sign - {path.parent}/.dlv.")
    assert path.stat().st_ino != before
    assert path.stat().st_mode & 0o777 == 0o755
    assert [each.name for each in path.parent.iterdir()] == ["dlv"]


def test_a_signer_that_fails_leaves_the_file_as_it_was(facts, here, furnished, tmp_path):
    path, _ = mac_tool(tmp_path, facts, altered=True)
    lay(furnished, "usr/bin/codesign", ("*", "", "codesign: no identity\n", 1))
    before = path.stat().st_ino, path.read_bytes()
    found, around = here(path.parent, who=machine())
    with pytest.raises(ProcessError, match="no identity"):
        fix.apply("F13", found, confirm=yes, **around)
    assert (path.stat().st_ino, path.read_bytes()) == before
    assert [each.name for each in path.parent.iterdir()] == ["dlv"]


def test_quarantine_stays_with_the_old_file(here, executable, furnished, tmp_path):
    path = executable("protoc", "echo libprotoc 30.2", tmp_path / "bin")
    mark = Path(f"{path}.quarantine")
    mark.write_text("")
    found, around = here(path.parent, who=machine())
    assert next(each for each in examine_host(found) if each.id == "F10").status is Status.FAIL
    before = path.stat().st_ino
    mended = fix.apply("F10", found, confirm=lambda _offer: not mark.unlink(), **around)  # a new inode has none
    assert mended.after.status is Status.PASS
    assert path.stat().st_ino != before


def test_a_file_that_is_gone_by_then_is_a_fault_that_says_so(here, executable, tmp_path):
    locked = executable("protoc", "echo libprotoc 30.2", tmp_path / "bin")
    locked.chmod(0o644)
    facts, around = here(tmp_path / "bin")
    with pytest.raises(StoreError, match="No such file"):
        fix.apply("L04", facts, confirm=lambda _offer: not locked.unlink(), **around)


@pytest.mark.parametrize("id_", [rule.id for rule in HOST_RULES])
def test_a_rule_that_passes_has_nothing_to_mend(id_):
    facts = host()
    if next(rule for rule in HOST_RULES if rule.id == id_).check(facts).status is Status.FAIL:
        pytest.fail("a made-up host on which all is well fails")
    with pytest.raises(ImpossibleHereError, match="does not fail here"):
        fix.apply(id_, facts, confirm=yes)


def test_an_unknown_id_is_wrong_use():
    with pytest.raises(UsageError):
        fix.apply("F99", host(), confirm=yes)


def test_only_what_labkit_may_mend_is_offered():
    facts = linux(
        go_env_written={"GOARCH": "arm64"},
        tools=[tool("protoc", False, include=None), tool("gopls", False, wins=False, executable=False)],
        without=["protoc-gen-go-grpc"],
    )
    failing = [finding for finding in examine_host(facts) if finding.status is Status.FAIL]
    assert {finding.id for finding in failing} == {"F21", "F22", "F36", "L04"}
    assert [offer.id for offer in fix.fixes(failing, facts)] == ["F21", "F22", "L04"]
    with pytest.raises(ImpossibleHereError) as refused:
        fix.apply("F36", facts, confirm=yes)
    assert "labkit setup" in refused.value.remedy
