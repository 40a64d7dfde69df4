# SPDX-License-Identifier: Apache-2.0
"""`spanloom serve --data-dir` is killed under load, again and again.

Scenario: threads send requests of a few spans over gRPC, some of them late spans of earlier traces; the process gets SIGKILL at any moment and is
started again; what was not acknowledged is sent again, byte for byte, as is some of what was.
Guarantees: every span that was acknowledged is found, once; nothing is found that was not sent.
"""

import random
import threading

import grpc
from conftest import EXPORT, wait_for
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

KILLS = 25
THREADS = 4
ACKNOWLEDGED_BEFORE_KILL_MAX = 120  # requests; the kill comes somewhere below
SEED = 20_261_126


def make_request(rng, trace_ids):
    """A request with spans of a new trace, or of an earlier one."""
    trace_id = rng.choice(trace_ids) if trace_ids and rng.random() < 0.2 else rng.randbytes(16)
    message = trace_service_pb2.ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    attribute = resource_spans.resource.attributes.add()
    attribute.key, attribute.value.string_value = "service.name", "sender"
    scope_spans = resource_spans.scope_spans.add()
    for _ in range(rng.randint(1, 8)):
        start = 1_700_000_000_000_000_000 + rng.randrange(10**12)
        scope_spans.spans.add(trace_id=trace_id, span_id=rng.randbytes(8), name="work", start_time_unix_nano=start, end_time_unix_nano=start + 1000)
    return trace_id, message


class Senders:
    """What was sent, and what of it was acknowledged: span ids by trace id."""

    def __init__(self):
        self.rng = random.Random(SEED)
        self.lock = threading.Lock()
        self.sent, self.acknowledged = {}, {}
        self.unanswered, self.answered = [], []
        self.count = 0

    def next_body(self):
        with self.lock:
            if self.unanswered:
                return self.unanswered.pop()
            if self.answered and self.rng.random() < 0.1:
                return self.rng.choice(self.answered)
            trace_id, message = make_request(self.rng, list(self.sent))
            self.sent.setdefault(trace_id, set()).update(span.span_id for span in message.resource_spans[0].scope_spans[0].spans)
            return message.SerializeToString()

    def note(self, body, is_acknowledged):
        with self.lock:
            if not is_acknowledged:
                self.unanswered.append(body)
                return
            self.answered.append(body)
            self.count += 1
            for span in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans:
                self.acknowledged.setdefault(span.trace_id, set()).add(span.span_id)

    def run(self, port, kill_at, kill):
        """Sends until the server does not answer any more."""
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary(EXPORT, request_serializer=lambda data: data, response_deserializer=lambda data: data)
            while True:
                body = self.next_body()
                try:
                    call(body, timeout=30)
                except grpc.RpcError:
                    self.note(body, False)
                    return
                self.note(body, True)
                if self.count >= kill_at:
                    kill()


def check(server, senders, traces):
    for trace_id in traces:
        found = [span["spanID"] for span in server.trace(trace_id.hex())["spans"]]
        assert len(found) == len(set(found)), f"trace {trace_id.hex()} has spans twice"
        ids = {bytes.fromhex(span_id) for span_id in found}
        assert senders.acknowledged[trace_id] <= ids, f"trace {trace_id.hex()} lacks spans that were acknowledged"
        assert ids <= senders.sent[trace_id], f"trace {trace_id.hex()} has spans that were not sent"


def kill_again_and_again(start, data_dir, kills):
    senders = Senders()
    for number in range(kills):
        server = start(f"--data-dir={data_dir}")
        if number % 5 == 4:  # what the log gave back goes to a segment when nothing is sent for a second
            wait_for(lambda: server.metric("spanloom_store_head_bytes") == 0)
        check(server, senders, senders.rng.sample(sorted(senders.acknowledged), min(20, len(senders.acknowledged))))
        kill_at = senders.count + senders.rng.randint(1, ACKNOWLEDGED_BEFORE_KILL_MAX)
        threads = [threading.Thread(target=senders.run, args=(server.grpc_port, kill_at, server.process.kill)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        server.stop()
    server = start(f"--data-dir={data_dir}")
    assert len(senders.acknowledged) > kills
    check(server, senders, senders.acknowledged)
    assert server.metric("spanloom_store_segments") > 1
    assert server.stop() == 0


def test_what_is_acknowledged_survives_kills(start, tmp_path):
    kill_again_and_again(start, tmp_path, KILLS)
