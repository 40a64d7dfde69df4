# SPDX-License-Identifier: Apache-2.0
"""A pod from its scheduling to its end, on a thread of its own: what scheduler and kubelet do with it, told to the API server as they do."""

import threading
import time

from api import MERGE, ApiError
from container import Container, now
from network import GATEWAY
from volumes import Contents, NotThere

LOOK_SECONDS = 0.05  # between looks at a pod's containers
RETRY_SECONDS = 0.5  # between tries of what is not there yet
IMAGE_BACK_OFF_SECONDS = 1  # from ErrImagePull to ImagePullBackOff; the kubelet's first is 10


class Gone(Exception):
    """The pod is to end, or is no more."""


class Pod:
    """Plays `item` on a Node. Begins at once; `end` is called when it is deleted."""

    def __init__(self, node, item):
        self.node, self.item, self.spec = node, item, item["spec"]
        self.namespace, self.name, self.uid = (item["metadata"][key] for key in ("namespace", "name", "uid"))
        self.path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"
        self.folder = node.folder / "pods" / self.uid
        self.folder.mkdir(parents=True)
        self.network = node.new_network()
        self.ip = self.network.ip
        self._end, self._grace_seconds, self._reported = threading.Event(), 30, None
        self.containers = [Container(self, spec, node.entry_of(spec["image"])) for spec in self.spec["containers"]]
        inits = self.spec.get("initContainers", [])
        self.sidecars = [Container(self, spec, node.entry_of(spec["image"])) for spec in inits if spec.get("restartPolicy") == "Always"]
        self._done = [spec for spec in inits if spec.get("restartPolicy") != "Always"]  # said to have run
        self._conditions = {}
        self.thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self.thread.start()

    def end(self, grace_seconds):
        self._grace_seconds = grace_seconds
        self._end.set()

    def _pause(self, seconds):
        if self._end.wait(seconds):
            raise Gone

    def _run(self):
        try:
            self._place()
            self._pull()
            self._start()
            while True:
                self._pause(LOOK_SECONDS)
                self._look()
        except Gone:
            self._finish()
        except OSError as error:
            self.node.complain(f"pod {self.namespace}/{self.name}: {error!r}")

    # ----------------------------------------------------------------------------------------------------------- scheduler

    def _place(self):
        if self.spec.get("nodeName"):
            return
        while reason := self.node.why_unschedulable(self.spec, self.namespace):
            self._condition("PodScheduled", False, "Unschedulable", reason)
            self._report("Pending", containers=False)
            self._pause(RETRY_SECONDS)
        self._ask("POST", f"{self.path}/binding", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": self.name, "namespace": self.namespace},
                                                   "target": {"apiVersion": "v1", "kind": "Node", "name": self.node.name}})
        self.spec["nodeName"] = self.node.name

    # ------------------------------------------------------------------------------------------------------------- kubelet

    def _pull(self):
        """Never returns for an image that is not there."""
        self._condition("PodScheduled", True)
        missing = [one for one in self.sidecars + self.containers if self.node.is_missing(one.spec["image"])]
        error = "failed to pull and unpack image: not found"
        for reason, words in (("ErrImagePull", f"{error}"), ("ImagePullBackOff", f"Back-off pulling image: ErrImagePull: {error}")):
            for one in missing:
                one.waiting = {"reason": reason, "message": words.replace("image:", f'image "{one.spec["image"]}":')}
            self._report("Pending")
            if missing:
                self._pause(IMAGE_BACK_OFF_SECONDS)
        if missing:
            self._end.wait()
            raise Gone

    def _start(self):
        self.item["status"] = {**self.item.get("status", {}), "podIP": self.ip}
        self.contents = Contents(self.node.api, self.item, self.node.claim_folder)
        self.node.services.hosts_of(self.namespace)
        folders = self._until_there(lambda: {volume["name"]: self.contents.volume(volume, self.folder / "volumes") for volume in self.spec.get("volumes", [])}, "ContainerCreating")
        for one in self.sidecars + self.containers:
            environment = self._until_there(lambda one=one: self.contents.environment(one.spec), "CreateContainerConfigError")
            mounts = [(folders[mount["name"]], mount["mountPath"], mount.get("readOnly", False)) for mount in one.spec.get("volumeMounts", [])]
            one.start(mounts, environment)
        self._condition("Initialized", True)

    def _until_there(self, make, reason):
        """What `make` returns; meanwhile all containers wait for `reason`."""
        while True:
            try:
                return make()
            except NotThere as error:
                for one in self.sidecars + self.containers:
                    one.waiting = {"reason": reason, "message": str(error)}
                self._report("Pending")
                self._pause(RETRY_SECONDS)

    def _look(self):
        for one in self.sidecars + self.containers:
            one.look()
        ready = all(one.ready for one in self.sidecars + self.containers)
        self._condition("ContainersReady", ready)
        self._condition("Ready", ready)
        if all(one.is_over for one in self.containers):
            self._report("Succeeded" if all(one.ended["exitCode"] == 0 for one in self.containers) else "Failed")
            self._end.wait()
            raise Gone
        self._report("Running")

    # -------------------------------------------------------------------------------------------------------------- status

    def _condition(self, kind, value, reason="", message=""):
        status = "True" if value else "False"
        if self._conditions.get(kind, {}).get("status") != status:
            self._conditions[kind] = {"type": kind, "status": status, "lastTransitionTime": now(), **({"reason": reason, "message": message} if reason else {})}

    def _report(self, phase, containers=True):
        """Tells the API server, if there is something new."""
        status = {"phase": phase, "conditions": list(self._conditions.values())}
        if containers:
            done = [{"name": spec["name"], "image": spec["image"], "imageID": spec["image"], "ready": True, "restartCount": 0, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
                    for spec in self._done]
            status |= {"hostIP": GATEWAY, "podIP": self.ip, "podIPs": [{"ip": self.ip}], "startTime": self.item["metadata"]["creationTimestamp"],
                       "containerStatuses": [one.status() for one in self.containers], "initContainerStatuses": done + [one.status() for one in self.sidecars]}
        if status != self._reported:
            self._ask("PATCH", f"{self.path}/status", {"status": status}, MERGE)
            self._reported = status

    def _ask(self, method, path, body, content="application/json"):
        """Again until the API server answers. A pod that it does not know any more, or whose namespace ends, is gone."""
        while True:
            try:
                return self.node.api.call(method, path, body, content)
            except ApiError as error:
                if error.code == 404 or error.code == 409 and method != "DELETE" or "is being terminated" in str(error):
                    raise Gone from None
                if error.code < 500 and error.code != 429:
                    self.node.complain(f"{method} {path}: {error}")
                    raise Gone from None
            except OSError:
                pass  # it is being started again
            if self._end.is_set() and self.node.is_over:
                raise Gone
            time.sleep(0.1)

    def _finish(self):
        for one in self.containers + self.sidecars:
            one.stop(0 if self.node.is_over else self._grace_seconds)
        self.network.close()
        if self.node.is_over:
            return
        try:
            self._ask("DELETE", self.path, {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}})
        except Gone:
            pass  # somebody has forced it
