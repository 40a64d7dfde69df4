// SPDX-License-Identifier: Apache-2.0
//
// The port of a component that answers requests over HTTP about this process: those of health_check, zpages and pprof,
// and that of the prometheus exporter. Who may ask, and how, is said by HttpServerOptions.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/server.h"
#include "pipeline/admittance.h"
#include "pipeline/http_server_options.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// The options of such a port: those of HttpServerOptions, without what is for receivers alone. `endpoint_words` as
// there.
void DeclarePageServer(config::OptionsReader& r, HttpServerOptions& options, std::string_view endpoint_words);

// Threads as Component's.
class PageServer {
 public:
  // `name` is the id of the component. Without an endpoint it is `port` of the default host. The extension that `auth`
  // names is looked for now.
  PageServer(std::string name, const HttpServerOptions& options, uint16_t port, const BuildContext& context);
  ~PageServer();

  // Binds, and answers by `handler` those who are let in. Errors: those of net::Server::Create, kInvalidArgument if
  // there is no such extension.
  Status Start(net::HttpHandler handler);
  // Afterwards `handler` is not called.
  void Stop(std::chrono::milliseconds grace);

  // "https://127.0.0.1:8889/metrics" of `path`, while it listens; as what `serves` says.
  [[nodiscard]] std::vector<Endpoint> endpoints(std::string_view serves, std::string_view path) const;
  [[nodiscard]] std::vector<std::string> claims() const;

 private:
  // Between who is let in late and the handler.
  class Gate;

  const std::string name_;
  const HttpServerOptions options_;
  const BuildContext context_;
  const std::string address_;
  StatusOr<std::shared_ptr<const Admittance>> admittance_ = Admittance::Open();
  std::shared_ptr<Gate> gate_;  // null until Start; shared with requests that wait to be let in
  std::unique_ptr<net::Server> server_;
};

}  // namespace spanloom::pipeline
