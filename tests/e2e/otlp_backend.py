# SPDX-License-Identifier: Apache-2.0
"""What exporters send to."""

import concurrent.futures
import threading

import grpc
from conftest import EXPORT
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_expectations import expected_spans


class Backend:
    """An OTLP gRPC server that keeps what it is sent; the first `failures` calls are refused as unavailable. Port 0 picks a free one.
    `method` is another one than that of traces; `credentials` make it speak TLS."""

    def __init__(self, failures=0, request_bytes_max=4 << 20, port=0, method=EXPORT, credentials=None):
        self.bodies, self._failures, self._arrived = [], failures, threading.Condition()
        handler = grpc.unary_unary_rpc_method_handler(self._export)
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(4),
                                   options=[("grpc.max_receive_message_length", request_bytes_max)])
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(method.split("/")[1], {"Export": handler})])
        address = f"127.0.0.1:{port}"
        self.port = self._server.add_secure_port(address, credentials) if credentials else self._server.add_insecure_port(address)
        self._server.start()

    def _export(self, body, context):
        with self._arrived:
            if self._failures > 0:
                self._failures -= 1
                context.abort(grpc.StatusCode.UNAVAILABLE, "starting")
            self.bodies.append(body)
            self._arrived.notify_all()
            return b""

    def spans(self):
        spans = {}
        for body in self.bodies:
            for key, found in expected_spans(trace_service_pb2.ExportTraceServiceRequest.FromString(body)).items():
                spans.setdefault(key, []).extend(found)
        return spans

    def wait_for_spans(self, count):
        with self._arrived:
            assert self._arrived.wait_for(lambda: sum(len(found) for found in self.spans().values()) >= count, 30)

    def wait_for_bodies(self, count):
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.bodies) >= count, 30)

    def stop(self):
        self._server.stop(0)
