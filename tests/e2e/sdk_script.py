# SPDX-License-Identifier: Apache-2.0
"""tests/sdk/sdk_peer.cc with the OpenTelemetry SDK for Python: the same modes, scripts, variables and output."""

import os
import sys
import threading

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

KINDS = {1: SpanKind.INTERNAL, 2: SpanKind.SERVER, 3: SpanKind.CLIENT, 4: SpanKind.PRODUCER, 5: SpanKind.CONSUMER}
READERS = {"s": str, "i": int, "d": float, "b": "true".__eq__}
STATUSES = {0: StatusCode.UNSET, 1: StatusCode.OK, 2: StatusCode.ERROR}


def value_of(kind, text):
    if kind.isupper():
        return [READERS[kind.lower()](item) for item in text.split("|")]
    return READERS[kind](text)


def attributes_of(fields):
    return {fields[i]: value_of(fields[i + 1], fields[i + 2]) for i in range(0, len(fields), 3)}


class Script:
    def __init__(self, tracer):
        self._tracer, self._remote, self._spans, self._contexts = tracer, None, {}, {}

    def _context(self, name):
        return {"-": None, "remote": self._remote}.get(name) if name in ("-", "remote") else self._contexts[name]

    def extract(self, *headers):
        self._remote = propagate.extract(dict(header.split("=", 1) for header in headers))

    def start(self, name, kind, parent, title):
        context = self._context(parent)
        self._spans[name] = self._tracer.start_span(title, context=context, kind=KINDS[int(kind)])
        self._contexts[name] = trace.set_span_in_context(self._spans[name], context)

    def set(self, span, key, kind, text):
        self._spans[span].set_attribute(key, value_of(kind, text))

    def event(self, span, name, *fields):
        self._spans[span].add_event(name, attributes_of(fields))

    def link(self, span, other, *fields):
        context = trace.get_current_span(self._context(other)).get_span_context()
        self._spans[span].add_link(context, attributes_of(fields))

    def status(self, span, code, message):
        self._spans[span].set_status(Status(STATUSES[int(code)], message or None))

    def end(self, span):
        thread = threading.Thread(target=self._spans[span].end)
        thread.start()
        thread.join()

    def inject(self, span):
        headers = {}
        propagate.inject(headers, self._contexts[span])
        print("\t".join(f"{name}={value}" for name, value in headers.items()))


def main(mode):
    provider = TracerProvider()
    if mode == "decide":
        for line in sys.stdin:
            print(int(provider.sampler.should_sample(None, int(line, 16), "x").decision is sampling.Decision.RECORD_AND_SAMPLE))
        return
    exporter = HttpExporter() if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "http/protobuf" else GrpcExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    script = Script(provider.get_tracer("peer.scope", "1.5"))
    for line in sys.stdin:
        command, *fields = line.rstrip("\n").split("\t")
        getattr(script, command)(*fields)
    provider.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
