"""Experiments with ``replace``: a local path and another version, with the proxy on and off, and who is asked."""

import os

from labkit.gobuild.resolution.stock import COMMIT, OTHER, PROTOBUF
from labkit.gobuild.resolution.trial import Trial, question

_BUILD = ("build", "-mod=mod", "-trimpath", "-o", os.devnull, ".")


def _build(trial: Trial, *, proxy: str = "on") -> None:
    trial.go(*_BUILD, proxy=proxy)
    trial.look(PROTOBUF)


@question("plain-proxy", "stock")
def _plain(trial: Trial) -> None:
    trial.write()
    _build(trial)


@question("plain-off", "stock", control="plain-proxy")
def _plain_off(trial: Trial) -> None:
    trial.write()
    _build(trial, proxy="off")


@question("path-proxy", "stock", control="plain-proxy")
def _path(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {trial.real.other_tree}")
    _build(trial)


@question("path-off", "stock", control="plain-off")
def _path_off(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {trial.real.other_tree}")
    _build(trial, proxy="off")


@question("path-graph-proxy", "stock", control="path-proxy")
def _path_graph(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {trial.real.other_tree}")
    trial.go("list", "-mod=mod", "-m", "all")


@question("path-graph-off", "stock", control="path-graph-proxy")
def _path_graph_off(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {trial.real.other_tree}")
    trial.go("list", "-mod=mod", "-m", "all", proxy="off")


@question("version-proxy", "stock", control="plain-proxy")
def _version(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {PROTOBUF} {OTHER}")
    _build(trial)


@question("version-off", "stock", control="version-proxy")
def _version_off(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {PROTOBUF} {OTHER}")
    _build(trial, proxy="off")


@question("version-off-cached", "stock", control="version-off")
def _version_off_cached(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {PROTOBUF} {OTHER}")
    _build(trial)
    _build(trial, proxy="off")


@question("version-proxy-cached", "stock", control="version-proxy")
def _version_cached(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {PROTOBUF} {OTHER}")
    trial.go(*_BUILD)
    trial.go(*_BUILD)


@question("pseudo-proxy", "stock", control="version-proxy")
def _pseudo(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {PROTOBUF} {COMMIT}")
    _build(trial)


@question("pseudo-off", "stock", control="pseudo-proxy")
def _pseudo_off(trial: Trial) -> None:
    trial.write(f"replace {PROTOBUF} => {PROTOBUF} {COMMIT}")
    _build(trial, proxy="off")


@question("list-stale", "stock", control="list-fresh")
def _stale(trial: Trial) -> None:
    # The pinned release is there by its name, but for its place in the list: a proxy that has not looked lately.
    trial.write(require={PROTOBUF: OTHER})
    listed = trial.own / PROTOBUF / "@v"
    listed.mkdir(parents=True)
    (listed / "list").write_text(f"{OTHER}\n")
    trial.go("list", "-mod=mod", "-m", f"{PROTOBUF}@latest")


@question("list-fresh", "stock")
def _fresh(trial: Trial) -> None:
    trial.write(require={PROTOBUF: OTHER})
    trial.go("list", "-mod=mod", "-m", f"{PROTOBUF}@latest")
