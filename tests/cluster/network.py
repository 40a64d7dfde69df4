# SPDX-License-Identifier: Apache-2.0
"""The network of the cluster: a network namespace for the process that runs the tests and all that it starts, with a bridge to which each pod is tied by a
namespace of its own. So pods have ports and a localhost of their own, and nothing outside is in the way or in reach. It needs root, or user namespaces
that anybody may make.
"""

import ctypes
import os
import pathlib
import subprocess

GATEWAY = "10.244.0.1"  # the node, as pods see it
PODS, SERVICES = "10.244.0.0/16", "10.0.0.0/24"
API_SERVER = "10.0.0.1"  # the first address of SERVICES, for which the API server's certificate is made
_NEW_USERS, _NEW_NETWORK = 0x10000000, 0x40000000  # clone(2)


def call(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout


def enter():
    """Moves this thread, and what it starts from now on, into a network of its own. A process with threads must be root."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK | (0 if user == 0 else _NEW_USERS)) != 0:
        raise RuntimeError(f"no network of its own for the cluster: {os.strerror(ctypes.get_errno())}; run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)")
    if user != 0:
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    call("ip", "link", "set", "lo", "up")
    call("ip", "address", "add", SERVICES, "dev", "lo")  # all of them are this machine's then
    call("ip", "link", "add", "pods", "type", "bridge")
    call("ip", "address", "add", f"{GATEWAY}/{PODS.split('/')[1]}", "dev", "pods")
    call("ip", "link", "set", "pods", "up")


class PodNetwork:
    """The namespace of a pod with the address `ip`; a process that sleeps holds it, as a pause container does."""

    def __init__(self, number, ip):
        self.ip = ip
        self._pause = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up && echo && exec sleep infinity"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self._pause.stdout.readline()
        call("ip", "link", "add", f"pod{number}", "type", "veth", "peer", "name", "eth0", "netns", str(self._pause.pid))
        call("ip", "link", "set", f"pod{number}", "master", "pods", "up")
        call(*self.inside, "sh", "-c", f"ip address add {ip}/16 dev eth0 && ip link set eth0 up && ip route add default via {GATEWAY}")

    @property
    def inside(self):
        """What a command begins with that is to run there."""
        return ["nsenter", "-t", str(self._pause.pid), "-n"]

    def close(self):
        self._pause.kill()
        self._pause.wait()
        self._pause.stdout.close()
