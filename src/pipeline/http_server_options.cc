// SPDX-License-Identifier: Apache-2.0

#include "pipeline/http_server_options.h"

#include <absl/strings/ascii.h>

#include <memory>
#include <utility>

#include "base/text.h"
#include "net/compression.h"

namespace spanloom::pipeline {
namespace {

// What is said in every answer besides the answer. Immutable; shared with the handlers of requests.
struct HttpFront {
  config::StringMap response_headers;
  std::optional<Cors> cors;

  // What the answer says itself stands.
  void AddHeaders(net::HttpResponse& response) const {
    for (const auto& [name, value] : response_headers) {
      if (response.headers.Get(absl::AsciiStrToLower(name)).empty()) response.headers.Add(name, value);
    }
  }

  void Adorn(std::string_view origin, net::HttpResponse& response) const {
    AddHeaders(response);
    if (cors) cors->Permit(origin, response);
  }
};

// A responder that adorns the answer before it passes it on.
net::HttpResponder Adorned(const std::shared_ptr<const HttpFront>& front, const net::HttpRequest& request,
                           net::HttpResponder responder) {
  return net::HttpResponder([front, origin = std::string(request.headers.Get("origin")),
                             responder = std::move(responder)](net::HttpResponse response) mutable {
    front->Adorn(origin, response);
    std::move(responder).Respond(std::move(response));
  });
}

}  // namespace

void DeclareTransport(config::OptionsReader& r, ListenTransport& transport) {
  static constexpr std::pair<std::string_view, ListenTransport> kTransports[] = {{"tcp", ListenTransport::kTcp},
                                                                                 {"unix", ListenTransport::kUnix}};
  r.Choice<ListenTransport>("transport", transport, kTransports, "What the endpoint is: tcp, or unix for a path.");
}

Status ValidateTransport(ListenTransport transport, const std::string& endpoint) {
  if (transport == ListenTransport::kTcp || !endpoint.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("transport unix needs an endpoint: the path of the socket");
}

std::string AddressOf(const std::string& endpoint, ListenTransport transport, const BuildContext& context,
                      uint16_t port) {
  const bool is_bare_path = transport == ListenTransport::kUnix && !endpoint.starts_with("unix");
  return is_bare_path ? StrCat("unix:", endpoint) : ListenEndpoint(endpoint, context, port);
}

void ReportAccepting(const BuildContext& context, net::ServerOptions& server) {
  server.on_accepting = [status = context.status](const Status& accepting) {
    accepting.ok() ? status.ReportOk() : status.ReportRecoverable(accepting);
  };
}

void SetIfGiven(std::chrono::nanoseconds duration, std::chrono::milliseconds& limit) {
  if (duration.count() > 0) limit = std::chrono::ceil<std::chrono::milliseconds>(duration);
}

void HttpServerOptions::Declare(config::OptionsReader& r, std::string_view endpoint_words) {
  r.Field("endpoint", endpoint, endpoint_words);
  DeclareTransport(r, transport);
  r.Field("max_request_body_size", max_request_body_size,
          "Largest body, as sent and after decompression; 0 means 20 MiB.",
          {.min = 0, .max = 1 << 30, .unit = "bytes"});
  r.Field("tls", tls, "How connections are secured; cleartext if it is left out.");
  r.Field("auth", auth, "Who is let in; whoever asks if it is left out.");
  r.Field("read_timeout", read_timeout, "Longest time for a request to arrive; 0 means 60s.");
  r.Field("read_header_timeout", read_header_timeout, "Longest time for its header to arrive; 0 means read_timeout.");
  r.Field("write_timeout", write_timeout,
          "A client that takes nothing of its answer for this long is cut off; 0 means 60s.");
  r.Field("idle_timeout", idle_timeout, "A connection without a request for this long is closed; 0 means never.");
  r.Field("keep_alives_enabled", keep_alives_enabled, "Whether a connection may carry more than one request.");
  r.Field("response_headers", response_headers, "Headers that are added to every answer which does not have them.");
  r.Field("cors", cors, "Which web pages may send.");
  r.Field("compression_algorithms", compression_algorithms,
          "Encodings that a body may have: gzip, zstd, snappy, x-snappy-framed, zlib, deflate, lz4, and \"\" for none; "
          "all of them if the list is empty.",
          [](const std::string& name) { return net::ParseCompression(name).status(); });
  r.Unsupported("middlewares", "remove it; there are no extensions of that kind");
  r.Unsupported("dialer", "remove it; nothing is dialled");
}

Status HttpServerOptions::Validate() const {
  return ValidateTransport(transport, endpoint);
}

void HttpServerOptions::ApplyTo(net::ServerOptions& server) const {
  if (max_request_body_size > 0) server.limits.body_bytes_max = max_request_body_size;
  SetIfGiven(read_timeout, server.limits.request_max);
  SetIfGiven(read_header_timeout, server.limits.header_max);
  SetIfGiven(write_timeout, server.limits.write_max);
  SetIfGiven(idle_timeout, server.limits.idle_max);
  server.keep_alive = keep_alives_enabled;
  for (const std::string& name : compression_algorithms) {
    server.content_codings.push_back(*net::ParseCompression(name));
  }
}

net::HttpHandler HttpServerOptions::Fronting(net::HttpHandler next) const {
  if (response_headers.empty() && !cors) return next;
  auto front = std::make_shared<HttpFront>();
  front->response_headers = response_headers;
  if (cors) front->cors.emplace(*cors);
  return [front = std::shared_ptr<const HttpFront>(std::move(front)), next = std::move(next)](
             net::HttpRequest request, net::HttpResponder responder) {
    if (front->cors) {
      auto allowed = front->cors->Preflight(request);
      if (allowed) {
        front->AddHeaders(*allowed);
        return std::move(responder).Respond(*std::move(allowed));
      }
    }
    net::HttpResponder adorned = Adorned(front, request, std::move(responder));
    next(std::move(request), std::move(adorned));
  };
}

}  // namespace spanloom::pipeline
