# SPDX-License-Identifier: Apache-2.0
"""A container: a process of this machine if its image is one of ours, else something that is said to run."""

import datetime
import http.client
import pathlib
import re
import signal
import socket
import subprocess
import time

from sandbox import Sandbox
from volumes import expanded

BACK_OFF_SECONDS = (0, 10, 20, 40)  # before the first restart, the second ...: the kubelet's, which goes on to 300
READY_PERIOD_SECONDS = 0.25  # between looks at a probe; pods of the manifests ask for seconds


UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "k": 10**3, "M": 10**6, "G": 10**9}


def bytes_of(quantity):
    """A number of bytes as Kubernetes writes it."""
    number, unit = re.fullmatch(r"(\d+)([A-Za-z]*)", str(quantity)).groups()
    return int(number) * UNITS[unit]


def memory_of(pid):
    """The bytes of a process that the kernel cannot take back: what a memory limit comes down to. 0 if it has ended."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(kib) << 10 for kib in re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+)", status, re.M))


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Container:
    """`entry` is the entry point of its image, and None for an image that is not ours; then it runs and is ready at once. Bound to its pod's thread."""

    def __init__(self, pod, spec, entry):
        self.pod, self.spec, self.name, self._entry = pod, spec, spec["name"], entry
        self.restarts, self.ready, self.started, self.process, self.ended = 0, False, False, None, None
        self.waiting = {"reason": "ContainerCreating"}
        self._previous, self._again_at, self._looked_at, self._begun = None, None, 0, None
        limit = spec.get("resources", {}).get("limits", {}).get("memory")
        self.memory_max = bytes_of(limit) if limit else None
        self.memory_peak = 0  # that was seen, of all its processes
        self._lived_at, self._failed_looks, self._why_ended = 0, 0, None

    @property
    def is_ours(self):
        return self._entry is not None

    def log(self, previous=False):
        """Where the output of the process is; None if there is or was none."""
        number = self.restarts - 1 if previous else self.restarts
        path = self.pod.folder / f"{self.name}.{number}.log"
        return path if path.exists() else None

    def start(self, mounts, environment):
        """`mounts` as of Sandbox."""
        self._mounts, self._environment = mounts, environment
        self._launch()

    def _launch(self):
        self.waiting, self.ended, self._again_at, self._begun = None, None, None, now()
        self._lived_at, self._failed_looks, self._why_ended = time.monotonic(), 0, None
        if not self.is_ours:
            self.ready = self.started = True
            return
        security = {**self.pod.spec.get("securityContext", {}), **self.spec.get("securityContext", {})}
        sandbox = Sandbox(self.pod.folder / self.name, self.pod.network, self._mounts, self.pod.node.services.hosts, self.pod.namespace, security.get("readOnlyRootFilesystem", False), security.get("runAsUser"))
        command = self.spec.get("command") or self._entry
        arguments = [expanded(word, self._environment) for word in [*command, *self.spec.get("args", [])]]
        with (self.pod.folder / f"{self.name}.{self.restarts}.log").open("wb") as output:
            self.process = sandbox.start(arguments, self._environment, output)

    def look(self):
        """Holds it to its limit, takes note of an end, starts again when it is time, and asks the probes."""
        if self.process is not None and self.memory_max is not None:
            self._hold_to_the_limit()
        if self.process is not None and self.process.poll() is not None:
            self._take_note_of_the_end()
        if self._again_at is not None and time.monotonic() >= self._again_at:
            self.restarts += 1
            self._launch()
        if self.process is not None and time.monotonic() - self._looked_at >= READY_PERIOD_SECONDS:
            self._looked_at = time.monotonic()
            self.started = self.started or self._probe("startupProbe")
            self.ready = self.started and self._probe("readinessProbe")
        if self.process is not None and self.started and "livenessProbe" in self.spec:
            self._look_for_life(self.spec["livenessProbe"])

    def _hold_to_the_limit(self):
        memory = memory_of(self.process.pid)
        self.memory_peak = max(self.memory_peak, memory)
        if memory > self.memory_max and self.process.poll() is None:
            self._why_ended = "OOMKilled"
            self.process.kill()
            self.process.wait()

    def _look_for_life(self, probe):
        if time.monotonic() - self._lived_at < probe.get("periodSeconds", 10):
            return
        self._failed_looks = 0 if self._probe("livenessProbe") else self._failed_looks + 1
        self._lived_at = time.monotonic()
        if self._failed_looks >= probe.get("failureThreshold", 3):
            self.stop(probe.get("terminationGracePeriodSeconds", self.pod.spec.get("terminationGracePeriodSeconds", 30)))

    def _take_note_of_the_end(self):
        code = self.process.returncode
        self.process, self.ready, self.started = None, False, False
        code = 128 - code if code < 0 else code
        self.ended = {"exitCode": code, "reason": self._why_ended or ("Completed" if code == 0 else "Error"), "startedAt": self._begun, "finishedAt": now()}
        policy = self.pod.spec.get("restartPolicy", "Always")
        if policy == "Never" or policy == "OnFailure" and code == 0:
            return
        self._previous = self.ended
        wait = BACK_OFF_SECONDS[min(self.restarts, len(BACK_OFF_SECONDS) - 1)]
        self._again_at = time.monotonic() + wait
        if wait:
            self.waiting = {"reason": "CrashLoopBackOff", "message": f"back-off {wait}s restarting failed container={self.name} pod={self.pod.name}_{self.pod.namespace}({self.pod.uid})"}

    def _probe(self, which):
        probe = self.spec.get(which)
        if probe is None:
            return True
        what = probe.get("httpGet") or probe.get("tcpSocket")
        if what is None:
            raise ValueError(f"{which} of container {self.name}: only httpGet and tcpSocket are played")
        try:
            if "tcpSocket" in probe:
                socket.create_connection((self.pod.ip, self._port(what["port"])), timeout=1).close()
                return True
            connection = http.client.HTTPConnection(self.pod.ip, self._port(what["port"]), timeout=probe.get("timeoutSeconds", 1))
            connection.request("GET", what.get("path", "/"))
            return 200 <= connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False

    def _port(self, port):
        if isinstance(port, int):
            return port
        return next(entry["containerPort"] for entry in self.spec["ports"] if entry.get("name") == port)

    @property
    def is_over(self):
        return self.ended is not None and self._again_at is None

    def status(self):
        if self.waiting:
            state = {"waiting": self.waiting}
        elif self.ended:
            state = {"terminated": self.ended}
        else:
            state = {"running": {"startedAt": self._begun}}
        status = {"name": self.name, "image": self.spec["image"], "imageID": self.spec["image"] if self._begun else "", "ready": self.ready, "started": self.started,
                  "restartCount": self.restarts, "state": state, "lastState": {"terminated": self._previous} if self._previous else {}}
        return status

    def stop(self, grace_seconds):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
