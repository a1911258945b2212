"""Captured texts and trees, and the rule that every field of a machine says where it came from or why it is missing."""

import json
from pathlib import Path

from labkit.machine.here import Here
from labkit.words import Language, render

DATA = Path(__file__).parent / "data" / "machine"
_EXEMPT = {"sources", "missing", "provenance"}


def captured(name):
    """Return the text of a macOS transcript."""
    return (DATA / "macos" / name).read_text("utf-8")


def plant(root, *trees, **more):
    """Lay captured trees, and files made up by a test, below a root folder, and return it."""
    files = {}
    for tree in trees:
        files |= json.loads((DATA / "linux" / f"{tree}.json").read_text("utf-8"))
    for path, text in (files | more).items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def mac(machine="arm64", *, translated=False, **more):
    """Return the view of a process on a Mac."""
    return Here(
        **{
            "machine": machine,
            "kernel": "Darwin 22.6.0",
            "cpu_count": 8,
            "page_size_bytes": 16384,
            "load": (1.5, 1.25, 1.0),
            "translated": translated,
        }
        | more
    )


def linux(machine="x86_64", **more):
    """Return the view of a process on Linux."""
    return Here(
        **{
            "machine": machine,
            "kernel": "Linux 6.1.0",
            "cpu_count": 2,
            "page_size_bytes": 4096,
            "load": (0.5, 0.5, 0.5),
        }
        | more
    )


def check_accounts(record):
    """Check that each obtained field has a source, each missing one a reason in both languages, and none both."""
    for field in set(record.__struct_fields__) - _EXEMPT:
        value = getattr(record, field)
        obtained = value is not None and value != ()
        assert (field in record.sources) == obtained, f"{field}: {value!r}"
        assert (field in record.missing) == (not obtained), f"{field}: {value!r}"
    for position, level in enumerate(getattr(record, "performance_levels", ())):
        for field in level.__struct_fields__:
            key = f"performance_levels[{position}].{field}"
            assert (key in record.missing) == (getattr(level, field) is None), key
    assert all(source.strip() for source in record.sources.values())
    for reason in record.missing.values():
        for language in Language:
            sentence = render(reason, language)
            assert not sentence.startswith("machine."), sentence
    known = set(record.__struct_fields__)
    assert {key.partition("[")[0] for key in (*record.sources, *record.missing)} <= known
