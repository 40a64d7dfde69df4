# SPDX-License-Identifier: Apache-2.0
"""Plays scheduler, kubelet, kube-proxy, DNS and the provisioner of volumes on one node: pods whose image is ours run as processes of this machine, with the
arguments, volumes, variables and probes that they are given; all others are said to run.

What the API server asks of a kubelet (port-forwards, logs) goes to the program kubelet/, which asks here.
"""

import http.server
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse

from api import MERGE
from container import now
from network import API_SERVER, GATEWAY, PodNetwork
from pod import Pod
from programs import program
from relay import Loop, Relay
from services import Services
from volumes import bytes_of

NAME = "node-1"
CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "500", "nvidia.com/gpu": "16"}
# Names of images, without registry and tag, and their entry points; each is in the sandbox's PATH.
ENTRIES = {"spanloom": ["spanloom"], "spanloom-collector": ["spanloom", "collector"], "curl": ["curl"]}
NOWHERE = "missing.example/"  # a registry that has no image
STORAGE_CLASS = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                 "provisioner": "tests/folders", "allowVolumeExpansion": True}


class Node:
    """Runs from its making until `stop`; `complaints` has what went wrong here, not in what is tested."""

    def __init__(self, api, folder):
        self.api, self.folder, self.name, self.is_over = api, folder, NAME, False
        self.complaints, self.pods, self._count, self._lock = [], {}, 0, threading.Lock()
        folder.mkdir()
        loop = Loop()
        self.services = Services(api, loop, folder)
        self.way_to_api_server = Relay(loop, lambda: ("127.0.0.1", api.port), API_SERVER, 443)  # the one that pods have
        self._start_kubelet()
        self._register()
        threading.Thread(target=self._follow, daemon=True).start()

    def complain(self, text):
        self.complaints.append(text)
        print(text, file=sys.stderr, flush=True)

    def _start_kubelet(self):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Kubelet)
        self._server.node = self
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        log = (self.folder / "kubelet.log").open("w")
        self.kubelet = subprocess.Popen([program("kubelet"), "--address", GATEWAY, "--node", f"http://127.0.0.1:{self._server.server_address[1]}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        self.kubelet_port = int(self.kubelet.stdout.readline())

    def _register(self):
        self.api.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {
            "name": NAME, "labels": {"kubernetes.io/hostname": NAME, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}}})
        self.api.call("PATCH", f"/api/v1/nodes/{NAME}/status", {"status": {
            "capacity": CAPACITY, "allocatable": CAPACITY, "addresses": [{"type": "InternalIP", "address": GATEWAY}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.kubelet_port}},
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": now(), "lastTransitionTime": now(), "reason": "KubeletReady", "message": ""}]}}, MERGE)
        self.api.create("/apis/storage.k8s.io/v1/storageclasses", STORAGE_CLASS)

    def _follow(self):
        for kind, item in self.api.follow("/api/v1/pods", lambda: self.is_over):
            if kind == "LISTED":
                there = {one["metadata"]["uid"] for one in item}
                for uid in self.pods.keys() - there:
                    self.pods.pop(uid).end(0)
                continue
            uid, deleted = item["metadata"]["uid"], item["metadata"].get("deletionTimestamp")
            if kind == "DELETED":
                if uid in self.pods:
                    self.pods.pop(uid).end(0)
            elif uid not in self.pods and item.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                self.pods[uid] = Pod(self, item)
            if deleted and uid in self.pods:
                self.pods[uid].end(item["metadata"].get("deletionGracePeriodSeconds", 30))

    # ------------------------------------------------------------------------------------------------------ asked by pods

    def new_network(self):
        with self._lock:
            self._count += 1
            number = self._count
        return PodNetwork(number, f"10.244.{1 + number // 250}.{number % 250 + 1}")

    def entry_of(self, image):
        return ENTRIES.get(re.fullmatch(r"(?:.*/)?([^/:@]+)(?:[:@].*)?", image)[1])

    def is_missing(self, image):
        return image.startswith(NOWHERE)

    def why_unschedulable(self, spec, namespace):
        for resource in ("cpu", "memory"):
            wanted = sum(bytes_of(container.get("resources", {}).get("requests", {}).get(resource, "0")) for container in spec["containers"])
            if wanted > bytes_of(CAPACITY[resource]):
                return f"0/1 nodes are available: 1 Insufficient {resource}."
        for volume in spec.get("volumes", []):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim and not self._bind_claim(namespace, claim):
                return f'0/1 nodes are available: persistentvolumeclaim "{claim}" not found.'
        return ""

    def _bind_claim(self, namespace, name):
        path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}"
        claim = self.api.find(path)
        if claim and claim["status"].get("phase") != "Bound":
            self.api.call("PATCH", f"{path}/status", {"status": {"phase": "Bound", "capacity": claim["spec"]["resources"]["requests"], "accessModes": claim["spec"]["accessModes"]}}, MERGE)
        return claim is not None

    def claim_folder(self, namespace, name):
        """The folder of a claim; another claim of the same name has another one."""
        uid = self.api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}")["metadata"]["uid"]
        folder = self.folder / "claims" / uid
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        return folder

    # ----------------------------------------------------------------------------------------------------- asked by tests

    def find(self, namespace, name):
        """The pod of a name that is played, or None."""
        return next((pod for pod in list(self.pods.values()) if (pod.namespace, pod.name) == (namespace, name)), None)

    def of(self, namespace, start=""):
        """Pods of a namespace whose name begins so."""
        return [pod for pod in list(self.pods.values()) if pod.namespace == namespace and pod.name.startswith(start)]

    def stop(self):
        self.is_over = True
        for pod in list(self.pods.values()):
            pod.end(0)
        for pod in list(self.pods.values()):
            pod.thread.join(30)
        self.services.stop()
        self._server.shutdown()
        self.kubelet.kill()
        self.kubelet.wait()
        shutil.rmtree(self.folder / "pods", ignore_errors=True)


class Kubelet(http.server.BaseHTTPRequestHandler):
    """/address/NAMESPACE/POD for kubelet/; /containerLogs/NAMESPACE/POD/CONTAINER for the API server."""

    def log_message(self, *_):
        pass

    def answer(self, code, body):
        self.send_response(code)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        parts, query = url.path.strip("/").split("/"), dict(urllib.parse.parse_qsl(url.query))
        pod = self.server.node.find(*parts[1:3]) if len(parts) >= 3 else None
        if pod is None:
            self.answer(404, b"no such pod")
        elif parts[0] == "address":
            self.answer(200, pod.ip.encode())
        elif parts[0] == "containerLogs":
            self.answer_log(pod, parts[3], query)
        else:
            self.answer(404, b"not played")

    def answer_log(self, pod, name, query):
        container = next(one for one in pod.containers + pod.sidecars if one.name == name)
        path = container.log(query.get("previous") == "true")
        if path is None:
            self.answer(400 if query.get("previous") == "true" else 200, f'previous terminated container "{name}" in pod "{pod.name}" not found'.encode() if query.get("previous") == "true" else b"")
            return
        lines = path.read_bytes().splitlines(keepends=True)
        self.answer(200, b"".join(lines[-int(query["tailLines"]):] if "tailLines" in query else lines))
