# SPDX-License-Identifier: Apache-2.0
"""A container: a process of this machine if its image is one of ours, else something that is said to run."""

import datetime
import http.client
import signal
import socket
import subprocess
import time

from memory import control_group, held_bytes, limit_of
from sandbox import Sandbox
from volumes import expanded

BACK_OFF_SECONDS = (0, 10, 20, 40)  # before the first restart, the second ...: the kubelet's, which goes on to 300
READY_PERIOD_SECONDS = 0.25  # between looks at a probe; pods of the manifests ask for seconds
LIVE_PERIOD_SECONDS = 1  # between liveness probes, at most; those of the manifests ask for ten


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Container:
    """`entry` is the entry point of its image, and None for an image that is not ours; then it runs and is ready at once. Bound to its pod's thread."""

    def __init__(self, pod, spec, entry):
        self.pod, self.spec, self.name, self._entry = pod, spec, spec["name"], entry
        self.restarts, self.ready, self.started, self.process, self.ended = 0, False, False, None, None
        self.waiting = {"reason": "ContainerCreating"}
        self._previous, self._again_at, self._looked_at, self._begun = None, None, 0, None
        self._limit_bytes, self._is_killed, self._failures, self._lived_at = limit_of(spec), False, 0, 0
        self.most_bytes = 0  # that its processes were seen to hold

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
        self._is_killed, self._failures = False, 0
        if not self.is_ours:
            self.ready = self.started = True
            return
        security = {**self.pod.spec.get("securityContext", {}), **self.spec.get("securityContext", {})}
        sandbox = Sandbox(self.pod.folder / self.name, self.pod.network, self._mounts, self.pod.node.services.hosts, self.pod.namespace, security.get("readOnlyRootFilesystem", False), security.get("runAsUser"),
                          control_group(self.pod.folder / f"{self.name}-limits", self._limit_bytes) if self._limit_bytes else None)
        command = self.spec.get("command") or self._entry
        arguments = [expanded(word, self._environment) for word in [*command, *self.spec.get("args", [])]]
        with (self.pod.folder / f"{self.name}.{self.restarts}.log").open("wb") as output:
            self.process = sandbox.start(arguments, self._environment, output)

    def look(self):
        """Takes note of an end, starts again when it is time, ends what has too much memory or does not live, and asks the probes."""
        if self.process is not None and self.process.poll() is not None:
            self._take_note_of_the_end()
        if self._again_at is not None and time.monotonic() >= self._again_at:
            self.restarts += 1
            self._launch()
        self._look_at_memory()
        if self.process is not None and time.monotonic() - self._looked_at >= READY_PERIOD_SECONDS:
            self._look_at_life()
            self._looked_at = time.monotonic()
            self.started = self.started or self._probe("startupProbe")
            self.ready = self.started and self._probe("readinessProbe")

    def _look_at_memory(self):
        if self.process is None or self._is_killed:
            return
        held = held_bytes(self.process.pid)
        self.most_bytes = max(self.most_bytes, held)
        if self._limit_bytes and held > self._limit_bytes:
            self._is_killed = True
            self.process.kill()

    def _look_at_life(self):
        """Ends a container whose liveness probe has failed `failureThreshold` times; its end is taken note of like any other."""
        probe = self.spec.get("livenessProbe")
        if probe is None or not self.started or time.monotonic() - self._lived_at < min(LIVE_PERIOD_SECONDS, probe.get("periodSeconds", 10)):
            return
        self._failures = 0 if self._probe("livenessProbe") else self._failures + 1
        self._lived_at = time.monotonic()
        if self._failures >= probe.get("failureThreshold", 3):
            self.ready = False
            self.stop(probe.get("terminationGracePeriodSeconds", self.pod.spec.get("terminationGracePeriodSeconds", 30)))

    def _take_note_of_the_end(self):
        code = self.process.returncode
        self.process, self.ready, self.started = None, False, False
        code = 128 - code if code < 0 else code
        self.ended = {"exitCode": code, "reason": "OOMKilled" if self._is_killed else "Completed" if code == 0 else "Error", "startedAt": self._begun, "finishedAt": now()}
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
