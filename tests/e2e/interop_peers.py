# SPDX-License-Identifier: Apache-2.0
"""Both ends of gRPC's interoperability cases: ours from tests/interop, and how those of others are had."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import types

import pytest
from conftest import BINARY, ROOT, START_SECONDS_MAX

PEERS = ROOT / "build/peers"
BUILD_SECONDS_MAX = 600
GRPC_GO = "v1.85.0"
H2SPEC = "v2.2.1+incompatible"


class PrintsItsPort:
    """A server that prints its port first."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline())

    def kill(self):
        self.process.kill()
        self.process.communicate()


class OurServer(PrintsItsPort):
    def __init__(self, age_max_ms=0):
        super().__init__(BINARY.parent / "interop_server", age_max_ms)

    def begin_to_drain(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        """After it has drained: unary calls that came, connections that they came over, calls that were cut off."""
        text, _ = self.process.communicate(timeout=60)
        numbers = [int(word) for word in text.split() if word.isdigit()]
        return types.SimpleNamespace(unary_calls=numbers[0], connections=numbers[1], cut_off=numbers[2])

    def stop(self):
        self.begin_to_drain()
        return self.wait()


def run_client(port, *cases):
    """Runs our client; every case must pass."""
    expect_success(BINARY.parent / "interop_client", f"127.0.0.1:{port}", *cases)


def expect_success(*command, seconds=120):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=seconds)
    assert result.returncode == 0, result.stdout + result.stderr


def wait_for_port(port):
    """Until somebody listens: for servers that say nothing when they are ready."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens on port {port}")


def go():
    """The Go command; skips the test where it can't be had."""
    found = next((path for path in (ROOT / "build/venv/bin/go", shutil.which("go")) if path and pathlib.Path(path).exists()), None)
    if found is None:
        pytest.skip("no Go: ./dev setup long installs it")
    return found


def go_tool(package, version):
    """A program of a Go module, installed into build/peers; skips the test where it can't be had."""
    binary = PEERS / "bin" / package.replace("/", "_")
    if binary.exists():
        return binary
    folder = PEERS / "go"
    result = subprocess.run([go(), "install", f"{package}@{version}"], env={**os.environ, "GOBIN": str(folder)}, capture_output=True, text=True, timeout=BUILD_SECONDS_MAX)
    if result.returncode != 0:
        pytest.skip(f"go install {package}@{version}: {(result.stderr.strip() or 'failed').splitlines()[-1]}")
    binary.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / package.rsplit("/", 1)[1], binary)
    return binary


def grpc_cpp():
    """The gRPC C++ peer; skips the test where Debian's libgrpc++-dev is missing."""
    folder = PEERS / "grpc_cpp"
    configure = ["cmake", "-S", ROOT / "tests/interop/grpc_cpp", "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"]
    if subprocess.run(configure, capture_output=True).returncode != 0:
        pytest.skip("no gRPC C++: ./dev setup long installs it")
    expect_success("ninja", "-C", folder, seconds=BUILD_SECONDS_MAX)
    return folder / "bin/grpc_cpp_interop"
