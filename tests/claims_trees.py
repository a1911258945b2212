"""A small Go source tree of the current Go's own files, some of them altered, in the place of every Go's."""

import shutil

#: What it takes of the current Go's own.
TAKEN = (
    "src/runtime/asm_arm64.s", "src/runtime/mwbbuf.go", "src/runtime/mgcsweep.go", "src/runtime/runtime2.go",
    "src/runtime/mem_linux.go", "src/runtime/memclr_arm64.s", "src/runtime/preempt.go", "src/runtime/signal_unix.go",
    "src/runtime/cgocall.go", "src/runtime/os_darwin.go", "src/runtime/os_darwin_arm64.go",
    "src/internal/buildcfg/exp.go", "src/internal/buildcfg/zbootstrap.go",
    "src/internal/runtime/atomic/atomic_arm64.s", "src/internal/runtime/sys/consts.go",
)  # fmt: skip


def small_tree(root, plain, altered):
    """Make the tree and return own_gos that gives it to every Go; ``altered`` maps a path to a change of its text."""
    real = plain.go().parent.parent
    for name in (*TAKEN, *altered):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if (real / name).exists():
            shutil.copyfile(real / name, root / name)
        else:
            (root / name).write_text("")
    for name, change in altered.items():
        (root / name).write_text(change((root / name).read_text()))
    return dict.fromkeys(plain.go_versions(), root / "bin" / "go")


def more(text):
    """Return a change that adds a line."""
    return lambda old: f"{old}\n{text}\n"
