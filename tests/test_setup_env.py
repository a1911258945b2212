"""The lines of `labkit setup --env`, run by real shells: zsh, which macOS logs in with, bash, and four stricter ones.

macOS has bash 3.2, which no source here carries: it was not run. dash, mksh, busybox's sh and bash --posix know less
than it, or mind more.
"""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labkit.cli.app import application
from labkit.errors import ProvisionError, UsageError
from labkit.system import proc
from labkit.toolchain import switching
from tests.support import need

SHELLS = {
    "dash": ["dash"],
    "bash": ["bash"],
    "bash --posix": ["bash", "--posix"],
    "zsh": ["zsh", "-f"],
    "mksh": ["mksh"],
    "busybox sh": ["busybox", "sh"],
}


@pytest.fixture(params=SHELLS)
def shell(request):
    """The command of a shell."""
    name, *options = SHELLS[request.param]
    return [str(need(name)), *options]


def run(shell: list[str], script: str, **environ: str) -> list[str]:
    """Run a script and return the lines it prints; what it says on standard error is a failure."""
    done = proc.run([*shell, "-u", "-e", "-c", script], env={"PATH": "/usr/bin:/bin", **environ}, timeout_s=60)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.fixture
def two_sets(executable, tmp_path):
    """Two sets' lines, each with a go of its own in folders whose names hold what shells mind."""
    texts = {}
    for name in ("one", "two"):
        folder = tmp_path / f'it\'s a $HOME `{name}` "lab" \\ *' / "bin"
        executable("go", f"echo {name} $GOTOOLCHAIN ${{GOROOT-none}}", folder)
        second = tmp_path / f"{name} second"
        texts[name] = switching.lines(name, [folder, second])
    return texts


STATE = 'printf "%s\\n" "$PATH|${GOTOOLCHAIN-none}|${GOROOT-none}|${LABKIT_TOOLCHAIN-none}|${LABKIT_PATH-none}"\n'


@pytest.mark.parametrize(
    "environ",
    [{}, {"GOTOOLCHAIN": "auto", "GOROOT": "/opt/go root"}, {"GOTOOLCHAIN": ""}],
    ids=["nothing set", "all set", "empty"],
)
def test_the_sets_go_comes_first_and_everything_is_taken_back(shell, two_sets, environ):
    script = f'{STATE}eval "$SWITCH"\ngo\nprintf "%s\\n" "$LABKIT_TOOLCHAIN"\nlabkit_undo\n{STATE}'
    before, go, name, after = run(shell, script, SWITCH=two_sets["one"], **environ)
    assert (go, name) == ("one local none", "one")
    assert before == after
    assert after.endswith("|none|none")


def test_one_set_takes_the_place_of_another_and_of_itself(shell, two_sets):
    script = f'{STATE}eval "$ONE"\neval "$TWO"\ngo\neval "$TWO"\ngo\nlabkit_undo\n{STATE}'
    before, go, again, after = run(shell, script, ONE=two_sets["one"], TWO=two_sets["two"])
    assert go == again == "two local none"
    assert before == after


def test_folders_that_were_added_meanwhile_stay(shell, two_sets):
    script = 'eval "$SWITCH"\nPATH="/first:$PATH:/last"\nlabkit_undo\nprintf "%s\\n" "$PATH"'
    assert run(shell, script, SWITCH=two_sets["one"]) == ["/first:/usr/bin:/bin:/last"]


def test_a_shell_within_takes_it_back_too(shell, two_sets):
    script = 'eval "$SWITCH"\n"$@"'
    inner = 'eval "$SWITCH"; labkit_undo; printf "%s\\n" "$PATH"'
    done = proc.run(
        [*shell, "-c", script, "sh", *shell, "-c", inner],
        env={"PATH": "/usr/bin:/bin", "SWITCH": two_sets["one"]},
        timeout_s=60,
    )
    assert (done.stdout, done.stderr) == ("/usr/bin:/bin\n", "")


def test_an_empty_path_gets_no_empty_folder(shell, two_sets):
    script = 'PATH=\neval "$SWITCH"\necho "$PATH"\nlabkit_undo\necho "<$PATH>"'  # mksh has no printf of its own
    during, after = run(shell, script, SWITCH=two_sets["one"])
    assert not during.endswith(":")
    assert after == "<>"


def test_the_lines_parse_in_every_shell_without_being_run(shell, two_sets, tmp_path):
    path = tmp_path / "lines.sh"
    path.write_text(two_sets["one"])
    done = proc.run([*shell, "-n", path], env={"PATH": "/usr/bin:/bin"}, timeout_s=60)
    assert done.stdout + done.stderr == ""
    path.write_text(two_sets["one"].replace("esac", "fi", 1))  # what is no shell does not pass
    assert proc.run([*shell, "-n", path], env={"PATH": "/usr/bin:/bin"}, timeout_s=60, check=False).returncode != 0


def test_a_folder_that_path_cannot_hold_is_refused(tmp_path):
    with pytest.raises(ProvisionError, match="a colon"):
        switching.lines("one", [tmp_path / "a:b"])


@pytest.mark.parametrize("name", ["dash", "bash", "zsh"])
def test_the_command_prints_nothing_but_the_lines(name, tmp_path, toolchain, spaced_home):
    home = tmp_path / "my home"
    home.mkdir()
    tools = [Path(tool.path).name for tool in toolchain.tools]
    script = f"""eval "$('{sys.executable}' -m labkit setup --env current)"
for tool in {" ".join(tools)}; do command -v $tool; done
go env GOTOOLCHAIN
labkit_undo
command -v protoc-gen-go || echo gone"""
    found = need(name)
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LABKIT_HOME": str(spaced_home)}
    done = proc.run([found, "-c", script], env=environ, timeout_s=120, cwd=Path.cwd())
    *there, setting, gone = done.stdout.splitlines()
    assert [Path(line).resolve() for line in there] == [Path(tool.path).resolve() for tool in toolchain.tools]
    assert (setting, gone) == ("local", "gone")


@pytest.mark.parametrize("more", [["--json"], ["--toolchain", "handbook"]], ids=["json", "two sets"])
def test_a_switch_that_is_not_clear_is_wrong_use(more):
    done = CliRunner().invoke(application(), ["setup", "--env", "current", *more])
    assert isinstance(done.exception, UsageError)
    assert done.stdout == ""


def test_a_set_that_is_not_there_prints_nothing_to_eval():
    done = CliRunner().invoke(application(), ["setup", "--env", "curent"])
    assert isinstance(done.exception, UsageError)
    assert done.stdout == ""
