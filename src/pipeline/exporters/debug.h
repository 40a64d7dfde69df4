// SPDX-License-Identifier: Apache-2.0
//
// The debug exporter: writes what arrives to the log of this process.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/log.h"
#include "config/options.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct DebugOptions {
  enum class Verbosity : uint8_t { kBasic, kNormal, kDetailed };
  Verbosity verbosity = Verbosity::kBasic;
  void Declare(config::OptionsReader& r);
};

// basic: a line a batch, with counts. normal: a line a span too. detailed: a line for each of its attributes, events
// and links as well. Thread-safe; holds nothing.
class DebugExporter final : public Exporter {
 public:
  using WriteLine = std::function<void(std::string_view message, std::initializer_list<LogField> fields)>;

  // `write` may be called on any thread.
  DebugExporter(const ComponentId& id, const DebugOptions& options, const BuildContext& context, WriteLine write);

  Status Start() override { return absl::OkStatus(); }
  void Stop(std::chrono::milliseconds) override {}
  void Consume(otlp::Batch batch, Done done) override;
  [[nodiscard]] AckGrade ack_grade() const override { return AckGrade::kDelivered; }

 private:
  void WriteSpan(const otlp::SpanContext& context) const;
  void WriteDetails(const otlp::SpanContext& context) const;

  const std::string id_;
  const DebugOptions options_;
  const WriteLine write_;
  const otlp::Signal signal_;
  Counter& sent_;
};

// Exporter type "debug", writing to the process log at level info.
void RegisterDebugExporter(Registry& registry);

}  // namespace spanloom::pipeline
