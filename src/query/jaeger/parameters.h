// SPDX-License-Identifier: Apache-2.0
//
// The query parameters of Jaeger's v1 HTTP API (reference: jaeger v2.20, query_parser.go). Errors say which parameter,
// what it was and what was expected.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/fetch.h"
#include "store/time_range.h"

namespace spanloom::query::jaeger {

// The parameters of one request, decoded. An empty value counts as absent, as in Jaeger.
class Parameters {
 public:
  explicit Parameters(std::string_view query);

  // The first value of `name`, or "".
  [[nodiscard]] std::string_view Get(std::string_view name) const;
  // All values of `name` that are not empty, in order.
  [[nodiscard]] std::vector<std::string_view> GetAll(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

struct TraceSearch {
  store::FetchPlan plan;                 // traces with a span that meets everything that was asked
  std::vector<otlp::TraceId> trace_ids;  // if not empty, these are asked for and `plan` is not
  bool is_raw = false;
};

// GET /api/traces. Without `start`, the last two days are searched; without `end`, up to now; without `limit`, 100
// traces; without `service`, all services (Jaeger refuses that). Times are microseconds and include their whole
// microsecond. Errors: kInvalidArgument.
StatusOr<TraceSearch> ParseTraceSearch(const Parameters& parameters, uint64_t now_unix_ns);

// `start`, `end` and `raw` of GET /api/traces/{id}: true if raw. The times are checked and otherwise not needed.
StatusOr<bool> ParseTraceOptions(const Parameters& parameters);

// `endTs` (default: now) and `lookback` (default: one day) of GET /api/dependencies, in milliseconds.
StatusOr<store::TimeRange> ParseDependencyRange(const Parameters& parameters, uint64_t now_unix_ns);

// A trace id: hexadecimal, short ones left-padded with zeros, or base64 of 16 bytes. kInvalidArgument.
StatusOr<otlp::TraceId> ParseTraceIdText(std::string_view text);

// True if `prettyPrint` is there, not empty and not "false".
[[nodiscard]] bool WantsPrettyPrint(const Parameters& parameters);

}  // namespace spanloom::query::jaeger
