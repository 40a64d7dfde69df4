# SPDX-License-Identifier: Apache-2.0
"""gRPC's interoperability cases between src/net and grpcio (gRPC's C core), both ways.

Cases and sizes: doc/interop-test-descriptions.md of grpc/grpc. tests/interop has our ends.
"""

import concurrent.futures
import itertools
import threading
import time

import grpc
import pytest
from interop_messages import InputRequest, InputResponse, OutputRequest, OutputResponse, SimpleRequest, SimpleResponse
from interop_peers import OurServer, run_client

EMPTY, UNARY = "/grpc.testing.TestService/EmptyCall", "/grpc.testing.TestService/UnaryCall"
INPUT, OUTPUT, DUPLEX, HALF_DUPLEX = (f"/grpc.testing.TestService/{name}" for name in ("StreamingInputCall", "StreamingOutputCall", "FullDuplexCall", "HalfDuplexCall"))
LARGE_REQUEST, LARGE_RESPONSE = 271_828, 314_159
REQUEST_SIZES, RESPONSE_SIZES = [27_182, 8, 1_828, 45_904], [31_415, 9, 2_653, 58_979]
SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP \U0001f608\t\n"
CALL_SECONDS_MAX = 30
CASES = ["empty_unary", "large_unary", "compressed_unary", "server_compressed_unary", "status_code_and_message", "special_status_message",
         "every_status_code", "unimplemented_method", "unimplemented_service", "many_calls", "deadline_exceeded", "large_metadata", "custom_metadata"]
STREAMING_CASES = ["server_streaming", "long_server_streaming", "client_streaming", "long_client_streaming", "ping_pong", "half_duplex", "empty_stream",
                   "cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server", "status_of_a_stream"]
ALL_CASES = CASES + STREAMING_CASES


@pytest.fixture
def our_server():
    server = OurServer()
    yield server
    server.kill()


@pytest.fixture
def channel(our_server):
    with grpc.insecure_channel(f"127.0.0.1:{our_server.port}") as channel:
        yield channel


def unary(channel, method=UNARY):
    return channel.unary_unary(method, request_serializer=lambda message: message if isinstance(message, bytes) else message.SerializeToString(),
                               response_deserializer=SimpleResponse.FromString)


def large_request(**fields):
    return SimpleRequest(response_size=LARGE_RESPONSE, payload={"body": bytes(LARGE_REQUEST)}, **fields)


# ------------------------------------------------------------------------------------------------- grpcio calls our server


def test_empty_and_large_unary(channel):
    assert unary(channel, EMPTY)(b"", timeout=CALL_SECONDS_MAX) == SimpleResponse()
    assert unary(channel)(large_request(), timeout=CALL_SECONDS_MAX).payload.body == bytes(LARGE_RESPONSE)


# Scenario: each message coding of grpcio, for the request; the answer comes in the same one.
# Guarantees: gzip and deflate arrive whole, and the answer says that it is compressed.
@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_unary(channel, compression):
    answer, call = unary(channel).with_call(large_request(), compression=compression, timeout=CALL_SECONDS_MAX)
    assert answer.payload.body == bytes(LARGE_RESPONSE)
    assert call.code() == grpc.StatusCode.OK


# Scenario: every error code, with plain words and with words that must be escaped in trailers.
# Guarantees: code and message arrive as they were.
@pytest.mark.parametrize("message", ["test status message", SPECIAL_MESSAGE, "", "100 %"])
def test_status_code_and_message(channel, message):
    for code in grpc.StatusCode:
        number = code.value[0]
        if number == 0:
            continue
        with pytest.raises(grpc.RpcError) as error:
            unary(channel)(SimpleRequest(response_status={"code": number, "message": message}), timeout=CALL_SECONDS_MAX)
        assert (error.value.code(), error.value.details()) == (code, message)


@pytest.mark.parametrize("method", ["/grpc.testing.TestService/UnimplementedCall", "/grpc.testing.UnimplementedService/UnimplementedCall"])
def test_unimplemented(channel, method):
    with pytest.raises(grpc.RpcError) as error:
        unary(channel, method)(b"", timeout=CALL_SECONDS_MAX)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


# Scenario: a call that is never answered, with a deadline; then another call on the same connection.
# Guarantees: DEADLINE_EXCEEDED in time; the connection goes on.
def test_deadline_is_exceeded(channel):
    with pytest.raises(grpc.RpcError) as error:
        unary(channel, "/spanloom.testing.Sleep/Forever")(b"", timeout=0.05)
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert unary(channel, EMPTY)(b"", timeout=CALL_SECONDS_MAX) == SimpleResponse()


# Scenario: calls that are cancelled before they are answered.
# Guarantees: the client sees CANCELLED; the server drains without them.
def test_cancelled_calls_are_let_go(our_server, channel):
    calls = [unary(channel, "/spanloom.testing.Sleep/Forever").future(b"") for _ in range(50)]
    assert unary(channel, EMPTY)(b"", timeout=CALL_SECONDS_MAX) == SimpleResponse()
    for call in calls:
        call.cancel()
        assert call.code() == grpc.StatusCode.CANCELLED
    assert unary(channel, EMPTY)(b"", timeout=CALL_SECONDS_MAX) == SimpleResponse()
    assert our_server.stop().cut_off == 0


# Scenario: 1000 calls at once on one connection.
# Guarantees: each gets its own answer.
def test_many_concurrent_calls(channel):
    calls = [unary(channel).future(SimpleRequest(response_size=size), timeout=CALL_SECONDS_MAX) for size in range(1000)]
    assert [len(call.result().payload.body) for call in calls] == list(range(1000))


# Scenario: a header that needs several frames, and a binary one.
# Guarantees: the call goes through.
def test_large_metadata(channel):
    metadata = [("x-large", "m" * 40_000), ("x-test-bin", bytes(range(256)))]
    assert unary(channel, EMPTY)(b"", metadata=metadata, timeout=CALL_SECONDS_MAX) == SimpleResponse()


# Scenario: the server is told to stop while calls are on their way.
# Guarantees: none is lost: each that reached the service was answered and the answer arrived; the others are UNAVAILABLE, which is safe to
# send again.
def test_no_call_is_lost_when_the_server_drains(our_server, channel):
    calls = [unary(channel).future(large_request(), timeout=CALL_SECONDS_MAX) for _ in range(200)]
    calls[0].result()
    drained = our_server.stop()
    codes = [call.code() for call in calls]
    assert set(codes) <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    assert (drained.unary_calls, drained.cut_off) == (codes.count(grpc.StatusCode.OK), 0)


# Scenario: the server drains while streams are in the middle of their conversation, which goes on until no new call is taken any more.
# Guarantees: each goes on and ends with OK; the server waits for them.
def test_streams_outlive_a_drain(our_server, channel):
    go_on = threading.Event()

    def requests():
        yield asking_for(9)
        assert go_on.wait(CALL_SECONDS_MAX)
        yield asking_for(*RESPONSE_SIZES)

    streams = [duplex_call(channel)(requests(), timeout=CALL_SECONDS_MAX) for _ in range(20)]
    assert [len(next(stream).payload.body) for stream in streams] == [9] * 20
    our_server.begin_to_drain()
    wait_until_refused(channel)
    go_on.set()
    assert [sizes_of(stream) for stream in streams] == [RESPONSE_SIZES] * 20
    assert {stream.code() for stream in streams} == {grpc.StatusCode.OK}
    assert our_server.wait().cut_off == 0


def wait_until_refused(channel):
    deadline = time.monotonic() + CALL_SECONDS_MAX
    code = grpc.StatusCode.OK
    while code == grpc.StatusCode.OK and time.monotonic() < deadline:
        code = unary(channel, EMPTY).future(b"", timeout=CALL_SECONDS_MAX).code()
    assert code == grpc.StatusCode.UNAVAILABLE


def messages(sizes):
    return (InputRequest(payload={"body": bytes(size)}) for size in sizes)


def asking_for(*sizes, **fields):
    return OutputRequest(response_parameters=[{"size": size} for size in sizes], **fields)


def output_call(channel):
    return channel.unary_stream(OUTPUT, request_serializer=OutputRequest.SerializeToString, response_deserializer=OutputResponse.FromString)


def duplex_call(channel):
    return channel.stream_stream(DUPLEX, request_serializer=OutputRequest.SerializeToString, response_deserializer=OutputResponse.FromString)


def sizes_of(answers):
    return [len(answer.payload.body) for answer in answers]


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_client_streaming(channel, compression):
    call = channel.stream_unary(INPUT, request_serializer=InputRequest.SerializeToString, response_deserializer=InputResponse.FromString)
    assert call(messages(REQUEST_SIZES), compression=compression, timeout=CALL_SECONDS_MAX).aggregated_payload_size == sum(REQUEST_SIZES)
    assert call(messages([10_000] * 2_000), compression=compression, timeout=CALL_SECONDS_MAX).aggregated_payload_size == 20_000_000


def test_server_streaming(channel):
    call = output_call(channel)
    assert sizes_of(call(asking_for(*RESPONSE_SIZES), timeout=CALL_SECONDS_MAX)) == RESPONSE_SIZES
    assert sizes_of(call(asking_for(), timeout=CALL_SECONDS_MAX)) == []


# Scenario: a client that reads slowly asks for far more than a window holds.
# Guarantees: all of it arrives in order.
def test_server_streaming_to_a_slow_reader(channel):
    answers = output_call(channel)(asking_for(*[100_000] * 200), timeout=CALL_SECONDS_MAX)
    count = 0
    for answer in answers:
        count += len(answer.payload.body)
        time.sleep(0.001)
    assert count == 20_000_000


# Scenario: each message is sent when the answer to the one before has come.
# Guarantees: nothing waits for the end of the stream.
def test_ping_pong(channel):
    turn = threading.Semaphore(1)

    def requests():
        for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
            turn.acquire(timeout=CALL_SECONDS_MAX)
            yield asking_for(response_size, payload={"body": bytes(request_size)})

    sizes = []
    for answer in duplex_call(channel)(requests(), timeout=CALL_SECONDS_MAX):
        sizes.append(len(answer.payload.body))
        turn.release()
    assert sizes == RESPONSE_SIZES


def test_empty_stream(channel):
    assert list(duplex_call(channel)(iter(()), timeout=CALL_SECONDS_MAX)) == []


# Scenario: a stream whose second message asks for an error.
# Guarantees: the first is answered; then the code and the message.
def test_status_ends_a_stream(channel):
    ending = asking_for(response_status={"code": 2, "message": SPECIAL_MESSAGE})
    answers = duplex_call(channel)(iter([asking_for(9), ending]), timeout=CALL_SECONDS_MAX)
    assert len(next(answers).payload.body) == 9
    with pytest.raises(grpc.RpcError) as error:
        next(answers)
    assert (error.value.code(), error.value.details()) == (grpc.StatusCode.UNKNOWN, SPECIAL_MESSAGE)


# Scenario: streams that are cancelled before the first message, and after the first answer; then a call on the same connection.
# Guarantees: CANCELLED; the server lets go of them, and the connection goes on.
def test_cancelled_streams_are_let_go(our_server, channel):
    waits = threading.Event()

    def one_and_wait():
        yield asking_for(RESPONSE_SIZES[0])
        waits.wait(CALL_SECONDS_MAX)

    begun = channel.stream_unary(INPUT).future(iter(lambda: waits.wait(CALL_SECONDS_MAX) and b"", b""))
    begun.cancel()
    assert begun.code() == grpc.StatusCode.CANCELLED
    answers = duplex_call(channel)(one_and_wait())
    assert len(next(answers).payload.body) == RESPONSE_SIZES[0]
    answers.cancel()
    assert answers.code() == grpc.StatusCode.CANCELLED
    waits.set()
    assert unary(channel, EMPTY)(b"", timeout=CALL_SECONDS_MAX) == SimpleResponse()
    assert our_server.stop().cut_off == 0


# Scenario: a stream on which the client says nothing, with a deadline.
# Guarantees: DEADLINE_EXCEEDED; the connection goes on.
def test_timeout_on_a_sleeping_stream(channel):
    waits = threading.Event()
    with pytest.raises(grpc.RpcError) as error:
        list(duplex_call(channel)((request for request in [asking_for()] if not waits.wait(1)), timeout=0.05))
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert unary(channel, EMPTY)(b"", timeout=CALL_SECONDS_MAX) == SimpleResponse()


# Scenario: connections may become 200 ms old; calls follow each other, many at a time, for two seconds.
# Guarantees: the client is sent away several times; every call is answered, and reached the service once.
def test_no_call_is_lost_over_our_max_connection_age():
    server = OurServer(age_max_ms=200)
    end, count = time.monotonic() + 2, 0
    try:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            while time.monotonic() < end:
                calls = [unary(channel).future(SimpleRequest(response_size=1_000), timeout=CALL_SECONDS_MAX) for _ in range(20)]
                assert {call.code() for call in calls} == {grpc.StatusCode.OK}
                count += len(calls)
        drained = server.stop()
        assert (drained.unary_calls, drained.cut_off) == (count, 0)
        assert drained.connections >= 3
    finally:
        server.kill()


# Scenario: the case custom_metadata: a text and bytes, with a unary call and with a stream.
# Guarantees: both come back, with the headers and with the status.
def test_custom_metadata(channel):
    initial, trailing = ("x-grpc-test-echo-initial", "test_initial_metadata_value"), ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")
    answer, call = unary(channel).with_call(large_request(), metadata=[initial, trailing], timeout=CALL_SECONDS_MAX)
    assert answer.payload.body == bytes(LARGE_RESPONSE)
    stream = duplex_call(channel)(iter([asking_for(LARGE_RESPONSE)]), metadata=[initial, trailing], timeout=CALL_SECONDS_MAX)
    assert sizes_of(stream) == [LARGE_RESPONSE]
    for ended in (call, stream):
        assert initial in [tuple(pair) for pair in ended.initial_metadata()]
        assert trailing in [tuple(pair) for pair in ended.trailing_metadata()]


# Scenario: the cases client_compressed_unary and client_compressed_streaming: messages that say of themselves whether they are compressed.
# Guarantees: the server sees whether that is so, for each message.
def test_the_server_sees_compression(channel):
    def ask(claim, compression):
        unary(channel)(large_request(expect_compressed={"value": claim}), compression=compression, timeout=CALL_SECONDS_MAX)

    def add_up(claim, compression):
        call = channel.stream_unary(INPUT, request_serializer=InputRequest.SerializeToString, response_deserializer=InputResponse.FromString)
        requests = [InputRequest(payload={"body": bytes(size)}, expect_compressed={"value": claim}) for size in (27_182, 45_904)]
        assert call(iter(requests), compression=compression, timeout=CALL_SECONDS_MAX).aggregated_payload_size == 73_086

    for call in (ask, add_up):
        call(True, grpc.Compression.Gzip)
        call(False, grpc.Compression.NoCompression)
        for claim, compression in ((True, grpc.Compression.NoCompression), (False, grpc.Compression.Gzip)):
            with pytest.raises(grpc.RpcError) as error:
                call(claim, compression)
            assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


# Scenario: a call that asks for everything first.
# Guarantees: the answers come, in order, at its end.
def test_half_duplex(channel):
    call = channel.stream_stream(HALF_DUPLEX, request_serializer=OutputRequest.SerializeToString, response_deserializer=OutputResponse.FromString)
    assert sizes_of(call((asking_for(size) for size in RESPONSE_SIZES), timeout=CALL_SECONDS_MAX)) == RESPONSE_SIZES


# ------------------------------------------------------------------------------------------------- our client calls grpcio


class GrpcioServer:
    """grpc.testing.TestService and a method that sleeps until the server ends. `options` are the channel arguments of gRPC's C core."""

    def __init__(self, **options):
        self.ended, self.metadata, self.peers, self.unary_calls = threading.Event(), [], set(), itertools.count()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), options=[(f"grpc.{name}", value) for name, value in options.items()])
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.testing.TestService", {
            "EmptyCall": grpc.unary_unary_rpc_method_handler(self.empty_call),
            "UnaryCall": grpc.unary_unary_rpc_method_handler(self.unary_call, SimpleRequest.FromString, SimpleResponse.SerializeToString),
            "StreamingOutputCall": grpc.unary_stream_rpc_method_handler(self.output_call, OutputRequest.FromString, OutputResponse.SerializeToString),
            "StreamingInputCall": grpc.stream_unary_rpc_method_handler(self.input_call, InputRequest.FromString, InputResponse.SerializeToString),
            "FullDuplexCall": grpc.stream_stream_rpc_method_handler(self.duplex_call, OutputRequest.FromString, OutputResponse.SerializeToString),
            "HalfDuplexCall": grpc.stream_stream_rpc_method_handler(self.half_duplex_call, OutputRequest.FromString, OutputResponse.SerializeToString),
        }), grpc.method_handlers_generic_handler("spanloom.testing.Sleep", {"Forever": grpc.unary_unary_rpc_method_handler(self.sleep)})))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def empty_call(self, request, context):
        self.metadata.append(context.invocation_metadata())
        return b""

    def echo_metadata(self, context):
        given = [tuple(pair) for pair in context.invocation_metadata()]
        context.send_initial_metadata([pair for pair in given if pair[0] == "x-grpc-test-echo-initial"])
        context.set_trailing_metadata([pair for pair in given if pair[0] == "x-grpc-test-echo-trailing-bin"])

    def unary_call(self, request, context):
        next(self.unary_calls)
        self.peers.add(context.peer())
        if request.response_status.code:
            context.set_code(next(code for code in grpc.StatusCode if code.value[0] == request.response_status.code))
            context.set_details(request.response_status.message)
            return SimpleResponse()
        context.set_compression(grpc.Compression.Gzip if request.response_compressed.value else grpc.Compression.NoCompression)
        self.echo_metadata(context)
        return SimpleResponse(payload={"body": bytes(request.response_size)})

    def output_call(self, request, context):
        for parameters in request.response_parameters:
            yield OutputResponse(payload={"body": bytes(parameters.size)})

    def input_call(self, requests, context):
        return InputResponse(aggregated_payload_size=sum(len(request.payload.body) for request in requests))

    def duplex_call(self, requests, context):
        self.echo_metadata(context)
        for request in requests:
            if request.response_status.code:
                context.abort(grpc.StatusCode.UNKNOWN, request.response_status.message)
            yield from self.output_call(request, context)

    def half_duplex_call(self, requests, context):
        for request in list(requests):
            yield from self.output_call(request, context)

    def sleep(self, request, context):
        self.ended.wait(CALL_SECONDS_MAX)
        return b""

    def stop(self):
        self.ended.set()
        self.server.stop(5).wait()


@pytest.fixture
def start_grpcio():
    servers = []

    def start(**options):
        servers.append(GrpcioServer(**options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("case", ALL_CASES)
def test_our_client(start_grpcio, case):
    run_client(start_grpcio().port, case)


# Scenario: every case after the other, on one connection.
# Guarantees: none leaves the connection in a state that breaks the next.
def test_our_client_with_every_case_on_one_connection(start_grpcio):
    run_client(start_grpcio().port, *ALL_CASES, *ALL_CASES)


# Scenario: our client sends a large header and a binary one.
# Guarantees: grpcio sees both as they were.
def test_metadata_arrives(start_grpcio):
    server = start_grpcio()
    run_client(server.port, "large_metadata")
    seen = dict(server.metadata[0])
    assert seen["x-large"] == "m" * 6000
    assert seen["x-test-bin"] == bytes([0, 1, 2, 255])
    assert seen["user-agent"].startswith("spanloom-interop")


# Scenario: the server sends its clients away every 200 ms (max connection age) while call follows call, and many at a time.
# Guarantees: our client moves to a new connection; every call is answered, and reached the service once.
@pytest.mark.parametrize("case", ["calls_over_goaway", "batches_over_goaway"])
def test_no_call_is_lost_over_max_connection_age(start_grpcio, case):
    server = start_grpcio(max_connection_age_ms=200, max_connection_age_grace_ms=5_000)
    run_client(server.port, case)
    assert len(server.peers) > 1  # it did move
    assert next(server.unary_calls) == 4_000


# ------------------------------------------------------------------------------------------------- our client calls our server


# Scenario: every case, those too that need a server that looks at compression.
# Guarantees: both ends agree.
def test_our_client_with_our_server(our_server):
    run_client(our_server.port, *ALL_CASES, "client_compressed_unary")
    assert our_server.stop().cut_off == 0
