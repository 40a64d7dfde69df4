# SPDX-License-Identifier: Apache-2.0
"""gRPC's interoperability cases between src/net and grpc-go's own interop client and server. Long tier."""

import socket
import subprocess

import pytest
from interop_peers import GRPC_GO, OurServer, expect_success, go_tool, run_client, wait_for_port

# Cases of grpc-go's client, by what our server must have for them.
UNARY = ["empty_unary", "large_unary", "special_status_message", "unimplemented_method", "unimplemented_service", "rpc_soak", "channel_soak"]
STREAMING = ["client_streaming", "server_streaming", "ping_pong", "empty_stream", "timeout_on_sleeping_server", "cancel_after_begin",
             "cancel_after_first_response", "status_code_and_message", "custom_metadata"]
# Cases of our client. grpc-go's server knows no compression.
OURS = ["empty_unary", "large_unary", "status_code_and_message", "special_status_message", "every_status_code", "unimplemented_method",
        "unimplemented_service", "many_calls", "large_metadata", "custom_metadata", "server_streaming", "long_server_streaming",
        "client_streaming", "long_client_streaming", "ping_pong", "empty_stream", "cancel_after_begin", "cancel_after_first_response",
        "timeout_on_sleeping_server", "status_of_a_stream"]


@pytest.fixture(scope="module")
def our_server():
    server = OurServer()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def go_server():
    """grpc-go's server prints no port: one is picked for it."""
    binary = go_tool("google.golang.org/grpc/interop/server", GRPC_GO)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = subprocess.Popen([binary, "-port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_port(port)
    yield port
    process.kill()
    process.wait()


def run_go(server, case):
    expect_success(go_tool("google.golang.org/grpc/interop/client", GRPC_GO), "-server_host", "127.0.0.1", "-server_port", server.port, "-test_case", case)


@pytest.mark.parametrize("case", UNARY)
def test_grpc_go_calls_our_server(our_server, case):
    run_go(our_server, case)


@pytest.mark.parametrize("case", STREAMING)
def test_grpc_go_streams_with_our_server(our_server, case):
    run_go(our_server, case)


@pytest.mark.parametrize("case", OURS)
def test_our_client_calls_grpc_go(go_server, case):
    run_client(go_server, case)


# Scenario: every case after the other, twice, on one connection.
# Guarantees: none leaves the connection in a state that breaks the next.
def test_our_client_with_every_case_on_one_connection(go_server):
    run_client(go_server, *OURS, *OURS)
