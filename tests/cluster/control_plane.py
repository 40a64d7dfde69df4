# SPDX-License-Identifier: Apache-2.0
"""etcd, kube-apiserver and kube-controller-manager on loopback, with tokens and RBAC: a cluster without nodes."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request

from api import Api
from programs import program

START_SECONDS_MAX = 120  # 6 s on idle cores; generous: a busy machine
STOP_SECONDS_MAX = 30
CONTROLLERS = ("deployment-controller", "replicaset-controller", "statefulset-controller", "daemonset-controller", "job-controller", "endpointslice-controller",
               "endpoints-controller", "namespace-controller", "garbage-collector-controller", "serviceaccount-controller", "root-ca-certificate-publisher-controller",
               "clusterrole-aggregation-controller", "resourcequota-controller", "persistentvolumeclaim-protection-controller")
ADMINISTRATOR = "admin-token"
# Who else may come: token to user. They have the rights that a test gives them.
USERS = {"dev-token": "dev", "stranger-token": "stranger"}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(condition, what="", seconds=START_SECONDS_MAX):
    """Returns what `condition` answers as soon as that is true; asks every 50 ms."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds} s in vain{': ' if what else ''}{what}"
        time.sleep(0.05)


class Server:
    """A program of the cluster, its output in a file."""

    def __init__(self, folder, name, arguments):
        self.name, self.command, self.log = name, [program(name), *arguments], folder / f"{name}.log"
        self.start()

    def start(self):
        with self.log.open("a") as output:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def check(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}; the end of {self.log}:\n" + "\n".join(self.log.read_text(errors="replace").splitlines()[-20:]))
        return True

    def stop(self, sign=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sign)
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def memory_mib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) // 1024


class ControlPlane:
    """Runs from its making until `stop`. `folder` gets logs, certificates and data. `administrator` may do everything."""

    def __init__(self, folder):
        self.folder, self.servers = folder, []
        self.port, self._etcd_port = free_port(), free_port()
        self.certificate = folder / "certificates/apiserver.crt"
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self):
        began = time.monotonic()
        self._write_secrets()
        self._run("etcd", self._etcd_arguments())
        self.api_server = self._run("kube-apiserver", self._api_server_arguments())
        wait_for(lambda: self.certificate.exists() and self.api_server.check())
        self.administrator = Api(self.port, self.certificate, ADMINISTRATOR)
        wait_for(self.is_ready, "the API server's /readyz")
        self.kubeconfig(ADMINISTRATOR, self.folder / "kubeconfig")
        self._run("kube-controller-manager", self._controller_arguments())
        wait_for(lambda: self.administrator.find("/api/v1/namespaces/default/serviceaccounts/default"), "the default service account")
        self.start_seconds = time.monotonic() - began

    def _run(self, name, arguments):
        self.servers.append(Server(self.folder, name, arguments))
        return self.servers[-1]

    def _write_secrets(self):
        tokens = [f'{ADMINISTRATOR},admin,admin,"system:masters"', *(f"{token},{user},{user}" for token, user in USERS.items())]
        (self.folder / "tokens.csv").write_text("\n".join(tokens) + "\n")
        subprocess.run(["openssl", "genrsa", "-out", str(self.folder / "accounts.key"), "2048"], check=True, capture_output=True)

    def _etcd_arguments(self):
        client, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{free_port()}"
        return ["--name=one", f"--data-dir={self.folder}/etcd", f"--listen-client-urls={client}", f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=one={peer}", "--unsafe-no-fsync"]

    def _api_server_arguments(self):
        key = f"{self.folder}/accounts.key"
        return [f"--etcd-servers=http://127.0.0.1:{self._etcd_port}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={self.port}",
                f"--cert-dir={self.folder}/certificates", f"--token-auth-file={self.folder}/tokens.csv", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
                "--service-account-issuer=https://cluster.test", f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}"]

    def _controller_arguments(self):
        return [f"--kubeconfig={self.folder}/kubeconfig", "--leader-elect=false", "--bind-address=127.0.0.1", f"--secure-port={free_port()}", f"--cert-dir={self.folder}/controllers",
                f"--service-account-private-key-file={self.folder}/accounts.key", f"--root-ca-file={self.certificate}", f"--controllers={','.join(CONTROLLERS)}"]

    def is_ready(self):
        self.api_server.check()
        try:
            return self.administrator.get("/readyz") == "ok"
        except Exception:  # whatever a server that starts answers
            return False

    def as_user(self, token):
        return Api(self.port, self.certificate, token)

    def kubeconfig(self, token, path, port=None):
        """Writes how `token` gets here, in the form of kubectl; returns `path`."""
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test", "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [{"name": "test", "cluster": {"server": f"https://127.0.0.1:{port or self.port}", "certificate-authority": str(self.certificate)}}],
            "users": [{"name": "test", "user": {"token": token}}]}))
        return path

    def restart_api_server(self, forget_history=False):
        """Ends the API server and starts it again. With `forget_history`, whoever watched has to list again: etcd has compacted what they know."""
        self.api_server.stop(signal.SIGKILL)
        if forget_history:
            self._compact()
        self.api_server.start()
        wait_for(self.is_ready, "the API server's /readyz")

    def _compact(self):
        def etcd(path, body):
            request = urllib.request.Request(f"http://127.0.0.1:{self._etcd_port}/v3/kv/{path}", data=json.dumps(body).encode())
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        written = etcd("put", {"key": "dGVzdHM=", "value": "dGVzdHM="})  # a revision after all that anybody has seen
        etcd("compaction", {"revision": written["header"]["revision"], "physical": True})

    def stop(self):
        for server in reversed(self.servers):
            server.stop()

    def memory_mib(self):
        return {server.name: server.memory_mib() for server in self.servers}
