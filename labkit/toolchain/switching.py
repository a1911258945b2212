"""Switches a shell to a set: what ``eval "$(labkit setup --env NAME)"`` runs, and ``labkit_undo`` takes back.

The lines are for any POSIX shell (dash, bash 3.2, zsh): assignments, export, unset, case, and one function. What was
before is kept in variables of labkit's own, so that a shell that was started within can take it back too.
"""

import shlex
from collections.abc import Iterable
from pathlib import Path

from labkit.errors import ProvisionError
from labkit.model.toolchain import Toolchain

# A folder may occur in PATH on its own account too, so what is taken back is the whole run of folders, once. GOROOT of
# another Go would make the set's go use that one's compiler.
_UNDO = """\
labkit_undo() {
test -n "${LABKIT_PATH-}" || return 0
case "$PATH" in
"$LABKIT_PATH") PATH= ;;
*":$LABKIT_PATH") PATH=${PATH%":$LABKIT_PATH"} ;;
*"$LABKIT_PATH:"*) PATH=${PATH%%"$LABKIT_PATH:"*}${PATH#*"$LABKIT_PATH:"} ;;
esac
export PATH
case "$LABKIT_GOTOOLCHAIN" in
x*) GOTOOLCHAIN=${LABKIT_GOTOOLCHAIN#x}; export GOTOOLCHAIN ;;
*) unset GOTOOLCHAIN ;;
esac
case "$LABKIT_GOROOT" in
x*) GOROOT=${LABKIT_GOROOT#x}; export GOROOT ;;
esac
unset LABKIT_TOOLCHAIN LABKIT_PATH LABKIT_GOTOOLCHAIN LABKIT_GOROOT
};
"""
_SWITCH = """\
labkit_undo;
export LABKIT_TOOLCHAIN={name};
export LABKIT_PATH={folders};
export LABKIT_GOTOOLCHAIN="${{GOTOOLCHAIN+x}}${{GOTOOLCHAIN-}}";
export LABKIT_GOROOT="${{GOROOT+x}}${{GOROOT-}}";
export PATH="$LABKIT_PATH${{PATH:+:$PATH}}";
export GOTOOLCHAIN=local;
unset GOROOT;
"""


def folders(toolchain: Toolchain) -> tuple[Path, ...]:
    """Return the folders of a set's programs, each once, Go's first."""
    return tuple(dict.fromkeys(Path(tool.path).parent for tool in toolchain.tools))


def lines(name: str, places: Iterable[Path]) -> str:
    """Return the shell's lines that put some folders first on PATH and keep Go from switching to another version.

    Args:
        name: The set's name, for the shell's prompt: LABKIT_TOOLCHAIN.
        places: The folders, first first.

    Raises:
        ProvisionError: A folder's name holds a colon, which PATH cannot.

    """
    words = [str(place) for place in places]
    for word in words:
        if ":" in word:
            raise ProvisionError(
                f"PATH cannot hold {word}, for its name has a colon", remedy="name another folder with LABKIT_HOME"
            )
    return _UNDO + _SWITCH.format(name=shlex.quote(name), folders=shlex.quote(":".join(words)))
