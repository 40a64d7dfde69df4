# SPDX-License-Identifier: Apache-2.0
"""gRPC's interoperability cases between src/net and a gRPC C++ program (tests/interop/grpc_cpp). Long tier."""

import pytest
from interop_peers import OurServer, PrintsItsPort, expect_success, grpc_cpp, run_client

UNARY = ["empty_unary", "large_unary", "compressed_unary", "deflated_unary", "client_compressed_unary", "server_compressed_unary", "custom_metadata",
         "status_code_and_message", "unimplemented_method", "many_calls"]
STREAMING = ["half_duplex", "client_streaming", "server_streaming", "ping_pong", "empty_stream", "cancel_after_begin", "cancel_after_first_response",
             "timeout_on_sleeping_server"]
OURS = ["empty_unary", "large_unary", "compressed_unary", "client_compressed_unary", "server_compressed_unary", "status_code_and_message", "special_status_message",
        "every_status_code", "unimplemented_method", "unimplemented_service", "many_calls", "large_metadata", "custom_metadata",
        "server_streaming", "long_server_streaming", "client_streaming", "long_client_streaming", "ping_pong", "half_duplex", "empty_stream",
        "cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server", "status_of_a_stream"]


@pytest.fixture(scope="module")
def our_server():
    server = OurServer()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def cpp_server():
    server = PrintsItsPort(grpc_cpp(), "server")
    yield server
    server.kill()


@pytest.mark.parametrize("case", UNARY)
def test_grpc_cpp_calls_our_server(our_server, case):
    expect_success(grpc_cpp(), "client", f"127.0.0.1:{our_server.port}", case)


@pytest.mark.parametrize("case", STREAMING)
def test_grpc_cpp_streams_with_our_server(our_server, case):
    expect_success(grpc_cpp(), "client", f"127.0.0.1:{our_server.port}", case)


@pytest.mark.parametrize("case", OURS)
def test_our_client_calls_grpc_cpp(cpp_server, case):
    run_client(cpp_server.port, case)


# Scenario: every case after the other, twice, on one connection.
# Guarantees: none leaves the connection in a state that breaks the next.
def test_our_client_with_every_case_on_one_connection(cpp_server):
    run_client(cpp_server.port, *OURS, *OURS)


# Scenario: the peer's client against the peer's server.
# Guarantees: the peer itself is right, so that a failure above is ours.
@pytest.mark.parametrize("case", UNARY + STREAMING)
def test_the_peer_with_itself(cpp_server, case):
    expect_success(grpc_cpp(), "client", f"127.0.0.1:{cpp_server.port}", case)
