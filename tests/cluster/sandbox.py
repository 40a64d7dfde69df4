# SPDX-License-Identifier: Apache-2.0
"""What a container sees: its pod's network, and a root of its own in a mount namespace of its own, with the volumes and the binary mounted; run as the user
that its pod asks for, if this user may.
"""

import os
import pathlib
import subprocess

BINARY = pathlib.Path(os.environ["SPANLOOM_BINARY"]).resolve()
# Arguments: root, binary, list of volumes, ro or rw, a number or "", the folder that is to be its control group or "", then the command. A line of the list: ro or rw, source, target.
SCRIPT = r"""
set -eu
root=$1 binary=$2 volumes=$3 mode=$4 user=$5 group=$6
shift 6
mount --bind "$root" "$root"
cd "$root"
for name in usr dev proc sys; do mount --rbind "/$name" "$name"; done
if [ -n "$group" ]; then mount --bind "$group" sys/fs/cgroup; fi
mount --bind "$binary" image/spanloom
while read -r access source target; do
  mount --bind "$source" ".$target"
  if [ "$access" = ro ]; then mount -o remount,bind,ro ".$target"; fi
done <"$volumes"
if [ "$mode" = ro ]; then mount -o remount,bind,ro "$root"; fi
exec chroot ${user:+--userspec="$user"} . "$@"
"""


class Sandbox:
    """The root of one container. `mounts` are (source folder, target, whether it is read only); `group`, or None, what is seen as its control group."""

    def __init__(self, folder, network, mounts, hosts, namespace, read_only, user, group):
        self._network, self._group = network, str(group or "")
        self.root, self._volumes = folder / "root", folder / "volumes"
        self._mode, self._user = "ro" if read_only else "rw", user
        for name in ("usr", "dev", "proc", "sys", "image", "etc", "run/names", "var", "tmp"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "tmp").chmod(0o1777)
        for name in ("bin", "lib", "lib64", "sbin"):
            if pathlib.Path(f"/{name}").is_symlink() and not (self.root / name).is_symlink():
                (self.root / name).symlink_to(os.readlink(f"/{name}"))
        if not (self.root / "var/run").is_symlink():
            (self.root / "var/run").symlink_to("/run")
            (self.root / "etc/hosts").symlink_to(f"/run/names/{namespace}")
        (self.root / "image/spanloom").touch()
        (self.root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
        (self.root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
        lines = [f"ro {hosts} /run/names"]
        for source, target, only_read in mounts:
            inside = target.replace("/var/run/", "/run/", 1)
            (self.root / inside.lstrip("/")).mkdir(parents=True, exist_ok=True)
            lines.append(f"{'ro' if only_read else 'rw'} {source} {inside}")
        self._volumes.write_text("".join(f"{line}\n" for line in lines))

    def start(self, command, environment, output):
        """Runs `command` there; its process is the command's own."""
        user = f"{self._user}:{self._user}" if self._user and may_become_others() else ""
        arguments = [str(self.root), str(BINARY), str(self._volumes), self._mode, user, self._group]
        return subprocess.Popen([*self._network.inside, "unshare", "-m", "sh", "-c", SCRIPT, "sandbox", *arguments, *command], stdin=subprocess.DEVNULL, stdout=output,
                                stderr=subprocess.STDOUT, env={"PATH": "/image:/usr/bin:/usr/sbin:/bin:/sbin", **environment})


def may_become_others():
    """Whether this user namespace has other users than this one."""
    return int(pathlib.Path("/proc/self/uid_map").read_text().split()[2]) > 1
