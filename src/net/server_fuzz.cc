// SPDX-License-Identifier: Apache-2.0
//
// Whatever bytes a client sends, to a server that speaks HTTP/1.1, HTTP/2 and gRPC, whole and streamed: no crash, and
// the connection ends once the client has closed its half. The first byte says into which pieces the rest is cut.

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/detail/asio.h"
#include "net/detail/new_connection.h"
#include "net/testing/stream_handlers.h"

namespace {

using namespace spanloom;
using namespace spanloom::net;

ServerOptions Options() {
  ServerOptions options;
  options.name = "fuzz";
  options.limits = {.message_bytes_max = 1 << 16,
                    .body_bytes_max = 1 << 16,
                    .header_bytes_max = 8 << 10,
                    .held_bytes_max = 1 << 20,
                    .first_byte_max = std::chrono::milliseconds(0),
                    .write_max = std::chrono::milliseconds(0)};
  options.grpc["/t.E/E"] = [](GrpcRequest request, GrpcResponder responder) {
    std::move(responder).Respond(std::move(request.message));
  };
  options.grpc["/t.E/S"] = &GrpcEchoStream::Start;
  options.http = [](HttpRequest request, HttpResponder responder) {
    HttpResponse response;
    response.body = std::move(request.body);
    std::move(responder).Respond(std::move(response));
  };
  options.http_stream = &HttpEchoStream::Start;
  options.is_streamed = [](const HttpRequest& head) { return head.path == "/s"; };
  return options;
}

// A server without listeners; its connections are socket pairs.
struct Fixture {
  LoopPool loops{1};
  MetricRegistry metrics;
  std::shared_ptr<ServerContext> context = std::make_shared<ServerContext>(loops, metrics, Options());
  std::shared_ptr<ConnectionSet> connections = std::make_shared<ConnectionSet>();

  // The client's end of a new connection.
  int Connect() {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    Loop& loop = loops.At(0);
    loop.Post([this, &loop, server_end = ends[0]] {
      Socket socket(Context(loop), asio::generic::stream_protocol(AF_UNIX, 0), server_end);
      NewConnection::Serve(loop, Transport(std::move(socket)), "peer", ConnectionSlot(context), connections);
    });
    return ends[1];
  }
};

// What the server has said so far, thrown away; true if it is through.
bool Drain(int client, int flags) {
  std::array<char, 16384> buffer;
  ssize_t bytes = 0;
  while ((bytes = recv(client, buffer.data(), buffer.size(), flags)) > 0) {
  }
  return bytes == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Fixture& fixture = *new Fixture;
  if (size < 1) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t piece_bytes = data[0] == 0 ? bytes.size() : size_t{data[0]} * 16;
  const int client = fixture.Connect();
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, piece_bytes);
    if (send(client, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
    bytes.remove_prefix(piece.size());
    Drain(client, MSG_DONTWAIT);
  }
  shutdown(client, SHUT_WR);
  Drain(client, 0);
  close(client);
  return 0;
}
