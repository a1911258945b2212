"""Hostile input: each damaged file gets its line, in bounded time and memory, and one never stops the others."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from labkit.binary import find, inspect
from labkit.model.binary import Binary, Format
from tests.binary_seeds import damaged, seeds
from tests.binary_synthetic import Elf, Macho
from tests.support import impossible

_SEED = 20_261_123


@pytest.mark.parametrize("name", seeds())
def test_a_seed_is_valid(tmp_path, name):
    (tmp_path / name).write_bytes(seeds()[name])
    binary = inspect(tmp_path / name)
    assert binary.error is None
    assert binary.slices


@pytest.mark.parametrize("name", seeds())
def test_damage_gives_facts_or_a_name_with_an_offset(tmp_path, name):
    path = tmp_path / name
    for number, data in enumerate(damaged(seeds()[name], seed=_SEED, count=150)):
        path.write_bytes(data)
        binary = inspect(path)
        assert binary.error is None or re.fullmatch(
            r"malformed: .+, at offset 0x[0-9a-f]+|an empty file", binary.error
        ), (
            number,
            binary.error,
        )
        assert msgspec.json.decode(msgspec.json.encode(binary), type=Binary) == binary


def test_every_length_of_a_file_that_is_cut_off_gives_its_line(tmp_path):
    path, data = tmp_path / "file", seeds()["macho-signed"]
    for length in (*range(0, 900, 7), *range(len(data) - 900, len(data), 11)):
        path.write_bytes(data[:length])
        assert inspect(path).error is not None or length < 4, length


#: Run in a process of its own, so that its memory is its own: many big files that claim much.
_BOUNDED = """
import resource, sys, time
from pathlib import Path
from labkit.binary import inspect
worst = 0.0
for name in sys.argv[1:]:
    started = time.process_time()
    inspect(Path(name))
    worst = max(worst, time.process_time() - started)
status = Path("/proc/self/status")
if status.is_file():  # ru_maxrss survives execve, and so would show what pytest itself had used
    peak = int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak, worst)
"""


def _vast(tmp_path):
    """Return files whose every table is as long as their formats let it be."""
    mib = 1024 * 1024
    commands = b"".join(b"\x1b\0\0\0\x18\0\0\0" + b"\1" * 16 for _ in range(9_000))
    sections = Elf().data()[:40] + (4096).to_bytes(8, "little") + Elf().data()[48:58]
    sections += (64).to_bytes(2, "little") + b"\xff\xff\0\0"
    files = {
        "many-commands": Macho(more=[commands[at : at + 24] for at in range(0, len(commands), 24)], sign=None).data(),
        "many-sections": sections.ljust(4096, b"\0") + b"\1" * (65_535 * 64),
        "many-libraries": Elf(libraries=[f"l{n}" for n in range(9_000)]).data(),
        "long-names": Elf(libraries=["a" * 200_000] * 20, interpreter="b" * mib).data(),
        "many-pages": Macho(code=bytes(30 * mib), page_shift=12, sign="adhoc", hashes=(1, 2, 3, 4)).data(),
        "go-search": Elf(writable=b"\xff Go buildin" * (8 * mib // 12)).data(),
        "entitlements": Macho(sign="adhoc", entitlements=b"<plist>" + b"<dict>" * 100_000).data(),
        "certificates": Macho(sign="other", cms=b"\x30\x80" * 100_000).data(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with (tmp_path / "sparse").open("wb") as file:  # 64 GiB that no disk holds
        file.write(Elf().data())
        file.truncate(64 * 1024 * mib)
    return sorted(tmp_path.iterdir())


def test_no_file_takes_two_seconds_or_256_mib(tmp_path):
    files = _vast(tmp_path)
    done = subprocess.run([sys.executable, "-c", _BOUNDED, *files], capture_output=True, check=True, timeout=120)
    memory, seconds = done.stdout.split()
    assert int(memory) < 256 * 1024 * 1024
    assert float(seconds) < 2


def test_what_is_no_file_gets_its_line(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "broken").symlink_to(tmp_path / "nothing")
    (tmp_path / "good").write_bytes(Elf().data())
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tmp_path)  # a socket's name holds 104 bytes at most
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
        said = {path.name: inspect(path).error for path in sorted(tmp_path.iterdir())}
    assert said == {
        "broken": "a symbolic link to a file that does not exist",
        "empty": "an empty file",
        "fifo": "a FIFO, not a file",
        "folder": "a folder, not a file",
        "good": None,
        "loop": "a symbolic link that leads back to itself",
        "socket": "a socket, not a file",
    }
    assert inspect(Path("/dev/null")).error == "a character device, not a file"
    assert inspect(Path("a\0b")).error == "embedded null byte"
    missing = inspect(tmp_path / "nowhere")
    assert (missing.error, missing.format) == ("cannot be read: No such file or directory", Format.OTHER)


def test_an_unreadable_file_gets_its_line(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(Elf().data())
    path.chmod(0)
    if os.geteuid() == 0:
        if not hasattr(os, "seteuid"):
            impossible("nobody here may not read a file")
        for folder in (tmp_path, *tmp_path.parents[:3]):
            if folder.stat().st_uid == 0 and str(folder) != "/tmp":
                folder.chmod(0o755)
        os.seteuid(65534)
        try:
            said = inspect(path).error
        finally:
            os.seteuid(0)
    else:
        said = inspect(path).error
    assert said == "cannot be read: Permission denied"


def test_folders_are_walked_in_order_and_pass_over_nothing(tmp_path):
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "file").write_bytes(b"x")
    (tmp_path / "empty-folder").mkdir()
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "link-to-folder").symlink_to(tmp_path / "b")
    os.mkfifo(tmp_path / "fifo")
    found = [str(path.relative_to(tmp_path)) for path in find([tmp_path])]
    assert found == ["a", "b/c/file", "empty-folder", "fifo", "link-to-folder"]


def test_a_file_whose_name_is_not_text_is_read(tmp_path):
    if sys.platform != "linux":
        impossible("macOS has no names that are not UTF-8")
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    path.write_bytes(Elf().data())
    binary = inspect(path)
    assert binary.error is None
    assert binary.path.endswith(r"\xff\xfe")
    assert msgspec.json.decode(msgspec.json.encode(binary))["path"] == binary.path
