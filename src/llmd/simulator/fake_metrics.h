// SPDX-License-Identifier: Apache-2.0
//
// --fake-metrics of llm-d-inference-sim: what /metrics is to say, whatever the engine does. For whoever tests a router
// or an alert.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace spanloom::llmd::simulator {

// A number, or a function of time: "oscillate:start:end:period" (a sine), "ramp" (to the end, and stays there),
// "rampreset" (to the end, and begins again), "squarewave" (half a period each).
class FakeValue {
 public:
  // kInvalidArgument says what is wrong.
  static StatusOr<FakeValue> Parse(std::string_view text);
  explicit FakeValue(double constant) : start_(constant), end_(constant) {}

  [[nodiscard]] double At(std::chrono::nanoseconds elapsed) const;
  [[nodiscard]] double start() const { return start_; }
  [[nodiscard]] double end() const { return end_; }

 private:
  enum class Shape : uint8_t { kConstant, kOscillate, kRamp, kRampReset, kSquareWave };
  FakeValue() = default;

  Shape shape_ = Shape::kConstant;
  double start_ = 0;
  double end_ = 0;
  std::chrono::nanoseconds period_{1};  // above 0
};

struct FakeAdapters {
  std::string running = {};  // names with commas
  std::string waiting = {};
  double unix_seconds = 0;
};

// What of the page depends on the server.
struct FakeMetricsFacts {
  std::string model_name = {};
  size_t loras_max = 1;
  int64_t model_tokens_max = 1'024;
};

// A value; thread-compatible.
class FakeMetrics {
 public:
  // Reads the JSON object. kInvalidArgument names the key, and what it may be.
  static StatusOr<FakeMetrics> Parse(std::string_view json);

  // Puts what the JSON object `json` has in the place of what was under its keys; an empty list or map takes that away.
  // After an error, which is one of Parse's, some of it may hold.
  Status Change(std::string_view json);

  // What Parse reads as the same.
  [[nodiscard]] std::string Json() const;

  // The page of metrics, in Prometheus' text format. `elapsed` since the start; `unix_seconds` is now.
  [[nodiscard]] std::string Render(const FakeMetricsFacts& facts, std::chrono::nanoseconds elapsed,
                                   double unix_seconds) const;

 private:
  friend struct FakeMetricsReader;
  using Counts = std::vector<uint64_t>;  // how many were in each bucket, from the lowest on; the rest are empty

  [[nodiscard]] std::optional<uint64_t> Total(const std::string& key, const Counts& of, int64_t model_tokens_max) const;

  std::map<std::string, std::string> given_;   // JSON, by key
  std::map<std::string, FakeValue> gauges_;    // by key
  std::map<std::string, Counts> buckets_;      // by key
  std::map<std::string, uint64_t> totals_;     // by key
  std::map<std::string, uint64_t> successes_;  // by reason
  std::optional<std::vector<FakeAdapters>> adapters_;
};

}  // namespace spanloom::llmd::simulator
