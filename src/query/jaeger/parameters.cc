// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/parameters.h"

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>

#include <limits>
#include <utility>

#include "base/text.h"
#include "config/duration.h"
#include "net/http.h"
#include "query/jaeger/tags_parameter.h"

namespace spanloom::query::jaeger {
namespace {

using store::Intrinsic;

constexpr uint64_t kNsPerUs = 1'000;
constexpr uint64_t kNsPerMs = 1'000'000;
constexpr uint64_t kSearchLookbackNs = 2ULL * 24 * 3600 * 1'000'000'000;      // Jaeger's default
constexpr uint64_t kDependencyLookbackNs = 1ULL * 24 * 3600 * 1'000'000'000;  // Jaeger's default
constexpr uint64_t kMaxNs = std::numeric_limits<uint64_t>::max();

Status Unparsable(std::string_view name, std::string_view value, std::string_view expected) {
  return absl::InvalidArgumentError(StrCat("unable to parse param '", name, "': \"", value, "\" is not ", expected));
}

uint64_t SubtractOrZero(uint64_t value, uint64_t amount) {
  return value < amount ? 0 : value - amount;
}

// `value` units of `unit_ns` each and `rest_ns` more, kept within 0 and 2^64 - 1.
uint64_t ToNs(int64_t value, uint64_t unit_ns, uint64_t rest_ns) {
  if (value < 0) return 0;
  const auto count = static_cast<uint64_t>(value);
  return count > (kMaxNs - rest_ns) / unit_ns ? kMaxNs : count * unit_ns + rest_ns;
}

StatusOr<int64_t> ParseInteger(const Parameters& parameters, std::string_view name, std::string_view expected) {
  const std::string_view text = parameters.Get(name);
  int64_t value = 0;
  if (!absl::SimpleAtoi(AbslView(text), &value)) return Unparsable(name, text, expected);
  return value;
}

// A time or span of time in units of `unit_ns`; `fallback_ns` if it is absent. `rest_ns` is added to what is there.
StatusOr<uint64_t> ParseTime(const Parameters& parameters, std::string_view name, uint64_t unit_ns, uint64_t rest_ns,
                             uint64_t fallback_ns) {
  if (parameters.Get(name).empty()) return fallback_ns;
  const std::string_view unit = unit_ns == kNsPerUs ? "microseconds" : "milliseconds";
  ASSIGN_OR_RETURN(const int64_t value, ParseInteger(parameters, name, StrCat("a whole number of ", unit)));
  return ToNs(value, unit_ns, rest_ns);
}

// The words of Go's strconv.ParseBool.
StatusOr<bool> ParseBool(const Parameters& parameters, std::string_view name) {
  const std::string_view text = parameters.Get(name);
  for (const std::string_view word : {"", "0", "f", "F", "false", "FALSE", "False"}) {
    if (text == word) return false;
  }
  for (const std::string_view word : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == word) return true;
  }
  return Unparsable(name, text, "true or false");
}

// 0 if it is absent, which is as good as no limit.
StatusOr<int64_t> ParseDuration(const Parameters& parameters, std::string_view name) {
  const std::string_view text = parameters.Get(name);
  if (text.empty()) return 0;
  const auto duration = config::ParseDuration(text);
  if (!duration) return Unparsable(name, text, "a duration such as 1.5s, 100ms or 250us");
  return duration->count();
}

void ParseNames(const Parameters& parameters, std::vector<store::Predicate>& conditions) {
  const auto add = [&](std::string_view name, Intrinsic intrinsic) {
    if (const std::string_view text = parameters.Get(name); !text.empty()) {
      conditions.emplace_back(
          store::Condition{.field = store::Field::Of(intrinsic), .operand = store::Value::String(text)});
    }
  };
  add("service", Intrinsic::kService);
  add("operation", Intrinsic::kName);
}

Status ParseTraceIds(const Parameters& parameters, std::vector<otlp::TraceId>& ids) {
  for (const std::string_view text : parameters.GetAll("traceID")) {
    ASSIGN_OR_RETURN(const otlp::TraceId id, ParseTraceIdText(text));
    ids.push_back(id);
  }
  return absl::OkStatus();
}

// Both ends of Jaeger's ranges are included.
store::TimeRange RangeOf(uint64_t first_unix_ns, uint64_t last_unix_ns) {
  return {.begin_unix_ns = first_unix_ns, .end_unix_ns = last_unix_ns == kMaxNs ? kMaxNs : last_unix_ns + 1};
}

Status ParseTimes(const Parameters& parameters, uint64_t now_unix_ns, store::TimeRange& starts) {
  ASSIGN_OR_RETURN(const uint64_t first,
                   ParseTime(parameters, "start", kNsPerUs, 0, SubtractOrZero(now_unix_ns, kSearchLookbackNs)));
  ASSIGN_OR_RETURN(const uint64_t last, ParseTime(parameters, "end", kNsPerUs, kNsPerUs - 1, now_unix_ns));
  if (first > last) {
    return absl::InvalidArgumentError("invalid parameter: start time must be before end time");
  }
  starts = RangeOf(first, last);
  return absl::OkStatus();
}

store::Predicate DurationIs(store::Comparison comparison, int64_t duration_ns) {
  return store::Predicate({.field = store::Field::Of(Intrinsic::kDuration),
                           .comparison = comparison,
                           .operand = store::Value::Int(duration_ns)});
}

Status ParseDurations(const Parameters& parameters, std::vector<store::Predicate>& conditions) {
  ASSIGN_OR_RETURN(const int64_t min_ns, ParseDuration(parameters, "minDuration"));
  ASSIGN_OR_RETURN(const int64_t max_ns, ParseDuration(parameters, "maxDuration"));
  if (min_ns != 0) conditions.push_back(DurationIs(store::Comparison::kGreaterOrEqual, min_ns));
  if (max_ns != 0) conditions.push_back(DurationIs(store::Comparison::kLessOrEqual, max_ns));
  if (min_ns != 0 && max_ns != 0 && max_ns < min_ns) {
    return absl::InvalidArgumentError("'maxDuration' should be greater than 'minDuration'");
  }
  return absl::OkStatus();
}

Status ParseAttributes(const Parameters& parameters, std::vector<store::Predicate>& conditions) {
  for (const std::string_view text : parameters.GetAll("tag")) {
    ASSIGN_OR_RETURN(store::Condition condition, ParseTag(text));
    conditions.emplace_back(std::move(condition));
  }
  for (const std::string_view json : parameters.GetAll("tags")) {
    ASSIGN_OR_RETURN(const std::vector<store::Condition> tags, ParseTags(json));
    for (const store::Condition& tag : tags) conditions.emplace_back(tag);
  }
  return absl::OkStatus();
}

Status ParseLimit(const Parameters& parameters, size_t& traces_max) {
  if (parameters.Get("limit").empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const int64_t limit, ParseInteger(parameters, "limit", "a whole number of traces"));
  if (limit <= 0) return absl::InvalidArgumentError("invalid parameter: limit must be greater than 0");
  traces_max = static_cast<size_t>(limit);
  return absl::OkStatus();
}

}  // namespace

Parameters::Parameters(std::string_view query) : values_(net::ParseQuery(query)) {}

std::string_view Parameters::Get(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  return {};
}

std::vector<std::string_view> Parameters::GetAll(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : values_) {
    if (key == name && !value.empty()) values.push_back(value);
  }
  return values;
}

StatusOr<TraceSearch> ParseTraceSearch(const Parameters& parameters, uint64_t now_unix_ns) {
  TraceSearch search;
  std::vector<store::Predicate> conditions;
  ParseNames(parameters, conditions);
  RETURN_IF_ERROR(ParseTimes(parameters, now_unix_ns, search.plan.starts));
  RETURN_IF_ERROR(ParseAttributes(parameters, conditions));
  RETURN_IF_ERROR(ParseLimit(parameters, search.plan.traces_max));
  RETURN_IF_ERROR(ParseDurations(parameters, conditions));
  search.plan.spansets = {store::Predicate::All(std::move(conditions))};
  RETURN_IF_ERROR(ParseTraceIds(parameters, search.trace_ids));
  ASSIGN_OR_RETURN(search.is_raw, ParseBool(parameters, "raw"));
  return search;
}

StatusOr<bool> ParseTraceOptions(const Parameters& parameters) {
  for (const std::string_view name : {"start", "end"}) {
    RETURN_IF_ERROR(ParseTime(parameters, name, kNsPerUs, 0, 0).status());
  }
  return ParseBool(parameters, "raw");
}

StatusOr<store::TimeRange> ParseDependencyRange(const Parameters& parameters, uint64_t now_unix_ns) {
  ASSIGN_OR_RETURN(const uint64_t end, ParseTime(parameters, "endTs", kNsPerMs, kNsPerMs - 1, now_unix_ns));
  ASSIGN_OR_RETURN(const uint64_t lookback, ParseTime(parameters, "lookback", kNsPerMs, 0, kDependencyLookbackNs));
  return RangeOf(SubtractOrZero(end, lookback), end);
}

StatusOr<otlp::TraceId> ParseTraceIdText(std::string_view text) {
  if (const auto id = otlp::ParseTraceId(text)) return *id;
  std::string raw;
  if (absl::Base64Unescape(AbslView(text), &raw) && !raw.empty()) {
    if (const auto id = otlp::TraceId::FromBytes(raw)) return *id;
  }
  return absl::InvalidArgumentError(
      StrCat("cannot parse traceID param: \"", text, "\" is not up to 32 hexadecimal digits, nor base64 of 16 bytes"));
}

bool WantsPrettyPrint(const Parameters& parameters) {
  const std::string_view value = parameters.Get("prettyPrint");
  return !value.empty() && value != "false";
}

}  // namespace spanloom::query::jaeger
