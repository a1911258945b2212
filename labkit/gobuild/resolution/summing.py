"""Experiments with go.sum and the checksum database: what was tampered with, and what Go does about it."""

import os
from typing import Final

from labkit.gobuild.resolution import modules
from labkit.gobuild.resolution.stock import PROTOBUF
from labkit.gobuild.resolution.trial import Trial, question

_BUILD: Final = ("build", "-trimpath", "-o", os.devnull, ".")
_WRONG: Final = "h1:" + "A" * 43 + "="
_FILE: Final = "encoding/protowire/wire.go"


def _known(trial: Trial, *, zip_sum: str | None = None, mod_sum: str | None = None, without: bool = False) -> None:
    """Write the main module with a go.sum: as Go made it, or with a line changed or without the zip's."""
    trial.write()
    lines = []
    for line in trial.real.go_sum.splitlines():
        module, version, good = line.split()
        is_mod = version.endswith("/go.mod")
        if module == PROTOBUF and without and not is_mod:
            continue
        wrong = (mod_sum if is_mod else zip_sum) if module == PROTOBUF else None
        lines.append(f"{module} {version} {wrong or good}")
    (trial.main / "go.sum").write_text("".join(f"{line}\n" for line in lines), "utf-8")


@question("sum-right", "stock")
def _right(trial: Trial) -> None:
    _known(trial)
    trial.go(*_BUILD, GOFLAGS="-modcacherw -mod=readonly")


@question("sum-zip-changed", "stock", control="sum-right")
def _zip_changed(trial: Trial) -> None:
    _known(trial, zip_sum=_WRONG)
    trial.go(*_BUILD, GOFLAGS="-modcacherw -mod=readonly")


@question("sum-zip-changed-mod-mod", "stock", control="sum-zip-changed")
def _zip_changed_mod(trial: Trial) -> None:
    _known(trial, zip_sum=_WRONG)
    trial.go(*_BUILD, GOFLAGS="-modcacherw -mod=mod", GONOSUMDB="*", GOPRIVATE="*", GONOPROXY="none")


@question("sum-mod-changed", "stock", control="sum-right")
def _mod_changed(trial: Trial) -> None:
    _known(trial, mod_sum=_WRONG)
    trial.go(*_BUILD, GOFLAGS="-modcacherw -mod=readonly")


@question("sum-missing-readonly", "stock", control="sum-right")
def _missing(trial: Trial) -> None:
    _known(trial, without=True)
    trial.go(*_BUILD, GOFLAGS="-modcacherw -mod=readonly")


@question("sum-missing-mod-mod", "stock", control="sum-missing-readonly")
def _missing_mod(trial: Trial) -> None:
    _known(trial, without=True)
    before = (trial.main / "go.sum").read_text("utf-8")
    trial.go(*_BUILD, GOFLAGS="-modcacherw -mod=mod")
    added = set((trial.main / "go.sum").read_text("utf-8").splitlines()) - set(before.splitlines())
    trial.compare(
        "go.sum: lines added",
        "; ".join(sorted(" ".join(line.split()[:2]) for line in added)),
        f"{PROTOBUF} {trial.real.pinned}",
    )


def _tamper(trial: Trial, suffix: str) -> None:
    """Let the proxy serve the pinned release with a changed zip or go.mod; the rest of it is as published."""
    release = trial.real.pinned
    original = modules.folder_of(trial.real.download, PROTOBUF) / f"{release}{suffix}"
    copy = modules.folder_of(trial.own, PROTOBUF) / original.name
    if suffix == ".zip":
        modules.copy_with_another_byte(original, copy, _FILE)
        return
    copy.parent.mkdir(parents=True)
    copy.write_bytes(original.read_bytes() + b"\n// tampered with\n")


@question("proxy-zip-tampered", "stock", control="sum-right")
def _proxy_zip(trial: Trial) -> None:
    _known(trial)
    _tamper(trial, ".zip")
    trial.go(*_BUILD, GOFLAGS="-modcacherw -mod=readonly")


@question("proxy-mod-tampered", "stock", control="sum-right")
def _proxy_mod(trial: Trial) -> None:
    _known(trial)
    _tamper(trial, ".mod")
    trial.go(*_BUILD, GOFLAGS="-modcacherw -mod=readonly")


@question("database-right", "stock", "mirror")
def _database(trial: Trial) -> None:
    trial.write()
    trial.go(*_BUILD, sumdb=True, GOFLAGS="-modcacherw -mod=mod")


@question("database-zip-tampered", "stock", "mirror", control="database-right")
def _database_tampered(trial: Trial) -> None:
    trial.write()
    _tamper(trial, ".zip")
    trial.go(*_BUILD, sumdb=True, GOFLAGS="-modcacherw -mod=mod")


@question("database-off-zip-tampered", "stock", control="database-zip-tampered")
def _nobody_looks(trial: Trial) -> None:
    trial.write()
    _tamper(trial, ".zip")
    trial.go(*_BUILD, GOFLAGS="-modcacherw -mod=mod")


@question("database-excused-zip-tampered", "stock", "mirror", control="database-zip-tampered")
def _excused(trial: Trial) -> None:
    trial.write()
    _tamper(trial, ".zip")
    trial.go(*_BUILD, sumdb=True, GOFLAGS="-modcacherw -mod=mod", GONOSUMDB="google.golang.org")


def _change_cache(trial: Trial) -> None:
    _known(trial)
    trial.go(*_BUILD, GOFLAGS="-modcacherw -mod=readonly")
    file = trial.cache / f"{PROTOBUF}@{trial.real.pinned}" / _FILE
    file.chmod(0o644)
    file.write_bytes(file.read_bytes() + b"\n// tampered with\n")


@question("cache-changed-build", "stock", control="sum-right")
def _cache_build(trial: Trial) -> None:
    _change_cache(trial)
    trial.go(*_BUILD, proxy="off", GOFLAGS="-modcacherw -mod=readonly")


@question("cache-changed-verify", "stock", control="sum-right")
def _cache_verify(trial: Trial) -> None:
    _change_cache(trial)
    trial.go("mod", "verify")
