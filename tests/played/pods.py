# SPDX-License-Identifier: Apache-2.0
"""The pods of the cluster that fake_kubectl.py plays, as processes of this machine: what is applied runs, with its own arguments, variables and
configuration. Containers called `vllm` are simulators, as a model needs a GPU; the scheduler is scheduler.py.

What differs from a cluster: every listener is on loopback, at a port that the system gives; a volume is a folder; NAME:PORT of a Service, wherever it
stands, is the port that leads there; k8s_attributes asks an API server that does not answer.
"""

import hashlib
import json
import pathlib
import re
import socketserver
import subprocess
import threading

import yaml

from manifests import BINARY, pod_command
from processes import start_command

LISTENERS = {"otlp/grpc": 4317, "otlp/http": 4318, "spanloom_query": 16686, "telemetry": 8888, "health_check": 13133, "prometheus": 8889,
             "routing-proxy": 8000, "simulator": 8200}
AT_ANY_PORT = [*((f"0.0.0.0:{port}", "127.0.0.1:0") for port in (4317, 4318, 16686, 13133, 8888, 8889)), ("host: 0.0.0.0", "host: 127.0.0.1"), ("port: 8888", "port: 0")]
OF_NOBODY = ("k8s_attributes:\n    filter", "k8s_attributes:\n    auth_type: kubeConfig\n    filter")
KUBECONFIG = {"apiVersion": "v1", "kind": "Config", "current-context": "nobody", "clusters": [{"name": "nobody", "cluster": {"server": "http://127.0.0.1:1"}}],
              "contexts": [{"name": "nobody", "context": {"cluster": "nobody", "user": "nobody"}}], "users": [{"name": "nobody", "user": {}}]}
SIMULATED = {
    "vllm": ["simulator", "--host=127.0.0.1", "--port=0", "--log-format=json"],
    "routing-proxy": ["routing-proxy", "--listen-host=127.0.0.1", "--port=0", "--log-format=json"],
}


class Pods:
    """Sequence-bound to the thread of its server: kubectl tells of a change, and waits until the pods run."""

    def __init__(self, file, folder):
        self.file, self.folder = pathlib.Path(file), pathlib.Path(folder)
        self.others = {}  # {service: {its port: port of this machine}} of what is no pod
        self.running = {}  # {"Deployment/decode/vllm": (what it was started with, process, {containerPort: port})}
        self.temporary = {}  # {workload: where programs in its pod write temporary files}
        pods = self

        class Change(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    pods.reconcile()
                except Exception as error:  # shown by kubectl, and so by the page's test
                    self.wfile.write(f"{type(error).__name__}: {error}".encode())

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Change)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        left = [entry[1] for entry in self.running.values()]
        try:
            for name in reversed(list(self.running)):  # who sends before who is sent to
                self.end(name)
        finally:
            for process in left:
                process.kill()
                process.wait()

    def end(self, name):
        process = self.running.pop(name)[1]
        process.terminate()
        assert process.wait(60) == 0, f"{name} ended with {process.returncode}"

    def reconcile(self):
        state = json.loads(self.file.read_text())
        objects = [yaml.safe_load(text) for text in state.get("texts", {}).values()]
        workloads = sorted((entry for entry in objects if entry["kind"] in ("StatefulSet", "Deployment")), key=lambda entry: entry["kind"], reverse=True)
        wanted = [(workload, container) for workload in workloads for container in containers_of(workload) if program_of(container)]
        kept = {identity(*entry) for entry in wanted}
        for name in [name for name in reversed(self.running) if name not in kept]:
            self.end(name)
        for workload, container in wanted:
            self.start(workload, container, objects, state.get("restarted", []))
            state.update(self.known(objects, workloads))
        state.update(self.known(objects, workloads))
        self.file.write_text(json.dumps(state))

    def start(self, workload, container, objects, restarted):
        name = identity(workload, container)
        folder = self.folder / name.replace("/", "-")
        configuration = [entry.get("data") for entry in objects if entry["kind"] == "ConfigMap"] if container.get("command") else []
        asked = hashlib.sha256(json.dumps([container, configuration, restarted], default=str).encode()).hexdigest()
        if name in self.running:
            if self.running[name][0] == asked and self.running[name][1].poll() is None:
                return
            self.end(name)
        command, environment = self.command(workload, container, objects, folder)
        process, ports = start_command(command, environment, folder / "log")
        self.temporary[workload["metadata"]["name"]] = environment.get("TMPDIR", "/a-root-that-is-read-only")
        self.running[name] = asked, process, {LISTENERS[listener]: port for listener, port in ports.items() if listener in LISTENERS}

    def command(self, workload, container, objects, folder):
        reached = [(f"{service}:{port}", f"127.0.0.1:{target}") for service, ports in {**self.others, **self.forwards(objects)}.items() for port, target in ports.items()]
        volumes = [(mount["mountPath"], str(self.volume(workload))) for mount in container.get("volumeMounts", []) if mount["mountPath"] == "/var/lib/spanloom"]
        if container.get("command"):
            secrets = self.secrets(workload, objects, folder)
            command, environment = pod_command(workload, objects, folder, [*AT_ANY_PORT, *reached, *volumes, *secrets, OF_NOBODY])
            self.volume(workload).mkdir(parents=True, exist_ok=True)
            (self.folder / "kubeconfig").write_text(yaml.safe_dump(KUBECONFIG))
            environment = {key: replaced(value, [*reached, *volumes]) for key, value in environment.items()}
            command.append("--set=service.telemetry.logs.encoding=json")
            return [re.sub(r"(?<==)/var/lib/spanloom", str(self.volume(workload)), word) for word in command], {**environment, "KUBECONFIG": str(self.folder / "kubeconfig")}
        folder.mkdir(parents=True, exist_ok=True)
        environment = {entry["name"]: replaced(entry.get("value", "unknown"), reached) for entry in container.get("env") or []}
        arguments = [replaced(str(word), reached) for word in container.get("args") or []]
        if container["name"] == "routing-proxy":
            arguments.append(f"--vllm-port={self.running[identity(workload, {'name': 'vllm'})][2][8200]}")
        return [str(BINARY), *SIMULATED[container["name"]], *arguments], environment

    def secrets(self, workload, objects, folder):
        """Writes what Secrets a pod mounts; returns what is to be replaced for that."""
        pod = workload["spec"]["template"]["spec"]
        named = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        replaced_paths = []
        for mount in pod["containers"][0]["volumeMounts"]:
            if mount["name"] in named:
                target = folder / f"secret-{mount['name']}"
                target.mkdir(parents=True, exist_ok=True)
                for key, text in next(entry for entry in objects if entry["kind"] == "Secret" and entry["metadata"]["name"] == named[mount["name"]])["stringData"].items():
                    (target / key).write_text(text)
                replaced_paths.append((mount["mountPath"] + "/", f"{target}/"))
        return replaced_paths

    def volume(self, workload):
        """What is /var/lib/spanloom in its pod."""
        return self.folder / f"volume-of-{workload['metadata']['name']}"

    def forwards(self, objects):
        """{service: {its port: port of this machine}} of those whose pods run."""
        found = {}
        for service in (entry for entry in objects if entry["kind"] == "Service"):
            selector = service["spec"]["selector"].items()
            for workload in (entry for entry in objects if entry["kind"] in ("StatefulSet", "Deployment")):
                if selector <= workload["spec"]["template"]["metadata"]["labels"].items():
                    found[service["metadata"]["name"]] = {str(port): target for entry in self.of(workload) for port, target in entry.items()}
        return found

    def of(self, workload):
        """The ports of each container of a workload."""
        return [self.running[name][2] for name in (identity(workload, container) for container in containers_of(workload)) if name in self.running]

    def known(self, objects, workloads):
        """What kubectl finds in the file: where Services and workloads lead to, pods, and where volumes are."""
        direct = {f"deploy/{workload['metadata']['name']}": {str(port): target for entry in self.of(workload) for port, target in entry.items()} for workload in workloads}
        names = [workload["metadata"]["name"] for workload in workloads if self.of(workload)]
        pods = [{"metadata": {"name": f"{name}-0"}, "temporary": self.temporary[name]} for name in names]
        mounts = {"/var/lib/spanloom": str(self.volume(workload)) for workload in workloads if workload["kind"] == "StatefulSet"}
        return {"forward": {**self.others, **direct, **self.forwards(objects)}, "pods": pods, "mounts": mounts}


def containers_of(workload):
    """Those that run, the model server before the sidecar in front of it."""
    pod = workload["spec"]["template"]["spec"]
    return [*pod["containers"], *(container for container in pod.get("initContainers", []) if container.get("restartPolicy") == "Always")]


def program_of(container):
    return container["name"] in SIMULATED or (container.get("command") or [""])[0] == "spanloom"


def identity(workload, container):
    return f"{workload['kind']}/{workload['metadata']['name']}/{container['name']}"


def replaced(text, replacements):
    for old, new in replacements:
        text = text.replace(old, new)
    return text
