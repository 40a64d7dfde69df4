# SPDX-License-Identifier: Apache-2.0
"""The Debian package: its bytes, its contents, and what installing, upgrading, removing and purging it does to a system's folders."""

import configparser
import gzip
import os
import pathlib
import re
import subprocess

import pytest
from conftest import BINARY, DEPLOY, commands, run

SERVICES = {"spanloom": "serve", "spanloom-collector": "collector"}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return pathlib.Path(run(DEPLOY / "debian/build", "--binary", BINARY, "--out", tmp_path_factory.mktemp("deb")).strip())


@pytest.fixture(scope="module")
def contents(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("contents")
    run("dpkg-deb", "--raw-extract", package, folder)
    return folder


class System:
    """A system's root without programs of its own: dpkg of this machine works on it. Scripts of packages are told by DPKG_ROOT where they are."""

    def __init__(self, root):
        self.root = root
        for name in ("updates", "info", "triggers"):
            (root / "var/lib/dpkg" / name).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        (root / "var/lib/dpkg/available").touch()

    def dpkg(self, *arguments):
        return run("dpkg", f"--root={self.root}", "--force-script-chrootless", "--force-depends", "--force-not-root", "--force-confold", f"--log={self.root}/log",
                   *arguments, env={**os.environ, "PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}"})

    def files(self):
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file() and "var/lib/dpkg" not in str(path) and path.name != "log"}


# Guarantees: a second build has the same bytes.
def test_is_reproducible(package, tmp_path):
    other = pathlib.Path(run(DEPLOY / "debian/build", "--binary", BINARY, "--out", tmp_path).strip())
    assert other.name == package.name and other.read_bytes() == package.read_bytes()


# Guarantees: dpkg is told the version, the architecture, and the packages that have the libraries which the program is linked with.
def test_says_what_it_needs(package):
    fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", run("dpkg-deb", "--field", package), re.M))
    assert fields["Version"] == re.search(r"^spanloom (\S+)", run(BINARY, "--version"))[1] + "-1"
    assert fields["Architecture"] == run("dpkg", "--print-architecture").strip()
    needed = {part.split()[0] for part in fields["Depends"].split(", ")}
    assert {"libc6", "libstdc++6", "libgcc-s1", "libyaml-cpp0.7", "libabsl20220623", "libsimdjson14", "libisal2"} <= needed
    for name in needed:
        run("dpkg-query", "-W", name)


# Guarantees: files are where Debian has them: pages for all commands, completions, licences, units; the folder of configuration is kept by dpkg.
def test_has_what_belongs_to_it(contents):
    files = {str(path.relative_to(contents)) for path in contents.rglob("*") if path.is_file() and "DEBIAN" not in path.parts}
    assert {"usr/bin/spanloom", "usr/share/bash-completion/completions/spanloom", "usr/share/zsh/vendor-completions/_spanloom", "usr/share/fish/vendor_completions.d/spanloom.fish",
            "usr/share/doc/spanloom/copyright", "usr/share/doc/spanloom/THIRD_PARTY_LICENSES.gz", "usr/share/doc/spanloom/changelog.Debian.gz"} <= files
    pages = {name for name in files if "/man1/" in name}
    assert pages == {"usr/share/man/man1/spanloom.1.gz", *(f"usr/share/man/man1/spanloom-{path[0]}.1.gz" for path in commands() if len(path) == 1)}
    assert gzip.open(contents / "usr/share/man/man1/spanloom-serve.1.gz", "rt").read() == run(BINARY, "man", "serve")
    assert (contents / "DEBIAN/conffiles").read_text().split() == ["/etc/spanloom/collector.yaml", "/etc/spanloom/serve.yaml"]
    assert {name for name in files if name.startswith("etc/")} == {"etc/spanloom/collector.yaml", "etc/spanloom/serve.yaml"}
    listed = dict(reversed(line.split("  ")) for line in (contents / "DEBIAN/md5sums").read_text().splitlines())
    assert set(listed) == files
    program = contents / "usr/bin/spanloom"
    assert run(program, "--version") == run(BINARY, "--version") and b".debug_info" not in program.read_bytes()


# Guarantees: both configurations are valid to the commands that the units run, and the collector's is one of the Collector's.
def test_configurations_are_valid(contents):
    for name, command in SERVICES.items():
        unit = configparser.RawConfigParser(strict=False)
        unit.read(contents / f"lib/systemd/system/{name}.service")
        words = unit["Service"]["ExecStart"].split()
        assert words[:2] == ["/usr/bin/spanloom", command]
        arguments = [word.replace("=/etc/", f"={contents}/etc/") for word in words[2:]]
        run(BINARY, command, "validate", *arguments)
    assert "data_dir: /var/lib/spanloom" in (contents / "etc/spanloom/serve.yaml").read_text()


# Guarantees: units give no privileges, wait as long as a stop may take, and have their state where the configuration says.
def test_units_are_hardened(contents):
    for name in SERVICES:
        text = (contents / f"lib/systemd/system/{name}.service").read_text()
        for line in ("DynamicUser=yes", f"StateDirectory={name}", "ProtectSystem=strict", "NoNewPrivileges=yes", "MemoryDenyWriteExecute=yes", "CapabilityBoundingSet=",
                     "SystemCallFilter=@system-service", "ExecReload=/bin/sh -c 'kill -HUP \"$MAINPID\"'", "Type=exec", "WantedBy=multi-user.target"):
            assert line in text.splitlines(), line
        drain = int(re.search(r"SPANLOOM_DRAIN_TIMEOUT=(\d+)s", text)[1])
        assert int(re.search(r"TimeoutStopSec=(\d+)s", text)[1]) > drain


# Scenario: a package is installed; the administrator changes a configuration; it is installed again, removed, and purged, with traces on the disk.
# Guarantees: the change is kept; what is removed leaves configuration and traces; what is purged leaves nothing.
def test_a_life_on_a_system(package, tmp_path):
    system = System(tmp_path)
    system.dpkg("--install", package)
    config = tmp_path / "etc/spanloom/serve.yaml"
    config.write_text(config.read_text() + "# ours\n")
    traces = tmp_path / "var/lib/private/spanloom/catalogue"
    traces.parent.mkdir(parents=True)
    traces.touch()
    (tmp_path / "var/lib/spanloom").symlink_to("private/spanloom")
    enabled = tmp_path / "etc/systemd/system/multi-user.target.wants/spanloom.service"
    enabled.parent.mkdir(parents=True)
    enabled.symlink_to("/lib/systemd/system/spanloom.service")
    assert run(tmp_path / "usr/bin/spanloom", "--version") == run(BINARY, "--version")
    system.dpkg("--install", package)
    assert config.read_text().endswith("# ours\n")
    system.dpkg("--remove", "spanloom")
    assert system.files() == {"etc/spanloom/serve.yaml", "etc/spanloom/collector.yaml", "var/lib/private/spanloom/catalogue"}
    system.dpkg("--purge", "spanloom")
    assert system.files() == set() and not enabled.is_symlink() and not (tmp_path / "var/lib/spanloom").is_symlink() and not (tmp_path / "etc/spanloom").exists()


# Guarantees: a binary that is not there, and an option that is none, are refused with what to do.
def test_refusals(tmp_path):
    for arguments, said in ((["--binary", str(tmp_path / "none")], "./dev build"), (["--release"], "needs a value"), (["--arch", "arm64"], "--binary FILE")):
        result = subprocess.run([str(DEPLOY / "debian/build"), *arguments], capture_output=True, text=True)
        assert result.returncode == 1 and said in result.stderr
