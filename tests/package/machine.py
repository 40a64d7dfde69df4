# SPDX-License-Identifier: Apache-2.0
"""A Debian of its own, with systemd as its first process, in namespaces of this machine's kernel: what a package's units do when they really run."""

import os
import pathlib
import shutil
import signal
import subprocess
import time
import uuid

from conftest import ROOT, START_SECONDS_MAX, run

CGROUPS = pathlib.Path("/sys/fs/cgroup")
PROGRAMS = ["systemd", "systemd-sysv", "dbus", "curl"]

# In its namespaces: the kernel's file systems below the root, the control groups that it was put in, then the first process.
BOOT = """
set -e
mount --bind "$ROOT" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount -t sysfs -o ro sysfs "$ROOT/sys"
if [ -n "$UNIFIED" ]; then
  mount -t cgroup2 cgroup2 "$ROOT/sys/fs/cgroup"
else
  mount -t tmpfs tmpfs "$ROOT/sys/fs/cgroup"
  for name in $HIERARCHIES; do
    mkdir "$ROOT/sys/fs/cgroup/$name"
    case $name in
      systemd) mount -t cgroup -o none,name=systemd cgroup "$ROOT/sys/fs/cgroup/$name" ;;
      unified) mount -t cgroup2 cgroup2 "$ROOT/sys/fs/cgroup/$name" ;;
      *) mount -t cgroup -o "$name" cgroup "$ROOT/sys/fs/cgroup/$name" ;;
    esac
  done
fi
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/run"
mount -t tmpfs tmpfs "$ROOT/tmp"
ip link set lo up
# Not chroot: from such a root the kernel lets nobody make a user namespace, which PrivateUsers= of a unit wants.
cd "$ROOT"
pivot_root . .
umount -l .
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=console --show-status=no --unit=multi-user.target
"""


def why_not():
    """Why no such machine can be had here, or None."""
    if os.geteuid() != 0:
        return "a root file system is made and entered: run as root"
    if not (CGROUPS / "cgroup.controllers").exists() and not (CGROUPS / "systemd").exists():
        return "no control groups are mounted that systemd could use"
    return None


def make_root(folder, packages):
    """A Debian with those packages; that of an earlier run if it has the same."""
    wanted, made = ",".join(sorted(packages)), folder.with_suffix(".packages")
    if made.exists() and made.read_text() == wanted:
        return
    mirror = run("apt-get", "indextargets", "--format", "$(SITE)").splitlines()[0]
    if folder.exists():
        run("rm", "-rf", "--one-file-system", folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    run("mmdebstrap", "--variant=minbase", "--mode=root", f"--include={wanted}", "bookworm", folder, mirror)
    made.write_text(wanted)


class Machine:
    """Runs from the constructor to stop(). It has a network of its own, of the loopback device alone."""

    def __init__(self, packages, log):
        pristine = ROOT / "build/systemd/root"
        make_root(pristine, [*PROGRAMS, *packages])
        self.root = ROOT / f"build/systemd/run-{os.getpid()}"
        run("cp", "-a", "--reflink=auto", pristine, self.root)
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n")
        self.log = log
        self.groups = self._make_groups()
        environment = {"PATH": os.environ["PATH"], "ROOT": str(self.root), "UNIFIED": "1" if self._is_unified() else "", "HIERARCHIES": " ".join(group.parent.name for group in self.groups)}
        self.process = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--cgroup", "--kill-child", "--propagation", "private", "bash", "-c", BOOT],
                                        env=environment, stdin=subprocess.DEVNULL, stdout=log.open("w"), stderr=subprocess.STDOUT, preexec_fn=self._enter_groups)
        self._wait_until_up()

    @staticmethod
    def _is_unified():
        return (CGROUPS / "cgroup.controllers").exists()

    def _make_groups(self):
        """A group of its own in each hierarchy, so that it sees no other."""
        name = f"spanloom-{uuid.uuid4().hex[:8]}"
        hierarchies = [CGROUPS] if self._is_unified() else [CGROUPS / kind for kind in ("systemd", "unified", "cpu", "memory", "pids") if (CGROUPS / kind).exists()]
        for hierarchy in hierarchies:
            (hierarchy / name).mkdir()
        return [hierarchy / name for hierarchy in hierarchies]

    def _enter_groups(self):
        for group in self.groups:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def _init(self):
        """systemd's process id, as this machine counts."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def _wait_until_up(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while self.process.poll() is None and time.monotonic() < deadline:
            init = self._init()
            if init and pathlib.Path(f"/proc/{init}/comm").read_text().strip() == "systemd":
                said = self.call("systemctl", "is-system-running", "--wait")
                if said.stdout.strip() in ("running", "degraded"):
                    return
            time.sleep(0.05)
        raise AssertionError(f"systemd did not come up: {self.log.read_text()[-2000:]}")

    def call(self, *command):
        """Runs a command inside. It has a group of its own there, so that it is no part of systemd's."""
        return subprocess.run(["nsenter", "--target", str(self._init()), "--all", "--root", "--wd", *map(str, command)], capture_output=True, text=True, timeout=300,
                              stdin=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"})

    def run(self, *command):
        """The standard output of a command that has to succeed."""
        result = self.call(*command)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def show(self, unit, name):
        """A property of a unit."""
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "--output=cat", "--unit", unit)

    def copy(self, file, inside):
        shutil.copy(file, self.root / inside)

    def stop(self):
        init = self._init() if self.process.poll() is None else None
        if init:
            os.kill(init, signal.SIGKILL)  # and with it all that is inside
        self.process.wait(60)
        for group in self.groups:
            for folder in sorted((path for path in group.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts)):
                folder.rmdir()
            group.rmdir()
        run("rm", "-rf", "--one-file-system", self.root)
