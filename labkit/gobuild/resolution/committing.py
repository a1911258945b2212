"""Experiments with commits: what `go get MODULE@COMMIT` becomes, a pseudo-version's parts, and malformed ones.

A proxy answers for what it holds, so that Go itself judges a pseudo-version only where it fetches directly, from a
repository; that is git's, made here. What the user's own proxy says of a malformed one needs a network.
"""

import os
import re
from datetime import datetime
from typing import Final

import msgspec

from labkit.gobuild.resolution import modules, repository
from labkit.gobuild.resolution.stock import COMMIT, GENPROTO, PROTOBUF, UNTAGGED
from labkit.gobuild.resolution.trial import Trial, question

#: https://go.dev/ref/mod#pseudo-versions
_PSEUDO: Final = re.compile(
    r"v(?P<base>\d+\.\d+\.\d+)-(?P<zero>0\.)?(?P<stamp>\d{14})-(?P<commit>[0-9a-f]{12})", re.ASCII
)
_MAIN: Final = f'package main\n\nimport "{repository.MODULE}"\n\nfunc main() {{ println(plugin.Build) }}\n'


class _Info(msgspec.Struct):
    """What a proxy says of a version."""

    Version: str
    Time: datetime
    Origin: dict[str, str] = {}


def _compare_parts(trial: Trial, module: str, version: str, info: _Info) -> None:
    """Keep the parts of a pseudo-version beside what the proxy's .info says of the commit."""
    parts = _PSEUDO.fullmatch(version)
    trial.compare(f"{module}: form", version, info.Version)
    if parts is None:
        return
    trial.compare(f"{module}: time", parts["stamp"], f"{info.Time:%Y%m%d%H%M%S}")
    if "Hash" in info.Origin:
        trial.compare(f"{module}: commit", parts["commit"], info.Origin["Hash"][:12])


def _get(trial: Trial, module: str, version: str) -> None:
    trial.watched = [module]
    trial.write(require={}, source="package main\n\nfunc main() {}\n")
    trial.go("get", f"{module}@{version.rsplit('-', 1)[1]}")
    file = modules.folder_of(trial.real.download, module) / f"{version}.info"
    _compare_parts(trial, module, trial.look(module).split()[-1], msgspec.json.decode(file.read_bytes(), type=_Info))


@question("commit-tagged", "stock")
def _tagged(trial: Trial) -> None:
    _get(trial, PROTOBUF, COMMIT)


@question("commit-untagged", "stock")
def _untagged(trial: Trial) -> None:
    _get(trial, GENPROTO, UNTAGGED)


@question("commit-off", "stock", control="commit-tagged")
def _off(trial: Trial) -> None:
    trial.write(require={})
    trial.go("get", f"{PROTOBUF}@{COMMIT.rsplit('-', 1)[1]}", proxy="off")


@question("commit-off-cached", "stock", control="commit-off")
def _off_cached(trial: Trial) -> None:
    _get(trial, PROTOBUF, COMMIT)
    trial.write(require={})
    trial.go("get", f"{PROTOBUF}@{COMMIT.rsplit('-', 1)[1]}", proxy="off")


def _direct(trial: Trial) -> repository.Commit:
    trial.watched = [repository.MODULE]
    commit = repository.make(trial)
    trial.write(require={}, source=_MAIN)
    return commit


@question("direct-commit", "git")
def _direct_commit(trial: Trial) -> None:
    commit = _direct(trial)
    trial.go("get", "-x", f"{repository.MODULE}@{commit.hash}", proxy="direct")
    trial.compare(f"{repository.MODULE}: form", trial.look(repository.MODULE).split()[-1], commit.pseudo_version)


def _replaced(trial: Trial, proxy: str, *, private: str = "") -> None:
    commit = _direct(trial)
    with (trial.main / "go.mod").open("a", encoding="utf-8") as file:
        file.write(f"require {repository.MODULE} {repository.TAG}\n")
        file.write(f"replace {repository.MODULE} => {repository.MODULE} {commit.pseudo_version}\n")
    if proxy == "on":
        trial.own.mkdir()
    trial.go("build", "-x", "-mod=mod", "-trimpath", "-o", os.devnull, ".", proxy=proxy, GOPRIVATE=private)
    trial.look(repository.MODULE)


@question("direct-replace", "git")
def _direct_replace(trial: Trial) -> None:
    _replaced(trial, "direct")


@question("direct-replace-proxy", "git", control="direct-replace")
def _direct_replace_proxy(trial: Trial) -> None:
    _replaced(trial, "on")


@question("direct-replace-private", "git", control="direct-replace-proxy")
def _direct_replace_private(trial: Trial) -> None:
    _replaced(trial, "on", private="github.com/example")


@question("direct-replace-off", "git", control="direct-replace")
def _direct_replace_off(trial: Trial) -> None:
    _replaced(trial, "off")


def _asked_directly(trial: Trial, version: str) -> None:
    trial.go("mod", "download", "-x", f"{repository.MODULE}@{version}", proxy="direct")


@question("pseudo-right", "git")
def _right(trial: Trial) -> None:
    _asked_directly(trial, _direct(trial).pseudo_version)


@question("pseudo-wrong-date", "git", control="pseudo-right")
def _wrong_date(trial: Trial) -> None:
    commit = _direct(trial)
    _asked_directly(trial, commit.pseudo_version.replace(commit.stamp, str(int(commit.stamp) + 1)))


@question("pseudo-short-commit", "git", control="pseudo-right")
def _short(trial: Trial) -> None:
    _asked_directly(trial, _direct(trial).pseudo_version[:-1])


@question("pseudo-long-commit", "git", control="pseudo-right")
def _long(trial: Trial) -> None:
    commit = _direct(trial)
    _asked_directly(trial, commit.pseudo_version + commit.hash[12])


@question("pseudo-unknown-commit", "git", control="pseudo-right")
def _unknown(trial: Trial) -> None:
    commit = _direct(trial)
    _asked_directly(trial, f"{commit.pseudo_version[:-12]}{commit.hash[:12][::-1]}")


@question("pseudo-wrong-base", "git", control="pseudo-right")
def _wrong_base(trial: Trial) -> None:
    _asked_directly(trial, _direct(trial).pseudo_version.replace("v1.2.3-0.", "v1.9.1-0."))


@question("pseudo-upper-case", "git", control="pseudo-right")
def _upper(trial: Trial) -> None:
    version = _direct(trial).pseudo_version
    _asked_directly(trial, version[:-12] + version[-12:].upper())


def _asked_publicly(trial: Trial, version: str) -> None:
    trial.main.mkdir(exist_ok=True)
    trial.go("mod", "download", f"{PROTOBUF}@{version}", proxy=trial.users_proxy)


@question("public-right", "network")
def _public_right(trial: Trial) -> None:
    _asked_publicly(trial, COMMIT)


@question("public-wrong-date", "network", control="public-right")
def _public_wrong_date(trial: Trial) -> None:
    _asked_publicly(trial, COMMIT.replace("20220831092852", "20220831092853"))


@question("public-unknown-commit", "network", control="public-right")
def _public_unknown(trial: Trial) -> None:
    _asked_publicly(trial, f"{COMMIT[:-12]}{COMMIT[-12:][::-1]}")
