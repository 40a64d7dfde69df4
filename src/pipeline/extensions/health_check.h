// SPDX-License-Identifier: Apache-2.0
//
// The health_check extension: tells probes whether the pipelines run, in the Collector's words.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/options.h"
#include "pipeline/page_server.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// What is answered instead of the JSON text; "" leaves it.
struct HealthBodyOptions {
  std::string healthy = {};
  std::string unhealthy = {};
  void Declare(config::OptionsReader& r);
};

// Which states of components make the answer 503.
struct ComponentHealthOptions {
  bool include_permanent_errors = false;
  bool include_recoverable_errors = false;
  std::chrono::nanoseconds recovery_duration = std::chrono::minutes(1);
  void Declare(config::OptionsReader& r);
};

struct HealthCheckOptions {
  HttpServerOptions server = {};
  std::string path = "/";
  HealthBodyOptions response_body = {};
  ComponentHealthOptions component_health = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

class HealthCheckExtension final : public Extension {
 public:
  HealthCheckExtension(const ComponentId& id, HealthCheckOptions options, const BuildContext& context);

  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;
  void SetReady(bool ready) override;
  [[nodiscard]] std::vector<Endpoint> endpoints() const override;
  [[nodiscard]] std::vector<std::string> claims() const override;

  // The answer to a probe: 200 while ready and no component is in a state that the options count, else 503.
  // Thread-safe.
  [[nodiscard]] net::HttpResponse Answer() const;

 private:
  [[nodiscard]] bool IsAnswered(std::string_view path) const;
  [[nodiscard]] bool Counts(const ComponentStatus& component) const;
  [[nodiscard]] bool IsHealthy() const;
  [[nodiscard]] Bytes StatusBody(bool healthy) const;
  const HealthCheckOptions options_;
  const BuildContext context_;
  std::atomic<int64_t> ready_since_unix_ns_ = 0;    // 0: not ready
  std::atomic<int64_t> ready_since_steady_ns_ = 0;  // the same by the clock that does not jump
  PageServer server_;
};

// Extension type "health_check".
void RegisterHealthCheckExtension(Registry& registry);

}  // namespace spanloom::pipeline
