"""A ConfigMap's volume as the kubelet writes it: in its order, by us, for there is no kubelet here.

The order is that of AtomicWriter.Write, by the numbers of its comment
(https://github.com/kubernetes/kubernetes/blob/v1.32.9/pkg/volume/util/atomic_writer.go). Names of the visible files are
plain (no folders), and none is ever taken away, so that steps 2, 3 and 11 have nothing to do.
"""

import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

#: The visible file of the traps' ConfigMap.
FILE: Final = "application.properties"
DATA: Final = "..data"
_NEW_DATA: Final = "..data_tmp"


class ConfigMapVolume:
    """One mounted ConfigMap; :meth:`write` is what the kubelet does after the ConfigMap was changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o755)
        self._version = 0

    @classmethod
    def fresh(cls, parent: Path) -> Self:
        """Return a new volume below a folder, with its first value in it."""
        volume = cls(parent / f"config-{len(list(parent.glob('config-*'))) + 1}")
        volume.next()
        return volume

    @property
    def file(self) -> Path:
        """The path by which an application names its configuration."""
        return self.folder / FILE

    def next(self) -> str:
        """Change the ConfigMap's value and return the line that the file holds then."""
        self._version += 1
        line = f"greeting=v{self._version}"
        self.write({FILE: f"{line}\n"})
        return line

    def line(self) -> str:
        """Return what the file holds now."""
        return self.file.read_text("utf-8").strip()

    def write(self, payload: Mapping[str, str]) -> bool:
        """Put new contents (by file name) in place at once; False when they are the same: then nothing is done."""
        data = self.folder / DATA
        old = self.folder / data.readlink() if data.is_symlink() else None
        if old is not None and all(_holds(old / name, text) for name, text in payload.items()):
            return False  # (4)
        new = Path(tempfile.mkdtemp(prefix=datetime.now(UTC).strftime("..%Y_%m_%d_%H_%M_%S."), dir=self.folder))  # (5)
        new.chmod(0o755)
        for name, text in payload.items():  # (6, 7)
            (new / name).write_text(text)
            (new / name).chmod(0o644)
        (self.folder / _NEW_DATA).symlink_to(new.name)  # (8)
        (self.folder / _NEW_DATA).rename(data)  # (9)
        for name in payload:  # (10)
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(Path(DATA) / name)
        if old is not None:
            shutil.rmtree(old)  # (12)
        return True

    def generation(self) -> str:
        """Return the name of the hidden folder that holds the contents now."""
        return str((self.folder / DATA).readlink())


def _holds(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text("utf-8") == text
