"""Charts and releases: helm run on our charts, against the stand-in API with helm's SQL driver, or a named cluster."""

import base64
import contextlib
import json
import os
import sys
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec

from labkit.errors import ProcessError
from labkit.system.proc import Completed, Running
from labkit.traps import postgres
from labkit.traps.helm.program import helm
from labkit.traps.rig import Rig

#: Names the kubeconfig of a cluster to use instead of the stand-in; the user's own KUBECONFIG is never used.
CLUSTER_VARIABLE: Final = "LABKIT_TRAPS_KUBECONFIG"
_NAMESPACE: Final = "labkit-trap"  # in a cluster that is named; it stays there, empty
_REMEDY: Final = "run it once more with -v and read the log for what helm said"


class _Chart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: str
    values: str
    secret: str
    deployment: str


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """What the API holds of a release."""

    generation: int  # of the Deployment: how often its pods' template changed
    checksum: str  # of the pods' annotation; empty when there is none
    uid: str  # of the Secret
    label: str | None  # the Secret's label `version`
    data: Mapping[str, str]  # the Secret's, decoded


class Charts:
    """The charts of ``charts.toml``, each written into a folder when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        text = resources.files(__package__).joinpath("charts.toml").read_text("utf-8")
        self.known = msgspec.convert(tomllib.loads(text), dict[str, _Chart])

    def path(self, name: str) -> Path:
        """Return the chart's folder."""
        chart, place = self.known[name], self._folder / name
        if not place.exists():
            (place / "templates").mkdir(parents=True)
            head = {"apiVersion": "v2", "name": "shop", "version": chart.version}
            (place / "Chart.yaml").write_text("".join(f"{key}: {value}\n" for key, value in head.items()))
            (place / "values.yaml").write_text(chart.values)
            for target, source in (("secret.yaml", chart.secret), ("deployment.yaml", chart.deployment)):
                text = resources.files(__package__).joinpath("templates", source).read_bytes()
                (place / "templates" / target).write_bytes(text)
        return place


class Helm:
    """The program in an environment of its own: no file of the user's is read or written."""

    def __init__(self, rig: Rig) -> None:
        found = helm()
        if found is None:
            raise ProcessError("helm is not there", remedy="brew install helm, or `labkit traps helm --prepare`")
        self._rig = rig
        self._program = found
        self.charts = Charts(rig.folder / "charts")
        self._env = rig.environment(
            HOME=str(rig.folder), HELM_CACHE_HOME=str(rig.folder / "helm"), HELM_CONFIG_HOME=str(rig.folder / "helm"),
            HELM_DATA_HOME=str(rig.folder / "helm"), NO_PROXY="*", no_proxy="*",
        )  # fmt: skip

    def run(self, *arguments: str | Path, check: bool = True) -> Completed:
        """Run helm."""
        return self._rig.run([self._program, *arguments], env=self._env, check=check)

    def template(self, chart: str, *flags: str) -> str:
        """Return what a chart is rendered to, without a cluster."""
        return self.run("template", "shop", self.charts.path(chart), *flags).stdout

    def version(self) -> str:
        """Return the version as helm says it; one that `go install` built knows two of its numbers only."""
        return self.run("version", "--short").stdout.strip()


class Cluster(Helm):
    """helm with an API to talk to: the stand-in and a PostgreSQL for its records, or the cluster that is named."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        named = os.environ.get(CLUSTER_VARIABLE)
        self.api: Running | None = None
        if named:
            self._env |= {"KUBECONFIG": named, "HELM_NAMESPACE": _NAMESPACE}
            return
        port = rig.port()
        self.api = rig.start("the stand-in API", [sys.executable, "-I", Path(__file__).with_name("stub.py"), str(port)])
        rig.listening(port)
        configured = rig.folder / "kubeconfig.json"
        configured.write_text(json.dumps(_kubeconfig(port)))
        self._env |= {
            "KUBECONFIG": str(configured),
            "HELM_DRIVER": "sql",
            "HELM_DRIVER_SQL_CONNECTION_STRING": postgres.Cluster(rig).address,
        }

    def install(self, name: str, chart: str) -> None:
        """Install a release; in a named cluster it is removed at the rig's end."""
        more = []
        if self.api is None:
            more = ["--create-namespace"]
            self._rig.enter(contextlib.closing(_Installed(self, name)))
        self.run("install", name, self.charts.path(chart), "--disable-openapi-validation", *more)

    def upgrade(self, name: str, chart: str, *flags: str, check: bool = True) -> Completed:
        """Upgrade a release to a chart."""
        return self.run("upgrade", name, self.charts.path(chart), "--disable-openapi-validation", *flags, check=check)

    def computed(self, name: str) -> str:
        """Return the values that the release was rendered with."""
        return self.run("get", "values", name, "--all").stdout

    def live(self, name: str) -> Live:
        """Return what the API holds of a release, as ``helm status`` reads it."""
        said = self.run("status", name, "--show-resources", "-o", "json")
        found = json.loads(said.stdout)["info"]["resources"]
        objects: dict[str, Any] = {one["kind"]: one for group in found.values() for one in group}
        try:
            secret, deployment = objects["Secret"], objects["Deployment"]
        except KeyError as error:
            raise ProcessError(f"{said.command} names no {error}", remedy=_REMEDY) from error
        pods = deployment["spec"]["template"]["metadata"]
        return Live(
            generation=deployment["metadata"]["generation"],
            checksum=pods.get("annotations", {}).get("checksum/secret", ""),
            uid=secret["metadata"]["uid"],
            label=secret["metadata"].get("labels", {}).get("version"),
            data={key: base64.b64decode(value).decode() for key, value in secret["data"].items()},
        )

    def requests(self) -> list[dict[str, str]]:
        """Return the writing requests that the stand-in was sent; none are known of a real cluster."""
        if self.api is None:
            return []
        return [json.loads(line) for line in self.api.output()[0].decode().splitlines()]


class _Installed:
    """A release in somebody's cluster."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster, self._name = cluster, name

    def close(self) -> None:
        """Remove it."""
        self._cluster.run("uninstall", self._name, check=False)


def _kubeconfig(port: int) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "stub", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "stub", "user": {}}],
        "contexts": [{"name": "stub", "context": {"cluster": "stub", "user": "stub", "namespace": "default"}}],
        "current-context": "stub",
    }
