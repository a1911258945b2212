"""What an environment variable such as GOARM does on one Go: one small program built with each value, byte by byte.

Which Go is an argument, so that every provisioned one can be asked. Go's own cache makes this cheap; the results are
not kept in labkit's store, for a refusal is a result too.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from labkit.binary import inspect, instructions
from labkit.errors import ProcessError, TimeoutExpiredError
from labkit.model.experiments import Difference, LevelBuild, LevelExperiment
from labkit.system.store import file_digest
from labkit.toolchain import golang

#: A small program.
MODULE: Final = Path(__file__).parent / "program"
#: Nothing, the handbook's own value, Go's other ones, and one that is none.
GOARM: Final = ("", "GOARM=5", "GOARM=6", "GOARM=7", "GOARM=8", "GOARM=99")
PLATFORMS: Final = ("darwin/arm64", "linux/arm64", "linux/arm")
#: Whether the value matters, and what one that is none stands for where it is not refused.
COMPARED: Final = (
    ("linux/arm", "GOARM=5", "GOARM=7"),
    ("linux/arm", "GOARM=7", "GOARM=8"),
    ("linux/arm", "GOARM=7", "GOARM=99"),
)


def levels(
    go: Path,
    go_version: str,
    *,
    settings: Sequence[str] = GOARM,
    platforms: Sequence[str] = PLATFORMS,
    compared: Sequence[tuple[str, str, str]] = COMPARED,
) -> LevelExperiment:
    """Build the program with every setting for every platform, and compare chosen builds instruction by instruction.

    Args:
        go: The go executable; a refusal to build is part of the result.
        go_version: What to call it, such as go1.27.3.
        settings: Variables with their value; the empty one is Go's default.
        platforms: Go's names of the targets.
        compared: Platform and two settings each; those that did not build are left out.

    """
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch).resolve() / "module"
        shutil.copytree(MODULE, tree)
        places = {
            (platform, setting): Path(scratch).resolve() / f"{index}-{platform.replace('/', '-')}"
            for index, setting in enumerate(settings)
            for platform in platforms
        }
        builds = tuple(_build(go, tree, file, *key) for key, file in places.items())
        built = {(each.platform, each.setting) for each in builds if each.built}
        differences = tuple(
            difference(places[platform, one], places[platform, other], one=one, other=other)
            for platform, one, other in compared
            if {(platform, one), (platform, other)} <= built
        )
    ordered = tuple(sorted(builds, key=lambda each: platforms.index(each.platform)))
    return LevelExperiment(go_version=go_version, builds=ordered, differences=differences)


def difference(first: Path, second: Path, *, one: str, other: str) -> Difference:
    """Compare two programs function by function, by mnemonics and operands without addresses.

    Literals that lie within a function are decoded like instructions and compared like them.

    Raises:
        MalformedError: One is no Go program that can be decoded.

    """
    left, right = instructions.read(first), instructions.read(second)
    mine, theirs = left.numbered(), right.numbered()
    both = mine.keys() & theirs.keys()
    total = differing_instructions = differing_functions = 0
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for key in both:
        a, b = _words(left, mine[key]), _words(right, theirs[key])
        total += len(a)
        if a == b:
            continue
        differing_functions += 1
        same = sum(block.size for block in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks())
        differing_instructions += len(a) - same
        for words, counter in zip((a, b), counts, strict=True):
            counter.update(word.partition(" ")[0] for word in words)
    return Difference(
        one=one,
        other=other,
        text_bytes=(len(left.text), len(right.text)),
        functions=(len(left.functions), len(right.functions)),
        functions_in_both=len(both),
        functions_differing=differing_functions,
        instructions=total,
        instructions_differing=differing_instructions,
        only_in_one=dict((counts[0] - counts[1]).most_common(12)),
        only_in_other=dict((counts[1] - counts[0]).most_common(12)),
    )


def _words(code: instructions.Code, function: instructions.Function) -> list[str]:
    # Without the operands of calls, branches and loads from PC: everything behind a longer function has moved.
    body = code.bytes_of(function)
    words = []
    for _address, _size, mnemonic, operands in instructions.sweep(body, code.architecture, function.address):
        moves = mnemonic.startswith("b") or "pc" in operands
        words.append(mnemonic if moves or mnemonic == instructions.DATA else f"{mnemonic} {operands}")
    return words


def _build(go: Path, tree: Path, file: Path, platform: str, setting: str) -> LevelBuild:
    system, architecture = platform.split("/")
    name, _, value = setting.partition("=")
    variables = {name: value} if name else {}
    command = ("build", "-trimpath", "-o", str(file), ".")
    try:
        golang.run(go, *command, cwd=tree, timeout_s=600, variables=variables, GOOS=system, GOARCH=architecture)
    except TimeoutExpiredError:
        raise
    except ProcessError as error:
        said = error.what.split(": ", 1)[-1]
        return LevelBuild(platform=platform, setting=setting, built=False, said=said)
    info = inspect(file, pages=False, machines=()).go
    recorded = None if info is None or not name else info.settings.get(name)
    return LevelBuild(platform=platform, setting=setting, built=True, sha256=file_digest(file), recorded=recorded)
