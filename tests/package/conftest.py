# SPDX-License-Identifier: Apache-2.0
"""The binary of the build under test, what is packaged of it, and an image that runs as a container would."""

import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ["SPANLOOM_BINARY"])
DEPLOY = ROOT / "deploy"
USER = 10001
START_SECONDS_MAX = 60  # generous: a busy machine


def program(name, package):
    """A program that ./dev has unpacked for the tests, or the installed one."""
    unpacked = ROOT / "build/programs" / package / "usr/bin" / name
    found = str(unpacked) if unpacked.exists() else shutil.which(name)
    assert found, f"{name} of the Debian package {package} is not there: ./dev setup test"
    return found


def run(*command, **options):
    """The standard output of a command that has to succeed."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@functools.cache
def commands():
    """Every command that help names: ("serve",), ("serve", "validate"), ..."""
    found = []

    def look(path):
        text = run(BINARY, *path, "--help")
        listed = re.search(r"^Subcommands:\n((?:  .*\n?)+)", text, re.M)
        for name in re.findall(r"^  (\S+)", listed[1], re.M) if listed else []:
            found.append((*path, name.split(",")[0]))
            look(found[-1])

    look(())
    return found


@functools.cache
def flags(path):
    """The long flags that the help of a command shows."""
    shown = re.findall(r"^ {2,4}(-\S+)", run(BINARY, *path, "--help"), re.M)
    return {re.split(r"[{=]", name)[0] for names in shown for name in names.split(",") if name.startswith("--")}


def wait_for(condition):
    """Returns as soon as `condition` holds; asks it every 20 ms."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """What deploy/images/build leaves."""
    out = tmp_path_factory.mktemp("image")
    run(DEPLOY / "images/build", "--binary", BINARY, "--out", out)
    return out


def unpack(image, name, folder):
    run(program("umoci", "umoci"), "unpack", *(["--rootless"] if os.geteuid() else []), "--image", f"{image / 'oci'}:{name}", folder)
    return folder


# Makes a root file system what a container runtime makes of it, in namespaces of its own, and becomes the user. Python's ioctl stands for `ip link set lo up`.
ENTER = r"""
set -e
root=$1 user=$2; shift 2
python3 -c 'import fcntl,socket,struct; s=socket.socket(); fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 1))'
mount --bind "$root" "$root"
mkdir -p "$root/proc"
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do  # SOURCE TARGET ro|rw
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
  shift 3
done
shift
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec="$user:$user" "$root" "$@"
"""


class Container:
    """A command of an unpacked image, as its user, on a root that is read-only, with a network of its own: only its loopback."""

    def __init__(self, bundle, arguments, mounts=(), environment=None, command=None):
        config = json.loads((bundle / "config.json").read_text())["process"]
        words = [word for source, target, mode in mounts for word in (str(source), target, mode)]
        entry = [f"/usr/bin/{command[0]}", *command[1:]] if command else config["args"]
        self.log_file = bundle / "container.log"
        self.namespace = None  # of its process ids, once it is ready
        variables = dict(entry.split("=", 1) for entry in config["env"])
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child", "--propagation", "private", "bash", "-c", ENTER, "enter",
             str(bundle / "rootfs"), str(config["user"]["uid"]), *words, "--", *entry, *arguments],
            stdin=subprocess.DEVNULL, stdout=self.log_file.open("w"), stderr=subprocess.STDOUT, env={**variables, "PATH": os.environ["PATH"], **(environment or {})})

    def log(self):
        return self.log_file.read_text(errors="replace")

    def wait_until_it_says(self, said):
        wait_for(lambda: said in self.log() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log()
        self.namespace = os.readlink(f"/proc/{self.inner}/ns/pid")
        return self

    @property
    def inner(self):
        """The process id of the program, as seen from here."""
        return self.children()[0]

    def children(self):
        return [int(word) for word in pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]

    def get(self, port, path, data=None):
        """The body of an answer of 200, asked for inside the container's network."""
        more = ["-H", "Content-Type: application/json", "--data-binary", data] if data else []
        return run("nsenter", "--target", self.inner, "--net", program("curl", "curl"), "-sS", "--fail", "--max-time", "20", *more, f"http://127.0.0.1:{port}{path}")

    def stop(self):
        """Asks it to end as a container runtime does; returns its exit code."""
        if self.process.poll() is None:
            os.kill(self.inner, signal.SIGTERM)
        return self.process.wait(START_SECONDS_MAX)

    def end(self):
        """Ends it now, with all that it started: the program is the first of its namespace. It survives unshare, whose --kill-child is forgotten
        where the user changes."""
        if self.process.poll() is None:
            for first in self.children() or [self.process.pid]:
                os.kill(first, signal.SIGKILL)
            self.process.wait(START_SECONDS_MAX)

    def left(self):
        """The process ids of it that still run, as seen from here."""
        return [path.parent.parent.name for path in pathlib.Path("/proc").glob("[0-9]*/ns/pid") if namespace_of(path) == self.namespace]


def namespace_of(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""  # ended meanwhile


@pytest.fixture
def containers():
    """Starts containers, until they say that they are ready; ends what still runs afterwards."""
    started = []

    def start(*arguments, said="Everything is ready", **options):
        started.append(Container(*arguments, **options))
        return started[-1].wait_until_it_says(said)

    yield start
    for container in started:
        container.end()
    assert [container.left() for container in started] == [[] for _ in started], "outlived its container"


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], capture_output=True).returncode == 0


def manifest(name):
    return list(yaml.safe_load_all((DEPLOY / "manifests" / name).read_text()))
