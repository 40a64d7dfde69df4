// SPDX-License-Identifier: Apache-2.0
//
// The health_check extension: tells probes whether the pipelines run, in the Collector's words.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "net/server.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct HealthCheckOptions {
  std::string endpoint = {};
  std::string path = "/";
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

class HealthCheckExtension final : public Extension {
 public:
  HealthCheckExtension(const ComponentId& id, HealthCheckOptions options, const BuildContext& context);
  ~HealthCheckExtension() override;

  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;
  void SetReady(bool ready) override;
  [[nodiscard]] std::vector<Endpoint> endpoints() const override;

  // The answer to a probe: 200 while ready, else 503. Thread-safe.
  [[nodiscard]] net::HttpResponse Answer() const;

 private:
  const std::string id_;
  const HealthCheckOptions options_;
  const BuildContext context_;
  std::atomic<int64_t> ready_since_unix_ns_ = 0;  // 0: not ready
  std::unique_ptr<net::Server> server_;
};

// Extension type "health_check".
void RegisterHealthCheckExtension(Registry& registry);

}  // namespace spanloom::pipeline
