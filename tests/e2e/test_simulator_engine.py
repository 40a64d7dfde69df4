# SPDX-License-Identifier: Apache-2.0
"""What runs beside a simulated model server reads it: Prometheus its metrics, a router its KV events, a decode engine its blocks."""

import concurrent.futures
import hashlib
import subprocess

import cbor2
import msgpack
import pytest
import zmq
from conftest import request, wait_for
from otlp_backend import Backend
from simulators import llm_spans, simulate  # noqa: F401
from test_prometheus import PROGRAMS, Prometheus

BLOCK = 16
PROMPT = list(range(1000, 1000 + 3 * BLOCK + 5))
EVENT_MS = 30_000  # far more than any takes


# Scenario: Prometheus scrapes while fifty requests of known lengths run.
# Guarantees: it knows every counter and histogram by vLLM's names, with as many as there were; its own checker has nothing to say of types and suffixes.
def test_prometheus_counts_what_was_asked(simulate, tmp_path):
    simulator = simulate("--max-num-seqs=4", "--time-to-first-token=20", "--inter-token-latency=2")
    prometheus = Prometheus(tmp_path, simulator.ports["simulator"])
    try:
        body = {"prompt": [1, 2, 3, 4, 5], "max_tokens": 4, "ignore_eos": True}
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            assert {answer[0] for answer in pool.map(lambda _: simulator.post("/v1/completions", body), range(50))} == {200}
        wait_for(lambda: prometheus.value('vllm:request_success_total{model_name="tiny",finished_reason="length"}') == 50)
        assert prometheus.value("vllm:prompt_tokens_total") == 250 and prometheus.value("vllm:generation_tokens_total") == 200
        for name, count in {"time_to_first_token_seconds": 50, "e2e_request_latency_seconds": 50, "request_queue_time_seconds": 50, "request_prefill_time_seconds": 50,
                            "request_decode_time_seconds": 50, "request_inference_time_seconds": 50, "inter_token_latency_seconds": 150,
                            "request_time_per_output_token_seconds": 50, "request_prompt_tokens": 50, "request_generation_tokens": 50}.items():
            assert prometheus.value(f"vllm:{name}_count") == count, name
        assert prometheus.value("vllm:request_prefill_time_seconds_sum") == pytest.approx(50 * 0.020, rel=0.01)
        assert prometheus.value("vllm:request_decode_time_seconds_sum") == pytest.approx(50 * 0.006, rel=0.01)
        assert prometheus.value("vllm:request_queue_time_seconds_sum") > 0.1  # ten at four slots
        assert prometheus.query("vllm:cache_config_info")[0][0]["num_gpu_blocks"] == "1024"
        page = request(simulator.url("/metrics"))[2]
        assert {"vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"} <= {line.split("{")[0] for line in page.decode().splitlines()}
        checked = subprocess.run([str(PROGRAMS / "promtool"), "check", "metrics"], input=page, capture_output=True, timeout=30)
        problems = [line for line in (checked.stdout + checked.stderr).decode().splitlines() if "vllm:" in line]
        # Colons in names, and a histogram that ends as counters do, are vLLM's own.
        assert [line for line in problems if "':'" not in line and not line.startswith("vllm:iteration_tokens_total")] == []
    finally:
        prometheus.stop()


def reference_hashes(tokens, seed="0"):
    """What vLLM's sha256_cbor gives for full blocks, by Python's own CBOR and SHA-256."""
    digest = lambda value: hashlib.sha256(cbor2.dumps(value, canonical=True)).digest()  # noqa: E731
    parent, hashes = digest(seed), []
    for begin in range(0, len(tokens) - BLOCK + 1, BLOCK):
        parent = digest((parent, tuple(tokens[begin:begin + BLOCK]), None))
        hashes.append(int.from_bytes(parent[-8:], "big"))
    return hashes


def fields_of(event):
    """An event of either form as a map."""
    if isinstance(event, dict):
        return event
    names = {"BlockStored": ["block_hashes", "parent_block_hash", "token_ids", "block_size", "lora_id", "medium", "lora_name"], "BlockRemoved": ["block_hashes", "medium"], "AllBlocksCleared": []}
    return {"type": event[0], **dict(zip(names[event[0]], event[1:]))}


# Scenario: a subscriber listens, then a prompt of three full blocks is asked for, twice, at a cache that another one then fills.
# Guarantees: events come with topic and rising sequence numbers, in the form that was asked for; hashes are those that Python computes; what was evicted is
# removed; who asks again gets the same bytes and the end mark.
@pytest.mark.parametrize("form", [[], ["--use-vllm-map-event-format"]])
def test_a_subscriber_follows_the_cache(simulate, form):
    simulator = simulate("--enable-kvcache", "--hash-seed=0", "--kv-cache-size=64", "--zmq-endpoint=tcp://127.0.0.1:*", "--kv-events-replay-endpoint=tcp://127.0.0.1:*",
                         "--event-batch-size=1", "--enable-prompt-tokens-details", *form)
    said = next(line for line in simulator.lines if line["msg"] == "publishing KV events")
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.setsockopt(zmq.LINGER, 0)
        subscriber.connect(said["kv_events"])
        subscriber.subscribe(b"")
        received = []

        def ask(tokens):
            return simulator.post("/v1/completions", {"prompt": tokens, "max_tokens": 1})[2]["usage"]

        def next_event():
            topic, sequence, payload = subscriber.recv_multipart()
            assert topic == b"kv@localhost@tiny" and int.from_bytes(sequence, "big") == len(received) + first_sequence
            received.append(payload)
            _, events, rank = msgpack.unpackb(payload)
            assert rank == 0 and len(events) == 1 and isinstance(events[0], dict) == bool(form)
            return fields_of(events[0])

        # A subscription takes a moment: the cache is cleared until that is heard of, and then what was said before is read away.
        subscriber.setsockopt(zmq.RCVTIMEO, 50)
        heard = False
        while True:
            if not heard:
                assert simulator.post("/reset_prefix_cache", {})[0] == 200
            try:
                first_sequence = int.from_bytes(subscriber.recv_multipart()[1], "big") + 1
                heard = True
            except zmq.Again:
                if heard:
                    break
        subscriber.setsockopt(zmq.RCVTIMEO, EVENT_MS)

        assert ask(PROMPT)["prompt_tokens_details"]["cached_tokens"] == 0
        stored = next_event()
        assert (stored["type"], stored["block_hashes"], stored["parent_block_hash"]) == ("BlockStored", reference_hashes(PROMPT), None)
        assert (stored["token_ids"], stored["block_size"], stored["medium"], stored["lora_name"]) == (PROMPT[:3 * BLOCK], BLOCK, "GPU", None)
        assert ask(PROMPT)["prompt_tokens_details"]["cached_tokens"] == 3 * BLOCK
        longer = PROMPT + list(range(BLOCK))
        assert ask(longer)["prompt_tokens_details"]["cached_tokens"] == 3 * BLOCK
        stored = next_event()
        assert (stored["block_hashes"], stored["parent_block_hash"]) == (reference_hashes(longer)[3:], reference_hashes(PROMPT)[-1])
        ask(list(range(5000, 5000 + 62 * BLOCK)))
        removed = []
        while (event := next_event())["type"] == "BlockRemoved":
            removed += event["block_hashes"]
        assert removed and set(removed) <= set(reference_hashes(longer)) and event["type"] == "BlockStored"

        replies = replay(context, said["kv_replay"], first_sequence)
        parts = 4 if form else 3
        assert all(len(reply) == parts for reply in replies)
        assert [reply[-1] for reply in replies[:-1]] == received
        assert replies[-1][-2:] == [b"\xff" * 8, b""]


def replay(context, endpoint, first):
    """Answers to who asks for what was published from `first` on."""
    with context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, EVENT_MS)
        socket.connect(endpoint)
        socket.send_multipart([b"", first.to_bytes(8, "big")])
        replies = []
        while not replies or replies[-1][-2] != b"\xff" * 8:
            replies.append(socket.recv_multipart())
        return replies


# Scenario: a proxy's two legs: prefill keeps its blocks and says how to get them, decode is handed that, at a transfer of 60 ms.
# Guarantees: prefill gives one token and its blocks stay in use until decode has them; decode's span has the transfer in its queue, and prefill's in none.
@pytest.mark.parametrize("connector", ["nixl", "gone"])
def test_prefill_and_decode_hand_over(simulate, connector):
    backend = Backend()
    try:
        side_channel = {"VLLM_NIXL_SIDE_CHANNEL_PORT": "0"}
        traces = f"--otlp-traces-endpoint=http://127.0.0.1:{backend.port}"
        prefill = simulate("--role=prefill", traces, "--prefill-time-per-token=1", "--kv-cache-transfer-latency=60", environment=side_channel)
        decode = simulate('--kv-transfer-config={"kv_connector": "NixlConnector", "kv_role": "kv_consumer"}', traces, "--prefill-time-per-token=1",
                          "--inter-token-latency=2", "--kv-cache-transfer-latency=60", environment=side_channel)
        asked = {"prompt": PROMPT, "max_tokens": 5, "ignore_eos": True}
        first_leg = {**asked, "max_tokens": 1, "kv_transfer_params": {"do_remote_decode": True, "do_remote_prefill": False, "remote_engine_id": None,
                                                                       "remote_block_ids": None, "remote_host": None, "remote_port": None}}
        _, _, answer = prefill.post("/v1/completions", first_leg, **{"X-Request-Id": "abc"})
        params = answer["kv_transfer_params"]
        assert answer["usage"]["completion_tokens"] == 1
        assert (params["do_remote_prefill"], params["do_remote_decode"], params["remote_num_tokens"], params["remote_host"]) == (True, False, len(PROMPT), "127.0.0.1")
        assert len(params["remote_block_ids"][0]) == 4 and params["remote_engine_id"] and params["remote_port"] == prefill.ports["side_channel"]
        assert prefill.metric("vllm:kv_cache_usage_perc") == pytest.approx(4 / 1024)
        if connector == "gone":
            params["remote_request_id"] = "cmpl-abc-0-000000ff"
        status, _, answer = decode.post("/v1/completions", {**asked, "kv_transfer_params": params}, **{"X-Request-Id": "abc"})
        assert status == 200 and answer["usage"]["completion_tokens"] == 5
        assert (prefill.metric("vllm:kv_cache_usage_perc") == 0) == (connector == "nixl")
        assert decode.metric("vllm:nixl_num_failed_transfers_total") == (connector == "gone")
        assert decode.metric("vllm:prompt_tokens_by_source_total", source="external_kv_transfer") == (len(PROMPT) - 1 if connector == "nixl" else 0)
        assert (prefill.stop(), decode.stop()) == (0, 0)
        spans = {entry[2]["service.name"]: entry[1] for entry in llm_spans(backend)}
        assert spans.keys() == {"vllm-prefill", "vllm-decode"}
        assert {attributes["gen_ai.request.id"] for attributes in spans.values()} == {"cmpl-abc-0"}
        queue = {service: attributes["gen_ai.latency.time_in_queue"] for service, attributes in spans.items()}
        assert queue["vllm-prefill"] < 0.01
        if connector == "nixl":
            assert 0.06 <= queue["vllm-decode"] < 0.2 and spans["vllm-decode"]["gen_ai.latency.time_in_model_prefill"] == pytest.approx(0.002)
        else:
            assert spans["vllm-decode"]["gen_ai.latency.time_in_model_prefill"] == pytest.approx(0.053)
        assert spans["vllm-prefill"]["gen_ai.latency.time_in_model_decode"] == 0
    finally:
        backend.stop()


# Scenario: the blocks of a prompt are gone, at an engine that is told to fail then.
# Guarantees: the client gets an error, not an answer.
def test_a_failed_load_fails_the_request_if_it_is_to(simulate):
    decode = simulate('--kv-transfer-config={"kv_role": "kv_consumer", "kv_load_failure_policy": "fail"}', environment={"VLLM_NIXL_SIDE_CHANNEL_PORT": "0"})
    params = {"do_remote_prefill": True, "remote_host": "127.0.0.1", "remote_port": 1, "remote_request_id": "x-1", "remote_block_ids": [[1]]}
    status, _, answer = decode.post("/v1/completions", {"prompt": "a", "kv_transfer_params": params})
    assert (status, answer["error"]["type"]) == (500, "InternalServerError")
