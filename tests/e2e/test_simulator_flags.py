# SPDX-License-Identifier: Apache-2.0
"""The flags and headers of llm-d-inference-sim and of vLLM by which a simulated model server is told to be something else than one plain server."""

import concurrent.futures
import json
import signal
import socket
import ssl
import urllib.request

import msgpack
import pytest
import zmq
from conftest import RECORDED, START_SECONDS_MAX, request, wait_for
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_backend import Backend
from simulators import Simulator, simulate  # noqa: F401

BLOCK = 16
PROMPT = list(range(1000, 1000 + 4 * BLOCK))


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
    except ConnectionRefusedError:
        return False
    return True


def ready(simulator):
    return request(simulator.url("/health/ready"))[0]


# Guarantees: a server that loads its model for a while says that it is not ready, but alive; then that it is ready.
def test_a_start_takes_its_time(simulate):
    simulator = simulate("--startup-duration=1500ms")
    assert ready(simulator) == 503 and request(simulator.url("/health"))[0] == 200
    wait_for(lambda: ready(simulator) == 200)
    assert ready(simulate()) == 200


# Guarantees: TLS by a certificate of its own, and a body that is larger than it takes is refused.
def test_own_certificate_and_large_bodies(simulate):
    simulator = simulate("--self-signed-certs", "--max-request-body-size-mb=1")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    answer = urllib.request.urlopen(f"https://127.0.0.1:{simulator.ports['simulator']}/health", timeout=30, context=context)
    assert answer.status == 200
    plain = simulate("--max-request-body-size-mb=1")
    assert plain.post("/v1/completions", {"prompt": "a" * (1 << 20)})[0] == 413


# Scenario: three ranks; requests at the port of each, and one at the first port for the third rank.
# Guarantees: each rank counts and shows its own requests, under its number; the header chooses; a rank that there is not is refused in vLLM's words.
def test_each_rank_has_a_port(simulate):
    simulator = simulate("--data-parallel-size=3", "--max-num-seqs=1")
    ports = [simulator.ports[name] for name in ("simulator", "simulator/1", "simulator/2")]
    body = json.dumps({"prompt": "a", "max_tokens": 3, "ignore_eos": True}).encode()
    ask = lambda port, **headers: request(f"http://127.0.0.1:{port}/v1/completions", body, headers)  # noqa: E731
    assert [ask(port)[0] for port in ports] == [200] * 3
    assert ask(ports[0], **{"X-data-parallel-rank": "2"})[0] == 200
    assert ask(ports[0], **{"X-data-parallel-rank": "none"})[0] == 200
    status, _, text = ask(ports[1], **{"X-data-parallel-rank": "3"})
    assert status == 400 and json.loads(text)["error"]["message"] == "data_parallel_rank 3 is out of range [0, 3)."
    pages = [request(f"http://127.0.0.1:{port}/metrics")[2].decode() for port in ports]
    for rank, (page, tokens) in enumerate(zip(pages, (6, 3, 6))):
        assert f'vllm:generation_tokens_total{{model_name="tiny",engine="{rank}"}} {tokens}.0\n' in page


# Scenario: a stop while a stream of some seconds is under way at each of two ranks.
# Guarantees: both ports are closed, and both streams go on to their ends.
def test_ranks_stop_together(simulate):
    simulator = simulate("--data-parallel-size=2", "--time-to-first-token=1", "--inter-token-latency=100")
    ports = [simulator.ports[name] for name in ("simulator", "simulator/1")]
    body = json.dumps({"prompt": "a", "max_tokens": 20, "ignore_eos": True, "stream": True}).encode()
    begun = [urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/completions", body, timeout=30) for port in ports]
    assert all(answer.read(6) == b"data: " for answer in begun)
    simulator.process.send_signal(signal.SIGTERM)
    for port in ports:
        wait_for(lambda: not is_open(port))
    assert all(answer.read().endswith(b"data: [DONE]\n\n") for answer in begun)
    assert simulator.process.wait(START_SECONDS_MAX) == 0  # a second signal would end it at once
    assert simulator.stop() == 0 and "cut off" not in simulator.log()


# Scenario: two ranks with KV events; one is asked.
# Guarantees: it publishes at the second port, by its number, and its engine says which rank it is.
def test_ranks_publish_by_their_number(simulate):
    simulator = simulate("--data-parallel-size=2", "--enable-kvcache", "--hash-seed=0", "--event-batch-size=1", "--zmq-endpoint=tcp://127.0.0.1:*")
    said = [line for line in simulator.lines if line["msg"] == "publishing KV events"]
    assert len({line["kv_events"] for line in said}) == 2 and len({line["topic"] for line in said}) <= 2
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.setsockopt(zmq.LINGER, 0)
        subscriber.setsockopt(zmq.RCVTIMEO, 50)
        subscriber.connect(said[1]["kv_events"])
        subscriber.subscribe(b"")
        received = []

        def hears():  # a subscription takes a moment
            request(f"http://127.0.0.1:{simulator.ports['simulator/1']}/reset_prefix_cache", b"")
            try:
                received.append(subscriber.recv_multipart()[2])
            except zmq.Again:
                return False
            return True

        wait_for(hears)
        assert msgpack.unpackb(received[0])[2] == 1
    answer = simulator.post("/v1/completions", {"prompt": "a", "kv_transfer_params": {"do_remote_decode": True}}, **{"X-data-parallel-rank": "1"})[2]
    assert answer["kv_transfer_params"]["remote_engine_id"].endswith("_dp1")


# Scenario: a prompt of four blocks at an empty cache, and again when it is there; whole and streamed; by the request, by the server, and by the header.
# Guarantees: below the threshold nothing is generated and the reason says so, in the first event of a stream; a share of the prompt that is there suffices; what
# the request says goes before what the server does.
def test_cache_threshold(simulate):
    simulator = simulate("--enable-kvcache", "--global-cache-hit-threshold=0.5")

    def ask(**more):
        headers = more.pop("headers", {})
        answer = simulator.post("/v1/completions", {"prompt": PROMPT, "max_tokens": 2, "ignore_eos": True, **more}, **headers)[2]
        return answer["choices"][0]["finish_reason"], answer["choices"][0]["text"] == "", answer["usage"]["completion_tokens"]

    declined, answered = ("cache_threshold", True, 0), ("length", False, 2)
    assert ask() == declined and ask(cache_hit_threshold=1) == declined
    text = simulator.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "a"}], "cache_hit_threshold": 0.1, "stream": True})[2].decode()
    events = [json.loads(event.removeprefix("data: ")) for event in text.split("\n\n")[:-2]]
    assert [event["choices"][0]["finish_reason"] for event in events] == ["cache_threshold"]
    assert ask(cache_hit_threshold=0) == answered
    assert ask() == answered and ask(cache_hit_threshold=1) == answered
    assert ask(prompt=PROMPT[:2 * BLOCK] + [7] * 2 * BLOCK, cache_hit_threshold=0.5) == answered
    assert ask(prompt=PROMPT[:2 * BLOCK] + [8] * 2 * BLOCK, cache_hit_threshold=0.51) == declined
    assert ask(headers={"X-Cache-Threshold-Finish-Reason": "true"}) == declined
    assert simulator.metric("vllm:request_success_total", finished_reason="cache_threshold") == 5
    assert simulator.post("/v1/completions", {"prompt": "a", "cache_hit_threshold": 2})[0] == 400


# Guarantees: an answer carries the load if the request asks for it, in the form that it asks for; else it does not.
def test_load_report(simulate):
    simulator = simulate()
    ask = lambda **headers: simulator.post("/v1/completions", {"prompt": "a", "max_tokens": 1}, **headers)[1]["endpoint-load-metrics"]  # noqa: E731
    text = ask(**{"endpoint-load-metrics-format": "TEXT"})
    assert text.startswith("TEXT named_metrics.kv_cache_usage_perc=0.") and ", named_metrics.num_requests_waiting=0.0" in text
    form, _, document = ask(**{"Endpoint-Load-Metrics-Format": "json"}).partition(" ")
    assert form == "JSON" and json.loads(document)["named_metrics"].keys() == {"kv_cache_usage_perc", "num_requests_waiting"}
    assert ask(**{"endpoint-load-metrics-format": "BIN"}) is None and ask() is None


# Guarantees: the page says what it is told to, changes with time, and says nothing of the truth.
def test_fake_metrics(simulate):
    simulator = simulate('--fake-metrics={"running-requests": "ramp:5:1000000:1h", "waiting-requests": 30, "loras": [{"running": "a", "waiting": "", "timestamp": 7}]}',
                         "--fake-metrics-refresh-interval=1ms")
    assert simulator.post("/v1/completions", {"prompt": "a"})[0] == 200
    assert simulator.metric("vllm:num_requests_waiting") == 30
    before = simulator.metric("vllm:num_requests_running")
    wait_for(lambda: simulator.metric("vllm:num_requests_running") > before)
    assert simulator.metric("vllm:lora_requests_info", running_lora_adapters="a", max_lora="1") == 7
    page = request(simulator.url("/metrics"))[2].decode()
    assert {line.split("{")[0] for line in page.splitlines() if not line.startswith("#")} == {
        "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:lora_requests_info"}


# Scenario: two adapters at a server that runs one of them at once, with slots for more.
# Guarantees: the second waits for the first, the model itself does not; the gauge says who runs and who waits.
def test_adapters_take_turns(simulate):
    simulator = simulate("--lora-modules", "one", "two", "--max-num-seqs=4", "--time-to-first-token=1", "--inter-token-latency=20")
    body = {"prompt": "a", "max_tokens": 1000, "ignore_eos": True}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(simulator.post, "/v1/completions", {**body, "model": "one", "max_tokens": 100})
        wait_for(lambda: simulator.metric("vllm:lora_requests_info", running_lora_adapters="one", waiting_lora_adapters="") > 1e9)
        second = pool.submit(simulator.post, "/v1/completions", {**body, "model": "two", "max_tokens": 1})
        wait_for(lambda: simulator.metric("vllm:lora_requests_info", running_lora_adapters="one", waiting_lora_adapters="two", max_lora="1") > 1e9)
        assert simulator.post("/v1/completions", {**body, "model": "tiny", "max_tokens": 1})[0] == 200
        assert not first.done() and not second.done()
        assert (first.result()[0], second.result()[0]) == (200, 200)
    assert simulator.metric("vllm:lora_requests_info", running_lora_adapters="", waiting_lora_adapters="") > 1e9


# Guarantees: a sleeping engine says how deeply it sleeps.
def test_sleep_state(simulate):
    simulator = simulate()
    states = lambda: [simulator.metric("vllm:engine_sleep_state", sleep_state=state) for state in ("awake", "weights_offloaded", "discard_all")]  # noqa: E731
    assert states() == [1, 0, 0]
    for query, expected in (("", [0, 1, 0]), ("?level=2", [0, 0, 1])):
        simulator.post(f"/sleep{query}", {})
        assert states() == expected
    simulator.post("/wake_up", {})
    assert states() == [1, 0, 0]


@pytest.mark.parametrize("arguments, named", [
    (["--data-parallel-size=9"], "--data-parallel-size"),
    (["--global-cache-hit-threshold=1.5"], "--global-cache-hit-threshold"), (["--fake-metrics={\"no\": 1}"], "--fake-metrics"), (["--max-loras=0"], "--max-loras"),
    (["--fake-metrics-refresh-interval=0"], "--fake-metrics-refresh-interval"), (["--self-signed-certs", "--ssl-keyfile=k", "--ssl-certfile=c"], "--self-signed-certs"),
])
def test_refuses_what_it_cannot_honour(arguments, named):
    simulator = Simulator(*arguments)
    assert simulator.process.wait(START_SECONDS_MAX) in (1, 2)
    simulator.stop()
    assert named in simulator.log()


# Scenario: a start that takes a while, in the trace of whoever started the server; the recorded start of a real vLLM beside it.
# Guarantees: the same tree of names below that parent, the same kinds, attributes, types, scopes and processes; parents come from the right process; times lie within the start.
def test_startup_spans_are_those_of_vllm(simulate):
    def tree(bodies):
        spans = {}
        for body in bodies:
            for resource_spans in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = {item.key: item.value.string_value for item in resource_spans.resource.attributes}
                for scope in resource_spans.scope_spans:
                    for span in scope.spans:
                        spans[span.trace_id, span.span_id] = (span, scope.scope.name, resource)
        found = set()
        for (trace, _), (span, scope, resource) in spans.items():
            path = [span.name]
            parent = span.parent_span_id
            while (trace, parent) in spans:
                path.insert(0, spans[trace, parent][0].name)
                parent = spans[trace, parent][0].parent_span_id
            types = tuple((item.key, item.value.WhichOneof("value")) for item in span.attributes)
            functions = tuple(item.value.string_value for item in span.attributes if item.key != "code.filepath")
            process = tuple(resource.get(key) for key in ("vllm.instrumenting_module_name", "vllm.process_kind", "vllm.process_name"))
            found.add((tuple(path), span.kind, scope, types, functions, process, bool(span.flags & 0x200) and len(path) > 1))
        return found, spans

    backend = Backend()
    try:
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        simulator = simulate("--startup-duration=400ms", f"--otlp-traces-endpoint=127.0.0.1:{backend.port}", environment={"TRACEPARENT": parent, "OTEL_BSP_SCHEDULE_DELAY": "10"})
        backend.wait_for_spans(12)
        assert simulator.stop() == 0
        found, spans = tree(backend.bodies)
        real, _ = tree(path.read_bytes() for path in sorted((RECORDED / "vllm-0.32-startup").glob("*-vllm-decode.pb")))
        assert found == real
        assert {span.trace_id.hex() for span, _, _ in spans.values()} == {parent[3:35]}
        whole = next(span for span, _, _ in spans.values() if span.name == "Overall Loading")
        assert whole.parent_span_id.hex() == parent[36:52] and whole.end_time_unix_nano - whole.start_time_unix_nano == 400_000_000
        assert all(whole.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano <= whole.end_time_unix_nano for span, _, _ in spans.values())
        assert len({resource["service.instance.id"] for _, _, resource in spans.values()}) == 3
    finally:
        backend.stop()
