# SPDX-License-Identifier: Apache-2.0
"""What goes into the images: the program, the libraries that it loads, and what a base image would bring, of Debian packages that are installed here."""

import pathlib
import re
import shutil
import subprocess

LOADED = ["libzmq5"]  # which the program loads when it is asked to publish KV events
FILES = ["ca-certificates", "tzdata"]
USER = 10001


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def linked_files(path):
    """What the loader finds for a program or a library, the loader itself too."""
    return re.findall(r"(/\S+) \(0x", run("ldd", str(path)))


def owners(paths):
    """{package: the paths it owns}. dpkg knows some files by the folder before /usr was merged."""
    spellings = {}
    for path in paths:
        for name in (path, path.removeprefix("/usr"), "/usr" + path.removeprefix("/usr")):
            spellings[name] = path
    found = {}
    listed = subprocess.run(["dpkg", "-S", *spellings], capture_output=True, text=True).stdout
    for package, name in re.findall(r"^([^:\s]+)(?::\w+)?: (\S+)$", listed, re.M):
        found.setdefault(package, set()).add(spellings[name])
    missing = set(paths) - set().union(*found.values(), set())
    if missing:
        raise SystemExit(f"deploy/images/build: no Debian package has {', '.join(sorted(missing))}")
    return found


def library_of(package):
    """The shared libraries of a package by their real paths."""
    return [name for name in run("dpkg", "-L", package).splitlines() if re.search(r"/lib[^/]*\.so\.[\d.]+$", name) and pathlib.Path(name).is_file()]


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if ".so" in target.name else 0o644)


def copy_library(path, root):
    """A library by the name that it is asked for, below /usr/lib."""
    target = root / ("usr" + path if not path.startswith("/usr") else path.lstrip("/"))
    copy(pathlib.Path(path).resolve(), target)


def add_certificates(root):
    """The bundle of Debian's package alone: what this machine trusts besides stays here."""
    files = sorted(name for name in run("dpkg", "-L", "ca-certificates").splitlines() if name.endswith(".crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True)
    bundle.write_text("".join(pathlib.Path(name).read_text() for name in files))
    default = root / "usr/lib/ssl/cert.pem"  # where OpenSSL of Debian looks
    default.parent.mkdir(parents=True)
    default.symlink_to("/etc/ssl/certs/ca-certificates.crt")


def add_zones(root):
    zones = "/usr/share/zoneinfo/"
    for name in run("dpkg", "-L", "tzdata").splitlines():
        source = pathlib.Path(name)
        if name.startswith(zones) and not name.startswith((zones + "posix/", zones + "right/")) and source.is_file():
            copy(source.resolve(), root / name.lstrip("/"))


def add_base(root):
    """What a base image would bring: merged /usr, names of users, how hosts are looked up, which distribution the libraries are of."""
    texts = {"etc/passwd": f"root:x:0:0:root:/:/sbin/nologin\nspanloom:x:{USER}:{USER}:spanloom:/var/lib/spanloom:/sbin/nologin\n",
             "etc/group": f"root:x:0:\nspanloom:x:{USER}:\n",
             "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
             "etc/debian_version": pathlib.Path("/etc/debian_version").read_text(),
             "etc/os-release": pathlib.Path("/etc/os-release").resolve().read_text()}
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name in ("bin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")


def add_records(root, packages):
    """Licences, and what dpkg knows of each package, where scanners look for it in images without dpkg."""
    for package in packages:
        copy(pathlib.Path(f"/usr/share/doc/{package}/copyright").resolve(), root / f"usr/share/doc/{package}/copyright")
        status = root / "var/lib/dpkg/status.d" / package
        status.parent.mkdir(parents=True, exist_ok=True)
        fields = run("dpkg-query", "-W", "-f", "Package: ${Package}\nStatus: install ok installed\nArchitecture: ${Architecture}\nSource: ${source:Package}\nVersion: ${Version}\n", package)
        status.write_text(fields)


def make(binary, folder):
    """Writes `folder`/libraries, program and state, which the Containerfile copies; returns the Debian packages that went in."""
    for package in LOADED + FILES:
        if subprocess.run(["dpkg", "-s", package], capture_output=True).returncode:
            raise SystemExit(f"deploy/images/build: the Debian package {package} is not installed: ./dev setup package")
    libraries, program, state = (folder / name for name in ("libraries", "program", "state"))
    loaded = [name for package in LOADED for name in library_of(package)]
    wanted = set(linked_files(binary)) | set(loaded)
    for name in loaded:
        wanted |= set(linked_files(name))
    owned = owners(sorted(wanted))
    for path in sorted(wanted):
        copy_library(path, libraries)
    add_base(libraries)
    add_loaded_names(loaded, libraries)
    add_certificates(libraries)
    add_zones(libraries)
    packages = sorted({*owned, *FILES})
    add_records(libraries, packages)
    target = program / "usr/bin/spanloom"
    target.parent.mkdir(parents=True)
    subprocess.run(["strip", "--strip-unneeded", "--remove-section=.comment", "-o", str(target), str(binary)], check=True)
    target.chmod(0o755)
    for name in ("LICENSE", "THIRD_PARTY_LICENSES"):
        copy(pathlib.Path(name), program / "usr/share/doc/spanloom" / name)
    (state / "var/lib/spanloom").mkdir(parents=True)
    (state / "var/lib/spanloom").chmod(0o700)
    (state / "tmp").mkdir()
    (state / "tmp").chmod(0o1777)
    return packages


def add_loaded_names(loaded, root):
    """The names by which the loader asks for libraries that nothing is linked with."""
    for name in loaded:
        path = pathlib.Path(name)
        for other in path.parent.glob(path.name.split(".so")[0] + ".so.*"):
            target = root / str(other).lstrip("/")
            if other.is_symlink() and not target.exists():
                target.symlink_to(path.name)
