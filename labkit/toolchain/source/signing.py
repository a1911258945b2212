"""Signs a program ad hoc on macOS and verifies it. No Mac has confirmed these commands yet; elsewhere nothing is done.

An arm64 program must be signed to run at all. Apple's linker signs ad hoc by itself (flags adhoc and linker-signed);
``codesign --force -s -`` replaces that by a whole ad-hoc signature, whose identifier is the program's name. The file is
signed before it enters the store: one that has been running is never changed in place.
"""

import shlex
from pathlib import Path
from typing import Final

from labkit.errors import ProcessError, ProvisionError
from labkit.model.machine import System
from labkit.system import proc
from labkit.system.environment import base

CODESIGN: Final = Path("/usr/bin/codesign")


def commands(program: Path, codesign: Path = CODESIGN) -> tuple[tuple[str, ...], ...]:
    """Return the commands: sign ad hoc, replacing what is there; then verify, strictly."""
    return (
        (str(codesign), "--force", "-s", "-", str(program)),
        (str(codesign), "--verify", "--strict", "--verbose=2", str(program)),
    )


def sign(program: Path, system: System, *, codesign: Path = CODESIGN) -> tuple[str, ...]:
    """Sign and verify a program on macOS, and return the commands that did it, the program by its name alone.

    Raises:
        ProvisionError: It could not be signed, or its signature is not valid.

    """
    if system is not System.MACOS:
        return ()
    done = []
    for command in commands(program, codesign):
        try:
            proc.run(command, env=base(), timeout_s=120)
        except ProcessError as error:
            raise ProvisionError(
                f"{program.name} could not be signed ad hoc: {error.what}",
                remedy="install the command line tools with xcode-select --install, then run the same command again",
            ) from error
        done.append(shlex.join((Path(command[0]).name, *command[1:-1], program.name)))
    return tuple(done)
