"""Tries ``curl ... | gpg --verify x.sig -`` on local files: what gpg says without the key, with it, and when tampered.

The handbook's line downloads the archive alone. Its shape is run with a key made for the moment, in GNUPGHOMEs of their
own; the user's keys are not looked at and no key server is asked.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.model.base import Text
from labkit.model.check import Evidence
from labkit.model.source import LineTried
from labkit.system import proc
from labkit.system.environment import base

_LINE: Final = "curl -sL .../protobuf-all-24.3.tar.gz | gpg --verify protobuf-all-24.3.tar.gz.sig -"
_NAME: Final = "protobuf-all-24.3.tar.gz"
_WHO: Final = "made for this check <check@example.invalid>"
_SOURCES: Final = ("https://www.gnupg.org/documentation/manuals/gnupg/Operational-GPG-Commands.html",)
_BY_EXIT: Final = "exit code "


@dataclass(frozen=True, kw_only=True)
class _Gpg:
    """gpg with a home of its own, in a folder where the files lie."""

    program: Path
    home: Path
    folder: Path

    def __call__(self, *words: str | Path, stdin: bytes | None = None) -> proc.Completed:
        environ = base(GNUPGHOME=str(self.home))
        command: list[str | Path] = [self.program, "--batch", "--no-tty", "--no-auto-key-retrieve", *words]
        return proc.run(command, env=environ, timeout_s=60, cwd=self.folder, stdin=stdin, check=False)


def try_gpg(gpg: Path | None, *, published: tuple[Path, Path] | None = None) -> LineTried:
    """Run the line's shape, without and with a signature and a key, and say when it verifies.

    Args:
        gpg: The program; None when there is none.
        published: A published file and its detached signature (.asc), to be verified without any key.

    """
    if gpg is None:
        return LineTried(
            id="gpg", line=_LINE, holds=None, outcome=Text(id="source.gpg_absent"), evidence=(), sources=_SOURCES
        )
    # The agent's socket lies in GNUPGHOME, and its path has at most 104 bytes on a Mac: a short folder.
    with tempfile.TemporaryDirectory(prefix="lk-gpg-", dir="/tmp") as scratch:
        folder = Path(scratch)
        homes = {name: folder / name for name in ("signer", "empty", "knowing")}
        work = folder / "work"
        for made in (*homes.values(), work):
            made.mkdir(mode=0o700)
        signer, empty, knowing = (_Gpg(program=gpg, home=homes[name], folder=work) for name in homes)
        try:
            return _try(signer, empty, knowing, work, published)
        finally:
            _end_agents(gpg, [*homes.values()], work)


def _try(signer: _Gpg, empty: _Gpg, knowing: _Gpg, work: Path, published: tuple[Path, Path] | None) -> LineTried:
    content = b"a stand-in for the archive\n" * 1000
    signature = f"{_NAME}.sig"
    verify = ("--verify", signature, "-")
    evidence = [_said("as printed: nothing but the archive comes through the pipe", empty(*verify, stdin=content))]
    evidence.append(Evidence(what="files in the folder afterwards", found=_names(work), wanted=_NAME))
    signer("--passphrase", "", "--quick-generate-key", _WHO, "ed25519", "sign", "never")
    (work / "other").write_bytes(content)
    signer("--output", signature, "--detach-sign", "other")
    public = signer("--export").stdout_bytes
    without_key = empty(*verify, stdin=content)
    evidence.append(_said("with its .sig fetched too, no public key", without_key))
    knowing("--import", stdin=public)
    with_key = knowing(*verify, stdin=content)
    evidence.append(_said("with its .sig and the signer's public key", with_key, 4))
    tampered = knowing(*verify, stdin=content + b"!")
    evidence.append(_said("the same, the archive changed by one byte", tampered))
    alone = knowing("--verify", signature)
    evidence.append(_said("gpg --verify FILE.sig alone, the archive not on disk", alone))
    (work / _NAME).write_bytes(content)
    # With --batch gpg looks for no second file by itself, so that it is asked as a user would ask it.
    beside = knowing("--no-batch", "--verify", signature)
    evidence.append(_said("gpg --verify FILE.sig, the archive beside it", beside))
    evidence.append(_said("gpg --verify FILE, its .sig beside it", knowing("--no-batch", "--verify", _NAME)))
    signer("--digest-algo", "SHA512", "--output", "other.sig", "--detach-sign", "other")
    evidence.append(
        _said("a signature over SHA-512, with the signer's public key", knowing("--verify", "other.sig", "other"))
    )
    packets = knowing("--list-packets", signature).stdout
    algorithm = next((line.strip() for line in packets.splitlines() if "digest algo" in line), "not shown")
    evidence.append(Evidence(what="which digest the signature is over, in gpg --list-packets", found=algorithm))
    if published is not None:
        file, detached = published
        said = empty("--verify", detached, file)
        evidence.append(_said(f"the published {file.name} and {detached.name}, no public key", said))
    steps = {"printed": evidence[0].found.startswith("exit code 0"), "keyed": with_key.returncode == 0}
    refuses = without_key.returncode != 0 and tampered.returncode != 0
    outcome = (
        "source.gpg_holds"
        if steps["printed"]
        else "source.gpg_needs"
        if steps["keyed"] and refuses
        else "source.gpg_never"
    )
    return LineTried(
        id="gpg",
        line=_LINE,
        holds=steps["printed"],
        outcome=Text(id=outcome),
        evidence=tuple(evidence),
        sources=_SOURCES,
    )


def _said(what: str, done: proc.Completed, lines: int = 2) -> Evidence:
    return Evidence(
        what=what, found=f"{proc.describe_exit(done.returncode)}: {done.last_words(lines)}", wanted="exit code 0"
    )


def _names(folder: Path) -> str:
    return ", ".join(sorted(path.name for path in folder.iterdir())) or "none"


def _end_agents(gpg: Path, homes: list[Path], work: Path) -> None:
    # gpg starts an agent as a daemon of its own session, which no end of our process group reaches.
    gpgconf = shutil.which("gpgconf", path=str(gpg.parent))
    if gpgconf is not None:
        for home in homes:
            environ = base(GNUPGHOME=str(home))
            proc.run([gpgconf, "--kill", "all"], env=environ, timeout_s=30, cwd=work, check=False)
