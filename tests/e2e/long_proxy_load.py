# SPDX-License-Identifier: Apache-2.0
"""`spanloom routing-proxy` under load, between simulators, while clients and pods misbehave. Long tier; meant for the asan and tsan presets too: what leaks or races ends in another exit code.

Scenario: for a while, some clients stream answers of two legs, and each other client does one bad thing again and again; some of the prefill pods they name are down, reset connections or answer garbage; the collector is
gone halfway.
Guarantees: every good answer is whole; when all have left, nothing is under way or held, and memory has stayed bounded; proxy and simulators drain and end with 0.
"""

import http.client
import json
import os
import socket
import struct
import threading
import time

import pytest
from conftest import Process
from long_bad_input import resident_mib
from model_server import ModelServer
from otlp_backend import Backend
from simulators import Simulator

LOAD_SECONDS = float(os.environ.get("SPANLOOM_STRESS_SECONDS", "20"))
GOOD_CLIENTS = 24
TOKENS = 16
# Beyond what it holds when the load begins. Guess: a few bodies of 10 MB on both legs, and a sanitizer's quarantine (256 MiB).
GROWTH_MIB_MAX = 600
DRAINED_SECONDS_MAX = 30
PATH = "/v1/completions"
BODY = {"model": "tiny", "prompt": "why is the sky blue " * 20, "max_tokens": TOKENS, "stream": True, "ignore_eos": True}


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def garbage(_, handler):
    handler.wfile.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    handler.close_connection = True


def reset(_, handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


class Pods:
    """A proxy, its decode server, a good prefill server and the bad ones."""

    def __init__(self):
        flags = ("--max-num-seqs=200", "--time-to-first-token=5ms", "--inter-token-latency=5ms", "--max-model-len=4096")
        self.prefiller, self.decoder = Simulator("--role=prefill", *flags), Simulator("--role=decode", *flags)
        self.bad = [ModelServer(garbage), ModelServer(reset)]
        self.backend = Backend()
        for server in (self.prefiller, self.decoder):
            server.wait_until_ready()
        self.proxy = Process("routing-proxy", "--listen-host=127.0.0.1", "--port=0", f"--vllm-port={self.decoder.ports['simulator']}", "--log-format=json", "--secure-proxy=false", "--metrics-host=127.0.0.1:0",
                             environment={"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.backend.port}", "OTEL_BSP_SCHEDULE_DELAY": "50"}).wait_until_ready()
        self.target = f"127.0.0.1:{self.prefiller.ports['simulator']}"
        self.bad_targets = [*(server.target for server in self.bad), f"127.0.0.1:{closed_port()}"]

    def open(self):
        return socket.create_connection(("127.0.0.1", self.proxy.ports["routing-proxy"]), timeout=30)

    def request(self, body, *lines, target=None):
        """The bytes of a request."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = (f"POST {PATH} HTTP/1.1", "host: x", "content-type: application/json", f"content-length: {len(content)}", f"x-prefiller-host-port: {target or self.target}", *lines, "", "")
        return "\r\n".join(head).encode() + content

    def figure(self, name):
        return self.proxy.metric(f"llm_d_disagg_sidecar_{name}")

    def stop(self):
        return [process.stop() for process in (self.proxy, self.prefiller, self.decoder)]


def stream(pods, target=None):
    """Status and text of a whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", pods.proxy.ports["routing-proxy"], timeout=60)
    connection.request("POST", PATH, json.dumps(BODY), {"content-type": "application/json", "x-prefiller-host-port": target or pods.target})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def is_whole(status, text):
    return status == 200 and text.rstrip().endswith(b"data: [DONE]")


class Misdeeds:
    """What bad clients do; each is given the pods."""

    def leaves_in_mid_stream(pods):
        with pods.open() as connection:
            connection.sendall(pods.request(BODY))
            connection.recv(600)

    def resets_in_mid_stream(pods):
        with pods.open() as connection:
            connection.sendall(pods.request(BODY))
            connection.recv(600)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def leaves_before_the_answer(pods):
        with pods.open() as connection:
            connection.sendall(pods.request(BODY))

    def leaves_within_its_body(pods):
        with pods.open() as connection:
            connection.sendall(pods.request(BODY)[:-200])

    def sends_no_json(pods):
        with pods.open() as connection:
            connection.sendall(pods.request(b'{"model": "tiny", "prompt": "\xff\xfe'))
            connection.recv(4096)

    def sends_ten_megabytes(pods):
        with pods.open() as connection:
            connection.sendall(pods.request({**BODY, "prompt": "p" * 10_000_000}))
            connection.recv(4096)

    def sends_bad_traceparents(pods):
        with pods.open() as connection:
            connection.sendall(pods.request(BODY, "traceparent: 00-zz-1-01", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
            connection.recv(4096)

    def names_bad_pods(pods):
        for target in pods.bad_targets:
            assert is_whole(*stream(pods, target)), target  # decode does it alone

    def pipelines_and_leaves(pods):
        with pods.open() as connection:
            connection.sendall(pods.request(BODY) * 3)
            connection.recv(600)

    def never_reads(pods):
        with pods.open() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.sendall(pods.request(BODY) * 20)
            time.sleep(0.5)


MISDEEDS = [name for name in vars(Misdeeds) if not name.startswith("_")]


@pytest.fixture
def pods():
    started = Pods()
    yield started
    started.stop()
    for server in (*started.bad, started.backend):
        server.stop()


class Clients:
    """Threads that do the same until they are told to stop. What any of them raised is raised by `join`."""

    def __init__(self):
        self.is_over, self.counts, self.failures, self.threads = threading.Event(), {}, [], []

    def start(self, name, work):
        def repeat():
            while not self.is_over.is_set():
                try:
                    work()
                except OSError:
                    if name == "good":
                        self.failures.append(name)
                except AssertionError as failure:
                    self.failures.append(failure)
                self.counts[name] = self.counts.get(name, 0) + 1

        self.threads.append(threading.Thread(target=repeat))
        self.threads[-1].start()

    def join(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        assert self.failures == []


def good(pods):
    status, text = stream(pods)
    assert is_whole(status, text), (status, text[-300:])


def wait_until_idle(pods):
    deadline = time.monotonic() + DRAINED_SECONDS_MAX
    while pods.figure("active_requests") + pods.figure("held_body_bytes") > 0:
        assert time.monotonic() < deadline, (pods.figure("active_requests"), pods.figure("held_body_bytes"))
        time.sleep(0.1)


def test_good_answers_are_whole_whatever_others_do(pods):
    good(pods)
    resident, clients = resident_mib(pods.proxy.process.pid), Clients()
    for _ in range(GOOD_CLIENTS):
        clients.start("good", lambda: good(pods))
    for name in MISDEEDS:
        clients.start(name, lambda deed=getattr(Misdeeds, name): deed(pods))
    peak, begin = 0, time.monotonic()
    while (elapsed := time.monotonic() - begin) < LOAD_SECONDS:
        if elapsed > LOAD_SECONDS / 2:
            pods.backend.stop()
        peak = max(peak, resident_mib(pods.proxy.process.pid))
        time.sleep(0.1)
    clients.join()
    print(f"memory {resident:.0f} to {peak:.0f} MiB; done: {clients.counts}")
    assert set(clients.counts) == {"good", *MISDEEDS}
    wait_until_idle(pods)
    assert peak - resident < GROWTH_MIB_MAX
    for cause in ("clients_gone_total", "fallbacks_total", "request_errors_total"):
        assert pods.figure(cause) > 0, cause
    good(pods)
    assert pods.stop() == [0, 0, 0], pods.proxy.log()[-4000:]
