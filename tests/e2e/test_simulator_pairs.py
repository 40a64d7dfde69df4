# SPDX-License-Identifier: Apache-2.0
"""`spanloom routing-proxy` between a prefill and a decode simulator that hand blocks over as SGLang's and Mooncake's servers do: both are asked at once, and meet past the
proxy, at prefill's bootstrap server."""

import http.client
import json

import pytest
from conftest import Process, request
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_backend import Backend
from simulators import simulate, value_of  # noqa: F401

TRACE = "0af7651916cd43dd8448eb211c80319c"
PROMPT = "Tell me " * 40
PREFILL_MS, TRANSFER_MS = 200, 30
LATE_MS = 150  # by which decode may be asked after prefill, on a busy machine
ROLES = {
    "sglang": (["--role=prefill", "--disaggregation-bootstrap-port=0"], ["--role=decode"]),
    "mooncake": (['--kv-transfer-config={"kv_connector": "MooncakeConnector", "kv_role": "kv_producer"}', "--data-parallel-size=2"],
                 ['--kv-transfer-config={"kv_connector": "MooncakeConnector", "kv_role": "kv_consumer"}']),
    "shared-storage": (["--enable-kvcache"], ["--enable-kvcache"]),
}
AT_ONCE = ["sglang", "mooncake"]


class Pair:
    """The three processes, and the backend of their spans."""

    def __init__(self, simulate, connector, decode_flags=None):
        self.backend = Backend()
        traces = f"--otlp-traces-endpoint=http://127.0.0.1:{self.backend.port}"
        environment = {"VLLM_NIXL_SIDE_CHANNEL_PORT": "0", "VLLM_MOONCAKE_BOOTSTRAP_PORT": "0"}
        shared = ["--seed=3", "--inter-token-latency=2", f"--kv-cache-transfer-latency={TRANSFER_MS}", f"--time-to-first-token={PREFILL_MS}", traces]
        for_prefill, for_decode = ROLES[connector]
        for_decode = decode_flags or for_decode
        self.prefill = simulate(*shared, *for_prefill, environment=environment)
        self.decode = simulate(*shared, *for_decode, environment=environment)
        bootstrap = [f"--{connector}-bootstrap-port={self.prefill.ports['bootstrap']}"] if connector in AT_ONCE else []
        self.proxy = Process("routing-proxy", "--listen-host=127.0.0.1", "--port=0", f"--vllm-port={self.decode.ports['simulator']}", "--log-format=json",
                             "--secure-proxy=false", f"--connector={connector}", *bootstrap,
                             environment={"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.backend.port}", "OTEL_BSP_SCHEDULE_DELAY": "50"}).wait_until_ready()

    def ask(self, target=None, **more):
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.ports["routing-proxy"], timeout=60)
        body = {"prompt": PROMPT, "max_tokens": 8, "ignore_eos": True, **more}
        connection.request("POST", "/v1/completions", json.dumps(body), {
            "x-prefiller-host-port": target or f"127.0.0.1:{self.prefill.ports['simulator']}", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "x-request-id": "r"})
        response = connection.getresponse()
        answer = response.status, response.read().decode()
        connection.close()
        return answer

    def of_prefill(self, name, **labels):
        """Over all ranks."""
        pages = [request(f"http://127.0.0.1:{port}/metrics")[2].decode() for server, port in self.prefill.ports.items() if server.startswith("simulator")]
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(float(line.rsplit(" ", 1)[1]) for page in pages for line in page.splitlines() if line.split("{")[0] == name and all(label in line for label in wanted))

    def spans(self):
        """[(service, span, attributes)], of processes that have ended."""
        assert (self.proxy.stop(), self.prefill.stop(), self.decode.stop()) == (0, 0, 0)
        found = []
        for body in self.backend.bodies:
            for resource in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans:
                service = next(item.value.string_value for item in resource.resource.attributes if item.key == "service.name")
                found += [(service, span, {item.key: value_of(item.value) for item in span.attributes}) for scope in resource.scope_spans for span in scope.spans]
        return found

    def stop(self):
        self.proxy.stop()
        self.backend.stop()


@pytest.fixture
def pair(simulate):
    made = []

    def make(connector, **options):
        made.append(Pair(simulate, connector, **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


# Scenario: a request whole and one streamed; with mooncake at one of two ranks of prefill.
# Guarantees: the text is that of one server alone; prefill computes the prompt and gives one token, decode computes none of it; prefill's blocks are let go; decode waits for
# prefill and the transfer in its queue, not in its prefill; all spans are in the client's trace, prefill's below the proxy's call of it.
@pytest.mark.parametrize("connector", AT_ONCE)
def test_both_are_asked_at_once(pair, simulate, connector):
    both = pair(connector)
    status, text = both.ask()
    alone = simulate("--seed=3").post("/v1/completions", {"prompt": PROMPT, "max_tokens": 8, "ignore_eos": True})[2]
    answer = json.loads(text)
    assert (status, answer["choices"][0]["text"]) == (200, alone["choices"][0]["text"]) and answer["usage"] == alone["usage"]
    status, text = both.ask(stream=True)
    events = [event.removeprefix("data: ") for event in text.split("\n\n") if event]
    assert (status, events[-1]) == (200, "[DONE]")
    assert "".join(json.loads(event)["choices"][0]["text"] for event in events[:-1]) == alone["choices"][0]["text"]

    prompt = alone["usage"]["prompt_tokens"]
    assert both.of_prefill("vllm:generation_tokens_total") == 2 and both.of_prefill("vllm:prompt_tokens_by_source_total", source="local_compute") == 2 * prompt
    assert both.of_prefill("vllm:kv_cache_usage_perc") == 0
    assert both.decode.metric("vllm:prompt_tokens_by_source_total", source="external_kv_transfer") == 2 * (prompt - 1)
    assert both.decode.metric("vllm:nixl_num_failed_transfers_total") == 0

    spans = both.spans()
    assert {span.trace_id.hex() for _, span, _ in spans} == {TRACE}
    by_id = {span.span_id: span for _, span, _ in spans}
    for service, count in (("vllm-prefill", 2), ("vllm-decode", 2)):
        requests = [(span, attributes) for name, span, attributes in spans if name == service]
        assert len(requests) == count and {by_id[span.parent_span_id].name for span, _ in requests} == {"HTTP POST"}
        queued = [attributes["gen_ai.latency.time_in_queue"] for _, attributes in requests]
        least = (PREFILL_MS + TRANSFER_MS - LATE_MS) / 1000 if service == "vllm-decode" else 0
        assert all(seconds >= least for seconds in queued), (service, queued)
        in_prefill = [attributes["gen_ai.latency.time_in_model_prefill"] for _, attributes in requests]
        assert in_prefill == pytest.approx([0.002 if service == "vllm-decode" else PREFILL_MS / 1000] * 2)
    ended_prefills = [by_id[by_id[span.parent_span_id].parent_span_id].name for name, span, _ in spans if name == "vllm-prefill"]
    assert set(ended_prefills) == {"llm_d.pd_proxy.prefill"}


# Scenario: prefill is gone.
# Guarantees: with mooncake decode does all by itself; with sglang the client is told, since its decode servers can do nothing else.
@pytest.mark.parametrize("connector, expected", [("sglang", 502), ("mooncake", 200)])
def test_prefill_is_gone(pair, connector, expected):
    both = pair(connector)
    assert both.prefill.stop() == 0
    assert both.ask()[0] == expected
    assert both.decode.metric("vllm:num_requests_running") == 0


# Scenario: decode servers are asked for blocks by a room or transfer that nobody offers, of another engine, and where no bootstrap server is.
# Guarantees: the prompt is computed here, or the request fails if it is to; the failed transfer is counted.
def test_blocks_that_nobody_offers(pair):
    both = pair("mooncake")
    params = {"do_remote_prefill": True, "do_remote_decode": False, "transfer_id": "xfer-1", "remote_engine_id": "another",
              "remote_bootstrap_addr": f"http://127.0.0.1:{both.prefill.ports['bootstrap']}"}
    for changes in ({}, {"remote_bootstrap_addr": "http://127.0.0.1:1"}):
        status, _, answer = both.decode.post("/v1/completions", {"prompt": "a b", "max_tokens": 2, "ignore_eos": True, "kv_transfer_params": {**params, **changes}})
        assert status == 200 and answer["usage"]["completion_tokens"] == 2
    assert both.decode.metric("vllm:nixl_num_failed_transfers_total") == 2
    engines = json.loads(request(f"http://127.0.0.1:{both.prefill.ports['bootstrap']}/query")[2])
    assert engines.keys() == {"0", "1"} and engines["1"]["engine_id"].endswith("_dp1")
    failing = pair("mooncake", decode_flags=['--kv-transfer-config={"kv_connector": "MooncakeConnector", "kv_role": "kv_consumer", "kv_load_failure_policy": "fail"}'])
    status, _, answer = failing.decode.post("/v1/completions", {"prompt": "a", "kv_transfer_params": {**params, "remote_bootstrap_addr": "http://127.0.0.1:1"}})
    assert (status, answer["error"]["type"]) == (500, "InternalServerError")


# Scenario: shared storage; a prompt that decode is to answer only if half of it is in its cache, whole and streamed: unknown at first, then known.
# Guarantees: decode declines, prefill is asked, and decode answers then; once it knows the prompt prefill is not asked any more.
def test_decode_is_asked_first(pair):
    both = pair("shared-storage")
    declined = lambda: both.decode.metric("vllm:request_success_total", finished_reason="cache_threshold")  # noqa: E731
    for count, stream in enumerate((False, True), 1):
        prompt = f"{count} {PROMPT}"
        for _ in range(2):
            status, text = both.ask(prompt=prompt, cache_hit_threshold=0.5, stream=stream)
            assert status == 200 and "cache_threshold" not in text and ("[DONE]" in text) == stream
        assert (both.of_prefill("vllm:generation_tokens_total"), declined()) == (count, count)
    assert both.decode.metric("vllm:request_success_total", finished_reason="length") == 4
