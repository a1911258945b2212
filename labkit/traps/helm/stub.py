"""A stand-in for a cluster's API, as far as helm asks it: Secrets and Deployments, kept in memory. Run as a program.

What it does as the real server: every object keeps its uid; ``generation`` of a Deployment counts the changes of its
``spec`` (what makes pods roll); data of a Secret with ``immutable: true`` cannot change (ValidateSecretUpdate in
https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/validation/validation.go). What it does not: run
pods, merge lists by key, or anything else. It listens on 127.0.0.1 and prints one JSON line for each writing request.
"""

import json
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Object = dict[str, Any]  # an object of the API, of whatever shape helm sends

KINDS = {"secrets": ("v1", "Secret"), "pods": ("v1", "Pod"), "deployments": ("apps/v1", "Deployment")}
objects: dict[tuple[str, str], Object] = {}


def merged(old: Any, patch: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value with a JSON merge patch (RFC 7386) on it; helm's own patches of maps mean the same."""
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if value is None:
            result.pop(name, None)
        elif isinstance(value, list) and name in result:
            raise NotImplementedError(f"the stub cannot merge the list {name}")
        else:
            result[name] = merged(result.get(name), value)
    return result


class Api(BaseHTTPRequestHandler):
    """The few addresses that helm asks."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing of reads."""

    def answer(self, code: int, value: Object) -> None:
        """Send JSON."""
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, code: int, reason: str, message: str) -> None:
        """Send an API Status."""
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
        self.answer(code, status | {"code": code})

    def said(self) -> Object:
        """Return the request's body, and print that it came."""
        body: Object = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        kind = self.headers.get("Content-Type", "")
        sys.stdout.write(json.dumps({"method": self.command, "path": self.path.split("?")[0], "type": kind}) + "\n")
        sys.stdout.flush()
        return body

    def place(self) -> tuple[str, str]:
        """Return the kind's and the object's name in the path; the latter empty for a collection."""
        words = self.path.split("?")[0].strip("/").split("/")
        at = next((number for number, word in enumerate(words) if word in KINDS), None)
        if at is None:
            return "", ""
        return words[at], words[at + 1] if len(words) > at + 1 else ""

    def do_GET(self) -> None:
        """Answer discovery, and the objects."""
        path = self.path.split("?")[0]
        group = {"name": "apps", "versions": [{"groupVersion": "apps/v1", "version": "v1"}]}
        known: dict[str, Object] = {
            "/version": {"major": "1", "minor": "33", "gitVersion": "v1.33.0"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [group | {"preferredVersion": group["versions"][0]}],
            },
            "/api/v1": resources("secrets", "pods"),
            "/apis/apps/v1": resources("deployments"),
        }
        if path in known:
            self.answer(200, known[path])
            return
        if self.place() == ("pods", ""):
            self.answer(200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []})
            return
        found = objects.get(self.place())
        if found is None:
            self.refuse(404, "NotFound", f"{path} not found")
        else:
            self.answer(200, found)

    def do_POST(self) -> None:
        """Make an object."""
        made = self.said()
        plural, _ = self.place()
        meta = made["metadata"]
        meta |= {"uid": str(uuid.uuid4()), "resourceVersion": "1", "generation": 1, "namespace": "default"}
        objects[plural, meta["name"]] = made
        self.answer(201, made)

    def do_PATCH(self) -> None:
        """Change an object, unless it may not be changed."""
        patch = self.said()
        place = self.place()
        old = objects.get(place)
        if old is None:
            self.refuse(404, "NotFound", f"{self.path} not found")
            return
        new = merged(old, patch)
        if old.get("immutable") and (new.get("data") != old.get("data") or not new.get("immutable")):
            text = f'Secret "{place[1]}" is invalid: data: Forbidden: field is immutable when `immutable` is set'
            self.refuse(422, "Invalid", text)
            return
        if new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        new["metadata"]["resourceVersion"] = str(int(old["metadata"]["resourceVersion"]) + 1)
        objects[place] = new
        self.answer(200, new)

    def do_DELETE(self) -> None:
        """Remove an object."""
        self.said()
        objects.pop(self.place(), None)
        self.answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})


def resources(*plurals: str) -> Object:
    """Return what discovery says of the kinds of one group."""
    verbs = ["create", "delete", "get", "list", "patch", "update"]
    every = [
        {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": verbs}
        for plural in plurals
        for _, kind in [KINDS[plural]]
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": KINDS[plurals[0]][0], "resources": every}


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Api).serve_forever()
