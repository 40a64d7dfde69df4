# SPDX-License-Identifier: Apache-2.0
"""What Debian's own tools say of the package and of its units, and whether the program keeps within the units' limits."""

import json
import re
import subprocess

import pytest
from conftest import BINARY, program, run, wait_for
from test_deb import SERVICES, contents, package  # noqa: F401 (fixtures)

EXPOSURE_MAX = 15  # tenths of systemd's 0 (safe) to 10; a unit without hardening has 9.6

# What lintian may say, and why it stands.

# Guarantees: units can be loaded, and are closed as far as systemd measures it.
def test_systemd_takes_the_units(contents):  # noqa: F811
    for name in SERVICES:
        unit = contents / f"lib/systemd/system/{name}.service"
        text = unit.read_text().replace("ExecStart=/usr/bin/spanloom", f"ExecStart={BINARY}")
        copied = contents / f"{name}.service"
        copied.write_text(text)
        verified = subprocess.run([program("systemd-analyze", "systemd"), "verify", "--man=no", str(copied)], capture_output=True, text=True)
        assert verified.returncode == 0 and f"{name}.service:" not in verified.stderr, verified.stderr
        judged = subprocess.run([program("systemd-analyze", "systemd"), "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", "--no-pager", str(copied)], capture_output=True, text=True)
        assert judged.returncode == 0, judged.stdout + judged.stderr

# Guarantees: lintian has no error, and no warning but one.
def test_lintian(package):  # noqa: F811
    said = subprocess.run([program("lintian", "lintian"), "--allow-root", "--tag-display-limit=0", str(package)], capture_output=True, text=True)
    tags = {match for match in re.findall(r"^[EW]: spanloom: (\S+)", said.stdout, re.M)}
    assert tags <= {"initial-upload-closes-no-bugs"}, said.stdout  # it closes none: Debian has no report on it

def allowed_calls():
    """The system calls of the units' filter, as systemd expands it."""
    sets = {}
    for name, members in re.findall(r"^(@\S+)\n((?:^    .*\n?)+)", run(program("systemd-analyze", "systemd"), "syscall-filter"), re.M):
        sets[name] = [line.strip() for line in members.splitlines() if line.strip() and not line.strip().startswith("#")]

    def expand(name):
        return set().union(*(expand(member) if member.startswith("@") else {member} for member in sets[name]))

    return expand("@system-service") - expand("@privileged")

# Scenario: serve and collector from start to stop, a span and a reload between, watched by strace.
# Guarantees: they make no system call that their unit forbids, and no memory that can be written and executed.
@pytest.mark.parametrize("command", ["serve", "collector"])
def test_keeps_within_the_filter(command, tmp_path):
    config = tmp_path / "c.yaml"
    ports = {"grpc": {"endpoint": "127.0.0.1:0"}, "http": {"endpoint": "127.0.0.1:0"}}
    kept = {"spanloom_store": {"data_dir": str(tmp_path / "store")}} if command == "serve" else {"debug": None}
    config.write_text(json.dumps({"receivers": {"otlp": {"protocols": ports}}, "exporters": kept, "extensions": {"health_check": {"endpoint": "127.0.0.1:0"}},
                                  "service": {"extensions": ["health_check"], "telemetry": {"metrics": {"address": "127.0.0.1:0"}, "logs": {"encoding": "json"}},
                                              "pipelines": {"traces": {"receivers": ["otlp"], "exporters": list(kept)}}}}))
    more = ["--set=extensions.spanloom_query.endpoint=127.0.0.1:0"] if command == "serve" else []
    trace, log = tmp_path / "calls", tmp_path / "log"
    process = subprocess.Popen([program("strace", "strace"), "-f", "-qq", "-o", str(trace), str(BINARY), command, f"--config={config}", *more],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log.open("w"))
    try:
        wait_for(lambda: "Everything is ready" in log.read_text() or process.poll() is not None)
        port = next(line["endpoint"] for line in map(json.loads, filter(lambda line: line.startswith("{"), log.read_text().splitlines()))
                    if line["msg"] == "listening" and line["server"] == "otlp/grpc")
        run(BINARY, "tracegen", "--endpoint", port, "--traces", "20", "--progress", "never")
        inner = int(trace.read_text().split()[0])
        subprocess.run(["kill", "-HUP", str(inner)], check=True)
        wait_for(lambda: "reload" in log.read_text().lower())
        subprocess.run(["kill", "-TERM", str(inner)], check=True)
        assert process.wait(60) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
    lines = trace.read_text().splitlines()
    called = {found[1] for line in lines if (found := re.match(r"\d+ +(\w+)\(", line))}
    assert len(called) > 20 and not called - allowed_calls() - {"execve"}, called - allowed_calls()
    assert not [line for line in lines if "PROT_WRITE|PROT_EXEC" in line]
