"""Runs macOS's tools, and keeps what each said or why it said nothing."""

from dataclasses import dataclass
from pathlib import Path

from labkit.errors import ProcessError
from labkit.machine.notes import because
from labkit.model.base import Text
from labkit.system import proc
from labkit.system.environment import base


@dataclass(frozen=True, kw_only=True)
class Output:
    """What one tool said, or why it said nothing."""

    command: str
    stdout: str = ""
    stderr: str = ""
    failure: Text | None = None


def run_tool(program: Path, *arguments: str, timeout_s: float = 10.0) -> Output:
    """Return what a tool said; that it is absent, fails or hangs is part of the answer."""
    name = " ".join((program.name, *arguments))
    try:
        done = proc.run((program, *arguments), env=base(), timeout_s=timeout_s, check=False)
    except ProcessError as error:
        # Without the path, in which a test's or a user's folder may be named: records are published.
        what = "absent" if not program.exists() else error.what.replace(str(program), program.name)
        return Output(command=name, failure=because("tool_failed", command=name, what=what))
    # sysctl ends with 1 when one key of many is unknown, and still prints the others.
    if done.returncode != 0 and not done.stdout.strip():
        what = f"{proc.describe_exit(done.returncode)}, {done.last_words()}"
        return Output(command=name, stderr=done.stderr, failure=because("tool_failed", command=name, what=what))
    return Output(command=name, stdout=done.stdout, stderr=done.stderr)
