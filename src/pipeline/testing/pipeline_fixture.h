// SPDX-License-Identifier: Apache-2.0
//
// For tests: a whole engine in this process, from YAML, with every real component.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "config/load.h"
#include "pipeline/engine.h"
#include "pipeline/testing/all_components.h"
#include "pipeline/testing/blocking_client.h"
#include "pipeline/testing/fake_consumer.h"
#include "pipeline/testing/fake_store.h"

namespace spanloom::pipeline {

// Thread-compatible. Members are public: tests look at all of them.
struct PipelineFixture {
  // Loads `yaml`, then `settings` (as --set takes them). Stops the test process if that fails.
  [[nodiscard]] ServiceConfig Parse(const std::string& yaml, const std::vector<std::string>& settings = {}) const {
    const config::ExpansionSources sources = {
        .environment = [](const std::string&) -> std::optional<std::string> { return std::nullopt; },
        .read_file = nullptr,
    };
    const std::vector<config::ConfigText> texts = {{"config.yaml", yaml}};
    const auto loaded = config::Load(texts, settings, sources);
    CHECK(loaded.ok());
    const auto config = ParseServiceConfig(loaded->node, registry);
    CHECK(config.ok());
    return *config;
  }

  // Builds the engine from that.
  void Build(const std::string& yaml, const std::vector<std::string>& settings = {}) {
    engine = Engine::Build(Parse(yaml, settings), registry,
                           {.loops = loops, .metrics = metrics, .clock = Clock::System(), .seed = 1});
  }

  [[nodiscard]] std::string Address(std::string_view serves) const {
    for (const Endpoint& endpoint : engine->endpoints()) {
      if (endpoint.serves == serves) return endpoint.address;
    }
    return "";
  }

  // Sends a request as a client would.
  Status Send(const otlp::Batch& batch) { return CallGrpc(loops.At(0), Address("OTLP/gRPC"), batch.Encode()).status(); }

  net::LoopPool loops{2};
  MetricRegistry metrics;
  FakeStore store;
  Registry registry = AllComponents(store);
  std::unique_ptr<Engine> engine;
};

}  // namespace spanloom::pipeline
