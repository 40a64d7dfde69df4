// SPDX-License-Identifier: Apache-2.0
//
// The options of a server over HTTP, as the Collector's confighttp has them: the same keys wherever a component
// listens.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "net/server.h"
#include "pipeline/auth_options.h"
#include "pipeline/cors.h"
#include "pipeline/registry.h"
#include "pipeline/tls_options.h"

namespace spanloom::pipeline {

enum class ListenTransport : uint8_t { kTcp, kUnix };

// The key `transport`.
void DeclareTransport(config::OptionsReader& r, ListenTransport& transport);
[[nodiscard]] Status ValidateTransport(ListenTransport transport, const std::string& endpoint);

// Where a server listens: `endpoint` as it was written, "unix:PATH" for a bare path, or the default host with `port` if
// it was left out.
[[nodiscard]] std::string AddressOf(const std::string& endpoint, ListenTransport transport, const BuildContext& context,
                                    uint16_t port);

// Lets the component's state say when a listener can't accept for now.
void ReportAccepting(const BuildContext& context, net::ServerOptions& server);

// `duration`, if it is set; not below 1 ms, since 0 means that it is not.
void SetIfGiven(std::chrono::nanoseconds duration, std::chrono::milliseconds& limit);

// A part of a component's options, whose Declare and Validate call these: the keys stand beside its own.
struct HttpServerOptions {
  std::string endpoint = {};
  ListenTransport transport = ListenTransport::kTcp;
  size_t max_request_body_size = 0;                // bytes; 0: 20 MiB, the Collector's default
  std::optional<ServerTlsOptions> tls = {};        // unset: cleartext
  std::optional<HttpServerAuthOptions> auth = {};  // unset: whoever may ask
  std::optional<CorsOptions> cors = {};
  // 0: the server's own limits (net/server.h); an idle connection is then kept for ever.
  std::chrono::nanoseconds read_timeout{0};
  std::chrono::nanoseconds read_header_timeout{0};
  std::chrono::nanoseconds write_timeout{0};
  std::chrono::nanoseconds idle_timeout{0};
  bool keep_alives_enabled = true;
  config::StringMap response_headers = {};
  std::vector<std::string> compression_algorithms = {};  // as net::ParseCompression; empty: all there are

  // `endpoint_words`: what `endpoint` is, and what holds without it.
  void Declare(config::OptionsReader& r, std::string_view endpoint_words);
  [[nodiscard]] Status Validate() const;

  // All but the name, the address, TLS and the handlers.
  void ApplyTo(net::ServerOptions& server) const;
  // `next` behind what `cors` and `response_headers` ask for.
  [[nodiscard]] net::HttpHandler Fronting(net::HttpHandler next) const;
};

}  // namespace spanloom::pipeline
